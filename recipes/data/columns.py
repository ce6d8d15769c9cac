"""Which column an option means: by a name of the header line, or by its number."""

import re
from collections.abc import Container, Sequence
from typing import NamedTuple

from recipes.data.naming import clean, unknown
from zoo.errors import InputError

NUMBER = re.compile(r"-?[0-9]{1,9}")


class Wanted(NamedTuple):
    """A column to find: its name or number, what it holds, and the option that chooses it."""

    option: str | int
    role: str
    flag: str


def candidates(option: str | int) -> list[str]:
    """The names that an option lists, in the order in which they are tried.

    The whole text comes first, since a name may hold commas.

    Example:
        >>> candidates("sentence, content"), candidates(-1)
        (['sentence, content', 'sentence', 'content'], ['-1'])
    """
    text = str(option)
    parts = [part.strip() for part in text.split(",") if part.strip()] if "," in text else []
    return [text, *parts]


def first_of(option: str, known: Container[str]) -> str:
    """The first name that an option lists and that is known; the option itself if none is."""
    return next((name for name in candidates(option) if name in known), option)


def place_of(
    where: str, names: Sequence[str] | None, width: int, option: str | int, role: str, flag: str
) -> int:
    """Finds the column, from 0 up, that an option means.

    The option is a name, a number from 0 up or from -1 down, or several of them with commas
    between, of which the first counts that the file has. Names go before numbers; a file without a
    header line has no names. `where`, `role` (what the column holds) and `flag` are for the errors.

    Raises:
        InputError: There is no such column, or two have that name.
    """
    return _places(where, names, width, Wanted(option, role, flag))[0]


def two_places(
    where: str, names: Sequence[str] | None, width: int, first: Wanted, second: Wanted
) -> tuple[int, int]:
    """Finds two different columns, as `place_of` does; one error names all that are missing.

    Raises:
        InputError: A column is missing, two have its name, or both options mean the same one.
    """
    one, other = _places(where, names, width, first, second)
    if one == other:
        raise InputError(
            f"{where}: {first.role} and {second.role} are both read from column {one}, expected "
            f"two columns: choose another with {first.flag} or {second.flag}"
        )
    return one, other


def has_names(names: Sequence[str], options: Sequence[str | int]) -> bool:
    """Whether a header line has the columns of all options that are not numbers, at least one."""
    known = set(map(clean, names))
    lists = [candidates(option) for option in options]
    by_name = [each for each in lists if not any(map(NUMBER.fullmatch, each))]
    return bool(by_name) and all(known & set(map(clean, each)) for each in by_name)


def _places(
    where: str, names: Sequence[str] | None, width: int, *wanted: Wanted
) -> tuple[int, ...]:
    places = [_find(where, names, width, each.option) for each in wanted]
    missing = [each for each, place in zip(wanted, places, strict=True) if place is None]
    if not missing:
        return tuple(place for place in places if place is not None)
    option = missing[0].option
    others = "".join(f", and no column {str(each.option)!r}" for each in missing[1:])
    if names is None:
        choose = " and ".join(f"the {each.role}'s with {each.flag}" for each in missing)
        raise InputError(
            f"{where}: there is no column {option!r} in a file without a header line{others}, "
            f"expected a number from 0 to {width - 1}, or -1 for the last: choose {choose}"
        )
    choose = " and ".join(f"{each.flag} choose the {each.role}'s" for each in missing)
    raise InputError(
        f"{where}: {unknown('column', str(option), names)}{others}: the first line must name the "
        f"columns, and {choose}, by its number from 0 too; if it names none, give --no-header"
    )


def _find(where: str, names: Sequence[str] | None, width: int, option: str | int) -> int | None:
    known = [clean(name) for name in names or ()]
    wanted = candidates(option)
    for name in wanted:
        if known.count(clean(name)) > 1:
            raise InputError(
                f"{where}: {known.count(clean(name))} columns {name!r}, expected one: rename the "
                f"others"
            )
        if clean(name) in known:
            return known.index(clean(name))
    numbers = (int(name) for name in wanted if NUMBER.fullmatch(name))
    return next((number % width for number in numbers if -width <= number < width), None)
