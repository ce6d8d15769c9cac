"""What the exported language model writes after a prompt, or says of a text."""

from collections.abc import Sequence
from typing import Any

from recipes.generation.config import Writing


def answer(signatures: Any, prompts: Sequence[str], how: Writing) -> list[dict[str, Any]]:
    """What the exported model writes, or with `how.score` the texts' probabilities.

    Returns:
        A dict each: `prompt`, `text`, `log_probability` (of what was written, in nats),
        `num_tokens`; or `text`, `log_probability`, `num_tokens`, `perplexity`, `num_unknown`.
    """
    import tensorflow as tf

    if how.score:
        outputs = _arrays(signatures["score"](text=tf.constant(prompts)))
        return [
            {"text": text, **{name: values[row].item() for name, values in outputs.items()}}
            for row, text in enumerate(prompts)
        ]
    repeated = [prompt for prompt in prompts for _ in range(how.samples)]
    outputs = _arrays(
        signatures["generate"](
            prompt=tf.constant(repeated),
            max_tokens=tf.constant(how.max_tokens),
            temperature=tf.constant(float(how.temperature)),
            top_k=tf.constant(how.top_k),
            top_p=tf.constant(float(how.top_p)),
            seed=tf.constant(how.seed),
        )
    )
    return [
        {
            "prompt": prompt,
            "text": outputs["text"][row].decode(),
            "log_probability": float(outputs["log_probability"][row]),
            "num_tokens": int(outputs["num_tokens"][row]),
            "unknown_share": float(outputs["unknown_share"][row]),
        }
        for row, prompt in enumerate(repeated)
    ]


def _arrays(outputs: dict[str, Any]) -> dict[str, Any]:
    return {name: tensor.numpy() for name, tensor in outputs.items()}


def line(row: dict[str, Any]) -> str:
    """An answer as text: what was written, or a text's score in front of it."""
    if "perplexity" not in row:
        return str(row["text"])
    return (
        f"{row['log_probability']:.2f} nats  {row['num_tokens']} tokens  perplexity "
        f"{row['perplexity']:.2f}  {row['text']}"
    )
