"""Tagged sentences -> train, validation and test; what taggers learn from, whatever the source.

The readers of `conll`, `conllu` and `tfds_tagging` give sentences, `tagging` chooses among them.
What the data does not bring along is cut off by the hash of a sentence's tokens with blanks between
them, by the rules of `splits`: the same words always fall on the same side.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields

from recipes.data import splits
from recipes.data.table import Example
from zoo.errors import InputError


@dataclass(frozen=True)
class Sentence:
    """The tokens of one sentence, at least one, and a tag for each.

    Attributes:
        tokens: Its words as they are written.
        tags: As many tags, as they stand in the data.
        others: Further tags of each token, one sequence for each kind that was asked for.
    """

    tokens: tuple[str, ...]
    tags: tuple[str, ...]
    others: tuple[tuple[str, ...], ...] = ()

    @classmethod
    def of(cls, words: Iterable[tuple[str, ...]]) -> "Sentence":
        """A sentence made of its words.

        Args:
            words: Token, tag and perhaps further tags of each word.

        Returns:
            The sentence.

        Example:
            >>> Sentence.of([("rain", "NOUN"), ("falls", "VERB")]).tags
            ('NOUN', 'VERB')
        """
        tokens, tags, *others = zip(*words, strict=True)
        return cls(tokens, tags, tuple(others))

    def __post_init__(self) -> None:
        """Refuses a sentence without tokens, or with another number of tags."""
        if not self.tokens or len(self.tokens) != len(self.tags):
            raise InputError(
                f"a sentence has {len(self.tokens)} tokens and {len(self.tags)} tags, expected at "
                f"least one token and a tag for each: {' '.join(self.tokens)!r}"
            )


@dataclass(frozen=True)
class TaggedSplits:
    """The three parts of a tagged data set.

    Attributes:
        train: What the weights are fitted to.
        validation: What epochs and hidden sizes are chosen by.
        test: What is measured once, at the end.
    """

    train: list[Sentence]
    validation: list[Sentence]
    test: list[Sentence]


def complete(
    parts: Mapping[str, list[Sentence]],
    validation_fraction: float,
    test_fraction: float,
    seed: int,
) -> TaggedSplits:
    """Cuts from `train` whichever of `validation` and `test` is missing.

    Args:
        parts: Sentences under `train`, and perhaps under `validation` and `test`.
        validation_fraction: Size of a missing validation split, a share of the given `train`.
        test_fraction: Size of a missing test split, a share of the given `train`.
        seed: Chooses which sentences are cut off.

    Returns:
        All three; those that were given are as they were.

    Raises:
        InputError: A fraction that is needed is not between 0 and 1, or nothing is left to train.
    """
    numbered = {name: _numbered(sentences) for name, sentences in parts.items()}
    whole = splits.complete(numbered, validation_fraction, test_fraction, seed)

    def chosen(name: str) -> list[Sentence]:
        source = parts.get(name, parts["train"])
        examples: list[Example] = getattr(whole, name)
        return [source[int(example.label)] for example in examples]

    return TaggedSplits(chosen("train"), chosen("validation"), chosen("test"))


def _numbered(sentences: list[Sentence]) -> list[Example]:
    """Texts that carry their sentence's place through the cut."""
    return [
        Example(" ".join(sentence.tokens), str(place)) for place, sentence in enumerate(sentences)
    ]


def check_sizes(given: TaggedSplits) -> None:
    """Refuses splits that a tagger cannot be trained or measured on.

    A tag that only validation or test has is no error: taggers miss it, and are measured so.

    Args:
        given: Freshly loaded.

    Raises:
        InputError: A split is empty, or train has fewer than two sentences or two distinct tags.
    """
    sizes = {field.name: len(getattr(given, field.name)) for field in fields(given)}
    small = [name for name, size in sizes.items() if size < (2 if name == "train" else 1)]
    if small:
        counted = ", ".join(f"{size} in {name}" for name, size in sizes.items())
        raise InputError(
            f"too little data in {small[0]}: of {sum(sizes.values())} sentences there are "
            f"{counted}, expected two or more in train and one in each other split: bring more, "
            f"with blank lines between them, or cut off other fractions"
        )
    tags = {tag for sentence in given.train for tag in sentence.tags}
    if len(tags) < 2:
        raise InputError(
            f"one tag only: every token in train is tagged {tags.pop()!r}, expected two tags or "
            f"more: bring other sentences, or choose where tags stand with --tag-column or "
            f"--tags-feature"
        )
