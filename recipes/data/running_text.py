"""The `--data` option of the language models: builtin, tfds, a file or a folder -> a corpus."""

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from pathlib import Path

from recipes.config import DataOptions, option
from recipes.data.location import ANY_NAME, Builtin, Files, Tfds, locate, without_gz
from recipes.data.naming import is_about, is_hidden
from recipes.data.splits import SPLIT_OF, SPLITS, Splits, all_as_test, check_sizes
from recipes.data.texts import UNITS, as_text, complete, documents, first
from recipes.data.tfds.source import in_splits
from recipes.data.tfds.texts import load_tfds_corpus
from zoo.errors import InputError, require_choice
from zoo.system.lines import read_text

_FILE = re.compile(rf"(?:.*[^a-z])?({ANY_NAME})(?:\.(?:txt|md|tokens|raw))?(?:\.gz)?")
_ENDINGS = (".txt", ".md", ".tokens")
_KINDS = (
    "'builtin', 'tfds:NAME[/CONFIG]', or a path: a text file, a folder with a train file, or a "
    "folder of text files"
)


@dataclass(frozen=True)
class RunningText(DataOptions):
    """Where the text is, and what a document of it is."""

    text_column: str = option("text", "Tfds feature of the text.")
    unit: str = option("file", "Unit that is one text: file or line.")
    limit: int = option(0, "Characters read of train at most; 0 = all.")


def load(
    options: RunningText, builtin: Callable[[], Splits[str]], whole: bool = False
) -> Splits[str]:
    r"""Loads the text of a language model's run.

    `builtin`, `tfds:NAME[/CONFIG]`, a file, or a folder. Files are UTF-8, gzipped or not. A folder
    either has a file for `train`, perhaps for `validation` (`valid`, `val`, `dev`) and perhaps for
    `test`, whose names end in that word, the ending aside: `train.txt`, `ptb.valid.txt`,
    `wiki.test.tokens.gz`; or every .txt, .md and .tokens file in it and in its folders counts, in
    the order of their paths, hidden ones and README.txt, LICENSE.txt and the like aside.

    What is missing is cut from train, and stays running text: test is its end, validation stands
    before it. One text, or fewer than ten, are cut by characters, ten or more by whole texts. Only
    the files of a folder without a train file are taken to be independent of each other: if there
    are ten or more, `split_seed` draws whole files, and nowhere else does it count.

    In unit "line" every line is a document, without its end, and empty lines are empty documents.
    In unit "file" every file or tfds record is one, line ends and all, unless it is empty. `\r\n`
    and `\r` are read as `\n`.

    The limit counts the characters of train, line ends included, before anything is cut off from
    it; a tenth of it holds for validation and test where they are given. In unit "line" lines stay
    whole. Of tfds no record is read beyond it.

    `builtin` makes the corpus that needs no file. With `whole` all of the data is `test`, for
    measuring: see `all_as_test`.

    Raises:
        InputError: The data is not there, malformed, or too little; or an option is wrong.
    """
    data, unit, limit = options.data, options.unit, options.limit
    require_choice("unit", unit, UNITS)
    _check_limit(limit)
    others = max(1, limit // 10) if limit else 0
    limits = {"train": limit, "validation": others, "test": others}
    location = locate(data, _KINDS)
    seed = None
    if isinstance(location, Builtin):
        made = builtin().parts()
        parts = {name: _first(made[name], limits[name], unit) for name in SPLITS}
    elif isinstance(location, Tfds):
        some = {name: limits[split] for name, split in SPLIT_OF.items()}
        found = load_tfds_corpus(
            data, options.text_column, unit=unit, limits=some, download=options.download
        )
        parts = in_splits(data, found)
    elif files := _split_files(location):
        parts = {name: _first(_read([path]), limits[name], unit) for name, path in files.items()}
    else:
        parts = {"train": _first(_read(_text_files(location.path)), limit, unit)}
        seed = options.split_seed  # independent of each other
    if whole:
        splits = all_as_test(data, parts)
    else:
        fractions = (options.validation_fraction, options.test_fraction)
        splits = complete(parts, *fractions, unit, seed)
    splits = splits.map(lambda texts: documents(texts, unit))
    if not whole:
        _check_sizes(splits, unit)
    return replace(splits, continuous=True)


def _check_limit(limit: int) -> None:
    if isinstance(limit, bool) or not isinstance(limit, int) or limit < 0:
        raise InputError(
            f"limit must be a number of characters, got {limit!r}: try 1000000, or 0 for all"
        )


def _first(raw: Iterable[str], limit: int, unit: str) -> list[str]:
    return first((as_text(each, unit) for each in raw), limit, unit)


def _read(paths: Iterable[Path]) -> Iterable[str]:
    """The text of each file; one without a character has no line, not even an empty one."""
    for path in paths:
        text = read_text(path)
        if text:
            yield text


def _split_files(files: Files) -> dict[str, Path]:
    """The file of each split, or none if the folder has no such files."""
    found = files.by_split(_FILE)
    if found and "train" not in found:
        listed = " and ".join(path.name for path in found.values())
        raise InputError(
            f"{files.path} holds {listed} and no train file, expected one such as train.txt or "
            f"wiki.train.tokens: put it in, or take these names away to read all files alike"
        )
    return found


def _text_files(folder: Path) -> list[Path]:
    """All text files in a folder and in its folders, in the order of their paths."""
    chosen = []
    for path in sorted(folder.rglob("*")):
        inside = path.relative_to(folder)
        hidden = is_hidden(inside) or any(part.startswith(".") for part in inside.parts)
        about = without_gz(path).endswith(".txt") and is_about(path.stem)
        if not hidden and not about and without_gz(path).endswith(_ENDINGS):
            chosen.append(path)
    chosen = [path for path in chosen if path.is_file()]
    for path in chosen:
        packed = path.with_name(path.name + ".gz")
        if packed in chosen:
            raise InputError(
                f"{folder} holds {path.relative_to(folder)} with and without .gz, expected one of "
                f"the two: take one away"
            )
    if not chosen:
        raise InputError(
            f"{folder} holds no text file, expected names that end in {', '.join(_ENDINGS)} or in "
            f"one of these and .gz: rename yours, or give one file's path for --data"
        )
    return chosen


def _check_sizes(splits: Splits[str], unit: str) -> None:
    parts = splits.parts()
    sizes = {name: sum(map(len, part)) for name, part in parts.items()}
    lines = sum(map(len, parts.values()))
    note = "" if unit == "file" else f" (on {lines} {'line' if lines == 1 else 'lines'})"
    check_sizes(sizes, "characters", note=note, mend="bring more text, raise the limit if any")
