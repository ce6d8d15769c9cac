"""What builders share: a sequence of token ids, or of numbers, as vectors with their mask."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple

import keras
import numpy as np
from keras import ops

from zoo import masking
from zoo.errors import InputError, require_choice, require_positive_int
from zoo.layers.embedding import TokenEmbedding
from zoo.layers.numeric import (
    LengthMask,
    LogMel,
    NumberOptions,
    ObservedValues,
    SpecAugment,
    WindowScale,
)
from zoo.layers.numeric.observed import set_statistics

INSTANCE_NORMS = ("none", "mean_std")
ROWS = 256  # of a batch, when statistics are computed


class SequenceInput(NamedTuple):
    """A model's input sequence.

    Attributes:
        inputs: The Keras inputs by name: `token_ids` int (B, T), or `values` float (B, T, F) and
            `lengths` int (B,).
        vectors: What the body reads, (B, T, E).
        mask: Bool (B, T), True = a real step.
    """

    inputs: dict[str, Any]
    vectors: Any
    mask: Any

    @property
    def of_model(self) -> Any:
        """The inputs as a model takes them: a tensor where there is one alone."""
        return self.inputs if len(self.inputs) > 1 else next(iter(self.inputs.values()))


def require_one_of(
    vocabulary_size: int | None, numbers: NumberOptions, name: str = "vocabulary_size"
) -> None:
    """Raises unless a sequence is of token ids, with the option `name`, or of numbers.

    Raises:
        InputError: Both sizes are given, or none.
    """
    given = [vocabulary_size is not None, numbers.input_dim is not None]
    if sum(given) != 1:
        raise InputError(
            f"give {name} for sequences of token ids, or input_dim for sequences of numbers, "
            f"got {'both' if all(given) else 'neither'}"
        )


def sequence_input(
    vocabulary_size: int | None,
    numbers: NumberOptions,
    embedding_dim: int,
    word_dropout: float = 0.0,
    dropout: float = 0.0,
    instance_norm: str = "none",
) -> SequenceInput:
    """Returns the input of a model of token ids or of numbers; a share `dropout` of it is dropped.

    Raises:
        InputError: Both sizes are given, or none; or an option does not fit.
    """
    require_one_of(vocabulary_size, numbers)
    require_choice("instance_norm", instance_norm, INSTANCE_NORMS)
    if vocabulary_size is None:
        read = number_input(numbers, instance_norm)
        drop = keras.layers.Dropout(dropout, name="embedding_dropout")
        return read._replace(vectors=drop(read.vectors))
    if instance_norm != "none":
        raise InputError("instance_norm scales numbers, and token ids are none: leave it out")
    token_ids = keras.Input((None,), dtype="int32", name="token_ids")
    embed = TokenEmbedding(vocabulary_size, embedding_dim, word_dropout, name="embedding")
    # made before the table is, so that a seed gives the weights that it gave in earlier versions
    drop = keras.layers.Dropout(dropout, name="embedding_dropout")
    mask = masking.padding_mask(token_ids)
    return SequenceInput({"token_ids": token_ids}, drop(embed(token_ids)), mask)


def number_input(numbers: NumberOptions, instance_norm: str = "none") -> SequenceInput:
    """Returns the input of a model of numbers: standardised, gaps and padding filled with 0.

    `adapt` sets the mean and the variance of the layer `normalization`; `instance_norm` scales each
    sequence by its own values first.
    """
    inputs, layers = number_inputs(numbers), number_layers(numbers, instance_norm)
    mask = layers["mask"](inputs["values"], inputs["lengths"])
    return SequenceInput(inputs, *number_vectors(inputs["values"], mask, layers))


def number_inputs(numbers: NumberOptions) -> dict[str, Any]:
    """Returns `values` float (B, T, F) and `lengths` int (B,) as Keras inputs."""
    return {
        "values": keras.Input((None, numbers.input_dim), dtype="float32", name="values"),
        "lengths": keras.Input((), dtype="int32", name="lengths"),
    }


def number_layers(numbers: NumberOptions, instance_norm: str = "none") -> dict[str, Any]:
    """Returns the layers between the numbers and the body, by name."""
    layers: list[Any] = [LengthMask(name="mask")]
    if numbers.features == "log_mel":
        names = ("sample_rate", "mel_bands", "frame_ms", "hop_ms")
        sizes = {name: getattr(numbers, name) for name in names}
        layers.append(LogMel(**sizes, name="log_mel"))
        if numbers.spec_augment:
            layers.append(SpecAugment(numbers.spec_augment, name="spec_augment"))
    if instance_norm != "none":
        layers.append(WindowScale(instance_norm, name="window_scale"))
    layers.append(keras.layers.Normalization(name="normalization", dtype="float32"))
    layers.append(ObservedValues(numbers.missing, name="observed", dtype="float32"))
    return {layer.name: layer for layer in layers}


def number_vectors(values: Any, mask: Any, layers: Mapping[str, Any]) -> tuple[Any, Any]:
    """Numbers (B, T, F) and their mask -> vectors for the body, and the mask of these.

    `layers` are those of `number_layers`, or all of a model, by name.
    """
    values, mask = _unscaled(values, mask, layers)
    vectors = layers["observed"](layers["normalization"](values), mask)
    if "spec_augment" in layers:
        vectors = layers["spec_augment"](vectors, mask)
    return vectors, mask


def _unscaled(values: Any, mask: Any, layers: Mapping[str, Any]) -> tuple[Any, Any]:
    """What the layer `normalization` reads of numbers (B, T, F), and the mask of that."""
    if "log_mel" in layers:
        values, mask = layers["log_mel"](values, mask)
    if "window_scale" in layers:
        shift, scale = layers["window_scale"](values, mask)
        values = (values - shift) / scale
    return values, mask


def adapt(
    model: keras.Model,
    inputs: Mapping[str, Any] | Iterable[Mapping[str, Any]],
    targets: Any = None,
    batch_size: int = ROWS,
) -> None:
    """Sets the statistics of a model of numbers from the training data.

    Mean and variance of the layer `normalization` are those of all observed numbers of the
    sequences, whose padding and NaN are left out; those of `target_normalization`, which turns the
    outputs of a regression into the targets' units, are those of the targets.

    Args:
        model: A model that `zoo.build` made with `input_dim`.
        inputs: The training data: `values` (N, T, F), `lengths` (N,), and whatever else it takes;
            or, for a model that takes nothing else, batches of it.
        targets: Of a regression: float (N, D) or (N, T, D), NaN = unknown.
        batch_size: Sequences to read at once.

    Raises:
        InputError: The model reads no numbers, targets are missing, or a column has no value.

    Example:
        >>> import numpy as np, zoo
        >>> model = zoo.build("many_to_one", input_dim=2, num_classes=3, units=4)
        >>> values = np.array([[[1.0, 5.0], [3.0, np.nan], [9.0, 9.0]]])
        >>> zoo.adapt(model, {"values": values, "lengths": np.array([2])})
        >>> model.get_layer("normalization").mean.numpy().tolist()
        [[[2.0, 5.0]]]
    """
    layers = {layer.name: layer for layer in model.layers}
    if "normalization" not in layers:
        raise InputError(f"{model.name!r} reads no numbers: build it with input_dim")
    if ("target_normalization" in layers) != (targets is not None):
        expected = "expected" if targets is None else "takes no"
        raise InputError(f"{model.name!r} {expected} targets, which a regression alone has")
    statistics = Moments()
    batches = _batches(inputs, batch_size) if isinstance(inputs, Mapping) else inputs
    for batch in batches:
        values = ops.convert_to_tensor(np.asarray(batch["values"], "float32"))
        mask = layers["mask"](values, np.asarray(batch["lengths"], "int32"))
        values, mask = _unscaled(values, mask, layers)
        statistics.add(ops.convert_to_numpy(values)[ops.convert_to_numpy(mask)])
    mean, variance = statistics.mean, statistics.variance
    if "target_scale" in layers:
        layers["target_scale"].set(*set_statistics(layers["normalization"], mean, variance))
        for name in ("future", "static"):
            if isinstance(inputs, Mapping) and name in inputs:
                _set_from(layers[f"{name}_normalization"], inputs[name])
        return
    set_statistics(layers["normalization"], mean, variance)
    if targets is not None:
        _set_from(layers["target_normalization"], targets)


def _batches(inputs: Mapping[str, Any], batch_size: int) -> Iterator[dict[str, Any]]:
    for start in range(0, len(inputs["values"]), batch_size):
        rows = slice(start, start + batch_size)
        yield {name: inputs[name][rows] for name in ("values", "lengths")}


def _set_from(layer: Any, values: Any) -> None:
    """Sets the statistics of a `Normalization` from values (..., F)."""
    statistics = Moments()
    statistics.add(np.asarray(values, "float64").reshape(-1, np.shape(values)[-1]))
    set_statistics(layer, statistics.mean, statistics.variance)


def require_one_head(name: str, classes: int | None, num_outputs: int | None) -> None:
    """Raises unless a model predicts classes, whose number is the option `name`, or numbers.

    Raises:
        InputError: Both numbers are given, or none, or one is not a positive int.
    """
    given = {name: classes, "num_outputs": num_outputs}
    chosen = {option: count for option, count in given.items() if count is not None}
    if len(chosen) != 1:
        raise InputError(
            f"give {name} for labels, or num_outputs for a regression, got "
            f"{'both' if chosen else 'neither'}"
        )
    for option, count in chosen.items():
        require_positive_int(option, count)


def regression(features: Any, num_outputs: int) -> Any:
    """Numbers in the targets' units, (..., D), from features (..., K).

    `adapt` sets the mean and the variance of the layer `target_normalization`.
    """
    outputs = keras.layers.Dense(num_outputs, dtype="float32", name="outputs")(features)
    back = keras.layers.Normalization(invert=True, dtype="float32", name="target_normalization")
    return back(outputs)


class Moments:
    """Mean and variance of columns, of what is not NaN, added part by part."""

    def __init__(self) -> None:
        self._count: Any = 0.0
        self._mean: Any = 0.0
        self._squares: Any = 0.0

    def add(self, rows: np.ndarray) -> None:
        """Adds rows (N, F)."""
        rows = np.asarray(rows, "float64")
        known = np.isfinite(rows)
        count = known.sum(0)
        mean = np.where(known, rows, 0).sum(0) / np.maximum(count, 1)
        squares = np.where(known, rows - mean, 0) ** 2
        total = self._count + count
        gap = mean - self._mean
        self._squares = (
            self._squares + squares.sum(0) + gap**2 * self._count * count / np.maximum(total, 1)
        )
        self._mean = self._mean + gap * count / np.maximum(total, 1)
        self._count = total

    @property
    def mean(self) -> np.ndarray:
        """Float (F,), NaN for a column without values."""
        return np.where(self._count > 0, self._mean, np.nan)

    @property
    def variance(self) -> np.ndarray:
        """Float (F,), of the population."""
        return np.where(self._count > 0, self._squares / np.maximum(self._count, 1), np.nan)
