"""Encoder-decoder: x1 .. xTx -> y1 .. yTy. A source is encoded, then a target is generated."""

from typing import Any

import keras

from zoo import masking
from zoo.architectures.encoder_decoder_model import EncoderDecoder, layers_around, read, write
from zoo.architectures.sequence_input import number_inputs, number_layers, require_one_of
from zoo.errors import InputError, require_bool
from zoo.layers import (
    Decoder,
    DecoderOptions,
    EncoderBridge,
    Recurrent,
    RecurrentOptions,
    ScheduledSampling,
    TokenEmbedding,
)
from zoo.layers.numeric import NumberOptions
from zoo.options import divided
from zoo.registry import preset, register

NUMBERS = NumberOptions()
DECODER = DecoderOptions(cell="gru", units=256)


@register(topology="encoder_decoder")
def encoder_decoder(
    *,
    source_vocabulary_size: int | None = None,
    target_vocabulary_size: int,
    embedding_dim: int = 256,
    tied: bool = True,
    shared: bool = False,
    numbers: NumberOptions = NUMBERS,
    decoder: DecoderOptions = DECODER,
    encoder_cell: str = "",
    encoder_units: int = 0,
    encoder_layers: int = 0,
    bidirectional: bool = True,
    reverse_source: bool = False,
    bridge: str = "dense",
    word_dropout: float = 0.0,
    scheduled_sampling: float = 0.0,
    name: str = "encoder_decoder",
) -> keras.Model:
    """Generates a target sequence from a source sequence, with or without attention.

    source_ids (B, T_x) -> memory (B, T_x, M); memory, target_ids (B, T_y) -> logits (B, T_y, V)

    The source may be numbers instead, `values` float (B, T_x, F) and `lengths` int (B,), whose
    statistics `zoo.adapt` takes from the training data.

        P(y_1 .. y_n | x) = P(y_1 | x, BOS) P(y_2 | x, BOS y_1) ...,
        memory = encoder(x);  h_0 = bridge(the encoder's final states);
        o_t = decoder(y_(t-1), h_(t-1), memory);  P(y_t | ...) = softmax(o_t E^T + b)

    In training the target is given, BOS first, 0 = PAD on the right, and the logits predict the
    tokens that follow; both masks are computed from the ids. All steps are computed at once, except
    with `input_feeding` or `coverage`. To generate, `EncoderDecoder.encode` reads a source and
    `step` one token.

    Args:
        source_vocabulary_size: Number of source token ids; or `input_dim` is given.
        target_vocabulary_size: V, number of target token ids.
        embedding_dim: E, size of a token's vector.
        tied: Share the target embedding with the output layer; if K is not E, a dense layer
            projects from K to E.
        shared: Share one embedding between source and target, which have one vocabulary.
        numbers: The options of sequences of numbers.
        decoder: The options of the decoder; the encoder has the same unless set below.
        cell: Recurrent cell of encoder and decoder, one of those that `zoo list` names.
        units: Hidden size K of the decoder and of each direction of the encoder.
        num_layers: L, number of recurrent layers of encoder and decoder.
        encoder_cell: The encoder's cell; by default `cell`.
        encoder_units: The encoder's hidden size; 0 = `units`.
        encoder_layers: The encoder's number of layers; 0 = `num_layers`.
        bidirectional: Read the source in both directions; M is 2 K then.
        reverse_source: Read the source in reverse order (Sutskever et al.).
        bridge: Map from the encoder's final to the decoder's initial states: `dense`, `copy`,
            `zero`.
        dropout: Fraction dropped from the token vectors, between layers, from the memory and before
            the logits, in training.
        word_dropout: Fraction of the tokens replaced by UNK in training.
        scheduled_sampling: Probability, in training, that the decoder's input is a token that the
            model predicts; see `ScheduledSampling`. The decoder then runs twice.
        name: The model's name.

    Returns:
        A Keras model of a dict, `source_ids` int (B, T_x), or `values` and `lengths`, and
        `target_ids` int (B, T_y) -> float (B, T_y, V), logits.

    Raises:
        InputError: An option has an invalid value, or options contradict each other.

    Source: Sutskever et al., arXiv:1409.3215; Cho et al., arXiv:1406.1078; Bahdanau et al.,
        arXiv:1409.0473; Luong et al., arXiv:1508.04025; Press and Wolf, arXiv:1608.05859.
    """
    for option, value in (("tied", tied), ("shared", shared), ("reverse_source", reverse_source)):
        require_bool(option, value)
    require_one_of(source_vocabulary_size, numbers, "source_vocabulary_size")
    _check(decoder.attention, bridge, shared, source_vocabulary_size, target_vocabulary_size)
    table: dict[str, Any] = {"embedding_dim": embedding_dim, "word_dropout": word_dropout}
    embed_target = TokenEmbedding(
        target_vocabulary_size, **table, gives_table=tied, name="target_embedding"
    )
    embed_source = [embed_target]
    if source_vocabulary_size is None:
        embed_source = list(number_layers(numbers).values())
    elif not shared:
        embed_source = [TokenEmbedding(source_vocabulary_size, **table, name="source_embedding")]
    encoder = _encoder(decoder, encoder_cell, encoder_units, encoder_layers, bidirectional)
    writer = Decoder(**vars(decoder), name="decoder")
    cross = EncoderBridge(
        bridge, decoder.cell, decoder.units, decoder.num_layers, decoder.cell_options, name="bridge"
    )
    projection_dim = embedding_dim if tied and writer.output_size != embedding_dim else 0
    around = layers_around(reverse_source, decoder.dropout, target_vocabulary_size, projection_dim)
    layers = {
        layer.name: layer
        for layer in (*embed_source, embed_target, encoder, writer, cross, *around)
    }
    if source_vocabulary_size is None:
        source = inputs = number_inputs(numbers)
    else:
        source = keras.Input((None,), dtype="int32", name="source_ids")
        inputs = {"source_ids": source}
    target_ids = keras.Input((None,), dtype="int32", name="target_ids")
    inputs = {**inputs, "target_ids": target_ids}
    memory = read(layers, source)
    mask = masking.padding_mask(target_ids)
    if scheduled_sampling:
        sample = ScheduledSampling(scheduled_sampling, name="scheduled_sampling")
        target_ids = sample(target_ids, write(layers, target_ids, mask, memory)[0])
    return EncoderDecoder(inputs, write(layers, target_ids, mask, memory)[0], name=name)


def _encoder(
    decoder: DecoderOptions, cell: str, units: int, num_layers: int, bidirectional: bool
) -> Recurrent:
    """Builds the encoder, with the decoder's options unless they are set."""
    options, _ = divided(RecurrentOptions, vars(decoder))
    changes = {"cell": cell, "units": units, "num_layers": num_layers}
    options |= {name: value for name, value in changes.items() if value}
    return Recurrent(**options, bidirectional=bidirectional, name="encoder")


def _check(attention: str, bridge: str, shared: bool, source_size: Any, target_size: Any) -> None:
    if attention == "none" and bridge == "zero":
        raise InputError(
            "without attention, bridge must be 'dense' or 'copy', got 'zero': the decoder would "
            "not depend on the source"
        )
    if shared and source_size != target_size:
        raise InputError(
            "shared needs one vocabulary for both sides, got source_vocabulary_size "
            f"{source_size} and target_vocabulary_size {target_size}"
        )


preset(
    "sutskever",
    encoder_decoder,
    "Without attention: four LSTM layers that read the source in reverse order.",
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
    "A bidirectional GRU encoder with additive attention and input feeding.",
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
