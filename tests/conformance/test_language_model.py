"""The sweep over language models: every architecture with every cell, built tiny."""

from types import SimpleNamespace

import keras
import numpy as np
import pytest
import tensorflow as tf

import zoo
from tests.references import reference
from tests.references.weights import arrays, assign_random, by_path
from tests.sweeps import PARTS, swept
from zoo.layers import named_states

TINY = {"vocabulary_size": 9, "embedding_dim": 4, "units": 3}
# the same token is followed by others, so that what was read before it must be known
ROWS = [[5, 2, 8, 3, 7], [4, 2, 6, 0, 0], [7, 3, 0, 0, 0], [2, 0, 0, 0, 0], [0, 0, 0, 0, 0]]
NEXT = [[2, 8, 3, 7, 4], [2, 6, 1, 0, 0], [3, 1, 0, 0, 0], [5, 0, 0, 0, 0], [0, 0, 0, 0, 0]]
TOKENS, TARGETS = np.array(ROWS, "int32"), np.array(NEXT, "int32")
REAL = TOKENS != 0
FULL = np.tile(TOKENS[:1], (6, 1))
FULL[np.arange(5), np.arange(5)] = 4  # row t has another token than the last row at t
NAMES = zoo.names(topology="language_model")
RESET_BEFORE = {"cell_options": {"reset_after": False}}
# one with every cell, the presets with cells of one, two and three states
SOME = ("gru", "lstm", "slstm")
CASES = [(n, c, {}) for n in NAMES for c in zoo.cell_names() if n == "language_model" or c in SOME]
CASES += [
    ("awd_lstm", "lstm", {"num_layers": 3, "embedding_dim": 3}),  # without a projection
    ("language_model", "gru", {"num_layers": 2, "residual": True, "tied": True, **RESET_BEFORE}),
    ("language_model", "lstm", {"num_layers": 2, "learned_initial_state": True}),
]
KEPT = [("language_model", cell) for cell in PARTS[2]] + [("awd_lstm", "lstm")]
WITHOUT_PRODUCT = ("ind_rnn", "min_gru", "min_lstm", "rg_lru")  # nothing for weight_drop to drop


def built(name, cell, **options):
    """A tiny model; the cell without an input matrix needs E = K in every layer."""
    sizes = {**TINY, "embedding_dim": 3} if cell == "elman" else dict(TINY)
    if name == "awd_lstm":
        sizes["num_layers"] = 1
        sizes |= {"weight_drop": 0.0} if cell in WITHOUT_PRODUCT else {}
    options = {"explicit_states": True, **sizes, **options}
    return assign_random(zoo.build(name, cell=cell, **options))


def starts(model, rows):
    return model.initial_states(rows)


def inputs_of(states, **ids):
    return {**{name: tf.constant(values, tf.int32) for name, values in ids.items()}, **states}


def read(model, token_ids, states=None):
    """The logits and, by name, the states after the last token."""
    states = starts(model, len(token_ids)) if states is None else states
    outputs = dict(model(inputs_of(states, token_ids=token_ids)))
    return np.array(outputs.pop("logits")), outputs


def trained(model, token_ids=TOKENS, target_ids=TARGETS):
    """Losses and states by name, and the gradients of the mean loss of a real token."""
    with tf.GradientTape() as tape:
        states = starts(model, len(token_ids))
        ids = {"token_ids": token_ids, "target_ids": target_ids}
        outputs = dict(model.with_losses()(inputs_of(states, **ids)))
        loss = tf.reduce_sum(outputs["losses"]) / max(np.sum(token_ids != 0), 1)
    gradients = tape.gradient(loss, [weight.value for weight in model.trainable_weights])
    assert all(gradient is not None for gradient in gradients)
    return outputs, [tf.convert_to_tensor(gradient).numpy() for gradient in gradients]


@pytest.fixture(
    scope="module",
    params=swept(CASES, lambda name, cell, opts: opts or (name, cell) in KEPT, whole=True),
    ids=lambda case: "-".join([*case[:2], *case[2]]),
)
def case(request):
    """A tiny model with random weights, and what it says of the tokens."""
    name, cell, options = request.param
    model = built(name, cell, **options)
    logits, states = read(model, TOKENS)
    outputs, gradients = trained(model)
    found = {"logits": logits, "states": states, "losses": outputs["losses"].numpy()}
    return SimpleNamespace(model=model, cell=cell, outputs=outputs, gradients=gradients, **found)


def assert_same_states(found, expected, rows=slice(None)):
    names = {name for name in found if name.startswith("state_")}
    assert names == {name for name in expected if name.startswith("state_")} != set()
    for name in names:
        np.testing.assert_allclose(found[name], np.array(expected[name])[rows], atol=1e-5)


