import math

import keras
import numpy as np
import pytest

from zoo.crf.loss import CRFAccuracy
from zoo.errors import InputError
from zoo.layers import CRFLoss
from zoo.losses import TokenCrossentropy
from zoo.tuning import fits
from zoo.tuning.objective import RealTokens, objective_of, of_logits_loss
from zoo.tuning.space import parse
from zoo.tuning.study import Study


class Exotic(keras.metrics.Mean):
    def update_state(self, y_true, y_pred, sample_weight=None):
        return super().update_state(y_true)


def share_of_ones(y_true, y_pred):
    return keras.ops.mean(y_pred)


@pytest.mark.parametrize(
    ("given", "name", "direction"),
    [
        ("loss", "loss", "min"),
        ("val_loss", "loss", "min"),
        ("accuracy", "accuracy", "max"),
        ("acc", "accuracy", "max"),
        ("sparse_categorical_crossentropy", "sparse_categorical_crossentropy", "min"),
        ("SparseCategoricalCrossentropy", "SparseCategoricalCrossentropy", "min"),
        ("crossentropy", "crossentropy", "min"),
        ("mse", "mse", "min"),
        ("mean_absolute_error", "mean_absolute_error", "min"),
        ("root_mean_squared_error", "root_mean_squared_error", "min"),
        ("kl_divergence", "kl_divergence", "min"),
        ("hinge", "hinge", "min"),
        ("huber", "huber", "min"),
        ("sparse_top_k_categorical_accuracy", "sparse_top_k_categorical_accuracy", "max"),
        ("auc", "auc", "max"),
        ("r2_score", "r2_score", "max"),
        ("false_positives", "false_positives", "min"),
        ("true_positives", "true_positives", "max"),
        (keras.metrics.SparseCategoricalAccuracy(), "sparse_categorical_accuracy", "max"),
        (keras.metrics.SparseCategoricalAccuracy, "sparse_categorical_accuracy", "max"),
        (keras.metrics.MeanSquaredError(name="mine"), "mine", "min"),
        (keras.metrics.mean_squared_error, "mean_squared_error", "min"),
        (keras.losses.SparseCategoricalCrossentropy(), "sparse_categorical_crossentropy", "min"),
        (TokenCrossentropy(), "token_crossentropy", "min"),
        (CRFLoss(), "crf_loss", "min"),
        (CRFAccuracy(), "crf_accuracy", "max"),
    ],
)
def test_which_way_is_better_comes_from_the_metric(given, name, direction):
    found = objective_of(given)
    assert (found.name, found.direction) == (name, direction)


@pytest.mark.parametrize("given", [Exotic(name="exotic"), share_of_ones, "mean"])
def test_a_metric_of_unknown_direction_needs_one(given):
    with pytest.raises(InputError, match="add direction='max' or direction='min'"):
        objective_of(given)
    assert objective_of(given, "min").direction == "min"
    assert objective_of(given, "max").direction == "max"


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ("acuracy", "did you mean 'accuracy'"),
        ("sparse_categorical_crosentropy", "did you mean 'sparse_categorical_crossentropy'"),
        (3, "objective must be 'loss'"),
        (None, "objective must be 'loss'"),
        (keras.metrics.IoU, "IoU needs arguments"),
    ],
)
def test_what_is_no_metric_is_refused_in_a_sentence(given, told):
    with pytest.raises(InputError, match=told):
        objective_of(given)
    with pytest.raises(InputError, match="direction must be one of max, min"):
        objective_of("accuracy", "up")


def test_a_metric_that_is_found_by_its_name_takes_logits():
    logits, labels = np.array([[2.0, 0.0], [0.0, 1.0]]), np.array([0, 0])
    nats = [-2 + math.log(math.exp(2) + 1), math.log(1 + math.e)]
    metric = objective_of("sparse_categorical_crossentropy").make()
    metric.update_state(labels, logits)
    assert float(metric.result()) == pytest.approx(sum(nats) / 2, rel=1e-6)
    loss = of_logits_loss("sparse_categorical_crossentropy")
    assert np.mean(loss(labels, logits)) == pytest.approx(sum(nats) / 2, rel=1e-6)
    binary = objective_of("binary_accuracy").make()
    binary.update_state(np.array([[1], [0]]), np.array([[0.2], [-0.2]]))
    assert float(binary.result()) == 1.0


def test_a_metric_over_real_tokens_leaves_the_padding_out():
    labels = np.array([[0, 1, -1, -1], [1, -1, -1, -1]])
    logits = np.zeros((2, 4, 2))
    logits[0, 0] = logits[0, 1] = [1, 0]
    logits[1, 0] = [0, 1]
    metric = RealTokens(keras.metrics.SparseCategoricalAccuracy(), "accuracy")
    metric.update_state(labels, logits)
    assert float(metric.result()) == pytest.approx(2 / 3)
    metric.reset_state()
    metric.update_state(labels[:, :2], logits[:, :2], sample_weight=np.array([[1, 0], [1, 1]]))
    assert float(metric.result()) == 1.0


def of(direction):
    axes = (parse("units", "2,4", int),)
    return Study("toy", axes, {}, "score", direction)


def history(**columns):
    return {"loss": [3.0, 2.0, 1.0], "val_loss": [1.0, 1.0, 1.0], **columns}


@pytest.mark.parametrize(
    ("direction", "scores", "epoch"),
    [
        ("max", [0.2, 0.9, 0.5], 2),
        ("min", [0.2, 0.9, 0.1], 3),
        ("min", [0.2, 0.1, 0.1], 2),
        ("max", [float("nan"), 0.1, 0.05], 2),
        ("min", [float("nan"), 0.1, 0.05], 3),
        ("max", [0.5, float("inf"), 0.1], 1),
    ],
)
def test_the_best_epoch_is_the_directions_own_and_never_one_that_is_no_number(
    direction, scores, epoch
):
    found = fits._at_best(history(val_score=scores), "val_score", of(direction), 1e-3)
    assert found["best_epoch"] == epoch
    assert found["score"] == scores[epoch - 1]


def test_a_training_that_diverged_is_refused_whatever_its_accuracy_was():
    broken = {"loss": [3.0, float("nan")], "val_loss": [1.0, 1.0], "val_score": [0.9, 0.2]}
    with pytest.raises(InputError, match="diverged: the loss is nan in epoch 2; lower learning_ra"):
        fits._at_best(broken, "val_score", of("max"), 1.0)
    columns = history(val_score=[float("nan")] * 3)
    with pytest.raises(InputError, match="the validation's score is nan"):
        fits._at_best(columns, "val_score", of("max"), 1.0)
