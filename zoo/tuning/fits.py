"""A run of `search`: an architecture of the zoo trained by `fit` on the user's own arrays."""

import math
from typing import Any

import keras
import numpy as np

from zoo import masking
from zoo.architectures.sequence_input import adapt
from zoo.crf.layer import CRF
from zoo.errors import InputError
from zoo.layers import CRFLoss
from zoo.layers.numeric.forecast_loss import ForecastLoss
from zoo.losses import IGNORED, KnownSquaredError, TokenCrossentropy
from zoo.registry import architecture as registered
from zoo.registry import build
from zoo.system import memory
from zoo.tuning.objective import Objective, metric_for, of_logits_loss
from zoo.tuning.storage import Run
from zoo.tuning.study import Study

Split = tuple[Any, Any]  # inputs and targets: arrays, or dicts of arrays
# an example has one target, whatever its form; of all others each token has a label
ONE_LABEL = ("many_to_one", "one_to_one", "ctc", "forecaster")
MAIN_OUTPUTS = ("tags", "logits")  # of models with further outputs: what is learned


class Fits:
    """Measures a run by `fit`; an interrupted run restarts and gives the same result.

    The arguments are those of `zoo.tuning.search`.

    Raises:
        InputError: The data is not two splits of inputs and targets.
    """

    def __init__(
        self, study: Study, data: Any, objective: Objective, loss: Any, patience: int
    ) -> None:
        self.study, self.objective, self.patience = study, objective, patience
        self.loss = of_logits_loss(loss)
        topology = registered(study.name).topology
        self.of_tokens = topology not in ONE_LABEL
        self.ids = "target_ids" if topology == "encoder_decoder" else "token_ids"
        self.splits = tuple(_arrays(split) for split in _pair(data, "data"))

    @memory.graphs_released()
    def __call__(self, run: Run) -> dict[str, Any]:
        """Trains a run's model and returns its metrics at the best epoch."""
        study = self.study
        keras.backend.clear_session()
        keras.utils.set_random_seed(run.seed)
        values = {**study.fixed, **run.values}
        rate, size = values.pop("learning_rate"), values.pop("batch_size")
        model, main = _trained_part(build(study.name, **values), self.splits[0][1])
        self._adapt(model)
        train, validation = self._compiled(model, main, rate)
        watched = f"val_{main}_{study.objective}" if main else f"val_{study.objective}"
        watched = "val_loss" if study.objective == "loss" else watched
        stop = keras.callbacks.EarlyStopping(
            watched, patience=self.patience, mode=study.direction, restore_best_weights=True
        )
        parts = ("x", "y", "sample_weight")
        history = model.fit(
            **dict(zip(parts, self._share(train, run.fraction), strict=False)),
            validation_data=validation,
            epochs=run.epochs or study.epochs,
            batch_size=size,
            callbacks=[stop, _StopDiverged()],
            verbose=0,
        ).history
        found = _at_best(history, watched, study, rate)
        return {**found, "parameters": model.count_params()}

    def _compiled(self, model: keras.Model, main: str | None, rate: float) -> tuple[Any, Any]:
        """Compiles a model; returns both splits in the form of its `fit`."""
        crf = any(isinstance(layer, CRF) for layer in model.layers)
        metric = metric_for(self.objective, model, self.of_tokens, crf)
        metrics: Any = [] if metric is None else [metric]
        loss = self.loss or _loss(model, self.of_tokens, crf)
        unclassed = isinstance(loss, KnownSquaredError | ForecastLoss | keras.losses.CTC)
        if unclassed and metrics and self.objective.make is None:
            raise InputError(
                f"{self.study.name} predicts no class, so there is no objective "
                f"{self.objective.name!r}: give objective='loss', or a metric object"
            )
        if main and not isinstance(loss, dict):
            others = {name: TokenCrossentropy() for name in model.output if name != main}
            loss = {main: loss, **others}
        if main:
            metrics = {main: metrics} if metrics else None
        splits = [self._without_padding(split, crf) for split in self.splits]
        weighted = self.of_tokens and not crf and not _of_zoo(self.loss)
        if weighted:  # a user's own loss decides itself how to treat padding
            loss = {k: _Unweighted(v) for k, v in loss.items()} if main else _Unweighted(loss)
            splits = [self._weighted(split, main) for split in self.splits]
        model.compile(
            keras.optimizers.Adam(rate, global_clipnorm=1.0),
            loss,
            **{"weighted_metrics" if weighted else "metrics": metrics},
        )
        return splits[0], splits[1]

    def _adapt(self, model: keras.Model) -> None:
        """Gives a model of numbers the statistics of the training data."""
        layers = {layer.name for layer in model.layers}
        if "normalization" in layers:
            inputs, targets = self.splits[0]
            adapt(model, inputs, targets if "target_normalization" in layers else None)

    def _mask(self, inputs: Any, targets: Any) -> np.ndarray | None:
        """The real tokens or steps, bool (B, T), if the inputs have one for each target."""
        if isinstance(inputs, dict) and {"values", "lengths"} <= set(inputs):
            steps = np.arange(inputs["values"].shape[1])
            real = steps < np.asarray(inputs["lengths"])[:, None]
            return real if real.shape == getattr(targets, "shape", ())[:2] else None
        ids = inputs.get(self.ids) if isinstance(inputs, dict) else inputs
        shape = getattr(targets, "shape", ())[:2]
        if not isinstance(ids, np.ndarray) or ids.dtype.kind not in "iu" or ids.shape != shape:
            return None
        return np.asarray(ids != masking.PAD)

    def _without_padding(self, split: Split, crf: bool) -> Split:
        """The targets with -1, which losses and metrics ignore, in the padding."""
        inputs, targets = split
        if not self.of_tokens or not _of_zoo(self.loss):
            return split

        def marked(values: Any, keep: bool) -> Any:
            mask = self._mask(inputs, values)
            if not keep and mask is not None and values.dtype.kind == "f":
                return np.where(mask[..., None] if values.ndim == 3 else mask, values, np.nan)
            if keep or mask is None or values.ndim != 2 or values.dtype.kind not in "iub":
                return values
            return np.where(mask, values.astype("int32"), IGNORED)

        if isinstance(targets, dict):
            return inputs, {k: marked(v, crf and k in MAIN_OUTPUTS) for k, v in targets.items()}
        return inputs, marked(targets, crf)

    def _weighted(self, split: Split, main: str | None) -> tuple[Any, ...]:
        """A split with a weight for each token, 0 in the padding."""
        inputs, targets = split
        masks = {main: targets} if not isinstance(targets, dict) else targets
        found = {}
        for name, values in masks.items():
            mask = self._mask(inputs, values)
            shape = values.shape[:2]
            found[name] = np.ones(shape, "float32") if mask is None else mask.astype("float32")
        return inputs, targets, found if isinstance(targets, dict) else found[main]

    def _share(self, split: tuple[Any, ...], fraction: float) -> tuple[Any, ...]:
        """A fraction of the training data; smaller fractions are parts of larger ones."""
        if fraction == 1:
            return split
        count = len(keras.tree.flatten(split[1])[0])
        order = np.random.default_rng(self.study.seed).permutation(count)
        kept = np.sort(order[: max(1, round(count * fraction))])
        taken: tuple[Any, ...] = keras.tree.map_structure(lambda values: values[kept], split)
        return taken


