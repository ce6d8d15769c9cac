"""CTC by its definition: the sum over all paths, for tiny inputs."""

import itertools

import numpy as np

BLANK = 0


def spelled(path, blank=BLANK):
    """What a path spells: equal neighbours merged, then blanks removed."""
    merged = [symbol for symbol, _ in itertools.groupby(path)]
    return tuple(symbol for symbol in merged if symbol != blank)


def probabilities(logits, blank=BLANK):
    """The probability of each labelling that logits (T, C + 1) can spell, and of each path."""
    scores = logits.astype("float64")
    logs = scores - np.log(np.exp(scores).sum(axis=-1, keepdims=True))
    labellings, paths = {}, {}
    for path in itertools.product(range(logits.shape[1]), repeat=len(logits)):
        paths[path] = np.exp(sum(logs[frame, symbol] for frame, symbol in enumerate(path)))
        labelling = spelled(path, blank)
        labellings[labelling] = labellings.get(labelling, 0.0) + paths[path]
    return labellings, paths
