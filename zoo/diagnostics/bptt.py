"""Backpropagation through time by hand, for the Elman unit, in NumPy.

    h_m = g(Theta h_(m-1) + x_m),   L = sum over m of l_m(h_m)

States and inputs are rows of (T, K) here; Theta is (K, K), applied from the left as in the
equation. The functions get the slopes d l_m / d h_m of any losses, (T, K), and return the gradient
of L. `forward_gradient` follows the recursion over h_(m-1), `full` and `truncated` go back from the
losses, and all that should agree does, with each other and with automatic differentiation.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import tensorflow as tf
from matplotlib.figure import Figure

from zoo.cells import ElmanCell
from zoo.diagnostics.output import plots, tables
from zoo.errors import InputError, require_choice, require_positive_int

SLOPES: dict[str, tuple[Callable[..., np.ndarray], Callable[..., np.ndarray]]] = {
    "tanh": (np.tanh, lambda h: 1 - h * h),
    "linear": (lambda a: a, np.ones_like),
    "relu": (lambda a: np.maximum(a, 0), lambda h: (h > 0).astype(h.dtype)),
}


class Trace(NamedTuple):
    """What the forward pass leaves for the backward pass.

    Attributes:
        theta: (K, K).
        states: (T + 1, K), h_0 to h_T.
        slopes: (T, K), g'(a_m) of each step.
    """

    theta: np.ndarray
    states: np.ndarray
    slopes: np.ndarray


class Gradients(NamedTuple):
    """The gradient of the summed loss.

    Attributes:
        theta: (K, K).
        inputs: (T, K), of each x_m.
        states: (T, K), of each h_m, through all that follows it.
        start: (K,), of h_0.
    """

    theta: np.ndarray
    inputs: np.ndarray
    states: np.ndarray
    start: np.ndarray


def run(
    theta: np.ndarray,
    inputs: np.ndarray,
    start: np.ndarray | None = None,
    activation: str = "tanh",
) -> Trace:
    """The forward pass over one sequence.

    Args:
        theta: (K, K).
        inputs: (T, K).
        start: h_0, (K,); zero if None.
        activation: g: `tanh`, `relu` or `linear`.

    Raises:
        InputError: A shape or the activation is wrong.
    """
    require_choice("activation", activation, tuple(SLOPES))
    theta, inputs = np.asarray(theta, float), np.asarray(inputs, float)
    size = theta.shape[0]
    if theta.shape != (size, size) or inputs.ndim != 2 or inputs.shape[1] != size:
        raise InputError(
            f"theta must be (K, K) and the inputs (T, K), got {theta.shape} and {inputs.shape}"
        )
    apply, slope = SLOPES[activation]
    states = [np.zeros(size) if start is None else np.asarray(start, float)]
    for x in inputs:
        states.append(apply(theta @ states[-1] + x))
    reached = np.array(states)
    return Trace(theta, reached, slope(reached[1:]))


def full(trace: Trace, loss_slopes: np.ndarray) -> Gradients:
    """The gradient, from the last step back to the first.

        d_m = d l_m / d h_m + Theta' (g'(a_(m+1)) * d_(m+1))       d L / d h_m
        d L / d Theta = sum over m of (g'(a_m) * d_m) h_(m-1)'

    Args:
        trace: From `run`.
        loss_slopes: d l_m / d h_m, (T, K).
    """
    return truncated(trace, loss_slopes, len(trace.slopes))


def truncated(trace: Trace, loss_slopes: np.ndarray, steps: int) -> Gradients:
    """The gradient in which a loss reaches the last `steps` steps before it and no others.

    With `steps` = T it is the full gradient. It is computed for each loss by itself, since the cut
    stands at another place for each, in O(T steps).

    Args:
        trace: From `run`.
        loss_slopes: d l_m / d h_m, (T, K).
        steps: The number of steps, 1 for the loss's own step alone.

    Source: Williams and Peng, An efficient gradient-based algorithm for on-line training of
    recurrent network trajectories, Neural Computation 2 (1990).
    """
    require_positive_int("steps", steps)
    time = len(trace.slopes)
    weights = np.array([[float(m - steps < k <= m) for k in range(time)] for m in range(time)])
    return _weighted(trace, loss_slopes, weights)


def randomized(
    trace: Trace, loss_slopes: np.ndarray, keep: float, generator: np.random.Generator
) -> Gradients:
    """A gradient cut at random places, which is right on average.

    Going back from each loss, each link h_m -> h_(m-1) is kept with probability `keep`, and what
    passes it is divided by `keep`; a dropped link ends the way.

    Args:
        trace: From `run`.
        loss_slopes: d l_m / d h_m, (T, K).
        keep: The probability, above 0 up to 1. The mean length is 1 / (1 - keep) steps.
        generator: The source of randomness.

    Raises:
        InputError: The probability is not in its range.

    Source: Tallec and Ollivier, Unbiasing truncated backpropagation through time, arXiv:1705.08209.
    """
    if not 0 < keep <= 1:
        raise InputError(f"keep must be a probability above 0 up to 1, got {keep}")
    time = len(trace.slopes)
    kept = (generator.random(time) < keep) / keep  # one draw for each link into step m
    weights = np.zeros((time, time))
    for m in range(time):
        weights[m, : m + 1] = np.cumprod(np.r_[1.0, kept[m:0:-1]])[::-1]
    return _weighted(trace, loss_slopes, weights)


def _weighted(trace: Trace, loss_slopes: np.ndarray, weights: np.ndarray) -> Gradients:
    """The gradient with the weight [m, k] on the way from the loss m to the step k."""
    time = len(trace.slopes)
    d_states = np.zeros_like(trace.slopes)
    d_start = np.zeros_like(trace.states[0])
    if (weights == np.tril(np.ones_like(weights))).all():  # all ways are open: they share one pass
        passing = np.zeros_like(d_start)
        for m in reversed(range(time)):
            d_states[m] = loss_slopes[m] + passing
            passing = trace.theta.T @ (trace.slopes[m] * d_states[m])
        d_start = passing
    else:
        for m in range(time):
            passing = np.asarray(loss_slopes[m], float)
            for k in range(m, -1, -1):
                if not weights[m, k]:
                    break
                d_states[k] += weights[m, k] * passing
                passing = trace.theta.T @ (trace.slopes[k] * passing)
            else:
                d_start += weights[m, 0] * passing
    d_inputs = trace.slopes * d_states
    return Gradients(d_inputs.T @ trace.states[:-1], d_inputs, d_states, d_start)


def forward_gradient(trace: Trace, loss_slopes: np.ndarray) -> np.ndarray:
    """The gradient of Theta by the recursion over h_(m-1), as the chain rule gives it.

        d h_(m,k) / d theta_(i,j) = g'(a_(m,k)) * ([k = i] h_(m-1,j)
                                    + sum over l of theta_(k,l) d h_(m-1,l) / d theta_(i,j))

    It needs no pass back and no stored states, but K^3 numbers: why one goes back instead.

    Args:
        trace: From `run`.
        loss_slopes: d l_m / d h_m, (T, K).

    Returns:
        (K, K).

    Source: Williams and Zipser, A learning algorithm for continually running fully recurrent neural
    networks, Neural Computation 1 (1989).
    """
    size = trace.theta.shape[0]
    slopes_of_state = np.zeros((size, size, size))
    gradient = np.zeros((size, size))
    for m, slope in enumerate(trace.slopes):
        direct = np.eye(size)[:, :, None] * trace.states[m]
        passed = np.einsum("kl,lij->kij", trace.theta, slopes_of_state)
        slopes_of_state = slope[:, None, None] * (direct + passed)
        gradient += np.einsum("k,kij->ij", loss_slopes[m], slopes_of_state)
    return gradient


def contributions(trace: Trace, loss_slopes: np.ndarray) -> np.ndarray:
    """The norm of d l_T / d h_m for each step m: how much of the last loss reaches it, (T,).

    Args:
        trace: From `run`.
        loss_slopes: d l_m / d h_m, (T, K); the last one counts.
    """
    last = np.zeros_like(trace.slopes)
    last[-1] = loss_slopes[-1]
    return np.linalg.norm(full(trace, last).states, axis=1)


CUTS = (1, 2, 5, 10, 20, 50)  # steps of the truncated gradients of the command
KEPT = (0.5, 0.8, 0.9, 0.95)  # probabilities of the randomly truncated ones


def by_tensorflow(theta: np.ndarray, inputs: np.ndarray, loss_slopes: np.ndarray) -> np.ndarray:
    """The gradient of Theta, (K, K), by TensorFlow's automatic differentiation of `ElmanCell`."""
    cell = ElmanCell(len(theta), dtype="float64")
    cell.build((None, len(theta)))
    cell.recurrent_kernel.assign(theta.T)
    state = [tf.zeros((1, len(theta)), tf.float64)]
    loss = tf.constant(0.0, tf.float64)
    with tf.GradientTape() as tape:
        for x, slope in zip(inputs, loss_slopes, strict=True):
            output, state = cell(tf.constant(x[None]), state)
            loss += tf.reduce_sum(output * slope)
    return np.asarray(tape.gradient(loss, cell.recurrent_kernel.value)).T


