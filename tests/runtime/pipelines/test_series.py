"""Series of numbers -> labels, texts, forecasts: the runtime's answers are the pipeline's."""

import numpy as np
import pytest
import tensorflow as tf

import zoo
from rnn_zoo_runtime import InputError
from tests.references.weights import assign_random
from tests.runtime.pipelines.bundles import agree, pair
from tests.serving_rules import functions_of
from tests.sweeps import swept
from tests.zoo.pipelines import test_serving_rules as built
from tests.zoo.pipelines.test_forecasts import built as built_forecaster
from zoo.pipelines import SeriesForecaster, SignalClassifier

FORECASTERS = {
    "quantiles": {"future_dim": 1, "static_dim": 2, "decoder": "segment", "segment_length": 2},
    "student_t": {"output": "student_t", "decoder": "direct", "missing": "indicator"},
    "negative_binomial": {"output": "negative_binomial", "decoder": "direct"},
    "drawn": {
        "output": "student_t",
        "decoder": "recurrent",
        "future_dim": 1,
        "instance_norm": "mean_std",
    },
}


def rows(width, lengths=(9, 1, 30, 4), seed=0):
    draw = np.random.default_rng(seed)
    return [draw.normal(size=(length, width)).astype("float32") for length in lengths]


@pytest.fixture(scope="module")
def signals(tmp_path_factory):
    model = zoo.build("many_to_one", input_dim=2, num_classes=3, units=4, bidirectional=False)
    zoo.adapt(model, built.series_of(2))
    pipeline = SignalClassifier(assign_random(model), ["a", "b", "c"])
    return pair(pipeline, tmp_path_factory.mktemp("signals"))


@pytest.fixture(scope="module")
def digits(tmp_path_factory):
    return pair(built.digits(), tmp_path_factory.mktemp("digits"))


@pytest.fixture(
    scope="module", params=swept(FORECASTERS, lambda kind: kind in ("quantiles", "drawn"))
)
def forecaster(request, tmp_path_factory):
    draw = np.random.default_rng(0)
    counts = [draw.poisson(20, (length, 2)).astype("float32") for length in (9, 4, 6)]
    model, inputs = built_forecaster(counts, **FORECASTERS[request.param])
    pipeline = SeriesForecaster(model, {"columns": ["a"]})
    known = {name: inputs[name] for name in ("future", "static") if name in inputs}
    return pair(pipeline, tmp_path_factory.mktemp(request.param)), counts, known


def test_series_are_classified_as_in_the_pipeline(signals):
    agree(signals.own.classify(rows(2)), signals.pipeline.classify(rows(2)))
    array = np.stack(rows(2, lengths=(5, 5, 5)))
    found = signals.own.classify(array, lengths=[5, 2, 1])
    agree(found, signals.pipeline.classify(array, lengths=[5, 2, 1]))
    assert signals.own(array[0]) == signals.pipeline(array[0])


def test_a_stream_of_steps_answers_as_the_signature_and_skips_what_is_no_number(signals):
    functions = functions_of(signals.pipeline)
    states = functions["start"](streams=tf.range(2))
    stream = signals.own.stream(2)
    values = np.stack(rows(2, lengths=(6, 6)))
    values[0, 3] = np.nan
    for step in range(6):
        found = dict(functions["step"](values=tf.constant(values[:, step]), **states))
        states = {name: found.pop(name) for name in states}
        answer = stream.step(values[:, step])
        np.testing.assert_allclose(answer["probabilities"], found["probabilities"], atol=1e-4)
        np.testing.assert_array_equal(answer["valid"], found["valid"])
        assert answer["label"].tolist() == [each.decode() for each in found["label"].numpy()]
    whole = signals.own.classify(values[1])
    np.testing.assert_allclose(answer["probabilities"][1], whole["probabilities"][0], atol=1e-5)


@pytest.mark.parametrize("greedy", [True, False])
def test_recordings_are_transcribed_as_in_the_pipeline(digits, greedy):
    waves = rows(1, lengths=(400, 90, 1, 2000), seed=3)
    found = digits.own.transcribe(waves, greedy=greedy)
    agree(found, digits.pipeline.transcribe(waves, greedy=greedy))
    assert digits.own.sample_rate == digits.pipeline.sample_rate > 0
    assert digits.own(waves[0][:, 0]) == digits.pipeline(waves[0][:, 0])


def test_series_are_forecast_as_in_the_pipeline(forecaster):
    both, counts, known = forecaster
    agree(both.own.forecast(counts, **known), both.pipeline.forecast(counts, **known))
    assert both.own.description == {"columns": ["a"]}
    if known:
        wrong = known | {"future": np.full_like(known["future"], np.inf)}
        agree(both.own.forecast(counts, **wrong), both.pipeline.forecast(counts, **wrong))


@pytest.mark.parametrize("missing", ["error", "indicator"])
def test_values_are_scored_and_streamed_as_in_the_pipeline(missing, tmp_path):
    options = {"output": "normal", "decoder": "direct", "missing": missing}
    counts = [row + 20 for row in rows(2, lengths=(9, 4, 6))]
    model, _ = built_forecaster(counts, **options, future_dim=1, static_dim=2, bidirectional=False)
    both = pair(SeriesForecaster(model), tmp_path)
    static = np.ones((3, 2), np.float32)
    found, expected = (
        both.own.score(counts, static=static),
        both.pipeline.score(counts, static=static),
    )
    for a, b in zip(found, expected, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-4)
    stream = both.own.stream(1)
    values = np.array(counts[0])
    known = {"static": static[:1], "next_future": values[1:2, 1:]}
    assert stream.step(values[:1], **known)["score"].tolist() == [[0.0]]
    skipped = stream.step([[np.inf, 1.0]], **known)
    assert (skipped["score"].tolist(), skipped["valid"].tolist()) == ([[0.0]], [False])
    answer = stream.step(values[1:2], **known | {"next_future": values[2:3, 1:]})
    np.testing.assert_allclose(answer["score"], expected[0][1:2], rtol=1e-4, atol=1e-4)


def test_wrong_input_is_one_sentence(signals, forecaster):
    both, counts, known = forecaster
    for call, message in (
        (lambda: signals.own.classify(np.zeros((4, 3))), r"series 0 has the shape \(4, 3\)"),
        (lambda: signals.own.classify([]), "there is no series to answer"),
        (lambda: signals.own.classify([[[np.inf, 0.0]]]), "series 0 has a number that is not"),
        (lambda: signals.own.stream().step([1.0, 2.0]), r"a step has the shape \(2,\)"),
        (lambda: both.own.forecast(counts, other=1), "the model takes .*, got other"),
    ):
        with pytest.raises(InputError, match=message):
            call()
