"""Many to many, T_x > T_y, without an alignment: x1 .. xTx -> y1 .. yTy by CTC."""

from typing import Any

import keras
from keras import ops

from zoo import masking
from zoo.architectures.checked_model import CheckedModel
from zoo.architectures.sequence_input import sequence_input
from zoo.errors import require_positive_int
from zoo.layers import Recurrent, RecurrentOptions
from zoo.layers.configured import ConfiguredLayer
from zoo.layers.numeric import NumberOptions
from zoo.registry import register

BLANK = 0
RULED_OUT = -1e4  # a logit whose probability is 0 in float32
NUMBERS = NumberOptions()
BODY = RecurrentOptions(bidirectional=True)


@register(topology="ctc")
def ctc(
    *,
    vocabulary_size: int | None = None,
    num_labels: int,
    embedding_dim: int = 128,
    numbers: NumberOptions = NUMBERS,
    instance_norm: str = "none",
    body: RecurrentOptions = BODY,
    word_dropout: float = 0.0,
    name: str = "ctc",
) -> keras.Model:
    """Writes a shorter label sequence for a sequence, without an alignment: speech, handwriting.

    values (B, T, F), lengths (B,) -> standardised (B, T, F) -> states (B, T, K) -> logits
    (B, T, C + 1)

        P(y | x) = sum over the alignments a of y:  P(a_1 | x) ... P(a_T | x),
        a: the labels of y in order, each repeated, with blanks between them

    Class 0 is the blank, a label's id is 1 to C; `keras.losses.CTC` takes labels (B, T_y), 0 =
    padding. The steps in a row's padding are blanks with certainty, so that the loss over all T
    steps is that over the row's own. `zoo.decoding.ctc` decodes the logits. A model of numbers
    takes their statistics from the training data by `zoo.adapt`.

    Args:
        vocabulary_size: V, number of token ids, PAD and UNK included; or `input_dim` is given.
        num_labels: C, number of labels, the blank not included.
        embedding_dim: E, size of a token's vector.
        numbers: The options of sequences of numbers.
        instance_norm: Scaling of each sequence of numbers by its own: `none`, or `mean_std`, which
            leaves each column with mean 0 and standard deviation 1.
        body: The options of the recurrent body.
        dropout: Fraction dropped from the vectors, between layers and before the logits, in
            training.
        word_dropout: Fraction of the tokens replaced by UNK in training.
        name: The model's name.

    Returns:
        A Keras model: a dict of `values` float (B, T, F) and `lengths` int (B,), or int (B, T)
        token ids, -> float (B, T, C + 1) logits; with `log_mel` T is the number of spectra.

    Raises:
        InputError: An option has an invalid value.

    Source: Graves, Fernandez, Gomez and Schmidhuber, Connectionist Temporal Classification (2006).
    """
    require_positive_int("num_labels", num_labels)
    read = sequence_input(
        vocabulary_size, numbers, embedding_dim, word_dropout, body.dropout, instance_norm
    )
    states, _ = Recurrent(**vars(body), name="encoder")(read.vectors, mask=read.mask)
    states = keras.layers.Dropout(body.dropout, name="states_dropout")(states)
    logits = keras.layers.Dense(num_labels + 1, dtype="float32", name="logits")(states)
    return CheckedModel(read.of_model, BlankPadding(name="blanks")(logits, read.mask), name=name)


@keras.saving.register_keras_serializable("zoo")
class BlankPadding(ConfiguredLayer, masking.MaskedLayer):
    """Makes the steps in the padding blanks with certainty: logits (B, T, C + 1), mask (B, T)."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**{**kwargs, "dtype": "float32"})

    def call(self, logits: Any, mask: Any) -> Any:
        """The logits, in the padding those of a certain blank."""
        blank = ops.one_hot(BLANK, logits.shape[-1]) * -RULED_OUT + RULED_OUT
        return ops.where(mask[:, :, None], logits, blank)

    def compute_output_spec(self, logits: Any, mask: Any) -> Any:
        """As the logits."""
        return keras.KerasTensor(logits.shape, "float32")
