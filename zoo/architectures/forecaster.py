"""Many to many, T_x != T_y: past values -> the next H values, with their uncertainty."""

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

import keras

from zoo.architectures.forecaster_model import Forecaster, forecast_of
from zoo.architectures.sequence_input import number_inputs, number_layers
from zoo.errors import InputError, require_choice, require_positive_int
from zoo.layers import Recurrent, RecurrentOptions
from zoo.layers.distributions import DISTRIBUTIONS
from zoo.layers.numeric import NumberOptions, ObservedValues, WindowScale
from zoo.layers.numeric.channels import Channels, Places, Segments
from zoo.layers.numeric.forecast_head import ForecastHead
from zoo.layers.numeric.window_scale import KINDS, TargetScale
from zoo.layers.recurrent_options import require_count
from zoo.registry import preset, register

DECODERS = ("direct", "recurrent", "segment")
CHANNELS = ("together", "separate")
OUTPUTS = ("quantiles", *DISTRIBUTIONS)
LEVELS = (0.025, 0.1, 0.5, 0.9, 0.975)
NUMBERS = NumberOptions()
BODY = RecurrentOptions()


@register(topology="forecaster")
def forecaster(
    *,
    horizon: int,
    num_targets: int | None = None,
    future_dim: int = 0,
    static_dim: int = 0,
    numbers: NumberOptions = NUMBERS,
    body: RecurrentOptions = BODY,
    decoder: str = "direct",
    segment_length: int = 24,
    output: str = "quantiles",
    quantiles: Sequence[float] = LEVELS,
    instance_norm: str = "none",
    channels: str = "together",
    name: str = "forecaster",
) -> keras.Model:
    """Forecasts the next H values of a series, as quantiles or as a distribution.

    values (B, T, F), lengths (B,), future (B, H, G), static (B, S) -> (B, H, D, Q or P)

        x' = (x - shift) / scale, by the window's own values;  x'' = (x' - mean) / deviation
        h = body(x'', static);  raw = decoder(h, future);  forecast = back to the data's units

    The first D of the F columns are the targets, the last G the past of the covariates that are
    known in the future. The statistics of the training data are set by `zoo.adapt`; inputs and
    outputs are in the data's own units.

    Args:
        horizon: H, steps to forecast.
        num_targets: D, columns to forecast; F - G by default.
        future_dim: G, covariates that are known in the future, such as the calendar or prices.
        static_dim: S, numbers that describe a series as a whole.
        numbers: The options of sequences of numbers.
        body: The options of the recurrent body.
        decoder: `direct`, all H steps from the last state; `recurrent`, step by step, fed with its
            own samples; `segment`, a step of the body reads and writes a segment.
        segment_length: W, steps of a segment.
        output: `quantiles`, or the parameters of a distribution at each step: `normal`,
            `student_t`, `negative_binomial`.
        quantiles: The levels, in increasing order; 0.5 is the median.
        instance_norm: Scaling of each window by its own values: `none`, `last` (minus the last
            one), `mean_std`, `mean` (divided by the mean absolute value).
        channels: Targets are read `together`, or each `separate` from the others by the same
            weights.
        dropout: Fraction dropped between layers and before the outputs, in training.
        name: The model's name.

    Returns:
        A Keras model of a dict: `values` float (B, T, F), NaN = missing, `lengths` int (B,);
        `future` (B, H, G) and `static` (B, S) if there are any; with `recurrent` also `targets`
        (B, H, D), which are fed to it in training -> float (B, H, D, Q), or (B, H, D, P).
        `Forecaster.forecast` gives quantiles of every kind.

    Raises:
        InputError: An option has an invalid value, or options contradict each other.

    Source: Wen et al., arXiv:1711.11053, for `direct`; Salinas, Flunkert and Gasthaus, DeepAR,
        arXiv:1704.04110, for `recurrent`; Lin et al., SegRNN, arXiv:2308.11200, for `segment`;
        Kim et al., RevIN (ICLR 2022), for `mean_std`.
    """
    require_positive_int("horizon", horizon)
    require_positive_int("segment_length", segment_length)
    require_count("future_dim", future_dim)
    require_count("static_dim", static_dim)
    for option, value, choices in (
        ("decoder", decoder, DECODERS),
        ("output", output, OUTPUTS),
        ("instance_norm", instance_norm, KINDS),
        ("channels", channels, CHANNELS),
    ):
        require_choice(option, value, choices)
    targets = _targets(num_targets, numbers, future_dim, decoder)
    _check(decoder, output, quantiles, instance_norm, body)
    width = {"direct": horizon, "recurrent": 1, "segment": segment_length}[decoder]
    separate = channels == "separate"
    if decoder == "segment":
        body = _as_segrnn(body)
    head = ForecastHead(horizon, width, targets, output, quantiles, separate, name="head")
    layers = [
        *number_layers(numbers).values(),
        *_body(body, instance_norm, targets),
        *(_segments(head, body.units) if decoder == "segment" else ()),
        *_outputs(head, body, future_dim, _uniform(body.units) if decoder == "segment" else {}),
        head,
    ]
    if separate:
        layers.append(Channels(targets, numbers.missing == "indicator", name="channels"))
    inputs = number_inputs(numbers)
    if future_dim:
        inputs["future"] = keras.Input((horizon, future_dim), name="future")
    if static_dim:
        inputs["static"] = keras.Input((static_dim,), name="static")
        layers.append(keras.layers.Normalization(name="static_normalization", dtype="float32"))
    if decoder == "recurrent":
        inputs["targets"] = keras.Input((horizon, targets), name="targets")
    by_name = {layer.name: layer for layer in layers}
    return Forecaster(inputs, forecast_of(by_name, inputs), name=name)


