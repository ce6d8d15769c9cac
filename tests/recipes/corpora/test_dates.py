"""The built-in dates of the `translation` recipe: reproducible, right, in many forms."""

import random
import re
from collections import Counter
from datetime import date, datetime

import pytest

from recipes.corpora.dates import clock, dates
from recipes.corpora.dates.corpus import EXAMPLES, FIRST, LAST, LONGEST, generate
from recipes.corpora.dates.lexicon import WITH_ON, WITHOUT
from recipes.corpora.dates.spelling import cardinal, ordinal, suffixed, years
from recipes.data.items import Pair
from tests.recipes.corpora.date_reader import DATE, read

YEARS = {
    1900: ["nineteen hundred"],
    1901: ["nineteen oh one", "nineteen hundred and one"],
    1904: ["nineteen oh four", "nineteen hundred and four"],
    1909: ["nineteen oh nine", "nineteen hundred and nine"],
    1910: ["nineteen ten"],
    1912: ["nineteen twelve"],
    1919: ["nineteen nineteen"],
    1920: ["nineteen twenty"],
    1945: ["nineteen forty-five"],
    1967: ["nineteen sixty-seven"],
    1983: ["nineteen eighty-three"],
    1998: ["nineteen ninety-eight"],
    1999: ["nineteen ninety-nine"],
    2000: ["two thousand"],
    2001: ["two thousand and one", "two thousand one"],
    2005: ["two thousand and five", "two thousand five"],
    2009: ["two thousand and nine", "two thousand nine"],
    2010: ["twenty ten", "two thousand and ten"],
    2013: ["twenty thirteen", "two thousand and thirteen"],
    2020: ["twenty twenty", "two thousand and twenty"],
    2024: ["twenty twenty-four", "two thousand and twenty-four"],
    2049: ["twenty forty-nine", "two thousand and forty-nine"],
}
ORDINALS = (
    "first second third fourth fifth sixth seventh eighth ninth tenth eleventh twelfth thirteenth "
    "fourteenth fifteenth sixteenth seventeenth eighteenth nineteenth twentieth twenty-first "
    "twenty-second twenty-third twenty-fourth twenty-fifth twenty-sixth twenty-seventh "
    "twenty-eighth twenty-ninth thirtieth thirty-first"
)
SUFFIXED = (
    "1st 2nd 3rd 4th 5th 6th 7th 8th 9th 10th 11th 12th 13th 14th 15th 16th 17th 18th 19th 20th "
    "21st 22nd 23rd 24th 25th 26th 27th 28th 29th 30th 31st"
)
TIMES = {  # as a reader says them, by hand
    (0, 0): {"midnight", "0:00", "00.00", "12 am", "12:00 a.m."},
    (12, 0): {"noon", "12:00", "12 pm"},
    (0, 35): {"twenty-five to one at night", "twelve thirty-five at night", "12.35am"},
    (2, 45): {"quarter to three at night", "a quarter to three at night", "2:45"},
    (9, 5): {"five past nine in the morning", "nine oh five in the morning", "9.05 am"},
    (11, 50): {"ten to twelve in the morning", "eleven fifty in the morning"},
    (12, 40): {"twenty to one in the afternoon", "twelve forty in the afternoon", "12:40 p.m."},
    (16, 0): {"four in the afternoon", "four o'clock in the afternoon", "sixteen hundred", "4 pm"},
    (16, 30): {"half past four in the afternoon", "four thirty in the afternoon"}
    | {"sixteen thirty", "16:30", "4.30 pm", "4:30 p.m.", "4.30pm"},
    (20, 45): {"quarter to nine in the evening", "twenty forty-five", "20.45"},
    (23, 50): {"ten to twelve at night", "eleven fifty at night", "twenty-three fifty"},
}
DATES = {
    date(1998, 3, 3): {"3 March 1998", "3rd Mar 1998", "the 3rd of March, 1998", "3 Mar. '98"}
    | {"March 3, 1998", "Mar. 3rd 1998", "3/3/98", "03.03.1998", "3-3-1998", "1998/03/03"}
    | {"the third of March nineteen ninety-eight", "March the third, nineteen ninety-eight"}
    | {"March third 1998", "1998, the 3rd of March", "1998, 3 March", "Tuesday, 3 March 1998"},
    date(2005, 9, 21): {"21/9/05", "21.09.2005", "Sept. 21, 2005", "Wed 21st Sep 2005"}
    | {"the twenty-first of September two thousand and five", "21 September '05"},
    date(1904, 5, 12): {"12 May 1904", "12.5.1904", "twelfth of May nineteen oh four"},
}


@pytest.fixture(scope="module")
def corpus():
    return generate()


@pytest.fixture(scope="module")
def other():
    """The corpus of another seed."""
    return generate(7)


@pytest.fixture(scope="module")
def every(corpus):
    return sum(corpus, [])


def test_the_corpus_begins_as_it_did(corpus):
    train, validation, test = corpus
    assert (len(train), len(validation), len(test)) == (32000, 800, 800)
    assert train[:4] == [
        Pair("3RD FEBRUARY, 1940 INSTEAD OF 2004, 24 JAN", "1940-02-03"),
        Pair("14.9.2030 instead of December third, two thousand", "2030-09-14"),
        Pair("flight 241 leaves on 8 feb 1979", "1979-02-08"),
        Pair("(3 june 1964)", "1964-06-03"),
    ]


