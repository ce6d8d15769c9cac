"""Answers of an exported conditional writer: texts written to labels, or the score of a text."""

from collections.abc import Sequence
from typing import Any

from recipes.asking import ask, options, seeds, unknown_of, warn
from recipes.data.labels import clean
from recipes.families.writing.config import WritingAnswers
from zoo.errors import InputError, nearest

MOST = 100_000  # labels at most
OPTIONS = ("max_tokens", "temperature", "top_k", "top_p", "min_p", "guidance")


def known_labels(signatures: Any) -> list[str]:
    """The labels that an exported model writes to."""
    import tensorflow as tf

    found = signatures["labels"](ids=tf.range(MOST))["labels"].numpy()
    return [label.decode() for label in found if label]


def answer(signatures: Any, labels: Sequence[str], how: WritingAnswers) -> list[dict[str, Any]]:
    """The texts that the exported model writes, or with `how.score` that text's probabilities.

    Returns:
        A dict each: `label`, `text`, `log_probability` (in nats), `num_tokens`, `finished`; or
        `label`, `text`, `log_probability`, `num_tokens`, `perplexity`, `num_unknown`, `unknown`
        (the first unknown tokens of the text), `truncated`; and `unknown_share`.

    Raises:
        InputError: A label is unknown.
    """
    import tensorflow as tf

    labels = _as_known(labels, known_labels(signatures))
    if how.score:
        asked = list(labels)
        given = [how.score] * len(asked)
        outputs = ask(
            signatures,
            "score",
            label=tf.constant(asked, tf.string),
            text=tf.constant(given, tf.string),
        )
        return _scored(asked, how.score, outputs)
    asked = [label for label in labels for _ in range(how.samples)]
    outputs = ask(
        signatures,
        "generate",
        label=tf.constant(asked, tf.string),
        seed=seeds(how.seed, how.samples, len(labels)),
        **options(how, OPTIONS, len(asked)),
    )
    texts = outputs.pop("text")
    return [
        {
            "label": label,
            "text": texts[row].decode(),
            **{name: outputs[name][row].item() for name in sorted(outputs)},
        }
        for row, label in enumerate(asked)
    ]


def _as_known(labels: Sequence[str], known: Sequence[str]) -> list[str]:
    """The labels as the model spells them, whatever Unicode normal form they are given in."""
    spelled = {clean(label): label for label in known}
    for label in labels:
        if clean(label) not in spelled:
            raise InputError(f"unknown label {label!r}: {nearest(label, known)}")
    return [label if label in known else spelled[clean(label)] for label in labels]


def _scored(labels: Sequence[str], text: str, outputs: dict[str, Any]) -> list[dict[str, Any]]:
    """A row for each label; warns once of what the model does not know of the text."""
    names = ("log_probability", "num_tokens", "num_unknown", "perplexity", "truncated")
    rows: list[dict[str, Any]] = [
        {
            "label": label,
            "text": text,
            **{name: outputs[name][row].item() for name in names},
            **unknown_of(outputs, row),
        }
        for row, label in enumerate(labels)
    ]
    warn([text] * len(rows[:1]), rows[:1])
    return rows


def line(row: dict[str, Any]) -> str:
    """An answer as a line: label and text, and the text's score where it was requested."""
    shown = f"{row['label']}  {row['text']}"
    if "perplexity" in row:
        shown += f"  {row['log_probability']:.2f} nats  perplexity {row['perplexity']:.2f}"
    return shown
