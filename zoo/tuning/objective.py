"""The objective of a search: a loss or a metric, and its direction."""

import inspect
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import keras

from zoo.crf.loss import CRFAccuracy
from zoo.errors import InputError, nearest, require_choice
from zoo.losses import IGNORED
from zoo.tuning.study import DIRECTIONS

LOSS, ACCURACY = "loss", "accuracy"
ALIASES = {"acc": ACCURACY, "crf_accuracy": ACCURACY, "ce": "crossentropy"}
CROSSENTROPY = "sparse_categorical_crossentropy"  # Keras' `crossentropy` for ids as targets
KERAS_DIRECTIONS = {"up": "max", "down": "min"}
COUNTS = {  # directions of Keras' metrics that do not declare one
    keras.metrics.TruePositives: "max",
    keras.metrics.TrueNegatives: "max",
    keras.metrics.FalsePositives: "min",
    keras.metrics.FalseNegatives: "min",
}


@dataclass(frozen=True)
class Objective:
    """A loss or a metric of the validation split.

    Attributes:
        name: `loss`, `accuracy`, or the metric's name.
        direction: `max` or `min`.
        make: Makes the metric for one training; None for `loss` and `accuracy`, which depend on
            the model.
        keras_own: Whether the metric is Keras' own, which does not mask padding.
    """

    name: str
    direction: str
    make: Callable[[], Any] | None = None
    keras_own: bool = False


def objective_of(given: Any, direction: str | None = None) -> Objective:
    """Resolves an objective and its direction, by default that of the metric in Keras or the zoo.

    It is `loss`, the name of a Keras metric or loss, a metric or loss object, its class, or a
    function of targets and predictions.

    Raises:
        InputError: There is no such metric, or its direction is unknown.

    Example:
        >>> objective_of("sparse_categorical_crossentropy").direction
        'min'
        >>> objective_of("accuracy").direction
        'max'
    """
    if direction is not None:
        require_choice("direction", direction, DIRECTIONS)
    if inspect.isclass(given):
        given = _made(given)
    if isinstance(given, str):
        return _named(given, direction)
    if isinstance(given, keras.metrics.Metric):
        return _metric(given, given.name, direction)
    if isinstance(given, keras.losses.Loss):
        name = given.name or type(given).__name__
        return Objective(name, direction or "min", lambda: _mean_of(given, name))
    if callable(given):
        return _function(given, direction)
    raise InputError(
        f"objective must be 'loss', the name of a Keras metric, a metric object or a function, got "
        f"{given!r}"
    )


def _made(kind: type) -> Any:
    try:
        return kind()
    except TypeError as error:
        raise InputError(
            f"objective: {kind.__name__} needs arguments ({error}): give an object"
        ) from error


def _named(given: str, direction: str | None) -> Objective:
    name = given.removeprefix("val_")
    name = ALIASES.get(name, name)
    if name == LOSS:
        return Objective(LOSS, direction or "min")
    if name == ACCURACY:
        return Objective(ACCURACY, direction or "max")
    found = _of_keras(CROSSENTROPY if name == "crossentropy" else name)
    if found is None:
        raise InputError(
            f"objective must be 'loss', the name of a Keras metric or loss, a metric object or a "
            f"function, got {given!r}: {nearest(given, _known())}"
        )
    if isinstance(found, keras.metrics.Metric):
        return _metric(found, name, direction)
    return Objective(name, direction or "min", lambda: _mean_of(found, name), True)


def _of_keras(name: str) -> Any:
    """A metric of Keras or a registered one, else a loss; both of logits."""
    for module in (keras.metrics, keras.losses):
        try:
            found = module.get(name)
        except (ValueError, TypeError):
            continue
        if found is not None:
            return of_logits(found)
    return None


def of_logits(found: Any) -> Any:
    """Makes a metric or loss of Keras, found by its name, take logits."""
    if inspect.isclass(found):
        found = _made(found)
    if not isinstance(found, keras.metrics.Metric | keras.losses.Loss):
        if "from_logits" in inspect.signature(found).parameters:
            return lambda y_true, y_pred: found(y_true, y_pred, from_logits=True)
        return found
    config = found.get_config()
    changed: dict[str, Any] = {}
    if "from_logits" in config:
        changed["from_logits"] = True
    elif config.get("threshold") == 0.5:
        changed["threshold"] = 0.0
    elif "thresholds" in config and config["thresholds"] is None:
        changed["thresholds"] = 0.0
    return type(found).from_config({**config, **changed}) if changed else found


def _known() -> list[str]:
    names = [LOSS, ACCURACY]
    for module, base in ((keras.metrics, keras.metrics.Metric), (keras.losses, keras.losses.Loss)):
        for name, kind in vars(module).items():
            if inspect.isclass(kind) and issubclass(kind, base) and kind is not base:
                names.append(re.sub(r"(?<=[a-z])(?=[A-Z])", "_", name).lower())
    return sorted(set(names))


