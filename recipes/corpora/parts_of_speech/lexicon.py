"""The words of the built-in POS corpus: English ones of several classes, and regular made-up ones.

Most English verbs here are nouns or adjectives too. The made-up words follow the rules of English
(`to trelp`, `the trelper`, `the trelping`); of their stems a sixth is in the validation split
alone and a sixth in the test split alone, so that endings and context must decide.
"""

import random
from itertools import product


def _words(text: str) -> tuple[str, ...]:
    return tuple(text.split())


# What can be drawn; the lists overlap on purpose.
CLASSES = {
    "person": _words("""
        cook guard guide nurse judge pilot coach host model rival patient cook guard guide nurse
        farmer teacher sailor baker doctor boy girl neighbour painter
    """),
    "thing": _words("""
        saw watch book box plant brush hammer lock paint mark record cover light polish sketch
        stamp label map mirror hook can iron orange drum whistle saw watch light
        table letter chair window cup picture basket ladder
    """),
    "event": _words("""
        walk dance rest swim laugh dream talk visit fight race run shout march stop cry play show
        party journey concert
    """),
    "place": _words("park kitchen station harbour school market village square office library"),
    "quality": _words("calm quiet cold light work kindness darkness silence play weakness"),
    "act": _words("""
        saw watch book box plant brush hammer lock paint mark record cover light polish sketch
        stamp label map mirror hook iron guard guide judge model drum
        clean open empty dry warm cool free smooth
        repair carry admire need move
    """),
    "go": _words("""
        walk dance rest swim laugh dream talk work wait play fight run shout march stop cry cook
        whistle arrive smile
    """),
    "roam": _words("walk dance swim run march race"),  # to a place
    "kind": _words(
        "patient calm quiet cold warm slow fast early late free cool kind young old tall"
    ),
    "heavy": _words("""
        light open empty dry clean square orange cold warm cool hard smooth heavy old cheap
        narrow
    """),
    "long": _words("long short cold warm late early quiet calm hard slow cheap fast"),
    "short": _words("calm quiet cold warm slow fast late early cool kind young old tall"),
    "well": _words("fast hard late early well slowly quietly often again here there badly"),
    "name": _words("Rose Will Mark Grace Bill Jack May Hope Frank Anna Oscar Nina Carlos Mei"),
    "weekday": _words("Monday Tuesday Thursday Friday Sunday"),
    "month": _words("March May April June August"),
    "number": _words("two three four five ten 2 3 7 12 40 100"),
    "modal": _words("can will may might must should could would can will"),
    "says": _words("says said thinks thought knows knew hopes hoped believes"),
}

TAGS = {
    **dict.fromkeys(("person", "thing", "event", "place", "quality"), "NOUN"),
    **dict.fromkeys(("act", "go", "roam", "says"), "VERB"),
    **dict.fromkeys(("kind", "heavy", "long", "short"), "ADJ"),
    **dict.fromkeys(("name", "weekday", "month"), "PROPN"),
    **{"well": "ADV", "number": "NUM", "modal": "AUX"},
}

# A slot of the grammar -> a class and the form of its word; other slots are a class, as it is.
FORMS = {
    **{f"{noun}s": (noun, "s") for noun in ("person", "thing", "event")},
    **{"acts": ("act", "s"), "goes": ("go", "s"), "roams": ("roam", "s")},
    **{f"{verb}ed": (verb, "past") for verb in ("act", "go")},
    **{f"{verb}en": (verb, "participle") for verb in ("act", "go")},
    **{f"{verb}ing": (verb, "ing") for verb in ("act", "go")},
    "acting_of": ("act", "ing"),  # a noun: the painting of the chairs
    "shorter": ("short", "er"),
}

IRREGULAR = {  # past and participle
    "light": ("lit", "lit"),
    "swim": ("swam", "swum"),
    "run": ("ran", "run"),
    "fight": ("fought", "fought"),
    "dream": ("dreamt", "dreamt"),
}
DOUBLED = frozenset(_words("swim run stop map drum label model"))  # stopped, stopping

# Stems of made-up words, and what a class makes of them.
BEGINNINGS = _words("tr pl dr fl gr sn bl cl sk st br sp")
VERBS = _words("elp ond isk unt ilt arn oft emp")
ADJECTIVES = _words("ald umf omal erin onous")
TAKEN = frozenset(_words("brisk grunt stunt blunt blond stilt spilt skald flisk clunt"))
MADE_UP = {  # class -> kind of stem, endings
    "person": ("verb", ("er",)),
    "thing": ("verb", ("", "", "er")),
    "event": ("verb", ("", "ation", "ation")),
    "quality": ("adjective", ("ness",)),
    "act": ("verb", ("",)),
    "go": ("verb", ("",)),
    "roam": ("verb", ("",)),
    "kind": ("adjective", ("",)),
    "short": ("adjective", ("",)),
    "heavy": ("adjective", ("",)),
    "well": ("adjective", ("ly",)),
}
SHARE_MADE_UP = 0.18  # of the words of a class that has such
SHARE_NEW = 0.5  # of those, outside of training, with a stem of the split's own


def form(word: str, kind: str) -> str:
    """A word with its regular or irregular ending: plural or third person, past, and so on.

    Args:
        word: As in the dictionary.
        kind: `s`, `past`, `participle`, `ing` or `er`.

    Example:
        >>> [form("carry", kind) for kind in ("s", "past", "ing")]
        ['carries', 'carried', 'carrying']
    """
    if kind in ("past", "participle") and word in IRREGULAR:
        return IRREGULAR[word][kind == "participle"]
    ending = {"past": "ed", "participle": "ed"}.get(kind, kind)
    if word.endswith("y") and word[-2] not in "aeiou" and kind != "ing":
        return word[:-1] + ("ies" if kind == "s" else "i" + ending)
    if kind == "s":
        return word + ("es" if word.endswith(("s", "x", "ch", "sh")) else "s")
    if word in DOUBLED:
        return word + word[-1] + ending
    return word.removesuffix("e") + ending


class Words:
    """Draws words for one split; validation and test have stems of their own."""

    def __init__(self, split: str, rng: random.Random) -> None:
        """Sorts out which stems the split may use."""
        self.rng = rng
        own = {"train": None, "validation": 4, "test": 5}[split]
        self.stems: dict[str, list[str]] = {}
        self.new: dict[str, list[str]] = {}
        for kind, endings in (("verb", VERBS), ("adjective", ADJECTIVES)):
            stems = ["".join(parts) for parts in product(BEGINNINGS, endings)]
            numbered = list(enumerate(stem for stem in stems if stem not in TAKEN))
            self.stems[kind] = [stem for place, stem in numbered if place % 6 < 4]
            self.new[kind] = [stem for place, stem in numbered if place % 6 == own]

    def draw(self, slot: str) -> tuple[str, str]:
        """A word for a slot of the grammar, in its form, and its tag."""
        name, kind = FORMS.get(slot, (slot, ""))
        tag = TAGS[name] if slot != "acting_of" else "NOUN"
        if name in MADE_UP and self.rng.random() < SHARE_MADE_UP:
            word = self._made_up(name)
        else:
            word = self.rng.choice(CLASSES[name])
        return (form(word, kind) if kind else word), tag

    def _made_up(self, name: str) -> str:
        kind, endings = MADE_UP[name]
        new = bool(self.new[kind]) and self.rng.random() < SHARE_NEW
        stems = self.new[kind] if new else self.stems[kind]
        if name == "short":  # -er is for short adjectives
            stems = [stem for stem in stems if stem.endswith(("ald", "umf"))]
        return self.rng.choice(stems) + self.rng.choice(endings)
