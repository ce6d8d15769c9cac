"""Reads texts from tensorflow-datasets: labelled ones (imdb_reviews) and running ones (lm1b).

Running text is read one record after the other, so that of a data set larger than the memory no
more is read than was asked for. What is prepared is used without the network.
"""

from collections.abc import Callable, Collection, Mapping

from recipes.data.columns import first_of
from recipes.data.items import Example
from recipes.data.texts import as_text, first
from recipes.data.tfds.features import check_features, read_label
from recipes.data.tfds.source import DataSet, decoded, read_splits


def load_tfds(
    spec: str,
    text_key: str = "text",
    label_key: str = "label",
    download: bool = True,
    splits: Collection[str] | None = None,
) -> dict[str, list[Example]]:
    """Reads the labelled splits of a data set, each in the order of the data set's files.

    A class of a `ClassLabel` is called by its name; -1 means that an example has no label, and such
    examples are left out, with them whole splits like IMDB's `unsupervised`. Whole numbers and
    strings are labels as well. Of several features with commas the first counts that the data set
    has.

    No split of the result is empty. For the other arguments and the errors see `read_splits`.
    """

    def reader(data: DataSet) -> Callable[[str], list[Example]]:
        keys = [first_of(key, data.features) for key in (text_key, label_key)]
        check_features(data.tfds, spec, data.features, *keys)
        label_of = read_label(data.tfds, data.features[keys[1]])

        def read(split: str) -> list[Example]:
            rows = ((text, label_of(value)) for text, value in data.columns(split, keys))
            return [Example(decoded(text), label) for text, label in rows if label]

        return read

    found = read_splits(spec, "imdb_reviews", download, splits, reader)
    return {name: examples for name, examples in found.items() if examples}


def load_tfds_corpus(
    spec: str, text_key: str, *, unit: str, limits: Mapping[str, int], download: bool
) -> dict[str, list[str]]:
    """Reads the texts of some splits, each in the order of the data set's files.

    A record is a text, in the unit that `texts` describes. `limits` has the names of the splits to
    read if there are such, and the most characters of each, 0 for all: the record in which the
    limit falls is the last one that is asked for. For the other arguments and the errors see
    `read_splits`.
    """

    def reader(data: DataSet) -> Callable[[str], list[str]]:
        key = first_of(text_key, data.features)
        check_features(data.tfds, spec, data.features, key, key)

        def read(split: str) -> list[str]:
            limit = limits[split]
            records = data.columns(split, [key], 1 if limit else 0)
            return first((as_text(decoded(text), unit) for (text,) in records), limit, unit)

        return read

    return read_splits(spec, "tiny_shakespeare", download, limits, reader)
