"""Sequences of numbers: masks, scaling, missing values and heads of the common builders."""

import keras
import numpy as np
import pytest

import zoo
from zoo.architectures.sequence_input import Moments
from zoo.errors import InputError
from zoo.layers.numeric import ObservedValues

LENGTHS = np.array([7, 3, 1, 0], "int32")
BUILDS = {
    "label": ("many_to_one", {"num_classes": 4, "pooling": "concat"}),
    "number": ("many_to_one", {"num_outputs": 2, "cell": "simple_rnn"}),
    "tags": ("many_to_many", {"num_tags": 4, "head": "crf", "bidirectional": True}),
    "numbers": ("many_to_many", {"num_outputs": 2, "cell": "min_gru"}),
    "ctc": ("ctc", {"num_labels": 3}),
    "sequence": ("encoder_decoder", {"target_vocabulary_size": 9, "embedding_dim": 4}),
}
REGRESSIONS = {"number": (4, 2), "numbers": (4, 7, 2)}


@pytest.fixture(scope="module")
def values():
    return np.random.default_rng(3).normal(5, 3, (4, 7, 3)).astype("float32")


def inputs_of(kind, values, lengths=LENGTHS):
    inputs = {"values": values, "lengths": lengths}
    if kind == "sequence":
        inputs["target_ids"] = np.array([[2, 5, 6, 0]] * len(values), "int32")
    return inputs


def built(kind, values, **options):
    name, own = BUILDS[kind]
    model = zoo.build(name, input_dim=3, units=4, **own, **options)
    targets = None
    if kind in REGRESSIONS:
        targets = np.random.default_rng(4).normal(100, 10, REGRESSIONS[kind])
    zoo.adapt(model, inputs_of(kind, values), targets)
    return model


@pytest.mark.parametrize("kind", BUILDS)
def test_padding_of_any_length_and_content_changes_nothing(kind, values, eagerly):
    model = built(kind, values)
    longer = np.pad(values, [(0, 0), (0, 5), (0, 0)], constant_values=np.nan)
    for row, length in enumerate(LENGTHS):
        longer[row, length:] = [np.nan, np.inf, 1e30]
    first = np.asarray(model(inputs_of(kind, values)))
    second = np.asarray(model(inputs_of(kind, longer)))
    if kind in ("tags", "numbers", "ctc"):  # a value for each step: the steps' own are compared
        for row, length in enumerate(LENGTHS):
            np.testing.assert_allclose(second[row, :length], first[row, :length], rtol=1e-6)
    else:
        np.testing.assert_allclose(second, first, rtol=1e-5, atol=1e-7)


@pytest.mark.parametrize("kind", ["label", "numbers"])
def test_a_saved_model_has_its_statistics_and_answers_the_same(kind, values, tmp_path, eagerly):
    model = built(kind, values, missing="indicator")
    model.save(tmp_path / "model.keras")
    again = keras.models.load_model(tmp_path / "model.keras")
    holes = values.copy()
    holes[0, 2, 1] = np.nan
    np.testing.assert_array_equal(
        again(inputs_of(kind, holes)), np.asarray(model(inputs_of(kind, holes)))
    )


def test_statistics_are_those_of_all_observed_steps():
    model = zoo.build("many_to_one", input_dim=2, num_classes=2, units=2, missing="indicator")
    values = np.array([[[1.0, 10.0], [3.0, np.nan], [99.0, 99.0]], [[8.0, 40.0]] * 3])
    zoo.adapt(model, {"values": values, "lengths": np.array([2, 1])}, batch_size=1)
    layer = model.get_layer("normalization")
    np.testing.assert_allclose(np.ravel(layer.mean), [4, 25])
    np.testing.assert_allclose(np.ravel(layer.variance), [26 / 3, 225])


def test_moments_added_in_parts_are_those_of_the_whole():
    rows = np.random.default_rng(0).normal(1e6, 1, (50, 3))
    rows[::7, 1] = np.nan
    moments = Moments()
    for part in np.split(rows, [1, 20, 21]):
        moments.add(part)
    np.testing.assert_allclose(moments.mean, np.nanmean(rows, 0), rtol=1e-12)
    np.testing.assert_allclose(moments.variance, np.nanvar(rows, 0), rtol=1e-6)


def test_a_missing_number_is_the_training_mean_with_an_indicator(eagerly):
    layer = ObservedValues("indicator")
    values = np.array([[[2.0, np.nan], [np.nan, 3.0]]], "float32")
    found = layer(values, mask=np.array([[True, False]]))
    np.testing.assert_array_equal(found, [[[2, 0, 0, 1], [0, 0, 0, 0]]])


def test_numbers_in_the_clients_units_give_answers_in_the_targets_units(values):
    model = zoo.build("many_to_one", input_dim=3, num_outputs=2, units=3)
    targets = np.array([[10.0, 1000], [20, 1000], [30, np.nan], [40, 1000]])
    zoo.adapt(model, inputs_of("number", values), targets)
    features = keras.Model(model.input, model.get_layer("outputs").output)
    raw = np.asarray(features(inputs_of("number", values)))
    expected = raw * [np.sqrt(125), 1] + [25, 1000]
    np.testing.assert_allclose(model(inputs_of("number", values)), expected, rtol=1e-5)


