"""What the exported classifier says of a text, as a dict and as a line."""

from collections.abc import Sequence
from typing import Any


def answer(signatures: Any, texts: Sequence[str], _how: Any = None) -> list[dict[str, Any]]:
    """What the exported model says of each text: `text`, `label`, `probabilities`."""
    import tensorflow as tf

    given = signatures["serving_default"](text=tf.constant(texts))
    outputs = {name: tensor.numpy() for name, tensor in given.items()}
    classes = [name.decode() for name in outputs["classes"]]
    return [
        {
            "text": text,
            "label": label.decode(),
            "probabilities": dict(zip(classes, map(float, row), strict=True)),
        }
        for text, label, row in zip(texts, outputs["label"], outputs["probabilities"], strict=True)
    ]


def line(row: dict[str, Any]) -> str:
    """An answer as a line: label, probability and the text's beginning."""
    text = " ".join(row["text"].split())
    shown = text if len(text) <= 100 else text[:99] + "…"
    return f"{row['label']}  {max(row['probabilities'].values()):.3f}  {shown}"
