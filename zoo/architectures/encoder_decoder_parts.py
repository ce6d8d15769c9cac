"""What an encoder-decoder reads a source with, and what it writes with."""

from typing import Any

import keras

from zoo import masking
from zoo.architectures.encoder_decoder_steps import vectors_of
from zoo.layers import Decoder, Recurrent, TokenEmbedding, TokenLogits


def read(
    source_ids: Any, embed: TokenEmbedding, encoder: Recurrent, reverse: bool, dropout: float
) -> tuple[Any, Any]:
    """The memory (B, T_x, M), in the source's order, and the encoder's final states."""
    mask = masking.padding_mask(source_ids)
    vectors = vectors_of(embed, _Source(reverse, name="source")(source_ids, mask))
    vectors = keras.layers.Dropout(dropout, name="source_dropout")(vectors)
    values, final = encoder(vectors, mask=mask)
    values = _Source(reverse, name="memory")(values, mask)
    return keras.layers.Dropout(dropout, name="memory_dropout")(values), final


class Writer:
    """The layers from target ids to logits; they may be called more than once."""

    def __init__(
        self, embed: TokenEmbedding, decoder: Decoder, dropout: float, embedding_dim: int
    ) -> None:
        self.embed, self.decoder = embed, decoder
        self.drop_vectors = keras.layers.Dropout(dropout, name="target_dropout")
        self.drop_outputs = keras.layers.Dropout(dropout, name="output_dropout")
        self.project = None
        if embed.gives_table and decoder.output_size != embedding_dim:
            self.project = keras.layers.Dense(embedding_dim, name="projection")
        self.tell = TokenLogits(embed.vocabulary_size, name="logits")

    def __call__(self, target_ids: Any, mask: Any, memory: dict[str, Any]) -> Any:
        """The logits (B, T_y, V) of what follows each token."""
        embedded = self.embed(target_ids)
        vectors, table = embedded if self.embed.gives_table else (embedded, None)
        outputs = self.decoder(self.drop_vectors(vectors), mask=mask, **memory)
        outputs = self.drop_outputs(outputs[0] if self.decoder.looks else outputs)
        outputs = self.project(outputs) if self.project is not None else outputs
        return self.tell(outputs, table)


@keras.saving.register_keras_serializable("zoo")
class _Source(masking.MaskedLayer):
    """A source's ids or states, turned within each row's length if asked."""

    def __init__(self, reverse: bool, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.reverse = reverse

    def call(self, values: Any, mask: Any) -> Any:
        if not self.reverse:
            return values
        return masking.reverse_within_lengths(values, masking.lengths(mask))

    def compute_output_spec(self, values: Any, mask: Any) -> Any:
        return keras.KerasTensor(values.shape, values.dtype)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "reverse": self.reverse}
