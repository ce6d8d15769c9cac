"""Reads running text from tensorflow-datasets: tiny_shakespeare, lm1b, wiki40b, ...

One record after the other, so that of a data set larger than the memory no more is read than was
asked for. What is prepared is used without the network.
"""

from collections.abc import Callable, Mapping

from recipes.data.columns import first_of
from recipes.data.texts import as_text, first
from recipes.data.tfds.features import check_features
from recipes.data.tfds.source import DataSet, decoded, read_splits


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
