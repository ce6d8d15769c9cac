"""The recipe `digits`: from recordings to texts, through all verbs."""

import json

import numpy as np
import pytest

from recipes.cli import main
from recipes.corpora import digits
from recipes.data.series.formats.wav import read_wav, write_wav
from recipes.data.series.items import Series
from recipes.digits import DigitsRecipe
from recipes.digits.recipe import encoded
from recipes.digits.scoring import Transcripts
from recipes.digits.utterances import utterances
from recipes.run import Run
from tests import surface
from tests.recipes.tiny import ask_as_hinted, prepared_in
from zoo.errors import InputError

task = DigitsRecipe()
FAST = ["--units", "3", "--num-layers", "1", "--epochs", "1", "--mel-bands", "6", "--buckets", "1"]
FAST += ["--most-joined", "2", "--beam-width", "4", "--spec-augment", "0", "--hop-ms", "20"]


def run(*words):
    return main([str(word) for word in words])


@pytest.fixture(scope="module")
def home(tmp_path_factory, module_eagerly):
    folder = tmp_path_factory.mktemp("digits")
    rng = np.random.default_rng(0)
    (folder / "sounds").mkdir()
    for digit in (3, 7):
        for take in range(6):
            values = digits.recording(rng, digit, digits.SPEAKERS[take % 2])[:, 0]
            write_wav(folder / "sounds" / f"{digit}_{take}.wav", values[:1200], 8000)
    words = ("digits", "--data", folder / "sounds", "--label-pattern", r"^(\d)", *FAST)
    words += ("--validation-pattern", "_4", "--test-pattern", "_5", "--run-dir", folder / "run")
    assert run(*words, "--export-dir", folder / "saved") == 0
    return folder


def test_the_surface_of_the_run_and_of_its_export_is_kept(home):
    surface.assert_run_kept("digits", home / "run", home / "saved")


def test_a_run_has_error_rates_of_both_decodings_and_pictures(home):
    metrics = json.loads((home / "run" / "metrics.json").read_text())["test"]
    rates = {"word_error_rate", "character_error_rate"}
    assert set(metrics) == {*rates, *(f"beam_{name}" for name in rates), "loss"}
    assert (home / "run" / "confusion.png").stat().st_size > 1000


def test_recordings_are_answered_as_the_pipeline_does(home, capsys):
    assert ask_as_hinted(task, home / "run", home / "saved") == 0
    capsys.readouterr()
    path = home / "run" / "examples" / "1.wav"
    assert run("digits", "predict", "--json", "--export-dir", home / "saved", path) == 0
    row = json.loads(capsys.readouterr().out)
    opened = Run.open(task, home / "run")
    pipeline = task.pipeline(opened.best_model(), opened.config, home / "run")
    expected = pipeline.transcribe(read_wav(path)[0])
    assert row["text"] == expected["text"][0]
    assert row["log_probability"] == pytest.approx(float(expected["log_probability"][0]), abs=1e-4)


def test_other_data_is_measured_and_each_text_written(home, tmp_path, capsys):
    words = ("digits", "evaluate", "--run-dir", home / "run", "--data", home / "sounds")
    assert run(*words, "--write-predictions", tmp_path / "out.jsonl") == 0
    assert "word_error_rate" in capsys.readouterr().out
    rows = [json.loads(line) for line in (tmp_path / "out.jsonl").read_text().splitlines()]
    assert {len(row["label"].split()) for row in rows} == {1, 2}


def recordings(count=6):
    return [
        Series(str(n), np.full((10 * n, 1), n, np.float32), label=str(n)) for n in range(1, count)
    ]


def test_each_recording_is_joined_equally_often_and_one_by_one_they_stay_as_they_are():
    parts = recordings()
    assert utterances(parts, 1, 8000, 0) == parts
    found = utterances(parts, 3, 8000, (1, 4))
    assert len(found) == 5
    labels = " ".join(each.label for each in found).split()
    counts = [labels.count(str(n)) for n in range(1, 6)]
    assert max(counts) - min(counts) <= 1
    again = utterances(parts, 3, 8000, (1, 4))
    assert [each.label for each in again] == [each.label for each in found]
    other = utterances(parts, 3, 8000, (1, 5))
    assert [each.label for each in other] != [each.label for each in found]


def test_train_is_joined_in_another_way_in_each_epoch_and_validation_in_one(home, tmp_path):
    config = Run.open(task, home / "run").config
    prepared = prepared_in(task, config, tmp_path / "run")
    train = task.batches(None, config, prepared, "train")

    def labels(seed):
        return np.concatenate([np.ravel(targets) for _, targets, _ in train(seed)]).tolist()

    assert labels((0, 1)) == labels((0, 1)) != labels((0, 2))
    known = {series.name for series in prepared.splits.train}
    assert all(name.split("_")[1] not in ("4.wav", "5.wav") for name in known)
    validation = task.batches(None, config, prepared, "validation")
    sums = [sum(float(inputs["values"].sum()) for inputs, *_ in validation()) for _ in range(2)]
    assert sums[0] == sums[1]


def test_texts_are_label_ids_and_an_unknown_word_is_one_sentence():
    data = task.data_of(task.configured({"data": "mine"}))
    series = [Series("a", np.zeros((4, 1)), label="one two one"), Series("b", np.zeros((2, 1)))]
    assert encoded(data, ["one", "two"], series).labels.tolist() == [[1, 2, 1], [0, 0, 0]]
    with pytest.raises(
        InputError, match="'one two one' of series 'a' has 'two', which train lacks"
    ):
        encoded(data, ["one"], series)


def test_confusions_are_those_of_aligned_words():
    found = Transcripts(["1 2 3", "4"], ["1 3 3", "4 4"], [], 0.0, str)
    confusion, classes = found.confusion()
    counts = {
        (classes[true], classes[guess]): int(count)
        for true, guess, count in zip(
            confusion.true, confusion.predicted, confusion.counts, strict=True
        )
    }
    assert counts == {
        **{("1", "1"): 1, ("2", "3"): 1, ("3", "3"): 1, ("4", "4"): 1},
        ("(none)", "4"): 1,
    }
