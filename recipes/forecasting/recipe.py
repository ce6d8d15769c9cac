"""The recipe `forecasting`: windows of series -> a recurrent forecaster -> a served model."""

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import keras
import numpy as np

from recipes.corpora import sales
from recipes.data.series import calendar, time_splits
from recipes.data.series.time_splits import Borders, TimeSplits
from recipes.data.series.windows import Windows, windows_of
from recipes.data.splits import SPLITS, Splits
from recipes.forecasting import answers, backtest, evaluation
from recipes.forecasting.batches import WindowBatches, inputs_of
from recipes.forecasting.config import (
    ForecastAnswering,
    ForecastingConfig,
    ForecastingData,
)
from recipes.forecasting.evaluation import Measure
from recipes.forecasting.info import SeriesInfo, statistics
from recipes.predictions import Measured
from recipes.pretrained import initial_model
from recipes.recipe import OfModel, Prepared, Recipe
from recipes.registry import register
from recipes.training import checkpoint, loop, optimizers
from recipes.training.backends import graph
from recipes.training.checkpoint import Progression
from zoo.architectures.forecaster_ensemble import ForecasterEnsemble
from zoo.architectures.sequence_input import adapt
from zoo.decoding import sample_seeds
from zoo.layers.numeric.forecast_loss import ForecastLoss
from zoo.pipelines import SeriesForecaster

VALIDATION_SAMPLES = 50  # paths, of a model that draws them
ADAPTED = 2048  # windows of train whose statistics the model takes


@dataclass(frozen=True)
class WindowSplits(Splits[int]):
    """The windows of each split by their number.

    Attributes:
        windows: The windows that the numbers count.
        found: The series and where the splits end.
        own_future: The number of covariates that are the data's own, not the calendar's.
    """

    windows: Mapping[str, Windows] = field(kw_only=True)
    found: TimeSplits = field(kw_only=True)
    own_future: int = field(default=0, kw_only=True)


