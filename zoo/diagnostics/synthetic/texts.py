"""Text for small character models: made up, with quotes, brackets and lines, or the user's own.

The made-up text has what a memory must hold: a quote or a bracket is closed after many characters,
the words in it are others than outside, and lines break before they get too long.
"""

import random
import unicodedata
from pathlib import Path
from typing import NamedTuple

import numpy as np

from zoo.errors import InputError
from zoo.system import stored

OPENING, CLOSING = "([{", ")]}"
QUOTE = '"'
WIDTH = 60  # characters of a line at most
SIZE = 200_000  # characters of the made-up text
LEAST = 2_000  # characters of a user's own text
MOST_CHARACTERS = 200  # distinct ones; all others are read as one
OTHER = "\N{REPLACEMENT CHARACTER}"

PEOPLE = ("the miller", "a sailor", "the old queen", "my brother", "a stranger", "the cook")
ACTS = ("walked home", "waited", "looked away", "opened the door", "sat down", "went to town")
SAYINGS = ("who are you", "come with me", "do not go", "where is it", "i know you", "we are late")
ASIDES = ("so", "no", "ah", "oh", "i see", "yes", "hm")


class CharacterText(NamedTuple):
    """A text as numbers.

    Attributes:
        text: The text; characters that are not among `characters` are replaced.
        characters: The known characters in the order of their ids, which begin at 1.
        ids: int32 (N,).
        held_out: The place at which the part begins that no model was trained on.
    """

    text: str
    characters: str
    ids: np.ndarray
    held_out: int


def made_up(size: int = SIZE, seed: int = 0) -> str:
    """Sentences with quotes and nested brackets, in lines of 60 characters at most."""
    generator = random.Random(seed)
    lines, line, length = [], "", 0
    while length < size:
        for word in _sentence(generator).split(" "):
            if len(line) + 1 + len(word) > WIDTH:
                lines.append(line)
                length += len(line) + 1
                line = word
            else:
                line = f"{line} {word}" if line else word
    return "\n".join(lines) + "\n"


def _sentence(generator: random.Random) -> str:
    who, act = generator.choice(PEOPLE), generator.choice(ACTS)
    sentence = f"{who} {act}"
    if generator.random() < 0.7:
        sentence += " " + _aside(generator, 0)
    if generator.random() < 0.5:
        count = generator.randint(1, 2)
        speech = ", ".join(generator.choice(SAYINGS) for _ in range(count))
        sentence += f" and said {QUOTE}{speech}{QUOTE}"
    return sentence + "."


def _aside(generator: random.Random, depth: int) -> str:
    kind = generator.randrange(len(OPENING))
    words = [generator.choice(ASIDES) for _ in range(generator.randint(1, 2))]
    if depth < 2 and generator.random() < 0.4:
        words.insert(generator.randint(1, len(words)), _aside(generator, depth + 1))
    return OPENING[kind] + " ".join(words) + CLOSING[kind]


def character_text(path: str = "", seed: int = 0) -> CharacterText:
    """The made-up text, or that of a user's file in UTF-8; its last tenth is held out.

    Raises:
        InputError: The file is missing or too short.
    """
    if path:
        text = stored.read_text(Path(path), what="text", missing="give --text a file in UTF-8")
        text = unicodedata.normalize("NFC", text.replace("\r\n", "\n"))
    else:
        text = made_up(seed=seed)
    if len(text) < LEAST:
        raise InputError(f"{path} has {len(text)} characters: give a text of {LEAST:,} or more")
    found, counts = np.unique(list(text), return_counts=True)
    characters = "".join(found[np.argsort(-counts, kind="stable")][:MOST_CHARACTERS]) + OTHER
    ids = encoded(text, characters)
    read = "".join(characters[number - 1] for number in ids)
    return CharacterText(read, characters, ids, len(text) - len(text) // 10)


def encoded(text: str, characters: str) -> np.ndarray:
    """The ids of a text's characters, int32 (N,); an unknown one has the last id."""
    places = {character: number for number, character in enumerate(characters, 1)}
    return np.array([places.get(character, len(characters)) for character in text], np.int32)


def in_quotes(text: str) -> np.ndarray:
    """Whether each character is after an opening quote and before its closing one, bool (N,).

    A quote that is left open ends with the paragraph, at a blank line.

    Example:
        >>> in_quotes('a "b" c').astype(int).tolist()
        [0, 0, 1, 1, 0, 0, 0]
    """
    inside, found = False, []
    for place, character in enumerate(text):
        inside = (inside != (character in '"“”')) and not _ends_paragraph(text, place)
        found.append(inside)
    return np.array(found)


def _ends_paragraph(text: str, place: int) -> bool:
    return text[max(0, place - 1) : place + 1] == "\n\n"


def bracket_depth(text: str) -> np.ndarray:
    """The number of open brackets after each character, int (N,); 0 at the end of a paragraph.

    Example:
        >>> bracket_depth("a(b[c])").tolist()
        [0, 1, 1, 2, 2, 1, 0]
    """
    depth, found = 0, []
    for place, character in enumerate(text):
        depth = max(0, depth + (character in OPENING) - (character in CLOSING))
        depth *= not _ends_paragraph(text, place)
        found.append(depth)
    return np.array(found)


def place_in_line(text: str) -> np.ndarray:
    r"""The number of characters since the line began, int (N,).

    Example:
        >>> place_in_line("ab\ncd").tolist()
        [1, 2, 0, 1, 2]
    """
    place, found = 0, []
    for character in text:
        place = 0 if character == "\n" else place + 1
        found.append(place)
    return np.array(found)


def place_in_word(text: str) -> np.ndarray:
    """The number of letters and digits since a word began, int (N,).

    Example:
        >>> place_in_word("ab, c").tolist()
        [1, 2, 0, 0, 1]
    """
    place, found = 0, []
    for character in text:
        place = place + 1 if character.isalnum() else 0
        found.append(place)
    return np.array(found)


FEATURES = {
    "in quotes": in_quotes,
    "in brackets": lambda text: bracket_depth(text) > 0,
    "bracket depth": bracket_depth,
    "place in line": place_in_line,
    "place in word": place_in_word,
}


def pairs(text: str) -> list[tuple[int, int]]:
    """The places of each opening mark and the closing one that belongs to it.

    Example:
        >>> pairs('(a) "b"')
        [(0, 2), (4, 6)]
    """
    found, brackets, quote = [], [], -1
    for place, character in enumerate(text):
        if character in OPENING:
            brackets.append(place)
        elif character in CLOSING and brackets:
            found.append((brackets.pop(), place))
        elif character == QUOTE:
            if quote >= 0:
                found.append((quote, place))
            quote = place if quote < 0 else -1
    return sorted(found)
