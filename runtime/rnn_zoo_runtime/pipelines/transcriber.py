"""Transcriber: a series of numbers, such as speech -> text, by CTC."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from rnn_zoo_runtime.decoding import ctc
from rnn_zoo_runtime.graph import Answers, Graph
from rnn_zoo_runtime.pipelines.series import SeriesPipeline, texts_of


class Transcriber(SeriesPipeline):
    """Writes what a series spells: the words of a recording.

    Args:
        graphs: `model`: `values` (B, T, F) and `lengths` (B,) -> `logits` (B, frames, C + 1), of
            the blank and the labels.
        numbers: What is known of the numbers; see `SeriesPipeline`.
        labels: The C labels, in the order of their ids from 1: words or characters.
        separator: What is between two labels of a text.
        beam_width: Prefixes that the beam search keeps.
    """

    def __init__(
        self,
        graphs: Mapping[str, Graph],
        numbers: Mapping[str, Any],
        labels: Sequence[str],
        separator: str = " ",
        beam_width: int = 25,
    ) -> None:
        super().__init__(graphs, numbers)
        self.labels, self.separator, self.beam_width = list(labels), separator, beam_width

    def __call__(self, series: Any) -> list[str]:
        """The text of each series; see `transcribe`."""
        return list(self.transcribe(series)["text"])

    def transcribe(self, series: Any, lengths: Any = None, greedy: bool = False) -> Answers:
        """Transcribes series of any lengths.

        Args:
            series: A list of series (T, F), or one of them, or an array (B, T, F). Of series of
                one number each, (T,) is (T, 1).
            lengths: Of an array (B, T, F): int (B,), by default T each.
            greedy: Take the most likely path, without a search.

        Returns:
            `text` objects (B,); `log_probability` float32 (B,), in nats, of the text, or of the
            path with `greedy`; `valid` bool (B,), True.

        Raises:
            InputError: The series do not fit the model.
        """
        return self.answers_to(self._greedy if greedy else self._beam, series, lengths)

    def _beam(self, values: np.ndarray, lengths: np.ndarray) -> Answers:
        return self._decoded(
            values, lengths, lambda logits, frames: ctc.beam(logits, frames, self.beam_width)
        )

    def _greedy(self, values: np.ndarray, lengths: np.ndarray) -> Answers:
        return self._decoded(values, lengths, ctc.greedy)

    def _decoded(
        self, values: np.ndarray, lengths: np.ndarray, decode: Callable[..., ctc.Labelling]
    ) -> Answers:
        logits = self.graph("model")({"values": values, "lengths": lengths})["logits"]
        found = decode(logits, -(-lengths // int(self.numbers["hop"])))
        rows = [
            [self.labels[each - 1] for each in row[:count]]
            for row, count in zip(found.label_ids, found.lengths, strict=True)
        ]
        return {
            "text": texts_of(rows, self.separator),
            "log_probability": found.log_probability,
            "valid": np.ones(len(values), bool),
        }
