"""SignalClassifier: a series of numbers -> label."""

import functools
from collections.abc import Sequence
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from zoo.fine_tuning.start import SizedBy
from zoo.layers import States, named_states, nested_states
from zoo.litert import architectures as litert
from zoo.litert.graphs import Graph, Sizes
from zoo.onnx import series
from zoo.onnx.served import Served
from zoo.pipelines.pipeline import Answers, Signature, integers, traced
from zoo.pipelines.series_input import SeriesPipeline, require_names
from zoo.pipelines.streaming import Step, stream_signatures


class SignalClassifier(SeriesPipeline):
    """Predicts a label for a series of numbers: of sensors, of sound.

    The signatures, of named tensors, all with the batch first:

    - `serving_default`: `values` float32 (B, T, F), raw numbers with any padding on the right;
      `lengths` int32 (B,), the steps of each series -> `label` string (B,); `probabilities` float
      (B, C), each row's sum 1; `classes` string (B, C), the labels that the probabilities belong
      to; `valid` bool (B,): a series without a step, or with a number that the model refuses, has
      the label "" and probabilities 0.
    - `start` and `step`, of a unidirectional model with the pooling `last` that reads the numbers
      themselves, not scaled by the whole series: `streams` int32 (B,), a number a row, of any value
      -> the states before a series;
      `values` float32 (B, F), a step of each series, and the states -> `label`, `probabilities` and
      `valid` after it, and the states to go on with. A step that is not valid is skipped.
    - `sample_rate`, of a model of waveforms: `streams` int32 (B,) -> `sample_rate` int32 (B,), the
      samples per second that it expects.

    Args:
        model: What `zoo.build("many_to_one", input_dim=F, num_classes=C, ...)` returns.
        classes: The C labels, in the order of their ids.

    Raises:
        InputError: The model reads no series, or does not return one logit for each label.
    """

    option_names = ("classes",)
    sized_by = SizedBy({}, "classes", "num_classes")

    def __init__(self, model: keras.Model, classes: Sequence[str]) -> None:
        super().__init__(model)
        require_names(model.output_shape[-1], classes, "classes")
        self.classes = list(classes)

    def __call__(self, series: Any) -> list[str]:
        """The most likely label of each series; see `classify`."""
        return list(self.classify(series)["label"])

    def classify(self, series: Any, lengths: Any = None) -> Answers:
        """Label, probabilities, classes and `valid` of each series, as arrays.

        Args:
            series: A list of series (T, F), or one of them, or an array (B, T, F). Of series of
                one number each, (T,) is (T, 1).
            lengths: Of an array (B, T, F): int (B,), by default T each.

        Raises:
            InputError: The series do not fit the model.
        """
        return self.answers_to(self._classify, series, lengths)

    def litert_graphs(self, sizes: Sizes) -> dict[str, Graph]:
        """The graph `model`, and `start` and `step` of a stream; see `zoo.litert.architectures`."""
        return litert.signals(self.model, self.can_stream, sizes)

    def onnx_graphs(self) -> dict[str, Served]:
        """Whole, and `start` and `step` where it streams; see `zoo.onnx.series.classifier`."""
        return series.classifier(self.model, self.can_stream)

    def signatures(self) -> dict[str, Signature]:
        """`serving_default`; `start` and `step`, or `sample_rate`, where the model has them."""
        found = {"serving_default": Signature(self._classify, self.series_probe())}
        if self.can_stream:
            rng = np.random.default_rng(1)
            values = rng.normal(size=(3, self.input_dim)).astype(np.float32)
            values[1] = np.nan
            spec = tf.TensorSpec([None, self.input_dim], tf.float32, name="values")
            steps = {"step": Step(self._step, spec, values)}
            found |= stream_signatures(self._start, {"streams": tf.range(3)}, steps)
        return found | self.rate_signature()

    @property
    def can_stream(self) -> bool:
        """Whether a series can be read one step at a time."""
        body = self.layers["encoder"].options
        pooled = any(name.endswith("_pooling") for name in self.layers)
        whole = "window_scale" in self.layers  # the scale is that of the whole series
        return not (body.bidirectional or pooled or whole or self.sample_rate)

    @functools.cached_property
    def _classify(self) -> Any:
        return self.on_series(self._classified)

    def _classified(self, values: tf.Tensor, lengths: tf.Tensor) -> dict[str, tf.Tensor]:
        inputs, valid = self.checked(values, lengths)
        logits = self.model(inputs, training=False)
        names = tf.tile(tf.constant(self.classes)[None], [tf.shape(values)[0], 1])
        return {**self._labelled(logits, valid), "classes": names}

    def _labelled(self, logits: tf.Tensor, valid: tf.Tensor) -> dict[str, tf.Tensor]:
        probabilities = tf.where(valid[:, None], tf.nn.softmax(logits), 0.0)
        label = tf.gather(tf.constant(self.classes), tf.argmax(probabilities, axis=-1))
        return {
            "label": tf.where(valid, label, ""),
            "probabilities": probabilities,
            "valid": valid,
        }

    @traced(integers("streams"))
    def _start(self, streams: tf.Tensor) -> States:
        return named_states(self.layers["encoder"].get_initial_states(tf.shape(streams)[0]))

    def _step(self, values: tf.Tensor, states: States) -> dict[str, tf.Tensor]:
        lengths = tf.ones([tf.shape(values)[0]], tf.int32)
        inputs, valid = self.checked(values[:, None], lengths)
        vectors = self.layers["normalization"](inputs["values"][:, :1])
        mask = tf.ones(tf.shape(vectors)[:2], tf.bool)
        vectors = self.layers["observed"](vectors, mask)[:, 0]
        output, after = self.layers["encoder"].step(vectors, nested_states(states))
        kept = {
            name: tf.where(valid[:, None], state, states[name])
            for name, state in named_states(after).items()
        }
        return {**self._labelled(self.layers["logits"](output), valid), **kept}
