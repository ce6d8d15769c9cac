"""`SeriesRecipe`: what recipes share whose models read series of numbers."""

import dataclasses
import math
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any, ClassVar

import keras
import numpy as np

import zoo
from recipes.data.series import signal_splits
from recipes.data.series.formats.wav import wav_files, write_wav
from recipes.data.series.items import Series
from recipes.data.series.signal_splits import SignalSplits
from recipes.families.numeric.config import SeriesAnswering
from recipes.families.numeric.reading import Expected
from recipes.recipe import Prepared, Recipe
from recipes.training.augmentation import Augmentation
from recipes.training.batches import Encoded, bucket_lengths
from recipes.training.number_batches import NumberBatches
from zoo.errors import InputError
from zoo.system import durable

EXAMPLES = "examples"  # the folder of a run with a few series of the test split
SHOWN = 3  # of them
TOKENS = ("vocabulary_size", "embedding_dim", "word_dropout", "num_outputs")


@dataclasses.dataclass(frozen=True)
class PreparedSeries(Prepared):
    """Series as numbers.

    Attributes:
        directory: The run's folder.
        width: F, numbers of each step.
        rate: Samples per second of waveforms.
    """

    directory: Path = Path()
    width: int = 1
    rate: int = 0


class SeriesRecipe(Recipe):
    """A recipe whose model reads series of numbers; a file of the user's is a series or several.

    Attributes:
        waveforms: The defaults that apply to WAV files.
        transcripts: Whether the label of a series is a text that it spells.
    """

    unused = TOKENS
    answering = SeriesAnswering
    reads_files = True
    waveforms: ClassVar[Mapping[str, Any]] = {}
    transcripts: ClassVar[bool] = False

    def corpus(self, seed: int) -> Any:
        """Generates the built-in series of train, validation and test."""
        raise InputError(f"{self.name} has no built-in data: give --data")

    def load(self, data: Any, whole: bool = False) -> Any:
        """Loads the series that `data.data` names."""
        corpus = partial(self.corpus, data.split_seed)
        found = signal_splits.load(data, corpus, whole, self.transcripts)
        return dataclasses.replace(found, rate=found.rate or data.sample_rate)

    def defaults(self, options: Mapping[str, Any]) -> dict[str, Any]:
        """Those of the built-in data, or of waveforms if the data is a folder with WAV files."""
        if self.is_builtin(options):
            return dict(self.builtin)
        return dict(self.waveforms) if _has_wav_files(options["data"]) else {}

    def batched(self, data: Any, encoded: Encoded, lengths: np.ndarray) -> NumberBatches:
        """The batches of a split, padded to bucket lengths."""
        hop = max(1, data.sample_rate * data.hop_ms // 1000) if data.features == "log_mel" else 1
        buckets = bucket_lengths(lengths, data.buckets)
        return NumberBatches(encoded, data.batch_size, buckets, hop=hop)

    def batches(self, model: keras.Model, config: Any, prepared: Any, split: str) -> NumberBatches:
        """The batches of a split; those of train are changed at random."""
        batches: NumberBatches = prepared.batches[split]
        if split != "train":
            return batches
        return dataclasses.replace(batches, augmentation=Augmentation.of(config))

    def check(self, config: Any) -> None:
        """Checks the random changes, and builds a small model."""
        Augmentation.of(config)
        super().check(config)

    def build(self, config: Any, prepared: Any) -> keras.Model:
        """The compiled model, with the mean and the variance of the training values."""
        train = prepared.splits.train
        gap = next((one for one in train if not np.isfinite(one.values).all()), None)
        if gap is not None and config.missing == "error":
            raise InputError(
                f"series {gap.name!r} has missing values (NaN), expected numbers alone: fill them "
                "in, or give --missing indicator, with which the model learns what they mean"
            )
        model = self.model(config, self.sizes(prepared))
        zoo.adapt(model, self._inputs(prepared))
        self.compile(model, config, prepared)
        return model

    def _inputs(self, prepared: Any) -> Iterator[Any]:
        batches = prepared.batches["train"]
        return (batches.pad(members) for members in batches.order(None))

    def expected(self, model: keras.Model) -> Expected:
        """What a model reads."""
        layers = {layer.name: layer for layer in model.layers}
        rate = layers["log_mel"].sample_rate if "log_mel" in layers else 0
        return Expected(int(model.input["values"].shape[-1]), rate)

    def check_fits(self, model: keras.Model, splits: SignalSplits) -> None:
        """Refuses other data whose series are not such as the model reads.

        Raises:
            InputError: They are not.
        """
        for series in splits.test:
            where = f"series {series.name!r}"
            self.expected(model).check(where, series.values, splits.rate)

    def examples(self, config: Any, prepared: Any) -> list[str]:
        """Files with a series of the test split each, written into the run's folder."""
        folder = prepared.directory / EXAMPLES
        durable.make_folder(folder)
        columns = prepared.splits.columns
        is_sound = config.features == "log_mel"
        paths = []
        for number, series in enumerate(prepared.splits.test[:SHOWN], 1):
            path = folder / f"{number}{'.wav' if is_sound else '.csv'}"
            if is_sound:
                write_wav(path, series.values[:, 0], prepared.rate)
            else:
                rows = [dict(zip(columns, row, strict=True)) for row in _cells(series)]
                durable.write_csv(path, list(columns), rows)
            paths.append(str(path))
        return paths


def rows_of(series: Sequence[Series]) -> list[np.ndarray]:
    """The values of series, float32 (T, F) each."""
    return [one.values.astype(np.float32) for one in series]


def _cells(series: Series) -> list[list[Any]]:
    """The values of a series for a table; a missing one is an empty cell."""
    values = series.values.tolist()
    return [["" if math.isnan(value) else value for value in row] for row in values]


def _has_wav_files(data: str) -> bool:
    path = Path(data).expanduser()
    return path.is_dir() and bool(wav_files(path))
