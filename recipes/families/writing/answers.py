"""Answers of an exported conditional writer: texts generated for labels, or a text's score."""

from collections.abc import Sequence
from typing import Any

import tensorflow as tf

from recipes.asking import ask, options, seeds, unknown_of, warn
from recipes.data.naming import clean
from recipes.families.writing.config import WritingAnswers
from zoo.errors import InputError, nearest

MOST = 100_000  # number of labels at most
OPTIONS = ("max_tokens", "temperature", "top_k", "top_p", "min_p", "guidance")


def known_labels(signatures: Any) -> list[str]:
    """Returns the labels of an exported model."""
    found = signatures["labels"](ids=tf.range(MOST))["labels"].numpy()
    return [label.decode() for label in found if label]


def answer(signatures: Any, labels: Sequence[str], request: WritingAnswers) -> list[dict[str, Any]]:
    """Generates a text for each label and sample, or with `request.score` scores that text.

    Returns:
        A dict for each row: `label`, `text`, `log_probability` (in nats), `num_tokens`, `finished`;
        or `label`, `text`, `log_probability`, `num_tokens`, `perplexity`, `num_unknown`, `unknown`
        (the first unknown tokens of the text), `truncated`; and `unknown_share`.

    Raises:
        InputError: A label is unknown.
    """
    labels = _as_known(labels, known_labels(signatures))
    if request.score:
        texts = [request.score] * len(labels)
        outputs = ask(
            signatures,
            "score",
            label=tf.constant(labels, tf.string),
            text=tf.constant(texts, tf.string),
        )
        return _scored(labels, request.score, outputs)
    repeated = [label for label in labels for _ in range(request.samples)]
    outputs = ask(
        signatures,
        "generate",
        label=tf.constant(repeated, tf.string),
        seed=seeds(request.seed, request.samples, len(labels)),
        **options(request, OPTIONS, len(repeated)),
    )
    written = outputs.pop("text")
    whole = sorted(name for name, values in outputs.items() if values.ndim == 1)
    return [
        {
            "label": label,
            "text": written[row].decode(),
            **{name: outputs[name][row].item() for name in whole},
        }
        for row, label in enumerate(repeated)
    ]


def _as_known(labels: Sequence[str], known: Sequence[str]) -> list[str]:
    """Converts labels to the model's spelling, from any Unicode normal form."""
    spelled = {clean(label): label for label in known}
    for label in labels:
        if clean(label) not in spelled:
            raise InputError(f"unknown label {label!r}: {nearest(label, known)}")
    return [label if label in known else spelled[clean(label)] for label in labels]


def _scored(labels: Sequence[str], text: str, outputs: dict[str, Any]) -> list[dict[str, Any]]:
    """Returns a row for each label; warns once of unknown tokens in the text."""
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
    """Formats an answer as a line: label, text and, if requested, the text's score."""
    shown = f"{row['label']}  {row['text']}"
    if "perplexity" in row:
        shown += f"  {row['log_probability']:.2f} nats  perplexity {row['perplexity']:.2f}"
    return shown
