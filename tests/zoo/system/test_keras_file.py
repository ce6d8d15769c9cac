"""Hostile `.keras` files: no code of theirs runs, no memory is taken; one sentence each."""

import io
import json
import pickle
import resource
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import keras
import numpy as np
import pytest

from zoo.errors import DamagedFile, InputError
from zoo.system import durable, keras_file

Members = dict[str, bytes]
PROOF = "proof"  # the file that code of an attack would make


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> Members:
    """The members of an honest file."""
    path = tmp_path_factory.mktemp("plain") / "plain.keras"
    inputs = keras.Input((3,), name="features")
    keras.Model(inputs, keras.layers.Dense(2, name="logits")(inputs)).save(path)
    with zipfile.ZipFile(path) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def write(path: Path, members: Members, compression: int = zipfile.ZIP_STORED) -> Path:
    with zipfile.ZipFile(path, "w", compression) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return path


def configured(members: Members, change: Callable[[dict[str, Any]], None]) -> Members:
    """With another configuration of the layer `logits`."""
    config = json.loads(members["config.json"])
    change(next(layer for layer in config["config"]["layers"] if layer["name"] == "logits"))
    return {**members, "config.json": json.dumps(config).encode()}


def weighted(members: Members, change: Callable[[h5py.File], None]) -> Members:
    """With other weights."""
    store = io.BytesIO(members["model.weights.h5"])
    with h5py.File(store, "r+") as file:
        change(file)
    return {**members, "model.weights.h5": store.getvalue()}


KERNEL = "layers/dense/vars/0"


def replaced(file: h5py.File, **how: Any) -> None:
    del file[KERNEL]
    file.create_dataset(KERNEL, **how)


def linked(file: h5py.File, link: Any) -> None:
    del file[KERNEL]
    file[KERNEL] = link


def marshalled() -> str:
    """A function that makes a file, as Keras once stored lambdas."""
    with pytest.warns(UserWarning, match="lambda"):
        function = keras.saving.serialize_keras_object(lambda x: Path(PROOF).touch() or x)
    return json.dumps(function)


LAYERS: dict[str, Callable[[dict[str, Any]], None]] = {
    "lambda": lambda layer: layer.update(
        class_name="Lambda", config={"name": "logits", "function": json.loads(marshalled())}
    ),
    "foreign function": lambda layer: layer["config"].update(
        activation={
            "module": "os",
            "class_name": "function",
            "config": "system",
            "registered_name": "system",
        }
    ),
    "foreign class": lambda layer: layer.update(
        module="subprocess", class_name="Popen", registered_name="Popen", config={"args": "id"}
    ),
    "get_file": lambda layer: layer["config"].update(
        activation={
            "module": "keras.utils",
            "class_name": "function",
            "config": "get_file",
            "registered_name": "get_file",
        }
    ),
    "unsafe": lambda layer: layer["config"].update(
        activation={
            "module": "keras.config",
            "class_name": "function",
            "config": "enable_unsafe_deserialization",
            "registered_name": "enable_unsafe_deserialization",
        }
    ),
    "file reader": lambda layer: layer.update(
        class_name="StringLookup", config={"name": "logits", "vocabulary": "/etc/passwd"}
    ),
    "savedmodel": lambda layer: layer.update(
        class_name="TFSMLayer", config={"name": "logits", "filepath": "model"}
    ),
    "units bomb": lambda layer: layer["config"].update(units=10**9),
}
WEIGHTS: dict[str, Callable[[h5py.File], None]] = {
    "external link": lambda file: linked(file, h5py.ExternalLink("/etc/passwd", "/")),
    "soft link": lambda file: linked(file, h5py.SoftLink("/layers")),
    "external storage": lambda file: replaced(
        file, shape=(3, 2), dtype="f4", external=[("/etc/passwd", 0, 24)]
    ),
    "unwritten bomb": lambda file: replaced(file, shape=(3, 2**29), dtype="f4"),
    "chunked bomb": lambda file: replaced(
        file, shape=(2**20, 2**12), dtype="f4", chunks=(2**10, 2**10), compression="gzip"
    ),
    "compressed": lambda file: replaced(file, data=np.zeros((3, 2**16), "f4"), compression="gzip"),
    "objects": lambda file: replaced(file, data=["a", "b"], dtype=h5py.string_dtype()),
    "a loop": lambda file: linked(file, file["layers"]),
    "virtual": lambda file: (
        file.__delitem__(KERNEL),
        file.create_virtual_dataset(KERNEL, h5py.VirtualLayout((3, 2), "f4")),
    )[0],
}


class Attack:
    """What makes a file when it is unpickled."""

    def __reduce__(self) -> Any:
        return open, (PROOF, "w")