def test_a_seed_gives_one_corpus(corpus, other):
    assert generate(0) == corpus
    assert other[0][:5] != corpus[0][:5]


def test_no_source_and_no_day_stands_in_two_splits(corpus, every):
    sources = [pair.source for pair in every]
    assert len(sources) == len(set(sources))
    days = [{pair.target[:10] for pair in part} for part in corpus]
    assert not days[0] & days[1] and not days[0] & days[2] and not days[1] & days[2]
    assert not set(sources) & set(EXAMPLES)
    assert max(map(len, sources)) <= LONGEST


def test_a_reader_that_does_not_know_how_they_were_written_finds_every_target(corpus, other):
    train, validation, test = corpus
    for pair in train[::3] + validation + test + sum(other, [])[::4]:
        assert read(pair.source) == pair.target, pair


def test_every_target_is_a_date_of_the_years_promised_and_perhaps_a_time(every):
    for pair in every:
        moment = datetime.fromisoformat(pair.target)
        assert FIRST <= moment.date() <= LAST
        form = "%Y-%m-%dT%H:%M" if "T" in pair.target else "%Y-%m-%d"
        assert moment.strftime(form) == pair.target
    times = sum("T" in pair.target for pair in every) / len(every)
    assert 0.35 < times < 0.45
    assert {pair.target[:4] for pair in every} == {str(year) for year in range(1900, 2050)}


def test_times_that_are_hard_to_read_are_frequent(every):
    texts = [pair.source.lower() for pair in every]
    hour = r"(?:one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve)"
    to = re.compile(rf" to {hour} (?:in the|at night)")
    assert sum(bool(to.search(text)) for text in texts) > 0.07 * len(texts)
    twelve = re.compile(r"\b12[.:]?\d* ?a\.?m\b")
    assert sum(bool(twelve.search(text)) for text in texts) > 0.007 * len(texts)


def test_days_of_the_week_agree_with_the_dates(every):
    names = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
    pattern = re.compile(rf"\b({'|'.join(names)})(?:[a-z]*day)?\b")
    found = 0
    for pair in every:
        said = pattern.findall(pair.source.lower())
        if said and len(DATE.findall(pair.source.lower())) == 1:
            assert said == [names[date.fromisoformat(pair.target[:10]).weekday()]], pair
            found += 1
    assert found > 4000


def test_the_examples_are_read_as_a_person_reads_them():
    assert [read(source) for source in EXAMPLES] == [
        "1998-03-03",
        "2031-06-21T16:30",
        "2019-04-05T09:15",
        "1945-09-09T20:45",
        "1905-03-03T19:05",
    ]


def test_years_are_said_as_in_the_list_and_no_two_alike():
    assert {year: years(year) for year in YEARS} == YEARS
    said = [words for year in range(1900, 2050) for words in years(year)]
    assert len(said) == len(set(said))


def test_days_and_numbers_are_spelled_as_in_the_lists():
    assert [ordinal(day) for day in range(1, 32)] == ORDINALS.split()
    assert [suffixed(day) for day in range(1, 32)] == SUFFIXED.split()
    some = {0: "zero", 8: "eight", 11: "eleven", 15: "fifteen", 20: "twenty", 40: "forty"}
    some |= {55: "fifty-five", 90: "ninety", 99: "ninety-nine"}
    assert {number: cardinal(number) for number in some} == some
    assert len({cardinal(number) for number in range(100)}) == 100


@pytest.mark.parametrize(("time", "forms"), TIMES.items())
def test_a_time_is_written_in_these_forms_among_others(time, forms):
    rng, minutes = random.Random(0), 60 * time[0] + time[1]
    written = {clock.write(minutes, rng, in_words) for in_words in [True, False] * 500}
    assert forms <= written
    for text in written:
        assert read(f"3 March 1998 at {text}") == "1998-03-03T{:02}:{:02}".format(*time)


@pytest.mark.parametrize(("day", "forms"), DATES.items())
def test_a_date_is_written_in_these_forms_among_others(day, forms):
    rng = random.Random(0)
    written = {dates.write(day, rng) for _ in range(10000)}
    assert forms <= written
    assert {read(text) for text in written} == {day.isoformat()}


def test_figures_put_the_day_first_and_two_of_a_year_are_from_1950_to_2049():
    rng = random.Random(0)
    for year, short in ((1949, False), (1950, True), (1999, True), (2000, True), (2049, True)):
        forms = {dates.in_digits(date(year, 4, 5), rng) for _ in range(400)}
        assert {f"5/4/{year}", f"05.04.{year}", f"{year}/04/05"} <= forms
        assert (f"5/4/{year % 100:02}" in forms) == short
        assert not any(form.startswith(("4", "04")) for form in forms)


def test_every_surrounding_and_every_case_is_used(every):
    texts = [pair.source.lower() for pair in every]
    for template in (*WITH_ON, *WITHOUT):
        words = [part for part in re.split(r"\{\w*\}", template.lower()) if part.strip()]
        assert sum(all(word in text for word in words) for text in texts) > 50, template
    cases = Counter(
        "upper" if pair.source.isupper() else "lower" if pair.source.islower() else "mixed"
        for pair in every
    )
    assert cases["upper"] > 3000 and cases["lower"] > 6000 and cases["mixed"] > 16000
