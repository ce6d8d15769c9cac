"""Tag schemes for spans of tokens: BIO, IOB1 and BIOES, their rules and conversions.

| scheme | a span of three tokens | of one token | directly after another of its type |
|---|---|---|---|
| BIO (IOB2) | B-X I-X I-X | B-X | B-X |
| IOB1 | I-X I-X I-X | I-X | B-X, then I-X |
| BIOES | B-X I-X E-X | S-X | B-X or S-X |

A tag is `O`, or one of B, I, E and S, followed by `-` and a type, which may contain dashes. A
single type may be left out: `B`, `I`, `O`.

Source: Tjong Kim Sang and Veenstra, arXiv:cs/9907006 (IOB1, IOB2); with types, Tjong Kim Sang and
De Meulder, arXiv:cs/0306050.
"""

import re
from collections.abc import Iterable, Sequence
from itertools import pairwise
from typing import NamedTuple

import numpy as np

from zoo.errors import InputError, require_choice

SCHEMES = {"bio": "BI", "iob1": "BI", "bioes": "BIES"}
OUTSIDE = "O"
FOREIGN = {"L": "E", "U": "S", "M": "I"}  # letters of BILOU and BMES, and their equivalents here

_TAG = re.compile(r"(O(?!-)|[BIES])(?:-(.+))?", re.DOTALL)
_FOREIGN_TAG = re.compile(r"[LUM]-.+", re.DOTALL)


class Span(NamedTuple):
    """A span of tokens of one type: tokens `start` to `end` - 1."""

    type: str
    start: int
    end: int


class Allowed(NamedTuple):
    """Allowed transitions: tables of bool for `zoo.layers.CRF`."""

    transitions: np.ndarray  # (C, C)
    start: np.ndarray  # (C,)
    end: np.ndarray  # (C,)


def parts(tag: str) -> tuple[str, str]:
    """Prefix and type: `B-person` -> `B`, `person`; `B` -> `B` and nothing, and so `O`.

    Raises:
        InputError: The tag has another form, such as `NOUN`, `-X`, `B-`, `O-X` or `U-X`.
    """
    match = _TAG.fullmatch(tag)
    if match:
        return match[1], match[2] or ""
    hint = ""
    if _FOREIGN_TAG.fullmatch(tag):
        hint = f"; write {', '.join(f'{a}- as {b}-' for a, b in FOREIGN.items())}"
    raise InputError(
        f"{tag!r} marks no span: expected O, or one of B, I, E and S, a dash and a type{hint}"
    )


def is_span_tag(tag: str) -> bool:
    """Whether `parts` can read a tag.

    Example:
        >>> [is_span_tag(tag) for tag in ("B-person", "I", "O", "NOUN", "U-X")]
        [True, True, True, False, False]
    """
    return _TAG.fullmatch(tag) is not None


def spans(tags: Sequence[str]) -> list[Span]:
    """The spans that tags mark, also if they break every scheme.

    A span starts at B or S, or at an I or E without a preceding span of its type; it ends before
    the next start, before O, and after E and S. Tags with B, I and O, or with E, I and O, are read
    as by the script of CoNLL-2000; the script does not know S, and continues a span where B
    follows E of the same type.

    Raises:
        InputError: `parts` cannot read a tag.

    Example:
        >>> [tuple(span) for span in spans(["B-a", "I-a", "I-b", "O", "S-a"])]
        [('a', 0, 2), ('b', 2, 3), ('a', 4, 5)]
    """
    found, start = [], None
    last, last_kind = OUTSIDE, ""
    for place, tag in enumerate([*tags, OUTSIDE]):
        prefix, kind = parts(tag)
        if start is not None and (last in "ES" or prefix in "BSO" or kind != last_kind):
            found.append(Span(last_kind, start, place))
            start = None
        if start is None and prefix != OUTSIDE:
            start = place
        last, last_kind = prefix, kind
    return found


