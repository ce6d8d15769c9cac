"""Forecasters: scaling, decoders, heads, paths and scores of new values."""

import keras
import numpy as np
import pytest

import zoo
from zoo.architectures.forecaster_ensemble import ForecasterEnsemble
from zoo.layers.numeric import WindowScale
from zoo.layers.numeric.channels import Channels, Places, Segments

LENGTHS = np.array([12, 7, 3], "int32")
HORIZON = 5
KINDS = {
    "direct": {},
    "direct, covariates": {"future_dim": 2, "static_dim": 2, "output": "normal"},
    "counts": {"output": "negative_binomial", "instance_norm": "mean", "bidirectional": True},
    "separate": {"channels": "separate", "missing": "indicator", "output": "student_t"},
    "segment": {"decoder": "segment", "segment_length": 3, "instance_norm": "last"},
    "segment, separate": {
        "decoder": "segment",
        "segment_length": 2,
        "channels": "separate",
        "future_dim": 1,
        "static_dim": 1,
    },
    "recurrent": {"decoder": "recurrent", "output": "normal", "instance_norm": "mean_std"},
    "recurrent, all": {
        "decoder": "recurrent",
        "output": "student_t",
        "future_dim": 2,
        "static_dim": 1,
        "channels": "separate",
        "num_layers": 2,
    },
}


def data_of(options, targets=2):
    rng = np.random.default_rng(5)
    known = options.get("future_dim", 0)
    values = rng.normal(50, 9, (3, 12, targets + known)).astype("float32")
    values[..., targets:] = rng.normal(0, 1, (3, 12, known))
    inputs = {"values": values, "lengths": LENGTHS}
    if known:
        inputs["future"] = rng.normal(0, 1, (3, HORIZON, known)).astype("float32")
    if options.get("static_dim"):
        inputs["static"] = rng.normal(0, 1, (3, options["static_dim"])).astype("float32")
    return inputs


def built(options, targets=2):
    inputs = data_of(options, targets)
    size = inputs["values"].shape[-1]
    keras.utils.set_random_seed(1)
    model = zoo.build("forecaster", input_dim=size, horizon=HORIZON, units=4, **options)
    zoo.adapt(model, inputs)
    fed = dict(inputs)
    if model.draws:
        fed["targets"] = np.random.default_rng(6).normal(50, 9, (3, HORIZON, 2)).astype("float32")
    return model, inputs, fed


@pytest.mark.parametrize("kind", KINDS)
def test_a_forecast_does_not_depend_on_the_padding_and_is_kept_in_a_file(kind, tmp_path, eagerly):
    model, inputs, fed = built(KINDS[kind])
    first = np.asarray(model(fed))
    assert first.shape == (3, HORIZON, 2, model.head.size)
    longer = np.pad(fed["values"], [(0, 0), (0, 4), (0, 0)])
    for row, length in enumerate(LENGTHS):
        longer[row, length:] = np.inf
    np.testing.assert_allclose(model({**fed, "values": longer}), first, rtol=1e-5)
    model.save(tmp_path / "model.keras")
    again = keras.models.load_model(tmp_path / "model.keras")
    np.testing.assert_array_equal(again(fed), first)
    found = again.forecast(inputs, samples=20)
    assert found["forecast"].shape == (3, HORIZON, 2)
    quantiles = np.asarray(found["quantiles"])
    assert quantiles.shape == (3, HORIZON, 2, 5)
    assert np.all(np.diff(quantiles, axis=-1) >= 0)
    np.testing.assert_array_equal(found["forecast"], quantiles[..., 2])
    np.testing.assert_array_equal(found["forecast"], model.forecast(inputs, 20)["forecast"])


@pytest.mark.parametrize(
    "options",
    [
        {"instance_norm": "mean_std"},
        {"instance_norm": "mean_std", "decoder": "recurrent", "output": "normal"},
        {"instance_norm": "mean_std", "decoder": "segment", "segment_length": 4},
    ],
)
def test_a_window_in_other_units_has_the_forecast_in_those_units(options, eagerly):
    model, _, fed = built(options)
    moved = {name: x if name == "lengths" else x * 3 + 100 for name, x in fed.items()}
    first, second = np.asarray(model(fed)), np.asarray(model(moved))
    if model.head.distribution is None:
        np.testing.assert_allclose(second, first * 3 + 100, rtol=1e-4)
    else:
        np.testing.assert_allclose(second[..., 0], first[..., 0] * 3 + 100, rtol=1e-4)
        np.testing.assert_allclose(second[..., 1], first[..., 1] * 3, rtol=1e-4)


