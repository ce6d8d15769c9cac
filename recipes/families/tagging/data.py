"""The `--data` option of a tagging recipe, and how its tags mark stretches of tokens."""

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

BROKEN = "no one scheme"


def load(
    options: TaggingData,
    builtin: Callable[[], Splits[Sentence]],
    usual_tags: Sequence[str],
    whole: bool = False,
) -> Splits[Sentence]:
    """The sentences that the options name.

    Args:
        options: The recipe's data options.
        builtin: Makes the corpus that needs no file.
        usual_tags: The features that may hold tags.
        whole: Give all of it as `test`, for measuring, without further tags.
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
    """What an option lists between commas."""
    return [part.strip() for part in text.split(",") if part.strip()]


def further_tags(names: Sequence[str], train: Sequence[Sentence]) -> dict[str, list[str]]:
    """The further tags that train has, by their names; says how many there are."""
    found = {
        name: sorted({tag for sentence in train for tag in sentence.others[place]})
        for place, name in enumerate(names)
    }
    if found:
        told = ", ".join(f"{name} ({len(tags)})" for name, tags in found.items())
        print(f"learned beside: {told}", flush=True)
    return found


def in_scheme(splits: Splits[Sentence], scheme: str) -> Splits[Sentence]:
    """The splits with their stretches marked by another scheme; says what was found.

    Tags that break every scheme somewhere are read as `zoo.text.spans` says.

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
        print("tags: they mark no stretches; each is scored as it stands", flush=True)
        return splits
    if found == scheme:
        print(f"tags: {found.upper()}", flush=True)
        return splits
    print(
        f"tags: {found if ' ' in found else found.upper()} found, turned to {scheme.upper()}",
        flush=True,
    )
    return splits.map(lambda part: [_turned(sentence, scheme) for sentence in part])


def _without_types(tags: set[str]) -> str | None:
    """What letters without types are where they keep to no scheme; None for other tags.

    Raises:
        InputError: They are BILOU or BMES without types.
    """
    if tags <= {*"BIES", OUTSIDE}:
        print("tags: letters without types that keep to no scheme", flush=True)
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
    """A generated corpus as splits: train, validation, test."""
    train, validation, test = ([Sentence(*pair) for pair in part] for part in parts)
    return Splits(train, validation, test)
