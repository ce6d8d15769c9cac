"""The recipe `origin`: its corpus, folders of one file for each class, and the whole job."""

import itertools
import json
import random

import numpy as np
import pytest
import tensorflow as tf

from recipes.cli import main
from recipes.corpora import surnames
from recipes.data.formats.class_folder import read_class_folder
from recipes.data.items import Example
from recipes.origin import OriginRecipe
from recipes.origin.recipe import FeatureBatches
from recipes.run import Run
from recipes.training.batches import Encoded
from tests import surface
from tests.recipes.tiny import ask_as_hinted
from zoo.errors import InputError
from zoo.text import NgramVectorizer

task = OriginRecipe()


def test_the_corpus_is_the_same_for_a_seed_and_no_name_stands_in_it_twice():
    parts = surnames.generate(3)
    assert parts == surnames.generate(3) != surnames.generate(4)
    assert [len(part) for part in parts] == [3600, 450, 450]
    names = [name for part in parts for name, _ in part]
    assert len(set(names)) == len(names)
    for part in parts:
        counts = {language: 0 for language in surnames.LANGUAGES}
        for _, language in part:
            counts[language] += 1
        assert len(set(counts.values())) == 1


def test_the_languages_keep_their_rules():
    rng = random.Random(0)
    for language, make in surnames.LANGUAGES.items():
        for _ in range(200):
            name = make(rng)
            kinds = [letter in surnames.FRONT for letter in name if letter in "aeiou"]
            changes = [a != b for a, b in itertools.pairwise(kinds)]
            if language == "Alvari":
                assert not any(changes)
            elif language == "Belmic":
                assert all(changes)
            elif language in ("Cordish", "Dunnic"):
                assert name.endswith("sen") == (language == "Cordish")
                assert name.startswith("mac") == (language == "Dunnic")
            else:
                assert (name[0] == name[-1]) == (language == "Esteri")


def test_batches_hold_what_the_vectorizer_gives():
    names = ["Anna", "Bob", "Eve"]
    vectorizer = NgramVectorizer(128)
    encoded = Encoded(vectorizer.encode(names), np.array([0, 1, 0]))
    batches = FeatureBatches(encoded, 2, [99], 128)
    found = np.concatenate([features for features, _, _ in batches()])
    np.testing.assert_allclose(found, vectorizer(tf.constant(names)), atol=1e-6)
    assert [len(labels) for _, labels, _ in batches()] == [2, 1]


@pytest.fixture
def folder(tmp_path):
    rng = random.Random(1)
    path = tmp_path / "names"
    path.mkdir()
    for label, make in (("Alvari", surnames._alvari), ("Cordish", surnames._cordish)):
        names = sorted({make(rng).capitalize() for _ in range(150)})
        (path / f"{label}.txt").write_text("\n".join([*names, "", " "]), encoding="utf-8")
    (path / "README.md").write_text("not a class")
    return path


def test_a_folder_of_one_file_for_each_class_is_read(folder):
    examples = read_class_folder(folder)
    assert {example.label for example in examples} == {"Alvari", "Cordish"}
    assert all(example.text.strip() == example.text != "" for example in examples)
    lines = (folder / "Alvari.txt").read_text().split("\n")
    assert examples[0] == Example(lines[0], "Alvari")


def test_an_empty_class_is_named(folder):
    (folder / "Empty.txt").write_text("\n \n")
    with pytest.raises(InputError, match="Empty.txt: the file is empty, expected a text"):
        read_class_folder(folder)


def test_files_called_like_splits_are_no_classes(tmp_path):
    for name in ("train", "test"):
        (tmp_path / f"{name}.txt").write_text("a line\n")
    with pytest.raises(InputError, match="holds no train file"):
        task.load(task.config(data=str(tmp_path)))


def test_the_whole_job_on_a_folder_of_classes_keeps_the_surface(folder, tmp_path, capsys):
    words = ["origin", "--data", folder, "--run-dir", tmp_path / "run"]
    words += ["--export-dir", tmp_path / "saved", "--epochs", "6", "--units", "16"]
    words += ["--learning-rate", "0.02", "--num-features", "256"]
    assert main([str(word) for word in words]) == 0
    assert "n-grams of 1, 2, 3 letters, hashed to 256 numbers" in capsys.readouterr().out
    surface.assert_run_kept("origin", tmp_path / "run", tmp_path / "saved")
    metrics = json.loads((tmp_path / "run" / "metrics.json").read_text())
    assert metrics["test"]["accuracy"] > 0.95
    words = ["origin", "predict", "--json", "--export-dir", tmp_path / "saved"]
    assert main([str(word) for word in [*words, "Draltsen", "Lanova"]]) == 0
    rows = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [row["label"] for row in rows] == ["Cordish", "Alvari"]
    assert ask_as_hinted(task, tmp_path / "run", tmp_path / "saved") == 0
    test = task.load(task.data_of(Run.open(task, tmp_path / "run").config)).test
    (tmp_path / "new.tsv").write_text(
        "text\tlabel\n" + "".join(f"{one.text}\t{one.label}\n" for one in test)
    )
    words = ["origin", "evaluate", "--run-dir", tmp_path / "run", "--data", tmp_path / "new.tsv"]
    words += ["--format", "tsv", "--write-predictions", tmp_path / "out.jsonl"]
    assert main([str(word) for word in words]) == 0
    (path,) = (tmp_path / "run" / "evaluations").iterdir()
    found = json.loads(path.read_text())
    assert found["loss"] == pytest.approx(metrics["test"]["loss"], rel=1e-4)
    assert found["f1"] == metrics["test"]["f1"]
    rows = [json.loads(line) for line in (tmp_path / "out.jsonl").read_text().splitlines()]
    assert [(row["text"], row["label"]) for row in rows] == [(one.text, one.label) for one in test]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--ngrams", "1;2"], "ngrams must be whole numbers with commas"),
        (["--ngrams", "0"], "sizes must be a positive int, got 0"),
        (["--activation", "rellu"], "unknown activation 'rellu'"),
    ],
)
def test_wrong_options_are_one_sentence(words, said, tmp_path, capsys):
    assert main(["origin", "train", "--run-dir", str(tmp_path / "run"), *words]) == 2
    assert said in capsys.readouterr().err
    assert not (tmp_path / "run").exists()