def test_logits_and_states_are_those_of_the_reference(case):
    assert case.logits.shape == (5, 5, 9)
    residual = case.model.get_layer("body").options.residual
    weights = by_path(case.model)
    expected, final = reference.language_model(weights, TOKENS, case.cell, residual)
    np.testing.assert_allclose(case.logits[REAL], expected[REAL], atol=1e-5)
    assert_same_states(case.states, named_states(final))


@pytest.mark.parametrize("cuts", [[2], [1, 4]])
def test_a_text_read_in_windows_is_read_as_at_once(case, cuts):
    """Rows end within a window and before it: their states stand still from there on."""
    logits, states = [], None
    for tokens in np.split(TOKENS, cuts, axis=1):
        part, states = read(case.model, tokens, states)
        logits.append(part)
    found = np.concatenate(logits, axis=1)
    np.testing.assert_allclose(found[REAL], case.logits[REAL], atol=1e-5)
    assert_same_states(states, case.states)


def test_token_by_token_a_model_says_what_it_says_at_once_and_nothing_of_the_future(case):
    whole, end = read(case.model, FULL)
    states = starts(case.model, 6)
    for t in range(5):
        logits, states = case.model.step(FULL[:, t], states)
        np.testing.assert_allclose(logits, whole[:, t], atol=1e-5)
    assert_same_states(states, end)
    for t in range(5):  # what comes later changes nothing before
        np.testing.assert_allclose(whole[t, :t], whole[5, :t], atol=1e-6)
        assert np.abs(whole[t, t] - whole[5, t]).max() > 1e-4
    only = case.model.states_only()(inputs_of(starts(case.model, 6), token_ids=FULL))
    assert "logits" not in only
    assert_same_states(only, end)


def test_appended_padding_changes_no_logit_no_state_no_loss_and_no_gradient(case):
    longer = [np.pad(ids, ((0, 0), (0, 3))) for ids in (TOKENS, TARGETS)]
    outputs, gradients = trained(case.model, *longer)
    losses = outputs["losses"].numpy()
    np.testing.assert_allclose(losses[:, :5], case.losses, atol=1e-5)
    assert not np.any(losses[:, 5:]) and not np.any(case.losses[~REAL])
    assert_same_states(outputs, case.states)
    logits, _ = read(case.model, longer[0])
    np.testing.assert_allclose(logits[:, :5][REAL], case.logits[REAL], atol=1e-5)
    for gradient, other in zip(gradients, case.gradients, strict=True):
        np.testing.assert_allclose(gradient, other, atol=1e-5)


def test_losses_are_the_negative_log_softmax_of_the_models_own_logits(case):
    logits = case.logits.astype("float64")
    shares = logits - np.log(np.exp(logits).sum(axis=-1, keepdims=True))
    expected = -np.take_along_axis(shares, TARGETS[:, :, None], axis=-1)[:, :, 0]
    np.testing.assert_allclose(case.losses, np.where(REAL, expected, 0), atol=1e-5)
    assert_same_states(case.outputs, case.states)


def test_the_order_of_the_rows_changes_no_row(case):
    order = [2, 4, 0, 3, 1]
    logits, states = read(case.model, TOKENS[order])
    np.testing.assert_allclose(logits, case.logits[order], atol=1e-5)
    assert_same_states(states, case.states, order)


def test_one_token_and_none_give_finite_losses_and_gradients(case):
    tokens = TOKENS[:, :1] * [[1], [1], [0], [0], [0]]
    for some in (tokens, 0 * tokens):
        outputs, gradients = trained(case.model, some, TARGETS[:, :1])
        assert all(np.all(np.isfinite(values)) for values in (*outputs.values(), *gradients))
        np.testing.assert_allclose(
            outputs["losses"], np.where(some, case.losses[:, :1], 0), atol=1e-5
        )


def test_every_weight_gets_a_gradient_and_moves_in_one_step(case):
    weights, before = case.model.trainable_weights, arrays(case.model)
    for weight, gradient in zip(weights, case.gradients, strict=True):
        assert np.abs(gradient).max() > 1e-6, weight.path
    keras.optimizers.SGD(1.0).apply(case.gradients, weights)
    for weight, old in zip(weights, before, strict=True):
        assert np.any(weight.numpy() != old), weight.path
        weight.assign(old)


def test_a_keras_file_gives_the_same_model_again(case, tmp_path):
    case.model.save(tmp_path / "model.keras")
    again = keras.models.load_model(tmp_path / "model.keras")
    logits, states = read(again, TOKENS)
    np.testing.assert_array_equal(logits, case.logits)
    assert_same_states(states, case.states)
    configs = [[layer.get_config() for layer in one.layers] for one in (again, case.model)]
    assert configs[0] == configs[1]
    given = inputs_of(starts(again, 5), token_ids=TOKENS, target_ids=TARGETS)
    np.testing.assert_array_equal(again.with_losses()(given)["losses"], case.losses)
