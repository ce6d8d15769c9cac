"""What a character is to TensorFlow's string ops, whatever Python's own version of Unicode.

The graph reads texts with RE2 (patterns, Unicode 15) and ICU (lower case, Unicode 13); their tables
are in `tables.json`, which `make_tables.py` writes. Normalisation form C is that of `unicodedata`
on both sides.
"""

import functools
import importlib.resources
import itertools
import json
import re
import unicodedata
from typing import Any

import numpy as np

LETTERS = ("Lu", "Ll", "Lt", "Lm", "Lo")
# letters that ICU lowers by the process's locale, and what they are elsewhere
LOCALE_BOUND = str.maketrans({"İ": "i\u0307", "Į": "į", "Ì": "ì", "Í": "í", "Ĩ": "ĩ"})
# characters that take part in normalisation, by the version of Unicode that added them and by their
# combining class; 0 = those that are part of compositions as well
ADDED: dict[int, dict[int, str]] = {
    14: {
        7: "\u0c3c",
        9: "\u1715\U00011070",
        218: "\u1dfa",
        220: "\u0899-\u089b\u08cf-\u08d2\u1ac3\u1ac4\u1aca\U00010f83\U00010f85",
        230: "\u0898\u089c-\u089f\u08ca-\u08ce\u1ac1\u1ac2\u1ac5-\u1ac9\u1acb-\u1ace\U00010f82"
        "\U00010f84\U0001e2ae",
    },
    15: {
        9: "\U00011f41\U00011f42",
        220: "\U00010efd-\U00010eff\U0001e4ee",
        230: "\U0001e08f\U0001e4ef",
        232: "\U0001e4ec\U0001e4ed",
    },
    16: {
        0: "\u0897\U000105c9\U000105d2\U000105da\U000105e4\U00010d69-\U00010d6d"
        "\U00011382-\U000113d0\U0001611e-\U0001612f\U00016d63-\U00016d6a\U0001e5ee\U0001e5ef",
    },
    17: {
        0: "\u1acf-\u1add\u1ae0-\u1aeb\U00010efa\U00010efb\U0001e6e3\U0001e6e6\U0001e6ee\U0001e6ef"
        "\U0001e6f5",
    },
}
OWN = int(unicodedata.unidata_version.split(".")[0])


@functools.cache
def _tables() -> dict[str, Any]:
    file = importlib.resources.files(__package__) / "tables.json"
    tables: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
    return tables


def members(*names: str, but: str = "") -> str:
    """The characters of classes, as they stand between the brackets of a pattern of `re`.

    Those of the class `but` are left out.
    """
    classes = _tables()["classes"]
    among = np.zeros(0x110001, bool)
    for name in names:
        for first, last in classes[name]:
            among[first : last + 1] = True
    for first, last in classes[but] if but else ():
        among[first : last + 1] = False
    edges = np.flatnonzero(np.diff(among, prepend=False)).reshape(-1, 2).tolist()
    return "".join(rf"\U{first:08x}-\U{end - 1:08x}" for first, end in edges)


def lowered(text: str) -> str:
    """Lower case in all scripts, as ICU writes it.

    Example:
        >>> lowered("ΔΡΌΜΟΣ İ")
        'δρόμος i̇'
    """
    if text.isascii():
        return text.lower()
    text = text.translate(LOCALE_BOUND)
    small = text.translate(_lower_case())
    if "Σ" not in text:
        return small
    letters = list(small)  # one for each of the text: no other mapping makes two of one
    for place in (place for place, letter in enumerate(text) if letter == "Σ"):
        if _is_cased(reversed(text[:place])) and not _is_cased(text[place + 1 :]):
            letters[place] = "ς"
    return "".join(letters)


@functools.cache
def _lower_case() -> dict[int, str]:
    return {ord(letter): small for letter, small in _tables()["lower"].items()}


@functools.cache
def _context() -> tuple[frozenset[int], frozenset[int]]:
    """The characters with case, and those that the rule of the final sigma skips."""
    tables = _tables()
    cased, ignored = (
        frozenset(code for first, last in tables[name] for code in range(first, last + 1))
        for name in ("cased", "ignored")
    )
    return cased, ignored


def _is_cased(characters: Any) -> bool:
    """Whether the first character that is not ignored has case."""
    cased, ignored = _context()
    first = next((c for c in map(ord, characters) if c not in ignored), 0)
    return first in cased


def composed(text: str, version: str = unicodedata.unidata_version) -> str:
    r"""Normalisation form C by a version of Unicode, which is that of the Python that exported.

    Characters that are newer than the version are left as they are, also if this Python knows them.
    Versions 14 and 15 are followed by an older Python, too.

    Example:
        >>> composed("e\u0301")
        'é'
    """
    if text.isascii():
        return text
    wanted = int(version.split(".")[0])
    changed = _changed(min(wanted, OWN), max(wanted, OWN))
    if not changed or not changed.search(text):
        return unicodedata.normalize("NFC", text)
    if wanted < OWN:
        return "".join(unicodedata.normalize("NFC", part) for part in changed.split(text))
    return _composed(text)


@functools.cache
def _changed(first: int, last: int) -> re.Pattern[str] | None:
    """The characters that versions after the first, up to the last, added."""
    names = [part for added in range(first + 1, last + 1) for part in ADDED.get(added, {}).values()]
    return re.compile(f"([{''.join(names)}])") if names else None


@functools.cache
def _class(character: str) -> int:
    """The combining class of a character that Python's Unicode may not have."""
    for kinds in ADDED.values():
        for number, names in kinds.items():
            if re.fullmatch(f"[{names}]", character):
                return number or unicodedata.combining(character)
    return unicodedata.combining(character)


def _composed(text: str) -> str:
    """Normalisation form C with the classes of `ADDED`, whose marks are composed with nothing."""
    parts = [part for character in text for part in unicodedata.normalize("NFD", character)]
    found: list[str] = []
    starter, last = -1, 0
    for character in _sorted(parts):
        number = _class(character)
        if starter >= 0 and (last == 0 or last < number):
            pair = unicodedata.normalize("NFC", found[starter] + character)
            if len(pair) == 1:
                found[starter] = pair
                continue
        starter = starter if number else len(found)
        last = number
        found.append(character)
    return "".join(found)


def _sorted(parts: list[str]) -> list[str]:
    """The marks after each starter by rising class; equal classes keep their order."""
    found: list[str] = []
    for starts, group in itertools.groupby(parts, lambda part: _class(part) == 0):
        run = list(group)
        found += run if starts else sorted(run, key=_class)
    return found
