"""Encoder-decoder: x1 .. xTx -> y1 .. yTy. A source is read, then a target is written."""

from typing import Any

import keras

from zoo import masking
from zoo.architectures.encoder_decoder_model import EncoderDecoder, layers_around, read, write
from zoo.errors import InputError, require_bool, require_rate
from zoo.layers import Decoder, EncoderBridge, Recurrent, ScheduledSampling, TokenEmbedding
from zoo.registry import preset, register


@register(topology="encoder_decoder")
def encoder_decoder(
    *,
    source_vocabulary_size: int,
    target_vocabulary_size: int,
    embedding_dim: int = 256,
    tied: bool = True,
    shared: bool = False,
    cell: str = "gru",
    units: int = 256,
    num_layers: int = 1,
    encoder_cell: str = "",
    encoder_units: int = 0,
    encoder_layers: int = 0,
    bidirectional: bool = True,
    reverse_source: bool = False,
    bridge: str = "dense",
    attention: str = "general",
    attention_units: int = 0,
    queries: str = "last",
    input_feeding: bool = False,
    coverage: bool = False,
    residual: bool = False,
    dropout: float = 0.0,
    word_dropout: float = 0.0,
    input_dropout: float = 0.0,
    recurrent_dropout: float = 0.0,
    zoneout: float = 0.0,
    weight_drop: float = 0.0,
    scheduled_sampling: float = 0.0,
    cell_options: dict[str, Any] | None = None,
    name: str = "encoder_decoder",
) -> keras.Model:
    """Writes a target sequence to a source sequence, with or without attention.

    source_ids (B, T_x) -> memory (B, T_x, M); memory, target_ids (B, T_y) -> logits (B, T_y, V)

        P(y_1 .. y_n | x) = P(y_1 | x, BOS) P(y_2 | x, BOS y_1) ...,
        memory = encoder(x);  h_0 = bridge(the encoder's final states);
        o_t = decoder(y_(t-1), h_(t-1), memory);  P(y_t | ...) = softmax(o_t E^T + b)

    In training the target is given, BOS first, 0 = PAD on the right, and the logits predict the
    tokens that follow; both masks are computed from the ids. All steps are taken at once, but with
    `input_feeding` or `coverage`. To generate, `EncoderDecoder.encode` reads a source and
    `step` one token.

    Args:
        source_vocabulary_size: Number of source token ids.
        target_vocabulary_size: V, number of target token ids.
        embedding_dim: E, size of a token's vector.
        tied: The logits are products with the target tokens' own vectors; where K is not E, a dense
            layer leads from K to E.
        shared: One table of vectors for source and target, of one vocabulary.
        cell: The recurrent cell of both bodies, one of `zoo.cell_names()`.
        units: Hidden size K of both bodies; each direction of the encoder has as many.
        num_layers: L, layers of both bodies.
        encoder_cell: The encoder's cell, where it is another one.
        encoder_units: The encoder's hidden size, where it is another one; 0 = `units`.
        encoder_layers: The encoder's layers, where they are others; 0 = `num_layers`.
        bidirectional: The encoder reads the source both ways; M is 2 K then.
        reverse_source: The encoder reads the source from its end (Sutskever et al.).
        bridge: From the encoder's final states to the decoder's first: `dense`, `copy`, `zero`.
        attention: `general`, `dot`, `additive`, or `none`: what the source says goes through the
            bridge alone.
        attention_units: Width of the sum in `additive`; 0 = K.
        queries: Which layer's states look at the memory: the `last`, or the `first`, whose layers
            above read what was found.
        input_feeding: The decoder reads its own last output beside the token.
        coverage: Attention sees what it looked at before.
        residual: Add to a layer's output what it read, from the second layer on.
        dropout: Share dropped of the tokens' vectors, between layers, of the memory and before the
            logits, in training.
        word_dropout: Share of the tokens read as UNK, in training.
        input_dropout: Share of each layer's inputs dropped, one mask for all steps of a row.
        recurrent_dropout: Share of the state dropped on its way into the recurrent product.
        zoneout: Probability that an element of a state is not updated in a step, in training.
        weight_drop: Share of the recurrent matrices dropped, one mask for a batch.
        scheduled_sampling: Probability that the decoder reads, in training, a token that the model
            itself would have written; see `ScheduledSampling`. The decoder then reads twice.
        cell_options: The cells' own options, such as `{"reset_after": False}` for `gru`.
        name: The model's name.

    Returns:
        A Keras model of a dict, `source_ids` int (B, T_x) and `target_ids` int (B, T_y) -> float
        (B, T_y, V), logits.

    Raises:
        InputError: An option has a value that does not fit, or options rule each other out.

    Source: Sutskever et al., arXiv:1409.3215; Cho et al., arXiv:1406.1078; Bahdanau et al.,
        arXiv:1409.0473; Luong et al., arXiv:1508.04025; Press and Wolf, arXiv:1608.05859.
    """
    for option, value in (("tied", tied), ("shared", shared), ("reverse_source", reverse_source)):
        require_bool(option, value)
    require_rate("dropout", dropout)
    _check(attention, bridge, shared, source_vocabulary_size, target_vocabulary_size)
    rates: dict[str, Any] = {
        "dropout": dropout,
        "input_dropout": input_dropout,
        "recurrent_dropout": recurrent_dropout,
        "zoneout": zoneout,
        "weight_drop": weight_drop,
        "cell_options": cell_options,
        "residual": residual,
    }
    table: dict[str, Any] = {"embedding_dim": embedding_dim, "word_dropout": word_dropout}
    embed_target = TokenEmbedding(
        target_vocabulary_size, **table, gives_table=tied, name="target_embedding"
    )
    embed_source = embed_target
    if not shared:
        embed_source = TokenEmbedding(source_vocabulary_size, **table, name="source_embedding")
    encoder = Recurrent(
        encoder_cell or cell,
        encoder_units or units,
        num_layers=encoder_layers or num_layers,
        bidirectional=bidirectional,
        **rates,
        name="encoder",
    )
    decoder = Decoder(
        cell,
        units,
        num_layers=num_layers,
        attention=attention,
        attention_units=attention_units or None,
        queries=queries,
        input_feeding=input_feeding,
        coverage=coverage,
        **rates,
        name="decoder",
    )
    cross = EncoderBridge(bridge, cell, units, num_layers, cell_options, name="bridge")
    projection_dim = embedding_dim if tied and decoder.output_size != embedding_dim else 0
    around = layers_around(reverse_source, dropout, target_vocabulary_size, projection_dim)
    layers = {
        layer.name: layer
        for layer in (embed_source, embed_target, encoder, decoder, cross, *around)
    }
    inputs = {
        side: keras.Input((None,), dtype="int32", name=side)
        for side in ("source_ids", "target_ids")
    }
    memory = read(layers, inputs["source_ids"])
    target_ids = inputs["target_ids"]
    mask = masking.padding_mask(target_ids)
    if scheduled_sampling:
        sample = ScheduledSampling(scheduled_sampling, name="scheduled_sampling")
        target_ids = sample(target_ids, write(layers, target_ids, mask, memory)[0])
    return EncoderDecoder(inputs, write(layers, target_ids, mask, memory)[0], name=name)


def _check(attention: str, bridge: str, shared: bool, source_size: Any, target_size: Any) -> None:
    if attention == "none" and bridge == "zero":
        raise InputError(
            "without attention the bridge is the only way to the decoder, got bridge 'zero': take "
            "'dense' or 'copy'"
        )
    if shared and source_size != target_size:
        raise InputError(
            "shared needs one vocabulary for both sides, got source_vocabulary_size "
            f"{source_size} and target_vocabulary_size {target_size}"
        )


preset(
    "sutskever",
    encoder_decoder,
    "Without attention: four deep layers read the source from its end and hand over their states.",
    cell="lstm",
    num_layers=4,
    bidirectional=False,
    reverse_source=True,
    bridge="copy",
    attention="none",
    tied=False,
)
preset(
    "bahdanau",
    encoder_decoder,
    "A bidirectional encoder, additive attention, what was found is read at the next step.",
    cell="gru",
    attention="additive",
    input_feeding=True,
    tied=False,
)
preset(
    "luong",
    encoder_decoder,
    "Stacked LSTMs with general attention and input feeding.",
    cell="lstm",
    num_layers=4,
    bidirectional=False,
    bridge="copy",
    attention="general",
    input_feeding=True,
    tied=False,
)
