"""Reads sentence pairs from tensorflow-datasets: ted_hrlr_translate, opus, flores, wmt, ...

A data set will do if it has a `Translation` or a `TranslationVariableLanguages`, by itself or as a
feature, or else two features of text. What is prepared is used without the network.
"""

from collections.abc import Callable, Collection, Iterator
from typing import Any, NamedTuple

from recipes.data.items import Pair
from recipes.data.tfds import languages
from recipes.data.tfds.features import STRINGS, kind_of
from recipes.data.tfds.source import DataSet, decoded, read_splits
from zoo.errors import InputError


class _Layout(NamedTuple):
    """Where a record holds its texts."""

    key: str  # the feature that holds the translations, "" for the record itself
    languages: list[str]  # in its own order
    varies: bool  # whether each record lists the languages that it has


def load_tfds_pairs(
    spec: str,
    source: str = "",
    target: str = "",
    download: bool = True,
    splits: Collection[str] | None = None,
) -> dict[str, list[Pair]]:
    """Reads the splits of a data set, each in the data set's own order.

    Where the languages vary, records without one of the two are left out, and of several
    translations into a language the first one counts.

    If both languages are `""`, they are the data set's supervised keys, or else its features in
    their order if there are two. The result has the blank pairs as well. For the other arguments
    and the errors see `read_splits`.
    """

    def reader(data: DataSet) -> Callable[[str], list[Pair]]:
        layout = _layout(data)
        usual = _usual(data.builder, layout)
        pair = languages.choose(spec, layout.languages, source, target, usual)
        return lambda split: [
            Pair.of(*map(decoded, texts)) for texts in _texts(data, split, layout, pair)
        ]

    return read_splits(spec, "ted_hrlr_translate/pt_to_en", download, splits, reader)


def _layout(data: DataSet) -> _Layout:
    tfds, features = data.tfds, data.features
    places = {"": features, **features}
    for key, feature in places.items():
        if isinstance(feature, tfds.features.Translation):
            return _Layout(key, list(feature), False)
        if isinstance(feature, tfds.features.TranslationVariableLanguages) and feature.languages:
            return _Layout(key, list(feature.languages), True)
    for key, feature in places.items():
        if isinstance(feature, tfds.features.FeaturesDict):
            texts = [name for name in feature if kind_of(tfds, feature[name]) in STRINGS]
            if len(texts) > 1:
                return _Layout(key, texts, False)
    raise InputError(
        f"{data.spec}: no feature holds translations, expected texts in two languages, there are "
        f"{', '.join(features)}: choose another data set"
    )


def _usual(builder: Any, layout: _Layout) -> list[str]:
    """The languages that are meant if none are chosen, in their order; nothing if none are."""
    supervised = builder.info.supervised_keys or ()
    if len(supervised) == 2 and all(name in layout.languages for name in supervised):
        return list(supervised)
    return layout.languages if len(layout.languages) == 2 else []


def _texts(
    data: DataSet, split: str, layout: _Layout, pair: tuple[str, str]
) -> Iterator[tuple[bytes, ...]]:
    if not layout.key:
        yield from data.columns(split, pair)
        return
    for record in data.rows(split):
        row = record[layout.key]
        if layout.varies:
            # Of several translations the first: later entries of a dict replace earlier ones.
            both = zip(row["language"][::-1], row["translation"][::-1], strict=True)
            row = {language.decode(): text for language, text in both}
        if all(language in row for language in pair):
            yield tuple(row[language] for language in pair)
