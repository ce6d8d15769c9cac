"""What the exported classifier says of a text, as a dict and as a line."""

from collections.abc import Sequence
from typing import Any

from recipes.asking import ask


def answer(signatures: Any, texts: Sequence[str], _how: Any = None) -> list[dict[str, Any]]:
    """The exported model's answer to each text.

    Returns:
        A dict each: `text`, `label`, `probabilities`, `unknown_share`.
    """
    import tensorflow as tf

    outputs = ask(signatures, "serving_default", text=tf.constant(texts, tf.string))
    return [
        {
            "text": text,
            "label": outputs["label"][row].decode(),
            "probabilities": {
                name.decode(): float(share)
                for name, share in zip(
                    outputs["classes"][row], outputs["probabilities"][row], strict=True
                )
            },
            "unknown_share": float(outputs["unknown_share"][row]),
        }
        for row, text in enumerate(texts)
    ]


def line(row: dict[str, Any]) -> str:
    """An answer as a line: label, probability and the text's beginning."""
    text = " ".join(row["text"].split())
    shown = text if len(text) <= 100 else text[:99] + "…"
    return f"{row['label']}  {max(row['probabilities'].values()):.3f}  {shown}"
