"""The scoreboard: records of results, the tables in pages, and `zoo list --scores`."""

import dataclasses
import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from benchmarks.scoreboard import command, commits, measurements, pages, records, runs, tables
from benchmarks.scoreboard.measurements import Measurement, Recorder, Row
from benchmarks.scoreboard.records import Record, Result
from benchmarks.speed import machine, recorded
from benchmarks.speed.timing import Spread
from recipes import registry
from zoo import __main__ as models
from zoo import catalog
from zoo.errors import DamagedFile, InputError

ROOT = Path(__file__).resolve().parents[1]
ACCURACIES = (0.80, 0.86, 0.83)  # mean 0.83, sample standard deviation 0.03


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """A copy of all that `python -m benchmarks` reads and writes."""
    for place in (*pages.PAGES, "benchmarks/results/*.json", "zoo/scores.json"):
        for path in ROOT.glob(place):
            target = tmp_path / "copy" / path.relative_to(ROOT)
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(path, target)
    return tmp_path / "copy"


@pytest.fixture
def run_folder(tmp_path: Path):
    """Makes the folder of a finished run of `origin`."""

    def make(seed: int, accuracy: float | None, **options: Any) -> Path:
        folder = tmp_path / f"run-{seed}-{len(options)}"
        folder.mkdir()
        task = registry.find("origin")
        config = runs.defaults_of({"recipe": "origin", "data": "builtin"}) | options
        assert set(config) == {field.name for field in dataclasses.fields(task.config)}
        text = json.dumps({"recipe": "origin", **config, "seed": seed})
        (folder / "config.json").write_text(text)
        metrics: dict[str, Any] = {"parameters": 1000, "seconds": 10.0 + seed, "best_epoch": 4}
        if accuracy is not None:
            metrics["test"] = {"accuracy": accuracy, "f1": {"a": 0.5}, "loss": 1.23456789}
        (folder / "metrics.json").write_text(json.dumps(metrics))
        return folder

    return make


def contents(root: Path) -> dict[str, str]:
    """The text of each file."""
    return {
        path.relative_to(root).as_posix(): path.read_text(encoding="utf-8")
        for path in root.rglob("*")
        if path.is_file()
    }


def a_record(**entries: Any) -> Record:
    """A record with one result, as JSON gives it."""
    usual = {
        **{"name": "a", "recipe": "ner", "data": "d", "model": "m", "command": "rnn-zoo all ner"},
        **{"metrics": ["accuracy"], "results": [{"seed": 0, "test": {"accuracy": 0.5}}]},
        **{"commit": "1234567", "date": "2026-01-02"},
    }
    return records.made(Record, usual | entries, "record")


def test_the_pages_have_the_tables_that_the_records_make():
    for path, text in pages.contents().items():
        assert path.read_text(encoding="utf-8") == text, f"{path}: run python -m benchmarks"


def test_the_files_of_records_are_as_they_are_written():
    for path, read in ((pages.SCORES, records.read), (pages.SPEED, measurements.read)):
        text = (ROOT / path).read_text(encoding="utf-8")
        assert records.as_text(read(ROOT / path)) == text


def test_every_record_names_a_commit_and_a_command():
    for record in records.read(ROOT / pages.SCORES):
        assert record.command.split()[0] in ("rnn-zoo", "python")
        assert len(record.commit) == 7 and int(record.commit, 16) >= 0
        assert len(record.date.split("-")) == 3


