"""Transcriber: a series of numbers, such as speech -> text, by CTC."""

import functools
from collections.abc import Callable, Sequence
from typing import Any

import keras
import tensorflow as tf

from zoo import masking
from zoo.decoding import ctc
from zoo.errors import require_positive_int
from zoo.fine_tuning.start import SizedBy
from zoo.litert import architectures as litert
from zoo.litert.graphs import Graph, Sizes
from zoo.onnx import series
from zoo.onnx.served import Served
from zoo.pipelines.pipeline import Answers, Signature
from zoo.pipelines.series_input import SeriesPipeline, require_names


class Transcriber(SeriesPipeline):
    """Writes what a series spells: the words of a recording.

    The signatures, of named tensors, all with the batch first:

    - `serving_default`: `values` float32 (B, T, F), such as a waveform (B, T, 1), with any padding
      on the right; `lengths` int32 (B,), the steps of each series -> `text` string (B,), the most
      likely one that the beam search finds; `log_probability` float32 (B,), in nats, of the text;
      `valid` bool (B,): a series without a step, or with a number that the model refuses, has the
      text "" and log_probability 0.
    - `greedy`: the same of the most likely path, which is faster; its `log_probability` is that of
      the path alone.
    - `sample_rate`, of a model of waveforms: `streams` int32 (B,), a number a row, of any value ->
      `sample_rate` int32 (B,), the samples per second that it expects.

    Args:
        model: What `zoo.build("ctc", input_dim=F, num_labels=C, ...)` returns.
        labels: The C labels, in the order of their ids from 1: words or characters.
        separator: What is between two labels of a text.
        beam_width: Prefixes that the beam search keeps.

    Raises:
        InputError: The model reads no series, or does not return a logit for each label and the
            blank.
    """

    option_names = ("labels", "separator", "beam_width")
    sized_by = SizedBy({}, "labels", "num_labels")

    def __init__(
        self,
        model: keras.Model,
        labels: Sequence[str],
        separator: str = " ",
        beam_width: int = 25,
    ) -> None:
        require_positive_int("beam_width", beam_width)
        super().__init__(model)
        require_names(model.output_shape[-1], ["the blank", *labels], "labels with the blank")
        self.labels, self.separator, self.beam_width = list(labels), separator, beam_width

    def __call__(self, series: Any) -> list[str]:
        """The text of each series; see `transcribe`."""
        return list(self.transcribe(series)["text"])

    def transcribe(self, series: Any, lengths: Any = None, greedy: bool = False) -> Answers:
        """Text, log-probability in nats and `valid` of each series, as arrays.

        Args:
            series: A list of series (T, F), or one of them, or an array (B, T, F). Of series of
                one number each, (T,) is (T, 1).
            lengths: Of an array (B, T, F): int (B,), by default T each.
            greedy: Take the most likely path, without a search.

        Raises:
            InputError: The series do not fit the model.
        """
        return self.answers_to(self._greedy if greedy else self._beam, series, lengths)

    def litert_graphs(self, sizes: Sizes) -> dict[str, Graph]:
        """The graph `model`: `values`, `lengths` -> `logits`."""
        return litert.classifier(self.model, sizes)

    def onnx_graphs(self) -> dict[str, Served]:
        """The graph `model`; see `zoo.onnx.series.transcriber`."""
        return series.transcriber(self.model)

    def signatures(self) -> dict[str, Signature]:
        """`serving_default`, `greedy`, and `sample_rate` where the model has one."""
        probe = self.series_probe()
        return {
            "serving_default": Signature(self._beam, probe),
            "greedy": Signature(self._greedy, probe),
            **self.rate_signature(),
        }

    @functools.cached_property
    def _beam(self) -> Any:
        return self._decoded_by(functools.partial(ctc.beam, beam_width=self.beam_width))

    @functools.cached_property
    def _greedy(self) -> Any:
        return self._decoded_by(ctc.greedy)

    def _decoded_by(self, decode: Callable[..., ctc.Labelling]) -> Any:
        def transcribed(values: tf.Tensor, lengths: tf.Tensor) -> dict[str, tf.Tensor]:
            inputs, valid = self.checked(values, lengths)
            logits = self.model(inputs, training=False)
            frames = -(-inputs["lengths"] // self._hop)
            found = decode(logits, masking.from_lengths(frames, tf.shape(logits)[1]))
            return {
                "text": tf.where(valid, texts_of(found, self.labels, self.separator), ""),
                "log_probability": tf.where(valid, found.log_probability, 0.0),
                "valid": valid,
            }

        return self.on_series(transcribed)

    @property
    def _hop(self) -> int:
        """Steps of a series that the model reads as one."""
        return self.layers["log_mel"].hop if "log_mel" in self.layers else 1


def texts_of(found: ctc.Labelling, labels: Sequence[str], separator: str) -> Any:
    """The texts of label ids from 1: strings (B,)."""
    rows = tf.RaggedTensor.from_tensor(found.label_ids, lengths=found.lengths)
    names = tf.gather(tf.constant(["", *labels]), rows)
    return tf.strings.reduce_join(names, axis=1, separator=separator)
