"""Small made-up tasks that show what a recurrence can do: how far, and what kind of counting.

Each task makes batches of token ids or of vectors from a NumPy generator. Token 0 is padding.
"""

import functools
from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from zoo.errors import InputError, require_choice


class Batch(NamedTuple):
    """Examples of a task.

    Attributes:
        inputs: int (B, T) token ids, or float (B, T, E) vectors.
        targets: int (B, T) classes, or float (B,) values.
        weights: float (B, T), 1 where a class counts, or (B,).
    """

    inputs: np.ndarray
    targets: np.ndarray
    weights: np.ndarray


@dataclass(frozen=True)
class Task:
    """A task.

    Attributes:
        name: What the command line calls it.
        make: Length T, rows B and a generator -> a batch.
        classes: The number of classes at each step; 0 for one value at the end.
        tokens: The number of token ids, with 0; 0 for vectors.
        width: The size E of the vectors.
        shortest: The smallest T.
        scored: The number of last steps that an accuracy is over; 0 for the last quarter.
    """

    name: str
    make: Callable[[int, int, np.random.Generator], Batch]
    classes: int
    tokens: int = 0
    width: int = 0
    shortest: int = 1
    scored: int = 0

    def batch(self, length: int, rows: int, generator: np.random.Generator) -> Batch:
        """A batch of sequences of one length.

        Raises:
            InputError: The length is too small.
        """
        self.require(length)
        return self.make(length, rows, generator)

    def require(self, length: int) -> None:
        """Raises an InputError if the length is too small."""
        if length < self.shortest:
            raise InputError(
                f"{self.name} needs a length of at least {self.shortest}, got {length}"
            )


def adding(length: int, rows: int, generator: np.random.Generator) -> Batch:
    """The adding task: the sum of the two numbers that are marked among many.

    inputs (B, T, 2): a number from 0 to 1, and 1 beside two of them, one in each half; target (B,).

    Source: Hochreiter and Schmidhuber, Long short-term memory, Neural Computation 9 (1997),
    experiment 4, in the form of Le et al., arXiv:1504.00941.
    """
    numbers, marks = generator.random((rows, length)), np.zeros((rows, length))
    half = length // 2
    marks[np.arange(rows), generator.integers(0, half, rows)] = 1
    marks[np.arange(rows), generator.integers(half, length, rows)] = 1
    inputs = np.stack([numbers, marks], axis=-1).astype("float32")
    return Batch(inputs, (numbers * marks).sum(1).astype("float32"), np.ones(rows, "float32"))


SYMBOLS = 8  # of the copy task
COPIED = 10


def copying(
    length: int,
    rows: int,
    generator: np.random.Generator,
    copied: int = COPIED,
    answers_only: bool = False,
) -> Batch:
    """The copy task: some symbols, a long pause, a signal, then the symbols again.

    inputs (B, T) ids: symbols 1 to 8, 9 the pause, 10 the signal; the targets are the symbols in
    the last steps, as many as were copied, and the pause before. All steps count, or only the
    last ones if `answers_only`.

    Source: Hochreiter and Schmidhuber (1997), experiment 5; Arjovsky et al., arXiv:1511.06464.
    """
    symbols = generator.integers(1, SYMBOLS + 1, (rows, copied))
    inputs = np.full((rows, length), SYMBOLS + 1)
    targets = np.full((rows, length), SYMBOLS + 1)
    inputs[:, :copied] = symbols
    inputs[:, -copied - 1] = SYMBOLS + 2
    targets[:, -copied:] = symbols
    weights = np.ones((rows, length), "float32")
    weights[:, :-copied] = not answers_only
    return Batch(inputs, targets, weights)


def parity(length: int, rows: int, generator: np.random.Generator) -> Batch:
    """Whether the number of ones so far is odd: two states, which swap at each one.

    inputs (B, T): 1 for 0 and 2 for 1; targets (B, T): 0 or 1.
    """
    bits = generator.integers(0, 2, (rows, length))
    return _everywhere(bits + 1, bits.cumsum(1) % 2)


