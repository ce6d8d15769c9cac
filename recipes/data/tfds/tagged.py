"""Reads tagged sentences from tensorflow-datasets: conll2003, wikiann, universal_dependencies, ...

A data set will do if it has a sequence of strings, the tokens, and beside it a sequence of classes
or strings, their tags. What is prepared is used without the network.
"""

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from recipes.data.naming import unknown
from recipes.data.sentences import Sentence
from recipes.data.tfds.features import LABELS, STRINGS, kind_of, read_label
from recipes.data.tfds.source import (
    SPEC,
    brief,
    builder_of,
    prepare,
    quiet,
    tensorflow_datasets_module,
)
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
    empty nodes of the Universal Dependencies. Looks in `TFDS_DATA_DIR`, or else in
    `~/tensorflow_datasets`.

    Args:
        spec: `tfds:NAME` or `tfds:NAME/CONFIG`.
        tokens_feature: The feature that holds the tokens; `""` for the first there is of `TOKENS`.
        tags_feature: The feature that holds the tags; `""` for the first of `usual_tags`.
        download: Whether a data set that is not prepared may be downloaded, which needs a network.
        splits: The names of the splits to read if there are such; all by default.
        usual_tags: The names of tags that the recipe understands, the best one first.
        others: Features of further tags; one without a value is the tag "None".

    Returns:
        Split name -> sentences, in the data set's own order of splits; none is empty.

    Raises:
        InputError: The data set, configuration or feature is unknown, of the wrong kind, damaged,
            or not prepared and not to be had; or tensorflow-datasets is not installed.
    """
    match = SPEC.fullmatch(spec)
    if not match:
        raise InputError(
            f"expected tfds:NAME or tfds:NAME/CONFIG, got {spec!r}: see tfds:conll2003"
        )
    tfds = tensorflow_datasets_module()
    with quiet():
        builder = builder_of(tfds, match["name"], match["config"])
        features = builder.info.features
        tokens = _feature(tfds, spec, features, "tokens", tokens_feature, TOKENS)
        tags = _feature(tfds, spec, features, "tags", tags_feature, usual_tags)
        _check_distinct(spec, tokens, tags, features)
        more = [_feature(tfds, spec, features, "auxiliary", name, ()) for name in others]
        if not builder.is_prepared():
            prepare(spec, builder, download)
        chosen = [name for name in builder.info.splits if splits is None or name in splits]
        found = {name: _read(tfds, spec, builder, name, [tokens, tags, *more]) for name in chosen}
    return {name: sentences for name, sentences in found.items() if sentences}


def _feature(
    tfds: Any,
    spec: str,
    features: Mapping[str, Any],
    role: str,
    asked: str,
    usual: Sequence[str],
) -> str:
    """The name of the tokens' or the tags' feature."""
    known = [name for name in usual if name in features]
    if not asked and not known:
        raise InputError(
            f"{spec}: no feature is called {' or '.join(usual)}, expected one that holds the "
            f"{role}: choose it with --{role}-feature, there are {', '.join(features)}"
        )
    key = asked or known[0]
    if key not in features:
        problem = unknown("feature", key, features)
        raise InputError(f"{spec}: {problem}: choose the {role}' feature with {_option(role)}")
    kinds, expected = (STRINGS, "strings") if role == "tokens" else (LABELS, "classes or strings")
    feature = features[key]
    if (
        not isinstance(feature, tfds.features.Sequence)
        or kind_of(tfds, feature.feature) not in kinds
    ):
        found = " ".join(repr(feature).split())  # on one line
        raise InputError(
            f"{spec}: feature {key!r} is {found}, expected a sequence of {expected} for the "
            f"{role}: choose another with {_option(role)}, there are {', '.join(features)}"
        )
    return key


def _option(role: str) -> str:
    return "--auxiliary" if role == "auxiliary" else f"--{role}-feature"


def _check_distinct(spec: str, tokens: str, tags: str, features: Mapping[str, Any]) -> None:
    if tokens == tags:
        raise InputError(
            f"{spec}: tokens and tags are both read from {tags!r}, expected two features: choose "
            f"another with --tokens-feature or --tags-feature, there are {', '.join(features)}"
        )


def _read(tfds: Any, spec: str, builder: Any, split: str, keys: Sequence[str]) -> list[Sentence]:
    """The sentences of a split: tokens, tags and further tags are what the keys name."""
    tags_of = [read_label(tfds, builder.info.features[key].feature) for key in keys[1:]]
    wanted = tfds.decode.PartialDecoding({key: True for key in keys})
    sentences = []
    try:
        for row in tfds.as_numpy(builder.as_dataset(split=split, decoders=wanted)):
            tokens = [token.decode("utf-8", errors="replace") for token in row[keys[0]]]
            tags = [
                [tag_of(value) for value in row[key]]
                for key, tag_of in zip(keys[1:], tags_of, strict=True)
            ]
            words = _words(tokens, tags, _NO_WORD.get(keys[1], ()))
            if words and all(all(word) for word in words):
                sentences.append(Sentence.of(words))
    except Exception as error:  # of many classes: a file is missing, cut short, or of other bytes
        raise InputError(
            f"{spec}: split {split!r} in {builder.data_path} cannot be read ({brief(error)}): "
            f"delete that folder and prepare it again"
        ) from error
    return sentences


def _words(
    tokens: Sequence[str], tags: Sequence[Sequence[str]], no_word: Collection[str]
) -> list[tuple[str, ...]]:
    words = zip(tokens, *tags, strict=True)
    return [word for word in words if word[0] and word[1] not in no_word]
