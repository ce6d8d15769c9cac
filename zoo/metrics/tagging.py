"""Tagging metrics, in pure Python over whole splits: entities, tokens, unseen words."""

from collections import Counter
from collections.abc import Iterator, Sequence, Set
from typing import Any

import numpy as np

from zoo.errors import InputError, nearest
from zoo.metrics.classification import Confusion, count_confusions
from zoo.text.tag_schemes import spans

Tags = Sequence[Sequence[str]]  # of each sentence, without padding


def entity_scores(gold: Tags, predicted: Tags) -> dict[str, Any]:
    """Precision, recall and F1 of the spans that tags mark, gold and predicted ones in any scheme.

    A span is right if its type, start and end are right. Precision is right / predicted, recall
    right / gold, F1 2 right / (predicted + gold); 0 if the divisor is 0. Sequences that break their
    scheme are read as by `zoo.text.spans`.

    For tags with the prefixes B, I and O (IOB1, IOB2), and for those with E, I and O, the counts
    equal those of `conlleval.pl`, the script of CoNLL-2000, also for sequences that break their
    scheme. For BIOES they equal those of `seqeval` in its default mode: the script does not know S
    and joins `E-a B-a` into one span. It agrees on BIOES tags that are converted to BIO first.

    Returns:
        `entity_precision`, `entity_recall` and `entity_f1` over all types together, and by type, in
        the types' order, `precision_by_type`, `recall_by_type`, `f1_by_type` (type -> score), all 0
        to 1, and `support_by_type` (type -> number of gold spans).

    Raises:
        InputError: Lengths differ, or a tag marks no span.

    Example:
        >>> scores = entity_scores([["B-a", "O", "B-b"]], [["B-a", "O", "B-a"]])
        >>> scores["entity_f1"], scores["precision_by_type"]
        (0.5, {'a': 0.5, 'b': 0.0})
    """
    _require_aligned("gold tags", gold, "predicted tags", predicted)
    there: Counter[str] = Counter()
    found: Counter[str] = Counter()
    right: Counter[str] = Counter()
    for true_tags, tags in zip(gold, predicted, strict=True):
        true_spans, guessed = spans(true_tags), spans(tags)
        there.update(span.type for span in true_spans)
        found.update(span.type for span in guessed)
        right.update(span.type for span in set(true_spans) & set(guessed))
    types = sorted({*there, *found})
    hits, guesses, golds = right.total(), found.total(), there.total()
    return {
        "entity_precision": _share(hits, guesses),
        "entity_recall": _share(hits, golds),
        "entity_f1": _share(2 * hits, guesses + golds),
        "precision_by_type": {kind: _share(right[kind], found[kind]) for kind in types},
        "recall_by_type": {kind: _share(right[kind], there[kind]) for kind in types},
        "f1_by_type": {kind: _share(2 * right[kind], found[kind] + there[kind]) for kind in types},
        "support_by_type": {kind: there[kind] for kind in types},
    }


def token_accuracy(gold: Tags, predicted: Tags) -> float:
    """The share of tokens with the right tag, 0 to 1; 0 where there are no tokens.

    Raises:
        InputError: Lengths differ.

    Example:
        >>> token_accuracy([["DET", "NOUN"], ["VERB", "X"]], [["DET", "VERB"], ["VERB", "X"]])
        0.75
    """
    _require_aligned("gold tags", gold, "predicted tags", predicted)
    pairs = list(_pairs(gold, predicted))
    return _share(sum(a == b for a, b in pairs), len(pairs))


def unseen_accuracy(
    tokens: Tags, gold: Tags, predicted: Tags, known: Set[str]
) -> tuple[float, int]:
    """The share of right tags among the tokens that are not in `known`, and the number of these.

    `known` are the words of the training split, written as the tokens are. The share is 0 to 1;
    both are 0 if all tokens are known.

    Raises:
        InputError: Lengths differ.
    """
    _require_aligned("gold tags", gold, "predicted tags", predicted)
    _require_aligned("tokens", tokens, "gold tags", gold)
    words = (word for sentence in tokens for word in sentence)
    pairs = zip(words, _pairs(gold, predicted), strict=True)
    right = [a == b for word, (a, b) in pairs if word not in known]
    return _share(sum(right), len(right)), len(right)


def count_tag_confusions(gold: Tags, predicted: Tags, tags: Sequence[str]) -> Confusion:
    """Counts how often each tag was predicted for each true tag: the pairs that occur.

    `tags` are the C tags in the order of their numbers.

    Raises:
        InputError: Lengths differ, or a tag is not among `tags`.
    """
    _require_aligned("gold tags", gold, "predicted tags", predicted)
    places = {tag: place for place, tag in enumerate(tags)}
    try:
        ids = [(places[a], places[b]) for a, b in _pairs(gold, predicted)]
    except KeyError as error:
        tag = error.args[0]
        raise InputError(
            f"the tag {tag!r} is not among the {len(tags)} tags to count: {nearest(tag, tags)}"
        ) from None
    labels, predictions = np.array(ids, np.int64).reshape(-1, 2).T
    return count_confusions(labels, predictions, len(tags))


def tag_confusion(gold: Tags, predicted: Tags, tags: Sequence[str]) -> np.ndarray:
    """`count_tag_confusions` as a full matrix int (C, C), true tags as rows, predicted as columns.

    Example:
        >>> tag_confusion([["X", "Y", "X"]], [["X", "X", "Y"]], ["Y", "X"]).tolist()
        [[0, 1], [1, 1]]
    """
    return count_tag_confusions(gold, predicted, tags).matrix()


def _share(part: int, whole: int) -> float:
    return part / whole if whole else 0.0


def _pairs(gold: Tags, predicted: Tags) -> Iterator[tuple[str, str]]:
    for true_tags, tags in zip(gold, predicted, strict=True):
        yield from zip(true_tags, tags, strict=True)


def _require_aligned(name: str, these: Tags, other: str, those: Tags) -> None:
    """Raises unless both have the same number of sentences, of the same lengths."""
    if len(these) != len(those):
        raise InputError(
            f"there are {len(these)} sentences of {name} and {len(those)} of {other}: give as many "
            f"of each"
        )
    for number, (one, two) in enumerate(zip(these, those, strict=True), 1):
        if len(one) != len(two):
            raise InputError(
                f"sentence {number} has {len(one)} {name} and {len(two)} {other}: expected as many"
            )
