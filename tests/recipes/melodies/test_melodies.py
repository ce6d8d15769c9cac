"""The recipe `melodies`: the whole job on a small file, its figures, its errors, its files."""

import functools
import gzip
import json
from pathlib import Path

import pytest
import tensorflow as tf

from recipes.cli import main
from recipes.families.writing.samples import Sample
from recipes.melodies import MelodiesRecipe, data, files, quality, recipe
from recipes.melodies.config import Composing, MelodiesConfig
from recipes.melodies.notes import Note, notes_of
from tests import surface
from tests.recipes.melodies import midi_reader
from tests.recipes.tiny import ask_as_hinted
from zoo import export
from zoo.errors import InputError

task = MelodiesRecipe()

SHARED = Path(__file__).resolve().parents[3].parent / "shared" / "data" / "jsb_chorales"
TINY = [
    *("--units", "24", "--embedding-dim", "8", "--class-dim", "4", "--batch-size", "16"),
    *("--learning-rate", "0.03", "--dropout", "0", "--recurrent-dropout", "0", "--buckets", "1"),
    *("--cell", "min_gru", "--average", "0", "--patience", "9", "--samples", "30"),
    *("--transpose", "0", "--epochs", "6"),
]


def chorale(start: int, number: int) -> list[list[int]]:
    """Up from 60, down from 67, in quarters, eighths and halves; a bass below."""
    move = 1 if start == 60 else -1
    rows = []
    for place in range(4 + number % 3):
        step = (0, 2, 4, 5, 7, 9)[place] * move
        rows += [[start + step, 48]] * (2, 4, 8)[number // 3**place % 3]
    return rows


@pytest.fixture(scope="module")
def file(tmp_path_factory):
    """Chorales that begin with C4 and go up, and others that begin with G4 and go down."""
    both = [chorale(start, number) for number in range(180) for start in (60, 67)]
    test = [*both[330:], [[81, 48]] * 4]  # A5 begins none of train
    content = {"train": both[:300], "valid": both[300:330], "test": test}
    path = tmp_path_factory.mktemp("data") / "small.json.gz"
    path.write_bytes(gzip.compress(json.dumps(content).encode()))
    return path


@pytest.fixture(scope="module")
def finished(file, tmp_path_factory):
    """A whole job: the run's folder and the folder of exports, loaded once for all tests."""
    place = tmp_path_factory.mktemp("whole")
    words = ["melodies", "--data", file, *TINY]
    words += ["--run-dir", place / "run", "--export-dir", place / "models"]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(export, "check", lambda *_: None)  # it takes long; see the export's own tests
        patch.setattr(tf.saved_model, "load", functools.cache(tf.saved_model.load))
        assert main([str(word) for word in words]) == 0
        yield place


def metrics(finished):
    return json.loads((finished / "run" / "metrics.json").read_text())


def test_the_surface_of_the_run_and_of_its_export_is_kept(finished):
    surface.assert_run_kept("melodies", finished / "run", finished / "models")


def test_the_whole_job_learns_to_write_from_both_start_notes(finished):
    found = metrics(finished)
    for split in ("validation", "test"):
        assert found[split]["loss"] < 0.9
    written, real = found["written"], found["test"]
    assert real["starts_right"] == real["valid"] == 1
    assert written["starts_right"] > 0.9 and written["valid"] > 0.9
    assert abs(written["notes"] - real["notes"]) < 1
    assert json.loads((finished / "run" / "classes.json").read_text()) == ["C4", "G4"]


def test_evaluate_gives_the_same_figures_again(finished, capsys):
    before = metrics(finished)
    assert main(["melodies", "evaluate", "--run-dir", str(finished / "run")]) == 0
    told = capsys.readouterr().out
    assert "written: novel " in told
    assert "left out: 1 of 31, which begin with A5, as none of train does" in told
    assert metrics(finished)["written"] == before["written"]


def predict(finished, *words):
    return main(["melodies", "predict", *words, "--export-dir", str(finished / "models")])


def test_the_exported_model_prints_melodies_and_writes_files_that_play_them(
    finished, tmp_path, capsys
):
    folder = tmp_path / "new" / "music"
    words = ("G4", "b#3", "--samples", "2", "--output", str(folder))
    assert predict(finished, *words) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split("  ")[0] for line in lines] == ["G4", "G4", "C4", "C4"]
    names = [
        f"{name}.{ending}" for name in ("C4-1", "C4-2", "G4-1", "G4-2") for ending in ("abc", "mid")
    ]
    assert sorted(path.name for path in folder.iterdir()) == names
    assert lines[1].endswith(f"|]  {folder / 'G4-2.mid'}  {folder / 'G4-2.abc'}")
    old = {name: (folder / name).read_bytes() for name in names}
    assert predict(finished, *words, "--json") == 0
    rows = list(map(json.loads, capsys.readouterr().out.splitlines()))
    assert len(list(folder.iterdir())) == 16
    assert all((folder / name).read_bytes() == content for name, content in old.items())
    for row in rows:
        melody = notes_of(row["text"])
        sounding = [note.pitch for note in melody]
        midi, abc = (Path(path).read_bytes() for path in row["files"])
        _, _, events = midi_reader.read(midi)
        assert [pitch for _, _, pitch in midi_reader.notes(events)] == sounding
        assert abc.decode().splitlines()[6:] == row["abc"].splitlines()[6:]
        assert row["num_tokens"] == 2 * len(melody) + 1
    assert [Path(row["files"][0]).stem for row in rows] == ["G4-3", "G4-4", "C4-3", "C4-4"]