def test_added_runs_have_their_mean_spread_command_and_summary(copy, run_folder, capsys):
    folders = [run_folder(seed, accuracy, units=512) for seed, accuracy in enumerate(ACCURACIES)]
    words = ["add", *map(str, folders), "--name", "wide", "--commit", "abcdef0", "--data", "names"]
    assert command.main(words, copy) == 0
    added = records.read(copy / pages.SCORES)[-1]
    assert added.mean("accuracy") == pytest.approx(0.83)
    assert added.spread("accuracy") == pytest.approx(0.03)
    assert (added.command, added.commit) == ("rnn-zoo all origin --units 512", "abcdef0")
    assert [result.seconds for result in added.results] == [10.0, 11.0, 12.0]
    assert added.results[0].test == {"accuracy": 0.8, "loss": 1.234568}
    page = (copy / "benchmarks/results/README.md").read_text(encoding="utf-8")
    (line,) = [line for line in page.splitlines() if line.startswith("| names |")]
    assert "accuracy **0.8300** ± 0.0300 (0.8000, 0.8600, 0.8300) | 1,000 | 10 to 12 s" in line
    assert "| `rnn-zoo all origin --units 512` | `abcdef0`, 20" in line
    summary = json.loads((copy / "zoo/scores.json").read_text(encoding="utf-8"))[-1]
    assert (summary["value"], summary["spread"], summary["seeds"]) == ("0.8300", "0.0300", 3)
    assert summary["architecture"] == "one_to_one"
    assert "written: zoo/scores.json" in capsys.readouterr().out


def test_runs_of_a_known_record_replace_its_results_and_keep_its_texts(copy, run_folder):
    old = {record.name: record for record in records.read(copy / pages.SCORES)}["origin-builtin"]
    words = ["add", str(run_folder(7, 0.9)), "--name", old.name, "--commit", "abcdef0"]
    assert command.main(words, copy) == 0
    new = {record.name: record for record in records.read(copy / pages.SCORES)}[old.name]
    assert (new.model, new.command, new.tables) == (old.model, old.command, old.tables)
    assert (new.values("accuracy"), new.commit, new.commit_of, new.time) == (
        *([0.9], "abcdef0", "run"),
        "",
    )


def test_a_record_of_written_examples_has_their_metrics_and_not_those_of_the_real_ones(run_folder):
    path = run_folder(0, 0.8) / "metrics.json"
    metrics = json.loads(path.read_text())
    metrics["test"] = {"loss": 0.5, "valid": 1.0}
    path.write_text(json.dumps({**metrics, "written": {"valid": 0.9, "rules_kept": {"a": 0.1}}}))
    assert runs.read(path.parent)[1].test == {"loss": 0.5, "valid": 0.9}


def test_runs_of_another_command_are_refused_for_a_known_record(copy, run_folder, capsys):
    words = ["add", str(run_folder(0, 0.9, units=8)), "--name", "origin-builtin"]
    before = contents(copy)
    assert command.main([*words, "--commit", "abcdef0"], copy) == 2
    assert "differs in units: give another --name" in capsys.readouterr().err
    assert contents(copy) == before


def test_wrong_runs_give_one_sentence(copy, run_folder, capsys, tmp_path):
    good, other, unmeasured = run_folder(0, 0.5), run_folder(1, 0.5, units=9), run_folder(2, None)
    before = contents(copy)
    for folders, sentence in (
        ([tmp_path / "nowhere"], "nowhere/config.json does not exist: give the folder of a run"),
        ([unmeasured], "has no metrics of the test split: run `rnn-zoo evaluate origin --run-dir"),
        ([good, other], "are not of one command: units is 256 and 9; add them one by one"),
        ([good, good], "have the same seed, 0: give one"),
    ):
        assert command.main(["add", *map(str, folders), "--commit", "abcdef0"], copy) == 2
        error = capsys.readouterr().err
        assert sentence in error and error.count("\n") == 1
    assert contents(copy) == before


def test_a_run_that_is_older_than_the_commit_is_refused(run_folder, monkeypatch):
    folder = run_folder(0, 0.5)
    os.utime(folder / "metrics.json", (86_400, 86_400))
    monkeypatch.setattr(commits, "head", lambda: "abcdef0")
    monkeypatch.setattr(commits, "seconds_of", lambda _commit: 86_401.0)
    with pytest.raises(InputError, match="is older than the newest commit abcdef0: give the"):
        runs.record_of([folder])
    monkeypatch.setattr(commits, "seconds_of", lambda _commit: 86_399.0)
    record = runs.record_of([folder])
    assert (record.commit, record.date, record.name) == ("abcdef0", "1970-01-02", "origin-builtin")


