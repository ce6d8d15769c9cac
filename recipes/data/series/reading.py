"""A path -> series: the reader by the path's form, and the files of each split."""

import re
from pathlib import Path

from recipes.data.formats.delimited import FORMATS, format_of
from recipes.data.location import ANY_NAME, Files, without_gz
from recipes.data.naming import is_hidden
from recipes.data.series.formats.arrays import ENDINGS as ARRAYS
from recipes.data.series.formats.arrays import read_arrays
from recipes.data.series.formats.table import read_table
from recipes.data.series.formats.ts_file import read_ts
from recipes.data.series.formats.wav import read_wav_folder, wav_files
from recipes.data.series.items import SeriesSet
from recipes.data.series.options import SeriesColumns
from recipes.data.splits import SPLIT_OF, SPLITS
from zoo.errors import InputError

TABLES = (".csv", ".tsv")
ENDINGS = (*TABLES, *ARRAYS, ".ts")
KINDS = (
    "'builtin', or a path: a .csv, .tsv, .npz, .npy or .ts file, a folder with a train file of "
    "these, or a folder of .wav files"
)
_SPLIT = re.compile(rf"((?:.*[^a-z])?)({ANY_NAME})(\.(?:csv|tsv|npz|npy|ts)(?:\.gz)?)")
_FILE = re.compile(rf"(?:.*[^a-z])?({ANY_NAME})\.(?:csv|tsv|npz|npy|ts)(?:\.gz)?")


def read(path: str | Path, options: SeriesColumns) -> SeriesSet:
    """Reads a file of series, or a folder of WAV files.

    Raises:
        InputError: The path is missing, has an unknown ending, or is malformed; names the line.
    """
    path = Path(path).expanduser()
    name = without_gz(path)
    if path.is_dir():
        return read_wav_folder(path, options.label_pattern)
    if name.endswith(ARRAYS):
        return read_arrays(path, options.fill_gaps)
    if name.endswith(".ts"):
        return read_ts(path)
    if format_of(path) in FORMATS[:2]:
        return read_table(path, options)
    raise InputError(
        f"{path}: the ending of the name must be that of a format, expected one of "
        f"{', '.join(ENDINGS)}, or a folder: rename or convert the file"
    )


def read_parts(files: Files, options: SeriesColumns) -> dict[str, SeriesSet]:
    """Reads the sets of `train` and, where there are such files, `validation` and `test`.

    A folder has a file for each split, such as `train.csv` or `Vowels_TRAIN.ts`; or folders
    `train`, ... of WAV files; or WAV files, which are all `train`. To a file whose name ends in
    `train` belong those of the other splits beside it: `Hourly-test.csv` to `Hourly-train.csv`.

    Raises:
        InputError: A file cannot be read, the folder has no train file, or the files differ in
            their columns.
    """
    paths = _of_folder(files) if files.inside is not None else _beside(files.path)
    parts = {split: read(path, options) for split, path in paths.items()}
    first = parts["train"]
    for split, part in parts.items():
        _check_alike(paths["train"], first, paths[split], part)
    return {split: parts[split] for split in SPLITS if split in parts}


def _of_folder(files: Files) -> dict[str, Path]:
    folder = files.path
    found = files.by_split(_FILE)
    if "train" in found:
        return found
    inside = [path for path in sorted(folder.iterdir()) if path.is_dir() and not is_hidden(path)]
    folders = {path: SPLIT_OF.get(path.name.lower(), "") for path in inside}
    if "train" in folders.values() and all(folders.values()):
        return {split: path for path, split in folders.items()}
    if wav_files(folder):
        return {"train": folder}
    tables = [path for path in files.inside or [] if without_gz(path).endswith(ENDINGS)]
    if len(tables) == 1:
        return {"train": tables[0]}
    raise InputError(
        f"{folder} holds no train file, expected one such as train.csv or NAME_TRAIN.ts, or .wav "
        f"files: name yours so, or give one file's path for --data"
    )


def _beside(path: Path) -> dict[str, Path]:
    """A file, and the other splits' files beside it if its name ends in `train`."""
    match = _SPLIT.fullmatch(path.name.lower())
    if match is None or SPLIT_OF[match[2]] != "train":
        return {"train": path}
    siblings = Files(path, sorted(each for each in path.parent.iterdir() if each.is_file()))
    wanted = re.compile(re.escape(match[1]) + rf"({ANY_NAME})" + re.escape(match[3]))
    return {**siblings.by_split(wanted), "train": path}


def _check_alike(first_path: Path, first: SeriesSet, path: Path, part: SeriesSet) -> None:
    """Refuses files of one data set that differ in what their series have."""
    for what, one, other in (
        ("columns", first.columns, part.columns),
        ("covariates", first.future_columns, part.future_columns),
        ("static covariates", first.static_columns, part.static_columns),
        ("samples per second", first.rate, part.rate),
        ("step", str(first.step or "unknown"), str(part.step or first.step or "unknown")),
    ):
        if one != other:
            shown = [", ".join(v) if isinstance(v, tuple) else str(v) for v in (one, other)]
            raise InputError(
                f"{path}: {what} {shown[1]}, expected {shown[0]} as in {first_path}: bring both "
                f"files to the same form"
            )
