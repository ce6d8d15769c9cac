"""What the built-in reviews are about: films and five kinds of product, and the parts of each.

A part stands as its names, joined by `|` (a review uses one of them), after a star if it can
break. TRAITS are adjectives for it, DEEDS what it did: what speaks for it, what speaks against it.
"""

from dataclasses import dataclass

from recipes.corpora.reviews.lexicon import COMMON, FILM, PRODUCT, Entry

Choices = tuple[tuple[str, ...], tuple[str, ...]]

KINDS: dict[str, dict[str, Entry]] = {
    "gadget": {
        "noun": "phone, phone, phone, tablet, laptop",
        "habit": "I use it on the train., I took it to {place} {when}., I keep it in the {room}.",
    },
    "audio": {
        "noun": "pair of headphones, pair of headphones, headset",
        "habit": "I keep it in the {room}., I listen to the radio on the train to {place}.",
    },
    "kitchen": {
        "noun": "blender, blender, juicer, coffee grinder, food processor",
        "habit": "It stands next to the oven., I use it on Sundays., I lent it to {whom} {when}.",
    },
    "furniture": {
        "noun": "chair, armchair, sofa, office chair, rocking chair",
        "habit": "It stands next to the door of the {room}., Two men carried it into the {room}.",
    },
    "luggage": {
        "noun": "backpack, suitcase, bag, travel bag",
        "habit": "I took it to {place} {when}., I carry it to work., It has room for ten shirts.",
    },
}

TRAITS: dict[str, dict[str, Entry]] = {
    "film": {
        "plot|story|script": ("gripping, clever, original", "predictable, thin, muddled"),
        "acting|cast|actors|performances": (
            "convincing, lively, natural",
            "wooden, lifeless, stiff",
        ),
        "soundtrack|music|songs|score": (
            "beautiful, haunting, catchy",
            "grating, dreary, annoying",
        ),
        "dialogue|jokes|lines": ("witty, funny, sharp", "flat, stale, clumsy"),
        "ending|finale|last act": ("touching, satisfying, moving", "rushed, confusing, silly"),
        "effects|pictures|scenery|camerawork": (
            "stunning, gorgeous, inventive",
            "ugly, crude, dull",
        ),
        "costumes|sets": ("lavish, charming, authentic", "shabby, drab, fake"),
        "characters|hero|heroine": ("likeable, believable, complex", "shallow, irritating, bland"),
        "pace|editing": ("brisk, lively, elegant", "sluggish, slow, uneven"),
        "direction": ("confident, inventive, skilful", "lazy, clumsy, timid"),
        "opening|first half|first act": ("thrilling, exciting, fresh", "tedious, boring, slow"),
    },
    "gadget": {
        "battery": ("strong, reliable, durable", "weak, unreliable, feeble"),
        "*screen|display": ("sharp, bright, crisp", "blurry, dim, grainy"),
        "*buttons|volume button": ("responsive, sturdy, solid", "sticky, wobbly, loose"),
        "*charger|charging cable": ("fast, compact, handy", "slow, bulky, clumsy"),
        "software|menus|settings": ("intuitive, quick, logical", "confusing, sluggish, messy"),
        "*speaker|speakers": ("clear, rich, powerful", "tinny, harsh, feeble"),
        "*camera": ("sharp, precise, quick", "blurry, crude, slow"),
        "casing|design": ("elegant, sleek, beautiful", "ugly, clumsy, crude"),
    },
    "audio": {
        "sound|bass": ("clear, rich, warm", "tinny, harsh, muffled"),
        "headphones|ear cups": ("comfortable, light, soft", "uncomfortable, heavy, stiff"),
        "*cable|plug": ("sturdy, flexible, durable", "flimsy, stiff, fragile"),
        "*microphone": ("clear, precise, reliable", "muffled, noisy, unreliable"),
        "*headband|hinges": ("sturdy, solid, flexible", "flimsy, wobbly, fragile"),
        "battery": ("strong, reliable, durable", "weak, unreliable, feeble"),
        "design|colour": ("elegant, stylish, beautiful", "ugly, drab, tasteless"),
    },
    "kitchen": {
        "*motor": ("powerful, quiet, reliable", "feeble, noisy, unreliable"),
        "*blades|blade": ("sharp, sturdy, durable", "blunt, flimsy, fragile"),
        "*lid|seal": ("tight, solid, sturdy", "leaky, loose, flimsy"),
        "*handle|base": ("solid, sturdy, comfortable", "wobbly, flimsy, slippery"),
        "*buttons|switch": ("responsive, handy, logical", "sticky, stiff, confusing"),
        "instructions|manual": ("clear, helpful, precise", "confusing, useless, vague"),
        "design": ("elegant, practical, clever", "ugly, impractical, clumsy"),
    },
    "furniture": {
        "seat|cushions|padding": ("comfortable, soft, thick", "uncomfortable, lumpy, thin"),
        "*legs|frame": ("sturdy, solid, strong", "wobbly, flimsy, weak"),
        "fabric|cover": ("soft, durable, lovely", "rough, shoddy, ugly"),
        "*screws|joints": ("solid, tight, strong", "loose, flimsy, feeble"),
        "instructions|manual": ("clear, helpful, precise", "confusing, useless, vague"),
        "design|colour": ("elegant, stylish, tasteful", "ugly, drab, tasteless"),
        "service": ("quick, friendly, punctual", "slow, rude, careless"),
    },
    "luggage": {
        "*zips|zip": ("smooth, sturdy, solid", "stiff, flimsy, fragile"),
        "*straps|handle": ("comfortable, strong, sturdy", "uncomfortable, weak, flimsy"),
        "fabric|lining": ("durable, strong, waterproof", "thin, leaky, shoddy"),
        "pockets|compartments": ("roomy, practical, handy", "cramped, impractical, useless"),
        "*lock|buckle|clasp": ("secure, solid, reliable", "loose, feeble, unreliable"),
        "design|colour": ("elegant, stylish, tasteful", "ugly, drab, tasteless"),
        "service": ("quick, friendly, punctual", "slow, rude, careless"),
    },
}