@register
class ForecastingRecipe(Recipe):
    """Forecasting of series by a recurrent network over windows."""

    name = "forecasting"
    config = ForecastingConfig
    data_options = ForecastingData
    answering = ForecastAnswering
    model_defaults = {
        "cell": "gru",
        "units": 128,
        "dropout": 0.3,
        "decoder": "segment",
        "instance_norm": "mean_std",
        "channels": "separate",
        "missing": "indicator",
    }
    builtin = {
        "look_back": 112,
        "horizon": 28,
        "segment_length": 7,
        "epochs": 10,
        "patience": 4,
    }
    sized_by_data = {
        "input_dim": 1,
        "horizon": 1,
        "num_targets": 1,
        "future_dim": 0,
        "static_dim": 0,
    }
    unused = ("features", "sample_rate", "mel_bands", "frame_ms", "hop_ms", "spec_augment")
    example_options = {"picture": ""}  # the run's folder has pictures
    note = (
        "It learned generated sales of eight shops and knows no real ones. Train on your own file "
        "before you use it: rnn-zoo all forecasting --data sales.csv --series-column shop"
    )
    labelled = False
    starts_from_pretrained = True
    text_options = ("look_back", "horizon", "calendar")

    def __init__(self) -> None:
        self._quantiles = OfModel(_quantile_function)

    def load(self, data: ForecastingData, whole: bool = False) -> WindowSplits:
        """The windows of the series that `data.data` names."""
        found = time_splits.load(data, lambda: sales.generate(data.split_seed), whole)
        own_future = len(found.data.future_columns)
        if data.calendar:
            series = calendar.with_calendar(found.data, data.horizon)
            found = found._replace(data=series)
        info = SeriesInfo.of(found.data, data, own_future)
        targets = info.places(found.data)[: info.targets]
        sizes = (data.look_back, data.horizon)
        options: dict[str, Any] = {"stride": data.stride, "targets": targets}
        if whole:
            windows = windows_of(found.data, found.borders, *sizes, **options, splits=("test",))
            empty = windows["test"].select(slice(0))
            windows |= {"train": empty, "validation": empty}
        else:
            windows = windows_of(found.data, found.borders, *sizes, **options)
            if data.train_on_all:
                longer = found.borders._replace(train=found.borders.validation)
                windows |= windows_of(found.data, longer, *sizes, **options, splits=("train",))
        numbers = [list(range(len(windows[name]))) for name in SPLITS]
        return WindowSplits(*numbers, windows=windows, found=found, own_future=own_future)

    def prepare(self, data: ForecastingData, splits: WindowSplits, directory: Path) -> Prepared:
        """The batches of windows, with what errors are divided by."""
        series, borders = splits.found
        info = SeriesInfo.of(series, data, splits.own_future)
        info.write(directory)
        mean, deviation = statistics(series, borders.train, info)
        measure = Measure(series, info, mean, deviation, directory)
        chosen = {
            name: splits.windows[name].select(np.array(numbers, int))
            for name, numbers in splits.parts().items()
        }
        batches = _batches(data, measure, chosen, borders)
        known = len(info.future_columns)
        summary = (
            f"series: {len(series.series):,} of {len(info.columns)} columns, {info.targets} "
            f"forecast; covariates: {known} known in advance, {len(info.static_columns)} static; "
            f"{info.look_back} steps -> {info.horizon}; season {info.season}"
        )
        return Prepared(splits, batches, measure, summary=summary)

    def sizes(self, prepared: Prepared) -> dict[str, Any]:
        """The numbers of columns, and the horizon."""
        info = prepared.text_path.info
        known = len(info.future_columns)
        return {
            "input_dim": len(info.columns) + known,
            "horizon": info.horizon,
            "num_targets": info.targets,
            "future_dim": known,
            "static_dim": len(info.static_columns),
        }

    def text_options_of(self, content: Mapping[str, Any]) -> dict[str, Any]:
        """The sizes of a window."""
        found: dict[str, Any] = content["options"]["description"]
        return found

    def build(self, config: ForecastingConfig, prepared: Prepared) -> keras.Model:
        """The compiled model, with the statistics of the training windows."""
        model = self.model(config, self.sizes(prepared))
        batches = prepared.batches["train"]
        places = np.linspace(0, len(batches.encoded) - 1, min(ADAPTED, len(batches.encoded)))
        read = batches.encoded.batch(np.unique(places.astype(int)))
        adapt(model, inputs_of(read, batches.columns))
        self.compile(model, config, prepared)
        return model

    def compile(self, model: keras.Model, config: ForecastingConfig, prepared: Prepared) -> None:
        """The quantile loss, the negative log-likelihood or the squared error."""
        optimizer = optimizers.optimizer(config, len(prepared.batches["train"]))
        model.compile(optimizer, _loss(model, config))

    def batches(self, model: Any, config: Any, prepared: Prepared, split: str) -> WindowBatches:
        """The batches of a split; a model that is fed with the targets gets them."""
        batches: WindowBatches = prepared.batches[split]
        return dataclasses.replace(batches, fed=model.draws)

    def finished(
        self, model: keras.Model, config: ForecastingConfig, prepared: Any, directory: Path
    ) -> tuple[keras.Model, float]:
        """Trains the other members of an ensemble and makes it the run's best model."""
        members, seconds = [checkpoint.load_best(directory / "checkpoints")], 0.0
        if isinstance(members[0], ForecasterEnsemble):  # the run was complete
            return members[0], seconds
        for number, seed in enumerate(sample_seeds(config.seed, config.members)[1:], 1):
            own = dataclasses.replace(config, seed=seed)
            print(f"member {number + 1} of {config.members}", flush=True)
            trained, progression = self._trained(own, prepared, directory / "members" / str(number))
            members.append(trained)
            seconds += progression.seconds
        if config.members == 1:
            return model, seconds
        ensemble = ForecasterEnsemble.of_members(members)
        checkpoint.save_best(directory / "checkpoints", ensemble)
        return ensemble, seconds

    def _trained(
        self, config: ForecastingConfig, prepared: Any, folder: Path
    ) -> tuple[Any, Progression]:
        """Trains a model in a folder, or resumes its training, and returns the best one."""
        keras.utils.set_random_seed(config.seed)
        stored = checkpoint.load(folder / "checkpoints")
        model, progression = stored or (initial_model(self, config, prepared), Progression())
        progression = loop.train(
            model,
            self.epochs(model, config, prepared),
            lambda trained: self.validate(trained, config, prepared),
            config,
            folder,
            progression,
        )
        return checkpoint.load_best(folder / "checkpoints"), progression

    def validate(
        self, model: Any, config: ForecastingConfig, prepared: Prepared
    ) -> dict[str, float]:
        """The loss, and the error of the median in standard deviations of each column."""
        loss, count = 0.0, 0
        batches, measure = self.batches(model, config, prepared, "validation"), prepared.text_path
        errors = np.zeros(2)
        evaluate, loss_of = self._quantiles(model), _loss(model, config)
        levels = model.head.quantiles
        for inputs, labels, _ in batches():
            weight = batches.weight(labels)
            outputs, quantiles = evaluate(inputs)
            loss += float(loss_of(labels, outputs)) * weight
            count += weight
            median = keras.ops.convert_to_numpy(quantiles)[..., levels.index(0.5)]
            gaps = labels[..., 0] - median
            gaps = np.nan_to_num(gaps / measure.deviation)
            errors += [np.square(gaps).sum(dtype=float), np.abs(gaps).sum(dtype=float)]
        mse, mae = errors / max(count, 1)
        return {
            "loss": loss / max(count, 1),
            "standardized_mse": float(mse),
            "standardized_mae": float(mae),
        }

    def evaluate(
        self, model: Any, config: ForecastingConfig, prepared: Prepared, directory: Path
    ) -> dict[str, Any]:
        """Scores of validation and test beside the naive forecast; draws forecasts of test."""
        found, measure = {}, prepared.text_path
        splits: Any = prepared.splits
        borders, levels = splits.found.borders, list(model.head.quantiles)
        for split, insample in (("validation", borders.train), ("test", borders.validation)):
            batches = prepared.batches[split]
            quantiles = evaluation.forecasts(model, batches)
            found[split] = measure.scores(batches.encoded, quantiles, levels, insample)
        evaluation.draw(directory, measure, batches.encoded, quantiles, levels)
        if config.folds:
            score = partial(self._fold, config, measure)
            found["backtest"] = backtest.run(measure, config, directory, score)
        return found

    def _fold(
        self,
        config: ForecastingConfig,
        measure: Measure,
        windows: dict[str, Windows],
        borders: Borders,
        folder: Path,
    ) -> dict[str, Any]:
        """Trains the model of one fold of a backtest, or resumes its training, and measures it."""
        mean, deviation = statistics(measure.data, borders.train, measure.info)
        own = dataclasses.replace(measure, mean=mean, deviation=deviation)
        batches = _batches(self.data_of(config), own, windows, borders)
        prepared = Prepared(Splits([], [], []), batches, own)
        best, _ = self._trained(config, prepared, folder)
        quantiles = evaluation.forecasts(best, batches["test"])
        levels = list(best.head.quantiles)
        return own.scores(windows["test"], quantiles, levels, borders.validation)

    def measure(
        self, model: Any, config: ForecastingConfig, splits: WindowSplits, directory: Path
    ) -> Measured:
        """The scores on the windows of any series."""
        stored, data = SeriesInfo.read(directory), splits.found.data
        stored.places(data)  # other columns are an error
        insample = splits.found.borders.validation  # the steps before those that are measured
        mean, deviation = statistics(data, insample, stored)
        measure = Measure(data, stored, mean, deviation, directory)
        windows = splits.windows["test"]
        weights = np.ones((len(data.series), stored.targets), np.float32)
        batches = WindowBatches(windows, config.batch_size, stored.places(data), weights)
        levels = list(model.head.quantiles)
        quantiles = evaluation.forecasts(model, batches)
        return Measured(measure.scores(windows, quantiles, levels, insample))

    def pipeline(self, model: Any, config: ForecastingConfig, directory: Path) -> SeriesForecaster:
        """The model with the description of its columns."""
        info = SeriesInfo.read(directory)
        return SeriesForecaster(model, dataclasses.asdict(info), seed=config.seed)

    def answer(self, signatures: Any, texts: Sequence[str], options: Any) -> list[dict[str, Any]]:
        """The forecasts of the series in files: `file`, and `series` with the values of each."""
        return [
            answers.answer(signatures, text, options, number)
            for number, text in enumerate(texts, 1)
        ]

    def format_answer(self, row: dict[str, Any]) -> str:
        """A table of the forecasts."""
        return answers.table(row)

    def format_example(self, row: dict[str, Any]) -> str:
        """The file and the table of its forecasts."""
        return f"{row['file']}:\n{self.format_answer(row)}"

    def examples(self, config: ForecastingConfig, prepared: Prepared) -> list[str]:
        """A file with the history of a few series, written into the run's folder."""
        return [str(answers.example(prepared.text_path))]


