"""A model's weights as a file of HDF5 that Keras' `load_weights` reads, mostly in float16.

A trained weight has far fewer significant digits than float16 has, and the file is half as large.
Small arrays stay as they are: statistics of the data, whose range is that of the data, are among
them. Large ones are compressed without loss, sorted by bytes first: signs and exponents repeat.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import h5py
import keras
import numpy as np

from zoo.errors import DamagedFile
from zoo.system import keras_file

SMALL = 1024  # numbers of an array that is stored as it is
MOST_RATIO = 8  # of a compressed array's bytes to those stored for it
LARGEST = float(np.finfo(np.float16).max)


def save(model: keras.Model, path: Path) -> None:
    """Writes the weights of a model; `path` ends in `.weights.h5`."""
    whole = path.with_name(f".whole.{path.name}")
    try:
        model.save_weights(whole)
        with h5py.File(whole, "r") as source, h5py.File(path, "w") as target:
            _copy(source, target)
    finally:
        whole.unlink(missing_ok=True)


def size(path: Path, advice: str) -> int:
    """The number of the weights in a file, whose declarations are compared with its content.

    Raises:
        DamagedFile: It is damaged, or has content that Keras does not write.
    """
    with _damage(path, advice), h5py.File(path, "r") as store:
        return keras_file.count(store, path.stat().st_size, MOST_RATIO)


def load(model: keras.Model, path: Path, advice: str) -> None:
    """Reads the weights of a file that `size` has found whole into a model.

    Raises:
        DamagedFile: They are those of another model.
    """
    with _damage(path, advice):
        model.load_weights(path)


@contextmanager
def _damage(path: Path, advice: str) -> Iterator[None]:
    try:
        yield
    except Exception as error:
        raise DamagedFile(
            f"{path} is damaged or has the weights of another model "
            f"({keras_file.first_line(error)}): {advice}"
        ) from error


def _copy(source: Any, target: Any) -> None:
    """Copies a group with its attributes."""
    for name, value in source.attrs.items():
        target.attrs[name] = value
    for name, entry in source.items():
        if isinstance(entry, h5py.Group):
            _copy(entry, target.create_group(name))
        else:
            made = _written(target, name, _rounded(entry[()]))
            for key, value in entry.attrs.items():
                made.attrs[key] = value


def _written(target: Any, name: str, array: Any) -> Any:
    """Stores an array, compressed if it is large, but no more than `size` accepts."""
    if np.size(array) >= SMALL:
        made = target.create_dataset(
            name, data=array, chunks=array.shape, compression="gzip", shuffle=True
        )
        if array.nbytes <= MOST_RATIO * made.id.get_storage_size():
            return made
        del target[name]
    return target.create_dataset(name, data=array)


def _rounded(array: Any) -> Any:
    """An array in float16, if it is large and float16 has its range."""
    if np.size(array) < SMALL or np.asarray(array).dtype != np.float32:
        return array
    return array.astype(np.float16) if np.abs(array).max() <= LARGEST else array
