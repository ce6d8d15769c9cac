"""Reads labelled texts from tensorflow-datasets; what is prepared is used without the network."""

import contextlib
import importlib
import logging
import os
import re
import sys
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Any

from recipes.data.columns import first_of
from recipes.data.naming import unknown
from recipes.data.network import reachable
from recipes.data.table import Example
from recipes.data.tfds.features import check_features, read_label
from recipes.data.tfds.records import read_batches
from zoo.errors import InputError

PREFIX = "tfds:"
SPEC = re.compile(r"tfds:(?P<name>\w+)(?:/(?P<config>[\w.+-]+))?")
_GOOGLE = "https://storage.googleapis.com"  # where data sets without a list of addresses come from


def load_tfds(
    spec: str,
    text_key: str = "text",
    label_key: str = "label",
    download: bool = True,
    splits: Collection[str] | None = None,
) -> dict[str, list[Example]]:
    """Reads the labelled splits of a data set, each in the data set's own order.

    A class of a `ClassLabel` is called by its name; -1 means that an example has no label, and such
    examples are left out, with them whole splits like IMDB's `unsupervised`. Whole numbers and
    strings are labels as well. Looks in `TFDS_DATA_DIR`, or else in `~/tensorflow_datasets`.

    Args:
        spec: `tfds:NAME` or `tfds:NAME/CONFIG`.
        text_key: The feature that holds the text, or several with commas: the first there is.
        label_key: The feature that holds the label, likewise.
        download: Whether a data set that is not prepared may be downloaded, which needs a network.
        splits: The names of the splits to read if there are such; all by default.

    Returns:
        Split name -> examples, in the data set's own order of splits.

    Raises:
        InputError: The data set, configuration or feature is unknown, of the wrong kind, damaged,
            or not prepared and not to be had; or tensorflow-datasets is not installed.
    """
    match = SPEC.fullmatch(spec)
    if not match:
        raise InputError(
            f"expected tfds:NAME or tfds:NAME/CONFIG, got {spec!r}: see tfds:imdb_reviews"
        )
    tfds = tensorflow_datasets_module()
    with quiet():
        builder = builder_of(tfds, match["name"], match["config"])
        features = builder.info.features
        text_key, label_key = first_of(text_key, features), first_of(label_key, features)
        check_features(tfds, spec, features, text_key, label_key)
        if not builder.is_prepared():
            prepare(spec, builder, download)
        chosen = [name for name in builder.info.splits if splits is None or name in splits]
        found = {name: _read(tfds, spec, builder, name, text_key, label_key) for name in chosen}
    return {name: examples for name, examples in found.items() if examples}


def tensorflow_datasets_module() -> Any:
    """The optional package, or an error that says how to install it."""
    try:
        return importlib.import_module("tensorflow_datasets")  # an optional extra
    except ImportError as error:
        raise InputError(
            f"data from tfds: needs the package tensorflow-datasets, which is not installed whole "
            f"({error}): install it with `pip install 'rnn-zoo[tfds]'`"
        ) from error


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    """Holds back the warnings that tensorflow-datasets logs about ordinary things."""
    loggers = [logging.getLogger(name) for name in ("absl", "urllib3")]
    levels = [logger.level for logger in loggers]
    for logger in loggers:
        logger.setLevel(logging.ERROR)
    try:
        yield
    finally:
        for logger, level in zip(loggers, levels, strict=True):
            logger.setLevel(level)


def _data_dir() -> Path:
    # Read at each call: tensorflow-datasets itself looks once, when it is imported.
    return Path(os.environ.get("TFDS_DATA_DIR") or "~/tensorflow_datasets").expanduser()


def builder_of(tfds: Any, name: str, config: str | None) -> Any:
    """The builder of a data set in the data folder, or an error that says why there is none."""
    full_name = f"{name}/{config}" if config else name
    try:
        return tfds.builder(full_name, try_gcs=False, data_dir=_data_dir())
    except Exception as error:  # of many classes: whatever the data set's own code raises
        raise InputError(_why_not(tfds, name, config, error)) from error


def _why_not(tfds: Any, name: str, config: str | None, error: Exception) -> str:
    names = tfds.list_builders(with_community_datasets=False)
    if name not in names:
        problem = unknown("data set", name, names)
        return f"tfds:{name}: {problem}: see https://www.tensorflow.org/datasets/catalog/overview"
    configs = tfds.builder_cls(name).builder_configs
    if config and config not in configs:
        remedy = "choose one, or leave it out for the first" if configs else "leave it out"
        return f"tfds:{name}/{config}: {unknown('configuration', config, configs)}: {remedy}"
    return (
        f"tfds:{name} cannot be opened in {_data_dir()} ({brief(error)}), expected a whole data "
        f"set: delete its folder there and prepare it again"
    )


def prepare(spec: str, builder: Any, download: bool) -> None:
    """Downloads and prepares what is not prepared yet, if that is allowed and can be done."""
    where = f"{spec} is not prepared in {_data_dir()}"
    command = (
        f'python -c "import tensorflow_datasets as tfds; '
        f"tfds.load('{spec.removeprefix(PREFIX)}', data_dir='{_data_dir()}')\""
    )
    elsewhere = "or set TFDS_DATA_DIR to a folder that has it"
    if not download:
        raise InputError(
            f"{where} and may not be downloaded (--no-download): prepare it with `{command}`, "
            f"{elsewhere}"
        )
    addresses = _addresses(builder)
    if addresses and not reachable(addresses):
        raise InputError(
            f"{where} and there is no network to download it: prepare it on a connected machine "
            f"with `{command}` and copy the folder, {elsewhere}"
        )
    try:
        with contextlib.redirect_stdout(sys.stderr):  # the progress
            builder.download_and_prepare()
    except Exception as error:  # of many classes: network, disk, checksum, a missing package
        raise InputError(
            f"{where} and downloading it failed ({brief(error)}): try again, prepare it with "
            f"`{command}`, {elsewhere}"
        ) from error


def _addresses(builder: Any) -> list[str]:
    """What the data set downloads; nothing if its user must bring the files."""
    if builder.MANUAL_DOWNLOAD_INSTRUCTIONS:
        return []
    return list(builder.url_infos or [_GOOGLE])


def _read(
    tfds: Any, spec: str, builder: Any, split: str, text_key: str, label_key: str
) -> list[Example]:
    label_of = read_label(tfds, builder.info.features[label_key])
    examples = []
    try:
        for batch in read_batches(tfds, builder, split, (text_key, label_key)):
            for text, value in zip(batch[text_key], batch[label_key], strict=True):
                label = label_of(value)
                if label:
                    examples.append(Example(text.decode("utf-8", errors="replace"), label))
    except Exception as error:  # of many classes: a file is missing, cut short, or of other bytes
        raise InputError(
            f"{spec}: split {split!r} in {builder.data_path} cannot be read ({brief(error)}): "
            f"delete that folder and prepare it again"
        ) from error
    return examples


def brief(error: Exception) -> str:
    """An error's first words, on one line."""
    words = " ".join(str(error).split())
    return words[:400] or type(error).__name__
