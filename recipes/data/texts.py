"""Running text: limited, cut into train, validation and test, split into documents.

Between the readers of `running_text` and `tfds` and the documents that a language model learns
from. A text is what one file or one tfds record holds; in unit "line" it ends in a line end.
"""

from collections.abc import Iterable, Mapping

from recipes.data.splits import SPLITS, Splits, hash_fraction, missing_fractions

UNITS = ("line", "file")
MANY = 10  # texts from which on they stay whole
_REACH = 1000  # characters within which a cut looks for a line end


def as_text(raw: str, unit: str) -> str:
    r"""Makes the line ends of a file or record `\n`, and in unit "line" adds a missing last one.

    Example:
        >>> as_text("one\r\n\rtwo", "line")
        'one\n\ntwo\n'
    """
    text = raw.replace("\r\n", "\n").replace("\r", "\n")
    return text if unit == "file" or text.endswith("\n") else text + "\n"


def documents(texts: Iterable[str], unit: str) -> list[str]:
    """Splits texts into lines without their ends, or leaves them whole, in their order."""
    if unit == "file":
        return list(texts)
    return [line for text in texts for line in text.split("\n")[:-1]]


def first(texts: Iterable[str], limit: int, unit: str) -> list[str]:
    """Takes the first texts, empty ones aside, up to a limit, and reads no more of them.

    The limit counts characters, line ends included; 0 = all. In unit "line" a line that does not
    fit is left out, in "file" the last text is cut short.
    """
    chosen, left = [], limit
    for text in texts:
        chosen.append(_head(text, left, unit) if limit else text)
        left -= len(text)
        if limit and left <= 0:
            break
    return [text for text in chosen if text]


def _head(text: str, size: int, unit: str) -> str:
    if unit == "file" or len(text) <= size:
        return text[:size]
    return text[: text.rfind("\n", 0, size) + 1]


def complete(
    parts: Mapping[str, list[str]],
    validation_fraction: float,
    test_fraction: float,
    unit: str,
    seed: int | None = None,
) -> Splits[str]:
    """Cuts from `train` whichever of `validation` and `test` is missing; test is last.

    Ten texts or more stay whole: a share of their number is cut off, at least one, from the end,
    or with a seed wherever the hash of a text falls, so that equal texts stay on one side. Fewer
    are cut as one running text: a share of its characters from the end. In unit "line" that cut
    falls on the nearest line end, in unit "file" if there is one within 1000 characters and within
    half of what is to be cut off, and else anywhere. A split may be left empty.

    Raises:
        InputError: A fraction that is needed is not between 0 and 1, or nothing is left to train.
    """
    result, train = dict(parts), parts["train"]
    number, characters = len(train), sum(map(len, train))
    for name, fraction in missing_fractions(parts, validation_fraction, test_fraction).items():
        if number < MANY:
            size = round(fraction * characters)
            result["train"], result[name] = _cut_text(result["train"], size, unit)
        else:
            size = max(1, round(fraction * number))
            result["train"], result[name] = _cut_off(result["train"], size, name, seed)
    return Splits(*(result[name] for name in SPLITS))


def _cut_off(
    texts: list[str], size: int, name: str, seed: int | None
) -> tuple[list[str], list[str]]:
    """Whole texts: the last ones, or those that the seed chooses."""
    if seed is None:
        place = max(0, len(texts) - size)
        return texts[:place], texts[place:]
    places = [hash_fraction(text, seed, salt=name) for text in texts]
    chosen = set(sorted(set(places))[:size])
    both = list(zip(texts, places, strict=True))
    kept = [text for text, place in both if place not in chosen]
    return kept, [text for text, place in both if place in chosen]


def _cut_text(texts: list[str], size: int, unit: str) -> tuple[list[str], list[str]]:
    """Cuts about `size` characters off the end of running text, perhaps inside a text."""
    whole = "".join(texts)
    place = _place(whole, len(whole) - size, unit)
    head, tail = [], []
    for text in texts:
        inside = min(max(place, 0), len(text))
        head.append(text[:inside])
        tail.append(text[inside:])
        place -= len(text)
    return [text for text in head if text], [text for text in tail if text]


def _place(text: str, place: int, unit: str) -> int:
    """Where to cut: at the nearest line end inside, or at the place itself."""
    lines = unit == "line"
    reach = len(text) if lines else min(_REACH, (len(text) - place) // 2)
    inside = max(0, min(place, len(text) - 1))
    ends = [text.rfind("\n", 0, inside) + 1, text.find("\n", inside) + 1]
    near = [end for end in ends if 0 < end < len(text) and abs(end - place) <= reach]
    return min(near, key=lambda end: abs(end - place), default=len(text) if lines else place)
