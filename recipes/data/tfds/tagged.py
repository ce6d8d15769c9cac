"""Reads tagged sentences from tensorflow-datasets: conll2003, wikiann, universal_dependencies, ...

A data set will do if it has a sequence of strings, the tokens, and beside it a sequence of classes
or strings, their tags. What is prepared is used without the network.
"""

from collections.abc import Callable, Collection, Sequence

from recipes.data.items import Sentence
from recipes.data.naming import unknown
from recipes.data.tfds.features import LABELS, STRINGS, kind_of, read_label
from recipes.data.tfds.source import DataSet, decoded, read_splits
from zoo.errors import InputError

TOKENS = ("tokens", "words")
TAGS = ("ner", "upos", "tags", "pos", "xpos")
# Rows of the Universal Dependencies that are no words have no tags: `_` in the files, which
# tensorflow-datasets writes "None" where the column is not one of classes.
_NO_WORD = {"upos": ("_",), "xpos": ("_", "None")}


def load_tfds_tagging(
    spec: str,
    tokens_feature: str = "",
    tags_feature: str = "",
    download: bool = True,
    splits: Collection[str] | None = None,
    usual_tags: Sequence[str] = TAGS,
    others: Sequence[str] = (),
) -> dict[str, list[Sentence]]:
    """Reads the tagged splits of a data set, each in the data set's own order.

    A class of a `ClassLabel` is called by its name; a sentence with a token that has no class (-1)
    or a blank one is left out. So are rows without a token; and the multi-word tokens and untagged
    empty nodes of the Universal Dependencies.

    A feature that is `""` is the first there is of `TOKENS` or of `usual_tags`. `others` are
    features of further tags; a token without a value has the tag "None". No split of the result is
    empty. For the other arguments and the errors see `read_splits`.
    """

    def reader(data: DataSet) -> Callable[[str], list[Sentence]]:
        tokens = _feature(data, "tokens", tokens_feature, TOKENS)
        tags = _feature(data, "tags", tags_feature, usual_tags)
        _check_distinct(data, tokens, tags)
        keys = [tokens, tags, *(_feature(data, "auxiliary", name, ()) for name in others)]
        return lambda split: _read(data, split, keys)

    found = read_splits(spec, "conll2003", download, splits, reader)
    return {name: sentences for name, sentences in found.items() if sentences}


def _feature(data: DataSet, role: str, choice: str, usual: Sequence[str]) -> str:
    """The name of the tokens' or the tags' feature: the one chosen, or the first usual one."""
    features = data.features
    known = [name for name in usual if name in features]
    if not choice and not known:
        raise InputError(
            f"{data.spec}: no feature is called {' or '.join(usual)}, expected one that holds the "
            f"{role}: choose it with --{role}-feature, there are {', '.join(features)}"
        )
    key = choice or known[0]
    option = "--auxiliary" if role == "auxiliary" else f"--{role}-feature"
    if key not in features:
        problem = unknown("feature", key, features)
        raise InputError(f"{data.spec}: {problem}: choose the {role}' feature with {option}")
    kinds, expected = (STRINGS, "strings") if role == "tokens" else (LABELS, "classes or strings")
    feature = features[key]
    if (
        not isinstance(feature, data.tfds.features.Sequence)
        or kind_of(data.tfds, feature.feature) not in kinds
    ):
        shown = " ".join(repr(feature).split())  # on one line
        raise InputError(
            f"{data.spec}: feature {key!r} is {shown}, expected a sequence of {expected} for the "
            f"{role}: choose another with {option}, there are {', '.join(features)}"
        )
    return key


def _check_distinct(data: DataSet, tokens: str, tags: str) -> None:
    if tokens == tags:
        raise InputError(
            f"{data.spec}: tokens and tags are both read from {tags!r}, expected two features: "
            f"choose another with --tokens-feature or --tags-feature, there are "
            f"{', '.join(data.features)}"
        )


def _read(data: DataSet, split: str, keys: Sequence[str]) -> list[Sentence]:
    """The sentences of a split: tokens, tags and further tags are what the keys name."""
    tags_of = [read_label(data.tfds, data.features[key].feature) for key in keys[1:]]
    no_word = _NO_WORD.get(keys[1], ())
    sentences = []
    for record in data.rows(split, keys):
        tags = (
            [tag_of(tag) for tag in record[key]]
            for key, tag_of in zip(keys[1:], tags_of, strict=True)
        )
        rows = zip(map(decoded, record[keys[0]]), *tags, strict=True)
        words = [word for word in rows if word[0] and word[1] not in no_word]
        if words and all(all(word) for word in words):
            sentences.append(Sentence.of(words))
    return sentences
