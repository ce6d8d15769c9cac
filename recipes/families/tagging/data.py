"""The tags of a tagging recipe's data: their kinds, and their conversion to one scheme."""

from collections.abc import Sequence
from dataclasses import replace

from recipes.data.items import Sentence
from recipes.data.splits import Splits
from zoo.errors import InputError
from zoo.text import converted, detected
from zoo.text.tag_schemes import FOREIGN, OUTSIDE

BROKEN = "mixed schemes"


def further_tags(names: Sequence[str], train: Sequence[Sentence]) -> dict[str, list[str]]:
    """Returns the values of each kind of further tags in train, and prints their numbers."""
    found = {
        name: sorted({tag for sentence in train for tag in sentence.others[place]})
        for place, name in enumerate(names)
    }
    if found:
        counts = ", ".join(f"{name} ({len(tags)})" for name, tags in found.items())
        print(f"auxiliary tags: {counts}", flush=True)
    return found


def in_scheme(splits: Splits[Sentence], scheme: str) -> Splits[Sentence]:
    """Converts the tags of all splits, in BIO, IOB1 or BIOES, to one scheme; prints the old one.

    Tags that follow no scheme throughout are read as `zoo.text.spans` describes.
    """
    tags = [sentence.tags for part in splits.parts().values() for sentence in part]
    try:
        found = detected(tags)
    except InputError as error:
        print(f"tags: {error}", flush=True)
        found = BROKEN
    found = found or _without_types({tag for row in tags for tag in row})
    if found is None:
        print("tags: plain tags, which mark no spans", flush=True)
        return splits
    if found == scheme:
        print(f"tags: {found.upper()}", flush=True)
        return splits
    print(
        f"tags: {found if ' ' in found else found.upper()}, converted to {scheme.upper()}",
        flush=True,
    )
    return splits.map(lambda part: [_turned(sentence, scheme) for sentence in part])


def _without_types(tags: set[str]) -> str | None:
    """Returns BROKEN for letters without types that follow no scheme; None for other tags.

    Raises:
        InputError: The tags are BILOU or BMES without types.
    """
    if tags <= {*"BIES", OUTSIDE}:
        print("tags: letters without types that follow no scheme", flush=True)
        return BROKEN
    if "B" in tags and tags <= {*"BIES", OUTSIDE, *FOREIGN}:
        raise InputError(
            f"tags {', '.join(sorted(tags))} are of a scheme that is not supported, expected BIO, "
            f"IOB1 or BIOES: write {', '.join(f'{a} as {b}' for a, b in FOREIGN.items())}"
        )
    return None


def _turned(sentence: Sentence, scheme: str) -> Sentence:
    return replace(sentence, tags=tuple(converted(sentence.tags, scheme)))
