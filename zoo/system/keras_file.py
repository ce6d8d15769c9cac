"""Loads a run's `.keras` file without running code from it, and with bounded memory.

A `.keras` file is a zip of a configuration (JSON) and of weights (HDF5). Keras' safe mode refuses
code in it. Before Keras reads the file, its declarations are compared with its content: sizes
without stored bytes, links to other files, and members that Keras does not write are refused.
"""

import io
import json
import math
import zipfile
from pathlib import Path
from typing import Any

import h5py
import keras

from zoo.errors import DamagedFile, InputError
from zoo.system import checksums, memory

CONFIG, WEIGHTS = "config.json", "model.weights.h5"
ADVICE = "put back a copy of it, or train again"
MEMBERS = {CONFIG, WEIGHTS, "metadata.json"}
MOST_TEXT = 1 << 26  # bytes of a JSON member
MOST_OBJECTS = 1_000_000  # groups and arrays
SLACK = 1 << 20  # parameters that may be missing among the weights: constants of layers
KINDS = "biufV"  # of arrays: numbers, and bfloat16 as two bytes without a type
# layers that run code or read files when they are built, and modules without model classes
REFUSED = {
    *("Lambda", "__lambda__", "TFSMLayer", "JaxLayer", "FlaxLayer", "TorchModuleWrapper"),
    *("StringLookup", "IntegerLookup", "TextVectorization"),
}
REFUSED_MODULES = ("keras.utils", "keras.config", "keras.saving", "keras.datasets", "keras.export")


class _Refused(ValueError):
    """The content of a file is not what Keras writes."""


def load(path: Path, compile: bool = True, advice: str = ADVICE) -> keras.Model:
    """Loads a model that the project saved, from a `.keras` file.

    With `compile` optimizer, loss and metrics are loaded too; `advice` is how to replace a damaged
    file.

    Raises:
        InputError: There is no such file, or it is intact but its model cannot be built here.
        DamagedFile: It is damaged, or has content that Keras does not write.
        ModelTooLargeError: It does not fit into memory.
    """
    if not path.is_file():
        raise InputError(f"{path} does not exist: train first, or give a run's folder")
    checksums.verify(path, advice)
    try:
        parameters = _inspected(path)
    except Exception as error:
        raise DamagedFile(
            f"{path} is damaged or not a Keras model ({first_line(error)}): {advice}"
        ) from error
    try:
        with memory.counting((2 * parameters + SLACK) * memory.ITEM):
            return keras.models.load_model(path, compile=compile, safe_mode=True)
    except Exception as error:
        if checksums.recorded(path.parent).get(path.name):  # unchanged since it was written
            raise InputError(
                f"{path} is intact, but its model cannot be built ({first_line(error)}): register "
                "its cells with --module, or use the version of the project that wrote it"
            ) from error
        raise DamagedFile(f"{path} cannot be loaded ({first_line(error)}): {advice}") from error


def first_line(error: Exception) -> str:
    """The first line of an error's text, shortened and without the final mark."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    text = lines[0].rstrip(".:") if lines else type(error).__name__
    return text if len(text) <= 200 else text[:200] + "..."


def _inspected(path: Path) -> int:
    """Compares the declarations of a file with its content; returns the size of its arrays."""
    size = path.stat().st_size
    with zipfile.ZipFile(path) as archive:
        members = _members(archive, size)
        if archive.testzip():
            raise _Refused(f"the CRC of {archive.testzip()} is wrong")
        _check_config(json.loads(archive.read(CONFIG)))
        weights = members[WEIGHTS].file_size
        if 2 * weights > memory.available():
            raise _Refused(f"{memory.gib(weights)} of weights need twice that of memory")
        with h5py.File(io.BytesIO(archive.read(WEIGHTS)), "r") as store:
            return count(store, weights)


def _members(archive: zipfile.ZipFile, size: int) -> dict[str, zipfile.ZipInfo]:
    """The members by name, uncompressed, so that no member is larger than the file."""
    found = {info.filename: info for info in archive.infolist()}
    if len(found) < len(archive.infolist()):
        raise _Refused("a member is there twice")
    foreign = sorted(set(found) - MEMBERS)
    if foreign:
        raise _Refused(f"it holds {foreign[0][:80]!r}, which models of this project lack")
    missing = sorted({CONFIG, WEIGHTS} - set(found))
    if missing:
        raise _Refused(f"it has no {missing[0]}")
    for name, info in found.items():
        if info.compress_type != zipfile.ZIP_STORED or info.file_size != info.compress_size:
            raise _Refused(f"{name} is compressed: {memory.gib(info.file_size)} unpacked")
        if name != WEIGHTS and info.file_size > MOST_TEXT:
            raise _Refused(f"{name} has {memory.gib(info.file_size)}")
    if sum(info.file_size for info in found.values()) > size:
        raise _Refused("its members are larger than the file")
    return found


def _check_config(config: Any) -> None:
    """Refuses layers that run code or read files."""
    left = [config]
    while left:
        value = left.pop()
        if isinstance(value, list):
            left += value
        if isinstance(value, dict):
            left += value.values()
            name, module = value.get("class_name"), value.get("module")
            if isinstance(name, str) and name in REFUSED:
                raise _Refused(f"it has a {name}, which could run code or read files")
            if isinstance(module, str) and module.startswith(REFUSED_MODULES):
                raise _Refused(f"it names {module}, which has no model classes")


def count(store: h5py.File, size: int, most_ratio: int = 1) -> int:
    """The total size of all arrays of an HDF5 file of `size` bytes that must store them all.

    An array that is compressed by `gzip` may be `most_ratio` times as large as what is stored.
    """
    groups, numbers, stored = [store], 0, 0
    seen: set[int] = set()
    while groups:
        group = groups.pop()
        for name in group:
            if not isinstance(group.get(name, getlink=True), h5py.HardLink):
                raise _Refused(f"its weights link to another place ({group.name}/{name})")
            entry = group[name]
            address = h5py.h5o.get_info(entry.id).addr
            if address in seen or len(seen) > MOST_OBJECTS:
                raise _Refused(f"its weights have a loop or too many parts ({entry.name})")
            seen.add(address)
            if isinstance(entry, h5py.Group):
                groups.append(entry)
                continue
            _check_array(entry, most_ratio)
            numbers += math.prod(entry.shape)
            stored += entry.id.get_storage_size()
            if stored > size:
                raise _Refused("its arrays are larger than the file")
    return numbers


def _check_array(array: Any, most_ratio: int) -> None:
    if not isinstance(array, h5py.Dataset) or array.dtype.kind not in KINDS:
        raise _Refused(f"{array.name} is not an array of numbers")
    if array.external or array.is_virtual:
        raise _Refused(f"{array.name} is stored in another file")
    declared = math.prod(array.shape) * array.dtype.itemsize
    ratio = most_ratio if array.compression == "gzip" else 1
    if declared > ratio * array.id.get_storage_size():
        raise _Refused(
            f"{array.name} declares {memory.gib(declared)}, of which "
            f"{memory.gib(array.id.get_storage_size())} are stored"
        )
