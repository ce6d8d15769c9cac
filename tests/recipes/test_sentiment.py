"""The recipe as a user runs it: commands in, files and sentences out."""

import csv
import functools
import io
import json
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

import keras
import numpy as np
import pytest
import tensorflow as tf

from recipes import cli, commands, provenance
from recipes.commands import TRAINING_VERBS
from recipes.data.labelled import read_table
from recipes.run import Run, predict_command
from recipes.run_files import read_labels
from recipes.sentiment import SentimentRecipe
from recipes.training import loop
from tests import surface
from tests.recipes.tiny import FAST, ask_as_hinted, options, rows, write_tsv

task = SentimentRecipe()


@pytest.fixture(scope="module", autouse=True)
def loaded_once() -> Iterator[None]:
    """Loading an exported model takes a second, and many tests ask the same one."""
    load = functools.cache(tf.saved_model.load)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(tf.saved_model, "load", lambda path: load(str(Path(path).absolute())))
        yield


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A folder in which the whole recipe has been run once, on star ratings from a TSV file."""
    folder = tmp_path_factory.mktemp("home")
    data = write_tsv(folder / "reviews.tsv")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        assert (
            cli.main(["sentiment", *options(data), *FAST, "--run-dir", "runs/sentiment/one"]) == 0
        )
    yield folder


@pytest.fixture
def here(home: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(home)
    return home


def test_the_surface_of_the_run_and_of_its_export_is_kept(home):
    surface.assert_run_kept("sentiment", home / "runs/sentiment/one", home / "saved_models")


def test_a_run_leaves_its_files_and_no_half_ones(here: Path):
    run = here / "runs/sentiment/one"
    names = {path.name for path in run.iterdir()}
    assert names == {
        *("config.json", "metrics.json", "history.csv", "vocabulary.txt", "classes.json"),
        *("curves.png", "confusion.png", "confusions.csv"),
        *("checkpoints", "tensorboard", "SHA256SUMS", "README.md"),
    }
    for picture in ("curves.png", "confusion.png"):
        assert (run / picture).read_bytes().startswith(b"\x89PNG")
    assert not [path for path in here.rglob("*") if ".part" in path.name]


def test_star_ratings_are_learned_without_a_line_of_code(here: Path):
    metrics = json.loads((here / "runs/sentiment/one/metrics.json").read_text())
    assert {"train", "validation", "test", "parameters", "seconds", "padding_share"} <= set(metrics)
    assert metrics["test"]["accuracy"] > 0.9  # each rating has its own words
    assert set(metrics["test"]["f1"]) == {label for _, label in rows()}
    f1 = list(metrics["test"]["f1"].values())
    assert metrics["test"]["f1_macro"] == pytest.approx(np.mean(f1))


def test_the_metrics_are_those_of_the_best_model_on_the_splits_texts(here: Path):
    """Loss and accuracy once more, example by example, from the files that the run left."""
    run = here / "runs/sentiment/one"
    config = Run.open(task, run).config
    model = keras.models.load_model(run / "checkpoints/best.keras", compile=False)
    vectorizer = task.load_text_path(config, run)
    classes = read_labels(run / "classes.json")
    examples = task.load(task.data_of(config)).test
    logits = np.array([model(vectorizer(tf.constant([e.text])))[0] for e in examples], np.float64)
    log_probabilities = logits - np.log(np.exp(logits).sum(axis=1, keepdims=True))
    labels = [classes.index(example.label) for example in examples]
    metrics = json.loads((run / "metrics.json").read_text())["test"]
    expected = -np.mean([row[label] for row, label in zip(log_probabilities, labels, strict=True)])
    assert metrics["loss"] == pytest.approx(expected, abs=1e-4)
    assert metrics["accuracy"] == pytest.approx(np.mean(logits.argmax(axis=1) == labels))


def test_the_vocabulary_holds_words_of_the_training_split_alone(here: Path):
    run = here / "runs/sentiment/one"
    splits = task.load(task.data_of(Run.open(task, run).config))
    known = (run / "vocabulary.txt").read_text().splitlines()[4:]
    text = " ".join(example.text for example in splits.train).replace(",", " , ")
    assert set(known) == set(text.split())
    held_out = {word for example in splits.test for word in example.text.split()}
    assert held_out - set(known)  # order numbers that only the test split has


def test_predict_takes_arguments(here: Path, capsys: pytest.CaptureFixture[str]):
    assert cli.main(["sentiment", "predict", "it was superb", "it was awful"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split("  ")[0] for line in lines] == ["5 stars", "1 star"]


def test_predict_takes_lines_and_gives_json(
    here: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
):
    raw = io.TextIOWrapper(io.BytesIO("it was superb\n\nschön ❤\n".encode()))
    monkeypatch.setattr(sys, "stdin", raw)
    assert cli.main(["sentiment", "predict", "--json"]) == 0
    answers = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [answer["text"] for answer in answers] == ["it was superb", "", "schön ❤"]
    assert answers[0]["label"] == "5 stars"
    for answer in answers:
        assert sum(answer["probabilities"].values()) == pytest.approx(1, abs=1e-5)
        assert max(answer["probabilities"], key=answer["probabilities"].get) == answer["label"]


def test_predict_names_the_line_of_bad_bytes(
    here: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"good\nbad \xff\n")))
    assert cli.main(["sentiment", "predict"]) == 2
    assert "standard input, line 2: not UTF-8" in capsys.readouterr().err


NEW = 'id;review;stars\r\n7;"order 3 was\r\nsuperb; superb";?\r\n8;;\r\n9;it was awful;1\r\n'


def test_predict_answers_the_rows_of_a_file_beside_their_own_columns(
    here: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    data = tmp_path / "new.csv"
    data.write_bytes(NEW.encode("utf-8-sig"))
    words = ["predict", "sentiment", "--data", str(data), "--text-column", "review"]
    for ending in ("csv", "jsonl"):
        (tmp_path / f"out.{ending}").write_text("older")
        assert cli.main([*words, "--write-predictions", str(tmp_path / f"out.{ending}")]) == 0
    out, err = capsys.readouterr()
    assert out.splitlines()[0] == f"predictions: {tmp_path / 'out.csv'} (3 rows)"
    assert "warning: text 2 is empty" in err
    with (tmp_path / "out.csv").open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert [row["id"] for row in rows] == ["7", "8", "9"]
    assert rows[0]["review"] == "order 3 was\r\nsuperb; superb"
    assert [rows[0]["label"], rows[2]["label"]] == ["5 stars", "1 star"]
    assert [row["stars"] for row in rows] == ["?", "", "1"]
    assert float(rows[0]["probability:5 stars"]) > 0.5
    objects = [json.loads(line) for line in (tmp_path / "out.jsonl").read_text().splitlines()]
    assert [each["label"] for each in objects] == [row["label"] for row in rows]
    assert cli.main([*words, "--json"]) == 0
    assert [json.loads(line) for line in capsys.readouterr().out.splitlines()] == objects
    names = sorted(path.name for path in tmp_path.iterdir())
    assert names == ["new.csv", "out.csv", "out.jsonl"]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--text-column", "review", "text"], "--text-column is for the rows of a file: give"),
        (["--write-predictions", "out.csv"], "--write-predictions is for the rows of a file"),
        (["--data", "reviews.tsv", "text"], "leave one of them out"),
        (["--data", "nothing.csv"], "got 'nothing.csv', which is none of them (in the folder "),
        (["--data", "reviews.tsv"], "there is no column 'text', expected one of 'review', 'stars'"),
    ],
)
def test_a_wrong_table_to_answer_is_one_sentence(
    words: list[str], said: str, here: Path, capsys: pytest.CaptureFixture[str]
):
    assert cli.main(["predict", "sentiment", *words]) == 2
    error = capsys.readouterr().err
    assert said in error and error.count("\n") == 1


def test_a_file_in_the_place_of_a_text_is_answered_with_a_hint(
    here: Path, capsys: pytest.CaptureFixture[str]
):
    assert cli.main(["predict", "sentiment", "reviews.tsv"]) == 0
    error = capsys.readouterr().err
    assert "the text 'reviews.tsv' is the name of a file: --data reviews.tsv answers" in error


@pytest.mark.parametrize(
    ("line", "warned"),
    [("id,order date,review", True), ("good;bad", True), ("slow, but nice", False), ("one", False)],
)
def test_a_header_on_standard_input_is_warned_of(
    line: str,
    warned: bool,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
):
    lines = f"{line}\nid,review\n"
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(lines.encode())))
    assert list(commands._lines()) == lines.splitlines()
    error = capsys.readouterr().err
    assert (f"the first line, {line!r}, looks like the header of a table" in error) is warned
    assert error.count("\n") == warned


def test_evaluate_gives_the_same_figures_again(here: Path):
    path = here / "runs/sentiment/one/metrics.json"
    before = json.loads(path.read_text())
    assert cli.main(["sentiment", "evaluate", "--run-dir", "runs/sentiment/one"]) == 0
    assert json.loads(path.read_text()) == before


ODD = 'order 3 was "superb", item\tsuperb,\r\nsuperb'


def test_other_data_is_measured_as_one_split_and_its_predictions_are_written(
    here: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    run = here / "runs/sentiment/one"
    kept = (run / "metrics.json").read_bytes()
    texts = [("it was superb", "5 stars"), ("it was awful", "2 stars"), (ODD, "5 stars")]
    data = tmp_path / "new.jsonl"
    data.write_text("".join(json.dumps({"t": t, "l": label}) + "\n" for t, label in texts))
    words = ["sentiment", "evaluate", "--run-dir", str(run), "--data", str(data)]
    words += ["--text-column", "t", "--label-column", "l", "--write-predictions"]
    for ending in ("jsonl", "csv", "tsv"):
        assert cli.main([*words, str(tmp_path / f"out.{ending}")]) == 0
    assert f"{data}: loss " in capsys.readouterr().out
    assert (run / "metrics.json").read_bytes() == kept
    stored = [json.loads(path.read_text()) for path in (run / "evaluations").iterdir()]
    assert len(stored) == 3 and {one["data"] for one in stored} == {str(data)}
    shutil.rmtree(run / "evaluations")
    rows = [json.loads(line) for line in (tmp_path / "out.jsonl").read_text().splitlines()]
    assert [(row["id"], row["text"], row["label"]) for row in rows] == [
        (number, *pair) for number, pair in enumerate(texts, 1)
    ]
    predicted = [row["prediction"] for row in rows]
    assert predicted[:2] == ["5 stars", "1 star"]
    right = np.mean([row["prediction"] == row["label"] for row in rows])
    assert [one["accuracy"] for one in stored] == [pytest.approx(right)] * 3
    for row in rows:
        assert sum(row["probabilities"].values()) == pytest.approx(1)
        assert max(row["probabilities"], key=row["probabilities"].get) == row["prediction"]
    classes = [f"probability:{label}" for label in rows[0]["probabilities"]]
    with (tmp_path / "out.csv").open(newline="", encoding="utf-8") as file:
        table = list(csv.DictReader(file))
    assert list(table[0]) == ["id", "text", "label", "prediction", *classes]
    assert [row["text"] for row in table] == [text for text, _ in texts]
    assert float(table[0]["probability:5 stars"]) == pytest.approx(
        rows[0]["probabilities"]["5 stars"], abs=1e-6
    )
    again = read_table(tmp_path / "out.tsv", "text", "prediction")  # as the recipes read it
    assert [(one.text, one.label) for one in again] == [
        ("it was superb", "5 stars"),
        ("it was awful", "1 star"),
        (ODD.replace("\t", " ").replace("\r\n", "  "), predicted[2]),
    ]


def test_the_predictions_for_the_runs_own_test_split_give_its_accuracy(
    here: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    run = here / "runs/sentiment/one"
    kept = (run / "metrics.json").read_bytes()
    path = tmp_path / "own.jsonl"
    words = ["sentiment", "evaluate", "--run-dir", str(run), "--write-predictions", str(path)]
    assert cli.main(words) == 0
    rows = [json.loads(line) for line in path.read_text().splitlines()]
    right = [row["prediction"] == row["label"] for row in rows]
    assert np.mean(right) == pytest.approx(json.loads(kept)["test"]["accuracy"])
    assert (run / "metrics.json").read_bytes() == kept
    assert not (run / "evaluations").exists()


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--text-column", "x"], "--text-column says how other data is read: give --data, too"),
        (["--write-predictions", "out.txt"], "one of .tsv, .csv, .jsonl"),
        (["--write-predictions", "none/out.tsv"], "there is no folder none: make it first"),
        (["--data", "nothing.tsv"], "nothing.tsv"),
        (["--data", "new.tsv"], "the label 'new', which this run's model does not know"),
        (["--units", "3"], "unknown option '--units'"),
    ],
)
def test_a_wrong_evaluation_is_one_sentence(
    words: list[str], said: str, here: Path, capsys: pytest.CaptureFixture[str]
):
    (here / "new.tsv").write_text("review\tstars\nhi\tnew\n")
    run = Path("runs/sentiment/one")
    before = sorted(run.rglob("*"))
    assert cli.main(["sentiment", "evaluate", "--run-dir", str(run), *words]) == 2
    error = capsys.readouterr().err
    assert said in error and error.count("\n") == 1
    assert sorted(run.rglob("*")) == before
    (here / "new.tsv").unlink()


def test_the_next_export_is_the_next_version(here: Path, capsys: pytest.CaptureFixture[str]):
    before = sorted(path.name for path in (here / "saved_models/sentiment").iterdir())
    assert cli.main(["sentiment", "export", "--run-dir", "runs/sentiment/one"]) == 0
    after = sorted(path.name for path in (here / "saved_models/sentiment").iterdir())
    assert before == ["1"] and after == ["1", "2"]
    assert cli.main(["sentiment", "predict", "--version", "3", "x"]) == 2
    assert "no version 3" in capsys.readouterr().err


def test_an_onnx_export_is_in_a_folder_of_its_own(
    here: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    words = [
        "sentiment",
        "export",
        "--run-dir",
        "runs/sentiment/one",
        "--export-dir",
        str(tmp_path),
    ]
    assert cli.main([*words, "--format", "onnx"]) == 0
    path = tmp_path / "sentiment-onnx" / "1"
    assert capsys.readouterr().out.startswith(f"exported: {path} ")
    stored = json.loads((path / "runtime.json").read_text())
    assert stored["pipeline"] == "Classifier" and stored["graphs"] == {"model": "model.onnx"}
    assert (path / "assets.extra" / "provenance.json").is_file()
    assert cli.main([*words, "--int8"]) == 2
    assert "--int8 is for --format onnx, triton and litert" in capsys.readouterr().err
    assert cli.main([*words, "--format", "onnx", "--steps", "9"]) == 2
    assert "--steps is for --format litert: leave it out" in capsys.readouterr().err


def test_a_litert_export_has_the_sizes_given(
    here: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    words = ["--run-dir", "runs/sentiment/one", "--export-dir", str(tmp_path)]
    assert (
        cli.main(
            ["sentiment", "export", *words, "--format", "litert", "--rows", "2", "--steps", "9"]
        )
        == 0
    )
    path = tmp_path / "sentiment-litert" / "1"
    assert capsys.readouterr().out.startswith(f"exported: {path} ")
    stored = json.loads((path / "litert.json").read_text())
    assert (stored["rows"], stored["steps"]) == (2, 9)
    assert cli.main(["inspect", str(path)]) == 0
    page = capsys.readouterr().out
    assert "  in   token_ids: int32 (2, 9)" in page and "  recipe: sentiment" in page


def test_the_hint_at_the_end_of_a_run_works_as_it_is_printed(
    here: Path, capsys: pytest.CaptureFixture[str]
):
    run = Path("runs/sentiment/one")
    assert ask_as_hinted(task, run, Path("saved_models")) == 0
    text = json.loads((run / "config.json").read_text())["data"]
    assert Path(text).is_file()
    assert capsys.readouterr().out.splitlines()[-1]


def test_predict_says_which_model_answers(here: Path, capsys: pytest.CaptureFixture[str]):
    path = Path("saved_models/sentiment/1")
    stored = json.loads((path / provenance.FILE).read_text())
    assert stored["recipe"] == "sentiment" and stored["run"] == "runs/sentiment/one"
    assert cli.main(["sentiment", "predict", "--version", "1", "it was superb"]) == 0
    told = capsys.readouterr().err.splitlines()[0]
    assert told == (
        f"model: sentiment, version 1, {path}; trained on {here / 'reviews.tsv'}; "
        f"run runs/sentiment/one; exported {stored['exported']}"
    )
    hidden = path / provenance.FILE.with_suffix(".away")
    (path / provenance.FILE).rename(hidden)
    try:  # as an export of an earlier version of this project
        assert cli.main(["sentiment", "predict", "--version", "1", "it was superb"]) == 0
    finally:
        hidden.rename(path / provenance.FILE)
    printed = capsys.readouterr()
    assert "unknown data and date" in printed.err
    assert printed.out.startswith("5 stars")


def test_predict_answers_with_the_model_of_the_run_that_is_asked_for(
    here: Path, capsys: pytest.CaptureFixture[str], tmp_path: Path
):
    words = ["sentiment", "predict", "--run-dir", "runs/sentiment/one", "it was superb"]
    assert cli.main(words) == 0  # which is exported already
    assert f"{Path('saved_models/sentiment')}/" in capsys.readouterr().err.splitlines()[0]
    elsewhere = [*words, "--export-dir", str(tmp_path)]
    own = Path("runs/sentiment/one/exported")
    assert cli.main(elsewhere) == 0
    printed = capsys.readouterr()
    assert printed.out.startswith("5 stars")
    assert printed.err.splitlines()[0].startswith(f"exported: {own / 'sentiment' / '1'} ")
    assert cli.main(elsewhere) == 0  # and not once more
    assert f"version 1, {own / 'sentiment' / '1'}; trained on" in capsys.readouterr().err
    assert [path.name for path in (own / "sentiment").iterdir()] == ["1"]
    assert not list(tmp_path.iterdir())
    shutil.rmtree(own)
    for wrong, said in (
        (["--run-dir", "nowhere"], "nowhere"),
        (["--run-dir", "runs/sentiment/one", "--version", "1"], "leave one of them out"),
    ):
        assert cli.main(["sentiment", "predict", *wrong, "x"]) == 2
        assert said in capsys.readouterr().err


def test_an_input_of_unknown_words_is_warned_of_and_its_share_is_in_the_json(
    here: Path, capsys: pytest.CaptureFixture[str]
):
    assert cli.main(["sentiment", "predict", "--json", "order was superb", "zxq vvk"]) == 0
    printed = capsys.readouterr()
    shares = [json.loads(line)["unknown_share"] for line in printed.out.splitlines()]
    assert shares == [0.0, 1.0]
    (warning,) = [line for line in printed.err.splitlines() if line.startswith("warning")]
    assert warning == "warning: text 2: the model does not know 100% of its tokens: zxq vvk"


def test_the_answers_to_many_lines_are_in_their_order(
    here: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
):
    texts = [f"{'item ' * (number % 97)}{number}" for number in range(1500)]
    raw = io.TextIOWrapper(io.BytesIO("\n".join(texts).encode()))
    monkeypatch.setattr(sys, "stdin", raw)
    assert cli.main(["sentiment", "predict", "--json"]) == 0
    answers = [json.loads(line)["text"] for line in capsys.readouterr().out.splitlines()]
    assert answers == texts


def test_lines_before_a_bad_one_are_answered(
    here: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
):
    raw = io.TextIOWrapper(io.BytesIO(b"it was superb\r\nbad \xff\n"))
    monkeypatch.setattr(sys, "stdin", raw)
    assert cli.main(["sentiment", "predict"]) == 2
    printed = capsys.readouterr()
    assert printed.out.startswith("5 stars") and printed.out.endswith("it was superb\n")
    assert "standard input, line 2: not UTF-8" in printed.err


def test_a_text_that_begins_with_a_dash_is_asked_behind_two_dashes(
    here: Path, capsys: pytest.CaptureFixture[str]
):
    command = predict_command(task, ["-5 degrees"], Path("a b"))
    assert command == ("python -m recipes sentiment predict --export-dir 'a b' -- '-5 degrees'")
    assert cli.main(["sentiment", "predict", "--", "-5 degrees"]) == 0
    assert capsys.readouterr().out.endswith("-5 degrees\n")


def test_a_run_is_not_written_over(here: Path, capsys: pytest.CaptureFixture[str]):
    before = (here / "runs/sentiment/one/config.json").read_bytes()
    words = [
        "sentiment",
        "train",
        *options(here / "reviews.tsv"),
        "--run-dir",
        "runs/sentiment/one",
    ]
    assert cli.main(words) == 2
    assert "already holds a run" in capsys.readouterr().err
    assert (here / "runs/sentiment/one/config.json").read_bytes() == before


def test_a_resumed_run_keeps_its_options(here: Path, capsys: pytest.CaptureFixture[str]):
    words = ["sentiment", "train", "--resume", "--run-dir", "runs/sentiment/one", "--units", "9"]
    assert cli.main(words) == 2
    assert "--units 9 (the run has 4)" in capsys.readouterr().err


def test_ctrl_c_says_how_to_go_on_and_leaves_what_there_was(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
):
    def interrupt(*_arguments: object, **_named: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(loop, "train", interrupt)
    data = write_tsv(tmp_path / "reviews.tsv")
    assert cli.main(["sentiment", *options(data), *FAST]) == 1
    assert "--resume goes on" in capsys.readouterr().err


@pytest.mark.parametrize("verb", ["evaluate", "train --resume", "train --resume --epochs 7"])
def test_a_label_that_the_run_does_not_know_is_one_sentence(
    verb: str, here: Path, capsys: pytest.CaptureFixture[str]
):
    path = here / "reviews.tsv"
    before = path.read_bytes()
    kept = {each: each.read_bytes() for each in Path("runs/sentiment/one").glob("*.*")}
    try:
        path.write_bytes(before + b"a new kind\t6 stars\nanother\t6 stars\nor no\t0 stars\n")
        words = ["sentiment", *verb.split(), "--run-dir", "runs/sentiment/one"]
        assert cli.main(words) == 2
    finally:
        path.write_bytes(before)
    error = capsys.readouterr().err
    assert error.count("\n") == 1 and error.startswith("error: ")
    assert (
        "the label '6 stars', which this run's model does not know" in error or "0 stars" in error
    )
    assert {each: each.read_bytes() for each in kept} == kept


def write(path: Path, content: bytes) -> Path:
    path.write_bytes(content)
    return path


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (None, ["nothing.tsv"]),
        (b"", ["data.tsv", "empty"]),
        (b"text\tlabel\n", ["data.tsv"]),
        (b"text\tstars\na\t1\n", ["data.tsv", "label"]),
        (b"text\tlabel\na\t1\nb\t\n", ["data.tsv:3", "label"]),
        (b"text\tlabel\na\t1\nb \xff\t2\n", ["data.tsv:3", "UTF-8"]),
        (b"text\tlabel\n" + b"".join(b"row %d\tsame\n" % n for n in range(50)), ["one"]),
    ],
    ids=["no file", "empty", "header alone", "no column", "no label", "bytes", "one class"],
)
def test_wrong_data_is_one_sentence_and_writes_nothing(
    content: bytes | None,
    words: list[str],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
):
    monkeypatch.chdir(tmp_path)
    name = "nothing.tsv" if content is None else write(tmp_path / "data.tsv", content).name
    assert cli.main(["sentiment", "--data", name]) == 2
    error = capsys.readouterr().err
    assert error.count("\n") == 1 and error.startswith("error: ")
    assert all(word in error for word in words), error
    assert [path.name for path in tmp_path.iterdir()] == ([] if content is None else ["data.tsv"])


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["sentimnt"], "did you mean 'sentiment'?"),
        (["sentiment", "trian"], "did you mean 'train'?"),
        (["sentiment", "--unit", "3"], "did you mean '--units'?"),
        (["sentiment", "--units", "three"], "three"),
        (["sentiment", "--units", "0"], "units must be a positive int, got 0"),
        (["sentiment", "--cell", "lstn"], "did you mean 'lstm'?"),
        (["sentiment", "--pooling", "lats"], "did you mean 'last'?"),
        (["sentiment", "--architecture", "many_to_on"], "did you mean 'many_to_one'?"),
        (["sentiment", "--module", "no_such_module"], "no_such_module"),
        (["sentiment", "evaluate"], "train first"),
        (["sentiment", "export"], "train first"),
        (["sentiment", "predict", "text"], "export first"),
    ],
)
def test_a_wrong_command_names_what_would_be_right(
    words: list[str],
    said: str,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
):
    monkeypatch.chdir(tmp_path)
    assert cli.main(words) == 2
    assert said in capsys.readouterr().err


@pytest.mark.parametrize("verb", cli.VERBS)
def test_every_verb_has_a_help_that_names_its_options(
    verb: str, capsys: pytest.CaptureFixture[str]
):
    with pytest.raises(SystemExit) as caught:
        cli.main(["sentiment", verb, "--help"])
    assert caught.value.code == 0
    text = capsys.readouterr().out
    assert {"predict": "--version", "tune": "--study-dir"}.get(verb, "--run-dir") in text
    assert ("--units" in text) == (verb in (*TRAINING_VERBS, "tune"))


def test_without_words_the_recipes_are_listed(capsys: pytest.CaptureFixture[str]):
    assert cli.main([]) == 0
    assert "sentiment" in capsys.readouterr().out