def test_separate_channels_are_forecast_from_their_own_values_by_the_same_weights(eagerly):
    model, _, fed = built({"channels": "separate"})
    first = np.asarray(model(fed))
    changed = fed["values"].copy()
    changed[..., 1] += 20
    second = np.asarray(model({**fed, "values": changed}))
    np.testing.assert_array_equal(second[:, :, 0], first[:, :, 0])
    assert np.abs(second[:, :, 1] - first[:, :, 1]).max() > 0.1


def test_channels_have_their_own_target_its_indicator_and_what_is_no_target():
    vectors = np.arange(8.0, dtype="float32").reshape(1, 1, 8)  # a, b, c, d and their indicators
    found = Channels(targets=2, indicators=True)(vectors)
    np.testing.assert_array_equal(found, [[[0, 2, 3, 4, 6, 7]], [[1, 2, 3, 5, 6, 7]]])


def test_segments_end_at_each_rows_last_step():
    values = np.array([[1.0, 2, 3, 4, 5], [6, 7, 8, 9, 9], [1, 9, 9, 9, 9]])[..., None]
    mask = np.arange(5)[None] < np.array([[5], [3], [1]])
    segments, real = Segments(2)(values.astype("float32"), mask)
    np.testing.assert_array_equal(
        segments, [[[0, 1], [2, 3], [4, 5]], [[0, 6], [7, 8], [0, 0]], [[0, 1], [0, 0], [0, 0]]]
    )
    np.testing.assert_array_equal(np.asarray(real).sum(1), [3, 2, 1])


@pytest.mark.parametrize(
    ("kind", "shift", "scale"),
    [
        ("none", [0, 0], [1, 1]),
        ("last", [5, 0], [1, 1]),
        ("mean_std", [4, 0], [np.sqrt(2 / 3), 1]),
        ("mean", [0, 0], [4, 1]),
    ],
)
def test_a_window_is_scaled_by_its_observed_values(kind, shift, scale):
    values = np.array([[[4.0, 1], [np.nan, 2], [3, 3], [5, 4], [np.nan, 5], [99, 6]]], "float32")
    mask = np.array([[True] * 5 + [False]])
    found = WindowScale(kind, targets=1)(values, mask)
    np.testing.assert_allclose(np.asarray(found[0])[0, 0], shift, rtol=1e-6)
    np.testing.assert_allclose(np.asarray(found[1])[0, 0], scale, rtol=1e-6)


@pytest.mark.parametrize("kind", ["last", "mean_std", "mean"])
def test_a_constant_and_an_empty_window_have_finite_forecasts(kind, eagerly):
    model = zoo.build(
        "forecaster", input_dim=1, horizon=2, units=3, instance_norm=kind, missing="indicator"
    )
    values = np.array([[[7.0]] * 4, [[0.0]] * 4, [[np.nan]] * 4], "float32")
    lengths = np.array([4, 4, 0], "int32")
    found = model.forecast({"values": values, "lengths": lengths})["quantiles"]
    assert np.all(np.isfinite(found))


def test_teacher_forcing_feeds_the_value_before_each_step(eagerly):
    model, _, fed = built({"decoder": "recurrent", "output": "normal"})
    first = np.asarray(model(fed))
    changed = fed["targets"].copy()
    changed[:, 2] += 5
    second = np.asarray(model({**fed, "targets": changed}))
    np.testing.assert_array_equal(second[:, :3], first[:, :3])
    assert np.abs(second[:, 3] - first[:, 3]).max() > 1e-3


