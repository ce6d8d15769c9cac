"""The power fails at every call of a training: what is left goes on to the same end."""

import csv
import dataclasses
import json
import shutil
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import filelock
import pytest

from recipes import plots
from recipes import run as run_module
from recipes.config import TrainingConfig, from_mapping, option, read_json, write_json
from recipes.data.items import Example
from recipes.data.splits import Splits
from recipes.run import Run
from recipes.run_files import read_labels
from recipes.training import checkpoint, loop
from recipes.training.batches import Encoded, SequenceBatches
from tests.power_cut import materialize, watched
from zoo import export
from zoo.errors import InputError
from zoo.system import durable, keras_file, lock
from zoo.system.journal import Journal
from zoo.text import SPECIAL, Vocabulary
from zoo.tuning.space import Axis
from zoo.tuning.study import Study

EPOCHS = 4
SCORES = {1: 0.5, 2: 0.7, 3: 0.6, 4: 0.9}  # of the weight that an epoch leaves


class Model:
    """A model of one number, saved as text, so that hundreds of trainings take seconds."""

    variables: tuple[Any, ...] = ()
    optimizer = None
    architecture = "number"

    def __init__(self, weight: int) -> None:
        self.weight = weight

    def count_params(self) -> int:
        return 1

    def save(self, path: Path, include_optimizer: bool = True) -> None:
        Path(path).write_text(json.dumps(self.weight) * 50)


def loaded(path: Path, compile: bool = True, advice: str = "") -> Model:
    text = path.read_text()
    assert len(text) == 50, f"{path} is not whole"
    return Model(int(text[0]))


@dataclass(frozen=True)
class Config(TrainingConfig):
    architecture: str = option("number", "a model")


def prepare(config: Config, splits: Splits, directory: Path) -> Any:
    if (directory / "classes.json").exists():
        tokens = Vocabulary.load(directory / "vocabulary.txt").tokens
        classes = read_labels(directory / "classes.json")
        assert (tokens, classes) == ([*SPECIAL, "one"], ["a", "b"])
    else:
        Vocabulary([*SPECIAL, "one"]).save(directory / "vocabulary.txt")
        write_json(directory / "classes.json", ["a", "b"])
    batches = SequenceBatches(Encoded([[1]], [0]), 1, [1])  # type: ignore[list-item, arg-type]
    return SimpleNamespace(batches={"train": batches}, summary="two classes")


def run_epoch(model: Model, config: Any, prepared: Any) -> loop.RunEpoch:
    def run(config: Any, epoch: int, watch: Any = None) -> dict[str, float]:
        assert model.weight == epoch, "the weights are those of the epoch before"
        model.weight += 1
        return {"loss": 1 / model.weight}

    return run


EXAMPLES = [Example("one", "a"), Example("one", "b")]
TASK: Any = SimpleNamespace(
    name="number",
    config=Config,
    configured=lambda given: Config(**given),
    opened=lambda stored: from_mapping(Config, stored),
    data_of=lambda config: config,
    check=lambda config: None,
    load=lambda data: Splits(EXAMPLES, EXAMPLES, EXAMPLES),
    prepare=prepare,
    build=lambda config, prepared: Model(0),
    epochs=run_epoch,
    finished=lambda model, config, prepared, directory: (model, 0.0),
    validate=lambda model, config, prepared: {"accuracy": SCORES[model.weight]},
)


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keras_file, "load", loaded)
    monkeypatch.setattr(loop, "in_float32", lambda model: model)
    monkeypatch.setattr(loop, "averaged", lambda model: nullcontext())
    monkeypatch.setattr(loop, "write_summary", lambda directory, row: None)
    monkeypatch.setattr(plots, "learning_curves", lambda *_: None)
    monkeypatch.setattr(run_module.memory, "check_step", lambda *_: None)


def train(run: Path) -> None:
    """Begins the run, or goes on with it if there is one, as a user would."""
    begun = (run / "config.json").exists()
    given = {} if begun else {"epochs": EPOCHS, "patience": EPOCHS}
    with Run.opened(TASK, given, run, begun) as opened:
        opened.train()


def result(run: Path) -> Any:
    """What a training ends with, but for its times."""
    with (run / "history.csv").open(newline="") as file:
        history = [{k: v for k, v in row.items() if k != "seconds"} for row in csv.DictReader(file)]
    metrics = json.loads((run / "metrics.json").read_text())
    kept = {name: metrics[name] for name in ("best_epoch", "epochs", "train")}
    stored = checkpoint.load(run / "checkpoints")
    assert stored is not None
    best = (run / "checkpoints" / "best.keras").read_text()
    return history, kept, stored[0].weight, best


