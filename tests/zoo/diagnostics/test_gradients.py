"""Where theory is exact, the gradients through time agree with it."""

import json

import keras
import numpy as np
import pytest
import tensorflow as tf

from tests.sweeps import swept
from zoo import __main__ as command
from zoo.diagnostics import bptt, gradients, opening
from zoo.diagnostics.observation import directions_of, observing
from zoo.diagnostics.synthetic import explosion, training
from zoo.diagnostics.synthetic.tasks import TASKS
from zoo.errors import InputError
from zoo.layers import Recurrent
from zoo.registry import cell_class, cell_names


def body(cell, units=4, width=3, **options):
    """A model of one recurrent body that returns its outputs (B, T, K)."""
    values = keras.Input((None, width))
    layer = Recurrent(cell, units, return_state=False, **options)
    return keras.Model(values, layer(values))


def test_the_gradient_of_a_linear_elman_unit_follows_the_spectral_radius():
    time, angle, radius = 40, 0.4, 0.9
    model = body("elman", 2, 2, cell_options={"activation": "linear"})
    rotation = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    (layer,) = directions_of(model)
    layer.cell.recurrent_kernel.assign(radius * rotation)
    (flow,) = gradients.gradient_flow(
        model, np.zeros((3, time, 2), "float32"), lambda outputs: tf.reduce_sum(outputs[:, -1])
    )
    expected = np.sqrt(2) * radius ** np.arange(time)[::-1]
    np.testing.assert_allclose(flow.norms, expected, rtol=1e-4)
    assert flow.radius == pytest.approx(radius, rel=1e-6)
    assert flow.memory == min(time, int(np.log(0.01) / np.log(radius)) + 1)


def test_the_gradient_of_each_state_is_that_by_hand():
    generator = np.random.default_rng(0)
    theta = generator.normal(scale=0.4, size=(3, 3))
    inputs, slopes = generator.normal(size=(2, 9, 3))
    model = body("elman", 3, 3)
    (layer,) = directions_of(model)
    layer.cell.recurrent_kernel.assign(theta.T)
    (flow,) = gradients.gradient_flow(
        model, inputs[None].astype("float32"), lambda outputs: tf.reduce_sum(outputs * slopes)
    )
    by_hand = bptt.full(bptt.run(theta, inputs), slopes).states
    np.testing.assert_allclose(flow.norms, np.linalg.norm(by_hand, axis=1), rtol=1e-4)


