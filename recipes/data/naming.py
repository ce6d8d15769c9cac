"""Names in data: how labels compare, what is unknown, which files do not count."""

import difflib
import re
import unicodedata
from collections.abc import Iterable
from pathlib import Path

_ABOUT = re.compile(
    r"(?:readme|licen[cs]e|copying|changelog|citation|requirements)(?:\..+)?", re.IGNORECASE
)
_MARK = "\ufeff"  # a byte order mark that was copied into the middle of a file
_MOST_LISTED = 12
_LONGEST = 40  # letters; a file without a header has whole reviews for column names


def clean(label: str) -> str:
    """Gives a label the one spelling by which labels are compared.

    In Unicode's normal form C, as texts are, and without the blanks and byte order marks around
    it: macOS writes file names in form D, so that "Français" is spelled in two ways that look the
    same.

    Example:
        >>> clean(" Franc\u0327ais\ufeff") == "Fran\u00e7ais"
        True
    """
    return unicodedata.normalize("NFC", label.strip().strip(_MARK).strip())


def unknown(kind: str, name: str, known: Iterable[str]) -> str:
    """Returns an error's first words about an unknown name: what there is, and what is nearest.

    `kind` is what the name should name, such as `column`. Of more than twelve known names only the
    number is reported.

    Example:
        >>> unknown("column", "txt", ["label", "text"])
        "there is no column 'txt', expected one of 'label', 'text' (did you mean 'text'?)"
    """
    names = [_short(each) for each in known]
    matches = difflib.get_close_matches(name, names, n=1)
    near = f" (did you mean {matches[0]!r}?)" if matches else ""
    return f"there is no {kind} {name!r}, expected {_listed(names)}{near}"


def is_hidden(path: Path) -> bool:
    """Whether an archive or a file manager put a file there, and not the user.

    Such are `.DS_Store`, `._Czech.txt` and whatever is in `__MACOSX`, `Thumbs.db`, `desktop.ini`.
    """
    if "__MACOSX" in path.parts or path.name.startswith("."):
        return True
    return path.name.lower() in ("thumbs.db", "desktop.ini", "icon\r")


def is_about(stem: str) -> bool:
    """Whether a file's name, its ending aside, says that it is about the data: `README`."""
    return _ABOUT.fullmatch(stem) is not None


def _listed(names: list[str]) -> str:
    if len(names) > _MOST_LISTED:
        return f"one of {len(names)} others"
    return "one of " + ", ".join(map(repr, names)) if names else "none at all"


def _short(name: str) -> str:
    return name if len(name) <= _LONGEST else name[: _LONGEST - 3] + "..."
