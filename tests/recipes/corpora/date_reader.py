"""Reads the dates of the built-in corpus of `translation` back, in the direction it never goes."""

import re

UNITS = [
    *("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten"),
    *("eleven", "twelve", "thirteen", "fourteen", "fifteen", "sixteen", "seventeen"),
    *("eighteen", "nineteen"),
]
TENS = ["twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"]
ORDINALS = [
    *("first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth"),
    *("tenth", "eleventh", "twelfth", "thirteenth", "fourteenth", "fifteenth", "sixteenth"),
    *("seventeenth", "eighteenth", "nineteenth", "twentieth", "twenty-first"),
    *("twenty-second", "twenty-third", "twenty-fourth", "twenty-fifth", "twenty-sixth"),
    *("twenty-seventh", "twenty-eighth", "twenty-ninth", "thirtieth", "thirty-first"),
]
MONTHS = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"]

NUMBER = rf"(?:(?:{'|'.join(TENS)})(?:-(?:{'|'.join(UNITS)}))?|{'|'.join(reversed(UNITS))})"
DAY = rf"(?:\d{{1,2}}(?:st|nd|rd|th)?|{'|'.join(reversed(ORDINALS))})\b"
MONTH = rf"(?:{'|'.join(MONTHS)})[a-z]*\.?"
YEAR = rf"(?:\d{{4}}|'\d\d|(?:(?:{NUMBER}|hundred|thousand|and|oh)\b ?)+)"
DATE = re.compile(
    rf"\b(?P<d1>{DAY}) (?:of )?(?P<m1>{MONTH}),? (?P<y1>{YEAR})"
    rf"|\b(?P<m2>{MONTH}) (?:the )?(?P<d2>{DAY}),? (?P<y2>{YEAR})"
    rf"|\b(?P<y3>\d{{4}}), (?:the )?(?P<d3>{DAY}) (?:of )?(?P<m3>{MONTH})"
    r"|(?<!\d)(?P<d4>\d{1,2})(?P<dash>[/.-])(?P<m4>\d{1,2})(?P=dash)(?P<y4>\d{4}|\d\d)(?!\d)"
    r"|(?P<y5>\d{4})/(?P<m5>\d\d)/(?P<d5>\d\d)"
)
PART = r" (?P<part>in the (?:morning|afternoon|evening)|at night)"
TIMES = [
    re.compile(pattern)
    for pattern in (
        r"(?P<h>\d{1,2})(?:[:.](?P<m>\d\d))? ?(?P<half>[ap])\.?m\b",
        r"(?P<h>\d{1,2})[:.](?P<m>\d\d)",
        rf"(?P<m>{NUMBER}|quarter|half) (?P<way>past|to) (?P<h>{NUMBER}){PART}",
        rf"(?P<h>{NUMBER})(?: o'clock| (?:oh )?(?P<m>{NUMBER}))?{PART}",
        rf"(?P<h>{NUMBER}) (?:oh )?(?P<m>{NUMBER}|hundred)",
    )
]
FIRST_OF_TWO = ("instead of", "no longer", "and not on")  # the others mean the second date


def number(text: str) -> int:
    """Reads figures, or words such as `twenty-two`."""
    if text.isdigit():
        return int(text)
    return sum(
        UNITS.index(word) if word in UNITS else 20 + 10 * TENS.index(word)
        for word in text.split("-")
    )


def year(text: str) -> int:
    """Reads 1998, '98, `nineteen ninety-eight`, `two thousand and five`, ..."""
    text = text.lstrip("'").strip()
    if text.isdigit():
        return int(text) if len(text) == 4 else (2000 if int(text) < 50 else 1900) + int(text)
    words = [word for word in text.split() if word not in ("and", "oh")]
    scales = {"hundred": 100, "thousand": 1000}
    scale = next((scales[word] for word in words if word in scales), 100)
    first, *rest = [number(word) for word in words if word not in scales]
    return first * scale + sum(rest)


def date(match: re.Match[str]) -> str:
    found = {
        name[0]: text for name, text in match.groupdict().items() if text and name[1:].isdigit()
    }
    day, month = re.sub(r"(?<=\d)(st|nd|rd|th)", "", found["d"]), found["m"]
    day = int(day) if day.isdigit() else 1 + ORDINALS.index(day)
    month = int(month) if month.isdigit() else 1 + MONTHS.index(month[:3])
    return f"{year(found['y'])}-{month:02}-{day:02}"


def time(text: str) -> str:
    """Reads the time in what is left of a source; `""` if there is none."""
    for word, hour in (("noon", "12:00"), ("midnight", "00:00")):
        if re.search(rf"\b{word}\b", text):
            return f"T{hour}"
    match = next((found for pattern in TIMES if (found := pattern.search(text))), None)
    if match is None:
        return ""
    found = match.groupdict()
    named = {None: 0, "hundred": 0, "quarter": 15, "half": 30}
    minute = named[found["m"]] if found["m"] in named else number(found["m"])
    total = 60 * number(found["h"]) + (-minute if found.get("way") == "to" else minute)
    if found.get("half") or found.get("part"):
        total = total % 720 + 720 * is_late(found, total // 60 % 12)
    return "T{:02}:{:02}".format(*divmod(total, 60))


def is_late(found: dict[str, str | None], hour: int) -> bool:
    """Whether a time is in the second half of the day."""
    part = found.get("half") or found.get("part")
    return part in ("p", "in the afternoon", "in the evening") or (part == "at night" and hour > 5)


def read(source: str) -> str:
    """Reads a source of the corpus, and finds what it is to become."""
    text = source.lower()
    matches = list(DATE.finditer(text))
    first = len(matches) == 1 or any(words in text for words in FIRST_OF_TWO)
    return date(matches[0 if first else -1]) + time(DATE.sub("#", text))
