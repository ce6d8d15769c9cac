"""Gradients while a model trains: norms, clipping, the size of the updates, and what to change.

`Monitor` measures, `GradientMonitor` is the Keras callback for it; `train --monitor` of the recipes
uses `Monitor` too.
"""

import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import keras
import numpy as np
import tensorflow as tf

from zoo.diagnostics.output import tables
from zoo.errors import require_positive_int

EVERY = 20  # steps from one measured update to the next
OFTEN_CLIPPED = 0.5  # share of the steps
LARGE_UPDATE, SMALL_UPDATE = 0.1, 1e-6  # of the weights, in one step
VANISHED = 1e-5  # of the largest norm of a layer
COLUMNS = ("layer", "norm", "largest norm", "update / weight", "not finite")


class LayerGradients(NamedTuple):
    """The gradients of one layer's weights over some steps.

    Attributes:
        layer: The path of the layer.
        norm: The mean of the gradient's norm, before clipping, over the steps in which it is
            finite. That of a table of vectors is as Keras clips it: of the rows of all tokens, a
            token that occurs twice with both.
        largest: The largest norm.
        update_ratio: The norm of a step's change of the weights over the norm of the weights, the
            median of the measured steps, since the first steps of weights that start at zero are
            large; None if none was measured.
        not_finite: The number of steps in which the gradient is NaN or infinite.
    """

    layer: str
    norm: float
    largest: float
    update_ratio: float | None
    not_finite: int


class Report(NamedTuple):
    """The gradients over some steps, such as those of an epoch.

    Attributes:
        steps: The number of steps.
        norm: The mean norm of the whole gradient, before clipping.
        clipped: The share of the steps in which the optimizer clipped, 0 to 1; None if it has no
            bound.
        layers: Each layer with trainable weights, in the model's order.
    """

    steps: int
    norm: float
    clipped: float | None
    layers: list[LayerGradients]

    def table(self) -> str:
        """The layers as a table of text, below a line about the whole gradient."""
        clipped = "" if self.clipped is None else f", clipped in {self.clipped:.0%} of the steps"
        rows = [
            [
                each.layer,
                f"{each.norm:.2e}",
                f"{each.largest:.2e}",
                "-" if each.update_ratio is None else f"{each.update_ratio:.1e}",
                each.not_finite,
            ]
            for each in self.layers
        ]
        heading = f"gradients of {self.steps} steps: mean norm {self.norm:.3g}{clipped}"
        return f"{heading}\n{tables.text(COLUMNS, rows)}"

    def scalars(self) -> dict[str, float]:
        """The numbers by name, such as `gradient_norm/body/forward_0/cell`."""
        numbers = {"gradient_norm": self.norm}
        if self.clipped is not None:
            numbers["clipped"] = self.clipped
        for each in self.layers:
            numbers[f"gradient_norm/{each.layer}"] = each.norm
            if each.update_ratio is not None:
                numbers[f"update_ratio/{each.layer}"] = each.update_ratio
        return numbers

    def advice(self) -> dict[str, str]:
        """What looks wrong, by its kind: a sentence with its remedy; empty if nothing does."""
        rules = {
            "not finite": _not_finite,
            "clipped": _clipped,
            "vanished": _vanished,
            "large updates": _large_updates,
            "small updates": _small_updates,
        }
        found = {kind: rule(self) for kind, rule in rules.items()}
        return {kind: sentence for kind, sentence in found.items() if sentence}


def _not_finite(report: Report) -> str:
    bad = [each for each in report.layers if each.not_finite]
    if not bad:
        return ""
    worst = max(bad, key=lambda each: each.not_finite)
    return (
        f"the gradient of {worst.layer} is NaN or infinite in {worst.not_finite} of "
        f"{report.steps} steps: clip the gradient's norm (clip_norm, global_clipnorm), or lower "
        "the learning rate"
    )


def _clipped(report: Report) -> str:
    if report.clipped is None or report.clipped <= OFTEN_CLIPPED:
        return ""
    return (
        f"the gradient is clipped in {report.clipped:.0%} of the steps and has the mean norm "
        f"{report.norm:.2g}: raise the bound to about {_rounded(2 * report.norm):g}, or lower the "
        "learning rate if the loss jumps"
    )


def _vanished(report: Report) -> str:
    largest = max((each.norm for each in report.layers), default=0.0)
    weak = [
        each.layer
        for each in report.layers
        if each.norm < VANISHED * largest and not each.not_finite
    ]
    if not weak:
        return ""
    return (
        f"the gradient of {', '.join(weak[:3])} is below {VANISHED:g} of the largest layer's: "
        "check that the layer is connected to the loss; take a gated cell, a forget bias above 0, "
        "or shorter sequences"
    )


