"""The built-in corpus of the `pos` recipe: English sentences and their tags, without network.

Context decides, not words: most of the words are of two classes or three (`the guards light the
light`, `that that guard is light`), and many are made up, so that their endings must speak. A table
of words and their tags stays clearly below a bidirectional network on it.
"""

import random

from recipes.corpora.parts_of_speech.grammar import RULES, TAGS
from recipes.corpora.parts_of_speech.lexicon import Words
from recipes.data.splits import SPLITS

Pair = tuple[tuple[str, ...], tuple[str, ...]]  # tokens, and as many tags

SIZES = (4000, 500, 500)  # sentences for training, validation and test
LENGTHS = range(4, 26)  # tokens
SMALL_FIRST = 0.04  # the share of sentences without a capital in front

EXAMPLES = (
    "The patient guards light the light near the well.",
    "Rose knows that that guard can open the can.",
    "The cook saw the saw, and the guide watches her.",
    "The brelper tremps the blofts, but the gronder is slowly glumfing.",
    "May we march to the harbour to book a light box in March?",
    "After the walk the pilots walk, and after they dance they cook.",
)


def generate(seed: int = 0) -> tuple[list[Pair], list[Pair], list[Pair]]:
    """Writes the built-in corpus, no sentence of which occurs twice.

    Of one seed: 4000 sentences for training, 500 for validation and 500 for test, each a pair of
    its tokens and their universal part-of-speech tags (UPOS).
    """
    rng = random.Random(seed)
    written: set[str] = set()
    train, validation, test = (
        [_write_new(Words(split, rng), rng, written) for _ in range(size)]
        for split, size in zip(SPLITS, SIZES, strict=True)
    )
    return train, validation, test


def _write_new(words: Words, rng: random.Random, written: set[str]) -> Pair:
    """A sentence of a fit length; the same words were not `written` before in any split."""
    while True:
        tagged = fill("{sentence}", words)
        tokens, tags = zip(*tagged, strict=True)
        text = " ".join(tokens).lower()
        if len(tokens) in LENGTHS and _is_varied(tagged) and text not in written:
            written.add(text)
            return _polish(tokens, rng), tags


def fill(template: str, words: Words) -> list[tuple[str, str]]:
    """Fills the slots of `template`, from left to right: tokens and their tags."""
    tagged: list[tuple[str, str]] = []
    for piece in template.split():
        slot = piece[1:-1]
        if not piece.startswith("{"):
            word, _, tag = piece.partition("/")
            tagged.append((word, tag or TAGS[word]))
        elif slot in RULES:
            tagged += fill(words.rng.choice(RULES[slot]), words)
        else:
            tagged.append(words.draw(slot))
    return tagged


def _is_varied(tagged: list[tuple[str, str]]) -> bool:
    """Whether no word stands twice in the same class, as `light` may in several."""
    open_words = [pair for pair in tagged if pair[1] in ("NOUN", "VERB", "ADJ", "PROPN")]
    return len(set(open_words)) == len(open_words)


def _polish(tokens: tuple[str, ...], rng: random.Random) -> tuple[str, ...]:
    """Articles and capitals, the way people write them."""
    following = [*tokens[1:], ""]
    tokens = tuple(
        "an" if token == "a" and after[0] in "aeiou" else token
        for token, after in zip(tokens, following, strict=True)
    )
    if rng.random() < SMALL_FIRST:
        return tokens
    return (tokens[0][0].upper() + tokens[0][1:], *tokens[1:])
