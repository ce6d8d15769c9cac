"""The built-in signals: order and timing distinguish the classes, means and variances do not."""

import numpy as np
import pytest

from recipes.corpora import signals


@pytest.fixture(scope="module")
def corpus():
    return signals.generate(0, (100, 10, 40))


def _labels(part):
    return np.array([each.label for each in part.series])


def _logistic(x, y, steps=1000):
    """The weights of a softmax regression, (columns + 1, classes), by gradient descent."""
    x = np.column_stack([x, np.ones(len(x))])
    weights = np.zeros((x.shape[1], y.max() + 1))
    for _ in range(steps):
        scores = np.exp(x @ weights)
        gradient = x.T @ (scores / scores.sum(1, keepdims=True) - np.eye(y.max() + 1)[y])
        weights -= 0.5 * gradient / len(x)
    return weights


def _places(values):
    """Ranks of the three motifs in time, and whether the middle one is nearer to the last."""
    values = values - np.median(values, axis=0)
    found = []
    for name in "abc":
        template = signals.motif(name)
        scores = [np.correlate(values[:, k], template[:, k], "valid") for k in range(3)]
        found.append(int(np.sum(scores, axis=0).argmax()))
    first, middle, last = sorted(found)
    return np.array([*np.argsort(np.argsort(found)), 2 * (middle - first > last - middle)])


def test_a_seed_gives_one_corpus_with_all_classes_in_each_split(corpus):
    again = signals.generate(0, (100, 10, 40))
    assert all(
        (one.values == other.values).all()
        for one, other in zip(corpus["train"].series, again["train"].series, strict=True)
    )
    other = signals.generate(1, (1, 1, 1))["train"].series
    assert [each.values.shape for each in other] != [
        each.values.shape for each in corpus["train"].series[:6]
    ]
    for part, size in zip(corpus.values(), (100, 10, 40), strict=True):
        names, counts = np.unique(_labels(part), return_counts=True)
        assert set(names) == set(signals.CLASSES) and set(counts) == {size}
    lengths = [len(each) for each in corpus["train"].series]
    assert min(lengths) == 40 and max(lengths) == 120
    assert corpus["train"].series[0].values.shape[1] == len(corpus["train"].columns) == 3


def test_means_and_variances_do_not_distinguish_the_classes(corpus):
    classes = list(signals.CLASSES)
    x, y = {}, {}
    for name, part in corpus.items():
        rows = [np.r_[each.values.mean(0), each.values.var(0)] for each in part.series]
        x[name] = np.array(rows)
        y[name] = np.array([classes.index(each.label) for each in part.series])
    centre, scale = x["train"].mean(0), x["train"].std(0)
    x = {name: (values - centre) / scale for name, values in x.items()}
    weights = _logistic(x["train"], y["train"])
    scores = np.column_stack([x["test"], np.ones(len(x["test"]))]) @ weights
    assert (scores.argmax(1) == y["test"]).mean() < 0.4  # one in six by chance


def test_the_order_and_the_timing_of_the_motifs_do(corpus):
    train = np.array([_places(each.values) for each in corpus["train"].series])
    labels = _labels(corpus["train"])
    centroids = np.array([train[labels == each].mean(0) for each in signals.CLASSES])
    test = np.array([_places(each.values) for each in corpus["test"].series])
    nearest = ((test[:, None] - centroids) ** 2).sum(-1).argmin(1)
    assert (np.array(signals.CLASSES)[nearest] == _labels(corpus["test"])).mean() > 0.98
