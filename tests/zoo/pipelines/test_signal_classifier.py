"""The pipeline of series: raw numbers in, labels out; step by step as at once; served as saved."""

import keras
import numpy as np
import pytest
import tensorflow as tf

import zoo
from tests.references.weights import assign_random
from tests.serving_rules import functions_of
from zoo.errors import InputError
from zoo.layers.numeric import pad_series
from zoo.pipelines import SignalClassifier, load

CLASSES = ["up", "down", "né"]
RNG = np.random.default_rng(5)
SERIES = [RNG.normal(20, 4, (n, 2)).astype(np.float32) for n in (6, 1, 9, 4)]


def built(series=SERIES, **options):
    model = zoo.build(
        "many_to_one", input_dim=series[0].shape[1], num_classes=3, units=4, **options
    )
    zoo.adapt(model, pad_series(series))
    return SignalClassifier(assign_random(model), CLASSES)


@pytest.fixture(scope="module")
def classifier():
    return built()


def softmax(logits):
    powers = np.exp(logits - logits.max(axis=-1, keepdims=True))
    return powers / powers.sum(axis=-1, keepdims=True)


def test_probabilities_are_those_of_the_model_in_the_order_of_the_series(classifier):
    expected = softmax(np.asarray(classifier.model(pad_series(SERIES))))
    found = classifier.classify(SERIES)
    np.testing.assert_allclose(found["probabilities"], expected, atol=1e-6)
    best = [CLASSES[place] for place in expected.argmax(axis=-1)]
    assert found["label"].tolist() == best == classifier(SERIES)
    assert found["classes"].tolist() == [CLASSES] * 4 and found["valid"].all()


def test_one_series_and_an_array_with_lengths_are_taken_too(classifier):
    expected = classifier.classify(SERIES)["probabilities"]
    np.testing.assert_allclose(
        classifier.classify(SERIES[2])["probabilities"], expected[2:3], atol=1e-6
    )
    inputs = pad_series(SERIES)
    inputs["values"][1, 1:] = np.nan
    found = classifier.classify(inputs["values"], inputs["lengths"])["probabilities"]
    np.testing.assert_allclose(found, expected, atol=1e-6)


@pytest.mark.parametrize(
    ("series", "sentence"),
    [
        ([np.zeros((3, 3))], r"series 0 has the shape \(3, 3\), expected one step or more of 2"),
        ([SERIES[0], np.zeros((0, 2))], r"series 1 has the shape \(0, 2\)"),
        ([np.full((2, 2), np.nan)], "series 0: values have a NaN or an infinite number"),
        ([], "there is no series to answer"),
    ],
)
def test_series_that_do_not_fit_are_one_sentence(series, sentence, classifier):
    with pytest.raises(InputError, match=f"^{sentence}"):
        classifier(series)


def test_a_served_row_that_is_not_valid_has_no_label_and_changes_no_other(classifier):
    function = functions_of(classifier)["serving_default"]
    inputs = pad_series(SERIES)
    expected = classifier.classify(SERIES)["probabilities"]
    inputs["values"][2, 3, 1] = np.inf
    inputs["values"][1, 5] = np.nan  # in the padding
    inputs["lengths"][3] = -2
    found = function(**{name: tf.constant(value) for name, value in inputs.items()})
    assert found["valid"].numpy().tolist() == [True, True, False, False]
    assert found["label"].numpy()[2:].tolist() == [b"", b""]
    assert not found["probabilities"].numpy()[2:].any()
    np.testing.assert_allclose(found["probabilities"][:2], expected[:2], atol=1e-6)
    inputs = {"values": tf.constant(SERIES[0][None]), "lengths": tf.constant([99])}
    np.testing.assert_allclose(function(**inputs)["probabilities"], expected[:1], atol=1e-6)
    empty = {"values": tf.zeros([2, 0, 2]), "lengths": tf.zeros([2], tf.int32)}
    assert not function(**empty)["valid"].numpy().any()


