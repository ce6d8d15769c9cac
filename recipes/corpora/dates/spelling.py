"""Days, years and minutes in English words, for the built-in corpus of the translation recipe."""

UNITS = (
    *("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten"),
    *("eleven", "twelve", "thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen"),
    "nineteen",
)
TENS = ("twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety")
_ORDINALS = {
    "one": "first",
    "two": "second",
    "three": "third",
    "five": "fifth",
    "eight": "eighth",
    "nine": "ninth",
    "twelve": "twelfth",
    "twenty": "twentieth",
    "thirty": "thirtieth",
}


def cardinal(number: int) -> str:
    """Spells a number from 0 to 99.

    Example:
        >>> cardinal(7), cardinal(40), cardinal(98)
        ('seven', 'forty', 'ninety-eight')
    """
    if number < len(UNITS):
        return UNITS[number]
    tens, rest = TENS[number // 10 - 2], number % 10
    return f"{tens}-{UNITS[rest]}" if rest else tens


def ordinal(number: int) -> str:
    """Spells the place of a number from 1 to 39.

    Example:
        >>> ordinal(3), ordinal(14), ordinal(22)
        ('third', 'fourteenth', 'twenty-second')
    """
    front, dash, last = cardinal(number).rpartition("-")
    return front + dash + _ORDINALS.get(last, last + "th")


def suffixed(number: int) -> str:
    """Writes the place of a number from 1 to 99 in digits.

    Example:
        >>> suffixed(3), suffixed(11), suffixed(22)
        ('3rd', '11th', '22nd')
    """
    ending = {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th")
    return f"{number}{'th' if number // 10 == 1 else ending}"


def years(year: int) -> list[str]:
    """Lists the ways in which a year from 1900 to 2099 is said.

    Example:
        >>> years(1904)
        ['nineteen oh four', 'nineteen hundred and four']
        >>> years(2005)
        ['two thousand and five', 'two thousand five']
        >>> years(2024)
        ['twenty twenty-four', 'two thousand and twenty-four']
    """
    century, rest = divmod(year, 100)
    hundreds, last = cardinal(century), cardinal(rest)
    if year == 2000:
        return ["two thousand"]
    if century == 20:
        words = f"two thousand and {last}"
        return [words, f"two thousand {last}"] if rest < 10 else [f"{hundreds} {last}", words]
    if rest == 0:
        return [f"{hundreds} hundred"]
    if rest < 10:
        return [f"{hundreds} oh {last}", f"{hundreds} hundred and {last}"]
    return [f"{hundreds} {last}"]
