"""The built-in corpus of the translation recipe: dates and times as people write them -> ISO 8601.

`see you on Tuesday, the third of March nineteen ninety-eight, at half past four in the afternoon`
becomes `1998-03-03T16:30`. Which word means what, its neighbours decide: a day, a month, a year, an
hour, the number of a room, or a date that is not the one. Where a date is all digits the day comes
first, as in Europe; years of two digits are those from 1950 to 2049.
"""

import random
from collections.abc import Sequence
from datetime import date, timedelta

from recipes.corpora.dates import clock, dates
from recipes.corpora.dates.lexicon import BARE, WITH_ON, WITHOUT
from recipes.data.items import Pair

Pairs = list[Pair]

SIZES = (32000, 800, 800)  # pairs for training, validation and test
FIRST, LAST = date(1900, 1, 1), date(2049, 12, 31)
LONGEST = 110  # characters of a source

EXAMPLES = (
    "Tuesday, 3 March 1998",
    "see you on the twenty-first of June twenty thirty-one at half past four in the afternoon",
    "moved from 12/04/2019 to 5.4.19, 9.15 am",
    "a quarter to nine in the evening on Sept. 9th, 1945",
    "flight 1905 leaves at nineteen oh five on March the third, nineteen oh five",
)


def generate(seed: int = 0) -> tuple[Pairs, Pairs, Pairs]:
    """Writes the built-in corpus: no source twice, and no day in more than one split.

    Of one seed: 32,000 pairs for training, 800 for validation and 800 for test.

    Example:
        >>> train, _, _ = generate(seed=0)
        >>> train[0]
        Pair(source='3RD FEBRUARY, 1940 INSTEAD OF 2004, 24 JAN', target='1940-02-03')
    """
    rng = random.Random(seed)
    days = [FIRST + timedelta(number) for number in range((LAST - FIRST).days + 1)]
    rng.shuffle(days)
    written = set(EXAMPLES)
    parts, start = [], 0
    for size in SIZES:
        end = start + len(days) * size // sum(SIZES)
        own = days[start:end]
        parts.append([_new(own, rng, written) for _ in range(size)])
        start = end
    return parts[0], parts[1], parts[2]


def _new(days: Sequence[date], rng: random.Random, written: set[str]) -> Pair:
    """A pair whose source was not `written` before in any split."""
    pair = _pair(days, rng)
    while pair.source in written or len(pair.source) > LONGEST:
        pair = _pair(days, rng)
    written.add(pair.source)
    return pair


def _pair(days: Sequence[date], rng: random.Random) -> Pair:
    day, other = rng.sample(days, 2)
    target, time = day.isoformat(), ""
    if rng.random() < 0.4:
        in_words = rng.random() < 0.6
        minutes = clock.draw(rng, in_words)
        time = clock.write(minutes, rng, in_words)
        target += "T{:02}:{:02}".format(*divmod(minutes, 60))
    templates, join = rng.choice(((BARE, _without), (WITH_ON, _with_on), (WITHOUT, _without)))
    template = rng.choice(templates)
    text = template.format(
        join(dates.write(day, rng), time, rng),
        other=dates.write(other, rng) if "{other}" in template else "",
        number=rng.randrange(2, 2000),
    )
    return Pair(_case(text, rng), target)


def _with_on(day: str, time: str, rng: random.Random) -> str:
    if not time:
        return f"on {day}"
    return rng.choice((f"on {day} at {time}", f"on {day}, at {time}", f"at {time} on {day}"))


def _without(day: str, time: str, rng: random.Random) -> str:
    if not time:
        return day
    forms = [f"{day} at {time}", f"{time} on {day}"]
    if any(letter.isdigit() for letter in time):
        forms += [f"{day}, {time}", f"{time}, {day}", f"{day} {time}"]
    return rng.choice(forms)


def _case(text: str, rng: random.Random) -> str:
    """As it is, with a capital in front, in small letters or in capitals."""
    as_is, capital = str, lambda each: each[:1].upper() + each[1:]
    return rng.choices((as_is, capital, str.lower, str.upper), (35, 35, 20, 10))[0](text)
