"""Loads the data of a tagging recipe and converts the tags to one scheme of spans."""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace

from recipes.data.items import Sentence
from recipes.data.splits import Splits
from recipes.data.tagged import load_tagging
from recipes.families.tagging.config import TaggingData
from zoo.errors import InputError
from zoo.text import converted, detected
from zoo.text.tag_schemes import FOREIGN, OUTSIDE

BROKEN = "mixed schemes"


def load(
    options: TaggingData,
    builtin: Callable[[], Splits[Sentence]],
    usual_tags: Sequence[str],
    whole: bool = False,
) -> Splits[Sentence]:
    """Loads the sentences that the options name.

    Args:
        options: The recipe's data options.
        builtin: Generates the built-in corpus.
        usual_tags: Names of features that may be the tags.
        whole: Return all data as `test`, without further tags, for evaluation.
    """
    counts: Counter[str] = Counter()
    splits = load_tagging(
        options.data,
        builtin=builtin,
        token_column=options.token_column,
        tag_column=options.tag_column,
        tokens_feature=options.tokens_feature,
        tags_feature=options.tags_feature,
        validation_fraction=options.validation_fraction,
        test_fraction=options.test_fraction,
        split_seed=options.split_seed,
        download=options.download,
        usual_tags=usual_tags,
        others=() if whole else names_of(options.auxiliary),
        counts=counts,
        format=options.format,
        header=options.header,
        whole=whole,
    )
    if counts:
        print(
            f"comments: {counts['comments']:,} lines that begin with '#' skipped, "
            f"{counts['tokens']:,} read as tokens",
            flush=True,
        )
    return splits


def names_of(text: str) -> list[str]:
    """Splits the value of an option at its commas."""
    return [part.strip() for part in text.split(",") if part.strip()]


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
    """Converts the tags of all splits to a scheme, and prints the detected scheme.

    Tags that follow no scheme throughout are read as `zoo.text.spans` describes.

    Args:
        splits: Sentences in BIO, IOB1 or BIOES.
        scheme: `bio`, `iob1` or `bioes`.
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


def from_pairs(
    parts: Sequence[Sequence[tuple[tuple[str, ...], tuple[str, ...]]]],
) -> Splits[Sentence]:
    """Converts a generated corpus to splits: train, validation, test."""
    train, validation, test = ([Sentence(*pair) for pair in part] for part in parts)
    return Splits(train, validation, test)