def test_paths_have_the_distribution_of_the_next_value(eagerly):
    model, inputs, fed = built({"decoder": "recurrent", "output": "normal", "future_dim": 1})
    paths = np.asarray(model.paths(inputs, samples=4000, seed=1))
    assert paths.shape == (3, 4000, HORIZON, 2)
    parameters = np.asarray(model(fed))[:, 0]  # the first step's do not depend on what is fed
    np.testing.assert_allclose(paths[:, :, 0].mean(1), parameters[..., 0], atol=0.6)
    np.testing.assert_allclose(paths[:, :, 0].std(1), parameters[..., 1], rtol=0.06)
    one = {**fed, "targets": paths[:, 5]}
    again = np.asarray(model(one))[:, 4]  # the last step's, fed with a drawn path
    assert np.all(np.abs(paths[:, 5, 4] - again[..., 0]) < 5 * again[..., 1])


@pytest.mark.parametrize(
    "options",
    [
        {"output": "normal", "future_dim": 2, "static_dim": 1},
        {"decoder": "recurrent", "output": "student_t", "channels": "separate", "cell": "gru"},
    ],
)
def test_scores_of_a_stream_are_those_of_the_whole_series(options, eagerly):
    model, inputs, _ = built({**options, "missing": "indicator"})
    values = inputs["values"].copy()
    values[0, 4, 0] = np.nan
    values = values.astype("float32")
    whole = np.asarray(model.score({**inputs, "values": values}))
    states, found = model.initial_states(3), []
    for time in range(12):
        after = values[:, min(time + 1, 11), 2:] if options.get("future_dim") else None
        losses, states = model.step(values[:, time], states, after, inputs.get("static"))
        found.append(np.asarray(losses))
    found = np.stack(found, 1)
    for row, length in enumerate(LENGTHS):
        np.testing.assert_allclose(whole[row, :length], found[row, :length], atol=1e-5)
        np.testing.assert_array_equal(whole[row, length:], 0)
    assert whole[0, 4, 0] == 0 and np.all(whole[:, 0] == 0)
    assert np.all(whole[0, 1:, 1] != 0)


def test_a_score_is_the_negative_log_likelihood_of_each_value_given_those_before(eagerly):
    model, inputs, fed = built({"decoder": "recurrent", "output": "normal"})
    series = np.concatenate([inputs["values"], fed["targets"]], axis=1)[:1]
    whole = np.asarray(model.score({"values": series, "lengths": np.array([17], "int32")}))
    loc, sigma = np.moveaxis(np.asarray(model({n: v[:1] for n, v in fed.items()})), -1, 0)
    z = (fed["targets"][:1] - loc) / sigma
    expected = z**2 / 2 + np.log(sigma) + np.log(2 * np.pi) / 2
    np.testing.assert_allclose(whole[:, 12:], expected, rtol=1e-4)


def test_a_score_of_a_direct_decoder_is_that_of_its_first_step(eagerly):
    model, inputs, _ = built({"output": "normal", "future_dim": 1})
    series = inputs["values"][:1]
    whole = np.asarray(model.score({"values": series, "lengths": np.array([12], "int32")}))
    known = np.repeat(series[:, 9:10, 2:], HORIZON, axis=1)  # of the next step, and of the others
    past = {"values": series[:, :9], "lengths": np.array([9], "int32"), "future": known}
    loc, sigma = np.moveaxis(np.asarray(model(past))[:, 0], -1, 0)
    z = (series[:, 9, :2] - loc) / sigma
    expected = z**2 / 2 + np.log(sigma) + np.log(2 * np.pi) / 2
    np.testing.assert_allclose(whole[:, 9], expected, rtol=1e-4)


