"""The `--data` option of the language models: builtin, tfds, a file or a folder -> a corpus."""

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, fields
from pathlib import Path

from recipes.data.naming import is_about, is_hidden, no_such_data
from recipes.data.text_file import read_text
from recipes.data.texts import UNITS, as_text, complete, documents, first
from recipes.data.tfds.source import PREFIX
from recipes.data.tfds.text import load_tfds_corpus
from recipes.data.whole import one_split
from zoo.errors import InputError, require_choice

_PARTS = {
    "train": "train",
    "validation": "validation",
    "valid": "validation",
    "val": "validation",
    "dev": "validation",
    "test": "test",
}
_FILE = re.compile(rf"(?:.*[^a-z])?({'|'.join(_PARTS)})(?:\.(?:txt|md|tokens|raw))?(?:\.gz)?")
_ENDINGS = (".txt", ".md", ".tokens")
_KINDS = (
    "'builtin', 'tfds:NAME[/CONFIG]', or a path: a text file, a folder with a train file, or a "
    "folder of text files"
)


@dataclass(frozen=True)
class Corpus:
    """The three parts of a corpus: documents, in their order.

    Attributes:
        train: What the weights are fitted to.
        validation: What epochs and hidden sizes are chosen by.
        test: What is measured once, at the end.
    """

    train: list[str]
    validation: list[str]
    test: list[str]


def load(
    data: str,
    *,
    builtin: Callable[[], Corpus],
    unit: str,
    text_column: str,
    validation_fraction: float,
    test_fraction: float,
    split_seed: int,
    download: bool,
    limit: int = 0,
    whole: bool = False,
) -> Corpus:
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

    Args:
        data: Which data.
        builtin: Makes the corpus that needs no file.
        unit: "line": every line is a document, without its end, and empty lines are empty
            documents. "file": every file or tfds record is one, line ends and all, unless it is
            empty. `\r\n` and `\r` are read as `\n`.
        text_column: The tfds feature that holds the text.
        validation_fraction: Share of train for a missing validation split.
        test_fraction: Share of train for a missing test split.
        split_seed: Chooses which files of a folder are cut off.
        download: Whether tensorflow-datasets may use the network.
        limit: The most characters of train, line ends included, before anything is cut off from it;
            a tenth of that of validation and test where they are given. 0 for all. In unit "line"
            lines stay whole. Of tfds no record is read beyond it.
        whole: Give all of it as `test`, for measuring: the test part where there is one, else
            everything. Nothing is cut off, and the other parts are empty.

    Returns:
        Parts with at least one character each.

    Raises:
        InputError: The data is not there, malformed, or too little; or an option is wrong.
    """
    require_choice("unit", unit, UNITS)
    _check_limit(limit)
    others = max(1, limit // 10) if limit else 0
    limits = {"train": limit, "validation": others, "test": others}
    seed = None
    if data == "builtin":
        made = builtin()
        parts = {name: _first(getattr(made, name), limits[name], unit) for name in limits}
    elif data.startswith(PREFIX):
        parts = _from_tfds(data, text_column, unit, limits, download)
    else:
        files, independent = _files(data)
        seed = split_seed if independent else None
        parts = {
            name: _first(_read(paths, unit), limits[name], unit) for name, paths in files.items()
        }
    if whole:
        return Corpus([], [], documents(one_split(data, parts), unit))
    cut = complete(parts, validation_fraction, test_fraction, unit, seed)
    corpus = Corpus(**{name: documents(texts, unit) for name, texts in cut.items()})
    _check_sizes(corpus, unit)
    return corpus


def _check_limit(limit: int) -> None:
    if isinstance(limit, bool) or not isinstance(limit, int) or limit < 0:
        raise InputError(
            f"limit must be a number of characters, got {limit!r}: try 1000000, or 0 for all"
        )


def _first(raw: Iterable[str], limit: int, unit: str) -> list[str]:
    return first((as_text(each, unit) for each in raw), limit, unit)


def _read(paths: Iterable[Path], unit: str) -> Iterable[str]:
    """The text of each file; one without a character has no line, not even an empty one."""
    for path in paths:
        text = read_text(path)
        if text:
            yield text


def _from_tfds(
    data: str, text_column: str, unit: str, limits: dict[str, int], download: bool
) -> dict[str, list[str]]:
    known = {name: limits[part] for name, part in _PARTS.items()}
    found = load_tfds_corpus(data, text_column, unit=unit, limits=known, download=download)
    if "train" not in found:
        raise InputError(
            f"{data}: there is no split called 'train', found {', '.join(found) or 'none'}: choose "
            f"another data set"
        )
    parts: dict[str, list[str]] = {}
    for name, texts in found.items():
        parts.setdefault(_PARTS[name], texts)
    return parts


def _files(data: str) -> tuple[dict[str, list[Path]], bool]:
    """The files of each part, and whether they are independent of each other."""
    try:
        path = Path(data).expanduser()
        if data and path.is_dir():
            found = _split_files(path)
            return (found, False) if found else ({"train": _text_files(path)}, True)
        if data and path.exists():
            return {"train": [path]}, False
        raise InputError(no_such_data(data, path, _KINDS, PREFIX))
    except (OSError, RuntimeError) as error:  # a folder that may not be read; an unknown ~user
        raise InputError(f"--data must be {_KINDS}, got {data!r}, which fails: {error}") from error


def _split_files(folder: Path) -> dict[str, list[Path]]:
    """The file of each part whose name tells it; none at all if the folder has no such files."""
    found: dict[str, list[Path]] = {}
    for path in sorted(each for each in folder.iterdir() if each.is_file()):
        match = _FILE.fullmatch(path.name.lower())
        if match and not is_hidden(path):
            found.setdefault(_PARTS[match[1]], []).append(path)
    for part, paths in found.items():
        if len(paths) > 1:
            listed = " and ".join(each.name for each in paths)
            raise InputError(f"{folder} holds {listed}, expected one {part} file: take one away")
    if found and "train" not in found:
        listed = " and ".join(paths[0].name for paths in found.values())
        raise InputError(
            f"{folder} holds {listed} and no train file, expected one such as train.txt or "
            f"wiki.train.tokens: put it in, or take these names away to read all files alike"
        )
    return found


def _text_files(folder: Path) -> list[Path]:
    """All text files in a folder and in its folders, in the order of their paths."""
    chosen = []
    for path in sorted(folder.rglob("*")):
        inside = path.relative_to(folder)
        hidden = is_hidden(inside) or any(part.startswith(".") for part in inside.parts)
        about = path.name.lower().removesuffix(".gz").endswith(".txt") and is_about(path.stem)
        if not hidden and not about and path.name.lower().removesuffix(".gz").endswith(_ENDINGS):
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


def _check_sizes(corpus: Corpus, unit: str) -> None:
    parts = {field.name: getattr(corpus, field.name) for field in fields(corpus)}
    sizes = {name: sum(map(len, found)) for name, found in parts.items()}
    empty = [name for name, size in sizes.items() if not size]
    if empty:
        lines = sum(map(len, parts.values()))
        among = "" if unit == "file" else f" in {lines} {'line' if lines == 1 else 'lines'}"
        counted = ", ".join(f"{size} in {name}" for name, size in sizes.items())
        raise InputError(
            f"too little text: of {sum(sizes.values())} characters{among} there is none in "
            f"{empty[0]} ({counted}), expected at least one in each part: bring more text, cut off "
            f"other fractions, or raise the limit if there is one"
        )
