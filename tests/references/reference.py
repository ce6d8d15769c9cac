"""The project's equations written again in NumPy, row by row and token by token, in float64.

Nothing here knows padding: a row is cut to its real tokens first. Weights are the arrays of a
cell in its own order, as `tests/references/reference_cells.py` takes them.
"""

import numpy as np

from tests.references.reference_cells import first_states, one_step, units_of


def random_values(*shape, seed=0, scale=1.0):
    """Normal values of that shape, the same for the same seed."""
    return np.random.default_rng([seed, *shape]).normal(0, scale, shape).astype("float32")


def mask_of(lengths, time):
    """Lengths (B,) -> bool (B, T), True = a real token."""
    return np.array([[step < length for step in range(time)] for length in lengths])


def run(
    cell,
    weights,
    inputs,
    lengths,
    backwards=False,
    initial_states=None,
    recurrent_mask=None,
    options=None,
):
    """One direction: inputs (B, T, E) -> outputs (B, T, K), final states [(B, K), ...].

    `options` are those that a step takes: an activation's name, `cell_clip`.
    """
    weights = [np.asarray(weight, "float64") for weight in weights]
    batch, time = inputs.shape[:2]
    units = units_of(cell, weights, options)
    outputs = np.zeros((batch, time, units))
    first = first_states(cell, units, options)
    final = [np.zeros((batch, len(state))) for state in first]
    for row in range(batch):
        states = first
        if initial_states is not None:
            states = [np.asarray(state[row], "float64") for state in initial_states]
        kept = 1.0 if recurrent_mask is None else recurrent_mask[row]
        tokens = list(range(lengths[row]))
        for token in reversed(tokens) if backwards else tokens:
            x = inputs[row, token].astype("float64")
            output, states = one_step(cell, x, states, weights, kept, **(options or {}))
            outputs[row, token] = output
        for number, state in enumerate(states):
            final[number][row] = state
    return outputs, final


def merge(values, merge_mode):
    """One array of the directions' arrays."""
    if len(values) == 1:
        return values[0]
    if merge_mode == "concat":
        return np.concatenate(values, axis=-1)
    if merge_mode == "mul":
        return np.prod(values, axis=0)
    return np.sum(values, axis=0) / (2 if merge_mode == "ave" else 1)


def stack(cell, layers, inputs, lengths, merge_mode="concat", initial_states=None, residual=False):
    """A stack: `layers` is a list over layers of a list over directions of a cell's weights."""
    final = []
    for number, layer in enumerate(layers):
        starts = [None] * len(layer) if initial_states is None else initial_states[number]
        results = [
            run(cell, weights, inputs, lengths, way == 1, starts[way])
            for way, weights in enumerate(layer)
        ]
        merged = merge([outputs for outputs, _ in results], merge_mode)
        inputs = inputs + merged if residual and number else merged
        final.append([states for _, states in results])
    return inputs, final


def last_outputs(cell, layers, inputs, lengths, merge_mode="concat"):
    """The outputs (B, K or 2K) of the steps that the last layer's directions read last."""
    below = stack(cell, layers[:-1], inputs, lengths, merge_mode)[0]
    ends = []
    for way, weights in enumerate(layers[-1]):
        outputs = run(cell, weights, below, lengths, way == 1)[0]
        places = [0 if way else max(length - 1, 0) for length in lengths]
        ends.append(np.array([row[place] for row, place in zip(outputs, places, strict=True)]))
    return merge(ends, merge_mode)


def pool(kind, states, lengths, last=None, weights=None):
    """States (B, T, D) -> (B, D); `weights` are those of the attention."""
    if kind == "concat":
        return np.concatenate(
            [pool(part, states, lengths, last) for part in ("last", "max", "mean")], axis=-1
        )
    pooled = np.zeros((states.shape[0], states.shape[2]))
    for row, length in enumerate(lengths):
        real = states[row, :length].astype("float64")
        if kind == "last":
            pooled[row] = last[row]
        elif length and kind == "max":
            pooled[row] = np.max(real, axis=0)
        elif length and kind == "mean":
            pooled[row] = np.mean(real, axis=0)
        elif length and kind == "attention":
            kernel, bias, context = weights
            scores = np.exp([np.tanh(h @ kernel + bias) @ context[:, 0] for h in real])
            pooled[row] = sum(s * h for s, h in zip(scores, real, strict=True)) / np.sum(scores)
    return pooled


def encoder_layers(weights, body="encoder"):
    """The cells' weights of a model's encoder: a list over layers of a list over directions."""
    layers = []
    while f"{body}/forward_{len(layers)}/cell" in {path.rpartition("/")[0] for path in weights}:
        prefixes = [f"{body}/{way}_{len(layers)}/cell/" for way in ("forward", "backward")]
        cells = [[weights[path] for path in weights if path.startswith(p)] for p in prefixes]
        layers.append([arrays for arrays in cells if arrays])
    return layers


