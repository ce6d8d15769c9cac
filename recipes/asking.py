"""Calls the signatures of an exported model, one row per text and sample."""

import sys
from collections.abc import Sequence
from typing import Any

import tensorflow as tf

from zoo.decoding import bounds, sample_seeds
from zoo.errors import InputError

SHOWN = 40  # characters of a text that a warning shows
NAMED = 5  # warnings printed per call; the others are counted


def ask(signatures: Any, name: str, **inputs: Any) -> dict[str, Any]:
    """Calls a signature and returns its outputs as NumPy arrays by name.

    Args:
        signatures: Functions by name, such as the signatures of a loaded model.
        name: The signature.
        **inputs: Tensors by the names of its inputs.

    Raises:
        InputError: The model was exported by an earlier release with other inputs and outputs.
    """
    signature = signatures[name]
    _, specs = getattr(signature, "structured_input_signature", ((), {}))
    old = any(spec.shape.rank == 0 for spec in specs.values())
    outputs = {} if old else signature(**inputs)
    if old or "unknown_share" not in outputs:
        raise InputError(
            f"the exported model is of an earlier release, whose signature {name!r} has other "
            "inputs and outputs: run the recipe's export again"
        )
    return {output: tensor.numpy() for output, tensor in outputs.items()}


def options(request: Any, names: Sequence[str], rows: int) -> dict[str, Any]:
    """Returns options as inputs of a signature: tensors (B,) by name, one value per row."""
    return {
        name: tf.fill([rows], tf.cast(getattr(request, name), bounds.BOUNDS[name].dtype))
        for name in names
    }


def seeds(seed: int, samples: int, texts: int) -> Any:
    """Returns a seed for each sample of each text, the samples of a text adjacent: int32 (B,).

    A text's samples do not depend on the other texts.
    """
    return tf.constant(sample_seeds(seed, samples) * texts, tf.int32)


def unknown_of(outputs: dict[str, Any], row: int) -> dict[str, Any]:
    """Returns `unknown_share` and the list `unknown` of unknown tokens of one row of outputs."""
    tokens = [one.decode(errors="replace") for one in outputs["unknown_tokens"][row] if one]
    return {
        "unknown_share": float(outputs["unknown_share"][row]),
        "unknown": list(dict.fromkeys(tokens)),
    }


def warn(texts: Sequence[str], rows: Sequence[dict[str, Any]]) -> None:
    """Warns on standard error of unknown tokens and of truncated texts.

    Each text's answer, in `rows`, has `truncated` and perhaps the entries of `unknown_of`.
    """
    messages = []
    for text, row in zip(texts, rows, strict=True):
        shown = repr(text if len(text) <= SHOWN else text[: SHOWN - 1] + "…")
        if row.get("unknown"):
            messages.append(
                f"{row['unknown_share']:.0%} of the tokens of {shown} are unknown to the model: "
                f"{', '.join(map(repr, row['unknown']))}"
            )
        if row["truncated"]:
            messages.append(f"{shown} is too long: a part of it was not read")
    for message in messages[:NAMED]:
        print(f"warning: {message}", file=sys.stderr)
    if len(messages) > NAMED:
        print(f"warning: {len(messages) - NAMED} more like these", file=sys.stderr)
