"""Edit distance (Levenshtein) of sequences: error rates of words and of characters, confusions."""

from collections import Counter
from collections.abc import Hashable, Iterable, Sequence
from typing import NamedTuple

from zoo.errors import InputError

Pair = tuple[Hashable, Hashable]  # a reference's and a hypothesis' token; None where there is none


class Edits(NamedTuple):
    """The edits that turn references into hypotheses, summed over rows.

    Attributes:
        hits: Tokens that are equal.
        substitutions: Tokens that are replaced.
        insertions: Tokens that the references lack.
        deletions: Tokens that the hypotheses lack.
    """

    hits: int
    substitutions: int
    insertions: int
    deletions: int

    @property
    def errors(self) -> int:
        """The edit distance: substitutions, insertions and deletions."""
        return self.substitutions + self.insertions + self.deletions

    @property
    def rate(self) -> float:
        """Errors relative to the length of the references; above 1 with many insertions.

        Of references without a token it is 0 if there are no errors, and infinite otherwise.
        """
        length = self.hits + self.substitutions + self.deletions
        if length == 0:
            return float("inf") if self.errors else 0.0
        return self.errors / length


def align(reference: Sequence[Hashable], hypothesis: Sequence[Hashable]) -> list[Pair]:
    """Pairs the tokens of two sequences with as few edits as possible.

    A pair has None for the token that an insertion or a deletion lacks. Several alignments can have
    the fewest edits. Here equal tokens at the beginning and at the end are paired first; between
    them, from the end on, a hit or a substitution comes before a deletion, and that before an
    insertion.

    Example:
        >>> align("abc", "xbcd")
        [('a', 'x'), ('b', 'b'), ('c', 'c'), (None, 'd')]

    Source: Wagner and Fischer, The string-to-string correction problem (1974).
    """
    start = 0  # equal tokens at both ends are hits of a shortest alignment
    first, last = len(reference), len(hypothesis)
    while start < min(first, last) and reference[start] == hypothesis[start]:
        start += 1
    while min(first, last) > start and reference[first - 1] == hypothesis[last - 1]:
        first, last = first - 1, last - 1
    middle = _aligned(reference[start:first], hypothesis[start:last])
    hits = ((token, token) for token in reference[:start])
    return [*hits, *middle, *((token, token) for token in reference[first:])]


def count_edits(
    references: Iterable[Sequence[Hashable]], hypotheses: Iterable[Sequence[Hashable]]
) -> Edits:
    """The edits of the alignments of all rows.

    Raises:
        InputError: The numbers of references and of hypotheses differ.

    Example:
        >>> count_edits([[1, 2, 3], [4]], [[1, 3], [5]])
        Edits(hits=2, substitutions=1, insertions=0, deletions=1)
    """
    counts = count_aligned(references, hypotheses)
    hits = sum(count for (one, other), count in counts.items() if one == other)
    insertions = sum(count for (one, _), count in counts.items() if one is None)
    deletions = sum(count for (_, other), count in counts.items() if other is None)
    return Edits(hits, counts.total() - hits - insertions - deletions, insertions, deletions)


def count_aligned(
    references: Iterable[Sequence[Hashable]], hypotheses: Iterable[Sequence[Hashable]]
) -> Counter[Pair]:
    """How often each pair of tokens is aligned: hits, confusions, and None for a missing token.

    Raises:
        InputError: The numbers of references and of hypotheses differ.
    """
    rows, others = list(references), list(hypotheses)
    if len(rows) != len(others):
        raise InputError(f"got {len(rows)} references for {len(others)} hypotheses: give as many")
    counts: Counter[Pair] = Counter()
    for reference, hypothesis in zip(rows, others, strict=True):
        counts.update(align(reference, hypothesis))
    return counts


def word_error_rate(references: Iterable[str], hypotheses: Iterable[str]) -> float:
    """The word errors of all texts relative to the references' words; 0 is perfect.

    Words are separated by white space; nothing is normalised.

    Example:
        >>> word_error_rate(["one two three", "four"], ["one too three", "four four"])
        0.5
    """
    return count_edits(
        *([text.split() for text in texts] for texts in (references, hypotheses))
    ).rate


def character_error_rate(references: Iterable[str], hypotheses: Iterable[str]) -> float:
    """The character errors of all texts relative to the references' characters, spaces included."""
    return count_edits(references, hypotheses).rate


def _aligned(reference: Sequence[Hashable], hypothesis: Sequence[Hashable]) -> list[Pair]:
    """The alignment by dynamic programming over all pairs of prefixes."""
    costs = [list(range(len(hypothesis) + 1))]  # costs[i][j]: edits of the first i and j tokens
    for token in reference:
        above = costs[-1]
        row = [above[0] + 1]
        for place, other in enumerate(hypothesis):
            moved = above[place] + (token != other)
            row.append(min(moved, above[place + 1] + 1, row[place] + 1))
        costs.append(row)
    pairs: list[Pair] = []
    i, j = len(reference), len(hypothesis)
    while i or j:
        cost = costs[i][j]
        if i and j and cost == costs[i - 1][j - 1] + (reference[i - 1] != hypothesis[j - 1]):
            i, j = i - 1, j - 1
            pairs.append((reference[i], hypothesis[j]))
        elif i and cost == costs[i - 1][j] + 1:
            i -= 1
            pairs.append((reference[i], None))
        else:
            j -= 1
            pairs.append((None, hypothesis[j]))
    return pairs[::-1]
