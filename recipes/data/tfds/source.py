"""Opens, prepares and reads data sets of tensorflow-datasets; only preparing uses the network."""

import contextlib
import importlib
import logging
import os
import re
import sys
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from recipes.data.location import PREFIX
from recipes.data.naming import unknown
from recipes.data.network import reachable
from recipes.data.splits import SPLIT_OF
from zoo.errors import InputError

T = TypeVar("T")

_SPEC = re.compile(r"tfds:(?P<name>\w+)(?:/(?P<config>[\w.+-]+))?")
_GOOGLE = "https://storage.googleapis.com"  # where data sets without a list of addresses come from
BATCH = 1000  # records that are converted at once; one by one takes twice the time


@dataclass(frozen=True)
class DataSet:
    """A data set that has been opened, and perhaps not prepared yet.

    Attributes:
        tfds: The package, imported only where it is used.
        spec: What the user asked for, for the errors.
        builder: The package's builder of the data set.
    """

    tfds: Any
    spec: str
    builder: Any

    @property
    def features(self) -> Mapping[str, Any]:
        """The data set's features by name."""
        features: Mapping[str, Any] = self.builder.info.features
        return features

    def rows(self, split: str, keys: Sequence[str] | None = None) -> Iterator[dict[str, Any]]:
        """The records of a split in the order of its files, strings as bytes.

        Args:
            split: The split's name.
            keys: The features to read; all by default.
        """
        yield from self.tfds.as_numpy(self._read(split, keys))

    def columns(self, split: str, keys: Sequence[str], batch: int = 0) -> Iterator[tuple[Any, ...]]:
        """The same for features that are single values, faster: the values of each record.

        `batch` is the number of records that are converted at once; 0 for a thousand.
        """
        for values in self.tfds.as_numpy(self._read(split, keys).batch(batch or BATCH)):
            yield from zip(*(values[key] for key in keys), strict=True)

    def _read(self, split: str, keys: Sequence[str] | None) -> Any:
        some = None
        if keys and type(self.features) is self.tfds.features.FeaturesDict:  # and no Translation
            some = self.tfds.decode.PartialDecoding(dict.fromkeys(keys, True))
        # One file after the other, and no cache, which warns if it is not read to its end.
        config = self.tfds.ReadConfig(interleave_cycle_length=1, try_autocache=False)
        return self.builder.as_dataset(split=split, decoders=some, read_config=config)


def read_splits(
    spec: str,
    example: str,
    download: bool,
    splits: Collection[str] | None,
    reader: Callable[[DataSet], Callable[[str], list[T]]],
) -> dict[str, list[T]]:
    """Opens a data set, prepares it if that is needed, and reads its splits.

    Looks in `TFDS_DATA_DIR`, or else in `~/tensorflow_datasets`.

    Args:
        spec: `tfds:NAME` or `tfds:NAME/CONFIG`.
        example: A data set of this kind, for the error about a malformed name.
        download: Whether a data set that is not prepared may be downloaded, which needs a network.
        splits: The names of the splits to read if there are such; None for all.
        reader: Chooses features, before anything is downloaded, and returns a function from the
            name of a split to its items.

    Returns:
        Split name -> items, in the data set's own order of splits.

    Raises:
        InputError: The data set, configuration or a feature is unknown, of the wrong kind, damaged,
            or not prepared and not to be had; or tensorflow-datasets is not installed.
    """
    match = _SPEC.fullmatch(spec)
    if not match:
        raise InputError(
            f"expected tfds:NAME or tfds:NAME/CONFIG, got {spec!r}: see tfds:{example}"
        )
    tfds = _tensorflow_datasets()
    with _quiet():
        builder = _builder(tfds, match["name"], match["config"])
        read = reader(DataSet(tfds, spec, builder))
        if not builder.is_prepared():
            _prepare(spec, builder, download)
        names = [name for name in builder.info.splits if splits is None or name in splits]
        return {name: _read(spec, builder, name, read) for name in names}


def _read(spec: str, builder: Any, split: str, read: Callable[[str], list[T]]) -> list[T]:
    try:
        return read(split)
    except Exception as error:  # of many classes: a file is missing, cut short, or of other bytes
        raise InputError(
            f"{spec}: split {split!r} in {builder.data_path} cannot be read ({_brief(error)}): "
            f"delete that folder and prepare it again"
        ) from error


def in_splits(
    spec: str,
    found: Mapping[str, list[T]],
    split_of: Mapping[str, str] = SPLIT_OF,
    problem: str = "there is no split",
    remedy: str = "",
) -> dict[str, list[T]]:
    """The splits of a data set under the names `train`, `validation` and `test`.

    Of two that mean the same, as `split_of` has it, the first counts. `problem` is what the error
    says of the missing train, `remedy` what it proposes beside another data set.

    Raises:
        InputError: There is no train.
    """
    if "train" not in found:
        raise InputError(
            f"{spec}: {problem} called 'train', found {', '.join(found) or 'none'}: choose another "
            f"data set{remedy}"
        )
    parts: dict[str, list[T]] = {}
    for name, items in found.items():
        parts.setdefault(split_of[name], items)
    return parts


def decoded(text: bytes) -> str:
    """A string of a record; bytes that are no UTF-8 become U+FFFD."""
    return text.decode("utf-8", errors="replace")


def _tensorflow_datasets() -> Any:
    """The optional package, or an error that says how to install it."""
    try:
        return importlib.import_module("tensorflow_datasets")  # an optional extra
    except ImportError as error:
        raise InputError(
            f"data from tfds: needs the package tensorflow-datasets, which is not installed whole "
            f"({error}): install it with `pip install 'rnn-zoo[tfds]'`"
        ) from error


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
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


def _builder(tfds: Any, name: str, config: str | None) -> Any:
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
        f"tfds:{name} cannot be opened in {_data_dir()} ({_brief(error)}), expected a whole data "
        f"set: delete its folder there and prepare it again"
    )


def _prepare(spec: str, builder: Any, download: bool) -> None:
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
            f"{where} and downloading it failed ({_brief(error)}): try again, prepare it with "
            f"`{command}`, {elsewhere}"
        ) from error


def _addresses(builder: Any) -> list[str]:
    """What the data set downloads; nothing if its user must bring the files."""
    if builder.MANUAL_DOWNLOAD_INSTRUCTIONS:
        return []
    return list(builder.url_infos or [_GOOGLE])


def _brief(error: Exception) -> str:
    """An error's first words, on one line."""
    words = " ".join(str(error).split())
    return words[:400] or type(error).__name__