class _StopDiverged(keras.callbacks.Callback):
    """Stops a training whose loss is NaN or infinite."""

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        if not math.isfinite(float((logs or {}).get("loss", 0.0))):
            self.model.stop_training = True


class _Unweighted(keras.losses.Loss):
    """A user's loss without the token weights of the metrics."""

    def __init__(self, loss: Any) -> None:
        super().__init__(name="loss")
        self.loss = loss

    def __call__(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> Any:
        found = self.loss(y_true, y_pred)
        return found if isinstance(self.loss, keras.losses.Loss) else keras.ops.mean(found)


def _of_zoo(loss: Any) -> bool:
    """Whether a loss ignores targets of -1, as the zoo's do."""
    parts = list(loss.values()) if isinstance(loss, dict) else [loss]
    own = TokenCrossentropy | CRFLoss | KnownSquaredError
    return all(part is None or isinstance(part, own) for part in parts)


def _loss(model: keras.Model, of_tokens: bool, crf: bool) -> Any:
    """The loss that fits a model's output: in most cases the cross entropy."""
    layers = {layer.name: layer for layer in model.layers}
    if "target_normalization" in layers:
        return KnownSquaredError()
    if "head" in layers and hasattr(layers["head"], "output_kind"):
        return ForecastLoss(layers["head"].output_kind, layers["head"].quantiles)
    if "blanks" in layers:
        return keras.losses.CTC()
    if not of_tokens:
        return keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    return CRFLoss() if crf else TokenCrossentropy()


def _trained_part(model: keras.Model, targets: Any) -> tuple[keras.Model, str | None]:
    """A model without outputs that have no targets, and its main output."""
    if not isinstance(model.output, dict):
        return model, None
    main = next((name for name in MAIN_OUTPUTS if name in model.output), next(iter(model.output)))
    if not isinstance(targets, dict):
        return keras.Model(model.input, model.output[main], name=model.name), None
    unknown = sorted(set(targets) - set(model.output))
    if unknown or main not in targets:
        raise InputError(
            f"targets must be an array or a dict of {', '.join(model.output)}, {main!r} among "
            f"them, got {', '.join(targets)}"
        )
    return keras.Model(model.input, {k: model.output[k] for k in targets}, name=model.name), main


def _at_best(
    history: dict[str, list[Any]], watched: str, study: Study, rate: float
) -> dict[str, Any]:
    """The metrics of the best epoch, among those with a finite validation objective.

    Raises:
        InputError: Training has diverged.
    """
    losses = [float(value) for value in history["loss"]]
    for epoch, value in enumerate(losses, 1):
        if not math.isfinite(value):
            raise InputError(
                f"training has diverged: the loss is {value} in epoch {epoch}; lower learning_rate "
                f"(now {rate:g})"
            )
    scores = [float(value) for value in history[watched]]
    checks = [float(value) for value in history["val_loss"]]
    usable = [
        epoch
        for epoch, pair in enumerate(zip(scores, checks, strict=True))
        if all(map(math.isfinite, pair))
    ]
    if not usable:
        raise InputError(
            f"no epoch can be judged: the validation's {study.objective} is {scores[0]}, its loss "
            f"{checks[0]}"
        )
    sign = -1 if study.direction == "max" else 1
    at = min(usable, key=lambda epoch: (sign * scores[epoch], epoch))
    return {
        study.objective: scores[at],
        "train_loss": losses[at],
        "validation_loss": checks[at],
        "last_train_loss": losses[-1],
        "last_validation_loss": checks[-1],
        "epochs": len(losses),
        "best_epoch": at + 1,
    }


def _pair(value: Any, name: str) -> Any:
    if not isinstance(value, tuple | list) or len(value) != 2:
        raise InputError(
            f"{name} must be two splits, training and validation, each a tuple of inputs and "
            f"targets, got {type(value).__name__}"
            + (f" of {len(value)}" if isinstance(value, tuple | list) else "")
        )
    return value


def _arrays(split: Any) -> Split:
    """A split as NumPy arrays, so that it can be sliced."""
    inputs, targets = _pair(split, "data")
    found: Split = keras.tree.map_structure(_array, (inputs, targets))
    return found


def _array(value: Any) -> Any:
    if not hasattr(value, "__array__") or not hasattr(value, "shape"):
        raise InputError(f"data must be arrays, or dicts of arrays, got {type(value).__name__}")
    return np.asarray(value)
