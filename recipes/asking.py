"""Questions to an exported model: its signatures, a row for each text and sample."""

import sys
from collections.abc import Sequence
from typing import Any

from zoo.errors import InputError

SHOWN = 40  # characters of a text that a warning shows
NAMED = 5  # warnings for the texts of a call


def ask(signatures: Any, name: str, **inputs: Any) -> dict[str, Any]:
    """What a signature answers, as NumPy arrays by name.

    Args:
        signatures: Of a loaded model, or functions of the same names.
        name: The signature.
        **inputs: Tensors by the names of its inputs.

    Raises:
        InputError: The model was exported before its signatures had their present form.
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


def options(how: Any, names: Sequence[str], rows: int) -> dict[str, Any]:
    """Options of a request as a signature takes them, one value a row: tensors (B,) by name."""
    import tensorflow as tf

    from zoo.decoding import bounds

    return {
        name: tf.fill([rows], tf.cast(getattr(how, name), bounds.BOUNDS[name].dtype))
        for name in names
    }


def seeds(seed: int, samples: int, texts: int) -> Any:
    """The seeds of all samples of all texts, samples of a text side by side: int32 (B,).

    A text's samples do not depend on the texts beside it.
    """
    import tensorflow as tf

    from zoo.decoding import sample_seeds

    return tf.constant(sample_seeds(seed, samples) * texts, tf.int32)


def unknown_of(outputs: dict[str, Any], row: int) -> dict[str, Any]:
    """What a row of an answer reports of unknown tokens: `unknown_share`, and which they are."""
    tokens = [one.decode(errors="replace") for one in outputs["unknown_tokens"][row] if one]
    return {
        "unknown_share": float(outputs["unknown_share"][row]),
        "unknown": list(dict.fromkeys(tokens)),
    }


def warn(texts: Sequence[str], rows: Sequence[dict[str, Any]]) -> None:
    """Warns on standard error of what the model does not know, or did not read, of some texts.

    Args:
        texts: What was given.
        rows: An answer to each, with `truncated` and perhaps what `unknown_of` gives.
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