def test_the_exported_model_tells_a_melodys_probability(finished, capsys):
    assert predict(finished, "C4", "G4", "--score", "C4 4 D4 8 E4 2 F4 4", "--json") == 0
    own, other = map(json.loads, capsys.readouterr().out.splitlines())
    assert own["log_probability"] > other["log_probability"] + 3
    assert own["num_tokens"] == 9 and own["num_unknown"] == 0 and "abc" not in own


def test_an_unknown_start_note_is_one_sentence(finished, capsys):
    assert predict(finished, "C4", "Gb4") == 2
    said = "unknown start note 'Gb4': the nearest known is 'G4'"
    assert capsys.readouterr().err.splitlines()[-1] == f"error: {said}"


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("D4", "unknown start note 'D4': the nearest known is 'C4'"),
        ("C9", "unknown start note 'C9': the nearest known is 'F#4'"),
        ("F4", "unknown start note 'F4': the nearest known is 'F#4'"),
        ("c", "unknown start note 'c', expected one such as F#4: known: C4, F#4"),
        ("C44", "unknown start note 'C44', expected one such as F#4: did you mean 'C4'?"),
    ],
)
def test_the_error_of_an_unknown_start_note_names_the_nearest(name, said):
    with pytest.raises(InputError) as raised:
        recipe.start_note(name, ["C4", "F#4"])
    assert str(raised.value) == said
    assert recipe.start_note("gb4", ["C4", "F#4"]) == "F#4"


def test_an_output_that_is_a_file_is_one_sentence(finished, tmp_path, capsys):
    path = tmp_path / "file"
    path.write_text("mine")
    assert predict(finished, "C4", "--output", str(path)) == 2
    model, error = capsys.readouterr().err.splitlines()  # which model answers, then the sentence
    assert model.startswith("model: melodies")
    assert error.startswith(f"error: --output {path}: the folder cannot be created")
    assert path.read_text() == "mine"


def test_files_take_the_first_number_that_neither_of_them_has(tmp_path):
    (tmp_path / "C4-1.abc").write_text("mine")
    (tmp_path / "C4-2.mid").symlink_to(tmp_path / "nowhere")
    found = files.save([Note(60, 4)], tmp_path, "C4")
    assert found == [tmp_path / "C4-3.mid", tmp_path / "C4-3.abc"]
    assert found[1].read_text().splitlines()[1] == "T:C4-3"
    assert (tmp_path / "C4-1.abc").read_text() == "mine"
    assert len(list(tmp_path.iterdir())) == 4


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--steps-per-quarter", "3"], "steps_per_quarter must be 1, 2 or 4"),
        (["--transpose", "13"], "transpose must be from 0 to 12 semitones, got 13"),
        (["--temperature", "-1"], "temperature must be at least 0, got -1.0"),
        (["--cell", "lst"], "unknown cell 'lst'"),
        (["--data", "no/such.json"], "got 'no/such.json', which is none of them"),
    ],
)
def test_wrong_options_are_one_sentence(words, said, tmp_path, capsys):
    assert main(["melodies", "train", "--run-dir", str(tmp_path / "run"), *words]) == 2
    assert said in capsys.readouterr().err
    assert not (tmp_path / "run").exists()


def write(path, **parts):
    path.write_text(json.dumps(parts))
    return path


@pytest.mark.parametrize(
    ("name", "steps", "lengths"),
    [
        ("x.json", 0, "2 1"),
        ("a-Quarter.json", 0, "8 4"),
        ("x-8th.json", 0, "4 2"),
        ("x.json", 1, "8 4"),
    ],
)
def test_the_length_of_a_step_is_told_or_stands_in_the_files_name(tmp_path, name, steps, lengths):
    pieces = [[[start, 40], [start, 40], [62, 40]] for start in (60, 64)]
    path = write(tmp_path / name, train=pieces, valid=pieces, test=pieces)
    splits = data.load(MelodiesConfig(data=str(path), steps_per_quarter=steps, transpose=0))
    first, second = lengths.split(" ")
    assert [one.text for one in splits.train] == [
        f"C4 {first} D4 {second}",
        f"E4 {first} D4 {second}",
    ]
    assert [one.label for one in splits.test] == ["C4", "E4"]