@pytest.mark.sweep
def test_a_training_goes_on_to_the_same_end_wherever_the_power_fails(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    (tmp_path / "grave").mkdir()
    root = tmp_path / "disk"
    root.mkdir()
    with watched(root, tmp_path / "grave") as disk:
        train(root / "run")
    expected = result(root / "run")
    assert len(expected[0]) == EPOCHS and expected[1]["best_epoch"] == 4
    calls = {call.split()[0] for call, _ in disk.states}
    assert {"fsync", "rename", "replace", "mkdir"} <= calls and len(disk.states) > 100
    monkeypatch.setattr(durable, "sync", lambda path: None)  # it takes most of the time
    for call, tree in disk.states:
        materialize(tree, tmp_path / "again")
        train(tmp_path / "again" / "run")
        assert result(tmp_path / "again" / "run") == expected, call


def test_the_best_model_is_that_of_the_state_that_training_goes_on_from(tmp_path: Path):
    """Also if the power failed between a better model and the state of its epoch."""
    (tmp_path / "grave").mkdir()
    root = tmp_path / "disk"
    root.mkdir()
    with watched(root, tmp_path / "grave") as disk:
        train(root / "run")
    best = {0: None, 1: 1, 2: 2, 3: 2, 4: 4}
    seen = set()
    for call, tree in disk.states:
        materialize(tree, tmp_path / "again")
        states = tmp_path / "again" / "run" / "checkpoints"
        stored = checkpoint.load(states)
        if stored:
            checkpoint.restore_best(states, stored[1].epoch)
            assert loaded(states / "best.keras").weight == best[stored[1].epoch], call
            seen.add(stored[1].epoch)
    assert seen == {1, 2, 3, 4}


def test_a_finished_epoch_is_not_lost(tmp_path: Path):
    """Once `save` has returned, no later cut goes back behind it."""
    (tmp_path / "grave").mkdir()
    root = tmp_path / "disk"
    root.mkdir()
    with watched(root, tmp_path / "grave") as disk:
        for epoch in (1, 2, 3):
            rows = [{"epoch": number} for number in range(1, epoch + 1)]
            checkpoint.save(
                root / "states", Model(epoch), checkpoint.Progression(epoch, history=rows)
            )
            disk.states.clear()
            disk.seen.clear()
            disk.cut("after")
            for _, tree in disk.states:
                materialize(tree, tmp_path / "again")
                stored = checkpoint.load(tmp_path / "again" / "states")
                assert stored is not None and stored[1].epoch == epoch


def writers() -> dict[str, Any]:
    study = Study("origin", (Axis("units", (2, 4)),), {}, "accuracy")
    other = dataclasses.replace(study, trials=7)
    return {
        "text": lambda place, new: durable.write_text(place / "a.txt", "new" if new else "old"),
        "json": lambda place, new: durable.write_json(place / "a.json", [new], checked=True),
        "vocabulary": lambda place, new: Vocabulary([*SPECIAL, str(new)]).save(place / "a.txt"),
        "study": lambda place, new: (other if new else study).save(place),
    }


READERS: dict[str, Any] = {
    "text": lambda place: (place / "a.txt").read_text(),
    "json": lambda place: read_json(place / "a.json", list)[0],
    "vocabulary": lambda place: Vocabulary.load(place / "a.txt").tokens[-1],
    "study": lambda place: Study.load(place).trials,
}


@pytest.mark.parametrize("kind", sorted(READERS))
def test_a_file_that_is_replaced_is_the_old_or_the_new_one(kind: str, tmp_path: Path):
    """A checksum never refuses either of them."""
    (tmp_path / "grave").mkdir()
    root = tmp_path / "disk"
    root.mkdir()
    write, read = writers()[kind], READERS[kind]
    with watched(root, tmp_path / "grave") as disk:
        write(root, False)
        disk.states.clear()
        before = read(root)
        write(root, True)
        after = read(root)
        disk.cut("after")
    assert before != after
    found = []
    for _, tree in disk.states:
        materialize(tree, tmp_path / "again")
        found.append(read(tmp_path / "again"))
    assert set(found) == {before, after} and found[-1] == after


def test_a_journals_event_is_there_once_it_was_appended(tmp_path: Path):
    (tmp_path / "grave").mkdir()
    root = tmp_path / "disk"
    root.mkdir()
    event = {"event": "end", "trial": "0", "elapsed": 1.0}
    with watched(root, tmp_path / "grave") as disk:
        for count in (1, 2, 3):
            Journal(root / "journal.jsonl").append(event)
            disk.states.clear()
            disk.seen.clear()
            disk.cut("after")
            for _, tree in disk.states:
                materialize(tree, tmp_path / "again")
                assert Journal(tmp_path / "again" / "journal.jsonl").events == [event] * count


def test_a_version_that_is_there_is_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    def write(functions: Any, tracked: Any, path: Path) -> None:
        (path / "variables").mkdir()
        (path / "variables" / "variables.index").write_text("index" * 100)
        (path / "saved_model.pb").write_text("graph" * 100)

    monkeypatch.setattr(export, "_write", write)
    monkeypatch.setattr(export, "check", lambda *_: None)
    (tmp_path / "grave").mkdir()
    root = tmp_path / "disk"
    root.mkdir()
    with watched(root, tmp_path / "grave") as disk:
        export.publish({}, [], {}, root / "model")
        export.publish({}, [], {}, root / "model")
        disk.states.append(("before", {}))
        disk.cut("after")
    seen = set()
    for call, tree in disk.states:
        materialize(tree, tmp_path / "again")
        found = export.versions(tmp_path / "again" / "model")
        seen.add(len(found))
        for version in found:
            folder = tmp_path / "again" / "model" / str(version)
            export.checksums.verify_tree(folder, ("saved_model.pb", "variables/variables.index"))
            assert (folder / "SHA256SUMS").exists(), call
    assert seen == {0, 1, 2}


def test_what_is_lost_is_told(tmp_path: Path, capsys: Any):
    """The newest whole state is taken, and the sentence names the damaged one."""
    train(tmp_path / "run")
    states = tmp_path / "run" / "checkpoints"
    (states / "epoch-0004" / "progression.json").write_bytes(b"")
    train(tmp_path / "run")
    said = capsys.readouterr()
    assert "epoch-0004/progression.json is damaged" in said.err
    assert f"going on from {states / 'epoch-0003'}" in said.err
    assert "resumed after epoch 3" in said.out
    assert sorted(path.name for path in states.glob("epoch-*")) == ["epoch-0003", "epoch-0004"]


def test_no_whole_state_is_one_sentence(tmp_path: Path):
    train(tmp_path / "run")
    for state in (tmp_path / "run" / "checkpoints").glob("epoch-*"):
        (state / "model.keras").write_bytes(b"")
    with pytest.raises(InputError, match="no state in .* is whole .*model.keras.*train again"):
        train(tmp_path / "run")


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"\xff"])
def test_an_empty_config_is_replaced_by_its_copy(tmp_path: Path, capsys: Any, content: bytes):
    train(tmp_path / "run")
    expected = result(tmp_path / "run")
    (tmp_path / "run" / "config.json").write_bytes(content)
    train(tmp_path / "run")
    assert "config.json is damaged" in capsys.readouterr().err
    assert result(tmp_path / "run") == expected
    shutil.rmtree(tmp_path / "run" / "checkpoints")
    (tmp_path / "run" / "config.json").write_bytes(content)
    with pytest.raises(InputError, match="config.json is damaged"):
        train(tmp_path / "run")