def test_the_newest_commit_needs_sources_without_changes(tmp_path):
    def git(*words: str) -> None:
        options = ["-c", "user.name=a", "-c", "user.email=a@b.c"]
        subprocess.run(["git", "-C", str(tmp_path), *options, *words], check=True)

    with pytest.raises(InputError, match="git status --porcelain failed: "):
        commits.head(tmp_path)
    git("init", "-q")
    (tmp_path / "code.py").write_text("1")
    git("add", ".")
    git("commit", "-qm", "first")
    (tmp_path / "page.md").write_text("prose changes no number")
    name = commits.head(tmp_path)
    assert len(name) == 7 and commits.seconds_of(name, tmp_path) > 1e9
    (tmp_path / "code.py").write_text("2")
    with pytest.raises(InputError, match="code.py has changes that are not committed"):
        commits.head(tmp_path)


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"nmae": "a"}, "has no entry 'nmae': did you mean 'name'?"),
        ({"results": []}, "results is empty"),
        ({"results": [{"seed": "0", "test": {}}]}, "results, 1: seed must be of type int, got '0'"),
        ({"results": [{"seed": 0, "test": {}}]}, "a result lacks the test metric 'accuracy'"),
        ({"results": [{"seed": 0, "test": {"accuracy": float("nan")}}]}, "must be of type float"),
        ({"results": [{"seed": 0, "test": {"accuracy": 1.0}}] * 2}, "it has seed 0 twice"),
        ({"commit_of": "guess"}, "commit_of must be run or page, got 'guess'"),
        ({"metrics": []}, "metrics is empty"),
        ({"published": [{"value": 1.0}]}, "published, 1 lacks the entry 'what'"),
    ],
)
def test_a_damaged_record_is_named(tmp_path, change, sentence):
    path = tmp_path / "scores.json"
    values = records.without_defaults(a_record())
    path.write_text(json.dumps([{**values, **change}]))
    with pytest.raises(DamagedFile) as caught:
        records.read(path)
    assert sentence in str(caught.value)
    assert str(caught.value).startswith(f"{path}, record 1 (a)")


def test_damaged_files_give_one_sentence_and_change_nothing(copy, capsys):
    for name in (pages.SCORES, pages.SPEED):
        text = (copy / name).read_text(encoding="utf-8")
        (copy / name).write_text(text[:-3], encoding="utf-8")
        before = contents(copy)
        assert command.main([], copy) == 2
        error = capsys.readouterr().err
        assert f"{name} is not JSON" in error and error.count("\n") == 1
        assert contents(copy) == before
        (copy / name).write_text(text, encoding="utf-8")


def test_two_records_of_one_name_are_refused(tmp_path):
    records.write(tmp_path / "scores.json", [a_record(), a_record()])
    with pytest.raises(DamagedFile, match="another record has that name"):
        records.read(tmp_path / "scores.json")


def test_prose_is_kept_and_a_changed_table_is_mended(copy):
    page = copy / "benchmarks/results/crf.md"
    text = page.read_text(encoding="utf-8")
    page.write_text("A sentence.\n" + text.replace("7.79", "1.00"), encoding="utf-8")
    assert pages.regenerate(copy) == [page]
    assert page.read_text(encoding="utf-8") == "A sentence.\n" + text
    assert pages.regenerate(copy) == []


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        (
            "<!-- scores: resluts -->\n<!-- /scores -->",
            "no table 'resluts': did you mean 'results'",
        ),
        ("<!-- scores: seeds crf -->\n<!-- /scores -->", "there is no record 'crf'"),
        ("<!-- scores: speed crd -->\n<!-- /scores -->", "no table 'crd': did you mean 'crf'?"),
        ("<!-- scores: results -->\n", "a table's marker has no end"),
    ],
)
def test_a_wrong_marker_is_named(copy, text, sentence):
    page = copy / "benchmarks/results/new.md"
    page.write_text(text)
    with pytest.raises(InputError, match=sentence) as caught:
        pages.contents(copy)
    assert str(caught.value).startswith(str(page))


def test_a_record_that_no_page_shows_is_named(copy):
    scores = records.read(copy / pages.SCORES)
    records.write(copy / pages.SCORES, [*scores, a_record(name="lost", tables=["nowhere"])])
    with pytest.raises(InputError, match="record lost: no page has its tables"):
        pages.contents(copy)


