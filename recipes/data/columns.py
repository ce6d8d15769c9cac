"""Which column an option means: by a name of the header line, or by its number."""

import re
from collections.abc import Container, Sequence

from recipes.data.naming import clean, unknown
from zoo.errors import InputError

NUMBER = re.compile(r"-?[0-9]{1,9}")


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
    for number in (int(name) for name in wanted if NUMBER.fullmatch(name)):
        if -width <= number < width:
            return number % width
    if names is None:
        raise InputError(
            f"{where}: there is no column {option!r} in a file without a header line, expected a "
            f"number from 0 to {width - 1}, or -1 for the last: choose the {role}'s with {flag}"
        )
    raise InputError(
        f"{where}: {unknown('column', str(option), names)}: the first line must name the columns, "
        f"and {flag} choose the {role}'s, by its number from 0 too; if it names none, "
        f"give --no-header"
    )
