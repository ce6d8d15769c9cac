"""Confusions of a run: a picture of any class names, a table, and ten thousand classes."""

import csv
import json
import tracemalloc

import numpy as np
import pytest

from recipes import confusions, plots
from recipes.cli import main
from zoo.metrics import classification_scores, count_confusions

NAMES = ["$$", "a_b", "_hidden", "中文", "\\frac{", "x" * 90, "two  words", "😀"]


def table(directory):
    with (directory / "confusions.csv").open(newline="", encoding="utf-8") as file:
        return list(csv.reader(file))


def test_the_table_lists_errors_by_frequency_and_names_stay_as_they_are(tmp_path):
    labels = np.array([0, 0, 0, 0, 3, 3, 7])
    predicted = np.array([0, 3, 3, 1, 3, 0, 7])
    confusions.write(count_confusions(labels, predicted, len(NAMES)), NAMES, tmp_path)
    assert table(tmp_path) == [
        ["true", "predicted", "count", "share_of_true"],
        ["$$", "中文", "2", "0.5000"],
        ["$$", "a_b", "1", "0.2500"],
        ["中文", "$$", "1", "0.5000"],
    ]
    assert (tmp_path / "confusion.png").read_bytes().startswith(b"\x89PNG")


def test_of_many_classes_those_with_most_errors_are_drawn_and_no_count_is_lost():
    classes = [f"class {number}" for number in range(100)]
    labels = np.repeat(np.arange(100), 3)
    predicted = labels.copy()
    for number in range(60, 98):  # 38 classes lose two to class 2, one more loses one to class 99
        predicted[3 * number : 3 * number + 2] = 2
    predicted[3 * 50] = 99
    confusion = count_confusions(labels, predicted, 100)
    matrix, names = confusions.drawn(confusion, classes)
    assert names == ["class 2", "class 50", *classes[60:98], "(60 others)"]
    assert matrix.shape == (41, 41) and matrix.sum() == 300
    assert matrix[0, 0] == 3 and matrix[2, 0] == 2 and matrix[2, 2] == 1
    assert matrix[1, 40] == 1 and matrix[40, 40] == 180


def test_up_to_forty_classes_are_all_drawn():
    labels = np.arange(40)
    matrix, names = confusions.drawn(count_confusions(labels, labels[::-1], 40), list("x" * 40))
    assert names == list("x" * 40)
    np.testing.assert_array_equal(matrix, np.eye(40, dtype=int)[::-1])


def test_ten_thousand_classes_take_little_memory_and_every_f1_is_counted(tmp_path):
    rng = np.random.default_rng(0)
    classes = [f"class {number}" for number in range(10_000)]
    labels = rng.integers(10_000, size=5000)
    predicted = np.where(rng.random(5000) < 0.7, labels, rng.integers(10_000, size=5000))
    tracemalloc.start()
    confusion = count_confusions(labels, predicted, 10_000)
    scores = classification_scores(confusion, classes)
    confusions.write(confusion, classes, tmp_path)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 150e6  # bytes; the matrix alone would take 800e6
    assert scores["accuracy"] == pytest.approx((labels == predicted).mean())
    assert len(scores["f1"]) == 10_000
    some = int(labels[labels == predicted][0])
    right = ((labels == some) & (predicted == some)).sum()
    both = (labels == some).sum() + (predicted == some).sum()
    assert scores["f1"][f"class {some}"] == pytest.approx(2 * right / both)
    assert scores["f1_macro"] == pytest.approx(sum(scores["f1"].values()) / 10_000)
    assert len(table(tmp_path)) == 1001


@pytest.mark.parametrize("count", [0, 1, 12, 450])
def test_attention_is_drawn_for_any_tokens_and_any_number_of_them(count, tmp_path):
    source = ["$", "_", "", " ", "中", "\x00", "x" * 500][: count or 7]
    target = (["$$", "\\", "▁a"] * count)[:count]
    weights = np.full((len(target), len(source)), 1 / len(source))
    plots.attention(weights, source, target, tmp_path / "one.png")
    plots.attention(weights.T, target, source, tmp_path / "two.png")
    assert (tmp_path / "two.png").stat().st_size > 1000


def test_metrics_with_any_names_are_drawn(tmp_path):
    history = [{"epoch": 1, "validation_$f_1$": 0.5, "validation_$$": 0.5, "validation_": 1.0}]
    plots.learning_curves(history, 1, tmp_path / "curves.png")
    assert (tmp_path / "curves.png").stat().st_size > 1000


def test_classes_with_hostile_names_go_through_a_whole_run(tmp_path):
    folder = tmp_path / "names"
    folder.mkdir()
    for number, name in enumerate(("$$", "_a$b", "中文")):
        lines = [f"{'abc'[number]}{letter}{other}" for letter in "defgh" for other in "ijkl"]
        (folder / f"{name}.txt").write_text("\n".join(lines) + "\n", encoding="utf-8")
    run = ["--run-dir", str(tmp_path / "run")]
    assert main(["origin", "train", "--data", str(folder), "--epochs", "1", *run]) == 0
    assert main(["origin", "evaluate", *run]) == 0
    metrics = json.loads((tmp_path / "run" / "metrics.json").read_text(encoding="utf-8"))
    assert list(metrics["test"]["f1"]) == ["$$", "_a$b", "中文"]
    assert (tmp_path / "run" / "confusion.png").read_bytes().startswith(b"\x89PNG")
    assert table(tmp_path / "run")[0] == ["true", "predicted", "count", "share_of_true"]