def test_places_have_the_vector_of_their_position_beside_that_of_their_channel():
    layer = Places(positions=2, channels=3, size=5)
    found = layer(np.zeros((6, 4), "float32")).numpy()
    position, channel = layer.position.numpy(), layer.channel.numpy()
    assert 0.5 < position.std() < 1.5
    for one in range(3):
        for place in range(2):
            expected = np.concatenate([position[place], channel[one]])
            np.testing.assert_array_equal(found[one, place], expected)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"vocabulary_size": 3}, "has no option 'vocabulary_size'"),
        ({"input_dim": 2, "num_targets": 3}, "num_targets must be 1 to 2"),
        ({"input_dim": 2, "future_dim": 2}, "num_targets must be 1 to 0"),
        ({"input_dim": 2, "decoder": "recurrent"}, "draws from a distribution, got .*quantiles"),
        (
            {"input_dim": 3, "num_targets": 1, "decoder": "recurrent", "output": "normal"},
            "each column must be a target or a covariate",
        ),
        ({"input_dim": 2, "decoder": "segment", "bidirectional": True}, "goes on from the last"),
        (
            {"input_dim": 2, "output": "negative_binomial", "instance_norm": "last"},
            "is for counts, got instance_norm 'last'",
        ),
        ({"input_dim": 2, "quantiles": [0.5, 0.1]}, "levels in increasing order"),
        ({"input_dim": 2, "quantiles": [0.1, 0.9]}, "must contain 0.5, the median"),
        ({"input_dim": 2, "decoder": "dirct"}, "did you mean 'direct'"),
        ({}, "forecaster reads numbers: give input_dim"),
    ],
)
def test_what_does_not_fit_together_is_one_sentence(options, message):
    with pytest.raises(zoo.InputError, match=message):
        zoo.build("forecaster", horizon=3, **options)


def test_what_a_model_cannot_do_is_one_sentence(eagerly):
    model, inputs, _ = built({"decoder": "segment"})
    with pytest.raises(zoo.InputError, match="the decoder 'recurrent' alone"):
        model.paths(inputs)
    with pytest.raises(zoo.InputError, match="score of each new value needs a distribution"):
        model.score(inputs)
    with pytest.raises(zoo.InputError, match="score of each new value needs a distribution"):
        model.initial_states(2)


def test_an_ensemble_averages_the_quantiles_of_its_members_and_is_kept_in_a_file(tmp_path, eagerly):
    inputs, models = data_of({}), []
    for seed in (1, 2):
        keras.utils.set_random_seed(seed)
        model = zoo.build("forecaster", input_dim=2, horizon=HORIZON, units=4)
        zoo.adapt(model, inputs)
        models.append(model)
    ensemble = ForecasterEnsemble.of_members(models)
    expected = np.mean([model.forecast(inputs)["quantiles"] for model in models], axis=0)
    np.testing.assert_allclose(ensemble.forecast(inputs)["quantiles"], expected, rtol=1e-6)
    ensemble.save(tmp_path / "model.keras")
    again = keras.models.load_model(tmp_path / "model.keras")
    assert len(again.members) == 2 and again.head.quantiles == models[0].head.quantiles
    np.testing.assert_allclose(again.forecast(inputs)["quantiles"], expected, rtol=1e-6)


def test_members_that_differ_make_no_ensemble():
    one, other = (zoo.build("forecaster", input_dim=1, horizon=h, units=2) for h in (2, 3))
    with pytest.raises(zoo.InputError, match=r"member 1 \(from 0\) differs from the first"):
        ForecasterEnsemble.of_members([one, other])
    with pytest.raises(zoo.InputError, match="one forecaster or more, got none"):
        ForecasterEnsemble.of_members([])


def test_a_segrnn_starts_from_pytorchs_weights_but_for_those_that_are_given():
    """Uniform within 1 / sqrt(inputs), biases, too, as in the authors' program."""
    sizes = {"input_dim": 2, "horizon": 8, "cell": "gru", "units": 64}
    sizes |= {"decoder": "segment", "segment_length": 4}
    model = zoo.build("forecaster", **sizes)
    inputs = {"segment_vector": 4, "encoder": 64, "outputs": 64}
    for name, count in inputs.items():
        for weight in model.get_layer(name).weights:
            values = weight.numpy()
            assert np.abs(values).max() <= count**-0.5, weight.path
            assert values.std() == pytest.approx((3 * count) ** -0.5, rel=0.25), weight.path
    own = zoo.build("forecaster", **sizes, cell_options={"bias_initializer": "zeros"})
    kernel, recurrent, bias = own.get_layer("encoder").weights
    assert not bias.numpy().any() and np.abs(recurrent.numpy()).max() <= 1 / 8
    assert abs(np.corrcoef(kernel.numpy().ravel(), recurrent.numpy().ravel())[0, 1]) < 0.1
    direct = zoo.build("forecaster", **{**sizes, "decoder": "direct"})
    assert not direct.get_layer("outputs").bias.numpy().any()