def test_a_failed_write_leaves_the_old_file(tmp_path, monkeypatch):
    path = tmp_path / "scores.json"
    records.write(path, [a_record()])
    old = path.read_text()

    def full(*_: Any) -> None:
        raise OSError("no space")

    monkeypatch.setattr(os, "replace", full)
    with pytest.raises(OSError, match="no space"):
        records.write(path, [a_record(name="b")])
    assert [each.name for each in tmp_path.iterdir()] == ["scores.json"]
    assert path.read_text() == old


def test_a_command_is_made_from_the_options_that_differ():
    given = "--units 512 --dropout 0.25 --no-lower --ngrams 1,2"
    options = runs.options_of(f"rnn-zoo all origin {given}") | {"recipe": "origin", "seed": 5}
    made = runs.command_of(options, runs.defaults_of(options))
    assert set(made.split()) == {"rnn-zoo", "all", "origin", *given.split()}
    again = runs.options_of(made)
    assert runs.same_but_place(again, options) == ""
    assert runs.same_but_place({**again, "units": 9}, options) == "units"


def test_a_record_is_run_again_seed_by_seed(copy, monkeypatch, run_folder):
    called: list[list[str]] = []

    def trained(*words: str) -> None:
        called.append([*words])
        seed = len([each for each in called if each[0] == "train"]) - 1
        if words[0] == "train":
            shutil.copytree(run_folder(seed, ACCURACIES[seed]), words[-1])

    monkeypatch.setattr(command, "_recipes", trained)
    monkeypatch.setattr(command, "head", lambda _root: "abcdef0")
    assert command.main(["run", "origin-builtin", "--machine", "2 cores"], copy) == 0
    folders = [str(copy / f"runs/scores/origin-builtin-abcdef0/{seed}") for seed in range(3)]
    expected = []
    for seed, folder in enumerate(folders):
        expected.append(["train", "origin", "--seed", str(seed), "--run-dir", folder])
        expected.append(["evaluate", "origin", "--run-dir", folder])
    assert called == expected
    new = {record.name: record for record in records.read(copy / pages.SCORES)}["origin-builtin"]
    assert (new.values("accuracy"), new.machine) == ([*ACCURACIES], "2 cores")


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("origin-builtn", "there is no record 'origin-builtn': did you mean 'origin-builtin'?"),
        ("pos-ewt-all", "needs the run of --chosen-by: do these runs by hand, then add them"),
        ("words-builtin", "`python benchmarks/bag_of_words.py` trains no recipe"),
    ],
)
def test_what_cannot_be_run_again_is_refused(copy, capsys, name, sentence):
    assert command.main(["run", name], copy) == 2
    assert sentence in capsys.readouterr().err


def test_show_prints_each_record(copy, capsys):
    assert command.main(["show"], copy) == 0
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == len(records.read(copy / pages.SCORES))
    assert lines[0].split()[:5] == ["sentiment-imdb", "accuracy", "0.8900", "±", "0.0022"]


def test_a_record_shows_its_digits_and_published_results():
    two = [Result(0, {"loss": 1.5}), Result(1, {"loss": 1.52})]
    record = a_record(metrics=["loss"], digits=2, published=[{"value": 1.4, "what": "them"}])
    record = Record(**{**vars(record), "results": two})
    assert tables.results(record) == "loss, nats **1.51** ± 0.01 (1.50, 1.52)"
    assert tables.published(record) == "1.4: them"
    assert tables.parameters(record) == "" and tables.time(record) == ""


def a_speed_row(*values: Any) -> dict[str, Any]:
    """A measurement with one row, as JSON."""
    row = {"labels": ["a"], "values": [*values], "digits": [1] * len(values)}
    given = {"table": "t", "command": "python x.py", "columns": ["", "ms"], "rows": [row]}
    return {**given, "commit": "1234567", "date": "2026-01-02"}


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        ((1.0, 2.0), "it has 3 values and 2 digits for 2 columns"),
        (([1.0, 2.0],), r"got \[1.0, 2.0\]"),
        ((True,), "a text or null, got True"),
    ],
)
def test_a_damaged_measurement_is_named(tmp_path, values, sentence):
    path = tmp_path / "speed.json"
    path.write_text(json.dumps([a_speed_row(*values)]))
    with pytest.raises(DamagedFile, match=sentence):
        measurements.read(path)


