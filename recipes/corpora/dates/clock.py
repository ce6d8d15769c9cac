"""The forms in which the built-in corpus of the translation recipe writes a time of day.

Midnight is the beginning of the day that is named, 00:00. At night is from 22:00 to 02:59.
"""

import random
from collections.abc import Callable, Sequence

from recipes.corpora.dates.spelling import cardinal

NOON, MIDNIGHT = 12 * 60, 0  # minutes of a day
CLOCK = "o'clock"
_HALF_DAY = 12  # hours

Form = Callable[[int, int, random.Random], str]


def part_of_day(hour: int) -> str:
    """Names the part of the day of an hour from 0 to 23.

    Example:
        >>> part_of_day(9), part_of_day(12), part_of_day(23), part_of_day(2)
        ('in the morning', 'in the afternoon', 'at night', 'at night')
    """
    if 3 <= hour < 12:
        return "in the morning"
    if 12 <= hour < 18:
        return "in the afternoon"
    return "in the evening" if 18 <= hour < 22 else "at night"


def _hour(hour: int) -> int:
    """The hour that a clock's short hand shows, 1 to 12."""
    return (hour - 1) % _HALF_DAY + 1


def _digits(hour: int, minute: int, rng: random.Random) -> str:
    """16:30, 9.05."""
    return f"{format(hour, rng.choice(('', '02')))}{rng.choice('::.')}{minute:02}"


def _half_day(hour: int, minute: int, rng: random.Random) -> str:
    """4.30 pm, 4 p.m., ..."""
    shown = f"{_hour(hour)}{rng.choice(':.')}{minute:02}"
    if minute == 0 and rng.random() < 0.7:
        shown = str(_hour(hour))
    half = "am" if hour < _HALF_DAY else "pm"
    return shown + rng.choice((f" {half}", half, f" {half[0]}.{half[1]}."))


def _spoken(hour: int, minute: int, rng: random.Random) -> str:
    """Half past four in the afternoon, quarter to nine in the evening, ..."""
    part = part_of_day(hour)
    if minute == 0:
        return f"{cardinal(_hour(hour))} {rng.choice((part, f'{CLOCK} {part}'))}"
    near, word, full = (minute, "past", hour) if minute <= 30 else (60 - minute, "to", hour + 1)
    names = {15: rng.choice(("quarter", "a quarter")), 30: "half"}
    return f"{names.get(near, cardinal(near))} {word} {cardinal(_hour(full))} {part}"


def _read_out(hour: int, minute: int, rng: random.Random) -> str:
    """Four thirty in the afternoon, sixteen thirty, nineteen oh five, ..."""
    late = hour > _HALF_DAY and rng.random() < 0.5
    minutes = cardinal(minute) if minute >= 10 else f"oh {cardinal(minute)}"
    if late:
        return f"{cardinal(hour)} {minutes if minute else 'hundred'}"
    return f"{cardinal(_hour(hour))} {minutes if minute else CLOCK} {part_of_day(hour)}"


_IN_DIGITS: tuple[Form, ...] = (_digits, _half_day)
_IN_WORDS: tuple[Form, ...] = (_spoken, _spoken, _read_out)


# Hours and minutes that are hard to read are drawn more often than others, so that there are enough
# examples of each: 12 am is 0, and a quarter to eight is in the hour before.
_HOURS = (*range(24), 0, 0, 12)
_QUARTERS = (0, 15, 30, 45)
_SPOKEN_MINUTES = (*range(0, 60, 5), *range(35, 60, 5), 0, *_QUARTERS, 45)


def draw(rng: random.Random, in_words: bool) -> int:
    """Draws a time in minutes of the day, in words a multiple of five."""
    if rng.random() < 0.06:
        return rng.choice((NOON, MIDNIGHT))
    if in_words:
        minutes: Sequence[int] = _SPOKEN_MINUTES
    else:
        minutes = _QUARTERS if rng.random() < 0.6 else range(60)
    return 60 * rng.choice(_HOURS) + rng.choice(minutes)


def write(time: int, rng: random.Random, in_words: bool) -> str:
    """Writes a time, in minutes of the day, in one of its forms, without a preposition.

    In words it is a multiple of 5.
    """
    if in_words and time in (NOON, MIDNIGHT):
        return "noon" if time == NOON else "midnight"
    return rng.choice(_IN_WORDS if in_words else _IN_DIGITS)(*divmod(time, 60), rng)
