"""The recipe `digits`: recordings -> spectra -> a recurrent network -> text, by CTC."""

import dataclasses
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import keras
import numpy as np

from recipes import confusions, pretrained
from recipes.config import write_json
from recipes.corpora import digits
from recipes.data.series.items import Series
from recipes.digits.config import BUILTIN, UNITS, DigitsConfig, DigitsData
from recipes.digits.scoring import Transcripts, score, transcribe
from recipes.digits.utterances import JoinedBatches, utterances
from recipes.families.numeric import SeriesRecipe
from recipes.families.numeric.reading import answers
from recipes.families.numeric.recipe import PreparedSeries, rows_of
from recipes.predictions import Measured, numbered
from recipes.registry import register
from recipes.run_files import read_labels
from recipes.training import optimizers
from recipes.training.batches import Encoded, padded
from recipes.training.number_batches import NumberBatches
from zoo.errors import InputError, require_choice, require_positive_int
from zoo.losses import CTCLoss
from zoo.pipelines import Transcriber

LABELS = "labels.json"


@register
class DigitsRecipe(SeriesRecipe):
    """Speech recognition with a recurrent network and CTC."""

    name = "digits"
    config = DigitsConfig
    data_options = DigitsData
    sized_by_data = {"input_dim": 1, "num_labels": 2, "sample_rate": 8000}
    model_defaults = {"cell": "gru", "units": 64, "num_layers": 2, "dropout": 0.2}
    builtin = BUILTIN
    waveforms = {"spec_augment": 2, "speed": 0.15, "scale": 1.0}
    transcripts = True
    metric = "word_error_rate"
    starts_from_pretrained = True
    text_options = ("unit",)
    note = (
        "It learned generated sounds of ten invented words. Train on recordings before you use it: "
        "rnn-zoo all digits --data recordings --label-pattern '^(\\d)_'"
    )

    def corpus(self, seed: int) -> Any:
        """The generated recordings."""
        return digits.generate(seed)

    def check(self, config: Any) -> None:
        """Checks the recipe's own options, and builds a small model."""
        require_choice("unit", config.unit, tuple(UNITS))
        require_positive_int("most_joined", config.most_joined)
        require_positive_int("beam_width", config.beam_width)
        super().check(config)

    def prepare(self, data: Any, splits: Any, directory: Path) -> PreparedSeries:
        """Learns the labels; joins the recordings of validation and test by a fixed seed."""
        if not (directory / LABELS).exists():
            texts = [series.label for series in splits.train]
            labels = sorted({unit for t in texts for unit in _units(data, t)})
            if data.init:
                labels = pretrained.of(data.init).labels_for(labels)
            write_json(directory / LABELS, labels)
        labels = read_labels(directory / LABELS)
        whole = dataclasses.replace(
            splits,
            validation=self._fixed(data, splits.validation, splits.rate),
            test=self._fixed(data, splits.test, splits.rate),
        )
        encode = partial(encoded, data, labels)
        first = encode(self._fixed(data, splits.train, splits.rate))
        batches = {
            "train": self.batched(data, first, first.lengths),
            **{
                name: self.batched(data, part, part.lengths)
                for name, part in (
                    ("validation", encode(whole.validation)),
                    ("test", encode(whole.test)),
                )
            },
        }
        lengths = first.lengths
        summary = (
            f"labels: {len(labels)}; series of {lengths.min():,} to {lengths.max():,} steps, up to "
            f"{data.most_joined} recordings each, {batches['train'].padding_share:.1%} of the "
            "batches' places padding"
        )
        width = splits.train[0].values.shape[1]
        return PreparedSeries(whole, batches, None, labels, summary, directory, width, splits.rate)

    def _fixed(self, data: Any, series: Sequence[Series], rate: int) -> list[Series]:
        return utterances(series, data.most_joined, rate, data.split_seed) if series else []

    def batches(self, model: keras.Model, config: Any, prepared: Any, split: str) -> NumberBatches:
        """The batches of a split; those of train are joined in another way in each epoch."""
        batches: NumberBatches = super().batches(model, config, prepared, split)
        if split != "train" or config.most_joined == 1:
            return batches

        def draw(recordings: Sequence[Series], seed: Sequence[int]) -> Encoded:
            varied = config.pauses == "varied"
            series = utterances(recordings, config.most_joined, prepared.rate, seed, varied)
            return encoded(config, prepared.classes, series)

        own = {field.name: getattr(batches, field.name) for field in dataclasses.fields(batches)}
        return JoinedBatches(**own, recordings=prepared.splits.train, draw=draw)

    def text_options_of(self, content: Mapping[str, Any]) -> dict[str, Any]:
        """What a label is."""
        separator = content["options"].get("separator")
        units = [unit for unit, between in UNITS.items() if between == separator]
        return {"unit": units[0]} if units else {}

    def sizes(self, prepared: PreparedSeries) -> dict[str, Any]:
        """The numbers of a step and of labels, and the sampling rate."""
        return {
            "input_dim": prepared.width,
            "num_labels": len(prepared.classes),
            "sample_rate": prepared.rate,
        }

    def compile(self, model: keras.Model, config: Any, prepared: Any) -> None:
        """Compiles the CTC loss."""
        steps = len(prepared.batches["train"])
        model.compile(optimizers.optimizer(config, steps), CTCLoss())

    def transcripts_of(
        self, model: keras.Model, config: Any, prepared: Any, split: str
    ) -> Transcripts:
        """The texts that the most likely paths spell."""
        names = Transcripts.names(prepared.classes, UNITS[config.unit])
        return transcribe(model, prepared.batches[split], names)

    def validate(self, model: keras.Model, config: Any, prepared: Any) -> dict[str, float]:
        """Word and character error rate, and loss, of the most likely paths."""
        return score(self.transcripts_of(model, config, prepared, "validation"))

    def evaluate(
        self, model: keras.Model, config: Any, prepared: Any, directory: Path
    ) -> dict[str, Any]:
        """The metrics of validation and test, with those of a beam search; confusions of test."""
        found = {}
        for split in ("validation", "test"):
            result = self.transcripts_of(model, config, prepared, split)
            searched = result.searched(config.beam_width)
            rates = {f"beam_{name}": rate for name, rate in score(searched).items()}
            rates.pop("beam_loss")
            found[split] = {**score(result), **rates}
        confusions.write(*result.confusion(), directory)
        return found

    def measure(self, model: keras.Model, config: Any, splits: Any, directory: Path) -> Measured:
        """The metrics of the test split, and the text of each series."""
        self.check_fits(model, splits)
        labels = read_labels(directory / LABELS)
        series = self._fixed(config, splits.test, splits.rate)
        part = encoded(config, labels, series)
        batches = self.batched(config, part, part.lengths)
        result = transcribe(model, batches, Transcripts.names(labels, UNITS[config.unit]))
        titles = [one.name for one in series]
        return Measured(score(result), numbered(titles, result.references, result.texts))

    def pipeline(self, model: keras.Model, config: Any, directory: Path) -> Transcriber:
        """The pipeline from series to texts."""
        labels = read_labels(directory / LABELS)
        return Transcriber(model, labels, UNITS[config.unit], config.beam_width)

    def answer(self, signatures: Any, texts: Sequence[str], options: Any) -> list[dict[str, Any]]:
        """A dict per series: `file`, `series`, its name, `number`, `text`, `log_probability`."""
        return [
            {
                **row,
                "text": found["text"].decode(),
                "log_probability": float(found["log_probability"]),
            }
            for row, found in answers(signatures, "serving_default", texts, options)
        ]

    def format_answer(self, row: dict[str, Any]) -> str:
        """Text, probability and file; the series' name where the file has several."""
        name = f", series {row['series']}" if row["series"] else ""
        return f"{row['text']}  {np.exp(row['log_probability']):.3f}  {row['file']}{name}"


def encoded(data: Any, labels: Sequence[str], series: Sequence[Series]) -> Encoded:
    """Series as values and label ids from 1, int32 (N, L), 0 = padding on the right.

    Raises:
        InputError: A text has a label that is not among these.
    """
    ids = {label: number for number, label in enumerate(labels, 1)}
    rows = []
    for one in series:
        units = _units(data, one.label)
        unknown = next((unit for unit in units if unit not in ids), None)
        if unknown is not None:
            raise InputError(
                f"the text {one.label!r} of series {one.name!r} has {unknown!r}, which train "
                f"lacks, expected some of {', '.join(map(repr, labels[:20]))}: add it to train, or "
                "leave the series out"
            )
        rows.append(np.array([ids[unit] for unit in units], np.int32))
    width = max((len(row) for row in rows), default=1)
    return Encoded(rows_of(series), padded(rows, max(width, 1)))


def _units(data: Any, text: str) -> list[str]:
    return text.split() if data.unit == "word" else list(text)
