"""The `--data` option of the taggers: builtin, tensorflow-datasets or the user's own files."""

import re
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

from recipes.data.columns import NUMBER
from recipes.data.formats.conll import read_conll
from recipes.data.formats.conllu import read_conllu
from recipes.data.naming import is_hidden, no_such_data
from recipes.data.sentences import Sentence, TaggedSplits, check_sizes, complete
from recipes.data.tfds.source import PREFIX
from recipes.data.tfds.tagged import TAGS, load_tfds_tagging
from recipes.data.whole import one_split
from zoo.errors import InputError, require_choice

_PARTS = {
    "train": "train",
    "validation": "validation",
    "valid": "validation",
    "val": "validation",
    "dev": "validation",
    "testa": "validation",  # CoNLL-2003's name for it
    "test": "test",
    "testb": "test",
}
_ENDINGS = ("conll", "conllu", "txt", "tsv", "iob", "iob1", "iob2", "bio", "bioes", "annotated")
_STEM = rf"(?:.*[^a-z])?({'|'.join(_PARTS)})"
_FILE = re.compile(rf"{_STEM}(?:\.(?:{'|'.join(_ENDINGS)}))?(?:\.gz)?")
_ANY = re.compile(rf"{_STEM}(?:\.[^.]*)?(?:\.gz)?")
FORMATS = ("conll", "conllu")
_KINDS = (
    "'builtin', 'tfds:NAME[/CONFIG]', or a path: a file in CoNLL columns, a .conllu file, or a "
    "folder with a train file"
)


class _Reading(NamedTuple):
    """How files are read; the options of `load_tagging`."""

    token_column: str | int
    tag_column: str | int
    tags_feature: str
    others: Sequence[str]
    counts: Counter[str] | None
    format: str
    header: bool


def load_tagging(
    data: str,
    *,
    builtin: Callable[[], TaggedSplits],
    token_column: str | int,
    tag_column: str | int,
    tokens_feature: str,
    tags_feature: str,
    validation_fraction: float,
    test_fraction: float,
    split_seed: int,
    download: bool,
    usual_tags: Sequence[str] = TAGS,
    others: Sequence[str] = (),
    counts: Counter[str] | None = None,
    format: str = "",
    header: bool = False,
    whole: bool = False,
) -> TaggedSplits:
    """Loads the data of a tagging run.

    `builtin`, `tfds:NAME[/CONFIG]`, a file, or a folder with a file for `train`, perhaps for
    `validation` (`valid`, `val`, `dev`, `testa`) and perhaps for `test` (`testb`), whose names end
    in that word, the ending aside: `train.conll`, `eng.testa`, `en_ewt-ud-dev.conllu.gz`. Where a
    part has a CoNLL-U file, only that counts: treebanks have the plain text beside it. Whatever is
    not called `.conllu` is read as CoNLL columns. Where a format is given, all files are in it, and
    their names may have any ending. What is missing is cut from train by a hash.

    Args:
        data: Which data.
        builtin: Makes the corpus that needs no file.
        token_column: Column of the tokens in CoNLL columns, from 0 or backwards from -1, or with a
            header its name; several with commas, of which the first counts that a file has.
        tag_column: Column of the tags, likewise.
        tokens_feature: The tfds feature that holds the tokens; `""` finds it by its usual names.
        tags_feature: The tfds feature that holds the tags, or `upos` or `xpos` of a CoNLL-U file;
            `""` finds the feature by its usual names, and takes `upos`.
        validation_fraction: Share of train for a missing validation split.
        test_fraction: Share of train for a missing test split.
        split_seed: Chooses which sentences are cut off.
        download: Whether tensorflow-datasets may use the network.
        usual_tags: The names of tfds features that the recipe takes for tags, the best one first.
        others: Further tags to be read: tfds features, columns of CoNLL-U by name, of CoNLL by
            number.
        counts: Is given the numbers of lines that begin with `#`: "comments", which are skipped,
            and "tokens".
        format: `conll` or `conllu`; `""`: the ending `.conllu` says it.
        header: Whether the first line of a file in CoNLL columns names them.
        whole: Give all of it as `test`, for measuring: the test part where there is one, else
            everything. Nothing is cut off, and the other parts are empty.

    Returns:
        Splits that a tagger can be trained and measured on.

    Raises:
        InputError: The data is not there, malformed, or too little.
    """
    if data == "builtin":
        if others:
            raise InputError(
                "--auxiliary names further tags, of which the built-in corpus has none: leave it "
                "out, or bring other data"
            )
        splits = builtin()
        if whole:
            return TaggedSplits([], [], splits.test)
    else:
        if data.startswith(PREFIX):
            parts = _from_tfds(data, tokens_feature, tags_feature, download, usual_tags, others)
        else:
            if format:
                require_choice("format", format, FORMATS)
            reading = _Reading(
                token_column, tag_column, tags_feature, others, counts, format, header
            )
            parts = {part: _read(path, reading) for part, path in _files(data, format).items()}
        if whole:
            return TaggedSplits([], [], one_split(data, parts))
        splits = complete(parts, validation_fraction, test_fraction, split_seed)
    check_sizes(splits)
    return splits


