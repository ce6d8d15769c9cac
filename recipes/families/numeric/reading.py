"""The files that `predict` answers: paths -> series that fit the model -> a served answer each."""

import dataclasses
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import tensorflow as tf

from recipes.data.location import without_gz
from recipes.data.series.formats.wav import read_wav
from recipes.data.series.items import Series, SeriesSet
from recipes.data.series.options import SeriesColumns
from recipes.data.series.reading import read
from zoo.errors import InputError
from zoo.layers.numeric import pad_series
from zoo.pipelines.series_input import NUMBERS
from zoo.system.bounded_batches import batches

ROWS = 256  # of a batch at most


class Expected(NamedTuple):
    """What a model reads.

    Attributes:
        width: F, numbers of each step.
        rate: Samples per second of waveforms, 0 for other series.
    """

    width: int
    rate: int = 0

    @classmethod
    def of(cls, signatures: Any) -> "Expected":
        """What a served model reads."""
        _, specs = signatures["serving_default"].structured_input_signature
        rate = 0
        if "sample_rate" in signatures:
            (rate,) = signatures["sample_rate"](streams=np.zeros(1, np.int32))["sample_rate"]
        return cls(int(specs["values"].shape[-1]), int(rate))

    def check(self, where: str, values: np.ndarray, rate: int = 0) -> None:
        """Refuses a series (T, F) of another width, or a waveform of another sampling rate.

        Raises:
            InputError: It does not fit.
        """
        if values.shape[1] != self.width:
            raise InputError(
                f"{where}: {values.shape[1]} values at each step, expected {self.width}, as the "
                "model was trained on: name them with --value-columns, or give another file"
            )
        if self.rate and rate and rate != self.rate:
            raise InputError(
                f"{where}: {rate} samples per second, expected {self.rate}, as the model was "
                f"trained on: convert it, such as with `ffmpeg -i old.wav -ar {self.rate} new.wav`"
            )


def read_files(paths: Sequence[str], answering: Any, expected: Expected) -> list[list[Series]]:
    """The series of each file, or folder of WAV files, one or more.

    Raises:
        InputError: A file cannot be read or does not fit the model.
    """
    columns = SeriesColumns(**dataclasses.asdict(answering))
    found = []
    for path in paths:
        part = _read(Path(path).expanduser(), columns)
        for series in part.series:
            where = f"{path}, series {series.name!r}" if len(part.series) > 1 else path
            expected.check(where, series.values, part.rate)
        found.append(part.series)
    return found


def answers(
    signatures: Any, name: str, paths: Sequence[str], answering: Any
) -> Iterator[tuple[dict[str, Any], dict[str, Any]]]:
    """Calls a signature on the series of files, in batches of like lengths.

    Yields:
        For each series a row (`file`, `series`, its name, and `number` in the file, from 1) and the
        signature's outputs for it, in the order of the files.

    Raises:
        InputError: A file cannot be read or does not fit the model.
    """
    files = read_files(paths, answering, Expected.of(signatures))
    rows = [
        {"file": path, "series": one.name, "number": number}
        for path, series in zip(paths, files, strict=True)
        for number, one in enumerate(series, 1)
    ]
    values = [one.values.astype(np.float32) for series in files for one in series]
    outputs: list[dict[str, Any]] = [{} for _ in rows]
    for places in batches([one.size for one in values], ROWS, NUMBERS):
        inputs = pad_series([values[place] for place in places])
        tensors = {key: tf.constant(value) for key, value in inputs.items()}
        found = {key: value.numpy() for key, value in signatures[name](**tensors).items()}
        for row, place in enumerate(places):
            outputs[place] = {key: value[row] for key, value in found.items()}
    yield from zip(rows, outputs, strict=True)


def _read(path: Path, columns: SeriesColumns) -> SeriesSet:
    if without_gz(path).endswith(".wav"):
        values, rate = read_wav(path)
        return SeriesSet([Series("", values[:, None])], ("amplitude",), rate=rate)
    return read(path, columns)
