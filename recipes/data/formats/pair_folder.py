"""A folder of sentence pairs: `train.de` beside `train.en`, or `train.tsv` with both columns."""

import re
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from recipes.data.formats.pair_files import read_aligned, read_pairs
from recipes.data.items import Pair
from recipes.data.naming import is_hidden
from recipes.data.splits import SPLIT_OF, SPLITS
from recipes.data.tfds import languages
from zoo.errors import InputError

_STEM = r"(?P<stem>train|validation|valid|val|dev|test[^.]*)"
_TABLE = re.compile(rf"{_STEM}\.tsv(?:\.gz)?", re.IGNORECASE)
_ANY = re.compile(rf"{_STEM}(?:\..*)?", re.IGNORECASE)
_NO_LANGUAGE = "tsv|csv|jsonl?|txt|md|gz"
_SIDE = re.compile(
    rf"{_STEM}\.(?P<language>(?!(?:{_NO_LANGUAGE})\b)[^.]+)(?:\.txt)?(?:\.gz)?", re.IGNORECASE
)


class _File(NamedTuple):
    path: Path
    stem: str  # train, val, test_2016_flickr, ...
    language: str  # "" for a table

    @property
    def part(self) -> str:
        return SPLIT_OF["test" if self.stem.startswith("test") else self.stem]


def read_folder(
    folder: Path, source: str, target: str, format: str = "", header: bool = False
) -> dict[str, list[Pair]]:
    """Reads the splits that a folder holds.

    Two aligned files for each split, `SPLIT.LANGUAGE`, or one table of pairs, `SPLIT.tsv`, gzipped
    or not. A split is called `train`; `validation`, `valid`, `val` or `dev`; `test` or whatever
    begins so, as in `test_2016_flickr.de`. Of several test sets in these languages none is chosen:
    a folder is to hold one. Where a format is given, the files are tables in it, whatever the
    endings of their names. `source` and `target` are languages, in tables columns. Blank pairs are
    among the result.

    Raises:
        InputError: There is no train file, a side or a language is missing, a choice is not clear,
            or a file is malformed.
    """
    present = sorted(each for each in folder.iterdir() if each.is_file() and not is_hidden(each))
    tables = _matches(_ANY if format else _TABLE, present)
    sides = [] if format else _matches(_SIDE, present)
    if tables and sides:
        raise InputError(
            f"{folder} holds {tables[0].path.name} and {sides[0].path.name}, expected tables or "
            f"aligned files: take one kind away"
        )
    _check_train(folder, tables + sides)
    if tables:
        chosen = {part: _only(folder, tables, part) for part in SPLITS}
        return {
            part: read_pairs(file.path, source, target, format, header)
            for part, file in chosen.items()
            if file
        }
    known = sorted({file.language for file in sides if file.part == "train"})
    pair = languages.choose(str(folder), known, source, target)
    both = {part: _both(folder, sides, part, pair) for part in SPLITS}
    return {part: read_aligned(*paths) for part, paths in both.items() if paths}


def _matches(pattern: re.Pattern[str], paths: Sequence[Path]) -> list[_File]:
    matches = [(path, pattern.fullmatch(path.name)) for path in paths]
    return [
        _File(path, match["stem"].lower(), match.groupdict().get("language", ""))
        for path, match in matches
        if match
    ]


def _check_train(folder: Path, files: Sequence[_File]) -> None:
    if all(file.part != "train" for file in files):
        raise InputError(
            f"{folder} holds no train file, expected two such as train.de and train.en, or a "
            f"train.tsv: name yours so, or give one file's path for --data"
        )


def _only(folder: Path, files: Sequence[_File], part: str, language: str = "") -> _File | None:
    """The one file of a split in a language, if there is one."""
    found = [file for file in files if file.part == part and file.language == language]
    if len(found) > 1:
        listed = " and ".join(file.path.name for file in found)
        raise InputError(
            f"{folder} holds {listed}, expected one {part} file"
            f"{f' in {language!r}' if language else ''}: take the others away, or give a folder "
            f"with links to those that you want"
        )
    return found[0] if found else None


def _both(
    folder: Path, files: Sequence[_File], part: str, pair: tuple[str, str]
) -> tuple[Path, Path] | None:
    """The two files of a split, if there are such."""
    source, target = (_only(folder, files, part, language) for language in pair)
    if source and target:
        if source.stem == target.stem:
            return source.path, target.path
        raise InputError(
            f"{folder} holds {source.path.name} and {target.path.name}, expected names that differ "
            f"in the language alone: rename one, or take both away"
        )
    lone = source or target
    if lone:
        other = pair[1] if source else pair[0]
        raise InputError(
            f"{folder} holds {lone.path.name} and no {part} file in {other!r}, expected both: "
            f"bring {lone.stem}.{other}, or take the one away"
        )
    return None