MODULUS = 5


def modular_sum(length: int, rows: int, generator: np.random.Generator) -> Batch:
    """The sum of the digits so far, modulo 5.

    inputs (B, T): digit + 1, digits 0 to 4; targets (B, T): 0 to 4.

    Source: modular arithmetic without brackets, as in Delétang et al., arXiv:2207.02098.
    """
    digits = generator.integers(0, MODULUS, (rows, length))
    return _everywhere(digits + 1, digits.cumsum(1) % MODULUS)


OPEN, CLOSE = 1, 2
DEEPEST = 8


def brackets(length: int, rows: int, generator: np.random.Generator) -> Batch:
    """How many brackets are open after each step, from 0 to 8: a counter with a bound.

    inputs (B, T): 1 opens and 2 closes; prefixes of words of the Dyck language of depth 8.
    """
    depths = np.zeros((rows, length), int)
    depth = np.zeros(rows, int)
    for step in range(length):
        up = generator.random(rows) < 0.5
        up = (up | (depth == 0)) & (depth < DEEPEST)
        depth = depth + np.where(up, 1, -1)
        depths[:, step] = depth
    before = np.concatenate([np.zeros((rows, 1), int), depths[:, :-1]], axis=1)
    return _everywhere(np.where(depths > before, OPEN, CLOSE), depths)


SINGULAR = ("cat", "dog", "boy", "girl")
PLURAL = ("cats", "dogs", "boys", "girls")
CLAUSE = ("which", "already", "often", "ate", "saw", "with", "apple", "apples", "fish", "nuts")
WORDS = ("", "the", ",", *SINGULAR, *PLURAL, *CLAUSE)  # by id
VERBS = ("was", "were")  # by class


def agreement(length: int, rows: int, generator: np.random.Generator) -> Batch:
    """Agreement over a distance: the cat or the cats, which already ate ..., was or were.

    inputs (B, T) ids of `WORDS`: "the", the subject, a comma, random words of `CLAUSE`, and a
    comma, after which the verb follows. targets (B, T): 0 for `was` and 1 for `were`, by the
    subject; the last step alone counts.

    Source: Linzen, Dupoux and Goldberg, arXiv:1611.01368, in a made-up language.
    """
    subjects = SINGULAR + PLURAL
    chosen = generator.integers(0, len(subjects), rows)
    inputs = WORDS.index(CLAUSE[0]) + generator.integers(0, len(CLAUSE), (rows, length))
    inputs[:, 0], inputs[:, 1] = WORDS.index("the"), WORDS.index(subjects[0]) + chosen
    inputs[:, 2] = inputs[:, -1] = WORDS.index(",")
    targets = np.repeat((chosen >= len(SINGULAR)).astype(int)[:, None], length, axis=1)
    weights = np.zeros((rows, length), "float32")
    weights[:, -1] = 1
    return Batch(inputs, targets, weights)


def _everywhere(inputs: np.ndarray, targets: np.ndarray) -> Batch:
    return Batch(inputs, targets, np.ones(inputs.shape, "float32"))


def _copying(name: str, copied: int, answers_only: bool = False) -> Task:
    make = functools.partial(copying, copied=copied, answers_only=answers_only)
    return Task(name, make, SYMBOLS + 3, SYMBOLS + 3, shortest=2 * copied + 1, scored=copied)


TASKS = {
    task.name: task
    for task in (
        Task("adding", adding, classes=0, width=2, shortest=2),
        _copying("copying", COPIED),
        _copying("short_copying", 3, answers_only=True),
        Task("parity", parity, classes=2, tokens=3),
        Task("modular_sum", modular_sum, MODULUS, MODULUS + 1),
        Task("brackets", brackets, DEEPEST + 1, tokens=3),
        Task("agreement", agreement, len(VERBS), len(WORDS), shortest=4, scored=1),
    )
}


def task(name: str) -> Task:
    """The task of that name, or an error that names those there are."""
    require_choice("task", name, tuple(TASKS))
    return TASKS[name]
