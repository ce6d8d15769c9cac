"""What a CTC model writes for a split, and its error rates."""

import dataclasses
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from recipes.training.batches import MEASURED_TOKENS
from recipes.training.number_batches import NumberBatches
from zoo.decoding import ctc
from zoo.losses import CTCLoss
from zoo.metrics import Confusion, count_confusions
from zoo.metrics.edit_distance import character_error_rate, count_aligned, word_error_rate

NOTHING = "(none)"  # in confusions: a word that the text or the reference lacks


@dataclass(frozen=True)
class Transcripts:
    """Texts of a split, in its order.

    Attributes:
        references: The right ones.
        texts: Those that a model writes.
        logits: Float (T, C + 1) of each series.
        loss: In nats per series.
        name_of: Label ids -> text.
    """

    references: list[str]
    texts: list[str]
    logits: list[np.ndarray]
    loss: float
    name_of: Callable[[Any], str]

    @staticmethod
    def names(labels: Sequence[str], separator: str) -> Callable[[Any], str]:
        """The function from label ids, from 1, to text."""

        def text(ids: Any) -> str:
            return separator.join(labels[number - 1] for number in ids if number > 0)

        return text

    def searched(self, beam_width: int) -> "Transcripts":
        """The texts that a beam search finds."""
        decode = partial(ctc.beam, beam_width=beam_width)
        texts = [self.name_of(_decoded(decode, one[None])[0]) for one in self.logits]
        return dataclasses.replace(self, texts=texts)

    def confusion(self) -> tuple[Confusion, list[str]]:
        """The aligned words as a confusion matrix, with the names of its classes."""
        pairs = count_aligned(*([t.split() for t in p] for p in (self.references, self.texts)))
        named = {
            (str(true or NOTHING), str(found or NOTHING)): count
            for (true, found), count in pairs.items()
        }
        words = sorted({word for pair in named for word in pair} - {NOTHING})
        classes = [*words, NOTHING]
        ids = {word: number for number, word in enumerate(classes)}
        true, found = (
            np.repeat([ids[pair[side]] for pair in named], list(named.values())) for side in (0, 1)
        )
        return count_confusions(true, found, len(classes)), classes


def transcribe(
    model: keras.Model, batches: NumberBatches, name_of: Callable[[Any], str]
) -> Transcripts:
    """What the most likely paths spell."""
    labels = batches.encoded.labels
    texts = [""] * len(labels)
    kept: list[Any] = [None] * len(labels)
    hop, lengths = batches.hop, batches.encoded.lengths
    total, loss = 0.0, CTCLoss(reduction="sum")
    for inputs, targets, members in batches(most=MEASURED_TOKENS):
        logits = model.predict_on_batch(inputs)
        total += float(loss(targets, logits))
        for member, ids, row in zip(members, _decoded(ctc.greedy, logits), logits, strict=True):
            texts[member] = name_of(ids)
            kept[member] = row[: -(-lengths[member] // hop)]
    references = [name_of(row) for row in labels]
    return Transcripts(references, texts, kept, total / max(len(labels), 1), name_of)


def _decoded(decode: Callable[..., ctc.Labelling], logits: np.ndarray) -> np.ndarray:
    found: np.ndarray = decode(tf.constant(logits)).label_ids.numpy()
    return found


def score(found: Transcripts) -> dict[str, float]:
    """Word and character error rate, 0 to 1 or more, and the loss."""
    return {
        "word_error_rate": word_error_rate(found.references, found.texts),
        "character_error_rate": character_error_rate(found.references, found.texts),
        "loss": found.loss,
    }