def _targets(num_targets: int | None, numbers: NumberOptions, future_dim: int, decoder: str) -> int:
    """The number of targets, D."""
    if numbers.input_dim is None or numbers.features != "none":
        raise InputError("forecaster reads numbers: give input_dim, and features 'none'")
    most = numbers.input_dim - future_dim
    targets = most if num_targets is None else num_targets
    if isinstance(targets, bool) or not isinstance(targets, int) or not 1 <= targets <= most:
        raise InputError(
            f"num_targets must be 1 to {most}, the columns of input_dim {numbers.input_dim} that "
            f"are not among the {future_dim} covariates, got {targets!r}"
        )
    if decoder == "recurrent" and targets != most:
        raise InputError(
            f"the decoder 'recurrent' reads its own forecasts, so each column must be a target or "
            f"a covariate, got {numbers.input_dim} columns, {targets} targets and {future_dim} "
            "covariates: take 'direct', or forecast all columns"
        )
    return targets


def _check(
    decoder: str,
    output: str,
    quantiles: Sequence[float],
    instance_norm: str,
    body: RecurrentOptions,
) -> None:
    """Rejects options that contradict each other."""
    if decoder != "direct" and body.bidirectional:
        raise InputError(
            f"the decoder {decoder!r} goes on from the last state, got bidirectional: leave it "
            "out, or take 'direct'"
        )
    if decoder == "recurrent" and output == "quantiles":
        raise InputError(
            "the decoder 'recurrent' draws from a distribution, got output 'quantiles': take "
            f"{', '.join(DISTRIBUTIONS)}"
        )
    if output == "negative_binomial" and instance_norm not in ("none", "mean"):
        raise InputError(
            f"output 'negative_binomial' is for counts, got instance_norm {instance_norm!r}: take "
            "'mean' or 'none'"
        )
    if 0.5 not in quantiles:
        raise InputError(f"quantiles must contain 0.5, the median, got {list(quantiles)}")


def _as_segrnn(body: RecurrentOptions) -> RecurrentOptions:
    """The body with SegRNN's initial weights, unless it has some of its own.

    They are PyTorch's: uniform within +- 1 / sqrt(K), biases, too. With them the loss of ETTh1
    falls in two epochs as far as in three from Keras' weights.
    """
    if body.cell not in ("gru", "lstm", "simple_rnn"):
        return body
    bound = body.units**-0.5
    names = ("kernel_initializer", "recurrent_initializer", "bias_initializer")
    uniform = keras.initializers.serialize(keras.initializers.RandomUniform(-bound, bound))
    given = body.cell_options or {}
    return dataclasses.replace(body, cell_options={**dict.fromkeys(names, uniform), **given})


def _uniform(inputs: int) -> dict[str, Any]:
    """PyTorch's initial weights of a dense layer: uniform within +- 1 / sqrt(its inputs)."""
    bound = inputs**-0.5
    return {
        f"{name}_initializer": keras.initializers.RandomUniform(-bound, bound)
        for name in ("kernel", "bias")
    }


def _body(body: RecurrentOptions, instance_norm: str, targets: int) -> list[Any]:
    return [
        WindowScale(instance_norm, targets, name="window_scale"),
        TargetScale(targets, name="target_scale"),
        Recurrent(**vars(body), name="encoder"),
    ]


def _segments(head: ForecastHead, units: int) -> list[Any]:
    """The layers between segments and the body: K numbers for each segment, read or to write."""
    return [
        Segments(head.width, name="segments"),
        keras.layers.Dense(units, "relu", name="segment_vector", **_uniform(head.width)),
        Places(
            -(-head.horizon // head.width),
            head.targets if head.separate else 1,
            units,
            name="places",
        ),
    ]


def _outputs(
    head: ForecastHead, body: RecurrentOptions, future_dim: int, weights: Mapping[str, Any]
) -> list[Any]:
    """The layers between the body and the head, with the initial weights of the last."""
    size = head.size * (1 if head.separate else head.targets)
    layers = [
        keras.layers.Dropout(body.dropout, name="states_dropout"),
        keras.layers.Dense(head.width * size, dtype="float32", name="outputs", **weights),
    ]
    if future_dim:
        layers += [
            keras.layers.Normalization(name="future_normalization", dtype="float32"),
            ObservedValues(name="future_observed", dtype="float32"),
            keras.layers.Dense(body.units, "relu", name="future_hidden"),
            keras.layers.Dense(size, dtype="float32", name="future_outputs"),
        ]
    return layers


preset(
    "deepar",
    forecaster,
    "Step by step, fed with its own samples: a normal distribution of each next value (DeepAR).",
    decoder="recurrent",
    output="normal",
    instance_norm="mean",
    num_layers=2,
)
preset(
    "segrnn",
    forecaster,
    "Segments in place of steps, each channel by itself, all output segments at once (SegRNN).",
    cell="gru",
    decoder="segment",
    instance_norm="last",
    channels="separate",
    units=512,
)