def refused(path: Path, *words: str) -> None:
    with pytest.raises(DamagedFile) as caught:
        keras_file.load(path)
    said = str(caught.value)
    assert str(path) in said and "\n" not in said and all(word in said for word in words), said
    assert not Path(PROOF).exists()


@pytest.fixture(autouse=True)
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def test_an_honest_file_is_loaded(plain: Members, tmp_path: Path):
    model = keras_file.load(write(tmp_path / "a.keras", plain))
    assert model.count_params() == 8


@pytest.mark.parametrize("kind", sorted(LAYERS))
def test_a_configuration_runs_no_code_and_reads_no_file(kind: str, plain: Members, tmp_path: Path):
    refused(write(tmp_path / "a.keras", configured(plain, LAYERS[kind])))


@pytest.mark.parametrize("kind", sorted(WEIGHTS))
def test_weights_are_what_the_file_holds(kind: str, plain: Members, tmp_path: Path):
    refused(write(tmp_path / "a.keras", weighted(plain, WEIGHTS[kind])))


@pytest.mark.parametrize(
    ("change", "word"),
    [
        (lambda m: {**m, "../../evil": b"x"}, "evil"),
        (lambda m: {**m, "/etc/evil": b"x"}, "evil"),
        (lambda m: {**m, "assets/a.txt": b"x"}, "assets"),
        (lambda m: {**m, "model.weights.npz": pickle.dumps(Attack())}, "npz"),
        (
            lambda m: (
                {n: c for n, c in m.items() if n != "model.weights.h5"}
                | {"model.weights.npz": pickle.dumps(Attack())}
            ),
            "npz",
        ),
        (lambda m: {n: c for n, c in m.items() if n != "config.json"}, "no config.json"),
        (lambda m: {**m, "config.json": b"[" * 200_000 + b"]" * 200_000}, "recursion"),
        (lambda m: {**m, "config.json": b"{}"}, "a.keras"),
        (lambda m: {**m, "config.json": b"\xff"}, "a.keras"),
        (lambda m: {**m, "model.weights.h5": pickle.dumps(Attack())}, "a.keras"),
    ],
)
def test_members_that_keras_does_not_write_are_refused(
    change: Callable[[Members], Members], word: str, plain: Members, tmp_path: Path
):
    refused(write(tmp_path / "a.keras", change(plain)), word)


def test_a_compressed_bomb_is_refused_before_it_is_unpacked(plain: Members, tmp_path: Path):
    """256 MB of zeros in a quarter of one: its size is read, not its content."""
    path = tmp_path / "a.keras"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("config.json", plain["config.json"], zipfile.ZIP_STORED)
        with archive.open("model.weights.h5", "w", force_zip64=True) as member:
            for _ in range(256):
                member.write(bytes(1 << 20))
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    refused(path, "is compressed: 0.2 GiB unpacked")
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 100_000, "in kB"


def test_a_large_array_that_is_not_stored_takes_no_memory(plain: Members, tmp_path: Path):
    path = write(tmp_path / "a.keras", weighted(plain, WEIGHTS["unwritten bomb"]))
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    refused(path, "declares 6.0 GiB, of which 0.0 GiB are stored")
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 100_000, "in kB"


def test_a_compressed_array_is_refused_in_the_file_of_a_run(tmp_path: Path):
    """Keras compresses none; a saved pipeline's arrays may be, see `zoo.system.weights_file`."""
    path = tmp_path / "a.h5"
    with h5py.File(path, "w") as file:
        file.create_dataset("a", data=np.arange(10_000) // 99, compression="gzip")
    with h5py.File(path) as store, pytest.raises(ValueError, match="declares"):
        keras_file.count(store, path.stat().st_size)


@pytest.mark.parametrize("place", range(0, 4000, 97))
def test_a_flipped_byte_is_loaded_to_the_same_numbers_or_refused(
    place: int, plain: Members, tmp_path: Path
):
    path = write(tmp_path / "a.keras", plain)
    before = keras_file.load(path).get_weights()
    raw = bytearray(path.read_bytes())
    raw[place % len(raw)] ^= 255
    path.write_bytes(raw)
    try:
        found = keras_file.load(path)
    except DamagedFile as error:
        assert str(path) in str(error)
    else:  # a byte that means nothing
        for one, other in zip(before, found.get_weights(), strict=True):
            np.testing.assert_array_equal(one, other)


def test_a_whole_file_of_an_unknown_cell_is_not_called_damaged(plain: Members, tmp_path: Path):
    def unknown(layer: dict[str, Any]) -> None:
        layer.update(module="mine", class_name="MyLayer", registered_name="mine>MyLayer")

    path = write(tmp_path / "a.keras", configured(plain, unknown))
    durable.record(tmp_path, ["a.keras"])
    with pytest.raises(InputError, match=r"is intact, but .*register its cells with --module"):
        keras_file.load(path)