def _large_updates(report: Report) -> str:
    worst = max(report.layers, key=lambda each: each.update_ratio or 0)
    if not worst.update_ratio or worst.update_ratio <= LARGE_UPDATE:
        return ""
    return (
        f"a step changes the weights of {worst.layer} by {worst.update_ratio:.0%} (usual are "
        "0.01 % to 1 %): lower the learning rate"
    )


def _small_updates(report: Report) -> str:
    ratios = [each.update_ratio for each in report.layers if each.update_ratio is not None]
    if not ratios or max(ratios) >= SMALL_UPDATE:
        return ""
    return (
        f"a step changes no layer by more than {max(ratios):.0e} of its weights: raise the "
        "learning rate"
    )


def _rounded(value: float) -> float:
    """A positive number to one significant digit."""
    return float(f"{value:.1g}")


class Monitor:
    """Measures the gradients that an optimizer applies to a model's weights.

    The gradients are measured where `optimizer.apply` gets them, in the training step's own graph,
    at each step. The updates are measured from copies of the weights, at each `every`-th step, so
    `after_step` must be called after each step.

    Args:
        model: A compiled and built model whose training step is not traced yet.
        every: Steps from one measured update to the next.
    """

    def __init__(self, model: keras.Model, every: int = EVERY) -> None:
        require_positive_int("every", every)
        self.model, self.every = model, every
        self.weights = list(model.trainable_variables)
        layers = [weight.path.rpartition("/")[0] or weight.path for weight in self.weights]
        self.layers = list(dict.fromkeys(layers))
        self.groups = [self.layers.index(layer) for layer in layers]
        count = len(self.layers)
        with tf.init_scope():
            # sums over the steps: the norms by layer and that of the whole gradient, how often each
            # of them is finite, the steps, and the clipped steps
            self.totals = tf.Variable(tf.zeros(2 * count + 4), trainable=False)
            self.largest = tf.Variable(tf.zeros(count + 1), trainable=False)
        self.ratios: list[np.ndarray] = []
        self.seen = 0
        self.given: set[str] = set()  # kinds of advice
        self.before: list[np.ndarray] = []
        optimizer = model.optimizer
        self.apply = optimizer.apply
        optimizer.build(self.weights)
        optimizer.apply = self._measured

    def detach(self) -> None:
        """Ends the measurements of steps that are traced from now on."""
        self.model.optimizer.apply = self.apply

    def _measured(self, grads: Any, trainable_variables: Any = None) -> None:
        """`optimizer.apply`, after the gradients are measured."""
        self._measure(list(grads))
        self.apply(grads, trainable_variables)

    def _measure(self, gradients: list[Any]) -> None:
        parts = [_values(gradient) for gradient in gradients]
        squares = tf.stack([tf.reduce_sum(tf.square(tf.cast(v, tf.float32))) for v in parts])
        by_layer = tf.math.unsorted_segment_sum(squares, self.groups, len(self.layers))
        norms = tf.sqrt(tf.concat([by_layer, [tf.reduce_sum(squares)]], axis=0))
        finite = tf.math.is_finite(norms)
        norms = tf.where(finite, norms, 0.0)
        counts = tf.stack(
            [1.0, tf.cast(_is_clipped(self.model.optimizer, parts, squares), tf.float32)]
        )
        self.totals.assign_add(tf.concat([norms, tf.cast(finite, tf.float32), counts], axis=0))
        self.largest.assign(tf.maximum(self.largest, norms))

    def after_step(self) -> None:
        """Measures an update now and then; to be called after each step."""
        self.seen += 1
        if self.before:
            self.ratios.append(self._ratios())
            self.before = []
        if self.seen % self.every == 1 or self.every == 1:
            self.before = [np.array(weight) for weight in self.weights]

    def _ratios(self) -> np.ndarray:
        """The norm of the change over that of the weights, by layer."""
        change, size = np.zeros(len(self.layers)), np.zeros(len(self.layers))
        for group, weight, before in zip(self.groups, self.weights, self.before, strict=True):
            with np.errstate(invalid="ignore"):
                moved = np.array(weight) - before
            change[group] += _sum_of_squares(moved)
            size[group] += _sum_of_squares(before)
        with np.errstate(invalid="ignore"):  # weights that are not finite
            ratios = np.sqrt(change / np.maximum(size, 1e-30))
        return np.where(np.isnan(ratios), np.inf, ratios)

    def report(self) -> Report:
        """The measurements since the last report."""
        norms, finite, (steps, clipped) = np.split(
            self.totals.numpy(), [len(self.layers) + 1, 2 * len(self.layers) + 2]
        )
        norms = (norms / np.maximum(finite, 1)).tolist()
        largest = self.largest.numpy().tolist()
        ratios = np.median(self.ratios, axis=0).tolist() if self.ratios else None
        layers = [
            LayerGradients(
                layer,
                norms[number],
                largest[number],
                ratios[number] if ratios else None,
                int(steps - finite[number]),
            )
            for number, layer in enumerate(self.layers)
        ]
        for total in (self.totals, self.largest):
            total.assign(tf.zeros_like(total))
        self.ratios = []
        share = float(clipped / max(steps, 1)) if _bounds(self.model.optimizer) else None
        return Report(int(steps), norms[-1], share, layers)

    def new_advice(self, report: Report) -> list[str]:
        """The sentences of a report whose kinds no earlier report had."""
        new = {kind: text for kind, text in report.advice().items() if kind not in self.given}
        self.given |= set(new)
        return list(new.values())


