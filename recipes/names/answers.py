"""What the exported model writes to a label, or says of a name."""

from collections.abc import Sequence
from typing import Any

from recipes.names.config import Inventing
from recipes.sources.labels import clean
from zoo.errors import InputError, nearest

MOST = 100_000  # labels that are asked for


def known_labels(signatures: Any) -> list[str]:
    """The labels that an exported model writes to."""
    import tensorflow as tf

    found = signatures["labels"](ids=tf.range(MOST))["labels"].numpy()
    return [label.decode() for label in found if label]


def answer(signatures: Any, labels: Sequence[str], how: Inventing) -> list[dict[str, Any]]:
    """The names that the exported model writes, or with `how.score` that name's probabilities.

    Returns:
        A dict each: `label`, `text`, `log_probability` (in nats), `num_tokens`, `finished`; or
        `label`, `text`, `log_probability`, `num_tokens`, `perplexity`, `num_unknown`.

    Raises:
        InputError: A label is unknown.
    """
    import tensorflow as tf

    labels = _as_known(labels, known_labels(signatures))
    if how.score:
        asked = list(labels)
        texts = tf.constant([how.score] * len(asked))
        outputs = signatures["score"](label=tf.constant(asked), text=texts)
    else:
        asked = [label for label in labels for _ in range(how.samples)]
        outputs = signatures["generate"](
            label=tf.constant(asked),
            max_tokens=tf.constant(how.max_tokens),
            temperature=tf.constant(float(how.temperature)),
            top_k=tf.constant(how.top_k),
            top_p=tf.constant(float(how.top_p)),
            min_p=tf.constant(float(how.min_p)),
            guidance=tf.constant(float(how.guidance)),
            seed=tf.constant(how.seed),
        )
    arrays = {name: tensor.numpy() for name, tensor in outputs.items()}
    texts = arrays.pop("text", None)
    return [
        {
            "label": label,
            "text": how.score if texts is None else texts[row].decode(),
            **{name: arrays[name][row].item() for name in sorted(arrays)},
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


def line(row: dict[str, Any]) -> str:
    """An answer as a line: label and name, and the name's score where that was asked for."""
    told = f"{row['label']}  {row['text']}"
    if "perplexity" in row:
        told += f"  {row['log_probability']:.2f} nats  perplexity {row['perplexity']:.2f}"
    return told