@pytest.mark.parametrize(
    "options",
    [
        {"cell": "lstm"},
        {"cell": "gru", "num_layers": 2, "residual": True, "missing": "indicator"},
        {"cell": "slstm", "dense_layers": 1},
    ],
)
def test_steps_give_the_probabilities_of_the_series_up_to_them(options, eagerly):
    classifier = built(**options)
    functions = functions_of(classifier)
    whole = SERIES[2].copy()
    if classifier.allows_missing:
        whole[4, 1] = np.nan
    prefixes = [whole[: end + 1] for end in range(len(whole))]
    expected = classifier.classify(prefixes)
    states = functions["start"](streams=tf.zeros([1], tf.int32))
    for place, values in enumerate(whole):
        answer = dict(functions["step"](values=tf.constant(values[None]), **states))
        states = {name: answer.pop(name) for name in states}
        np.testing.assert_allclose(
            answer["probabilities"], expected["probabilities"][place][None], atol=1e-5
        )
        assert answer["label"].numpy()[0].decode() == expected["label"][place]
    bad = functions["step"](values=tf.constant([[np.inf, 1.0]]), **states)
    assert not bad["valid"].numpy()[0] and bad["label"].numpy()[0] == b""
    for name, state in states.items():
        np.testing.assert_array_equal(bad[name], state)


def test_only_a_model_whose_last_state_is_read_streams(classifier):
    assert set(functions_of(classifier)) == {"serving_default", "start", "step"}
    for options in (
        *({"bidirectional": True}, {"pooling": "mean"}, {"pooling": "concat"}),
        {"instance_norm": "mean_std"},
    ):
        assert set(functions_of(built(**options))) == {"serving_default"}


def test_waveforms_are_classified_at_a_known_rate():
    waves = [np.sin(np.arange(n) * pitch)[:, None] for n, pitch in ((900, 0.5), (500, 0.1))]
    options = {"features": "log_mel", "sample_rate": 16000, "mel_bands": 8}
    classifier = built(waves, **options)
    functions = functions_of(classifier)
    assert set(functions) == {"serving_default", "sample_rate"}
    rate = functions["sample_rate"](streams=tf.zeros([2], tf.int32))["sample_rate"]
    assert rate.numpy().tolist() == [16000, 16000]
    expected = softmax(np.asarray(classifier.model(pad_series(waves))))
    found = classifier.classify([wave[:, 0] for wave in waves])
    np.testing.assert_allclose(found["probabilities"], expected, atol=1e-5)


def test_saved_and_loaded_it_answers_the_same(classifier, tmp_path):
    found = load(classifier.save(tmp_path / "saved")).classify(SERIES)
    expected = classifier.classify(SERIES)
    np.testing.assert_allclose(found["probabilities"], expected["probabilities"], atol=1e-6)
    assert found["label"].tolist() == expected["label"].tolist()


def test_an_export_answers_the_same(tmp_path):
    classifier = built()
    path = classifier.export(tmp_path / "signals")
    served = tf.saved_model.load(str(path)).signatures
    assert set(served) == {"serving_default", "start", "step"}
    inputs = {name: tf.constant(value) for name, value in pad_series(SERIES).items()}
    found = served["serving_default"](**inputs)
    expected = classifier.classify(SERIES)
    np.testing.assert_allclose(found["probabilities"], expected["probabilities"], atol=1e-6)


def test_models_of_other_inputs_or_sizes_are_one_sentence():
    texts = zoo.build("many_to_one", vocabulary_size=5, num_classes=3, units=2)
    with pytest.raises(InputError, match="^'many_to_one' reads no series of numbers: build it"):
        SignalClassifier(texts, CLASSES)
    series = zoo.build("many_to_one", input_dim=2, num_classes=2, units=2)
    assert isinstance(series, keras.Model)
    with pytest.raises(InputError, match="^the model returns 2 logits, but classes has 3 names"):
        SignalClassifier(series, CLASSES)
