"""The `--data` option of the translation recipe: builtin, tfds, a file or a folder -> pairs."""

from collections.abc import Callable
from dataclasses import dataclass, replace

from recipes.config import DataOptions, option
from recipes.data.formats.delimited import FORMATS
from recipes.data.formats.pair_files import read_aligned, read_pairs
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


@dataclass(frozen=True)
class PairOptions(DataOptions):
    """Where the pairs are, and in which direction they are translated."""

    source: str = option(
        "",
        "Language (file ending, tfds feature) or column to translate from: its number from 0 or, "
        "with --header, its name.",
    )
    target: str = option("", "Language or column to translate into, likewise.")
    format: str = option(
        "", "Format of files of pairs: tsv, csv, jsonl; by default as their endings say, or tsv."
    )
    header: bool = option(False, "The first line of a file of pairs names its columns.")
    source_file: str = option("", "File of texts to translate, one per line, instead of --data.")
    target_file: str = option("", "File of their translations, in the same order.")
    limit: int = option(0, "Training pairs at most; 0 = all.")


def load(
    options: PairOptions, builtin: Callable[[], Splits[Pair]], whole: bool = False
) -> Splits[Pair]:
    """Loads the pairs of a translation run.

    `builtin`, `tfds:NAME[/CONFIG]`, a file of pairs, a folder, or two aligned files. Files are
    UTF-8, gzipped or not, and hold a pair on each line. A file of pairs has tabs between its
    columns and no header, unless `format` and `header` say otherwise; what a folder may hold is in
    `pair_folder`. Pairs with a blank side are left out. What is missing is cut from train by a hash
    of the source, so that no source is on two sides of a cut, however many translations it has. A
    hash of the pair chooses what a limit leaves, so that a smaller limit leaves a part of what a
    larger one does; the pairs stay in their order.

    `builtin` makes the corpus that needs no file. With `whole` all of the data is `test`, for
    measuring: see `all_as_test`.

    Raises:
        InputError: The data is not there, malformed, or too little; or an option is wrong.
    """
    limit, seed = options.limit, options.split_seed
    source_file, target_file = options.source_file, options.target_file
    _check_limit(limit)
    if options.format:
        require_choice("format", options.format, FORMATS)
    if source_file or target_file:
        _check_files(options.data, source_file, target_file)
        parts = {"train": read_aligned(source_file, target_file)}
    else:
        parts = _parts(options, builtin)
    filled = {name: [pair for pair in pairs if not pair.is_blank] for name, pairs in parts.items()}
    blank = sum(map(len, parts.values())) - sum(map(len, filled.values()))
    if whole:
        splits = all_as_test(source_file or options.data, filled)
        return replace(splits, test=_some(splits.test, limit, seed), left_out=blank)
    fractions = (options.validation_fraction, options.test_fraction)
    splits = complete(filled, *fractions, seed, key=lambda pair: pair.source)
    splits = replace(splits, train=_some(splits.train, limit, seed), left_out=blank)
    sizes = {name: len(part) for name, part in splits.parts().items()}
    check_sizes(sizes, "pairs", note=f" ({blank} with a blank side are left out)" if blank else "")
    return splits


def _parts(options: PairOptions, builtin: Callable[[], Splits[Pair]]) -> dict[str, list[Pair]]:
    data, sides = options.data, (options.source, options.target)
    location = locate(data, _KINDS)
    if isinstance(location, Builtin):
        return builtin().parts()
    if isinstance(location, Tfds):
        return in_splits(data, load_tfds_pairs(data, *sides, options.download, splits=SPLIT_OF))
    if location.inside is None:
        return {"train": read_pairs(location.path, *sides, options.format, options.header)}
    return read_folder(location.path, *sides, options.format, options.header)


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