@pytest.mark.parametrize("head", [{"num_tags": 3}, {"num_tags": 3, "head": "crf"}, "outputs"])
def test_a_one_way_model_of_numbers_streams(head, values, eagerly):
    own = {"num_outputs": 2} if head == "outputs" else head
    model = zoo.build("many_to_many", input_dim=3, units=4, bidirectional=False, **own)
    targets = np.ones((4, 7, 2)) if head == "outputs" else None
    zoo.adapt(model, inputs_of("tags", values), targets)
    whole = np.asarray(model(inputs_of("tags", values, np.full(4, 7))))
    states, found = model.initial_states(4), []
    for time in range(7):
        scores, states = model.step({"values": values[:, time : time + 1]}, states)
        found.append(np.asarray(scores))
    if own.get("head") == "crf":
        assert np.all(np.isfinite(found)) and states["message"].shape == (4, 3)
    else:
        np.testing.assert_allclose(np.stack(found, 1), whole[:, :7], rtol=1e-5, atol=1e-6)


def test_an_encoder_decoder_of_numbers_decodes_step_by_step(values, eagerly):
    model = built("sequence", values)
    inputs = inputs_of("sequence", values)
    memory, states = model.encode({name: inputs[name] for name in ("values", "lengths")})
    for time in range(3):
        logits, states = model.step(inputs["target_ids"][:, time], states, memory)
        whole = np.asarray(model(inputs))[:, time]
        np.testing.assert_allclose(logits, whole, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize(
    ("name", "options", "message"),
    [
        ("many_to_one", {"num_classes": 2}, "give vocabulary_size .* or input_dim .* got neither"),
        (
            "many_to_one",
            {"num_classes": 2, "vocabulary_size": 9, "input_dim": 3},
            "give vocabulary_size .* or input_dim .* got both",
        ),
        ("many_to_one", {"input_dim": 3}, "give num_classes for labels, or num_outputs .* neither"),
        ("many_to_many", {"input_dim": 3, "num_tags": 2, "num_outputs": 1}, "num_tags .* got both"),
        ("many_to_many", {"input_dim": 3, "num_tags": 2, "casing_dim": 4}, "casing_dim is for"),
        ("many_to_many", {"input_dim": 3, "num_outputs": 2, "head": "crf"}, "neither a CRF nor"),
        (
            "encoder_decoder",
            {"target_vocabulary_size": 9},
            "give source_vocabulary_size .* neither",
        ),
        ("many_to_one", {"input_dim": 0, "num_classes": 2}, "input_dim must be a positive"),
        ("many_to_one", {"input_dim": 3, "num_classes": 2, "missing": "mean"}, "missing must be"),
        ("ctc", {"input_dim": 2, "num_labels": 3, "features": "log_mel"}, "reads a waveform"),
    ],
)
def test_what_does_not_fit_together_is_one_sentence(name, options, message):
    with pytest.raises(zoo.InputError, match=message):
        zoo.build(name, **options)


@pytest.mark.parametrize(
    ("missing", "number", "message"),
    [
        ("error", np.nan, "NaN or an infinite number .* missing='indicator'"),
        ("error", np.inf, "NaN or an infinite number"),
        ("indicator", -np.inf, "an infinite number within a sequence, expected finite"),
    ],
)
@pytest.mark.parametrize("in_graph", [False, True])
def test_a_number_that_cannot_be_read_is_one_sentence(missing, number, message, in_graph, values):
    model = zoo.build("many_to_one", input_dim=3, num_classes=2, units=2, missing=missing)
    broken = values.copy()
    broken[1, 2, 0] = number
    call = model.predict_on_batch if in_graph else model
    with pytest.raises(zoo.InputError, match=message):
        call({"values": broken, "lengths": LENGTHS})


def test_a_length_beyond_the_steps_is_one_sentence(values):
    model = zoo.build("many_to_one", input_dim=3, num_classes=2, units=2)
    with pytest.raises(zoo.InputError, match="lengths must be 0 to the number of steps"):
        model({"values": values, "lengths": np.array([8, 1, 1, 1], "int32")})


@pytest.mark.parametrize(
    ("options", "targets", "message"),
    [
        ({"vocabulary_size": 5, "num_classes": 2}, None, "reads no numbers: build it with input"),
        ({"input_dim": 3, "num_outputs": 2}, None, "expected targets"),
        ({"input_dim": 3, "num_classes": 2}, np.ones((4, 2)), "takes no targets"),
    ],
)
def test_statistics_that_a_model_cannot_have_are_refused(options, targets, message, values):
    model = zoo.build("many_to_one", units=2, **options)
    with pytest.raises(zoo.InputError, match=message):
        zoo.adapt(model, inputs_of("label", values), targets)


def test_a_column_without_a_number_is_named(values):
    model = zoo.build("many_to_one", input_dim=3, num_classes=2, units=2, missing="indicator")
    empty = values.copy()
    empty[:, :, 1] = np.nan
    with pytest.raises(zoo.InputError, match=r"column 1 \(from 0\) of the training data"):
        zoo.adapt(model, inputs_of("label", empty))


def test_sequences_scaled_by_their_own_values_do_not_know_their_level(values, eagerly):
    model = zoo.build("many_to_one", input_dim=3, num_classes=4, units=4, instance_norm="mean_std")
    zoo.adapt(model, {"values": values, "lengths": LENGTHS})
    assert np.allclose(model.get_layer("normalization").mean, 0, atol=1e-6)
    first = np.asarray(model({"values": values, "lengths": LENGTHS}))
    moved = values * [2, 3, 4] + [100, -5, 0]
    second = np.asarray(model({"values": moved, "lengths": LENGTHS}))
    np.testing.assert_allclose(second, first, atol=1e-4)
    with pytest.raises(InputError, match="^instance_norm scales numbers"):
        zoo.build("many_to_one", vocabulary_size=9, num_classes=2, instance_norm="mean_std")
