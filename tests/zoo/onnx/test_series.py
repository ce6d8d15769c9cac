"""Models of numbers in ONNX Runtime against Keras: gaps, padding, sound, segments, intervals."""

import numpy as np
import pytest

import zoo
from tests.sweeps import swept
from tests.zoo.onnx.running import assert_same, run, session
from tests.zoo.onnx.test_models import assert_served, build
from zoo.architectures.forecaster_ensemble import ForecasterEnsemble
from zoo.errors import InputError
from zoo.onnx import series

SMALL = {"units": 4, "bidirectional": False}
FORECASTERS = {
    "direct": {"decoder": "direct", "instance_norm": "last", "future_dim": 1, "static_dim": 2},
    "normal": {"decoder": "direct", "output": "normal", "instance_norm": "mean_std"},
    "counts": {"decoder": "direct", "output": "negative_binomial", "instance_norm": "mean"},
    "segments": {
        "decoder": "segment",
        "segment_length": 2,
        "channels": "separate",
        "num_layers": 2,
        "cell": "gru",
        "missing": "indicator",
        "instance_norm": "last",
    },
}


def values_of(model, rows=4, time=7, gaps=False, seed=0):
    draw = np.random.default_rng(seed)
    values = draw.normal(2.0, 1.0, size=(rows, time, model.input["values"].shape[-1]))
    if gaps:
        values[draw.random(values.shape) < 0.2] = np.nan
    return values.astype("float32")


def assert_same_on(model, graph, **given):
    expected = model(given, training=False)
    (found,) = run(session(graph.file), **given).values()
    assert_same(expected, found)
    return found


def test_a_classifier_of_series_with_gaps():
    model = build(
        "many_to_one",
        input_dim=2,
        num_classes=3,
        missing="indicator",
        instance_norm="mean_std",
        pooling="mean",
        **SMALL,
    )
    graphs = series.classifier(model, can_stream=False)
    assert_served(graphs, "model")
    lengths = np.array([7, 0, 3, 1], np.int32)
    values = values_of(model, gaps=True)
    found = assert_same_on(model, graphs["model"], values=values, lengths=lengths)
    values[2, 3:] = 99.0  # padding
    assert_same(found, assert_same_on(model, graphs["model"], values=values, lengths=lengths))


def test_steps_of_a_series_are_the_whole_series():
    model = build("many_to_one", input_dim=2, num_classes=3, cell="gru", **SMALL)
    model.get_layer("normalization").adapt(values_of(model))
    graphs = series.classifier(model, can_stream=True)
    assert_served(graphs, "model", "start", "step")
    values = values_of(model, rows=1)
    states = run(session(graphs["start"].file), streams=np.zeros(1, np.int32))
    step = session(graphs["step"].file)
    for time in range(7):
        after = run(step, value=values[:, time], **states)
        states = {name: after[f"next_{name}"] for name in states}
    whole = model({"values": values, "lengths": np.array([7])})
    assert_same(whole, after["logits"])


def test_a_transcriber_of_sound():
    model = build(
        "ctc",
        input_dim=1,
        num_labels=3,
        features="log_mel",
        sample_rate=2000,
        mel_bands=5,
        units=4,
    )
    graphs = series.transcriber(model)
    values = values_of(model, rows=3, time=210) - 2
    lengths = np.array([210, 0, 101], np.int32)
    found = assert_same_on(model, graphs["model"], values=values, lengths=lengths)
    assert found.shape == (3, 11, 4)
    assert series.numbers(model) == {
        "input_dim": 1,
        "missing": "error",
        "sample_rate": 2000,
        "hop": 20,
    }


@pytest.mark.parametrize(
    "form", swept(FORECASTERS, lambda form: form in ("direct", "segments", "normal"))
)
def test_a_forecaster(form):
    model = build("forecaster", input_dim=3, horizon=5, **{**SMALL, **FORECASTERS[form]})
    graphs = series.forecaster(positive(model))
    name = "quantiles" if model.head.distribution is None else "parameters"
    streams = form in ("counts",) and model.can_stream
    assert_served(graphs, "model", *(["start", "step"] if streams else []))
    assert name in graphs["model"].expected
    assert ("quantiles" in graphs["model"].expected) == (form != "counts")
    gaps = FORECASTERS[form].get("missing") == "indicator"
    given = {
        **graphs["model"].probe,
        "values": values_of(model, time=5, gaps=gaps),
    }
    found = run(session(graphs["model"].file), **given)[name]
    assert_same(model(given, training=False), found)


def test_an_ensemble_is_the_mean_of_its_members():
    members = [build("forecaster", seed, input_dim=1, horizon=2, **SMALL) for seed in (1, 2)]
    model = ForecasterEnsemble.of_members(members)
    graphs = series.forecaster(model)
    assert_served(graphs, "model")
    assert_same(
        model.forecast(graphs["model"].probe)["quantiles"], graphs["model"].expected["quantiles"]
    )


def positive(model):
    """A deviation is positive."""
    for layer in model.layers:
        for weight in layer.weights if "scale" in layer.name else []:
            weight.assign(np.abs(weight))
    return model


def test_a_forecaster_that_draws_reads_a_window_and_then_its_own_values():
    options = {"num_layers": 2, "future_dim": 1, "static_dim": 2}
    model = positive(build("deepar", input_dim=2, horizon=4, units=4, **options))
    graphs = series.forecaster(model)
    assert_served(graphs, "read", "step")
    draw = np.random.default_rng(4)
    values, targets = values_of(model, rows=2), values_of(model, rows=2, time=4, seed=1)
    given = {
        "values": values,
        "lengths": np.array([7, 3], np.int32),
        "future": draw.normal(size=(2, 4, 1)).astype("float32"),
        "static": draw.normal(size=(2, 2)).astype("float32"),
    }
    expected = model({**given, "targets": targets[..., :1]}, training=False)
    static, future = given["static"], given.pop("future")
    states = run(session(graphs["read"].file), **given, next_future=future[:, 0])
    assert_same(expected[:, 0], states["parameters"])
    step = session(graphs["step"].file)
    for time in range(3):
        value = np.concatenate([targets[:, time, :1], future[:, time]], axis=-1)
        after = run(step, value=value, next_future=future[:, time + 1], static=static, **states)
        states = {name: after[f"next_{name}"] for name in states}
        assert_same(expected[:, time + 1], states["parameters"])


def test_a_stream_of_values_has_the_distribution_of_each_next_value():
    model = positive(build("forecaster", input_dim=1, horizon=3, output="student_t", **SMALL))
    graphs = series.forecaster(model)
    assert_served(graphs, "model", "start", "step")
    values = values_of(model, rows=1)
    states = run(session(graphs["start"].file), streams=np.zeros(1, np.int32))
    own = model.initial_states(1)
    step = session(graphs["step"].file)
    for time in range(4):
        after = run(step, value=values[:, time], **states)
        states = {name: after[f"next_{name}"] for name in states}
        _, own = model.step(values[:, time], own)
        assert_same(own["parameters"], states["parameters"])


def test_steps_of_separate_channels_are_refused():
    model = zoo.build("deepar", input_dim=2, horizon=2, units=4, channels="separate")
    with pytest.raises(InputError, match="channels 'separate' cannot be written as ONNX"):
        series.forecaster(model)