def test_a_new_run_in_a_folder_that_is_in_use_is_told_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    """Another process' lock is simulated by a second one on the same file."""
    train(tmp_path / "run")
    with filelock.FileLock(tmp_path / "run" / lock.LOCK):
        (tmp_path / "run" / lock.HOLDER).write_text('{"pid": 7, "host": "h", "since": "today"}')
        with pytest.raises(InputError, match="in use by process 7 on h since today: wait until"):
            Run.begin(TASK, {}, tmp_path / "run")
        with pytest.raises(InputError, match="in use by process 7 on h since today: wait until"):
            train(tmp_path / "run")
    with pytest.raises(InputError, match="already holds a run"):
        Run.begin(TASK, {}, tmp_path / "run")


def test_the_syncs_take_little_time(tmp_path: Path):
    """Of a model whose state has a few hundred kB: their number is what counts."""
    calls = []
    with pytest.MonkeyPatch.context() as patch:
        real = durable.os.fsync
        patch.setattr(durable.os, "fsync", lambda number: (calls.append(number), real(number)))
        checkpoint.save_best(tmp_path, Model(1))  # type: ignore[arg-type]
        rows = [{"epoch": 1}]
        checkpoint.save(tmp_path, Model(1), checkpoint.Progression(1, history=rows))
        loop.write_history(tmp_path, rows)
    assert len(calls) <= 16, "for each epoch"
