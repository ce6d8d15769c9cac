"""Predictions without a network: the most frequent target after a context, counted."""

from collections.abc import Callable, Iterable, Sequence

import numpy as np

from zoo.diagnostics.synthetic.tasks import Batch, Task

# a context of each step: token ids (B, T), number of ids V -> int64 (B, T), one number per context
Context = Callable[[np.ndarray, int], np.ndarray]


def last_tokens(n: int) -> Context:
    """The last n tokens in their order, with 0 before the first one."""

    def context(token_ids: np.ndarray, vocabulary_size: int) -> np.ndarray:
        keys = np.zeros(token_ids.shape, np.int64)
        for back in range(min(n, token_ids.shape[1])):
            keys[:, back:] += token_ids[:, : token_ids.shape[1] - back] * vocabulary_size**back
        return keys

    return context


def window(n: int) -> Context:
    """How often each token is among the last n, without their order.

    A context's number is the sum of random 64-bit numbers of its tokens, which wraps around.
    """

    def context(token_ids: np.ndarray, vocabulary_size: int) -> np.ndarray:
        codes = np.random.default_rng(0).integers(0, 2**62, vocabulary_size)
        so_far = np.cumsum(codes[token_ids], axis=1)
        before = np.pad(so_far, ((0, 0), (n, 0)))[:, : token_ids.shape[1]]
        return np.asarray(so_far - before)

    return context


class Counted:
    """The most frequent target after each context of the training data.

    An unknown context is shortened: the next of `contexts` decides. What none knows gets the most
    frequent target of all.

    Args:
        task: A task with tokens and with classes at each step.
        contexts: From the longest to the shortest.
        batches: The training data.
    """

    def __init__(self, task: Task, contexts: Sequence[Context], batches: Iterable[Batch]) -> None:
        self.task = task
        data = list(batches)
        targets = np.concatenate([each.targets[each.weights > 0] for each in data])
        self.most_frequent = int(np.bincount(targets, minlength=task.classes).argmax())
        self.tables = []
        for context in contexts:
            keys = [context(each.inputs, task.tokens)[each.weights > 0] for each in data]
            known, places = np.unique(np.concatenate(keys), return_inverse=True)
            counts = np.zeros((len(known), task.classes), int)
            np.add.at(counts, (places, targets), 1)
            self.tables.append((context, known, counts.argmax(1)))

    def predict(self, token_ids: np.ndarray) -> np.ndarray:
        """Token ids (B, T) -> classes (B, T)."""
        predicted = np.full(token_ids.shape, self.most_frequent)
        for context, known, best in reversed(self.tables):
            keys = context(token_ids, self.task.tokens)
            places = np.minimum(np.searchsorted(known, keys), len(known) - 1)
            predicted = np.where(known[places] == keys, best[places], predicted)
        return predicted
