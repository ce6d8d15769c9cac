"""The `--data` option of the taggers: builtin, tensorflow-datasets or the user's own files."""

import re
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path

from recipes.sources.conll import read_conll
from recipes.sources.conllu import read_conllu
from recipes.sources.naming import is_hidden, no_such_data
from recipes.sources.sentences import Sentence, TaggedSplits, check_sizes, complete
from recipes.sources.tfds_source import PREFIX
from recipes.sources.tfds_tagging import TAGS, load_tfds_tagging
from zoo.errors import InputError

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
_FILE = re.compile(rf"(?:.*[^a-z])?({'|'.join(_PARTS)})(?:\.(?:{'|'.join(_ENDINGS)}))?(?:\.gz)?")
_KINDS = (
    "'builtin', 'tfds:NAME[/CONFIG]', or a path: a file in CoNLL columns, a .conllu file, or a "
    "folder with a train file"
)


def load_tagging(
    data: str,
    *,
    builtin: Callable[[], TaggedSplits],
    token_column: int,
    tag_column: int,
    tokens_feature: str,
    tags_feature: str,
    validation_fraction: float,
    test_fraction: float,
    split_seed: int,
    download: bool,
    usual_tags: Sequence[str] = TAGS,
    others: Sequence[str] = (),
    counts: Counter[str] | None = None,
) -> TaggedSplits:
    """Loads the data of a tagging run.

    `builtin`, `tfds:NAME[/CONFIG]`, a file, or a folder with a file for `train`, perhaps for
    `validation` (`valid`, `val`, `dev`, `testa`) and perhaps for `test` (`testb`), whose names end
    in that word, the ending aside: `train.conll`, `eng.testa`, `en_ewt-ud-dev.conllu.gz`. Where a
    part has a CoNLL-U file, only that counts: treebanks have the plain text beside it. Whatever is
    not called `.conllu` is read as CoNLL columns. What is missing is cut from train by a hash.

    Args:
        data: Which data.
        builtin: Makes the corpus that needs no file.
        token_column: Column of the tokens in CoNLL columns, from 0 or backwards from -1.
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
    else:
        if data.startswith(PREFIX):
            parts = _from_tfds(data, tokens_feature, tags_feature, download, usual_tags, others)
        else:
            files = _files(data)
            parts = {
                part: _read(path, token_column, tag_column, tags_feature, others, counts)
                for part, path in files.items()
            }
        splits = complete(parts, validation_fraction, test_fraction, split_seed)
    check_sizes(splits)
    return splits


def _read(
    path: Path,
    token_column: int,
    tag_column: int,
    tags_feature: str,
    others: Sequence[str],
    counts: Counter[str] | None,
) -> list[Sentence]:
    if _is_conllu(path):
        return read_conllu(path, tags_feature or "upos", others, counts)
    try:
        columns = [int(other) for other in others]
    except ValueError as error:
        raise InputError(
            f"{path}: --auxiliary must give numbers of columns, such as 1,2, got "
            f"{','.join(others)!r}: names are for CoNLL-U and tfds"
        ) from error
    return read_conll(path, token_column, tag_column, columns, counts)


def _is_conllu(path: Path) -> bool:
    return path.name.lower().removesuffix(".gz").endswith(".conllu")


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


def _files(data: str) -> dict[str, Path]:
    try:
        path = Path(data).expanduser()
        if data and path.is_dir():
            return _files_in(path)
        if data and path.exists():
            return {"train": path}
        raise InputError(no_such_data(data, path, _KINDS, PREFIX))
    except (OSError, RuntimeError) as error:  # a folder that may not be read; an unknown ~user
        raise InputError(f"--data must be {_KINDS}, got {data!r}, which fails: {error}") from error


def _files_in(folder: Path) -> dict[str, Path]:
    """The file of each part that the folder holds."""
    candidates: dict[str, list[Path]] = {}
    for path in sorted(each for each in folder.iterdir() if each.is_file()):
        if is_hidden(path):
            continue
        candidates.setdefault(_part_of(path.name), []).append(path)
    found: dict[str, Path] = {}
    for part in dict.fromkeys(_PARTS.values()):
        matches = candidates.get(part, [])
        treebanks = [each for each in matches if _is_conllu(each)]
        matches = treebanks or matches
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


def _part_of(name: str) -> str:
    """The part that a file's name tells, or ""."""
    match = _FILE.fullmatch(name.lower())
    return _PARTS[match[1]] if match else ""
