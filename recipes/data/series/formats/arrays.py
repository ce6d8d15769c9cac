"""NumPy files: `.npz` with named arrays, or `.npy` with the values alone.

    values   (N, T, F), or (T, F) or (T,) for one series; NaN is a missing value
    lengths  (N,) time steps of each series, where the others are padding
    labels   (N,) classes, text or numbers
    names    (N,) text
    times    (T,) or (N, T) datetime64
    future   (N, T or more, G) covariates that are known in the future
    static   (N, S) covariates that are constant over time
    columns  (F,) names of the values

All but `values` may be left out. Pickled objects are refused: to load them runs code.
"""

import zipfile
import zlib
from pathlib import Path
from typing import Any

import numpy as np

from recipes.data.naming import unknown
from recipes.data.series.grids import Grid, grids
from recipes.data.series.items import Series, SeriesSet
from recipes.data.series.times import Lines
from zoo.errors import InputError

ENDINGS = (".npz", ".npy")
# what NumPy, zipfile and zlib raise for files that are none of NumPy's
_DAMAGE = (ValueError, EOFError, RuntimeError, zipfile.BadZipFile, zlib.error)


def read_arrays(path: Path, fill_gaps: bool = False) -> SeriesSet:
    """Reads a `.npz` or `.npy` file.

    Raises:
        InputError: The file cannot be read, or an array has another shape or type.
    """
    arrays = _loaded(path)
    if "values" not in arrays:
        raise InputError(
            f"{path}: {unknown('array', 'values', arrays)}: save the series as "
            f"np.savez(file, values=...)"
        )
    values = _floats(path, "values", arrays["values"])
    if values.ndim < 3:
        values = values.reshape(1, len(values) if values.ndim else 0, -1)
    if values.ndim > 3 or 0 in values.shape:
        raise _shape(path, "values", arrays["values"], "(N, T, F), (T, F) or (T,), none of them 0")
    count, length, features = values.shape
    lengths = _lengths(path, arrays, count, length)
    future = _of_each(path, arrays, "future", count, length)
    static = _of_each(path, arrays, "static", count, 0)
    labels, names = (_texts(path, arrays, key, count) for key in ("labels", "names"))
    names = names or ([""] if count == 1 else [str(number) for number in range(1, count + 1)])
    columns = _texts(path, arrays, "columns", features)
    grids_of, step = _grids(path, arrays, lengths, length, fill_gaps)
    found = []
    for n, (size, grid) in enumerate(zip(lengths.tolist(), grids_of, strict=True)):
        ahead = None if future is None else future[n, : size + future.shape[1] - length]
        found.append(
            Series(
                names[n],
                grid.spread(values[n, :size]),
                grid.times,
                labels[n] if labels else "",
                None if ahead is None else grid.repeated(ahead),
                None if static is None else static[n],
            )
        )
    return SeriesSet(
        found,
        tuple(columns or _numbered("value", features)),
        tuple(_numbered("future", 0 if future is None else future.shape[-1])),
        tuple(_numbered("static", 0 if static is None else static.shape[-1])),
        step,
    )


def _numbered(word: str, count: int) -> list[str]:
    return [f"{word}_{number}" for number in range(1, count + 1)]


def _loaded(path: Path) -> dict[str, np.ndarray]:
    try:
        with path.open("rb") as file:
            content: Any = np.load(file, allow_pickle=False)
            if isinstance(content, np.ndarray):
                return {"values": content}
            return {name: content[name] for name in content.files}
    except (*_DAMAGE, OSError, MemoryError) as error:
        if "allow_pickle" in str(error):
            raise InputError(
                f"{path}: holds Python objects, expected numbers: pad the series to one array "
                f"(N, T, F) with `lengths`, since objects are pickles, which may run code"
            ) from error
        raise InputError(
            f"{path}: cannot be read as a NumPy file ({error}), expected one of np.save or "
            f"np.savez: write it again"
        ) from error


