"""The `--data` option of classifiers: builtin, tensorflow-datasets or the user's own files.

What a file of each format looks like is in `recipes.data.formats.delimited` and
`recipes.data.formats.jsonl`. In all of them the text may be empty, as some reviews are; a label
loses the blanks around it and must not be empty.
"""

import re
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

from recipes.config import LabelledColumns
from recipes.data.formats.class_folder import class_files, read_class_folder
from recipes.data.formats.delimited import FORMATS, format_of, read_rows
from recipes.data.formats.jsonl import read_jsonl
from recipes.data.items import Example
from recipes.data.location import ANY_NAME, Builtin, Files, Tfds, locate
from recipes.data.naming import clean
from recipes.data.splits import SPLIT_OF, Splits, all_as_test, check_sizes, complete
from recipes.data.tfds.source import in_splits
from recipes.data.tfds.texts import load_tfds
from zoo.errors import InputError, require_choice
from zoo.system.lines import read_text

ENDINGS = (*(f".{name}" for name in FORMATS), *(f".{name}.gz" for name in FORMATS))
CLASS_FOLDER = "txt"
_TABLE = re.compile(rf"({ANY_NAME})\.(?:{'|'.join(FORMATS)})(?:\.gz)?")
_ANY = re.compile(rf"({ANY_NAME})(?:\..*)?")
_MANY_LABELS = 50  # classes from which on nearly as many as examples are a mistake
_KINDS = (
    "'builtin', 'tfds:NAME[/CONFIG]', or a path: a .tsv, .csv or .jsonl file, a folder with a "
    "train file, or one with a .txt file for each class"
)


def load(
    options: LabelledColumns, builtin: Callable[[], Splits[Example]], whole: bool = False
) -> Splits[Example]:
    """Loads the data of a classification run.

    `builtin`, `tfds:NAME[/CONFIG]`, a file, or a folder that holds `train`, perhaps `validation`
    (or `valid`, `val`, `dev`) and perhaps `test`, each as TSV, CSV or JSONL, gzipped or not; or a
    folder of one text file for each class, `Czech.txt`, ..., with a text on each line. What is
    missing is cut from train by a hash of the text. Where a format is given, names may have any
    ending or none.

    `builtin` makes the corpus that needs no file. With `whole` all of the data is `test`, for
    measuring: see `all_as_test`.

    Raises:
        InputError: The data is not there, malformed, or too little.
    """
    data, format, header = options.data, options.format, options.header
    text_column, label_column = options.text_column, options.label_column
    if data != "builtin":
        _check_columns(text_column, label_column)
        if format:
            require_choice("format", format, (*FORMATS, CLASS_FOLDER))
    location = locate(data, _KINDS)
    if isinstance(location, Builtin):
        parts = builtin().parts()
    elif isinstance(location, Tfds):
        found = load_tfds(data, text_column, label_column, options.download, splits=SPLIT_OF)
        nothing = "no labelled examples in a split"
        parts = in_splits(data, found, problem=nothing, remedy=" or another --label-column")
    elif _is_class_folder(location, format):
        parts = {"train": read_class_folder(location.path, bool(format))}
    else:
        parts = {
            split: read_table(path, text_column, label_column, format, header)
            for split, path in _tables(location, format).items()
        }
    if whole:
        return all_as_test(data, parts)
    fractions = (options.validation_fraction, options.test_fraction)
    splits = complete(parts, *fractions, options.split_seed, key=lambda example: example.text)
    check_labels(splits, label_column)
    return splits


def check_labels(splits: Splits[Any], label_column: str = "label") -> None:
    """Refuses splits, of items with a `label`, that a classifier cannot be trained or measured on.

    Raises:
        InputError: A split is empty, train has fewer than two classes or nearly as many as
            examples, or another split has a class that train lacks.
    """
    check_sizes({name: len(part) for name, part in splits.parts().items()}, "examples")
    classes = {example.label for example in splits.train}
    if len(classes) < 2:
        raise InputError(
            f"one class only: all {len(splits.train)} training examples are labelled "
            f"{classes.pop()!r}, expected two classes or more: add examples of another class, or "
            f"choose another --label-column"
        )
    if len(classes) >= max(_MANY_LABELS, 0.9 * len(splits.train)):
        raise InputError(
            f"{len(classes):,} different labels in {len(splits.train):,} training examples, "
            f"expected several examples of each: is {label_column!r} the label? choose another "
            f"--label-column"
        )
    for name, part in splits.parts().items():
        counts = Counter(example.label for example in part)
        for label in sorted(counts.keys() - classes):
            examples = "1 example" if counts[label] == 1 else f"{counts[label]} examples"
            raise InputError(
                f"{name} has {examples} labelled {label!r}, a class that train lacks: add such "
                f"examples to train, take these out, or, if the split was cut by hash, choose "
                f"another --split-seed"
            )


def _check_columns(text_column: str, label_column: str) -> None:
    if text_column == label_column:
        raise InputError(
            f"text and label are both read from {text_column!r}, expected two columns: choose "
            f"another with --text-column or --label-column"
        )


def _is_class_folder(files: Files, format: str) -> bool:
    """Whether a folder has no split of its own, but a text file for each of several classes."""
    if format == CLASS_FOLDER and files.inside is None:
        raise InputError(
            f"--format txt is for a folder with a text file for each class, got "
            f"{str(files.path)!r}: give such a folder, or another format ({', '.join(FORMATS)})"
        )
    if format or files.inside is None:
        return format == CLASS_FOLDER
    classes = class_files(files.path)
    tables = [path for path in files.inside if path.name.lower().endswith(ENDINGS)]
    return len(classes) > 1 and not tables and not SPLIT_OF.keys() & set(map(str.lower, classes))


def _tables(files: Files, format: str) -> dict[str, Path]:
    """The file of each split."""
    found = files.by_split(_ANY if format else _TABLE)
    if "train" not in found:
        raise InputError(
            f"{files.path} holds no train file, expected train{', train'.join(ENDINGS)}: name "
            f"yours so, give --format for names with another ending or none, or give one file's "
            f"path for --data"
        )
    return found


def read_table(
    path: str | Path,
    text_column: str = "text",
    label_column: str = "label",
    format: str = "",
    header: bool = True,
) -> list[Example]:
    """Reads the examples of one file, one a row and at least one, in the file's order.

    For the options see `LabelledColumns`.

    Raises:
        InputError: The file cannot be read or a row is malformed; names the file and the line.
    """
    path = Path(path)
    text = read_text(path)
    format = format or _required_format(path)
    if not text.strip():
        raise InputError(
            f"{path}: the file is empty, expected rows with a {text_column!r} and a "
            f"{label_column!r}: put some in, or name another file"
        )
    if format == "jsonl":
        rows = read_jsonl(path, text, text_column, label_column)
    else:
        rows = read_rows(path, text, format, text_column, label_column, header)
    return [_example(path, *row) for row in rows]


def _required_format(path: Path) -> str:
    format = format_of(path)
    if format:
        return format
    raise InputError(
        f"{path}: the ending of the name must be that of a format, expected one of "
        f"{', '.join(ENDINGS)}: give --format ({', '.join(FORMATS)}), or rename or convert the file"
    )


def _example(path: Path, line: int, text: str, label: str) -> Example:
    label = clean(label)
    if not label:
        raise InputError(
            f"{path}:{line}: the row has no label, expected one in every row: add it or leave the "
            f"row out"
        )
    return Example(text, label)
