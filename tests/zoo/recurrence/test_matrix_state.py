"""Matrix-valued states: a plain loop in NumPy, single steps and chunks of steps give the same."""

import numpy as np
import pytest
import tensorflow as tf

import zoo
from tests.references import reference
from tests.references.reference import mask_of
from tests.references.weights import arrays, assign_random
from tests.sweeps import swept
from zoo.cells.matrix import Writes, advance, normalized, read_matrix
from zoo.layers import Direction
from zoo.recurrence.matrix_state import chunked

B, H, D_K, D_V = 3, 2, 3, 4
T = 21
LENGTHS = np.array([T, 6, 0], "int32")
KINDS = ("decay", "decay_by_key", "delta", "delta_by_key", "exponential")
SIZES = [16, 5, 32]
CASES = [(kind, size) for kind in KINDS for size in SIZES]
KEPT = [("decay_by_key", 32), ("delta", 5), ("exponential", 5)]
by_kind = pytest.mark.parametrize(("kind", "size"), swept(CASES, lambda *case: case in KEPT))


def given_to(kind, seed=0):
    """Writes of all steps and the states before them, float64."""
    draw = np.random.default_rng(seed)
    q, k, v = (draw.normal(size=(B, T, H, size)) for size in (D_K, D_K, D_V))
    width = D_K if kind.endswith("by_key") else 1
    log_decay = -np.exp(draw.normal(size=(B, T, H, width)))
    log_decay[:, 3, 0] = -90.0  # a gate that closes in one head
    log_decay[:, :, 1] /= 20  # the other one remembers the state before the first step
    strength = log_input = None
    states = [draw.normal(size=(B, H * D_K * D_V))]
    if kind.startswith("delta"):
        k /= np.linalg.norm(k, axis=-1, keepdims=True)
        k[:, 8:14] = k[:, 8:9]  # one key again and again
        strength = 1 / (1 + np.exp(-2 * draw.normal(size=(B, T, H, 1))))
    if kind == "exponential":
        log_input = 3 * draw.normal(size=(B, T, H, 1))
        log_decay = draw.normal(size=log_decay.shape)  # an exponential forget gate, above 0 too
        states += [draw.normal(size=(B, H * D_K)), draw.normal(size=(B, H))]
    return Writes(q, k, v, log_decay, strength, log_input), states


def looped(writes, states):
    """The equations, row by row, head by head, in NumPy: reads (B, T, H, d_v), final states."""
    found = np.zeros((B, T, H, D_V))
    final = [np.array(state) for state in states]
    for row in range(B):
        for head in range(H):
            s = states[0][row].reshape(H, D_K, D_V)[head]
            if len(states) > 1:
                scale = np.exp(states[2][row, head])  # sums without the stabiliser
                s, n = scale * s, scale * states[1][row].reshape(H, D_K)[head]
            for step in range(LENGTHS[row]):
                at = (row, step, head)
                k, v, decay = writes.keys[at], writes.values[at], np.exp(writes.log_decay[at])
                if writes.log_input is not None:
                    k = np.exp(writes.log_input[at]) * k
                    n = decay * n + k
                s = np.diag(np.broadcast_to(decay, D_K)) @ s
                if writes.strength is not None:
                    v = writes.strength[at] * (v - s.T @ k)
                s = s + np.outer(k, v)
                found[at] = s.T @ writes.queries[at]
                if len(states) > 1:
                    found[at] /= max(abs(n @ writes.queries[at]), 1)
            final[0][row].reshape(H, D_K, D_V)[head] = s
            if len(states) > 1:
                final[1][row].reshape(H, D_K)[head] = n
    return found, final


def stepped(writes, states, lengths):
    """Single steps: reads (B, T, H, d_v), final states."""
    found = []
    for step in range(T):
        now = Writes(*(None if part is None else part[:, step] for part in writes))
        real = (step < lengths)[:, None]
        new = advance(states, now)
        states = [tf.where(real, a, b) for a, b in zip(new, states, strict=True)]
        read = read_matrix(now.queries, tf.reshape(states[0], (B, H, D_K, D_V)))
        if len(states) > 1:
            n = tf.reshape(states[1], (B, H, D_K))
            sums = tf.reduce_sum(now.queries * n, -1, keepdims=True)
            read = normalized(read, sums, states[2][..., None])
        found.append(read)
    return tf.stack(found, axis=1), states


def cast(writes, states, dtype):
    parts = [None if part is None else tf.constant(part, dtype) for part in writes]
    return Writes(*parts), [tf.constant(state, dtype) for state in states]


def real(values):
    return np.where(mask_of(LENGTHS, T)[:, :, None, None], values, 0)


@by_kind
def test_steps_and_chunks_equal_a_plain_loop(kind, size):
    writes, states = given_to(kind)
    expected, final = looped(writes, states)
    given = cast(writes, states, "float32")
    for found, after in (stepped(*given, LENGTHS), chunked(*given, LENGTHS, size)):
        limit = 1e-5 * max(1, np.abs(expected).max())
        np.testing.assert_allclose(real(found), expected, rtol=0, atol=limit)
        values = [np.asarray(each, "float64") for each in after]
        if kind == "exponential":  # m is not unique: compare the sums without it
            scale = np.exp(values[2])[:, :, None]
            values = [(scale * value.reshape(B, H, -1)).reshape(B, -1) for value in values[:2]]
            final, scale = final[:2], np.exp(states[2])[:, :, None]
            first = [(scale * state.reshape(B, H, -1)).reshape(B, -1) for state in states[:2]]
            for state, start in zip(final, first, strict=True):
                state[2] = start[2]
        for state, value in zip(final, values, strict=True):
            np.testing.assert_allclose(value, state, rtol=1e-4, atol=1e-5)


