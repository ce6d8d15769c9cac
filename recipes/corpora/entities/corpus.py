"""The built-in corpus of the `ner` recipe: persons, cities and products, written without network.

Context decides, not words: most names stand for all three types, and what distinguishes them may be
many tokens away, before the name or after it. A table of words and their tags stays far below a
bidirectional network on it.
"""

import random

from recipes.corpora.entities.grammar import RULES
from recipes.corpora.entities.lexicon import LISTS, TYPES, Names
from recipes.data.splits import SPLITS

Pair = tuple[tuple[str, ...], tuple[str, ...]]  # tokens, and as many tags
Tagged = list[tuple[str, str]]  # of each token: itself and its tag

SIZES = (4000, 500, 500)  # sentences for training, validation and test
LENGTHS = range(4, 26)  # tokens

EXAMPLES = (
    "Jordan, as my aunt told me, was founded in 1820.",
    "Jordan, as my aunt told me, was born in 1982.",
    "The new Jordan, as my aunt told me, needs a charger.",
    "Everyone talks about Tanbury, because its beaches are so clean.",
    "In Port Denver Austin bought a used Florence X 2.",
    "May I borrow the roses that Rose planted in May?",
)

SMALL_FIRST = 0.07  # the share of sentences without any capital
CAPITALS = 0.04  # and of those in capitals
ECHO = 0.15  # the share of sentences whose names of different types are the same word


def generate(seed: int = 0) -> tuple[list[Pair], list[Pair], list[Pair]]:
    """Writes the built-in corpus, no sentence of which occurs twice.

    Of one seed: 4000 sentences for training, 500 for validation and 500 for test, each a pair of
    its tokens and their tags in BIO, of the types `person`, `city` and `product`.
    """
    rng = random.Random(seed)
    written: set[str] = set()
    train, validation, test = (
        [_write_new(Names(split, rng), rng, written) for _ in range(size)]
        for split, size in zip(SPLITS, SIZES, strict=True)
    )
    return train, validation, test


def _write_new(names: Names, rng: random.Random, written: set[str]) -> Pair:
    """A sentence of a fit length; the same words were not `written` before in any split."""
    while True:
        tagged = Writer(names, rng).fill("{sentence}")
        words = " ".join(token.lower() for token, _ in tagged)
        if len(tagged) in LENGTHS and words not in written:
            written.add(words)
            tokens = _polish([token for token, _ in tagged], rng)
            return tuple(tokens), tuple(tag for _, tag in tagged)


def _polish(tokens: list[str], rng: random.Random) -> list[str]:
    """Articles and capitals, the way people write them."""
    following = [*tokens[1:], ""]
    tokens = [_article(*pair) for pair in zip(tokens, following, strict=True)]
    style = rng.random()
    if style < SMALL_FIRST:
        return [token.lower() for token in tokens]
    if style < SMALL_FIRST + CAPITALS:
        return [token.upper() for token in tokens]
    before = [".", *tokens[:-1]]
    return [
        token[0].upper() + token[1:] if last in ".?!" else token
        for last, token in zip(before, tokens, strict=True)
    ]


def _article(token: str, following: str) -> str:
    return "an" if token == "a" and following[0] in "aeiouAEIOU" and following != "used" else token


class Writer:
    """Writes one sentence: fills slots, gives no two things in it the same name."""

    def __init__(self, names: Names, rng: random.Random) -> None:
        """Settles whether things of different types share their name in this sentence."""
        self.names = names
        self.rng = rng
        self.echo = rng.random() < ECHO
        self.pronouns = names.pronouns("")  # for the person named last
        self.used: dict[str, set[str]] = {}  # the word of a name -> the types it had

    def fill(self, template: str) -> Tagged:
        """Fills the slots of `template`, from left to right."""
        tagged: Tagged = []
        for piece in template.split():
            slot = piece[1:-1] if piece.startswith("{") else ""
            if slot in TYPES:
                tagged += self._name(slot, *(tagged[-1] if tagged else ("", "O")))
            elif slot in self.pronouns:
                tagged.append((self.pronouns[slot], "O"))
            elif slot:
                tagged += self.fill(self.rng.choice(CHOICES[slot]))
            else:
                tagged.append((piece, "O"))
        return tagged

    def _name(self, kind: str, last: str, last_tag: str) -> Tagged:
        word = self._word(kind, last)
        self.used.setdefault(word, set()).add(kind)
        if kind == "person":
            self.pronouns = self.names.pronouns(word)
        beside = kind == "person" and last_tag != "O"  # one word, or the border is anyone's guess
        tokens = [word] if beside else self.names.around(word, kind)
        prefixes = ["B", *"I" * (len(tokens) - 1)]
        return [(token, f"{prefix}-{kind}") for token, prefix in zip(tokens, prefixes, strict=True)]

    def _word(self, kind: str, last: str) -> str:
        """A fresh word, or one that named something of another type, though not right before."""
        echoes = [word for word, kinds in self.used.items() if kind not in kinds and word != last]
        if self.echo and echoes:
            return self.rng.choice(echoes)
        while (word := self.names.word(kind)) in self.used:
            pass
        return word


CHOICES = RULES | {name: tuple(items.split(", ")) for name, items in LISTS.items()}