DEEDS: dict[str, Entry] = {
    "plot|story|script": ("kept me awake, kept me guessing", "put me to sleep, made no sense"),
    "acting|cast|actors|performances": ("moved me, charmed me", "bored me, irritated me"),
    "dialogue|jokes|lines": ("made me laugh, made me smile", "made me yawn, made me sigh"),
    "ending|finale|last act": (
        "moved me to tears, made me cheer",
        "bored me to tears, made me groan",
    ),
    "battery": (
        "lasts for days, lasts for hours, never died on me, has not died once in {span}, "
        "still lasts all day after {span}",
        "died after {span}, dies within hours, dies within minutes, died on me twice, "
        "no longer lasts a day after {span}",
    ),
    "*screen|display": ("did not crack when I dropped it", "cracked when I dropped it"),
    "fabric|lining": ("did not tear in {span}", "tore after {span}"),
    "fabric|cover": ("did not tear in {span}", "tore after {span}"),
}


@dataclass(frozen=True)
class Subject:
    """What one review is about.

    Attributes:
        words: Name of a slot -> its (positive, negative) fillings, the same if it has no side.
        traits: Names of a part -> its (positive, negative) adjectives.
        deeds: Names of a part -> what it can have done.
    """

    words: dict[str, Choices]
    traits: dict[str, Choices]
    deeds: dict[str, Choices]


def _choices(entry: Entry) -> Choices:
    positive, negative = (entry, entry) if isinstance(entry, str) else entry
    return tuple(positive.split(", ")), tuple(negative.split(", "))


def _subject(kind: str, entries: dict[str, Entry]) -> Subject:
    words = {name: _choices(entry) for name, entry in (COMMON | entries).items()}
    mild, strong = words["mild"], words["strong"]
    words["adjective"] = (mild[0] + strong[0], mild[1] + strong[1])
    traits = {part: _choices(entry) for part, entry in TRAITS[kind].items()}
    deeds = {part: _choices(DEEDS[part]) for part in traits if part in DEEDS}
    return Subject(words, traits, deeds)


FILMS = _subject("film", FILM)
PRODUCTS = tuple(_subject(kind, PRODUCT | entries) for kind, entries in KINDS.items())
