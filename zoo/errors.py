"""The errors that users see: one sentence, no traceback."""

import difflib
import importlib
from collections.abc import Iterable
from typing import Any


class InputError(ValueError):
    """Wrong input: one sentence with the value, the expectation and the remedy.

    The commands print the sentence and exit with status 2.
    """


class DamagedFile(InputError):
    """A file that the project wrote is damaged or incomplete; the sentence names it."""


class Failure(RuntimeError):
    """A command cannot finish for a reason other than its input, in one sentence.

    The commands print the sentence and exit with status 1.
    """


def nearest(name: str, known: Iterable[str]) -> str:
    """Suggests the nearest known name for a misspelt one, or lists all of them.

    Example:
        >>> nearest("lstn", ["gru", "lstm"])
        "did you mean 'lstm'?"
        >>> nearest("transformer", ["gru", "lstm"])
        'known: gru, lstm'
    """
    names = sorted(known)
    matches = difflib.get_close_matches(name, names, n=1)
    if matches:
        return f"did you mean {matches[0]!r}?"
    return "known: " + (", ".join(names) or "none")


def require_package(name: str, extra: str, purpose: str) -> Any:
    """Imports an optional package, or raises an error with the command that installs it.

    `extra` is this project's extra that contains the package, `purpose` the subject of the
    sentence, such as "the recipe translation".
    """
    try:
        return importlib.import_module(name)
    except ImportError as error:
        raise InputError(
            f"{purpose} needs the package {name}, which cannot be imported ({error}): install it "
            f"with `pip install 'rnn-zoo[{extra}]'`"
        ) from error


def require_positive_int(name: str, value: object) -> None:
    """Raises unless `value` is an int of at least 1 and no bool.

    Example:
        >>> require_positive_int("units", -3)
        Traceback (most recent call last):
        zoo.errors.InputError: units must be a positive int, got -3
    """
    if isinstance(value, bool) or not isinstance(value, int) or value < 1:
        raise InputError(f"{name} must be a positive int, got {value!r}")


def require_rate(name: str, value: object) -> None:
    """Raises unless `value` is a dropout rate: a number in [0, 1)."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < 1:
        raise InputError(f"{name} must be a number from 0 up to (not including) 1, got {value!r}")


def require_bound(name: str, value: object) -> None:
    """Raises unless `value` is a number above 0, or None for no bound."""
    if value is None:
        return
    if isinstance(value, bool) or not isinstance(value, int | float) or not value > 0:
        raise InputError(f"{name} must be a number above 0 or None, got {value!r}")


def require_choice(name: str, value: object, choices: Iterable[str]) -> None:
    """Raises unless `value` is one of `choices`, and names the nearest one."""
    known = list(choices)
    if value not in known:
        hint = nearest(str(value), known)
        raise InputError(f"{name} must be one of {', '.join(known)}; got {value!r}: {hint}")


def require_bool(name: str, value: object) -> None:
    """Raises unless `value` is True or False."""
    if not isinstance(value, bool):
        raise InputError(f"{name} must be True or False, got {value!r}")
