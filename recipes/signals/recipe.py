"""The recipe `signals`: a series of numbers, or a sound -> a recurrent classifier -> its class."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import keras
import numpy as np

from recipes.config import TrainingConfig
from recipes.corpora import signals
from recipes.data.series.items import Series
from recipes.families.classification import ClassificationRecipe
from recipes.families.labelled import CLASSES
from recipes.families.numeric import SeriesRecipe
from recipes.families.numeric.config import Changes, SeriesData
from recipes.families.numeric.reading import answers
from recipes.families.numeric.recipe import PreparedSeries, rows_of
from recipes.predictions import Measured
from recipes.pretrained import Pretrained
from recipes.recipe import Prepared
from recipes.registry import register
from recipes.run_files import read_labels
from recipes.signals import baseline
from recipes.training.epochs import EpochRule
from zoo.pipelines import SignalClassifier


@dataclass(frozen=True)
class SignalsData(SeriesData):
    """How series are read."""


@dataclass(frozen=True)
class SignalsConfig(TrainingConfig, Changes, SignalsData):
    """All options of the recipe."""

    RULE: ClassVar[EpochRule] = EpochRule(
        least=30, reference=2_000, patience=8, unit="training series"
    )
    learning_rate: float = TrainingConfig.with_default("learning_rate", 3e-3)
    decay: str = TrainingConfig.with_default("decay", "cosine")
    architecture: str = TrainingConfig.with_default("architecture", "many_to_one")


@register
class SignalsRecipe(SeriesRecipe, ClassificationRecipe):
    """Classification of series with a recurrent network."""

    name = "signals"
    config = SignalsConfig
    data_options = SignalsData
    sized_by_data = {"input_dim": 1, "num_classes": 2, "sample_rate": 8000}
    model_defaults = {
        "cell": "gru",
        "units": 64,
        "bidirectional": True,
        "pooling": "concat",
        "dropout": 0.3,
    }
    builtin = {
        "epochs": 10,
        "patience": 10,
        "learning_rate": 1e-2,
        "dropout": 0.1,
        "instance_norm": "mean_std",
    }
    waveforms = {"features": "log_mel", "spec_augment": 2, "speed": 0.15, "scale": 1.0}
    note = (
        "It learned generated series of three channels, whose classes are orders of motifs. Train "
        "on real series before you use it: rnn-zoo all signals --data series.csv --series-column "
        "id --label-column class"
    )

    def corpus(self, seed: int) -> Any:
        """The generated series."""
        return signals.generate(seed)

    def learn_text_path(self, data: Any, texts: Sequence[str], directory: Path) -> None:
        """There is none."""

    def load_text_path(self, data: Any, directory: Path) -> None:
        """There is none."""

    def learn(self, data: Any, examples: Sequence[Series], directory: Path) -> None:
        """The model's own layers learn the scale of the values, see `zoo.adapt`."""

    def extend(self, start: Pretrained, data: Any, directory: Path) -> None:
        """There is no vocabulary."""

    def encode(self, vectorizer: Any, examples: Sequence[Series]) -> list[np.ndarray]:
        """The values of each series."""
        return rows_of(examples)

    def title(self, example: Series) -> str:
        """The series' name."""
        return example.name

    def prepare(self, data: Any, splits: Any, directory: Path) -> PreparedSeries:
        """Learns the labels and makes batches."""
        found = super().prepare(data, splits, directory)
        width = splits.train[0].values.shape[1]
        return PreparedSeries(**vars(found), directory=directory, width=width, rate=splits.rate)

    def summarized(self, vectorizer: Any, classes: Sequence[str], train: Any) -> str:
        """The classes, and the lengths of series and batches."""
        lengths = train.encoded.lengths
        return (
            f"classes: {len(classes)}; series of {lengths.min():,} to {lengths.max():,} steps of "
            f"{train.encoded.rows[0].shape[1]} values, {train.padding_share:.1%} of the batches' "
            "places padding"
        )

    def sizes(self, prepared: Any) -> dict[str, Any]:
        """The numbers of a step and of labels, and the sampling rate."""
        return {
            "input_dim": prepared.width,
            "num_classes": len(prepared.classes),
            "sample_rate": prepared.rate,
        }

    def evaluate(
        self, model: keras.Model, config: Any, prepared: Prepared, directory: Path
    ) -> dict[str, Any]:
        """Adds the accuracy of a classifier of the channels' means and deviations."""
        found = super().evaluate(model, config, prepared, directory)
        train, classes = prepared.batches["train"].encoded, len(prepared.classes)
        simple = baseline.Summaries.fit(train.rows, train.labels, classes)
        for split, scores in found.items():
            part = prepared.batches[split].encoded
            right = simple.predict(part.rows) == part.labels
            scores["summary_statistics_accuracy"] = float(right.mean())
        return found

    def measure(self, model: keras.Model, config: Any, splits: Any, directory: Path) -> Measured:
        """The metrics of the test split, and the prediction for each series."""
        self.check_fits(model, splits)
        return super().measure(model, config, splits, directory)

    def pipeline(self, model: keras.Model, config: Any, directory: Path) -> SignalClassifier:
        """The pipeline from series to labels."""
        return SignalClassifier(model, read_labels(directory / CLASSES))

    def answer(self, signatures: Any, texts: Sequence[str], options: Any) -> list[dict[str, Any]]:
        """A dict per series: `file`, `label`, `probabilities`; `series`, its name; `number`."""
        rows = []
        for row, found in answers(signatures, "serving_default", texts, options):
            shares = zip(found["classes"], found["probabilities"], strict=True)
            probabilities = {name.decode(): float(share) for name, share in shares}
            label = found["label"].decode()
            rows.append({**row, "label": label, "probabilities": probabilities})
        return rows

    def format_answer(self, row: dict[str, Any]) -> str:
        """Label, probability and file; the series' name where the file has several."""
        name = f", series {row['series']}" if row["series"] else ""
        return f"{row['label']}  {max(row['probabilities'].values()):.3f}  {row['file']}{name}"
