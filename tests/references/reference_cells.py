"""One step of every cell, from the papers' equations in NumPy: row vectors, one row at a time.

A step takes x (E,), the states (K,) each, the weights in the cell's own order, and what is
multiplied into h on its way into the recurrent product. It returns the states, the first of which
is the output, or the output and the states.
"""

import numpy as np

# what each state is before the first step: log weights of nothing, where it is not 0
FIRST_STATES = {
    "elman": [0.0],
    "gated_delta_net": [0.0],
    "gru": [0.0],
    "gru_simple": [0.0],
    "hgrn2": [0.0],
    "ind_rnn": [0.0],
    "lstm": [0.0, 0.0],
    "lstm_layer_norm": [0.0, 0.0],
    "lstm_peephole": [0.0, 0.0],
    "lru": [0.0, 0.0],
    "min_gru": [0.0],
    "min_lstm": [0.0],
    "mlstm": [0.0, 0.0, 0.0],
    "qrnn": [0.0],
    "rg_lru": [0.0],
    "simple_rnn": [0.0],
    "slstm": [0.0, 0.0, 0.0, -(2.0**100)],
    "sru": [0.0],
}
NUM_STATES = {name: len(states) for name, states in FIRST_STATES.items()}
ACTIVATIONS = {"tanh": np.tanh, "relu": lambda x: np.maximum(x, 0)}
GATES = {
    "min_gru": 2,
    "min_lstm": 3,
    "rg_lru": 3,
    "ind_rnn": 1,
    "hgrn2": 3,
}  # without a recurrent matrix
LAST_AXIS = ("lru", "sru")  # the second weight is (..., K)
MATRICES = ("mlstm", "gated_delta_net", "hgrn2")  # the first state is a matrix for each head


def units_of(cell, weights, options=None):
    """The hidden size K that these weights are for."""
    if cell == "elman":
        return weights[0].shape[0]
    if cell in LAST_AXIS:
        return weights[1].shape[1]
    if cell == "qrnn":
        return weights[1].shape[0] // 3
    if cell == "slstm":
        return len(weights[2]) // 4
    if cell == "mlstm":
        return (weights[0].shape[1] - 2 * (options or {}).get("num_heads", 1)) // 4
    if cell == "gated_delta_net":
        return (weights[0].shape[1] - 2 * len(weights[1])) // 3
    return weights[0].shape[1] // GATES[cell] if cell in GATES else weights[1].shape[0]