@pytest.mark.parametrize(
    "cell", swept(cell_names(), lambda cell: cell in ("elman", "lstm", "rg_lru", "slstm"))
)
@pytest.mark.parametrize("bidirectional", [False, True])
def test_observing_changes_no_output_and_sees_the_states(cell, bidirectional):
    width = 4 if cell == "elman" else 3
    model = body(cell, width=width, bidirectional=bidirectional, num_layers=1)
    values = np.random.default_rng(0).normal(size=(2, 6, width)).astype("float32")
    usual = model(values)
    with observing(model) as seen:
        np.testing.assert_allclose(model(values), usual, rtol=1e-5, atol=1e-6)
    outputs = np.concatenate([each.in_place(each.outputs) for each in seen], axis=-1)
    np.testing.assert_allclose(outputs, usual, rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(model(values), usual, rtol=1e-6)


def observed(cell):
    keras.utils.set_random_seed(0)
    model = body(cell)
    values = np.random.default_rng(1).normal(size=(2, 5, 3)).astype("float32")
    with observing(model) as seen:
        model(values)
    return seen[0]


GATES = {
    **dict.fromkeys(("elman", "simple_rnn", "ind_rnn"), set()),
    **dict.fromkeys(("min_gru", "min_lstm", "rg_lru", "lru"), {"kept"}),
    **dict.fromkeys(("lstm", "lstm_peephole", "lstm_layer_norm"), {"input", "forget", "output"}),
    "gru_simple": {"update", "kept"},
    "gated_delta_net": {"kept", "input"},
    "hgrn2": {"forget"},
    "mlstm": {"kept", "input", "output"},
    "qrnn": {"forget", "output"},
    "sru": {"forget", "reset"},
    "gru": {"update", "reset", "kept"},
    "slstm": {"input", "forget", "output", "kept"},
}


def normalized(values):
    apart = values - values.mean(-1, keepdims=True)
    return apart / np.sqrt((apart**2).mean(-1, keepdims=True) + 1e-5)


def test_each_cell_has_the_gates_of_its_equations():
    values = np.random.default_rng(0).normal(size=(1, 2, 4)).astype("float32")
    assert set(GATES) == set(cell_names())
    for name, expected in GATES.items():
        model = body(name, width=4)
        with observing(model) as seen:
            model(values)
        gates = seen[0].gates()
        assert set(gates) == expected, name
        if name == "gru_simple":
            np.testing.assert_allclose(gates["update"], 1 - gates["kept"], rtol=1e-6)


@pytest.mark.parametrize("name", ["lstm", "lstm_peephole", "lstm_layer_norm", "slstm"])
def test_the_gates_of_an_lstm_give_its_states(name):
    seen = observed(name)
    gates, cell = seen.gates(), seen.layer.cell
    before = [
        np.concatenate([s[:, None], x[:, :-1]], 1)
        for s, x in zip(seen.start, seen.states, strict=True)
    ]
    recurrent = before[0] @ np.asarray(cell.recurrent_kernel)
    if name == "lstm_layer_norm":
        recurrent = normalized(recurrent)
    candidate = np.tanh(np.split(np.asarray(cell.project(seen.inputs)) + recurrent, 4, axis=-1)[2])
    kept = gates.get("kept", gates["forget"])
    c = kept * before[1] + gates["input"] * candidate
    shown = np.tanh(normalized(c) if name == "lstm_layer_norm" else c)
    if name == "slstm":
        shown = c / (kept * before[2] + gates["input"])
    np.testing.assert_allclose(c, seen.states[1], rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(gates["output"] * shown, seen.states[0], rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("cell", ["gru_simple", "min_gru", "min_lstm", "rg_lru", "gru"])
def test_what_is_kept_is_the_slope_of_the_state_where_no_product_passes(cell):
    """With U = 0 the old state reaches the new one by the factor `kept` alone."""
    seen = observed(cell)
    layer = seen.layer.cell
    if layer.recurrent_kernel is not None:
        layer.recurrent_kernel.assign(np.zeros(layer.recurrent_kernel.shape))
    x = layer.project(seen.inputs[:, 0])
    state = tf.constant(np.random.default_rng(2).normal(size=(2, 4)), tf.float32)
    with tf.GradientTape() as tape:
        tape.watch(state)
        output, _ = layer.step(x, [state])
    slope = tape.gradient(output, state)
    kept = layer.gates(x, 0.0 * layer_product(layer, state), [state], layer.vectors())["kept"]
    np.testing.assert_allclose(slope, kept, rtol=1e-5)


def layer_product(cell, state):
    return tf.zeros((state.shape[0], cell.num_gates * cell.units))


@pytest.mark.parametrize("cell", [n for n in cell_names() if cell_class(n).keeping_blocks])
def test_open_gates_keep_the_state_for_the_time_that_they_are_set_to(cell):
    model = body(cell, units=64)
    (layer,) = directions_of(model)
    assert gradients.open_gates(layer.cell, 100)
    with observing(model) as seen:
        model(np.zeros((1, 2, 3), "float32"))
    gates = seen[0].gates()
    kept = np.sort(gates.get("kept", gates.get("forget"))[0, 1])
    times = np.sort(np.random.default_rng(0).uniform(1, 99, 64))
    if cell == "slstm":  # kept is relative to the new value's weight there
        kept = np.sort(gates["forget"][0, 1])
    if cell == "min_lstm":  # f / (f + i), both by the bias
        f, i = times / (1 + times), 1 / (1 + times)
        np.testing.assert_allclose(kept, f / (f + i), rtol=1e-4)
    else:
        np.testing.assert_allclose(kept, times / (1 + times), rtol=0.05)


@pytest.mark.parametrize("name", [n for n in cell_names() if cell_class(n).keeping_blocks])
def test_each_keeping_block_raises_the_share_of_the_old_state(name):
    model = body(name)
    (layer,) = directions_of(model)
    cell, shares = layer.cell, {}
    for block, sign in [(None, 0), *cell.keeping_blocks.items()]:
        bias = np.zeros(cell.bias.shape)
        first = 4 * (block or 0)
        bias[..., first : first + 4] = 2 * sign
        cell.bias.assign(bias)
        with observing(model) as seen:
            model(np.zeros((1, 2, 3), "float32"))
        gates = {gate: values[0, 1] for gate, values in seen[0].gates().items()}
        kept = gates.get("kept", gates.get("forget"))
        shares[block] = kept / (kept + gates.get("input", 1 - kept))
    without = shares.pop(None)
    if name == "slstm":  # its normaliser cancels what the exponential gate has at all steps
        np.testing.assert_allclose(shares.pop(0), without, rtol=1e-5)
    assert all((raised > without + 0.1).all() for raised in shares.values())


def test_without_gates_there_is_nothing_to_open():
    (layer,) = directions_of(body("simple_rnn"))
    assert not gradients.open_gates(layer.cell, 100)


@pytest.mark.sweep
def test_an_explosion_ends_in_a_named_number_and_clipping_avoids_it():
    found = {clip: explosion.explode(clip, 1.1, 100, 6, 64) for clip in explosion.CLIPS}
    failure = found["none"].failure
    assert failure.update == 2 and failure.step is not None
    assert str(failure).startswith("NaN or infinity in update 2: the states of body/forward_0 from")
    for clip in ("norm", "value"):
        assert found[clip].failure is None and len(found[clip].losses) == 6
    assert min(found["norm"].losses) < found["norm"].losses[0] / 2
    assert found["norm"].norms[0] == pytest.approx(found["none"].norms[0])


def test_a_gradient_that_is_not_finite_is_named_by_its_parameter():
    model = training.model_for(TASKS["adding"], "gru", 3)
    batch = TASKS["adding"].batch(5, 2, np.random.default_rng(0))
    slopes = [np.zeros(weight.shape) for weight in model.trainable_weights]
    assert explosion.first_not_finite(model, batch.inputs, slopes, 4) is None
    slopes[1][0, 0] = np.inf
    failure = explosion.first_not_finite(model, batch.inputs, slopes, 4)
    assert str(failure).endswith("update 4: the gradient of body/forward_0/cell/recurrent_kernel")


def test_a_model_without_recurrent_layers_is_refused():
    values = keras.Input((3,))
    with pytest.raises(InputError, match="no recurrent layer of the zoo"):
        directions_of(keras.Model(values, keras.layers.Dense(1)(values)))


@pytest.mark.sweep
def test_the_commands_print_a_table_and_write_picture_and_numbers(tmp_path, capsys):
    words = ["--length", "12", "--units", "4", "--out", str(tmp_path)]
    assert command.main(["gradients", "--cells", "elman,gru", "--updates", "2", *words]) == 0
    assert command.main(["bptt", "--draws", "3", *words]) == 0
    shown = capsys.readouterr().out
    assert "after 2 training steps, gates open" in shown and "TensorFlow" in shown
    for name in ("gradients", "bptt"):
        assert (tmp_path / f"{name}.png").read_bytes()[:4] == b"\x89PNG"
    numbers = json.loads((tmp_path / "gradients.json").read_text())
    assert len(numbers["panels"]["at the start, gates open"]["gru"]["norms"]) == 12


def test_the_memory_of_a_loss_in_the_middle_does_not_count_the_steps_after_it():
    assert gradients.memory_length(np.array([0.001, 0.1, 1.0, 0.2, 0.0, 0.0])) == 3
    assert gradients.memory_length(np.zeros(3)) == 0


def test_an_untrained_architecture_is_measured_by_name_and_options(tmp_path, capsys):
    words = ["--cell", "gru", "--num-layers", "2", "--length", "6", "--units", "3"]
    words += ["--format", "svg", "--out", str(tmp_path)]
    assert command.main(["gradients", "--architecture", "many_to_many", *words]) == 0
    assert "encoder/forward_1" in capsys.readouterr().out
    assert "<svg" in (tmp_path / "gradients.svg").read_text()
    numbers = json.loads((tmp_path / "gradients.json").read_text())
    assert numbers["options"]["cell"] == "gru" and numbers["options"]["units"] == 3
    layers = numbers["runs"]["many_to_many"]
    assert [len(layer["norms"]) for layer in layers] == [6, 6]
    assert all(layer["norms"][-1] == max(layer["norms"]) > 0 for layer in layers)


def test_a_bidirectional_architecture_has_its_loss_in_the_middle():
    batch = opening.untrained("many_to_many", {"bidirectional": True, "cell": "simple_rnn"}, 3, 8)
    forward, backward = gradients.gradient_flow(batch.model, batch.inputs, batch.loss)
    assert np.flatnonzero(forward.norms).tolist() == [0, 1, 2, 3, 4]
    assert np.flatnonzero(backward.norms).tolist() == [0, 1, 2, 3]


@pytest.mark.parametrize("name", ["encoder_decoder", "one_to_many", "many_to_one"])
def test_every_kind_of_input_gets_values_and_a_gradient(name):
    batch = opening.untrained(name, {"vocabulary_size": 7} if "_to_" in name else {}, 3, 4)
    flows = gradients.gradient_flow(batch.model, batch.inputs, batch.loss)
    assert all(flow.norms.max() > 0 for flow in flows)


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["--architecture", "many_to_many", "--cel", "gru"], "has no option '--cel': did you mean"),
        (["--architecture", "many_to_mny"], "did you mean 'many_to_many'"),
        (["--architecture", "one_to_one"], "no recurrent layer of the zoo"),
        (
            ["--explode", "--architecture", "many_to_one"],
            "give one of --architecture and --explode",
        ),
        (["--format", "gif"], "format must be one of png, svg"),
        (["--cell", "gru"], "gradients takes no --cell gru"),
        (["--cells", "gur"], "did you mean 'gru'"),
        (["--task", "adding", "--length", "1"], "needs a length of at least 2, got 1"),
        (["--units", "0"], "units must be a positive int, got 0"),
        (["--task", "parity"], "task must be one of adding, copying"),
    ],
)
def test_wrong_options_are_one_sentence(words, sentence, tmp_path, capsys):
    assert command.main(["gradients", "--out", str(tmp_path), *words]) == 2
    assert sentence in capsys.readouterr().err