def _shape(path: Path, name: str, array: np.ndarray, expected: str) -> InputError:
    return InputError(
        f"{path}: array {name!r} has the shape {array.shape}, expected {expected}: reshape it"
    )


def _floats(path: Path, name: str, array: np.ndarray) -> np.ndarray:
    """An array as float64, without infinite numbers."""
    if array.dtype.kind not in "biuf":
        raise InputError(
            f"{path}: array {name!r} holds {array.dtype}, expected numbers: convert it, with NaN "
            f"for missing values"
        )
    found = array.astype(np.float64)
    infinite = np.argwhere(np.isinf(found))
    if len(infinite):
        place = ", ".join(map(str, infinite[0]))
        raise InputError(
            f"{path}: {name}[{place}] is infinite, expected a number: correct it, or write NaN if "
            f"the value is missing"
        )
    return found


def _lengths(path: Path, arrays: dict[str, np.ndarray], count: int, longest: int) -> np.ndarray:
    if "lengths" not in arrays:
        return np.full(count, longest)
    lengths = arrays["lengths"]
    if lengths.shape != (count,) or lengths.dtype.kind not in "iu":
        raise _shape(path, "lengths", lengths, f"{count} whole numbers, one for each series")
    wrong = np.flatnonzero((lengths < 1) | (lengths > longest))
    if len(wrong):
        raise InputError(
            f"{path}: lengths[{wrong[0]}] is {lengths[wrong[0]]}, expected a number of steps from "
            f"1 to {longest}: correct it"
        )
    return lengths.astype(np.int64)


def _of_each(
    path: Path, arrays: dict[str, np.ndarray], name: str, count: int, length: int
) -> np.ndarray | None:
    """Covariates: `future` (N, T or more, G), or `static` (N, S), where `length` is 0."""
    if name not in arrays:
        return None
    found = _floats(path, name, arrays[name])
    if count == 1 and found.ndim == (2 if length else 1):
        found = found[None]
    if found.ndim != (3 if length else 2) or len(found) != count or 0 in found.shape:
        raise _shape(path, name, arrays[name], "(N, T, G)" if length else "(N, S)")
    if length and found.shape[1] < length:
        raise _shape(path, name, arrays[name], f"{length} time steps or more, as `values` has")
    if np.isnan(found).any():
        raise InputError(f"{path}: array {name!r} has NaN, expected known covariates: fill them in")
    return found


def _texts(path: Path, arrays: dict[str, np.ndarray], name: str, count: int) -> list[str]:
    if name not in arrays:
        return []
    array = arrays[name]
    if array.shape != (count,) or array.dtype.kind not in "USbiuf":
        raise _shape(path, name, array, f"{count} texts or whole numbers")
    texts = [text.strip() for text in array.astype(str).tolist()]
    if "" in texts:
        raise InputError(f"{path}: {name}[{texts.index('')}] is empty, expected a text: add it")
    return texts


def _grids(
    path: Path, arrays: dict[str, np.ndarray], lengths: np.ndarray, longest: int, fill_gaps: bool
) -> tuple[list[Grid], np.timedelta64 | None]:
    """The time steps of each series, checked as those of a table are, and the step."""
    if "times" not in arrays:
        return [Grid(np.arange(length), None) for length in lengths.tolist()], None
    times = arrays["times"]
    if times.dtype.kind != "M" or times.shape not in ((longest,), (len(lengths), longest)):
        raise _shape(path, "times", times, "(T,) or (N, T) of datetime64")
    stamps = np.broadcast_to(times, (len(lengths), longest)).astype("datetime64[us]").reshape(-1)
    rows = {
        str(number): (number - 1) * longest + np.arange(length)
        for number, length in enumerate(lengths.tolist(), start=1)
    }
    shown = np.datetime_as_string(stamps, "s").tolist()
    lines = Lines(f"{path}: times", range(len(stamps)), shown)
    found, step = grids(lines, stamps, rows, fill_gaps)
    return list(found.values()), step
