"""The monitor's numbers are those of NumPy, and what looks wrong is named with a remedy."""

import warnings

import keras
import numpy as np
import pytest
import tensorflow as tf

from tests.sweeps import swept
from zoo.diagnostics.monitor import GradientMonitor, LayerGradients, Monitor, Report
from zoo.layers import Recurrent

RATE, BOUND = 0.1, 0.05
IDS = np.random.default_rng(0).integers(1, 5, (3, 8, 6))  # three batches; tokens occur repeatedly
TARGETS = np.random.default_rng(1).normal(size=(3, 8, 1)).astype("float32")


def compiled(**options):
    keras.utils.set_random_seed(0)
    ids = keras.Input((None,), dtype="int32")
    vectors = keras.layers.Embedding(5, 3, name="embedding")(ids)
    states = Recurrent("simple_rnn", 4, return_sequences=False, return_state=False, name="body")(
        vectors
    )
    model = keras.Model(ids, keras.layers.Dense(1, name="outputs")(states))
    model.compile(keras.optimizers.SGD(RATE, **options), "mse", jit_compile=False)
    return model


def by_hand(model, bound):
    """The norms by layer (3, L) of three steps of clipped SGD, and the ratios of the updates."""
    norms, ratios, clipped = [], [], 0
    layers = [weight.path.rpartition("/")[0] for weight in model.trainable_variables]
    names = list(dict.fromkeys(layers))
    for ids, targets in zip(IDS, TARGETS, strict=True):
        with tf.GradientTape() as tape:
            loss = tf.reduce_mean((model(ids) - targets) ** 2)
        found = tape.gradient(loss, [weight.value for weight in model.trainable_variables])
        gradients = [np.asarray(tf.convert_to_tensor(each), float) for each in found]
        squares = [  # Keras measures the rows of a table, each occurrence of a token by itself
            np.sum(np.square(each.values if isinstance(each, tf.IndexedSlices) else each))
            for each in found
        ]
        norms.append(
            [
                np.sqrt(sum(s for s, layer in zip(squares, layers, strict=True) if layer == name))
                for name in names
            ]
        )
        total = np.sqrt(sum(squares))
        clipped += total > bound
        before = [np.array(weight) for weight in model.trainable_variables]
        for weight, gradient in zip(model.trainable_variables, gradients, strict=True):
            weight.assign_sub(RATE * gradient * min(1, bound / total))
        change = [
            (np.sum((np.array(w) - b) ** 2), np.sum(b**2))
            for w, b in zip(model.trainable_variables, before, strict=True)
        ]
        sums = [
            np.sum([c for c, own in zip(change, layers, strict=True) if own == name], axis=0)
            for name in names
        ]
        ratios.append([np.sqrt(moved / size) for moved, size in sums])
    return names, np.array(norms), np.array(ratios), clipped / 3


@pytest.fixture(scope="module")
def expected():
    return by_hand(compiled(), BOUND)


def agrees(report, expected, measured):
    names, norms, ratios, clipped = expected
    assert [each.layer for each in report.layers] == names and report.steps == 3
    np.testing.assert_allclose([each.norm for each in report.layers], norms.mean(0), rtol=1e-4)
    np.testing.assert_allclose([each.largest for each in report.layers], norms.max(0), rtol=1e-4)
    total = np.sqrt((norms**2).sum(1)).mean()
    assert report.norm == pytest.approx(total, rel=1e-4) and report.clipped == clipped
    np.testing.assert_allclose(
        [each.update_ratio for each in report.layers], ratios[measured].mean(0), rtol=2e-3
    )


def test_the_numbers_of_steps_by_hand_are_those_of_numpy(expected):
    model = compiled(global_clipnorm=BOUND)
    monitor = Monitor(model, every=1)
    for ids, targets in zip(IDS, TARGETS, strict=True):
        model.train_on_batch(ids, targets)
        monitor.after_step()
    agrees(monitor.report(), expected, [1, 2])
    assert monitor.report().steps == 0


def test_the_callback_measures_the_same_and_trains_the_same_compiled_by_xla(expected):
    model, other = compiled(global_clipnorm=BOUND), compiled(global_clipnorm=BOUND)
    data = {"x": IDS.reshape(-1, 6), "y": TARGETS.reshape(-1, 1), "batch_size": 8, "verbose": 0}
    monitor = GradientMonitor(every=1)
    for each in (model, other):
        each.jit_compile = True
    other.fit(**data, shuffle=False)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        history = model.fit(**data, shuffle=False, callbacks=[monitor]).history
    agrees(monitor.reports[0], expected, [1, 2])
    assert history["gradient_norm"] == [monitor.reports[0].norm]
    for one, two in zip(model.get_weights(), other.get_weights(), strict=True):
        np.testing.assert_allclose(one, two, rtol=1e-5, atol=1e-7)
    assert model.optimizer.apply == other.optimizer.apply.__func__.__get__(model.optimizer)


