"""Comma-separated values, which may contain commas themselves."""

import os

from zoo.errors import InputError

QUOTE = '"'


def separated(name: str, text: str) -> list[str]:
    """Splits at commas, except within quotes and within paths of existing files.

    The text of the option `name` is such as `a,b`, `"a,b",c` or the path `data/a,b.tsv`.

    Raises:
        InputError: A quote is not closed, or something follows it.

    Example:
        >>> separated("data", '"a,b.tsv",c.tsv')
        ['a,b.tsv', 'c.tsv']
    """
    values: list[str] = []
    rest: str | None = text
    while rest is not None:
        if rest.lstrip().startswith(QUOTE):
            part, rest = _quoted(name, rest.lstrip(), text)
        else:
            part, rest = _up_to_comma(rest)
        values.append(part)
    return values


def listed(name: str, text: str) -> list[str]:
    """The values of `separated` without white space around them; empty ones are left out.

    Example:
        >>> listed("cells", "gru, lstm,")
        ['gru', 'lstm']
    """
    return [value.strip() for value in separated(name, text) if value.strip()]


def _quoted(name: str, text: str, whole: str) -> tuple[str, str | None]:
    """The text in quotes (a doubled quote is one quote) and the text after the next comma."""
    end = text.find(QUOTE, 1)
    while end >= 0 and text[end + 1 : end + 2] == QUOTE:
        end = text.find(QUOTE, end + 2)
    after = text[end + 1 :].lstrip()
    if end < 0 or (after and not after.startswith(",")):
        raise InputError(
            f"{name}: a value in quotes must end with a quote and a comma or nothing after it, got "
            f"{whole!r}"
        )
    part = text[1:end].replace(QUOTE * 2, QUOTE)
    return part, after[1:] if after else None


def _up_to_comma(text: str) -> tuple[str, str | None]:
    """The longest existing path, or the text up to the first comma; and the text after it."""
    ends = [place for place, letter in enumerate(text) if letter == ","]
    whole = [len(text), *reversed(ends)] if ends else []
    for end in whole:
        if os.path.exists(os.path.expanduser(text[:end].strip())):
            break
    else:
        end = ends[0] if ends else len(text)
    return text[:end].strip(), text[end + 1 :] if end < len(text) else None
