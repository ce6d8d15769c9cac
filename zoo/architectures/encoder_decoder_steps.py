"""What a finished encoder-decoder does: it reads sources, writes token by token, tells both."""

from typing import Any

import keras

from zoo import masking
from zoo.errors import InputError
from zoo.layers import Memory, TokenEmbedding


def vectors_of(embed: TokenEmbedding, token_ids: Any) -> Any:
    """The vectors (B, T, E) of tokens, whether or not the layer gives its table beside them."""
    embedded = embed(token_ids)
    return embedded[0] if embed.gives_table else embedded


def start(model: keras.Model, source_ids: Any) -> tuple[Memory, dict[str, Any]]:
    """Reads sources.

    Args:
        model: What `encoder_decoder` gives.
        source_ids: int (B, T_x), 0 = PAD on the right.

    Returns:
        The memory that every step looks at, and the states before the first token, BOS.
    """
    layers = {layer.name: layer for layer in model.layers}
    mask = masking.padding_mask(source_ids)
    embed = layers.get("source_embedding", layers["target_embedding"])
    vectors = vectors_of(embed, layers["source"](source_ids, mask))
    values, final = layers["encoder"](vectors, mask=mask)
    values = layers["memory"](values, mask)
    decoder = layers["decoder"]
    states = layers["bridge"](final)
    rows = keras.ops.shape(source_ids)[0]
    return decoder.remember(values, mask), decoder.get_initial_states(rows, states, values)


def head(model: keras.Model) -> Any:
    """The matrix of the logits (D, V) for `step`: a loop asks for it once, before it begins."""
    table = model.get_layer("target_embedding")
    return model.get_layer("logits").matrix(table.embeddings if table.gives_table else None)


def step(
    model: keras.Model,
    token_ids: Any,
    states: dict[str, Any],
    memory: Memory,
    matrix: Any = None,
) -> tuple[Any, dict[str, Any]]:
    """Reads one token of each row.

    Args:
        model: What `encoder_decoder` gives.
        token_ids: int (R,); a memory of B rows serves R = n B rows, n of them each.
        states: As `start` or the step before gave them, for R rows.
        memory: As `start` gave it.
        matrix: What `head` gives; by default it is asked now.

    Returns:
        The logits (R, V) of what follows, and the states after the token; with attention
        `attention` (R, T_x) among them is what the model looked at.
    """
    vectors = vectors_of(model.get_layer("target_embedding"), token_ids)
    outputs, after = model.get_layer("decoder").step(vectors, states, memory)
    return _logits(model, outputs, matrix), after


def looked_at(model: keras.Model, target_ids: Any, states: dict[str, Any], memory: Memory) -> Any:
    """What each token of given targets looks at.

    Args:
        model: What `encoder_decoder` gives, with attention.
        target_ids: int (R, T_y), BOS first; a memory of B rows serves R = n B rows, n of them each.
        states: As `start` gave them, for B rows.
        memory: As `start` gave it.

    Returns:
        float (R, T_y, T_x), zeros in the padding.
    """
    return _decoded(model, target_ids, states, memory)[1]


def told(model: keras.Model, target_ids: Any, states: dict[str, Any], memory: Memory) -> Any:
    """The logits (R, T_y, V) that the model itself gives to given targets of what `start` read.

    The arguments are those of `looked_at`; a model without attention is taken as well.
    """
    outputs = _decoded(model, target_ids, states, memory)
    outputs = outputs[0] if model.get_layer("decoder").looks else outputs
    return _logits(model, outputs)


def _logits(model: keras.Model, outputs: Any, matrix: Any = None) -> Any:
    layers = {layer.name: layer for layer in model.layers}
    if "projection" in layers:
        outputs = layers["projection"](outputs)
    return layers["logits"].tell(outputs, head(model) if matrix is None else matrix)


def _decoded(model: keras.Model, target_ids: Any, states: dict[str, Any], memory: Memory) -> Any:
    """What the decoder gives to given targets, all steps at once."""
    layers = {layer.name: layer for layer in model.layers}
    vectors = vectors_of(layers["target_embedding"], target_ids)
    rows, sources = keras.ops.shape(target_ids)[0], keras.ops.shape(memory.values)[0]
    least = max if isinstance(sources, int) else keras.ops.maximum
    count = rows // least(sources, 1)  # a batch may have no rows
    begun, values, mask = keras.tree.map_structure(
        lambda each: keras.ops.repeat(each, count, axis=0),
        (states["layers"], memory.values, memory.mask),
    )
    real = masking.padding_mask(target_ids)
    given = {"mask": real, "states": begun, "values": values, "memory_mask": mask}
    return layers["decoder"](vectors, **given)


def attention_of(model: keras.Model) -> keras.Model:
    """A model of the same inputs that gives what each target token looked at, (B, T_y, T_x).

    Raises:
        InputError: The model has no attention.
    """
    decoder = model.get_layer("decoder")
    if not decoder.looks:
        raise InputError(f"the model {model.name!r} was built with attention 'none'")
    return keras.Model(model.input, decoder.output[1], name="attention")
