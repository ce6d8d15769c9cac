"""How tags mark stretches of tokens: BIO, IOB1 and BIOES, their rules and their conversions.

| scheme | a stretch of three tokens | of one token | behind another of its type |
|---|---|---|---|
| BIO (IOB2) | B-X I-X I-X | B-X | B-X |
| IOB1 | I-X I-X I-X | I-X | B-X |
| BIOES | B-X I-X E-X | S-X | B-X or S-X |

A tag is `O`, or a prefix, `-` and a type.
"""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

import numpy as np

from zoo.errors import InputError, require_choice

SCHEMES = {"bio": "BI", "iob1": "BI", "bioes": "BIES"}
OUTSIDE = "O"


class Span(NamedTuple):
    """A stretch of tokens of one type: tokens `start` to `end` - 1."""

    type: str
    start: int
    end: int


class Allowed(NamedTuple):
    """What may follow what: tables of bool for `zoo.layers.CRF`."""

    transitions: np.ndarray  # (C, C)
    start: np.ndarray  # (C,)
    end: np.ndarray  # (C,)


def parts(tag: str) -> tuple[str, str]:
    """Prefix and type: `B-person` -> `B`, `person`; `O` -> `O` and nothing."""
    prefix, dash, kind = tag.partition("-")
    return (prefix, kind) if dash else (tag, "")


def spans(tags: Sequence[str]) -> list[Span]:
    """The stretches that tags mark, also where they keep to no scheme.

    As the script of CoNLL-2000 reads them: a stretch begins at B or S, or at I or E that follow no
    stretch of their type; it ends before whatever begins, before O, and after E and S.

    Example:
        >>> spans(["B-a", "I-a", "I-b", "O", "S-a"])
        [Span(type='a', start=0, end=2), Span(type='b', start=2, end=3), Span(type='a', start=4, end=5)]
    """
    found, start = [], None
    last, last_kind = OUTSIDE, ""
    for place, tag in enumerate([*tags, OUTSIDE]):
        prefix, kind = parts(tag)
        if start is not None and (_ends(last, prefix) or kind != last_kind):
            found.append(Span(last_kind, start, place))
            start = None
        if start is None and prefix != OUTSIDE:
            start = place
        last, last_kind = prefix, kind
    return found


def _ends(last: str, prefix: str) -> bool:
    """Whether a stretch ends between two tags of one type."""
    return last in "ES" or prefix in "BSO"


def tags_of(found: Iterable[Span], length: int, scheme: str = "bio") -> list[str]:
    """The tags of `length` tokens that mark these stretches.

    Example:
        >>> tags_of([Span("a", 0, 2), Span("a", 2, 3)], 4, "iob1")
        ['I-a', 'I-a', 'B-a', 'O']
    """
    require_choice("scheme", scheme, SCHEMES)
    tags = [OUTSIDE] * length
    before: Span | None = None
    for span in found:
        prefixes = ["I"] * (span.end - span.start)
        follows = before is not None and (before.end, before.type) == (span.start, span.type)
        if scheme != "iob1" or follows:
            prefixes[0] = "B"
        if scheme == "bioes":
            prefixes[-1] = "E" if len(prefixes) > 1 else "S"
        tags[span.start : span.end] = [f"{prefix}-{span.type}" for prefix in prefixes]
        before = span
    return tags


def converted(tags: Sequence[str], scheme: str) -> list[str]:
    """Tags of any scheme in another."""
    return tags_of(spans(tags), len(tags), scheme)


def detected(sentences: Iterable[Sequence[str]]) -> str | None:
    """The scheme that all sentences keep to, or None for tags that mark no stretches.

    Where several would do, BIO is taken before IOB1, and IOB1 before BIOES.

    Raises:
        InputError: There are prefixes, but no scheme fits.
    """
    fitting = list(SCHEMES)
    first_broken: dict[str, list[str]] = {}
    prefixed = False
    for tags in sentences:
        prefixed = prefixed or any("-" in tag for tag in tags)
        if not all(tag == OUTSIDE or tag[:2] in _PREFIXES for tag in tags):
            return None
        for scheme in list(fitting):
            if converted(tags, scheme) != list(tags):
                fitting.remove(scheme)
                first_broken[scheme] = list(tags)
    if not prefixed:
        return None
    if not fitting:
        raise InputError(
            f"the tags keep to none of BIO, IOB1 and BIOES: {' '.join(first_broken['bio'])!r} is "
            f"not BIO, {' '.join(first_broken['iob1'])!r} is not IOB1; mend them, or convert them "
            f"as they are with --tag-scheme"
        )
    return fitting[0]


_PREFIXES = {f"{prefix}-" for prefix in "BIES"}


def allowed_transitions(tags: Sequence[str], scheme: str) -> Allowed:
    """What may follow what in a scheme.

    Args:
        tags: The C tags in the order of their ids.
        scheme: `bio`, `iob1` or `bioes`.

    Raises:
        InputError: A tag does not belong to the scheme.

    Example:
        >>> allowed_transitions(["O", "B-a", "I-a"], "bio").transitions.astype(int).tolist()
        [[1, 1, 0], [1, 1, 1], [1, 1, 1]]
    """
    require_choice("scheme", scheme, SCHEMES)
    for tag in tags:
        prefix, kind = parts(tag)
        if tag != OUTSIDE and (prefix not in SCHEMES[scheme] or len(prefix) != 1 or not kind):
            raise InputError(
                f"{tag!r} is no tag of the scheme {scheme}: expected O or one of "
                f"{', '.join(f'{letter}-TYPE' for letter in SCHEMES[scheme])}"
            )
    table = np.array([[_may_follow(a, b, scheme) for b in tags] for a in tags], bool)
    start = np.array([_may_follow(OUTSIDE, tag, scheme) for tag in tags], bool)
    end = np.array([_may_follow(tag, OUTSIDE, scheme) for tag in tags], bool)
    return Allowed(table.reshape(len(tags), len(tags)), start, end)


def _may_follow(tag: str, following: str, scheme: str) -> bool:
    (prefix, kind), (next_prefix, next_kind) = parts(tag), parts(following)
    same = kind == next_kind and prefix != OUTSIDE
    if scheme == "bio":
        return next_prefix != "I" or same
    if scheme == "iob1":
        return next_prefix != "B" or same
    goes_on = next_prefix in "IE"
    return goes_on == (prefix in "BI") and (not goes_on or same)
