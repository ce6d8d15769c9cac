"""Damaged files of a run, an export or a study: one sentence that names the file, in every verb."""

import json
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from recipes import cli, scores
from recipes.families.tagging import chosen
from recipes.ner import NerRecipe
from recipes.run import Run
from recipes.run_files import read_labels
from recipes.sentiment import SentimentRecipe
from recipes.training import checkpoint
from tests.recipes.tiny import FAST, options, write_tsv
from zoo import export
from zoo.errors import InputError

ner = NerRecipe()
sentiment = SentimentRecipe()

Damage = Callable[[bytes], bytes]
DEEP = b"[" * 100_000 + b"]" * 100_000
HUGE = b"[" + b"9" * 5_000 + b"]"


def cut(raw: bytes) -> bytes:
    return raw[: len(raw) // 2]


def empty(raw: bytes) -> bytes:
    return b""


def flipped(raw: bytes) -> bytes:
    place = len(raw) // 2
    return raw[:place] + bytes([raw[place] ^ 255]) + raw[place + 1 :]


def to(content: bytes) -> Damage:
    return lambda raw: content


def edited(change: Callable[[Any], Any]) -> Damage:
    return lambda raw: json.dumps(change(json.loads(raw))).encode()


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A run of `sentiment` on own data with its export."""
    home = tmp_path_factory.mktemp("damage")
    data = write_tsv(home / "reviews.tsv")
    words = ["sentiment", *options(data), *FAST, "--epochs", "3", "--patience", "3"]
    place = ["--run-dir", str(home / "run"), "--export-dir", str(home / "saved")]
    assert cli.main([*words, *place]) == 0
    yield home


@pytest.fixture
def here(home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy to damage."""
    shutil.copytree(home / "run", tmp_path / "run")
    shutil.copytree(home / "saved", tmp_path / "saved")
    monkeypatch.chdir(tmp_path)
    return tmp_path


VERBS = {
    "resume": ["train", "--resume", "--run-dir", "run"],
    "evaluate": ["evaluate", "--run-dir", "run"],
    "export": ["export", "--run-dir", "run", "--export-dir", "saved"],
    "predict": ["predict", "--export-dir", "saved", "superb"],
}


def says(capsys: pytest.CaptureFixture[str], verb: str, *words: str) -> str:
    """The one sentence that a verb ends with."""
    capsys.readouterr()
    status = cli.main(["sentiment", *VERBS[verb]])
    lines = capsys.readouterr().err.splitlines()
    if verb == "predict" and lines[0].startswith("model: "):  # which model answers
        del lines[0]
    assert status in (1, 2), lines
    (error,) = lines
    assert error.startswith("error: ") and all(word in error for word in words), error
    return error


def damage(path: Path, how: Damage, sums: bool) -> None:
    """Damages a file; without `sums` it has no checksum, as in an older run."""
    path.write_bytes(how(path.read_bytes()))
    if not sums:
        (path.parent / "SHA256SUMS").unlink(missing_ok=True)


TEXTS = [
    *[("config.json", how) for how in (empty, cut, to(b"[]"), to(DEEP), to(HUGE), to(b"\xff"))],
    ("config.json", edited(lambda c: {**c, "units": "many"})),
    ("config.json", edited(lambda c: {**c, "units": 10**400})),
    ("config.json", edited(lambda c: {**c, "dropout": float("nan")})),
    ("config.json", edited(lambda c: {**c, "learning_rate": float("inf")})),
    ("config.json", edited(lambda c: {**c, "colour": "red"})),
    *[("classes.json", how) for how in (empty, cut, to(b"{}"), to(b"[1, 2]"), to(DEEP), to(HUGE))],
    ("classes.json", edited(lambda c: [*c, c[0]])),
    ("classes.json", to(b"[]")),
    *[("vocabulary.txt", how) for how in (empty, to(b"\xff"))],
    ("vocabulary.txt", lambda raw: raw + raw.splitlines(keepends=True)[-1]),
]


@pytest.mark.parametrize("sums", [True, False], ids=["checksum", "no checksum"])
@pytest.mark.parametrize(("name", "how"), TEXTS)
def test_a_damaged_text_of_a_run_is_one_sentence(here: Path, name: str, how: Damage, sums: bool):
    (here / "run" / "checkpoints" / "config.json").unlink()
    damage(here / "run" / name, how, sums)
    with pytest.raises(InputError, match=name):
        config = Run.open(sentiment, Path("run")).config
        sentiment.load_text_path(config, Path("run"))
        read_labels(Path("run") / "classes.json")


def test_a_line_that_is_gone_is_found_by_its_checksum(here: Path, capsys: Any):
    for name in ("vocabulary.txt", "classes.json"):
        raw = (here / "run" / name).read_bytes()
        lines = raw.splitlines(keepends=True)
        (here / "run" / name).write_bytes(b"".join([*lines[:-2], *lines[-1:]]))
        for verb in ("evaluate", "export") if name == "classes.json" else ("resume",):
            says(capsys, verb, name, "put back a copy of it, or train again")
        (here / "run" / name).write_bytes(raw)


STATES = [
    *[("model.keras", how) for how in (empty, cut, flipped, to(b"PK\3\4 no zip"))],
    *[("progression.json", how) for how in (empty, to(b"[]"), to(DEEP), to(HUGE))],
    ("progression.json", edited(lambda p: {**p, "epoch": "3"})),
    ("progression.json", edited(lambda p: {**p, "epoch": 10**30})),
    ("progression.json", edited(lambda p: {**p, "history": p["history"][1:]})),
    ("progression.json", edited(lambda p: {**p, "best_epoch": 9})),
    ("progression.json", edited(lambda p: {**p, "seconds": float("nan")})),
    ("progression.json", edited(lambda p: {"epoch": 3})),
    *[("seeds.json", how) for how in (empty, to(b"{}"), to(DEEP), to(HUGE), to(b"[[1]]"))],
    ("seeds.json", to(b"[[-1, 2]]")),
    ("seeds.json", to(b'[["a", 2]]')),
]


@pytest.mark.parametrize("sums", [True, False], ids=["checksum", "no checksum"])
@pytest.mark.parametrize(("name", "how"), STATES)
def test_where_no_state_is_whole_resuming_is_one_sentence(
    here: Path, name: str, how: Damage, sums: bool
):
    for state in (here / "run" / "checkpoints").glob("epoch-*"):
        damage(state / name, how, sums)
    with pytest.raises(InputError, match=f"no state .*{name}.*train again"):
        checkpoint.load(Path("run/checkpoints"))


def test_resuming_takes_the_state_before_a_damaged_one(here: Path, capsys: Any):
    history = (here / "run" / "history.csv").read_text().splitlines()
    damage(here / "run" / "checkpoints" / "epoch-0003" / "model.keras", flipped, True)
    assert cli.main(["sentiment", *VERBS["resume"]]) == 0
    said = capsys.readouterr()
    assert "epoch-0003/model.keras is damaged" in said.err
    assert "resumed after epoch 2" in said.out
    again = (here / "run" / "history.csv").read_text().splitlines()
    assert [row.rsplit(",", 1)[0] for row in again] == [row.rsplit(",", 1)[0] for row in history]


@pytest.mark.parametrize("how", [empty, cut, flipped])
@pytest.mark.parametrize("sums", [True, False], ids=["checksum", "no checksum"])
def test_a_damaged_best_model_is_one_sentence(here: Path, how: Damage, sums: bool):
    states = here / "run" / "checkpoints"
    for best in states.rglob("best.keras"):
        damage(best, how, sums)
    with pytest.raises(InputError, match=r"best.keras is .*put back a copy of it, or train again"):
        checkpoint.load_best(Path("run/checkpoints"))


def test_the_best_models_copy_stands_in_for_it(here: Path, capsys: Any):
    before = json.loads((here / "run" / "metrics.json").read_text())
    damage(here / "run" / "checkpoints" / "best.keras", cut, True)
    assert cli.main(["sentiment", *VERBS["evaluate"]]) == 0
    assert "epoch-0003/best.keras is used instead" in capsys.readouterr().err
    assert json.loads((here / "run" / "metrics.json").read_text()) == before


@pytest.mark.parametrize("how", [empty, cut, to(b"[]"), to(DEEP)])
def test_damaged_metrics_are_one_sentence(here: Path, how: Damage):
    damage(here / "run" / "metrics.json", how, True)
    with pytest.raises(InputError, match=r"metrics.json .*delete it"):
        scores.write(Path("run"), {"test": {}})


SAVED = ["saved_model.pb", "variables/variables.index", "variables/variables.data-00000-of-00001"]


@pytest.mark.parametrize("sums", [True, False], ids=["checksum", "no checksum"])
@pytest.mark.parametrize("how", [empty, cut, None], ids=["empty", "cut", "gone"])
@pytest.mark.parametrize("name", SAVED)
def test_a_damaged_export_is_one_sentence(here: Path, name: str, how: Damage | None, sums: bool):
    version = here / "saved" / "sentiment" / "1"
    path = version / name
    path.write_bytes(how(path.read_bytes())) if how else path.unlink()
    if not sums:
        (version / "SHA256SUMS").unlink()
    with pytest.raises(InputError, match=r"saved/sentiment/1.*: export again, or give another"):
        export.load(Path("saved/sentiment/1"))


def test_a_flipped_weight_of_an_export_is_found(here: Path, capsys: Any):
    path = here / "saved" / "sentiment" / "1" / SAVED[2]
    path.write_bytes(flipped(path.read_bytes()))
    says(capsys, "predict", SAVED[2], "SHA-256")


@pytest.mark.parametrize(
    "content", [b"", b"[]", b"7", b"{", DEEP, HUGE, b'{"units": NaN}', b"\xff"]
)
def test_damaged_options_are_one_sentence(here: Path, capsys: Any, content: bytes):
    (here / "best.json").write_bytes(content)
    assert cli.main(["sentiment", "train", "--config", "best.json"]) == 2
    error = capsys.readouterr().err
    assert error.count("\n") == 1 and ("best.json" in error or "units" in error), error


def test_damaged_files_of_the_run_that_chose(tmp_path: Path):
    run = tmp_path / "run"
    run.mkdir()
    stored: dict[str, Any] = {"recipe": ner.name, "unlabelled": "", "shift": 0.0}
    (run / "config.json").write_text(json.dumps(stored))
    for epoch in ("two", True, 0, [1]):
        (run / "metrics.json").write_text(json.dumps({"best_epoch": epoch}))
        with pytest.raises(InputError, match=r"metrics.json must have an epoch as best_epoch"):
            chosen.options(ner.name, str(run))
    (run / "metrics.json").write_text(json.dumps({"best_epoch": 3}))
    for history in ("", "epoch,validation_shift\n1,0.5\n", "epoch,validation_shift\n1,a\n2,b\n3,c"):
        (run / "history.csv").write_text(history)
        with pytest.raises(InputError, match=r"history.csv has no metrics of epoch 3"):
            chosen.options(ner.name, str(run))
    (run / "config.json").write_text("[]")
    with pytest.raises(InputError, match=r"config.json must hold an object"):
        chosen.options(ner.name, str(run))
