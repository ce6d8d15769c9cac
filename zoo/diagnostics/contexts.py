"""What a tagger can know at a word: a left-to-right one and a bidirectional one.

The sentences are made up. Each contains a word such as "Teddy", which begins a person's name
(Teddy Roosevelt) or not (Teddy bears). All that decides comes after it.
"""

import functools
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import keras
import numpy as np
from matplotlib.figure import Figure

from zoo.diagnostics.output import plots, tables
from zoo.diagnostics.synthetic import training
from zoo.diagnostics.synthetic.tasks import Batch, Task
from zoo.plots import plot_label
from zoo.registry import build

OPENINGS = ("He said ,", "She said ,", "They wrote ,", "We read ,", "Today I heard ,")
THINGS = {  # an ambiguous word -> what it may stand before
    "Teddy": ("bears", "toys"),
    "Rose": ("gardens", "petals"),
    "Pearl": ("buttons", "earrings"),
    "Robin": ("nests", "eggs"),
}
SURNAMES = ("Roosevelt", "Miller", "Jackson", "Brown")
OF_PERSONS = ("was a great president", "is a good teacher", "was here today", "is my friend")
OF_THINGS = ("are on sale", "were very old", "are in the shop", "were here today")
SHOWN = (
    "He said , Teddy bears are on sale",
    "He said , Teddy Roosevelt was a great president",
)
_NOUNS = tuple(noun for nouns in THINGS.values() for noun in nouns)
_PHRASES = (*OPENINGS, *THINGS, *_NOUNS, *SURNAMES, *OF_PERSONS, *OF_THINGS)
WORDS = ("", *sorted(set(" ".join(_PHRASES).split())))  # by id; 0 is padding
LONGEST = 10  # words of a sentence, at most
TAGGERS = {"left to right": False, "both directions": True}  # -> bidirectional
ROWS = 64
RATE = 0.01  # of Adam at the start; it falls to 0 along a cosine
TESTED = 1000  # sentences


class Sentence(NamedTuple):
    """A sentence.

    Attributes:
        words: Its words.
        tags: For each, whether it is part of a person's name.
    """

    words: list[str]
    tags: list[int]

    @property
    def place(self) -> int:
        """The place of the ambiguous word."""
        return next(i for i, word in enumerate(self.words) if word in THINGS)


def sentence(persons: float, generator: np.random.Generator) -> Sentence:
    """A random sentence; `persons` is the probability that its ambiguous word begins a name.

    It is none of those that the command shows.
    """
    while True:
        ambiguous = str(generator.choice(list(THINGS)))
        is_person = bool(generator.random() < persons)
        after = (SURNAMES, OF_PERSONS) if is_person else (THINGS[ambiguous], OF_THINGS)
        before, name, rest = (str(generator.choice(each)) for each in (OPENINGS, *after))
        words = f"{before} {ambiguous} {name} {rest}".split()
        if " ".join(words) not in SHOWN:
            start = len(before.split())
            return Sentence(
                words, [int(is_person and i - start in (0, 1)) for i in range(len(words))]
            )


def token_ids(sentences: Sequence[Sequence[str]]) -> np.ndarray:
    """Words -> int (B, LONGEST), with 0 after each sentence."""
    ids = np.zeros((len(sentences), LONGEST), int)
    for row, words in zip(ids, sentences, strict=True):
        row[: len(words)] = [WORDS.index(word) for word in words]
    return ids


def _batch(persons: float, length: int, rows: int, generator: np.random.Generator) -> Batch:
    drawn = [sentence(persons, generator) for _ in range(rows)]
    tags = [each.tags + [0] * (length - len(each.tags)) for each in drawn]
    ids = token_ids([each.words for each in drawn])
    return Batch(ids, np.array(tags), (ids > 0).astype("float32"))


class Tagger:
    """A tagger of persons' names, trained on random sentences.

    Args:
        bidirectional: Whether it reads in both directions.
        persons: The share of sentences with a person.
        cell: A cell's name.
        units: Hidden size K of each direction.
        steps: Training steps.
        seed: Of the weights and the sentences.
        title: Of the progress line.
    """

    def __init__(
        self,
        bidirectional: bool,
        persons: float,
        cell: str = "lstm",
        units: int = 16,
        steps: int = 300,
        seed: int = 0,
        title: str = "tagger",
    ) -> None:
        keras.utils.set_random_seed(seed)
        self.model = build(
            "many_to_many",
            vocabulary_size=len(WORDS),
            num_tags=2,
            embedding_dim=units,
            units=units,
            cell=cell,
            bidirectional=bidirectional,
        )
        make = functools.partial(_batch, persons)
        task = Task("contexts", make, classes=2, tokens=len(WORDS), shortest=LONGEST)
        generator = np.random.default_rng([seed, 0])
        data = training.batches(task, (LONGEST, LONGEST), ROWS, generator)
        rate = keras.optimizers.schedules.CosineDecay(RATE, steps)
        training.train(self.model, task, data, steps, rate, title)

    def probabilities(self, sentences: Sequence[Sequence[str]]) -> np.ndarray:
        """The probability that each word is part of a person's name, (B, LONGEST)."""
        logits = np.asarray(self.model(token_ids(sentences)))
        return 1 / (1 + np.exp(logits[..., 0] - logits[..., 1]))


