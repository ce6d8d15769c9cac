"""What the upgrade guides state about the old libraries' equations.

`tests/test_docs.py` runs their blocks.
"""

from typing import Any

import keras
import numpy as np
import tensorflow as tf

import zoo

RNG = np.random.default_rng(1)
K, E, M, STEPS, SOURCE = 3, 4, 6, 5, 7


def normal(*shape: int) -> Any:
    return RNG.normal(size=shape).astype("float32")


def sigmoid(values: Any) -> Any:
    return 1 / (1 + np.exp(-values))


def normalized(values: Any, epsilon: float) -> Any:
    return (values - values.mean()) / np.sqrt(values.var() + epsilon)


def test_old_peephole_weights_give_the_old_outputs_over_a_whole_sequence():
    shapes = [(E, 4 * K), (K, 4 * K), (4 * K,), (K,), (K,), (K,)]
    kernel, recurrent, bias, p_i, p_f, p_o = old = [normal(*shape) for shape in shapes]
    inputs = normal(2, STEPS, E)
    layer = keras.layers.RNN(zoo.cells.PeepholeLSTMCell(K), return_sequences=True)
    layer.build(inputs.shape)
    layer.cell.set_weights([*old[:3], np.stack([p_i, p_f, p_o])])

    h = c = np.zeros((2, K), "float32")
    for step, outputs in enumerate(np.moveaxis(np.array(layer(inputs)), 1, 0)):
        z_i, z_f, z_c, z_o = np.split(inputs[:, step] @ kernel + h @ recurrent + bias, 4, axis=1)
        i, f = sigmoid(z_i + p_i * c), sigmoid(z_f + p_f * c)
        c = f * c + i * np.tanh(z_c)
        h = sigmoid(z_o + p_o * c) * np.tanh(c)
        np.testing.assert_allclose(outputs, h, atol=1e-5)


def test_the_old_layer_norm_lstm_carries_the_normalised_state_and_so_differs_from_step_two():
    keras.utils.set_random_seed(0)
    cell = zoo.cells.LayerNormLSTMCell(K)
    cell.build((None, E))
    kernel, recurrent, bias = (np.array(weight) for weight in cell.get_weights()[:3])
    inputs = normal(2, E)

    def old_step(x: Any, h: Any, c: Any) -> tuple[Any, Any]:
        z = normalized(x @ kernel, 1e-5) + normalized(h @ recurrent, 1e-5) + bias
        i, f, g, o = np.split(z, 4)
        c = normalized(sigmoid(f) * c + sigmoid(i) * np.tanh(g), 1e-5)
        return sigmoid(o) * np.tanh(c), c  # the normalised c goes on to the next step

    states, h, c = [np.zeros((1, K))] * 2, np.zeros(K), np.zeros(K)
    gaps = []
    for x in inputs:
        _, states = cell(x[None], states)
        h, c = old_step(x, h, c)
        gaps.append(float(np.abs(np.array(states[0])[0] - h).max()))
    assert gaps[0] < 1e-4 < 1e-2 < gaps[1]


def test_a_decoder_with_input_feeding_is_an_attention_wrapper_with_a_tanh_layer():
    decoder = zoo.layers.Decoder("lstm", K, attention="general", input_feeding=True)
    vectors, memory = normal(1, STEPS, E), normal(1, SOURCE, M)
    real, real_memory = np.ones((1, STEPS), bool), np.arange(SOURCE)[None] < 5
    states = [[[np.zeros((1, K), "float32")] * 2]]
    arguments = {"mask": real, "states": states, "values": memory, "memory_mask": real_memory}
    decoder(vectors, **arguments)
    cell = decoder.lower.directions[0][0].cell
    joined = [decoder.combine.kernel.numpy(), normal(K)]
    decoder.combine.set_weights(joined)
    outputs, weights = decoder(vectors, **arguments)

    kernel, recurrent, bias = (weight.numpy() for weight in cell.weights)
    keys = memory[0, :5] @ decoder.attention.kernel.numpy()
    h, c, attention = np.zeros(K), np.zeros(K), np.zeros(K)
    for step in range(STEPS):
        x = np.concatenate([vectors[0, step], attention])  # the wrapper's cell_input_fn
        i, f, g, o = np.split(x @ kernel + h @ recurrent + bias, 4)
        c = sigmoid(f) * c + sigmoid(i) * np.tanh(g)
        h = sigmoid(o) * np.tanh(c)
        scores = np.exp(keys @ h)
        alignments = scores / scores.sum()
        context = alignments @ memory[0, :5]
        attention = np.tanh(np.concatenate([h, context]) @ joined[0] + joined[1])
        np.testing.assert_allclose(outputs[0, step], attention, atol=1e-5)
        np.testing.assert_allclose(weights[0, step], [*alignments, 0, 0], atol=1e-5)


def test_scores_of_a_beam_are_divided_by_the_old_penalty_of_lengths_that_count_the_end_token():
    chances = np.full((5, 5), 1e-9)
    chances[2, 3:], chances[4, 3:] = (0.55, 0.45), (0.4, 0.6)  # token 2 starts, token 3 ends
    table = tf.constant(np.log(chances), tf.float32)

    def step(token_ids: Any, states: Any) -> Any:
        return tf.gather(table, token_ids), states

    logits, states = step(tf.constant([2]), tf.zeros([1, 1]))
    found = zoo.decoding.beam_search(
        step, logits, states, end=3, max_tokens=3, beam_size=4, n_best=4, alpha=3.0
    )
    assert found.token_ids[0].numpy().tolist() == [[3, 0, 0], [4, 4, 4], [4, 4, 3], [4, 3, 0]]
    log_chances = np.log([0.55, 0.45 * 0.6 * 0.6, 0.45 * 0.6 * 0.4, 0.45 * 0.4])
    penalties = ((5 + np.array([1, 3, 3, 2])) / 6) ** 3.0
    np.testing.assert_allclose(found.scores[0], log_chances / penalties, rtol=1e-4)