def _read(path: Path, how: _Reading) -> list[Sentence]:
    if _is_conllu(path, how.format):
        return read_conllu(path, how.tags_feature or "upos", how.others, how.counts)
    if not how.header and not all(NUMBER.fullmatch(other) for other in how.others):
        raise InputError(
            f"{path}: --auxiliary must give numbers of columns, such as 1,2, got "
            f"{','.join(how.others)!r}: names are for CoNLL-U, tfds and files with --header"
        )
    columns = (how.token_column, how.tag_column)
    return read_conll(path, *columns, how.others, how.counts, how.header)


def _is_conllu(path: Path, format: str) -> bool:
    named = path.name.lower().removesuffix(".gz").endswith(".conllu")
    return format == "conllu" or (named and not format)


def _from_tfds(
    data: str, tokens: str, tags: str, download: bool, usual: Sequence[str], others: Sequence[str]
) -> dict[str, list[Sentence]]:
    found = load_tfds_tagging(data, tokens, tags, download, _PARTS, usual, others)
    if "train" not in found:
        raise InputError(
            f"{data}: no tagged sentences in a split called 'train', found "
            f"{', '.join(found) or 'none'}: choose another data set or another --tags-feature"
        )
    parts: dict[str, list[Sentence]] = {}
    for name, sentences in found.items():
        parts.setdefault(_PARTS[name], sentences)
    return parts


def _files(data: str, format: str) -> dict[str, Path]:
    try:
        path = Path(data).expanduser()
        if data and path.is_dir():
            return _files_in(path, format)
        if data and path.exists():
            return {"train": path}
        raise InputError(no_such_data(data, path, _KINDS, PREFIX))
    except (OSError, RuntimeError) as error:  # a folder that may not be read; an unknown ~user
        raise InputError(f"--data must be {_KINDS}, got {data!r}, which fails: {error}") from error


def _files_in(folder: Path, format: str) -> dict[str, Path]:
    """The file of each part that the folder holds."""
    candidates: dict[str, list[Path]] = {}
    for path in sorted(each for each in folder.iterdir() if each.is_file()):
        if is_hidden(path):
            continue
        candidates.setdefault(_part_of(path.name, format), []).append(path)
    found: dict[str, Path] = {}
    for part in dict.fromkeys(_PARTS.values()):
        matches = candidates.get(part, [])
        usual = f".{format or 'conllu'}"
        matches = [
            e for e in matches if e.name.lower().removesuffix(".gz").endswith(usual)
        ] or matches
        if len(matches) > 1:
            listed = " and ".join(each.name for each in matches)
            raise InputError(f"{folder} holds {listed}, expected one {part} file: take one away")
        if matches:
            found[part] = matches[0]
    if "train" not in found:
        raise InputError(
            f"{folder} holds no train file, expected one such as train.conll, eng.train or "
            f"en_ewt-ud-train.conllu: name yours so, or give one file's path for --data"
        )
    return found


def _part_of(name: str, format: str) -> str:
    """The part that a file's name tells, or ""."""
    match = (_ANY if format else _FILE).fullmatch(name.lower())
    return _PARTS[match[1]] if match else ""