def many_to_one(weights, token_ids, cell, pooling="last", merge_mode="concat"):
    """The whole network: weights by path, token_ids (B, T) -> logits (B, C)."""
    lengths = [sum(token != 0 for token in row) for row in token_ids]
    vectors = np.array([[weights["embedding/embeddings"][token] for token in r] for r in token_ids])
    states, _ = stack(cell, encoder_layers(weights), vectors, lengths, merge_mode)
    last = last_outputs(cell, encoder_layers(weights), vectors, lengths, merge_mode)
    attention = None
    if pooling == "attention":
        names = ("kernel", "bias", "context")
        attention = [weights[f"attention_pooling/{name}"] for name in names]
    pooled = pool(pooling, states, lengths, last, attention)
    return pooled @ weights["logits/kernel"] + weights["logits/bias"]


def letters_cnn(weights, character_ids):
    """A word's letters (L,) -> (K,): the highest value of convolutions over several letters."""
    table = weights["characters/embeddings"].astype("float64")
    letters = [table[number] for number in character_ids if number != 0]
    bias = weights["characters/bias"]
    if not letters:
        return np.zeros(bias.shape)
    values = []
    for path, kernel in weights.items():
        if not path.startswith("characters/kernel_"):
            continue
        width = int(path.rpartition("_")[2])
        edges = [np.zeros(table.shape[1])] * width
        padded = [*edges, *letters, *edges]
        starts = [width + j - (width - 1) // 2 for j in range(len(letters))]
        windows = [np.concatenate(padded[start : start + width]) for start in starts]
        values.append(np.array(windows) @ kernel)
    return np.max(np.tanh(np.concatenate(values, axis=1) + bias), axis=0)


def letters_rnn(cell, weights, character_ids):
    """A word's letters (L,) -> (K,): the last states of both directions."""
    table = weights["characters/embeddings"]
    vectors = np.array([[table[number] for number in character_ids]])
    length = [int(np.sum(np.asarray(character_ids) != 0))]
    prefixes = [f"characters/letters/{way}_0/cell/" for way in ("forward", "backward")]
    layer = [[weights[path] for path in weights if path.startswith(p)] for p in prefixes]
    final = stack(cell, [layer], vectors, length)[1]
    return np.concatenate([direction[0][0] for direction in final[-1]])


def many_to_many(weights, inputs, cell, merge_mode="concat"):
    """The logits of each token, (B, T, C); `inputs` as the model takes them."""
    token_ids = inputs["token_ids"]
    vectors = [weights["embedding/embeddings"][token_ids]]
    if "character_ids" in inputs:
        if "characters/bias" in weights:
            words = [[letters_cnn(weights, w) for w in row] for row in inputs["character_ids"]]
        else:
            words = [
                [letters_rnn("lstm", weights, w) for w in row] for row in inputs["character_ids"]
            ]
        vectors.append(np.array(words))
    if "casing_ids" in inputs:
        vectors.append(weights["casing/embeddings"][inputs["casing_ids"]])
    lengths = [sum(token != 0 for token in row) for row in token_ids]
    together = np.concatenate(vectors, axis=-1)
    states, _ = stack(cell, encoder_layers(weights), together, lengths, merge_mode)
    return states @ weights["logits/kernel"] + weights["logits/bias"]


def starts_of(cell, weights, layers, rows):
    """The states before the first step of a body that reads one way: learned, if it has such."""
    return [
        [
            [
                np.tile(
                    weights.get(f"body/forward_{number}/initial_state_{n}", 0) + first, (rows, 1)
                )
                for n, first in enumerate(first_states(cell, units_of(cell, direction)))
            ]
            for direction in layer
        ]
        for number, layer in enumerate(layers)
    ]


def language_model(weights, token_ids, cell, residual=False):
    """What follows each token, logits (B, T, V), and the final states.

    A table without a kernel of the logits beside it serves at both ends.
    """
    lengths = [sum(token != 0 for token in row) for row in token_ids]
    layers = encoder_layers(weights, "body")
    table = weights["embedding/embeddings"].astype("float64")
    starts = starts_of(cell, weights, layers, len(token_ids))
    vectors = table[token_ids]
    states, final = stack(cell, layers, vectors, lengths, initial_states=starts, residual=residual)
    if "projection/kernel" in weights:
        states = states @ weights["projection/kernel"] + weights["projection/bias"]
    kernel = weights.get("logits/kernel", table)
    return states @ kernel.T + weights["logits/bias"], final