def test_training_melodies_are_moved_within_the_range_that_all_have_together(tmp_path):
    pieces = [[[60], [-1], [62]], [[63], [64]], [[60], [-1], [62]]]
    path = write(tmp_path / "x.json", train=pieces, valid=pieces[:1], test=pieces[1:2])
    splits = data.load(MelodiesConfig(data=str(path), transpose=2))
    assert [one.text for one in splits.train] == [
        *("C4 1 R 1 D4 1", "Eb4 1 E4 1"),
        "D4 1 Eb4 1",  # one down; the other would fall out of the range
        "C#4 1 R 1 Eb4 1",  # one up
        "C#4 1 D4 1",  # two down
        "D4 1 R 1 E4 1",  # two up
    ]
    assert [one.text for one in splits.validation + splits.test] == ["C4 1 R 1 D4 1", "Eb4 1 E4 1"]


def test_what_no_split_holds_is_cut_from_train(tmp_path):
    path = write(tmp_path / "x.json", train=[[[60 + n % 2], [n]] for n in range(2, 60)])
    fractions = {"validation_fraction": 0.2, "test_fraction": 0.3}
    splits = data.load(MelodiesConfig(data=str(path), transpose=0, **fractions))
    sizes = [len(splits.train), len(splits.validation), len(splits.test)]
    assert sum(sizes) == 58 and min(sizes) > 5


def test_a_file_with_too_little_is_one_sentence(tmp_path):
    path = write(tmp_path / "x.json", train=[[[60]]], valid=[[[62]]], test=[[[-1]]])
    with pytest.raises(InputError, match="too few examples"):
        data.load(MelodiesConfig(data=str(path)))


MELODIES = [
    Sample("C4", "C4 4 D4 4 E4 4", True),  # in train, a tone higher
    Sample("D4", "D4 4 E4 4 F#4 4", True),  # the same
    Sample("C4", "D4 4 D5 4 C#5 4 C5 4", True),  # another start; an octave; no scale has all
    Sample("C4", "C4 4 R 4 C5", False),  # a length is missing
]


def test_the_figures_of_melodies_are_those_counted_by_hand():
    found = quality.scores(MELODIES, ["D4 4 E4 4 F#4 4", "G4 4"])
    assert found == {
        "novel": 2 / 4,
        "distinct": 3 / 4,
        "valid": 3 / 4,
        "starts_right": 3 / 4,
        "fifths": 6 / 7,
        "one_scale": 3 / 4,
        "in_scale": (1 + 1 + 3 / 4 + 1) / 4,
        "notes": (3 + 3 + 4 + 2) / 4,
    }
    nothing = quality.scores([Sample("C4", "", False)], [])
    assert (nothing["novel"], nothing["fifths"], nothing["valid"]) == (1, 0, 0)


def test_answers_are_a_line_each():
    row = {"label": "G4", "text": "G4 4 F#4 4 R 8"}
    assert task.format_answer(row) == "G4  [K:G] G F z2 |]"
    assert (
        task.format_answer({**row, "files": ["a.mid", "a.abc"]})
        == "G4  [K:G] G F z2 |]  a.mid  a.abc"
    )
    score = {"text": "G4 4", "log_probability": -2.0, "perplexity": 1.949}
    assert task.format_answer({**row, **score}) == "G4  G4 4  -2.00 nats  perplexity 1.95"
    assert (Composing().samples, Composing().output) == (1, "")


@pytest.mark.skipif(not SHARED.is_dir(), reason=f"no chorales in {SHARED}")
def test_the_chorales_of_bach_have_start_notes_and_keys():
    path = SHARED / "jsb-chorales-16th.json.gz"
    splits = data.load(MelodiesConfig(data=str(path), transpose=0))
    assert splits.train[1].text.startswith("A4 4 B4 8 A4 4 F#4 4 E4 4 F#4 2 G#4 2 A4 4")
    assert (len(splits.validation), len(splits.test)) == (72, 76)  # F5 and G2 begin no train one
    splits = data.load(MelodiesConfig(data=str(path)))
    assert (len(splits.train), len(splits.validation), len(splits.test)) == (1981, 75, 77)
    real = [Sample(one.label, one.text, True) for one in splits.test]
    found = quality.scores(real, [one.text for one in splits.train])
    assert found["novel"] == pytest.approx(75 / 77) and found["fifths"] > 0.99


def test_other_melodies_are_measured(finished, file):
    run = finished / "run"
    own = metrics(finished)
    assert main(["melodies", "evaluate", "--run-dir", str(run), "--data", str(file)]) == 0
    (path,) = (run / "evaluations").iterdir()
    assert json.loads(path.read_text())["loss"] == pytest.approx(own["test"]["loss"], rel=1e-3)
    assert metrics(finished) == own


def test_the_hint_at_the_end_of_a_run_works_as_it_is_printed(finished, capsys):
    assert ask_as_hinted(task, finished / "run", finished / "models") == 0
    assert capsys.readouterr().out.splitlines()[-1]
