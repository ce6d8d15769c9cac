"""The encoder-decoder written again in NumPy: row by row, token by token, in float64."""

import numpy as np

from tests.references.reference import encoder_layers, stack
from tests.references.reference_cells import first_states, one_step, units_of


def softmax(scores):
    shares = np.exp(scores - np.max(scores))
    return shares / shares.sum()


def look(score, weights, query, memory, covered):
    """One query (Q,), a memory (S, M) -> its context (M,) and weights (S,)."""
    scores = []
    for place, value in enumerate(memory):
        if score == "dot":
            e = query @ value
        elif score == "general":
            e = query @ (value @ weights["kernel"])
        else:
            inner = value @ weights["kernel"] + weights["bias"] + query @ weights["query_kernel"]
            if covered is not None:
                inner = inner + covered[place] * weights["coverage_kernel"]
            e = np.tanh(inner) @ weights["vector"][:, 0]
        if covered is not None and score != "additive":
            e = e + covered[place] * weights["coverage_kernel"][0]
        scores.append(e)
    alpha = softmax(np.array(scores))
    return alpha @ memory, alpha


def stack_step(cell, layers, x, states, residual):
    """One step of layers that read one way: the output and the states after it."""
    after = []
    for number, ((arrays,), before) in enumerate(zip(layers, states, strict=True)):
        read = [np.asarray(array, "float64") for array in arrays]
        output, new = one_step(cell, x, before, read)
        x = x + output if residual and number else output
        after.append(new)
    return x, after


def bridged(kind, weights, cell, num_layers, final, units):
    """The decoder's first states: a list over layers of a list of states (K,)."""
    starts = []
    for layer in range(num_layers):
        opposite = final[max(0, len(final) - num_layers + layer)]
        states = []
        for number, first in enumerate(first_states(cell, units)):
            value = np.concatenate([way[number if number < len(way) else 0] for way in opposite])
            if kind == "zero":
                value = first
            elif kind == "dense":
                path = f"bridge/state_{layer}_{number}"
                value = np.tanh(value @ weights[f"{path}/kernel"] + weights[f"{path}/bias"])
            states.append(value)
        if cell == "slstm" and kind == "dense":  # its normaliser is positive
            states[2] = np.exp(states[2])
        starts.append(states)
    return starts


def encoded(weights, ids, cell, reverse, residual):
    """A row's real ids -> the memory (S, M) and the final states, layers x directions x states."""
    table = weights.get("source_embedding/embeddings", weights["target_embedding/embeddings"])
    vectors = table[ids[::-1] if reverse else ids].astype("float64")
    values, final = stack(
        cell, encoder_layers(weights), vectors[None], [len(ids)], residual=residual
    )
    memory = values[0][::-1] if reverse else values[0]
    return memory, [[[state[0] for state in way] for way in layer] for layer in final]


def encoder_decoder(weights, source_ids, target_ids, *, cell="gru", encoder_cell="", **options):
    """The logits (B, T_y, V) and what each step looked at (B, T_y, T_x); zeros in the padding."""
    score = options.get("attention", "general")
    residual = options.get("residual", False)
    lower = encoder_layers(weights, "decoder/lower")
    upper = encoder_layers(weights, "decoder/upper")
    units = units_of(cell, lower[0][0])
    table = weights["target_embedding/embeddings"].astype("float64")
    kernel = weights.get("logits/kernel", table)
    prefix = "decoder/attention/"
    attention = {p[len(prefix) :]: w for p, w in weights.items() if p.startswith(prefix)}
    logits = np.zeros((*target_ids.shape, len(kernel)))
    looked = np.zeros((*target_ids.shape, source_ids.shape[1]))
    for row, (source, target) in enumerate(zip(source_ids, target_ids, strict=True)):
        turned = options.get("reverse_source", False)
        memory, final = encoded(
            weights, source[source != 0], encoder_cell or cell, turned, residual
        )
        depth = len(lower) + len(upper)
        states = bridged(options.get("bridge", "dense"), weights, cell, depth, final, units)
        fed, covered = np.zeros(units), np.zeros(len(memory))
        for place, token in enumerate(target[target != 0]):
            x = table[token]
            if options.get("input_feeding"):
                x = np.concatenate([x, fed])
            output, below = stack_step(cell, lower, x, states[: len(lower)], residual)
            above = []
            if score != "none":
                seen = covered if options.get("coverage") else None
                context, alpha = look(score, attention, output, memory, seen)
                covered = covered + alpha
                looked[row, place, : len(alpha)] = alpha
                if upper:
                    read = np.concatenate([output, context])
                    higher, above = stack_step(cell, upper, read, states[len(lower) :], residual)
                    output = higher + output if residual else higher
                both = np.concatenate([output, context])
                path = "decoder/combine"
                output = np.tanh(both @ weights[f"{path}/kernel"] + weights[f"{path}/bias"])
            states, fed = [*below, *above], output
            if "projection/kernel" in weights:
                output = output @ weights["projection/kernel"] + weights["projection/bias"]
            logits[row, place] = output @ kernel.T + weights["logits/bias"]
    return logits, looked
