"""Splits of labelled series: own files, by patterns of their names, or by a hash, in groups."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from recipes.data.labelled import check_labels
from recipes.data.location import Files, locate
from recipes.data.series.formats.wav import compiled, group_of
from recipes.data.series.items import Series, SeriesSet
from recipes.data.series.options import SignalOptions
from recipes.data.series.reading import KINDS, read_parts
from recipes.data.splits import (
    Splits,
    all_as_test,
    check_sizes,
    complete,
    hash_fraction,
    missing_fractions,
)
from zoo.errors import InputError


@dataclass(frozen=True)
class SignalSplits(Splits[Series]):
    """Labelled series of each split.

    Attributes:
        columns: Names of their F values.
        rate: Samples per second of audio, 0 elsewhere.
    """

    columns: tuple[str, ...] = field(default=(), kw_only=True)
    rate: int = field(default=0, kw_only=True)


def load(
    options: SignalOptions,
    builtin: Callable[[], Mapping[str, SeriesSet]],
    whole: bool = False,
    transcripts: bool = False,
) -> SignalSplits:
    """Loads the data of a run on signals.

    `builtin` makes the sets of the splits without a file. With `whole` all of the data is `test`,
    for measuring: see `all_as_test`. Labels that are `transcripts` are no classes: each may be
    another one.

    Raises:
        InputError: The data is not there, malformed, unlabelled or too little.
    """
    location = locate(options.data, KINDS)
    if isinstance(location, Files):
        parts = read_parts(location, options)
    elif options.data == "builtin":
        parts = dict(builtin())
    else:
        raise InputError(f"--data must be {KINDS}, got {options.data!r}: give one of these")
    splits = split(parts, options, whole, transcripts)
    first = parts["train"]
    return SignalSplits(**vars(splits), columns=first.columns, rate=first.rate)


def split(
    parts: Mapping[str, SeriesSet],
    options: SignalOptions,
    whole: bool = False,
    transcripts: bool = False,
) -> Splits[Series]:
    """Completes the splits: by the patterns of names first, else by the hash of the names.

    Raises:
        InputError: A series has no label or group, a pattern finds none, or a split is too small.
    """
    found = {name: list(part.series) for name, part in parts.items()}
    for each in (each for part in found.values() for each in part):
        if not each.label:
            raise InputError(
                f"series {each.name!r} has no label, expected one for each: name its column with "
                f"--label-column, or, for WAV files, give --label-pattern"
            )
    if whole:
        return all_as_test(options.data, found)
    for name, pattern in (
        ("test", options.test_pattern),
        ("validation", options.validation_pattern),
    ):
        if pattern:
            _take_out(found, name, pattern)
    if options.group_pattern:
        _cut_groups(found, options)
    fractions = (options.validation_fraction, options.test_fraction)
    splits = complete(found, *fractions, options.split_seed, key=lambda series: series.name)
    if transcripts:
        check_sizes({name: len(part) for name, part in splits.parts().items()}, "series")
    else:
        check_labels(splits, options.label_column or "label")
    return splits


def _take_out(parts: dict[str, list[Series]], name: str, text: str) -> None:
    """Moves the series of train whose names a pattern finds to a split."""
    pattern = compiled(f"{name}_pattern", text)
    assert pattern is not None
    if name in parts:
        raise InputError(
            f"{name}_pattern is for data without files for {name}, got such files: leave it out"
        )
    parts[name] = [each for each in parts["train"] if pattern.search(each.name)]
    parts["train"] = [each for each in parts["train"] if not pattern.search(each.name)]
    if not parts[name] or not parts["train"]:
        example = (parts["train"] or parts[name])[0].name
        matched = "none" if parts["train"] else "each"
        raise InputError(
            f"{name}_pattern {text!r} matches {matched} of the names of the series, such as "
            f"{example!r}, expected some of them: change it"
        )


def _cut_groups(parts: dict[str, list[Series]], options: SignalOptions) -> None:
    """Moves whole groups of train to the splits that are missing, in the order of their hashes.

    A fraction is one of the groups, of which there may be few; a split has at least one.
    """
    pattern = compiled("group_pattern", options.group_pattern)
    assert pattern is not None
    group = {each.name: group_of(pattern, each.name, "group") for each in parts["train"]}
    for name, found in group.items():
        if not found:
            raise InputError(
                f"group_pattern {pattern.pattern!r} finds no group in {name!r}, expected one in "
                f"the name of every series: change it"
            )
    missing = missing_fractions(parts, options.validation_fraction, options.test_fraction)
    names = {name for name in group.values() if name}
    if len(names) <= len(missing):
        raise InputError(
            f"group_pattern {pattern.pattern!r} finds {len(names)} groups, expected one for each "
            f"split: change it, or bring series of more groups"
        )
    ordered = sorted(names, key=lambda name: hash_fraction(name, options.split_seed))
    for split_name, fraction in missing.items():
        count = min(max(1, round(fraction * len(names))), len(ordered) - 1)
        taken, ordered = set(ordered[:count]), ordered[count:]
        parts[split_name] = [each for each in parts["train"] if group[each.name] in taken]
        parts["train"] = [each for each in parts["train"] if group[each.name] not in taken]