def tags_of(marked: Iterable[Span], length: int, scheme: str = "bio") -> list[str]:
    """The tags of `length` tokens that mark these spans, which must be in order.

    Raises:
        InputError: A span is empty, overlaps the previous one, or ends beyond the tokens.

    Example:
        >>> tags_of([Span("a", 0, 2), Span("a", 2, 3)], 4, "iob1")
        ['I-a', 'I-a', 'B-a', 'O']
    """
    require_choice("scheme", scheme, SCHEMES)
    tags = [OUTSIDE] * length
    before = Span("", 0, 0)
    for span in marked:
        if not before.end <= span.start < span.end <= length:
            raise InputError(
                f"the span {tuple(span)} does not fit: expected (type, start, end) with "
                f"{before.end} <= start < end <= {length}, in the order of the tokens"
            )
        prefixes = ["I"] * (span.end - span.start)
        behind = before.end == span.start > 0 and before.type == span.type
        if scheme != "iob1" or behind:
            prefixes[0] = "B"
        if scheme == "bioes":
            prefixes[-1] = "E" if len(prefixes) > 1 else "S"
        ending = f"-{span.type}" if span.type else ""
        tags[span.start : span.end] = [prefix + ending for prefix in prefixes]
        before = span
    return tags


def converted(tags: Sequence[str], scheme: str) -> list[str]:
    """Converts tags from any scheme; tags that break it are read as by `spans`."""
    return tags_of(spans(tags), len(tags), scheme)


def detected(sentences: Iterable[Sequence[str]]) -> str | None:
    """The scheme that all sentences follow, or None for plain tags such as parts of speech.

    No span is written alike in two schemes, so at most one fits; a single S means BIOES. Text
    without spans, all O, fits all three and counts as BIO. Tags are plain if `parts` cannot read
    one of them, if all are bare letters (`B`, `S`) that follow no scheme, and if there are none.
    The time is linear in the number of tokens.

    Raises:
        InputError: All tags are `O` or like `B-X`, but follow no scheme, or are BILOU or BMES.
    """
    places: dict[tuple[str, str], int] = {}  # neighbours -> the first sentence that has them
    for number, tags in enumerate(sentences, 1):
        if len(tags):
            for pair in pairwise([OUTSIDE, *tags, OUTSIDE]):
                places.setdefault(pair, number)
    distinct = list(dict.fromkeys(tag for pair in places for tag in pair))
    if not distinct or not all(
        _TAG.fullmatch(tag) or _FOREIGN_TAG.fullmatch(tag) for tag in distinct
    ):
        return None
    for tag in distinct:
        parts(tag)  # raises at one of BILOU or BMES
    broken = []
    for scheme in SCHEMES:
        wrong = [pair for pair in places if not _may_follow(*pair, scheme)]
        if not wrong:
            return scheme
        place = f"in sentence {places[wrong[0]]}"
        broken.append(f"{' '.join(wrong[0])!r} {place} is not {scheme.upper()}")
    if not any("-" in tag for tag in distinct):
        return None
    raise InputError(
        f"the tags follow no scheme (O may be a sentence's border): {', '.join(broken)}: mend "
        f"them, or convert them with `zoo.text.converted`"
    )


def allowed_transitions(tags: Sequence[str], scheme: str) -> Allowed:
    """The allowed transitions between the tags of a scheme.

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
        if parts(tag)[0] not in SCHEMES[scheme] + OUTSIDE:
            letters = ", ".join(f"{letter}-TYPE" for letter in SCHEMES[scheme])
            raise InputError(
                f"{tag!r} is not a tag of the scheme {scheme}: expected O or one of {letters}"
            )
    table = np.array([[_may_follow(a, b, scheme) for b in tags] for a in tags], bool)
    start = np.array([_may_follow(OUTSIDE, tag, scheme) for tag in tags], bool)
    end = np.array([_may_follow(tag, OUTSIDE, scheme) for tag in tags], bool)
    return Allowed(table.reshape(len(tags), len(tags)), start, end)


def _may_follow(tag: str, following: str, scheme: str) -> bool:
    (prefix, kind), (next_prefix, next_kind) = parts(tag), parts(following)
    if not {prefix, next_prefix} <= {*SCHEMES[scheme], OUTSIDE}:
        return False
    same = kind == next_kind and prefix != OUTSIDE
    if scheme == "bio":
        return next_prefix != "I" or same
    if scheme == "iob1":
        return next_prefix != "B" or same
    continues = next_prefix in "IE"
    return continues == (prefix in "BI") and (not continues or same)
