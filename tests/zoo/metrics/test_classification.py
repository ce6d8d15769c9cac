"""Scores of labels against scikit-learn's and against sums by hand."""

import math

import numpy as np
import pytest
import sklearn.metrics

from zoo.metrics import classification_scores, confusion_matrix, cross_entropy, log_softmax


def names(num_classes):
    return [f"class {place}" for place in range(num_classes)]


def drawn(seed, size, num_classes, absent=()):
    draw = np.random.default_rng(seed)
    present = [place for place in range(num_classes) if place not in absent]
    return draw.choice(present, size), draw.choice(present, size)


CASES = [
    *(
        (seed, size, num_classes, ())
        for seed, (size, num_classes) in enumerate([(50, 2), (400, 7)])
    ),
    (2, 1, 2, ()),
    (3, 30, 5, (0,)),
    (4, 30, 5, (4, 2)),
    (5, 10, 20, ()),  # more classes than examples
    (6, 9, 3, (1, 2)),  # one class alone
]


@pytest.mark.parametrize("case", CASES, ids=str)
def test_a_confusion_matrix_is_as_scikit_learn_counts_it(case):
    labels, predictions = drawn(*case)
    matrix = confusion_matrix(labels, predictions, case[2])
    expected = sklearn.metrics.confusion_matrix(labels, predictions, labels=range(case[2]))
    np.testing.assert_array_equal(matrix, expected)


@pytest.mark.parametrize("case", CASES, ids=str)
def test_accuracy_and_f1_are_as_scikit_learn_has_them(case):
    labels, predictions = drawn(*case)
    classes = range(case[2])
    scores = classification_scores(confusion_matrix(labels, predictions, case[2]), names(case[2]))
    options = {"labels": classes, "zero_division": 0}
    each = sklearn.metrics.f1_score(labels, predictions, average=None, **options)
    macro = sklearn.metrics.f1_score(labels, predictions, average="macro", **options)
    accuracy = sklearn.metrics.accuracy_score(labels, predictions)
    assert scores["accuracy"] == pytest.approx(accuracy, abs=1e-12)
    assert scores["f1_macro"] == pytest.approx(macro, abs=1e-12)
    assert list(scores["f1"]) == names(case[2])
    assert list(scores["f1"].values()) == pytest.approx(list(each), abs=1e-12)


@pytest.mark.parametrize("dtype", [np.int8, np.uint8, np.int32, np.int64])
def test_small_integer_types_do_not_overflow(dtype):
    labels = np.array([99, 99, 0], dtype)
    matrix = confusion_matrix(labels, np.array([98, 99, 99], dtype), 100)
    assert matrix.shape == (100, 100) and matrix.sum() == 3
    assert matrix[99, 98] == matrix[99, 99] == matrix[0, 99] == 1


def test_true_classes_are_rows_and_predicted_ones_columns():
    matrix = confusion_matrix(np.array([0, 0, 0, 2]), np.array([1, 1, 0, 0]), 3)
    assert matrix.tolist() == [[1, 2, 0], [0, 0, 0], [1, 0, 0]]


def test_scores_by_hand_count_a_class_that_never_occurs_as_zero():
    scores = classification_scores(np.array([[3, 1, 0], [2, 4, 0], [0, 0, 0]]), ["no", "yes", "?"])
    assert scores["accuracy"] == pytest.approx(0.7)
    assert scores["f1"] == pytest.approx({"no": 6 / 9, "yes": 8 / 11, "?": 0.0})
    assert scores["f1_macro"] == pytest.approx((6 / 9 + 8 / 11) / 3)
    assert all(type(score) is float for score in scores["f1"].values())  # for JSON


def test_no_example_gives_zeros_and_no_warning():
    none = np.array([], np.int64)
    matrix = confusion_matrix(none, none, 2)
    assert matrix.tolist() == [[0, 0], [0, 0]]
    scores = classification_scores(matrix, ["no", "yes"])
    assert scores == {"accuracy": 0.0, "f1_macro": 0.0, "f1": {"no": 0.0, "yes": 0.0}}


def test_a_wrong_number_of_names_is_an_error():
    with pytest.raises(ValueError):
        classification_scores(np.eye(3, dtype=int), ["no", "yes"])


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize(("size", "num_classes"), [(1, 2), (40, 2), (200, 9)])
def test_cross_entropy_is_scikit_learns_log_loss(size, num_classes, dtype):
    draw = np.random.default_rng(size)
    logits = draw.normal(scale=3, size=(size, num_classes)).astype(dtype)
    labels = draw.integers(num_classes, size=size)
    exact = np.exp(logits.astype(np.float64))
    probabilities = exact / exact.sum(axis=1, keepdims=True)
    expected = sklearn.metrics.log_loss(labels, probabilities, labels=range(num_classes))
    assert cross_entropy(logits, labels) == pytest.approx(expected, rel=1e-6)


def test_cross_entropy_is_the_mean_in_nats():
    logits = np.log(np.array([[0.5, 0.25, 0.25], [0.1, 0.1, 0.8]])) + 7.0
    expected = -(math.log(0.25) + math.log(0.1)) / 2
    assert cross_entropy(logits, np.array([1, 0])) == pytest.approx(expected)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_extreme_logits_stay_finite(dtype):
    logits = np.array([[1e4, -1e4], [-1e4, 1e4], [1e4, 1e4], [-1e4, -1e4]], dtype)
    logs = log_softmax(logits)
    assert logs.dtype == dtype
    np.testing.assert_allclose(
        logs, [[0, -2e4], [-2e4, 0], [-math.log(2)] * 2, [-math.log(2)] * 2], rtol=1e-6
    )
    right, wrong = np.array([0, 1]), np.array([1, 0])
    assert cross_entropy(logits[:2], right) == 0
    assert cross_entropy(logits[:2], wrong) == pytest.approx(2e4)


def test_log_softmax_is_over_the_last_axis_and_leaves_its_input_alone():
    logits = np.arange(24.0).reshape(2, 3, 4) ** 1.5
    before = logits.copy()
    np.testing.assert_allclose(np.exp(log_softmax(logits)).sum(axis=-1), np.ones((2, 3)))
    np.testing.assert_allclose(np.diff(log_softmax(logits)), np.diff(logits))
    np.testing.assert_array_equal(logits, before)


def test_half_precision_logits_are_summed_in_double():
    logits = np.array([[9.0, 0.0]] * 4, np.float16)
    expected = math.log1p(math.exp(-9.0))
    assert cross_entropy(logits, np.zeros(4, int)) == pytest.approx(expected, rel=1e-9)
