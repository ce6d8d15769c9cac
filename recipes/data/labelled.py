"""The `--data` option: builtin, tensorflow-datasets or the user's own files -> three splits."""

from collections.abc import Callable, Sequence
from pathlib import Path

from recipes.data.formats.class_folder import class_files, read_class_folder
from recipes.data.naming import is_hidden, no_such_data
from recipes.data.splits import Splits, check_labels, complete
from recipes.data.table import ENDINGS, FORMATS, Example, read_table
from recipes.data.tfds.source import PREFIX, load_tfds
from recipes.data.whole import one_split
from zoo.errors import InputError, require_choice

_NAMES = {
    "train": ("train",),
    "validation": ("validation", "valid", "val", "dev"),
    "test": ("test",),
}
CLASS_FOLDER = "txt"
_KINDS = (
    "'builtin', 'tfds:NAME[/CONFIG]', or a path: a .tsv, .csv or .jsonl file, a folder with a "
    "train file, or one with a .txt file for each class"
)


def load(
    data: str,
    *,
    builtin: Callable[[], Splits],
    text_column: str,
    label_column: str,
    validation_fraction: float,
    test_fraction: float,
    split_seed: int,
    download: bool,
    format: str = "",
    header: bool = True,
    whole: bool = False,
) -> Splits:
    """Loads the data of a classification run.

    `builtin`, `tfds:NAME[/CONFIG]`, a file, or a folder that holds `train`, perhaps `validation`
    (or `valid`, `val`, `dev`) and perhaps `test`, each as TSV, CSV or JSONL, gzipped or not; or a
    folder of one text file for each class, `Czech.txt`, ..., with a text on each line. What is
    missing is cut from train by a hash of the text. Where a format is given, names may have any
    ending or none.

    Args:
        data: Which data.
        builtin: Makes the corpus that needs no file.
        text_column: The column, key or feature that holds the text: its name or, in TSV and CSV,
            its number from 0; several with commas, of which the first counts that a file has.
        label_column: The column, key or feature that holds the label, likewise.
        validation_fraction: Share of train for a missing validation split.
        test_fraction: Share of train for a missing test split.
        split_seed: Chooses which examples are cut off.
        download: Whether tensorflow-datasets may use the network.
        format: `tsv`, `csv` or `jsonl`, or `txt` for a folder of a file for each class; `""`: the
            endings of the files' names say it.
        header: Whether the first line of TSV and CSV names the columns.
        whole: Give all of it as `test`, for measuring: the test part where there is one, else
            everything. Nothing is cut off, and the other parts are empty.

    Returns:
        Splits that a classifier can be trained and measured on.

    Raises:
        InputError: The data is not there, malformed, or too little.
    """
    if data == "builtin":
        splits = builtin()
        if whole:
            return Splits([], [], splits.test)
    else:
        _check_columns(text_column, label_column)
        _check_format(format)
        parts = _parts(data, text_column, label_column, download, format, header)
        if whole:
            return Splits([], [], one_split(data, parts))
        splits = complete(parts, validation_fraction, test_fraction, split_seed)
    check_labels(splits)
    return splits


def _check_columns(text_column: str, label_column: str) -> None:
    if text_column == label_column:
        raise InputError(
            f"text and label are both read from {text_column!r}, expected two columns: choose "
            f"another with --text-column or --label-column"
        )


def _check_format(format: str) -> None:
    if format:
        require_choice("format", format, (*FORMATS, CLASS_FOLDER))


def _parts(
    data: str, text_column: str, label_column: str, download: bool, format: str, header: bool
) -> dict[str, list[Example]]:
    if data.startswith(PREFIX):
        return _from_tfds(data, text_column, label_column, download)
    try:
        if _is_class_folder(data, format):
            return {"train": read_class_folder(Path(data).expanduser(), bool(format))}
        files = _files(data, format)
    except (OSError, RuntimeError) as error:  # a folder that may not be read; an unknown ~user
        raise InputError(f"--data must be {_KINDS}, got {data!r}, which fails: {error}") from error
    return {
        part: read_table(path, text_column, label_column, format, header)
        for part, path in files.items()
    }


def _is_class_folder(data: str, format: str) -> bool:
    """Whether a folder has no split of its own, but a text file for each of several classes."""
    folder = Path(data).expanduser()
    if format == CLASS_FOLDER:
        if folder.is_dir():
            return True
        raise InputError(
            f"--format txt is for a folder with a text file for each class, got {data!r}: give "
            f"such a folder, or another format ({', '.join(FORMATS)})"
        )
    if format or not data or not folder.is_dir():
        return False
    classes = class_files(folder)
    splits = {name for names in _NAMES.values() for name in names}
    tables = [
        each
        for each in folder.iterdir()
        if each.name.lower().endswith(ENDINGS) and not is_hidden(each)
    ]
    return len(classes) > 1 and not tables and not splits & {name.lower() for name in classes}


def _from_tfds(
    data: str, text_key: str, label_key: str, download: bool
) -> dict[str, list[Example]]:
    known = {name: part for part, names in _NAMES.items() for name in names}
    found = load_tfds(data, text_key, label_key, download, splits=known)
    if "train" not in found:
        raise InputError(
            f"{data}: no labelled examples in a split called 'train', found "
            f"{', '.join(found) or 'none'}: choose another data set or another --label-column"
        )
    parts: dict[str, list[Example]] = {}
    for name, examples in found.items():
        parts.setdefault(known[name], examples)
    return parts


def _files(data: str, format: str) -> dict[str, Path]:
    path = Path(data).expanduser()
    if data and path.is_dir():
        return _files_in(path, format)
    if data and path.exists():
        return {"train": path}
    raise InputError(no_such_data(data, path, _KINDS, PREFIX))


def _files_in(folder: Path, format: str) -> dict[str, Path]:
    """The file of each part that the folder holds."""
    present = sorted(each for each in folder.iterdir() if each.is_file() and not is_hidden(each))
    found: dict[str, Path] = {}
    for part, names in _NAMES.items():
        matches = [each for each in present if _is_called(each.name, names, format)]
        if len(matches) > 1:
            listed = " and ".join(each.name for each in matches)
            raise InputError(f"{folder} holds {listed}, expected one {part} file: take one away")
        if matches:
            found[part] = matches[0]
    if "train" not in found:
        raise InputError(
            f"{folder} holds no train file, expected train{', train'.join(ENDINGS)}: name yours "
            f"so, give --format for names with another ending or none, or give one file's path "
            f"for --data"
        )
    return found


def _is_called(name: str, parts: Sequence[str], format: str) -> bool:
    """Whether a file's name, its ending aside, is one of a part's names."""
    name = name.lower()
    if not format:
        return name in {part + ending for part in parts for ending in ENDINGS}
    return name.removesuffix(".gz").partition(".")[0] in parts
