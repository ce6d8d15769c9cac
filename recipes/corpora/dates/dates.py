"""The forms in which the built-in corpus of the translation recipe writes a date.

Where a date is all digits the day comes first, as in Europe, except that four digits in front are
the year. Of years with two digits those below 50 are of the 2000s, the others of the 1900s.
"""

import random
from collections.abc import Callable
from datetime import date

from recipes.corpora.dates.spelling import ordinal, suffixed, years

MONTHS = (
    ("January", "Jan", "Jan."),
    ("February", "Feb", "Feb."),
    ("March", "Mar", "Mar."),
    ("April", "Apr", "Apr."),
    ("May", "May", "May"),
    ("June", "Jun", "June"),
    ("July", "Jul", "July"),
    ("August", "Aug", "Aug."),
    ("September", "Sep", "Sept", "Sept."),
    ("October", "Oct", "Oct."),
    ("November", "Nov", "Nov."),
    ("December", "Dec", "Dec."),
)
WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
PIVOT = 50  # the first of the years of two digits that are of the 1900s

Form = Callable[[date, random.Random], str]


def _month(day: date, rng: random.Random) -> str:
    names = MONTHS[day.month - 1]
    return names[0] if rng.random() < 0.5 else rng.choice(names[1:])


def _has_two_digits(day: date) -> bool:
    return PIVOT <= day.year - 1900 < PIVOT + 100


def _year(day: date, rng: random.Random) -> str:
    if _has_two_digits(day) and rng.random() < 0.15:
        return f"'{day.year % 100:02}"
    return str(day.year)


def _day_first(day: date, rng: random.Random) -> str:
    """3 March 1998, the 3rd of March 1998, ..."""
    number = rng.choice(("{0}", "{1}", "the {1} of"))
    number = number.format(day.day, suffixed(day.day))
    return f"{number} {_month(day, rng)}{rng.choice(('', '', ','))} {_year(day, rng)}"


def _month_first(day: date, rng: random.Random) -> str:
    """March 3, 1998, Mar. 3rd 1998, ..."""
    number = rng.choice((f"{day.day},", f"{suffixed(day.day)},", suffixed(day.day)))
    return f"{_month(day, rng)} {number} {_year(day, rng)}"


def in_digits(day: date, rng: random.Random) -> str:
    """3/3/98, 03.03.1998, 1998/03/03, ..."""
    if rng.random() < 0.15:
        return f"{day.year}/{day.month:02}/{day.day:02}"
    width = rng.choice(("", "02"))
    short = _has_two_digits(day) and rng.random() < 0.4
    year = f"{day.year % 100:02}" if short else str(day.year)
    return rng.choice("/.-").join((format(day.day, width), format(day.month, width), year))


def _words(day: date, rng: random.Random) -> str:
    """The third of March nineteen ninety-eight, March the third, 1998, ..."""
    month = MONTHS[day.month - 1][0]
    front = rng.choice(("the {0} of {1}", "{0} of {1}", "{1} the {0}", "{1} {0}"))
    year = rng.choice(years(day.year)) if rng.random() < 0.8 else str(day.year)
    return f"{front.format(ordinal(day.day), month)}{rng.choice(('', ','))} {year}"


def _year_first(day: date, rng: random.Random) -> str:
    """1998, the third of March, ..."""
    number = rng.choice((f"the {suffixed(day.day)} of", f"the {ordinal(day.day)} of", f"{day.day}"))
    return f"{day.year}, {number} {_month(day, rng)}"


FORMS: tuple[Form, ...] = (_day_first, _month_first, in_digits, _words, _year_first)
_SHARES = (28, 22, 20, 22, 8)


def write(day: date, rng: random.Random) -> str:
    """Writes a date from 1900 to 2049 in one of its forms, without a preposition.

    The day of the week may be in front.
    """
    text = rng.choices(FORMS, _SHARES)[0](day, rng)
    if rng.random() < 0.25:
        name = WEEKDAYS[day.weekday()]
        return f"{rng.choice((name, name, name[:3]))}{rng.choice((',', ',', ''))} {text}"
    return text