@pytest.mark.usefixtures("eagerly")
def test_a_model_that_was_fitted_before_is_measured_and_tensorboard_gets_the_numbers(tmp_path):
    model = compiled()
    data = {"x": IDS[0], "y": TARGETS[0], "verbose": 0}
    model.fit(**data)
    model.optimizer.learning_rate = 1e-3
    monitor = GradientMonitor(folder=tmp_path)
    model.fit(**data, epochs=2, callbacks=[monitor])
    assert [report.steps for report in monitor.reports] == [1, 1]
    assert monitor.reports[0].clipped is None
    (events,) = [path for path in tmp_path.iterdir() if "events" in path.name][:1]
    found = {
        value.tag
        for event in tf.compat.v1.train.summary_iterator(str(events))
        for value in event.summary.value
    }
    assert {"gradient_norm", "gradient_norm/outputs"} <= found


@pytest.mark.parametrize(
    ("options", "share"),
    swept(
        [({"clipnorm": 1e-6}, 1.0), ({"clipvalue": 1e-9}, 1.0), ({"clipvalue": 1e9}, 0.0)],
        lambda options, share: options != {"clipvalue": 1e-9},
    ),
)
@pytest.mark.usefixtures("eagerly")
def test_each_kind_of_clipping_is_counted(options, share):
    model = compiled(**options)
    monitor = Monitor(model)
    model.train_on_batch(IDS[0], TARGETS[0])
    assert monitor.report().clipped == share


def test_a_gradient_that_is_not_finite_is_counted_and_spoils_no_mean():
    model = compiled()
    monitor = Monitor(model)
    model.optimizer.learning_rate = 0.0
    model.train_on_batch(IDS[0], TARGETS[0])
    norm = monitor.report().norm
    model.train_on_batch(IDS[0], TARGETS[0])
    model.train_on_batch(IDS[0], np.full_like(TARGETS[0], np.inf))
    report = monitor.report()
    assert report.norm == pytest.approx(norm) and report.layers[-1].not_finite == 1
    assert "outputs" in report.table()


def layer(name="a", norm=1.0, ratio=1e-3, not_finite=0):
    return LayerGradients(name, norm, norm, ratio, not_finite)


@pytest.mark.parametrize(
    ("layers", "clipped", "sentence"),
    [
        ([layer(not_finite=3)], None, "of a is NaN or infinite in 3 of 10 steps: clip"),
        ([layer()], 0.93, "clipped in 93% of the steps and has the mean norm 4: raise the bound"),
        ([layer(), layer("b", 1e-9)], None, "the gradient of b is below 1e-05 of the largest"),
        ([layer(ratio=0.5)], None, "changes the weights of a by 50% (usual are 0.01 % to 1 %)"),
        ([layer(ratio=1e-8)], None, "changes no layer by more than 1e-08 of its weights: raise"),
    ],
)  # fmt: skip
def test_what_looks_wrong_is_one_sentence_with_a_remedy(layers, clipped, sentence):
    (found,) = Report(10, 4.0, clipped, layers).advice().values()
    assert sentence in found


def test_a_healthy_training_gets_no_advice():
    assert Report(10, 1.0, 0.1, [layer(), layer("b", 0.01)]).advice() == {}


def test_a_warning_of_one_kind_is_issued_once():
    model = compiled(global_clipnorm=1e-4)
    data = {"x": IDS[0], "y": TARGETS[0], "verbose": 0, "epochs": 3}
    with pytest.warns(UserWarning, match="epoch 1: the gradient is clipped in 100%") as found:
        model.fit(**data, callbacks=[GradientMonitor()])
    assert len([each for each in found if "clipped" in str(each.message)]) == 1


@pytest.mark.parametrize("value", [1e30, np.inf])
def test_weights_that_are_huge_or_infinite_are_large_updates(value):
    model = compiled()
    monitor = Monitor(model, every=1)
    monitor.after_step()
    model.get_layer("outputs").kernel.assign(np.full((4, 1), value))
    monitor.after_step()
    monitor.after_step()
    report = monitor.report()
    assert report.layers[-1].update_ratio > 1e20 and "outputs" in report.advice()["large updates"]
