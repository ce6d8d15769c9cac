"""The `--data` option of the translation recipe: builtin, tfds, a file or a folder -> pairs."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields
from pathlib import Path

from recipes.data import splits
from recipes.data.formats.pair_files import FORMATS, Pair, read_aligned, read_pairs
from recipes.data.formats.pair_folder import PARTS, read_folder
from recipes.data.naming import no_such_data
from recipes.data.splits import hash_fraction
from recipes.data.table import Example
from recipes.data.tfds.pairs import load_tfds_pairs
from recipes.data.tfds.source import PREFIX
from recipes.data.whole import one_split
from zoo.errors import InputError, require_choice

__all__ = ["Pair", "PairSplits", "load"]

_KINDS = (
    "'builtin', 'tfds:NAME[/CONFIG]', or a path: a file with a pair on each line and a tab inside, "
    "or a folder with train files"
)


@dataclass(frozen=True)
class PairSplits:
    """The three parts of a data set of pairs, none of which has a blank side.

    Attributes:
        train: What the weights are fitted to.
        validation: What epochs and hidden sizes are chosen by.
        test: What is measured once, at the end.
        blank: How many pairs were left out because a side was blank.
    """

    train: list[Pair]
    validation: list[Pair]
    test: list[Pair]
    blank: int = 0


def load(
    data: str,
    *,
    builtin: Callable[[], PairSplits],
    source: str,
    target: str,
    source_file: str,
    target_file: str,
    validation_fraction: float,
    test_fraction: float,
    split_seed: int,
    download: bool,
    limit: int = 0,
    format: str = "",
    header: bool = False,
    whole: bool = False,
) -> PairSplits:
    """Loads the pairs of a translation run.

    `builtin`, `tfds:NAME[/CONFIG]`, a file of pairs, a folder, or two aligned files. Files are
    UTF-8, gzipped or not, and hold a pair on each line. A file of pairs has tabs between its
    columns and no header, unless `format` and `header` say otherwise; what a folder may hold is in
    `pair_folder`. Pairs with a blank side are left out. What is missing is cut from train by a hash
    of the source, so that no source is on two sides of a cut, however many translations it has.

    Args:
        data: Which data.
        builtin: Makes the corpus that needs no file.
        source: The language to translate from, as tfds or the names of files spell it; in files of
            pairs the number of its column, counted from 0, or its name. `""`: column 0, or what
            the tfds data set is for.
        target: The language to translate into, or the number of its column. `""`: column 1, or
            what the tfds data set is for.
        source_file: The texts to translate, if `data` is left at `builtin`; else `""`.
        target_file: Their translations, line by line.
        validation_fraction: Share of train's sources for a missing validation split.
        test_fraction: Share of train's sources for a missing test split.
        split_seed: Chooses which are cut off, and what a limit leaves.
        download: Whether tensorflow-datasets may use the network.
        limit: The most pairs of train, 0 for all. A hash of the pair chooses them, so that a
            smaller limit leaves a part of what a larger one does; they stay in their order.
        format: Of files of pairs: `tsv`, `csv` or `jsonl`; `""`: the ending `.csv` or `.jsonl` says
            it, and all else is TSV.
        header: Whether the first line of a TSV or CSV file of pairs names its columns.
        whole: Give all of it as `test`, for measuring: the test part where there is one, else
            everything. Nothing is cut off, and the other parts are empty.

    Returns:
        Parts with at least one pair each.

    Raises:
        InputError: The data is not there, malformed, or too little; or an option is wrong.
    """
    _check_limit(limit)
    if format:
        require_choice("format", format, FORMATS)
    if source_file or target_file:
        _check_files(data, source_file, target_file)
        parts = {"train": read_aligned(source_file, target_file)}
    elif data == "builtin":
        made = builtin()
        parts = {name: getattr(made, name) for name in ("train", "validation", "test")}
    elif data.startswith(PREFIX):
        parts = _from_tfds(data, source, target, download)
    else:
        parts = _from_path(data, source, target, format, header)
    filled = {name: [pair for pair in pairs if not pair.is_blank] for name, pairs in parts.items()}
    blank = sum(map(len, parts.values())) - sum(map(len, filled.values()))
    if whole:
        return PairSplits(
            [], [], _some(one_split(source_file or data, filled), limit, split_seed), blank
        )
    cut = _complete(filled, validation_fraction, test_fraction, split_seed)
    found = PairSplits(_some(cut.train, limit, split_seed), cut.validation, cut.test, blank)
    _check_sizes(found)
    return found


def _check_limit(limit: int) -> None:
    if isinstance(limit, bool) or not isinstance(limit, int) or limit < 0:
        raise InputError(f"limit must be a number of pairs, got {limit!r}: try 10000, or 0 for all")


def _check_files(data: str, source_file: str, target_file: str) -> None:
    if data != "builtin":
        raise InputError(
            f"--data is {data!r} while --source-file or --target-file is given, expected one or "
            f"the other: leave out one of them"
        )
    if not (source_file and target_file):
        given, missing = ("source", "target") if source_file else ("target", "source")
        raise InputError(
            f"--{given}-file is {source_file or target_file!r} while there is no --{missing}-file, "
            f"expected both: give the other one, too"
        )


def _from_tfds(data: str, source: str, target: str, download: bool) -> dict[str, list[Pair]]:
    found = load_tfds_pairs(data, source, target, download, splits=PARTS)
    if "train" not in found:
        raise InputError(
            f"{data}: there is no split called 'train', found {', '.join(found) or 'none'}: choose "
            f"another data set"
        )
    parts: dict[str, list[Pair]] = {}
    for name, pairs in found.items():
        parts.setdefault(PARTS[name], pairs)
    return parts


def _from_path(
    data: str, source: str, target: str, format: str, header: bool
) -> dict[str, list[Pair]]:
    try:
        path = Path(data).expanduser()
        if data and path.is_dir():
            return read_folder(path, source, target, format, header)
        if data and path.exists():
            return {"train": read_pairs(path, source, target, format, header)}
        raise InputError(no_such_data(data, path, _KINDS, PREFIX))
    except (OSError, RuntimeError) as error:  # a folder that may not be read; an unknown ~user
        raise InputError(f"--data must be {_KINDS}, got {data!r}, which fails: {error}") from error


def _complete(
    parts: Mapping[str, list[Pair]], validation: float, test: float, seed: int
) -> PairSplits:
    """Cuts off what is missing, as with labelled texts: a pair falls where its source does."""
    examples = {
        name: [Example(pair.source, pair.target) for pair in pairs] for name, pairs in parts.items()
    }
    cut = splits.complete(examples, validation, test, seed)
    return PairSplits(_pairs(cut.train), _pairs(cut.validation), _pairs(cut.test))


def _pairs(examples: Sequence[Example]) -> list[Pair]:
    return [Pair(example.text, example.label) for example in examples]


def _some(pairs: list[Pair], limit: int, seed: int) -> list[Pair]:
    """At most so many of the pairs, chosen by a hash and not by their places."""
    if not limit or len(pairs) <= limit:
        return pairs
    places = [hash_fraction(f"{pair.source}\t{pair.target}", seed, "limit") for pair in pairs]
    chosen = sorted(range(len(pairs)), key=lambda number: places[number])[:limit]
    return [pairs[number] for number in sorted(chosen)]


def _check_sizes(found: PairSplits) -> None:
    names = [field.name for field in fields(found) if field.name != "blank"]
    sizes = {name: len(getattr(found, name)) for name in names}
    empty = [name for name, size in sizes.items() if not size]
    if empty:
        counted = ", ".join(f"{size} in {name}" for name, size in sizes.items())
        raise InputError(
            f"too little data: of {sum(sizes.values())} pairs none is in {empty[0]} ({counted}; "
            f"{found.blank} left out because a side is blank), expected at least one in each "
            f"split: bring more pairs or cut off other fractions"
        )
