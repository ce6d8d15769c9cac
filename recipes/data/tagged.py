"""The `--data` option of the taggers: builtin, tensorflow-datasets or the user's own files."""

import re
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

from recipes.data.columns import NUMBER
from recipes.data.formats.conll import read_conll
from recipes.data.formats.conllu import read_conllu
from recipes.data.items import Sentence
from recipes.data.location import Builtin, Files, Tfds, locate, without_gz
from recipes.data.splits import SPLIT_OF, Splits, all_as_test, check_sizes, complete
from recipes.data.tfds.source import in_splits
from recipes.data.tfds.tagged import TAGS, load_tfds_tagging
from zoo.errors import InputError, require_choice

# CoNLL-2003 has names of its own.
_SPLIT_OF = {**SPLIT_OF, "testa": "validation", "testb": "test"}
_ENDINGS = ("conll", "conllu", "txt", "tsv", "iob", "iob1", "iob2", "bio", "bioes", "annotated")
_STEM = rf"(?:.*[^a-z])?({'|'.join(_SPLIT_OF)})"
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
    builtin: Callable[[], Splits[Sentence]],
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
) -> Splits[Sentence]:
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
    location = locate(data, _KINDS)
    if isinstance(location, Builtin):
        if others:
            raise InputError(
                "--auxiliary names further tags, of which the built-in corpus has none: leave it "
                "out, or bring other data"
            )
        parts = builtin().parts()
    elif isinstance(location, Tfds):
        found = load_tfds_tagging(
            data, tokens_feature, tags_feature, download, _SPLIT_OF, usual_tags, others
        )
        nothing = "no tagged sentences in a split"
        parts = in_splits(data, found, _SPLIT_OF, nothing, " or another --tags-feature")
    else:
        if format:
            require_choice("format", format, FORMATS)
        reading = _Reading(token_column, tag_column, tags_feature, others, counts, format, header)
        files = _files(location, format)
        parts = {split: _read(path, reading) for split, path in files.items()}
    if whole:
        return all_as_test(data, parts)
    splits = complete(
        parts, validation_fraction, test_fraction, split_seed, key=lambda sentence: sentence.text
    )
    check_tags(splits)
    return splits


def check_tags(splits: Splits[Sentence]) -> None:
    """Refuses splits that a tagger cannot be trained or measured on.

    A tag that only validation or test has is no error: taggers miss it, and are measured so.

    Args:
        splits: Freshly loaded.

    Raises:
        InputError: A split is empty, or train has fewer than two sentences or two distinct tags.
    """
    sizes = {name: len(part) for name, part in splits.parts().items()}
    check_sizes(sizes, "sentences", least=2, mend="bring more, with blank lines between them")
    tags = {tag for sentence in splits.train for tag in sentence.tags}
    if len(tags) < 2:
        raise InputError(
            f"one tag only: every token in train is tagged {tags.pop()!r}, expected two tags or "
            f"more: bring other sentences, or choose where tags stand with --tag-column or "
            f"--tags-feature"
        )


def _read(path: Path, reading: _Reading) -> list[Sentence]:
    others, format = reading.others, reading.format
    if format == "conllu" or (not format and without_gz(path).endswith(".conllu")):
        return read_conllu(path, reading.tags_feature or "upos", others, reading.counts)
    if not reading.header and not all(NUMBER.fullmatch(other) for other in others):
        raise InputError(
            f"{path}: --auxiliary must give numbers of columns, such as 1,2, got "
            f"{','.join(others)!r}: names are for CoNLL-U, tfds and files with --header"
        )
    columns = (reading.token_column, reading.tag_column)
    return read_conll(path, *columns, others, reading.counts, reading.header)


def _files(files: Files, format: str) -> dict[str, Path]:
    """The file of each split."""
    usual = f".{format or 'conllu'}"
    found = files.by_split(_ANY if format else _FILE, _SPLIT_OF, usual)
    if "train" not in found:
        raise InputError(
            f"{files.path} holds no train file, expected one such as train.conll, eng.train or "
            f"en_ewt-ud-train.conllu: name yours so, or give one file's path for --data"
        )
    return found