def _values(gradient: Any) -> Any:
    """The numbers of a gradient; of a table's, the rows of the tokens that occur."""
    if gradient is None:
        return tf.zeros([1])
    return gradient.values if isinstance(gradient, tf.IndexedSlices) else gradient


def _bounds(optimizer: Any) -> dict[str, float]:
    """The optimizer's bounds of the gradient by kind; at most one has an effect."""
    kinds = ("clipnorm", "global_clipnorm", "clipvalue")
    return {kind: getattr(optimizer, kind) for kind in kinds if getattr(optimizer, kind, None)}


def _is_clipped(optimizer: Any, parts: Sequence[Any], squares: Any) -> Any:
    """Whether the optimizer bounds gradients with these numbers and sums of squares."""
    bounds = _bounds(optimizer)
    if not bounds:
        return tf.constant(False)
    kind, bound = next(iter(bounds.items()))
    if kind == "clipvalue":
        return tf.reduce_any(tf.stack([tf.reduce_max(tf.abs(part)) > bound for part in parts]))
    largest = tf.reduce_max(squares) if kind == "clipnorm" else tf.reduce_sum(squares)
    return largest > bound * bound


def _sum_of_squares(values: np.ndarray) -> float:
    return float(np.sum(np.square(values, dtype=np.float64)))


def write_scalars(folder: Path, step: int, scalars: Mapping[str, float]) -> None:
    """Writes numbers for TensorBoard into a folder, at an epoch or step."""
    writer = tf.summary.create_file_writer(str(folder))
    with writer.as_default(step=step):
        for name, value in scalars.items():
            tf.summary.scalar(name, value)
    writer.close()


class GradientMonitor(keras.callbacks.Callback):
    """Measures the gradients while `fit` trains, and warns with a remedy where they look wrong.

    `fit` traces its training step again, also after an earlier `fit`.

    After each epoch its numbers are among the epoch's `logs`: `gradient_norm` and `clipped`; those
    of each layer are in `reports`, and in TensorBoard's files if there is a folder. A warning of
    one kind is issued once.

    Args:
        every: Steps from one measured update to the next.
        folder: The folder of TensorBoard's files, such as `logs/gradients`; none by default.

    Attributes:
        reports: A `Report` for each epoch.

    Example:
        >>> monitor = GradientMonitor()
        >>> model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(1, name="dense")])
        >>> model.compile(keras.optimizers.Adam(0.01, global_clipnorm=100.0), "mse")
        >>> _ = model.fit(np.ones((64, 3)), np.ones(64), verbose=0, callbacks=[monitor])
        >>> monitor.reports[0].steps, monitor.reports[0].layers[0].layer.endswith("dense")
        (2, True)
    """

    def __init__(self, every: int = EVERY, folder: Path | str | None = None) -> None:
        super().__init__()
        require_positive_int("every", every)
        self.every, self.folder = every, folder
        self.reports: list[Report] = []
        self.monitor: Monitor | None = None

    def on_train_begin(self, logs: Any = None) -> None:
        """Measures the steps from here on."""
        self.monitor = Monitor(self.model, self.every)
        self.model.make_train_function(force=True)  # one that an earlier `fit` traced measures none

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        """Measures an update now and then."""
        assert self.monitor is not None
        self.monitor.after_step()

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        """Reports the epoch."""
        assert self.monitor is not None
        report = self.monitor.report()
        self.reports.append(report)
        if logs is not None:
            logs |= {name: value for name, value in report.scalars().items() if "/" not in name}
        if self.folder is not None:
            write_scalars(Path(self.folder), epoch + 1, report.scalars())
        for sentence in self.monitor.new_advice(report):
            warnings.warn(f"epoch {epoch + 1}: {sentence}", stacklevel=2)

    def on_train_end(self, logs: Any = None) -> None:
        """Lets the model train as before."""
        assert self.monitor is not None
        self.monitor.detach()
        self.model.train_function = None
