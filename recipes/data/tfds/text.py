"""Reads running text from tensorflow-datasets: tiny_shakespeare, lm1b, wiki40b, ...

One record after the other, so that of a data set larger than the memory no more is read than was
asked for. What is prepared is used without the network.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from recipes.data.columns import first_of
from recipes.data.texts import as_text, first
from recipes.data.tfds.features import check_features
from recipes.data.tfds.source import (
    SPEC,
    brief,
    builder_of,
    prepare,
    quiet,
    tensorflow_datasets_module,
)
from zoo.errors import InputError

_BATCH = 100  # records that are parsed at once where there is no limit to stop at


def load_tfds_corpus(
    spec: str, text_key: str, *, unit: str, limits: Mapping[str, int], download: bool
) -> dict[str, list[str]]:
    """Reads the texts of some splits, each in the order of the data set's files.

    Looks in `TFDS_DATA_DIR`, or else in `~/tensorflow_datasets`.

    Args:
        spec: `tfds:NAME` or `tfds:NAME/CONFIG`.
        text_key: The feature that holds the text.
        unit: "line" or "file", as `texts` has it; a record is a text.
        limits: The names of the splits to read if there are such, and the most characters of each;
            0 for all. The record in which the limit falls is the last one that is asked for.
        download: Whether a data set that is not prepared may be downloaded, which needs a network.

    Returns:
        Split name -> texts, in the data set's own order of splits.

    Raises:
        InputError: The data set, configuration or feature is unknown, of the wrong kind, damaged,
            or not prepared and not to be had; or tensorflow-datasets is not installed.
    """
    match = SPEC.fullmatch(spec)
    if not match:
        raise InputError(
            f"expected tfds:NAME or tfds:NAME/CONFIG, got {spec!r}: see tfds:tiny_shakespeare"
        )
    tfds = tensorflow_datasets_module()
    with quiet():
        builder = builder_of(tfds, match["name"], match["config"])
        text_key = first_of(text_key, builder.info.features)
        check_features(tfds, spec, builder.info.features, text_key, text_key)
        if not builder.is_prepared():
            prepare(spec, builder, download)
        chosen = [name for name in builder.info.splits if name in limits]
        return {
            name: _read(tfds, spec, builder, name, text_key, unit, limits[name]) for name in chosen
        }


def _read(
    tfds: Any, spec: str, builder: Any, split: str, key: str, unit: str, limit: int
) -> list[str]:
    try:
        records = _records(tfds, builder, split, key, 1 if limit else _BATCH)
        return first((as_text(record, unit) for record in records), limit, unit)
    except Exception as error:  # of many classes: a file is missing, cut short, or of other bytes
        raise InputError(
            f"{spec}: split {split!r} in {builder.data_path} cannot be read ({brief(error)}): "
            f"delete that folder and prepare it again"
        ) from error


def _records(tfds: Any, builder: Any, split: str, key: str, size: int) -> Iterator[str]:
    """The strings of a split, in their order; parsed as many at a time as `size` says."""
    data = builder.as_dataset(
        split=split,
        decoders=tfds.decode.PartialDecoding({key: True}),
        # One file after the other, and no cache, which warns if it is not read to its end.
        read_config=tfds.ReadConfig(interleave_cycle_length=1, try_autocache=False),
    )
    for batch in tfds.as_numpy(data.batch(size)):
        for text in batch[key]:
            yield text.decode("utf-8", errors="replace")
