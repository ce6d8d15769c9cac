"""The words of the built-in lines of the `generation` recipe; `grammar` puts them together."""

PAIRS = {"(": ")", "[": "]", "{": "}"}  # a bracket and the one that closes it
FILLING = "abcdefgh"  # what stands between brackets

# Of each rhyme family: nouns; verbs; adjectives. No two words of a family sound the same.
_RHYMES = (
    "night light kite height; write fight bite; bright white polite",
    "day bay hay tray clay; stay play pray; gray",
    "tree sea bee key tea; agree flee; free",
    "hill mill quill sill; drill grill chill; still ill",
    "town crown gown clown; frown; brown",
    "rain lane train chain crane; complain remain explain; vain plain",
    "gold fold marigold; scold unfold; cold old bold",
    "bear chair stair pear; care share dare swear; rare fair",
    "snow crow toe hoe; grow know glow; slow low",
    "shore door floor store; snore roar explore; sore",
)

PARTS_OF_SPEECH = ("noun", "verb", "adjective")

# A family's words by part of speech.
FAMILIES: tuple[dict[str, tuple[str, ...]], ...] = tuple(
    {
        part: tuple(words.split())
        for part, words in zip(PARTS_OF_SPEECH, line.split(";"), strict=True)
    }
    for line in _RHYMES
)

# What a rhyme word is: the number of its family, and its part of speech.
RHYMES = {
    word: (number, part)
    for number, family in enumerate(FAMILIES)
    for part, words in family.items()
    for word in words
}

Forms = tuple[str, str]  # of one thing, and of several


def _nouns(text: str) -> tuple[Forms, ...]:
    """Reads nouns; where the plural is not given behind a slash, it ends in s."""
    parts = (word.partition("/") for word in text.split())
    return tuple((one, many or f"{one}s") for one, _, many in parts)


NOUNS: dict[str, tuple[Forms, ...]] = {
    "creature": _nouns("""
        cat dog horse bird rabbit owl goose/geese mouse/mice ox/oxen wolf/wolves fox/foxes
        calf/calves pony/ponies child/children man/men woman/women thief/thieves baby/babies
        witch/witches lady/ladies farmer sailor nurse queen princess/princesses
    """),
    "thing": _nouns("""
        house barn church/churches bridge tower city/cities bush/bushes leaf/leaves knife/knives
        shelf/shelves box/boxes lamp boat table wagon bench/benches glass/glasses window
        berry/berries statue
    """),
}

VERBS: dict[str, tuple[Forms, ...]] = {
    "be": (("was", "were"), ("is", "are")),
    "have": (("has", "have"),),
    "do": (("does", "do"),),
}

LISTS: dict[str, tuple[str, ...]] = {
    name: tuple(" ".join(items.split()).split(", "))
    for name, items in {
        # agreement
        "quality": """old, new, small, big, little, tall, quiet, strange, wet, dusty, brown, white,
            black, red, green, pretty, heavy, pale, cold, dirty""",
        "near": "near, behind, beside, opposite, beyond, below",
        "saw": """saw, found, liked, loved, missed, feared, watched, passed, noticed, knew, forgot,
            hated""",
        "mood": """asleep, hungry, afraid of the dark, ready to leave, in love, awake at last,
            glad to be home, tired of waiting, sick at heart, on the way home""",
        "state": """gone, lost for good, never seen again, still there, hard to find, too far away,
            rather strange, full of dust, famous, out of sight, as old as the hills""",
        "deed": "gone home, run away, slept all day, lost the way, had enough, grown fat, eaten",
        "change": "vanished, been stolen, fallen over, turned up again, come into view, changed",
        "act": "sleep, like the rain, want to leave, come back, listen, know the way, eat much",
        "show": "matter, belong here, look right, move, seem real, last for ever",
        # couplets
        "trait": "old, young, tired, merry, lonely, clever, gentle, hungry, silent, foolish",
        "person": """miller, baker, farmer, sailor, singer, widow, soldier, painter, doctor, maid,
            hunter, teacher, captain, beggar, fiddler""",
        "rested": "sat, slept, stood, waited, rested, danced, worked, walked",
        "beside": "beside, behind, before, beyond, below, under, around, near",
        "season": "winter, summer, autumn, morning, evening, sunday",
        "looked_for": "watched, drew, lost, found, hid, saw, painted, followed",
        "sight": "moon, sun, stars, ships, geese, lanterns, shadows, swallows, roses, clouds",
        "animal": "robin, donkey, rabbit, hen, horse, sparrow, lamb, fox, pigeon, badger",
        "animals": "robins, donkeys, rabbits, hens, horses, sparrows, lambs, foxes, badgers",
        "dozed": "dozed, gathered, lay, played, wandered, hopped, lingered",
        "place": "garden, village, valley, forest, castle, kitchen, meadow, city",
        "seemed": "seemed, looked, felt, was, had grown",
        "too": "so, too, very, rather, quite, a little",
    }.items()
}