def show(options: Any) -> tuple[str, Figure, dict[str, Any]]:
    """The table, the picture and the numbers of the command `bptt`.

    A random sequence and a loss at each step: the full gradient by three ways, then truncated ones.
    """
    generator = np.random.default_rng(options.seed)
    size, time = options.units, options.length
    theta = generator.normal(size=(size, size))
    theta *= options.radius / np.max(np.abs(np.linalg.eigvals(theta)))
    inputs = generator.normal(scale=0.3, size=(time, size))
    loss_slopes = generator.normal(size=(time, size))
    trace = run(theta, inputs)
    whole = full(trace, loss_slopes).theta
    rows: list[list[Any]] = [["back from the losses (full)", *_apart(whole, whole)]]
    forward = forward_gradient(trace, loss_slopes)
    rows.append(["forward, the recursion over h_(m-1)", *_apart(forward, whole)])
    automatic = by_tensorflow(theta, inputs, loss_slopes)
    rows.append(["TensorFlow", *_apart(automatic, whole)])
    cuts = [steps for steps in CUTS if steps < time]
    cut = {steps: truncated(trace, loss_slopes, steps).theta for steps in cuts}
    rows += [[f"truncated after {steps}", *_apart(cut[steps], whole)] for steps in cuts]
    drawn = {
        keep: np.array(
            [randomized(trace, loss_slopes, keep, generator).theta for _ in range(options.draws)]
        )
        for keep in KEPT
    }
    for keep, values in drawn.items():
        rows.append([f"random, kept {keep}: one", *_apart(values[0], whole)])
        rows.append([f"random, kept {keep}: mean of {len(values)}", *_apart(values.mean(0), whole)])
    reach = contributions(trace, loss_slopes)[::-1]
    panels = [
        {
            "title": "the last loss alone",
            "x_label": "steps back",
            "y_label": "norm of d l_T / d h_m",
            "curves": {"full": (np.arange(time), reach)},
            "log": True,
        },
        {
            "title": "all losses",
            "x_label": "steps kept (mean)",
            "y_label": "relative error of d L / d Theta",
            "curves": {
                "truncated": (cuts, [_apart(cut[steps], whole)[0] for steps in cuts]),
                "random, one draw": (
                    [1 / (1 - keep) for keep in KEPT],
                    [float(np.mean([_apart(v, whole)[0] for v in drawn[keep]])) for keep in KEPT],
                ),
                f"random, mean of {options.draws}": (
                    [1 / (1 - keep) for keep in KEPT],
                    [_apart(drawn[keep].mean(0), whole)[0] for keep in KEPT],
                ),
            },
            "log": True,
        },
    ]
    heading = f"d L / d Theta of an Elman unit, T = {time}, K = {size}, radius {options.radius}\n"
    shown = [[name, f"{error:.1e}", f"{cosine:.4f}"] for name, error, cosine in rows]
    table = heading + tables.text(["gradient", "relative error", "cosine"], shown)
    numbers = {"rows": [list(row) for row in rows], "norms": reach.tolist()}
    return table, plots.lines(panels), numbers


def _apart(gradient: np.ndarray, right: np.ndarray) -> tuple[float, float]:
    """The relative distance from the right gradient, and the cosine of the angle to it."""
    norm = float(np.linalg.norm(right))
    cosine = float(np.sum(gradient * right) / (np.linalg.norm(gradient) * norm))
    return float(np.linalg.norm(gradient - right)) / norm, cosine
