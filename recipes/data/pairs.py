"""The `--data` option of the translation recipe: builtin, tfds, a file or a folder -> pairs."""

from collections.abc import Callable
from dataclasses import replace

from recipes.data.formats.pair_files import FORMATS, read_aligned, read_pairs
from recipes.data.formats.pair_folder import read_folder
from recipes.data.items import Pair
from recipes.data.location import Builtin, Tfds, locate
from recipes.data.splits import SPLIT_OF, Splits, all_as_test, check_sizes, complete, hash_fraction
from recipes.data.tfds.pairs import load_tfds_pairs
from recipes.data.tfds.source import in_splits
from zoo.errors import InputError, require_choice

_KINDS = (
    "'builtin', 'tfds:NAME[/CONFIG]', or a path: a file with a pair on each line and a tab inside, "
    "or a folder with train files"
)


def load(
    data: str,
    *,
    builtin: Callable[[], Splits[Pair]],
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
) -> Splits[Pair]:
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
    else:
        parts = _parts(data, builtin, source, target, download, format, header)
    filled = {name: [pair for pair in pairs if not pair.is_blank] for name, pairs in parts.items()}
    blank = sum(map(len, parts.values())) - sum(map(len, filled.values()))
    if whole:
        splits = all_as_test(source_file or data, filled)
        return replace(splits, test=_some(splits.test, limit, split_seed), left_out=blank)
    splits = complete(
        filled, validation_fraction, test_fraction, split_seed, key=lambda pair: pair.source
    )
    splits = replace(splits, train=_some(splits.train, limit, split_seed), left_out=blank)
    sizes = {name: len(part) for name, part in splits.parts().items()}
    check_sizes(sizes, "pairs", note=f" ({blank} with a blank side are left out)" if blank else "")
    return splits


def _parts(
    data: str,
    builtin: Callable[[], Splits[Pair]],
    source: str,
    target: str,
    download: bool,
    format: str,
    header: bool,
) -> dict[str, list[Pair]]:
    location = locate(data, _KINDS)
    if isinstance(location, Builtin):
        return builtin().parts()
    if isinstance(location, Tfds):
        return in_splits(data, load_tfds_pairs(data, source, target, download, splits=SPLIT_OF))
    if location.inside is None:
        return {"train": read_pairs(location.path, source, target, format, header)}
    return read_folder(location.path, source, target, format, header)


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


def _some(pairs: list[Pair], limit: int, seed: int) -> list[Pair]:
    """At most `limit` pairs, chosen by a hash and not by their places."""
    if not limit or len(pairs) <= limit:
        return pairs
    places = [hash_fraction(f"{pair.source}\t{pair.target}", seed, "limit") for pair in pairs]
    chosen = sorted(range(len(pairs)), key=lambda number: places[number])[:limit]
    return [pairs[number] for number in sorted(chosen)]
