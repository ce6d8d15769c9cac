"""The `--data` option of the taggers: builtin, tensorflow-datasets or the user's own files."""

import re
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from recipes.config import DataOptions, option
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


@dataclass(frozen=True)
class TaggedColumns(DataOptions):
    """Where a file or a data set of tfds has the tokens and their tags."""

    token_column: str = option(
        "0",
        "Column of a CoNLL file with the token: its number from 0 or, with --header, its name; of "
        "several with commas between, the first that a file has.",
    )
    tag_column: str = option("-1", "Column of a CoNLL file with the tag; -1 = the last.")
    format: str = option(
        "", "Format of the files: conll (columns), conllu; by default as the ending says."
    )
    header: bool = option(False, "The first line of a CoNLL file names its columns.")
    tokens_feature: str = option(
        "", "Tfds feature of the tokens; by default the only one of its kind."
    )
    tags_feature: str = option("", "Tfds feature (or upos, xpos of CoNLL-U) of the tags.")
    auxiliary: str = option(
        "", "Further tags to learn together: features (xpos,deprel) or columns."
    )


def load(
    options: TaggedColumns,
    builtin: Callable[[], Splits[Sentence]],
    usual_tags: Sequence[str] = TAGS,
    whole: bool = False,
) -> Splits[Sentence]:
    """Loads the data of a tagging run.

    `builtin`, `tfds:NAME[/CONFIG]`, a file, or a folder with a file for `train`, perhaps for
    `validation` (`valid`, `val`, `dev`, `testa`) and perhaps for `test` (`testb`), whose names end
    in that word, the ending aside: `train.conll`, `eng.testa`, `en_ewt-ud-dev.conllu.gz`. Where a
    part has a CoNLL-U file, only that counts: treebanks have the plain text beside it. Whatever is
    not called `.conllu` is read as CoNLL columns. Where a format is given, all files are in it, and
    their names may have any ending. What is missing is cut from train by a hash. A line reports
    how many lines began with `#`.

    `builtin` makes the corpus that needs no file; `usual_tags` names the tfds features that the
    recipe takes for tags, the best one first. With `whole` all of the data is `test`, without
    further tags, for measuring: see `all_as_test`.

    Raises:
        InputError: The data is not there, malformed, or too little.
    """
    data, others = options.data, () if whole else names_of(options.auxiliary)
    location = locate(data, _KINDS)
    if isinstance(location, Builtin):
        if others:
            raise InputError(
                "--auxiliary names further tags, of which the built-in corpus has none: leave it "
                "out, or bring other data"
            )
        parts = builtin().parts()
    elif isinstance(location, Tfds):
        features = (options.tokens_feature, options.tags_feature)
        found = load_tfds_tagging(data, *features, options.download, _SPLIT_OF, usual_tags, others)
        nothing = "no tagged sentences in a split"
        parts = in_splits(data, found, _SPLIT_OF, nothing, " or another --tags-feature")
    else:
        parts = _read_files(location, options, others)
    if whole:
        return all_as_test(data, parts)
    fractions = (options.validation_fraction, options.test_fraction)
    splits = complete(parts, *fractions, options.split_seed, key=lambda sentence: sentence.text)
    check_tags(splits)
    return splits


def check_tags(splits: Splits[Sentence]) -> None:
    """Refuses splits that a tagger cannot be trained or measured on.

    A tag that only validation or test has is no error: taggers miss it, and are measured so.

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


def names_of(text: str) -> list[str]:
    """Splits the value of an option at its commas."""
    return [part.strip() for part in text.split(",") if part.strip()]


def _read_files(
    files: Files, options: TaggedColumns, others: Sequence[str]
) -> dict[str, list[Sentence]]:
    if options.format:
        require_choice("format", options.format, FORMATS)
    counts: Counter[str] = Counter()
    paths = _files(files, options.format)
    parts = {split: _read(path, options, others, counts) for split, path in paths.items()}
    if counts:
        print(
            f"comments: {counts['comments']:,} lines that begin with '#' skipped, "
            f"{counts['tokens']:,} read as tokens",
            flush=True,
        )
    return parts


def _read(
    path: Path, options: TaggedColumns, others: Sequence[str], counts: Counter[str]
) -> list[Sentence]:
    format = options.format
    if format == "conllu" or (not format and without_gz(path).endswith(".conllu")):
        return read_conllu(path, options.tags_feature or "upos", others, counts)
    if not options.header and not all(NUMBER.fullmatch(other) for other in others):
        raise InputError(
            f"{path}: --auxiliary must give numbers of columns, such as 1,2, got "
            f"{','.join(others)!r}: names are for CoNLL-U, tfds and files with --header"
        )
    columns = (options.token_column, options.tag_column)
    return read_conll(path, *columns, others, counts, options.header)


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
