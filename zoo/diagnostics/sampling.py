"""The next character's distribution at several temperatures, and text sampled from it.

    P_tau(y) = exp(z_y / tau) / sum over y' of exp(z_y' / tau)

z are the logits of a language model and tau the temperature: below 1 the distribution gets more
pointed, above 1 flatter, and at 0 the most likely token is all that is left. Top-k and top-p are
applied after it; see `zoo.decoding.filtering`.
"""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import keras
import numpy as np
import tensorflow as tf
from matplotlib.figure import Figure

from zoo.decoding.filtering import Filter
from zoo.diagnostics import reading
from zoo.diagnostics.output import plots, tables
from zoo.diagnostics.synthetic import texts
from zoo.errors import InputError
from zoo.system.commas import listed

SHOWN = 60  # sampled characters of each temperature


class Distribution(NamedTuple):
    """What a token is sampled from.

    Attributes:
        probabilities: (V,), after the temperature, top-k and top-p.
        entropy: In nats; its exponential is the number of equally likely tokens that would be as
            uncertain.
    """

    probabilities: np.ndarray
    entropy: float


def distribution(
    logits: np.ndarray, temperature: float = 1.0, top_k: int = 0, top_p: float = 1.0
) -> Distribution:
    """The distribution of the next token.

    Args:
        logits: (V,).
        temperature: From 0 up; 0 = the most likely token alone.
        top_k: Keep the k most likely tokens; 0 = all.
        top_p: Keep the fewest most likely tokens of at least this probability.

    Raises:
        InputError: A number is out of its range.

    Example:
        >>> distribution(np.log([0.6, 0.3, 0.1]), top_p=0.8).probabilities.round(3).tolist()
        [0.667, 0.333, 0.0]
    """
    probabilities = _filtered(logits[None], Filter(temperature, top_k, top_p))[0]
    positive = probabilities[probabilities > 0]
    return Distribution(probabilities, float(-np.sum(positive * np.log(positive))))


def _filtered(logits: np.ndarray, choose: Filter) -> np.ndarray:
    """The probabilities (B, V) that a filter makes of logits (B, V)."""
    history = tf.zeros([len(logits), 0], tf.int32)
    left = choose(tf.constant(logits, tf.float32), history, tf.constant(0))
    found: np.ndarray = tf.nn.softmax(left).numpy().astype(float)
    return found


def sample(
    next_logits: Callable[[np.ndarray], np.ndarray],
    start: Sequence[int],
    count: int,
    rows: int,
    choose: Filter,
    seed: int = 0,
) -> tuple[np.ndarray, np.ndarray]:
    """Continues a prompt in each of several rows.

    Args:
        next_logits: int ids (B, T) -> logits (B, T, V) of the token after each.
        start: The prompt's ids.
        count: Tokens to sample.
        rows: B.
        choose: The filter, whose temperature may be an array with a value for each row.
        seed: Of the random numbers, which all rows share: so they differ by the filter alone.

    Returns:
        The sampled ids (B, count), and the surprise of each, -log of its probability under the
        model at temperature 1, in nats.
    """
    numbers = np.random.default_rng(seed).random(count)
    ids = np.zeros((rows, len(start) + count), np.int32)
    ids[:, : len(start)] = start
    surprise = np.zeros((rows, count))
    for number in range(count):
        place = len(start) + number
        logits = next_logits(ids)[:, place - 1]
        log_model = np.asarray(tf.nn.log_softmax(logits))
        cumulated = np.cumsum(_filtered(logits, choose), axis=1)
        passed = cumulated <= numbers[number] * cumulated[:, -1:]
        ids[:, place] = tokens = passed.sum(1)
        surprise[:, number] = -log_model[np.arange(rows), tokens]
    return ids[:, len(start) :], surprise


def show(options: Any) -> tuple[str, Figure, dict[str, Any]]:
    """The table, the picture and the numbers of the command `sampling`."""
    if not options.prompt:
        raise InputError("prompt must have at least one character")
    temperatures = _numbers(options.temperatures)
    choose = Filter(np.array(temperatures), options.top_k, options.top_p)
    text = texts.character_text(options.text, options.seed)
    reader = reading.character_reader(
        options.cell, text, options.units, options.length, options.updates, options.seed
    )
    start = texts.encoded(options.prompt, text.characters).tolist()
    graph = tf.function(lambda ids: keras.ops.convert_to_tensor(reader.model(ids, training=False)))

    def next_logits(ids: np.ndarray) -> np.ndarray:
        found: np.ndarray = graph(tf.constant(ids)).numpy()
        found[..., 0] = -1e30  # no character has the id 0
        return found

    logits = next_logits(np.array([start]))[0, -1]
    found = {t: distribution(logits, t, options.top_k, options.top_p) for t in temperatures}
    ids, surprise = sample(next_logits, start, SHOWN, len(temperatures), choose, options.seed)
    names = ["", *text.characters]
    sampled = ["".join(names[each] for each in row) for row in ids]
    score = reading.held_out(reader, text, options.length)
    nats = score.bits * np.log(2)
    heading = (
        f"{options.cell}, K = {options.units}, held out: {nats:.3f} nats per character, "
        f"perplexity {np.exp(nats):.2f}\nthe next character after {options.prompt!r}\n"
    )
    rows = [
        [f"{t:g}", f"{each.entropy:.2f}", f"{np.exp(each.entropy):.1f}", *_most_likely(each, names),
         f"{np.mean(surprise[row]):.2f}", repr(sampled[row])]
        for row, (t, each) in enumerate(found.items())
    ]  # fmt: skip
    columns = ["temperature", "nats", "exp", "most likely", "surprise", "sampled"]
    order = [token for token in np.argsort(-logits, kind="stable") if token]
    figure = plots.distributions(
        [names[token] for token in order],
        {f"temperature {t:g}": each.probabilities[order] for t, each in found.items()},
        [(text, values) for text, values in zip(sampled, surprise, strict=True)],
        options.prompt,
    )
    numbers = {
        f"{t:g}": {
            "probabilities": dict(zip(names[1:], each.probabilities[1:].tolist(), strict=True)),
            "entropy": each.entropy,
            "sampled": sampled[row],
            "surprise": surprise[row].tolist(),
        }
        for row, (t, each) in enumerate(found.items())
    }
    table = heading + tables.text(columns, rows)
    return table, figure, {"nats_held_out": nats, "temperatures": numbers}


def _most_likely(found: Distribution, names: Sequence[str]) -> list[str]:
    token = int(np.argmax(found.probabilities))
    return [f"{names[token]!r} {found.probabilities[token]:.2f}"]


def _numbers(value: str) -> list[float]:
    try:
        return list(dict.fromkeys(float(each) for each in listed("temperatures", value)))
    except ValueError:
        raise InputError(
            f"temperatures must be numbers with commas between them, got {value!r}"
        ) from None