def first_states(cell, units, options=None):
    """The states before the first step, (size,) each."""
    heads = (options or {}).get("num_heads", 1)
    if cell in MATRICES:
        sizes = [units**2 // heads, units, heads]
        return [np.zeros(size) for size in sizes[: NUM_STATES[cell]]]
    states = [np.full(units, value) for value in FIRST_STATES[cell]]
    if (options or {}).get("window") == 2:
        states.append(np.zeros(3 * units))  # the product of the input before the first
    return states


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def gate(matrix, number, units):
    """The columns of one gate."""
    return matrix[..., number * units : (number + 1) * units]


def gates_of(count, x, seen, weights):
    """The sum x W + h U + b of each gate."""
    kernel, recurrent_kernel, bias = weights
    units = len(seen)
    return [
        x @ gate(kernel, number, units)
        + seen @ gate(recurrent_kernel, number, units)
        + gate(bias, number, units)
        for number in range(count)
    ]


def clipped(c, bound):
    return c if bound is None else np.minimum(np.maximum(c, -bound), bound)


def elman_step(x, states, weights, recurrent_mask=1.0, activation="tanh"):
    return [ACTIVATIONS[activation]((states[0] * recurrent_mask) @ weights[0] + x)]


def simple_rnn_step(x, states, weights, recurrent_mask=1.0, activation="tanh"):
    kernel, recurrent_kernel, bias = weights
    seen = states[0] * recurrent_mask
    return [ACTIVATIONS[activation](x @ kernel + seen @ recurrent_kernel + bias)]


def ind_rnn_step(x, states, weights, recurrent_mask=1.0, activation="relu"):
    kernel, bias, recurrent_weights = weights
    past = [u * h for u, h in zip(recurrent_weights, states[0], strict=True)]
    return [ACTIVATIONS[activation](x @ kernel + past + bias)]


def gru_simple_step(x, states, weights, recurrent_mask=1.0):
    """u, h~ in this order; u takes the new value."""
    u, candidate = gates_of(2, x, states[0] * recurrent_mask, weights)
    u = sigmoid(u)
    return [u * np.tanh(candidate) + (1 - u) * states[0]]


def gru_step(x, states, weights, recurrent_mask=1.0):
    """z, r, h~ in this order; a bias of two rows means that the reset gate comes after."""
    kernel, recurrent_kernel, bias = weights
    h, units = states[0], len(states[0])
    seen = h * recurrent_mask
    w_z, w_r, w_h = (gate(kernel, number, units) for number in range(3))
    u_z, u_r, u_h = (gate(recurrent_kernel, number, units) for number in range(3))
    reset_after = bias.ndim == 2
    inner, outer = bias if reset_after else (bias, np.zeros_like(bias))
    b_z, b_r, b_h = (gate(inner, number, units) for number in range(3))
    c_z, c_r, c_h = (gate(outer, number, units) for number in range(3))
    z = sigmoid(x @ w_z + b_z + seen @ u_z + c_z)
    r = sigmoid(x @ w_r + b_r + seen @ u_r + c_r)
    recurrent = r * (seen @ u_h + c_h) if reset_after else (r * seen) @ u_h
    return [z * h + (1 - z) * np.tanh(x @ w_h + b_h + recurrent)]


def lstm_step(x, states, weights, recurrent_mask=1.0, cell_clip=None):
    """i, f, g, o in this order; the states are h, c."""
    h, c = states
    i, f, g, o = gates_of(4, x, h * recurrent_mask, weights)
    c = clipped(sigmoid(f) * c + sigmoid(i) * np.tanh(g), cell_clip)
    return [sigmoid(o) * np.tanh(c), c]


def lstm_peephole_step(x, states, weights, recurrent_mask=1.0, cell_clip=None):
    """The output gate looks at the new c, the other two at the old one."""
    *matrices, peepholes = weights
    p_i, p_f, p_o = peepholes
    h, c = states
    i, f, g, o = gates_of(4, x, h * recurrent_mask, matrices)
    c = clipped(sigmoid(f + p_f * c) * c + sigmoid(i + p_i * c) * np.tanh(g), cell_clip)
    return [sigmoid(o + p_o * c) * np.tanh(c), c]


def layer_norm(z, gain, shift=0.0):
    return (z - np.mean(z)) / np.sqrt(np.var(z) + 1e-5) * gain + shift


def lstm_layer_norm_step(x, states, weights, recurrent_mask=1.0, cell_clip=None):
    """Both products are normalised over all their 4 K values, c over its K."""
    kernel, recurrent_kernel, bias, recurrent_gain, input_gain, state_gain, state_bias = weights
    h, c = states
    recurrent = layer_norm((h * recurrent_mask) @ recurrent_kernel, recurrent_gain)
    i, f, g, o = np.split(recurrent + layer_norm(x @ kernel, input_gain) + bias, 4)
    c = clipped(sigmoid(f) * c + sigmoid(i) * np.tanh(g), cell_clip)
    return [sigmoid(o) * np.tanh(layer_norm(c, state_gain, state_bias)), c]


def log_space_candidate(x):
    return np.where(x >= 0, x + 0.5, sigmoid(x))


def min_gru_step(x, states, weights, recurrent_mask=1.0, log_space=False):
    """z, h~ in this order; z takes the new value."""
    kernel, bias = weights
    z, candidate = np.split(x @ kernel + bias, 2)
    candidate = log_space_candidate(candidate) if log_space else candidate
    return [(1 - sigmoid(z)) * states[0] + sigmoid(z) * candidate]


def min_lstm_step(x, states, weights, recurrent_mask=1.0, log_space=False):
    """f, i, h~ in this order."""
    kernel, bias = weights
    f, i, candidate = np.split(x @ kernel + bias, 3)
    candidate = log_space_candidate(candidate) if log_space else candidate
    total = sigmoid(f) + sigmoid(i)
    return [sigmoid(f) / total * states[0] + sigmoid(i) / total * candidate]


def rg_lru_step(x, states, weights, recurrent_mask=1.0):
    """r, i, v in this order."""
    kernel, bias, decay = weights
    r, i, v = np.split(x @ kernel + bias, 3)
    a = sigmoid(decay) ** (8 * sigmoid(r))
    return [a * states[0] + np.sqrt(1 - a**2) * (sigmoid(i) * v)]


def slstm_step(x, states, weights, recurrent_mask=1.0, num_heads=1, forget_gate="sigmoid"):
    """i, f, z, o in this order; the states are h, c, n, m."""
    h, c, n, m = states
    if num_heads > 1:  # each head's units see each other alone
        kernel, blocks, bias = weights
        seen = zip(heads_of(h, num_heads), blocks, strict=True)
        parts = [np.split(part @ block, 4) for part, block in seen]
        mixed = np.concatenate([np.concatenate([p[n] for p in parts]) for n in range(4)])
        i, f, z, o = np.split(x @ kernel + bias + mixed, 4)
    else:
        i, f, z, o = gates_of(4, x, h * recurrent_mask, weights)
    log_f = f if forget_gate == "exponential" else np.log(sigmoid(f))
    stabiliser = np.maximum(log_f + m, i)
    kept, entered = np.exp(log_f + m - stabiliser), np.exp(i - stabiliser)
    c = kept * c + entered * np.tanh(z)
    n = kept * n + entered
    return [sigmoid(o) * c / n, c, n, stabiliser]


def lru_step(x, states, weights, recurrent_mask=1.0):
    """The state is complex here; Re B, Im B, D and then Re C, Im C in the matrices."""
    kernel, output_kernel, nu, theta, gamma = weights
    b_real, b_imaginary, d = np.split(kernel, 3, axis=1)
    c_real, c_imaginary = np.split(output_kernel, 2, axis=0)
    factor = np.exp(-np.exp(nu) + 1j * np.exp(theta))
    entered = np.exp(gamma) * (x @ (b_real + 1j * b_imaginary))
    s = factor * (states[0] + 1j * states[1]) + entered
    return np.real(s @ (c_real + 1j * c_imaginary)) + x @ d, [s.real, s.imag]


def qrnn_step(x, states, weights, recurrent_mask=1.0, window=1):
    """z, f, o in this order; the second state is the product of the input before."""
    kernel, bias = weights
    width = len(bias)
    sums = x @ kernel[:, :width] + bias
    if window == 2:
        sums = sums + states[1]
    z, f, o = np.split(sums, 3)
    c = sigmoid(f) * states[0] + (1 - sigmoid(f)) * np.tanh(z)
    return sigmoid(o) * c, [c, x @ kernel[:, width:]][:window]


def sru_step(x, states, weights, recurrent_mask=1.0, rescale=False, highway_bias=0.0):
    """W, W_f, W_r and, unless E = K, W_x in this order; b_f, b_r; v_f above v_r."""
    kernel, (v_f, v_r), bias = weights
    c, units = states[0], len(states[0])
    b_f, b_r = np.split(bias, 2)
    f = sigmoid(x @ gate(kernel, 1, units) + v_f * c + b_f)
    r = sigmoid(x @ gate(kernel, 2, units) + v_r * c + b_r)
    passed = x if len(x) == units else x @ gate(kernel, 3, units)
    alpha = np.sqrt(1 + 2 * np.exp(highway_bias)) if rescale else 1.0
    c = f * c + (1 - f) * (x @ gate(kernel, 0, units))
    return r * c + (1 - r) * passed * alpha, [c]


def heads_of(values, count):
    """The parts of a vector by head."""
    return np.split(values, count)


def silu(x):
    return x * sigmoid(x)


def mlstm_step(x, states, weights, recurrent_mask=1.0, num_heads=1, forget_gate="sigmoid"):
    """q, k, v, o, then i and f of each head; C' of each head is a block of the first state."""
    kernel, bias = weights
    units, size = len(states[1]), len(states[1]) // num_heads
    sums = x @ kernel + bias
    q, k, v, o = (heads_of(gate(sums, number, units), num_heads) for number in range(4))
    i, f = np.split(sums[4 * units :], 2)
    outputs, memory, sums_n, stabilisers = [], [], [], []
    for head in range(num_heads):
        c = heads_of(states[0], num_heads)[head].reshape(size, size).T
        n, m = heads_of(states[1], num_heads)[head], states[2][head]
        log_f = f[head] if forget_gate == "exponential" else np.log(sigmoid(f[head]))
        stabiliser = max(log_f + m, i[head])
        kept, entered = np.exp(log_f + m - stabiliser), np.exp(i[head] - stabiliser)
        key = k[head] / np.sqrt(size)
        c = kept * c + entered * np.outer(v[head], key)
        n = kept * n + entered * key
        shown = c @ q[head] / max(abs(n @ q[head]), np.exp(-stabiliser))
        outputs.append(sigmoid(o[head]) * shown)
        memory.append(c.T.reshape(-1))
        sums_n.append(n)
        stabilisers.append(stabiliser)
    states = [np.concatenate(memory), np.concatenate(sums_n), np.array(stabilisers)]
    return np.concatenate(outputs), states


def gated_delta_net_step(x, states, weights, recurrent_mask=1.0, num_heads=1):
    """q, k, v, then alpha and beta of each head; S' of each head is a block of the state."""
    kernel, decay, decay_bias = weights
    sums = x @ kernel
    units = (len(sums) - 2 * num_heads) // 3
    q, k, v = (heads_of(silu(gate(sums, number, units)), num_heads) for number in range(3))
    alpha, beta = np.split(sums[3 * units :], 2)
    alpha = np.exp(-np.exp(decay) * np.log1p(np.exp(alpha + decay_bias)))
    beta, size = sigmoid(beta), units // num_heads
    outputs, memory = [], []
    for head in range(num_heads):
        s = heads_of(states[0], num_heads)[head].reshape(size, size).T
        key = k[head] / np.sqrt(k[head] @ k[head] + 1e-6)
        query = q[head] / np.sqrt(q[head] @ q[head] + 1e-6)
        s = s @ (alpha[head] * (np.eye(size) - beta[head] * np.outer(key, key)))
        s = s + beta[head] * np.outer(v[head], key)
        outputs.append(s @ query)
        memory.append(s.T.reshape(-1))
    return np.concatenate(outputs), [np.concatenate(memory)]


def hgrn2_step(x, states, weights, recurrent_mask=1.0, num_heads=1, lower_bound=0.0):
    """g, f, i in this order; S of each head is a block of the state."""
    kernel, bias = weights
    g, f, i = np.split(x @ kernel + bias, 3)
    f = lower_bound + (1 - lower_bound) * sigmoid(f)
    g, f, i = (heads_of(part, num_heads) for part in (sigmoid(g), f, silu(i)))
    outputs, memory = [], []
    for head, s in enumerate(heads_of(states[0], num_heads)):
        size = len(f[head])
        s = np.diag(f[head]) @ s.reshape(size, size) + np.outer(1 - f[head], i[head])
        outputs.append(s.T @ g[head])
        memory.append(s.reshape(-1))
    return np.concatenate(outputs), [np.concatenate(memory)]


def one_step(cell, x, states, weights, recurrent_mask=1.0, **options):
    """The output (K,) of a step and the states after it."""
    found = STEPS[cell](x, states, weights, recurrent_mask, **options)
    return found if isinstance(found, tuple) else (found[0], found)


STEPS = {
    "elman": elman_step,
    "gated_delta_net": gated_delta_net_step,
    "gru": gru_step,
    "gru_simple": gru_simple_step,
    "hgrn2": hgrn2_step,
    "ind_rnn": ind_rnn_step,
    "lstm": lstm_step,
    "lstm_layer_norm": lstm_layer_norm_step,
    "lstm_peephole": lstm_peephole_step,
    "lru": lru_step,
    "min_gru": min_gru_step,
    "min_lstm": min_lstm_step,
    "mlstm": mlstm_step,
    "qrnn": qrnn_step,
    "rg_lru": rg_lru_step,
    "simple_rnn": simple_rnn_step,
    "slstm": slstm_step,
    "sru": sru_step,
}
