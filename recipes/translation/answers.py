"""Answers of an exported translator: translations, or the score of a translation."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import tensorflow as tf

from recipes import plots
from recipes.asking import ask, options, warn
from recipes.translation.config import Translating
from zoo.decoding.beam import NEVER
from zoo.errors import InputError


def answer(signatures: Any, texts: Sequence[str], request: Translating) -> list[dict[str, Any]]:
    """Translates each text, or with `request.score` scores that translation.

    Returns:
        A dict for each row: `text`, `translation`, `log_probability` (in nats), `rank` from 1; or
        `text`, `translation`, `log_probability`, `num_tokens`, `perplexity`; and `unknown_share`
        of the text's tokens, `truncated` (whether only the beginning of the text was read).

    Raises:
        InputError: No translation begins with the prefix, or the attention cannot be plotted.
    """
    sources = tf.constant(list(texts), tf.string)
    if request.score:
        scored = tf.fill([len(texts)], request.score)
        arrays = ask(signatures, "score", text=sources, translation=scored)
        return [
            {
                "text": text,
                "translation": request.score,
                **{name: arrays[name][row].item() for name in sorted(arrays)},
            }
            for row, text in enumerate(texts)
        ]
    search = options(request, ("beam_size", "length_penalty", "max_tokens"), len(texts))
    if request.prefix:
        prefix = tf.fill([len(texts)], request.prefix)
        arrays = ask(signatures, "complete", text=sources, prefix=prefix, **search)
    else:
        arrays = ask(signatures, "translate", text=sources, **search)
    found = arrays["log_probabilities"] > NEVER  # (B, n): there may be fewer than n
    for text, any_found in zip(texts, found[:, 0], strict=True):
        if not any_found:
            raise InputError(
                f"no translation of {text!r} begins with --prefix {request.prefix!r}: use tokens "
                "that the model knows, and fewer than --max-tokens"
            )
    warn(texts, [{"truncated": one} for one in arrays["truncated"]])
    if request.attention:
        draw(arrays, Path(request.attention))
    return [
        {
            "text": text,
            "translation": arrays["translations"][row, rank].decode(),
            "log_probability": float(arrays["log_probabilities"][row, rank]),
            "rank": rank + 1,
            "unknown_share": float(arrays["unknown_share"][row]),
            "truncated": bool(arrays["truncated"][row]),
        }
        for row, text in enumerate(texts)
        for rank in range(request.n_best)
        if found[row, rank]
    ]


def draw(arrays: dict[str, Any], path: Path) -> list[Path]:
    """Plots the attention of the best translation; for several texts NAME-1.png, NAME-2.png, ...

    `arrays` are the outputs of the signature `translate`. Returns the paths of the files.
    """
    if not path.parent.is_dir():
        raise InputError(f"--attention {path}: there is no folder {path.parent}: create it first")
    if not arrays["attention"].any():
        raise InputError("the model has no attention to plot: train one with --attention general")
    count = len(arrays["attention"])
    names = [path]
    if count > 1:
        names = [path.with_name(f"{path.stem}-{row + 1}{path.suffix}") for row in range(count)]
    for row, name in enumerate(names):
        source, target = (
            [token.decode(errors="replace") for token in tokens if token]
            for tokens in (arrays["source_tokens"][row], arrays["target_tokens"][row, 0])
        )
        weights = arrays["attention"][row, 0, : len(target), : len(source)]
        plots.attention(weights, source, target, name)
    return names


def line(row: dict[str, Any]) -> str:
    """Formats an answer as a line; translations after the best have rank and log-probability."""
    shown = str(row["translation"])
    if "perplexity" in row:
        return f"{row['log_probability']:.2f} nats  perplexity {row['perplexity']:.2f}  {shown}"
    if row["rank"] > 1:
        return f"  {row['rank']}. {shown}  ({row['log_probability']:.2f} nats)"
    return shown