def _metric(metric: keras.metrics.Metric, name: str, direction: str | None) -> Objective:
    found = direction or _direction(metric)
    if found is None:
        raise InputError(
            f"objective {name}: it is not known whether more or less of it is better: add "
            "direction='max' or direction='min'"
        )
    if not type(metric).__module__.startswith("keras."):
        return Objective(name, found, lambda: metric)
    config = metric.get_config()
    if isinstance(metric, keras.metrics.MeanMetricWrapper) and "fn" in config:
        return Objective(name, found, lambda: metric, True)
    return Objective(name, found, lambda: type(metric).from_config({**config, "name": name}), True)


def _direction(metric: keras.metrics.Metric) -> str | None:
    if isinstance(metric, CRFAccuracy):
        return "max"
    if type(metric) is keras.metrics.MeanMetricWrapper:
        try:
            return _function(metric._fn, None).direction
        except InputError:
            return None
    known = KERAS_DIRECTIONS.get(getattr(metric, "_direction", None) or "")
    return known or next((way for kind, way in COUNTS.items() if isinstance(metric, kind)), None)


def _function(given: Callable[..., Any], direction: str | None) -> Objective:
    """A function of targets and predictions; Keras' own is known by its name."""
    name = getattr(given, "__name__", "objective")
    if getattr(given, "__module__", "").startswith("keras.") and _of_keras(name) is not None:
        return _named(name, direction)
    name = re.sub(r"\W+", "", name) or "objective"
    if direction is None:
        raise InputError(
            f"objective {name}: it is not known whether more or less of what the function returns "
            "is better: add direction='max' or direction='min'"
        )
    return Objective(name, direction, lambda: _mean_of(given, name))


def _mean_of(function: Callable[..., Any], name: str) -> keras.metrics.Metric:
    return keras.metrics.MeanMetricWrapper(function, name=name)


class RealTokens(keras.metrics.Metric):
    """A metric over the tokens whose target is not -1, so without padding.

    It takes targets int (B, T), or (B, T, C), and predictions (B, T, C).
    """

    def __init__(self, metric: keras.metrics.Metric, name: str) -> None:
        super().__init__(name=name)
        self.metric = metric

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        """Adds a batch."""
        y_true = keras.ops.convert_to_tensor(y_true)
        weights = sample_weight
        if len(y_true.shape) == 2:
            weights = keras.ops.cast(keras.ops.not_equal(y_true, IGNORED), "float32")
            if sample_weight is not None:
                weights = weights * keras.ops.cast(sample_weight, "float32")
            y_true = keras.ops.maximum(y_true, 0)
        self.metric.update_state(y_true, y_pred, sample_weight=weights)

    def result(self) -> Any:
        """The metric over all tokens so far."""
        return self.metric.result()

    def reset_state(self) -> None:
        """Resets the state."""
        self.metric.reset_state()


def metric_for(objective: Objective, model: keras.Model, of_tokens: bool, crf: bool) -> Any:
    """The metric that a model is compiled with, or None for the loss.

    `of_tokens`: each token has its own prediction; `crf`: the model ends with a CRF.

    Raises:
        InputError: The output of a CRF is a chain, which Keras' metrics cannot read.
    """
    if objective.name == LOSS and objective.make is None:
        return None
    if objective.make is None:
        return _accuracy(model, of_tokens, crf)
    if not objective.keras_own:
        return objective.make()
    if crf:
        raise InputError(
            f"objective {objective.name} needs logits, and a model with head='crf' gives the CRF's "
            "chain: take 'accuracy', 'loss' or a metric object that reads the chain"
        )
    metric = objective.make()
    return RealTokens(metric, objective.name) if of_tokens else metric


def _accuracy(model: keras.Model, of_tokens: bool, crf: bool) -> Any:
    if crf:
        return CRFAccuracy(name=ACCURACY)
    if of_tokens:
        return RealTokens(keras.metrics.SparseCategoricalAccuracy(), ACCURACY)
    width = None if isinstance(model.output, dict) else model.output.shape[-1]
    return keras.metrics.BinaryAccuracy(ACCURACY, threshold=0.0) if width == 1 else ACCURACY


def of_logits_loss(loss: Any) -> Any:
    """A loss given by name is computed from logits, the output of the zoo's models."""
    if isinstance(loss, dict):
        return {name: of_logits_loss(part) for name, part in loss.items()}
    if not isinstance(loss, str):
        return loss
    try:
        return of_logits(keras.losses.get(loss))
    except ValueError as error:
        raise InputError(f"loss {loss!r} is none that Keras knows: {error}") from error
