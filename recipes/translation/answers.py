"""Answers of an exported translator: translations, or the score of one."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from recipes import plots
from recipes.asking import ask, options, warn
from recipes.translation.config import Translating
from zoo.decoding.beam import NEVER
from zoo.errors import InputError


def answer(signatures: Any, texts: Sequence[str], how: Translating) -> list[dict[str, Any]]:
    """The exported model's translations, or with `how.score` that translation's probability.

    Returns:
        A dict each: `text`, `translation`, `log_probability` (in nats), `rank` from 1 up; or
        `text`, `translation`, `log_probability`, `num_tokens`, `perplexity`; and `unknown_share`
        of the text's tokens, `truncated` (whether its beginning alone was read).

    Raises:
        InputError: An option is wrong, such as more translations than the beam is wide, or no
            translation begins with the prefix.
    """
    import tensorflow as tf

    given = tf.constant(list(texts), tf.string)
    if how.score:
        scored = tf.fill([len(texts)], how.score)
        arrays = ask(signatures, "score", text=given, translation=scored)
        return [
            {
                "text": text,
                "translation": how.score,
                **{name: arrays[name][row].item() for name in sorted(arrays)},
            }
            for row, text in enumerate(texts)
        ]
    asked = options(how, ("beam_size", "length_penalty", "max_tokens"), len(texts))
    if how.prefix:
        prefix = tf.fill([len(texts)], how.prefix)
        arrays = ask(signatures, "complete", text=given, prefix=prefix, **asked)
    else:
        arrays = ask(signatures, "translate", text=given, **asked)
    found = arrays["log_probabilities"] > NEVER  # (B, n): there may be fewer than asked for
    for text, any_found in zip(texts, found[:, 0], strict=True):
        if not any_found:
            raise InputError(
                f"no translation of {text!r} begins with --prefix {how.prefix!r}: take tokens that "
                "the model knows, and fewer than --max-tokens"
            )
    warn(texts, [{"truncated": one} for one in arrays["truncated"]])
    if how.attention:
        draw(arrays, Path(how.attention))
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
        for rank in range(how.n_best)
        if found[row, rank]
    ]


def draw(arrays: dict[str, Any], path: Path) -> list[Path]:
    """Draws what each best translation looked at; of several texts NAME-1.png, NAME-2.png, ...

    Args:
        arrays: What the signature `translate` gives, as NumPy arrays.
        path: The PNG to write.

    Returns:
        What was written.
    """
    if not path.parent.is_dir():
        raise InputError(f"--attention {path}: there is no folder {path.parent}: make it first")
    if not arrays["attention"].any():
        raise InputError("the model has no attention to draw: train one with --attention general")
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
    """An answer as a line: the translation; below the best ones their rank and log-probability."""
    shown = str(row["translation"])
    if "perplexity" in row:
        return f"{row['log_probability']:.2f} nats  perplexity {row['perplexity']:.2f}  {shown}"
    if row["rank"] > 1:
        return f"  {row['rank']}. {shown}  ({row['log_probability']:.2f} nats)"
    return shown
