"""SignalClassifier: a series of numbers -> label."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from rnn_zoo_runtime.decoding import softmax
from rnn_zoo_runtime.errors import InputError
from rnn_zoo_runtime.graph import Answers, Graph, States
from rnn_zoo_runtime.pipelines.pipeline import strings
from rnn_zoo_runtime.pipelines.series import SeriesPipeline
from rnn_zoo_runtime.pipelines.stream import Stream


class SignalClassifier(SeriesPipeline):
    """Predicts a label for a series of numbers: of sensors, of sound.

    Args:
        graphs: `model`: `values` (B, T, F) and `lengths` (B,) -> `logits` (B, C); `start` and
            `step` of a model that can read a step at a time.
        numbers: What is known of the numbers; see `SeriesPipeline`.
        classes: The C labels, in the order of their ids.
    """

    def __init__(
        self, graphs: Mapping[str, Graph], numbers: Mapping[str, Any], classes: Sequence[str]
    ) -> None:
        super().__init__(graphs, numbers)
        self.classes = list(classes)

    def __call__(self, series: Any) -> list[str]:
        """The most likely label of each series; see `classify`."""
        return list(self.classify(series)["label"])

    def classify(self, series: Any, lengths: Any = None) -> Answers:
        """Classifies series of any lengths.

        Args:
            series: A list of series (T, F), or one of them, or an array (B, T, F). Of series of
                one number each, (T,) is (T, 1).
            lengths: Of an array (B, T, F): int (B,), by default T each.

        Returns:
            `label` objects (B,); `probabilities` float32 (B, C); `classes` objects (B, C); `valid`
            bool (B,), True.

        Raises:
            InputError: The series do not fit the model.
        """
        return self.answers_to(self._classify, series, lengths)

    def stream(self, rows: int = 1) -> Stream:
        """Reads B series a step at a time; `step` takes numbers (B, F).

        Each step answers `label`, `probabilities` and `valid` after it. A step with a number that
        the model refuses is not valid, and is skipped.

        Raises:
            InputError: The model reads whole series only.
        """
        return Stream(self.step, self.graph("start")({"streams": np.zeros(rows, np.int32)}))

    def step(self, values: Any, states: States) -> tuple[Answers, States]:
        """The answers to a step (B, F) of each stream, and the states after it."""
        values = np.asarray(values, np.float32)
        if values.ndim != 2 or values.shape[1] != self.input_dim:
            raise InputError(
                f"a step has the shape {values.shape}, expected {self.input_dim} numbers of each "
                f"stream, (B, {self.input_dim}): reshape it"
            )
        valid = np.asarray(self.is_known(values).all(axis=1))
        read = np.where(valid[:, None], values, np.float32(0))
        outputs, after = self.graph("step").step({"value": read}, states)
        kept = {
            name: np.where(valid.reshape([-1, *[1] * (state.ndim - 1)]), state, states[name])
            for name, state in after.items()
        }
        return self._labelled(outputs["logits"], valid), kept

    def _classify(self, values: np.ndarray, lengths: np.ndarray) -> Answers:
        logits = self.graph("model")({"values": values, "lengths": lengths})["logits"]
        names = np.tile(strings(self.classes)[None], [len(values), 1])
        return {**self._labelled(logits, np.ones(len(values), bool)), "classes": names}

    def _labelled(self, logits: np.ndarray, valid: np.ndarray) -> Answers:
        probabilities = np.where(valid[:, None], softmax(logits), np.float32(0))
        label = strings(self.classes)[np.argmax(probabilities, axis=-1)]
        return {
            "label": np.where(valid, label, ""),
            "probabilities": probabilities,
            "valid": valid,
        }