def test_a_stored_table_replaces_the_one_before(tmp_path):
    path = tmp_path / "speed.json"
    path.write_text(json.dumps([a_speed_row([2.0, 1.0, 3.0]), {**a_speed_row(1), "part": "p"}]))
    recorder = Recorder("t", ["", "ms"], commit="abcdef0")
    recorder.add(["b"], [[2.00061, 1.0, 4.0]], [1])
    recorder.store("2 cores", ["python", "x.py", "--rounds", "3"], path)
    new, other = measurements.read(path)
    assert (new.rows[0].values, other.part) == ([[2.001, 1.0, 4.0]], "p")
    assert pages.of_speed([new, other]).splitlines() == [
        *("| | ms |", "|---|---|", "| b | 2.0 (1.0 to 4.0) |", "| a | 1.0 |", ""),
        *("| command | commit, date | machine |", "|---|---|---|"),
        f"| `python x.py --rounds 3` | `abcdef0`, {commits.today()} | 2 cores |",
        "| `python x.py` | `1234567`, 2026-01-02 | |",
    ]


def test_the_tables_of_the_recurrent_layer_come_from_its_times():
    def of(contender: str, seconds: list[float], passed: str = "train") -> dict[str, Any]:
        where = {"shape": "4x10x3x5", "pass": passed, "cell": "lstm", "contender": contender}
        return {**where, "seconds": seconds, "first_s": 1.5}

    times = [
        of("ours", [0.010, 0.020, 0.030]),
        of("Keras LSTM", [0.020, 0.040, 0.090]),
        of("Keras LSTM, XLA", [0.060, 0.060, 0.060]),
        of("PyTorch LSTM", []),
        of("its products alone", [0.002, 0.002, 0.002]),
    ]
    recorder = Recorder("recurrent-train", [], "Some CPU", commit="abcdef0")
    recorded.fill(recorder, times)
    (row,) = recorder.rows
    assert row.labels == ["Some CPU", "4x10x3x5", "`lstm`"]
    assert row.values == [20.0, [2.0, 2.0, 3.0], 3.0, None, 0.3, 1.48]
    grown = Recorder("recurrent-growth", [], commit="abcdef0")
    size = {"shape": "4x10x3x5", "window": 5, "seconds": [0.02], "peak_mib": 30, "bare_mib": 10}
    recorded.fill(grown, [size])
    assert grown.rows[0].labels == ["windows of 5", "4", "10"]
    assert grown.rows[0].values == [20.0, 2.0, 20]


def score(name: str, metric: str, value: str, **entries: Any) -> catalog.Score:
    """A score with what matters to its order."""
    sizes = {"parameters": None, "seconds": None} | entries
    lower = metric == "loss"
    return catalog.Score(name, "r", "a", "", "d", "m", metric, metric, lower, value, 1, **sizes)


def test_scores_are_ordered_best_first_and_sizes_smallest_first():
    scores = [
        score("worse", "accuracy", "0.8", parameters=9),
        score("high", "loss", "1,002.5", parameters=10, seconds=3.0),
        score("better", "accuracy", "0.9"),
        score("low", "loss", "20.5", seconds=2.0),
    ]

    def names(key: str) -> list[str]:
        return [each.name for each in catalog.ordered(scores, key)]

    assert names("accuracy") == ["better", "worse"]
    assert names("loss") == ["low", "high"]
    assert names("parameters") == ["worse", "high"]
    assert names("seconds") == ["low", "high"]
    with pytest.raises(InputError, match="no score has 'acuracy': did you mean 'accuracy'?"):
        catalog.ordered(scores, "acuracy")


