"""Answers of an exported language model: continuations of prompts, or the scores of texts."""

from collections.abc import Sequence
from typing import Any

import tensorflow as tf

from recipes.asking import ask, options, seeds, unknown_of, warn
from recipes.generation.config import Writing


def answer(signatures: Any, prompts: Sequence[str], request: Writing) -> list[dict[str, Any]]:
    """Continues each prompt, or with `request.score` scores each text.

    Warns of unknown tokens.

    Returns:
        A dict for each row: `prompt`, `text`, `log_probability` (of the generated text, in nats),
        `num_tokens`; or `text`, `log_probability`, `num_tokens`, `perplexity`, `num_unknown`; and
        `unknown_share`, `unknown` (the first unknown tokens of the input), `truncated`.
    """
    count = request.samples * len(prompts)
    names: tuple[str, ...]
    if request.score:
        inputs = list(prompts)
        outputs = ask(signatures, "score", text=tf.constant(inputs, tf.string))
        names = ("log_probability", "num_tokens", "perplexity", "num_unknown", "truncated")
    else:
        inputs = [prompt for prompt in prompts for _ in range(request.samples)]
        outputs = ask(
            signatures,
            "generate",
            prompt=tf.constant(inputs, tf.string),
            seed=seeds(request.seed, request.samples, len(prompts)),
            **options(request, ("max_tokens", "temperature", "top_k", "top_p"), count),
        )
        names = ("log_probability", "num_tokens", "truncated")
    rows = []
    for number, text in enumerate(inputs):
        row: dict[str, Any] = {"text": text} if request.score else {"prompt": text}
        if not request.score:
            row["text"] = outputs["text"][number].decode(errors="replace")
        row |= {name: outputs[name][number].item() for name in names}
        rows.append({**row, **unknown_of(outputs, number)})
    warn(prompts, rows if request.score else rows[:: request.samples])
    return rows


def line(row: dict[str, Any]) -> str:
    """Formats an answer: the generated text, or a text after its score."""
    if "perplexity" not in row:
        return str(row["text"])
    return (
        f"{row['log_probability']:.2f} nats  {row['num_tokens']} tokens  perplexity "
        f"{row['perplexity']:.2f}  {row['text']}"
    )
