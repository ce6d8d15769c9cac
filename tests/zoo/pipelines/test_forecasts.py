"""The pipeline of forecasts: arrays in, quantiles out; served, saved and streamed."""

import json

import keras
import numpy as np
import pytest
import tensorflow as tf

import zoo
from zoo.errors import InputError
from zoo.pipelines import SeriesForecaster, load

HORIZON = 3


@pytest.fixture(scope="module")
def series():
    rng = np.random.default_rng(0)
    return [rng.normal(20, 3, (length, 2)).astype("float32") for length in (9, 4, 6)]


def built(series, **options):
    keras.utils.set_random_seed(2)
    model = zoo.build("forecaster", input_dim=2, horizon=HORIZON, units=4, **options)
    lengths = np.array([len(each) for each in series], "int32")
    values = np.stack([np.pad(each, [(0, 9 - len(each)), (0, 0)]) for each in series])
    inputs = {"values": values, "lengths": lengths}
    for name, size in (("future", (3, HORIZON, 1)), ("static", (3, 2))):
        if name in model.input:
            inputs[name] = np.random.default_rng(1).normal(size=size).astype("float32")
    zoo.adapt(model, inputs)
    return model, inputs


def test_series_of_any_lengths_are_forecast_as_the_model_does(series, module_eagerly):
    model, inputs = built(series)
    pipeline = SeriesForecaster(model)
    found = pipeline.forecast(series)
    expected = model.forecast(inputs)
    np.testing.assert_allclose(found["quantiles"], expected["quantiles"], rtol=1e-5)
    np.testing.assert_allclose(found["levels"], [[0.025, 0.1, 0.5, 0.9, 0.975]] * 3, rtol=1e-6)
    np.testing.assert_array_equal(pipeline(series)[1], found["forecast"][1])
    alone = pipeline.forecast(series[1:2])
    np.testing.assert_allclose(alone["quantiles"][0], found["quantiles"][1], rtol=1e-5)


def test_it_is_saved_and_loaded_with_its_description(series, tmp_path):
    options = {"future_dim": 1, "static_dim": 2, "decoder": "segment", "segment_length": 2}
    model, inputs = built(series, **options)
    pipeline = SeriesForecaster(model, {"columns": ["a"]}, seed=3)
    again = load(pipeline.save(tmp_path / "saved"))
    assert (again.description, again.seed, again.samples) == ({"columns": ["a"]}, 3, 200)
    covariates = {name: inputs[name] for name in ("future", "static")}
    np.testing.assert_array_equal(
        again.forecast(series, **covariates)["quantiles"],
        pipeline.forecast(series, **covariates)["quantiles"],
    )


def test_an_export_forecasts_describes_and_streams(series, tmp_path):
    options = {"output": "student_t", "decoder": "recurrent", "future_dim": 1}
    model, inputs = built(series, **options)
    pipeline = SeriesForecaster(model, {"columns": ["a"]}, samples=20)
    served = tf.saved_model.load(pipeline.export(tmp_path / "m")).signatures
    assert set(served) == {"serving_default", "description", "score", "start", "step"}
    tensors = {name: tf.constant(value) for name, value in inputs.items()}
    found = served["serving_default"](**tensors)
    assert found["forecast"].shape == (3, HORIZON, 1)
    np.testing.assert_allclose(
        found["quantiles"], pipeline.forecast(series, future=inputs["future"])["quantiles"]
    )
    text = served["description"](streams=tf.range(3))["description"].numpy()
    assert [json.loads(each) for each in text] == [{"columns": ["a"]}] * 3
    whole = served["score"](values=tensors["values"], lengths=tensors["lengths"])["score"]
    states, scores = dict(served["start"](streams=tf.range(3))), []
    for time in range(9):
        after = tensors["values"][:, min(time + 1, 8), 1:]
        answer = dict(served["step"](value=tensors["values"][:, time], next_future=after, **states))
        assert answer.pop("valid").numpy().all()
        scores.append(answer.pop("score").numpy())
        states = answer
    for row, length in enumerate(inputs["lengths"]):
        streamed = np.stack(scores, 1)[row, :length]
        np.testing.assert_allclose(streamed, whole[row, :length], atol=1e-5)
    again = pipeline.score(series)
    np.testing.assert_allclose(again[1], whole[1, :4], atol=1e-5)


@pytest.mark.parametrize(
    ("rows", "covariates", "message"),
    [
        ([np.ones((4, 3))], {}, r"series 0 has the shape \(4, 3\), expected .* of 2 numbers"),
        ([np.ones((4, 2)), np.ones(4)], {}, r"series 1 has the shape \(4,\)"),
        ([np.ones((4, 2))], {"future": np.ones((1, 3, 1))}, "takes no covariates, got future"),
        ([np.full((4, 2), np.nan)], {}, "series 0: values have a NaN or an infinite number"),
    ],
)
def test_other_arrays_are_refused_in_a_sentence(rows, covariates, message, series):
    model, _ = built(series)
    with pytest.raises(InputError, match=message):
        SeriesForecaster(model).forecast(rows, **covariates)


def test_a_model_that_is_no_forecaster_is_refused():
    model = zoo.build("many_to_one", input_dim=2, num_classes=2, units=2)
    with pytest.raises(InputError, match=r"not a model of zoo.build\('forecaster', ...\)"):
        SeriesForecaster(model)


def test_a_row_that_cannot_be_read_is_not_valid_and_changes_no_other(series, module_eagerly):
    model, inputs = built(series, future_dim=1)
    served = SeriesForecaster(model).signatures()["serving_default"].function
    tensors = {name: tf.constant(value) for name, value in inputs.items()}
    first = served(**tensors)
    values, future = inputs["values"].copy(), inputs["future"].copy()
    values[0, 2, 0], future[1, 1, 0] = np.nan, np.inf
    found = served(**{**tensors, "values": tf.constant(values), "future": tf.constant(future)})
    assert found["valid"].numpy().tolist() == [False, False, True]
    np.testing.assert_array_equal(found["quantiles"][2], first["quantiles"][2])
    np.testing.assert_array_equal(found["quantiles"][:2], np.zeros([2, HORIZON, 1, 5]))


def test_covariates_have_a_row_for_each_series(series):
    model, _ = built(series, static_dim=2)
    with pytest.raises(InputError, match=r"static has the shape \(2, 2\), expected .* 3 series"):
        SeriesForecaster(model).forecast(series, static=np.ones((2, 2)))


def test_drawn_forecasts_of_a_series_are_the_same_alone_and_beside_others(series, module_eagerly):
    model, _ = built(series, decoder="recurrent", output="student_t")
    pipeline = SeriesForecaster(model, samples=30, seed=4)
    together = pipeline.forecast(series)["quantiles"]
    alone = pipeline.forecast(series[1:2])["quantiles"]
    np.testing.assert_allclose(alone[0], together[1], rtol=1e-5)
    other = SeriesForecaster(model, samples=30, seed=5).forecast(series)["quantiles"]
    assert np.abs(other - together).max() > 0.01
