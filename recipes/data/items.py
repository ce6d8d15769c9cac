"""What the readers of files and data sets return: labelled texts, tagged sentences, text pairs."""

from collections.abc import Iterable
from dataclasses import dataclass

from zoo.errors import InputError


@dataclass(frozen=True)
class Example:
    """One labelled text.

    Attributes:
        text: What the model reads; may be empty.
        label: The name of its class, never empty.
    """

    text: str
    label: str


@dataclass(frozen=True)
class Sentence:
    """The tokens of one sentence, at least one, and a tag for each.

    Attributes:
        tokens: Its words, as written.
        tags: One tag for each token, as in the data.
        others: Further tags of each token, one sequence for each kind.
    """

    tokens: tuple[str, ...]
    tags: tuple[str, ...]
    others: tuple[tuple[str, ...], ...] = ()

    @classmethod
    def of(cls, words: Iterable[tuple[str, ...]]) -> "Sentence":
        """Builds a sentence from token, tag and perhaps further tags of each word.

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

    @property
    def text(self) -> str:
        """The tokens with spaces between them."""
        return " ".join(self.tokens)


@dataclass(frozen=True)
class Pair:
    """A text and its translation, without the blanks around them.

    Attributes:
        source: What the model reads.
        target: What it is to write.
    """

    source: str
    target: str

    @classmethod
    def of(cls, source: str, target: str) -> "Pair":
        """Builds a pair from two texts as they are in a file."""
        return cls(source.strip(), target.strip())

    @property
    def is_blank(self) -> bool:
        """Whether a side is missing."""
        return not (self.source and self.target)