def contexts(
    persons: float = 0.3, cell: str = "lstm", units: int = 16, steps: int = 300, seed: int = 0
) -> dict[str, Any]:
    """Trains both taggers and asks them; for the arguments see `Tagger`.

    Returns:
        `base_rate`, the share of persons in the test sentences. `shown`, for each tagger and each
        sentence of `SHOWN` the probability at each word. `at_the_word` and `after_it`, for each
        tagger the accuracy in the test sentences at the ambiguous word and at the next one.
        `mean_at_the_word`, the mean probability there.
    """
    generator = np.random.default_rng([seed, 1])
    tested = [sentence(persons, generator) for _ in range(TESTED)]
    rows, places = np.arange(TESTED), np.array([each.place for each in tested])
    right = np.array([bool(each.tags[each.place]) for each in tested])
    found: dict[str, Any] = {
        "base_rate": float(right.mean()),
        **{name: {} for name in ("shown", "at_the_word", "mean_at_the_word", "after_it")},
    }
    for name, bidirectional in TAGGERS.items():
        tagger = Tagger(bidirectional, persons, cell, units, steps, seed, name)
        shown = [text.split() for text in SHOWN]
        found["shown"][name] = [
            row[: len(words)].tolist()
            for row, words in zip(tagger.probabilities(shown), shown, strict=True)
        ]
        values = tagger.probabilities([each.words for each in tested])
        at, after = values[rows, places], values[rows, places + 1]
        found["mean_at_the_word"][name] = float(at.mean())
        found["at_the_word"][name] = float(((at > 0.5) == right).mean())
        found["after_it"][name] = float(((after > 0.5) == right).mean())
    return found


def show(options: Any) -> tuple[str, Figure, dict[str, Any]]:
    """The table, the picture and the numbers of the command `contexts`."""
    found = contexts(options.persons, options.cell, options.units, options.steps, options.seed)
    texts, panels = [], {}
    for number, text in enumerate(SHOWN):
        words = text.split()
        curves = {name: found["shown"][name][number] for name in TAGGERS}
        panels[text] = curves
        rows = [[name, *(f"{value:.2f}" for value in values)] for name, values in curves.items()]
        texts.append(tables.text(["", *words], rows))
    columns = ["", "mean at the word", "accuracy there", "accuracy at the next word"]
    rows = [
        [
            name,
            *(f"{found[key][name]:.2f}" for key in ("mean_at_the_word", "at_the_word", "after_it")),
        ]
        for name in TAGGERS
    ]
    texts.append(
        f"{TESTED} other sentences, {found['base_rate']:.0%} with a person's name\n"
        + tables.text(columns, rows)
    )
    heading = "the probability that a word is part of a person's name\n\n"
    figure = picture(panels, found["base_rate"])
    return heading + "\n\n".join(texts), figure, found


def picture(panels: Mapping[str, Mapping[str, Sequence[float]]], base_rate: float) -> Figure:
    """Draws a probability for each word of a sentence, the models side by side.

    Args:
        panels: The sentence -> the model's name -> a probability for each word.
        base_rate: A dashed line.
    """
    figure = Figure(figsize=(5.4 * len(panels), 3.4), layout="constrained")
    for number, (sentence, bars) in enumerate(panels.items(), 1):
        axes = figure.add_subplot(1, len(panels), number)
        words = sentence.split()
        wide = 0.8 / len(bars)
        for place, (color, (name, values)) in enumerate(
            zip(plots.COLORS, bars.items(), strict=False)
        ):
            left = np.arange(len(words)) - 0.4 + (place + 0.5) * wide
            axes.bar(left, values, wide, color=color, label=plot_label(name))
        axes.axhline(base_rate, color="gray", linestyle="--", label="base rate")
        axes.set_xticks(range(len(words)), [plot_label(word) for word in words], rotation=30)
        axes.set_ylim(0, 1.02)
        axes.set_ylabel("probability of a person's name")
        axes.legend(fontsize=8)
    return figure
