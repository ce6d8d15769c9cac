"""What docs/crf.md says about its scores; its blocks are run by tests/test_docs.py."""

import numpy as np
import pytest
import tensorflow as tf

import zoo.layers
import zoo.masking


def test_scores_are_those_that_the_functions_of_tensorflow_addons_compute():
    logits = np.random.default_rng(0).normal(size=(2, 4, 3)).astype("float32")
    tags, lengths = np.array([[0, 1, 2, 2], [2, 0, 0, 0]]), np.array([4, 2])
    crf = zoo.layers.CRF(3, transitions_initializer="random_normal")
    mask = zoo.masking.from_lengths(lengths, 4)
    transitions, start, end = (weight.numpy() for weight in crf.weights)

    def path_score(row: int, path: list[int]) -> float:
        steps = sum(transitions[a, b] for a, b in zip(path, path[1:], strict=False))
        tokens = sum(logits[row, place, tag] for place, tag in enumerate(path))
        return float(start[path[0]] + steps + tokens + end[path[-1]])

    for row, length in enumerate(lengths):
        paths = [list(path) for path in np.ndindex(*[3] * length)]
        scores = [path_score(row, path) for path in paths]
        norm = tf.reduce_logsumexp(scores).numpy()
        gold = path_score(row, tags[row, :length].tolist())
        assert float(crf.log_partition(logits, mask=mask)[row]) == pytest.approx(norm, abs=1e-5)
        likelihood = float(crf.log_likelihood(logits, tags, mask=mask)[row])
        assert likelihood == pytest.approx(gold - norm, abs=1e-5)
        best, score = crf.decode(logits, mask=mask)
        assert best[row, :length].numpy().tolist() == paths[int(np.argmax(scores))]
        assert float(score[row]) == pytest.approx(max(scores), abs=1e-5)
