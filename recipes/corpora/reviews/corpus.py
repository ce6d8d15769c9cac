"""The built-in corpus of the `sentiment` recipe: film and product reviews, written without network.

Order and context decide, not words: negation, contrast, comparison, other people's opinions and
expectations that were not met. A bag of words stays far below a recurrent network on it.
"""

import random
import re
from collections.abc import Callable

from recipes.corpora.reviews.grammar import GRAMMAR
from recipes.corpora.reviews.subjects import FILMS, PRODUCTS, Choices, Subject
from zoo.errors import InputError

Review = tuple[str, str]

CONTRACTIONS = (
    (r"\b(is|was|are|were|did|does|could|would|should|has|have|do) not\b(?! only)", r"\1n't"),
    (r"\bcannot\b", "can't"),
    (r"\bI have (?=never\b|had\b|\w+ed\b|seen\b|bought\b)", "I've "),
    (r"\b(it|there) is (?=\w)", r"\1's "),
)

WORD = re.compile(r"\w+")
SLOT = re.compile(r"\{([+-]?)(\w+)\}")
VOWEL_SOUND = re.compile(r"\ba (?=[aeiou])(?!one|us[eu])")
SENTENCE_START = re.compile(r"(^|[.!?] )([a-z])")


def generate(
    sizes: tuple[int, int, int] = (8000, 1000, 1000), seed: int = 0
) -> tuple[list[Review], list[Review], list[Review]]:
    """Writes the built-in corpus of film and product reviews, no text of which occurs twice.

    Args:
        sizes: Numbers of reviews for training, validation and test; half of each is positive.
        seed: The same seed gives the same corpus, in every process.

    Returns:
        The three splits, each a list of (text, "positive" or "negative").

    Raises:
        InputError: A size is negative, or all of them are zero.

    Example:
        >>> train, validation, test = generate((2, 1, 1), seed=0)
        >>> sorted(label for _, label in train)
        ['negative', 'positive']
    """
    _check(sizes)
    rng = random.Random(seed)
    written: set[str] = set()
    train, validation, test = (_split(size, rng, written) for size in sizes)
    return train, validation, test


def _check(sizes: tuple[int, int, int]) -> None:
    if len(sizes) != 3 or min(sizes) < 0 or not any(sizes):
        raise InputError(
            "sizes must be three numbers of reviews (training, validation, test), none negative "
            f"and not all of them zero, got {sizes!r}"
        )


def _split(size: int, rng: random.Random, written: set[str]) -> list[Review]:
    reviews = []
    for index in range(size):
        positive = index % 2 == 0
        text = _write_new(positive, rng, written)
        reviews.append((text, "positive" if positive else "negative"))
    rng.shuffle(reviews)
    return reviews


def _write_new(positive: bool, rng: random.Random, written: set[str]) -> str:
    """A review; the same words, however punctuated, were not `written` before in any split."""
    while True:
        subject = FILMS if rng.random() < 0.5 else rng.choice(PRODUCTS)
        text = Writer(subject, rng).fill("{+review}", positive)
        words = " ".join(WORD.findall(text.lower()))
        if words not in written:
            written.add(words)
            return _polish(text, rng)


def _polish(text: str, rng: random.Random) -> str:
    """Articles, contractions, capitals and the last full stop, the way people write them."""
    text = VOWEL_SOUND.sub("an ", text)
    if rng.random() < 0.4:
        for pattern, short in CONTRACTIONS:
            text = re.sub(pattern, short, text)
    style = rng.random()
    if style < 0.1:
        return text.removesuffix(".")
    text = SENTENCE_START.sub(lambda match: match[1] + match[2].upper(), text)
    return text[:-1] + "!" if style < 0.2 else text


class Writer:
    """Writes one review: fills slots, keeps the parts in agreement, says nothing twice."""

    def __init__(self, subject: Subject, rng: random.Random) -> None:
        """Settles what holds for the whole review: the noun and the tense."""
        self.rng = rng
        self.subject = subject
        self.noun = rng.choice(subject.words["noun"][0])
        self.past = rng.random() < 0.4
        self.used: set[str] = set()
        self.part = ("", "")  # its names in the table, and the one that is in the text
        self.special: dict[str, Callable[[bool], str]] = {
            "noun": lambda positive: self.noun,
            "be": lambda positive: "was" if self.past else "is",
            "is": lambda positive: self._agree(("was", "were") if self.past else ("is", "are")),
            "has": lambda positive: self._agree(("has", "have")),
            "part": lambda positive: self._part(tuple(subject.traits)),
            "piece": lambda positive: self._part(self._breakable()),
            "trait": lambda positive: self._of_part(subject.traits, "general", positive),
            "deed": lambda positive: self._of_part(subject.deeds, "general_deed", positive),
            "asset": self._asset,
        }

    def fill(self, template: str, positive: bool) -> str:
        """Fills the slots of `template`, from left to right, for a positive or negative review."""
        return SLOT.sub(lambda slot: self._slot(slot[2], positive == (slot[1] != "-")), template)

    def _slot(self, name: str, positive: bool) -> str:
        if name in self.special:
            return self.special[name](positive)
        if name in GRAMMAR:
            return self.fill(self.rng.choice(GRAMMAR[name]), positive)
        positives, negatives = self.subject.words[name]
        return self.fill(self._fresh(positives if positive else negatives), positive)

    def _fresh(self, options: tuple[str, ...]) -> str:
        """One of the options, if possible one that this review has not used yet."""
        choice = self.rng.choice([one for one in options if one not in self.used] or options)
        self.used.add(choice)
        return choice

    def _part(self, names: tuple[str, ...]) -> str:
        chosen = self._fresh(names)
        self.part = (chosen, self.rng.choice(chosen.removeprefix("*").split("|")))
        return self.part[1]

    def _breakable(self) -> tuple[str, ...]:
        return tuple(names for names in self.subject.traits if names.startswith("*"))

    def _agree(self, forms: tuple[str, str]) -> str:
        """The form of a verb for the part that was named last: singular or plural."""
        name = self.part[1]
        return forms[name.endswith("s") and not name.endswith("ss")]

    def _of_part(self, table: dict[str, Choices], general: str, positive: bool) -> str:
        """What the table says of the part that was named last, or what suits any part."""
        if self.part[0] not in table or self.rng.random() < 0.35:
            return self._slot(general, positive)
        positives, negatives = table[self.part[0]]
        return self.fill(self._fresh(positives if positive else negatives), positive)

    def _asset(self, positive: bool) -> str:
        """A part behind its adjective: `wooden acting`."""
        part = self._part(tuple(self.subject.traits))
        return f"{self._of_part(self.subject.traits, 'general', positive)} {part}"