@by_kind
def test_chunks_and_steps_have_the_same_stabiliser_and_gradients(kind, size):
    writes, states = cast(*given_to(kind, seed=1), "float64")
    sources = [part for part in (*writes, *states) if part is not None]
    draw = np.random.default_rng(2)
    share = real(draw.normal(size=(B, T, H, D_V)))
    shares = [draw.normal(size=state.shape) for state in states]

    def loss(run):
        with tf.GradientTape() as tape:
            tape.watch(sources)
            found, after = run()
            parts = zip([real_graph(found), *after], [share, *shares], strict=True)
            total = tf.add_n([tf.reduce_sum(value * part) for value, part in parts])
        return after, tape.gradient(total, sources)

    after, gradients = loss(lambda: chunked(writes, states, LENGTHS, size))
    expected, slopes = loss(lambda: stepped(writes, states, LENGTHS))
    for found, wanted in zip([*after, *gradients], [*expected, *slopes], strict=True):
        np.testing.assert_allclose(found, wanted, rtol=1e-7, atol=1e-9)


def real_graph(values):
    return tf.where(mask_of(LENGTHS, T)[:, :, None, None], values, 0)


@pytest.mark.parametrize("kind", swept(KINDS, lambda kind: kind == "exponential"))
def test_a_gradient_by_chunks_is_the_slope(kind):
    writes, states = cast(*given_to(kind, seed=3), "float64")
    share = real(np.random.default_rng(2).normal(size=(B, T, H, D_V)))

    def loss(*parts):
        named = Writes(*parts[: len(states) * -1])
        found, after = chunked(named, list(parts[-len(states) :]), LENGTHS, 5)
        return tf.reduce_sum(real_graph(found) * share) + sum(map(tf.reduce_sum, after))

    parts = [*writes, *states]
    known = [number for number, part in enumerate(parts) if part is not None]
    with tf.GradientTape() as tape:
        tape.watch([parts[number] for number in known])
        value = loss(*parts)
    gradients = tape.gradient(value, [parts[number] for number in known])
    for number, gradient in zip(known, gradients, strict=True):
        place = (1, 4, 1, 0) if parts[number].shape.rank == 4 else (1, 0)
        moved = np.zeros(parts[number].shape)
        moved[place] = 1e-6
        sides = [
            loss(*[part + sign * moved if n == number else part for n, part in enumerate(parts)])
            for sign in (1, -1)
        ]
        slope = (sides[0] - sides[1]) / 2e-6
        np.testing.assert_allclose(gradient.numpy()[place], slope, rtol=1e-4, atol=1e-6)


def test_gates_far_below_zero_leave_the_normalised_memory_finite():
    writes, states = cast(*given_to("exponential"), "float32")
    writes = writes._replace(log_input=writes.log_input - 5e4, log_decay=writes.log_decay - 100)
    with tf.GradientTape() as tape:
        tape.watch(writes.log_input)
        found, _ = chunked(writes, [0 * state for state in states], LENGTHS)
        loss = tf.reduce_sum(found)
    np.testing.assert_allclose(real(found), 0, atol=1e-6)
    assert np.all(np.isfinite(tape.gradient(loss, writes.log_input)))


@pytest.mark.parametrize(
    ("name", "options"),
    swept(
        [
            ("mlstm", {"forget_gate": "exponential"}),
            ("gated_delta_net", {}),
            ("hgrn2", {"lower_bound": 0.5}),
        ],
        lambda name, options: name == "mlstm",
    ),
)
@pytest.mark.parametrize("backwards", [False, True])
def test_two_heads_of_two_units_compute_their_equations_in_ragged_rows(name, options, backwards):
    options = {"num_heads": 2, **options}
    layer = Direction(name, 4, cell_options=options, backwards=backwards)
    layer.build((None, None, D_K))
    assign_random(layer)
    inputs = np.random.default_rng(0).normal(size=(B, T, D_K)).astype("float32")
    mask = mask_of(LENGTHS, T)
    expected, final = reference.run(
        name, arrays(layer.cell), inputs, LENGTHS, backwards, options=options
    )
    outputs, states = layer(inputs, mask=mask)
    np.testing.assert_allclose(outputs, expected, atol=1e-5)
    for state, value in zip(states, final, strict=True):
        np.testing.assert_allclose(state, value, atol=1e-5)


@pytest.mark.parametrize("name", ["mlstm", "gated_delta_net", "hgrn2"])
def test_heads_must_divide_the_units(name):
    with pytest.raises(zoo.InputError, match="multiple of num_heads, got units 4 and num_heads 3"):
        Direction(name, 4, cell_options={"num_heads": 3})
    with pytest.raises(zoo.InputError, match="num_heads must be a positive int, got 0"):
        Direction(name, 4, cell_options={"num_heads": 0})
