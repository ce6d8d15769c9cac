"""Answers of an exported language model: continuations of prompts, or the scores of texts."""

from collections.abc import Sequence
from typing import Any

from recipes.asking import ask, options, seeds, unknown_of, warn
from recipes.generation.config import Writing


def answer(signatures: Any, prompts: Sequence[str], how: Writing) -> list[dict[str, Any]]:
    """What the exported model writes, or with `how.score` the texts' probabilities.

    Warns of tokens that the model does not know.

    Returns:
        A dict each: `prompt`, `text`, `log_probability` (of what was written, in nats),
        `num_tokens`; or `text`, `log_probability`, `num_tokens`, `perplexity`, `num_unknown`; and
        `unknown_share`, `unknown` (the first unknown tokens of what was given), `truncated`.
    """
    import tensorflow as tf

    count = how.samples * len(prompts)
    names: tuple[str, ...]
    if how.score:
        given = list(prompts)
        outputs = ask(signatures, "score", text=tf.constant(given, tf.string))
        names = ("log_probability", "num_tokens", "perplexity", "num_unknown", "truncated")
    else:
        given = [prompt for prompt in prompts for _ in range(how.samples)]
        outputs = ask(
            signatures,
            "generate",
            prompt=tf.constant(given, tf.string),
            seed=seeds(how.seed, how.samples, len(prompts)),
            **options(how, ("max_tokens", "temperature", "top_k", "top_p"), count),
        )
        names = ("log_probability", "num_tokens", "truncated")
    rows = []
    for number, text in enumerate(given):
        row: dict[str, Any] = {"text": text} if how.score else {"prompt": text}
        if not how.score:
            row["text"] = outputs["text"][number].decode(errors="replace")
        row |= {name: outputs[name][number].item() for name in names}
        rows.append({**row, **unknown_of(outputs, number)})
    warn(prompts, rows if how.score else rows[:: how.samples])
    return rows


def line(row: dict[str, Any]) -> str:
    """An answer as text: what was written, or a text's score in front of it."""
    if "perplexity" not in row:
        return str(row["text"])
    return (
        f"{row['log_probability']:.2f} nats  {row['num_tokens']} tokens  perplexity "
        f"{row['perplexity']:.2f}  {row['text']}"
    )