def _batches(
    data: ForecastingData, measure: Measure, windows: Mapping[str, Windows], borders: Borders
) -> dict[str, WindowBatches]:
    """The batches of each split."""
    places = measure.info.places(measure.data)
    weights, relative = _weights(data, measure, borders)
    most = {"train": data.epoch_windows}
    return {
        name: WindowBatches(each, data.batch_size, places, weights, relative, most.get(name, 0))
        for name, each in windows.items()
    }


def _weights(
    data: ForecastingData, measure: Measure, borders: Borders
) -> tuple[np.ndarray, np.ndarray | None]:
    """The `weights` and the `relative` ones of `WindowBatches`.

    Both terms of `both` are as large on average: relative errors are in units of the mean relative
    change over a season.
    """
    count = len(measure.data.series)
    if data.loss_scale == "column" or (data.loss_scale == "auto" and count == 1):
        return np.tile(1 / measure.deviation, (count, 1)).astype(np.float32), None
    scales = measure.scales(borders.train)
    scales = np.where(np.isfinite(scales), scales, measure.deviation)
    if data.loss_scale != "both":
        return (1 / scales).astype(np.float32), None
    places = measure.info.places(measure.data)[: measure.info.targets]
    sizes = [
        np.nanmean(np.abs(each.values[:end][:, places]), axis=0)
        for each, end in zip(measure.data.series, borders.train, strict=True)
    ]
    change = np.nanmean(scales / np.maximum(sizes, scales), axis=0)
    return (0.5 / scales).astype(np.float32), (0.5 / change).astype(np.float32)


def _loss(model: Any, config: ForecastingConfig) -> ForecastLoss:
    return ForecastLoss(model.head.output_kind, model.head.quantiles, config.loss == "squared")


def _quantile_function(model: Any) -> Any:
    """A graph of inputs -> the outputs (B, H, D, P) and the quantiles (B, H, D, Q)."""

    def evaluate(inputs: Any) -> Any:
        outputs = model(inputs, training=False)
        if model.draws:
            own = {name: value for name, value in inputs.items() if name != "targets"}
            quantiles = model.forecast(own, samples=VALIDATION_SAMPLES)["quantiles"]
        elif model.head.distribution is not None:
            quantiles = model.head.distribution.quantile(outputs, model.head.quantiles)
        else:
            quantiles = outputs
        return outputs, quantiles

    return graph(evaluate)