def test_list_shows_scores_by_data_set_and_filters_them(capsys):
    assert models.main(["list", "--scores", "--cell", "slstm", "--topology", "many_to_one"]) == 0
    out = capsys.readouterr().out
    assert out.splitlines() == [
        "IMDB, one epoch",
        "  many_to_one  slstm  accuracy 0.8800 (1 seed)  2,692,354 parameters  50 s  cell-slstm",
        "",
        "benchmarks/results/README.md has commands, commits and dates.",
    ]
    assert models.main(["list", "--scores", "--cell", "gru", "--topology", "one_to_one"]) == 0
    assert capsys.readouterr().out == "none\n"


def test_list_sorts_scores_by_a_metric(capsys):
    assert models.main(["list", "--sort", "accuracy"]) == 0
    lines = capsys.readouterr().out.splitlines()
    found = [float(line.split("accuracy ")[1].split()[0]) for line in lines[1:-2]]
    assert len(found) > 10 and found == sorted(found, reverse=True)


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["--topology", "many_to_on"], "unknown topology 'many_to_on': did you mean"),
        (["--cell", "lst"], "unknown cell 'lst': did you mean 'lstm'?"),
        (["--sort", "accurcy"], "no score has 'accurcy': did you mean 'accuracy'?"),
    ],
)
def test_list_of_scores_refuses_unknown_names(words, sentence, capsys):
    assert models.main(["list", "--scores", *words]) == 2
    assert sentence in capsys.readouterr().err


def test_damaged_scores_give_one_sentence(tmp_path, monkeypatch, capsys):
    path = tmp_path / "scores.json"
    monkeypatch.setattr(catalog, "SCORES", path)
    for text, sentence in (
        ('[{"name": "a"}]', "is damaged"),
        ("[", "is not JSON"),
        (None, "scores.json does not exist: install rnn-zoo again"),
    ):
        path.write_text(text) if text else path.unlink()
        assert models.main(["list", "--scores"]) == 2
        assert sentence in capsys.readouterr().err


def test_the_readme_compares_a_tuned_tagger_with_one_from_scratch():
    rows = [
        measurements.Row([name], [[value, value, value], 3, 10], [4, 0, 0])
        for name, value in (("from scratch", 0.8), ("from the pretrained tagger", 0.93251))
    ]
    found = measurements.Measurement("fine_tuning", "c", [], rows, "abcdef0", "2026-11-29")
    shown = "[0.9325](docs/fine_tuning.md) from `pos-en`, 0.8000 from scratch"
    assert shown in pages.readme([], [found])
    assert "pos-en" not in pages.readme([], [])


def test_what_a_table_cannot_show_is_refused_before_it_is_stored():
    recorder = measurements.Recorder("numeric", ["model", "ms"], commit="0123abc")
    with pytest.raises(TypeError, match="no value such as Spread"):
        recorder.add(["GRU"], [Spread(1.0, 0.5, 2.0)], [1])
    recorder.add(["GRU"], [measurements.numbers(Spread(1.0, 0.5, 2.0))], [1])
    assert recorder.rows == [measurements.Row(["GRU"], [[1.0, 0.5, 2.0]], [1])]


def test_a_processor_has_a_short_name_with_its_widest_vectors():
    name = machine.short_name
    assert name("Intel(R) Xeon(R) Processor @ 2.5GHz", ["avx2", "avx512f"]) == "Intel Xeon, AVX-512"
    assert name("AMD EPYC 7B12", ["avx2"]) == "AMD EPYC, AVX2"
    assert name("Old CPU", []) == "Old CPU"


def test_the_readme_has_the_range_over_processors():
    def of(processor: str, stock: float, torch: list[float]) -> Measurement:
        labels = [processor, "64x200x128x256", "`lstm`"]
        row = Row(labels, [100.0, [stock, 1.0, 3.0], 2.0, torch], [2, 2, 2, 2])
        return Measurement("recurrent-train", "c", [""] * 7, [row], "abcdef0", "", part=processor)

    both = [of("A", 1.67, [1.38, 1.1, 1.5]), of("B", 1.48, [1.02, 0.9, 1.1])]
    link = "(benchmarks/results/recurrent.md)"
    assert f"[1.02 to 1.38]{link} times PyTorch's speed, 1.48 to 1.67 times" in pages.readme(
        [], both
    )
    assert f"[1.38]{link} times PyTorch's speed, 1.67 times" in pages.readme([], both[:1])
