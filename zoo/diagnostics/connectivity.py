"""Connectivity: which earlier tokens moved a prediction.

    connectivity[t, k] = || d y_t / d x_k ||

with x_k the vector that the recurrent layers read at step k, and y_t the logit of the token that
follows step t (or of the tag, or the class, that is predicted there).

Source: Madsen, Visualizing memorization in RNNs, Distill (2019).
"""

from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from matplotlib.figure import Figure

from zoo.diagnostics import reading
from zoo.diagnostics.observation import observing
from zoo.diagnostics.output import coloured, plots, tables
from zoo.diagnostics.reading import HeldOut, Reader, Sequences
from zoo.diagnostics.synthetic import texts
from zoo.errors import InputError
from zoo.pretrained.loading import load
from zoo.system.commas import listed

FAR = (1, 5, 20)  # steps back
NEAR = 3  # steps back, which all cells use


def connectivity(reader: Reader, sequences: Sequences) -> np.ndarray:
    """How far each prediction moves with each token, (T, T): of the prediction t and the token k.

    A classifier has one prediction, (1, T), a translator one for each token that it writes. The
    text is read once for each prediction, as rows of one batch.

    Args:
        reader: The model.
        sequences: One row.

    Raises:
        InputError: No recurrent layer reads the tokens.
    """
    steps = len(sequences.tokens[0])
    targets = sequences.targets
    if targets is None:
        logits = np.asarray(reader.logits(reader.model(sequences.inputs, training=False), steps))
        targets = logits.argmax(-1)
    count = targets.shape[1]
    rows = keras.tree.map_structure(lambda v: np.repeat(v, count, axis=0), sequences.inputs)
    with tf.GradientTape() as tape, observing(reader.model, tape) as seen:
        logits = reader.logits(reader.model(rows, training=False), steps)
        places = np.stack([np.arange(count), np.arange(count), targets[0]], axis=1)
        value = tf.reduce_sum(tf.gather_nd(logits, places))
    first = next((each for each in seen if each.inputs.shape[:2] == (count, steps)), None)
    if first is None:
        raise InputError(f"no recurrent layer of {reader.name} reads the {steps} tokens one by one")
    gradient = tape.gradient(value, first.inputs, unconnected_gradients="zero")
    return np.asarray(np.linalg.norm(first.in_place(gradient), axis=-1))


def by_distance(matrix: np.ndarray) -> np.ndarray:
    """The mean connectivity of a prediction with the token d steps before it, (T,), d from 0.

    Example:
        >>> by_distance(np.array([[4.0, 0.0], [1.0, 2.0]])).tolist()
        [3.0, 1.0]
    """
    return np.array([np.diagonal(matrix, -back).mean() for back in range(len(matrix))])


def share_beyond(matrix: np.ndarray, back: int) -> float:
    """The share of the connectivity with tokens `back` or more steps before the prediction.

    Predictions with fewer tokens before them do not count.

    Example:
        >>> share_beyond(np.array([[4.0, 0.0], [1.0, 3.0]]), 1)
        0.25
    """
    rows = np.tril(matrix)[back:]
    far = np.tril(matrix, -back)[back:]
    return float(np.mean(far.sum(1) / np.maximum(rows.sum(1), 1e-30))) if len(rows) else 0.0


def at_opening_marks(matrix: np.ndarray, text: str, shift: int = 0) -> float | None:
    """The connectivity of closing marks with their opening ones, over that with their neighbours.

    The neighbours are the five tokens on each side, none of which is within three steps of the
    prediction. 1 means that an opening mark counts as much as any character there.

    Args:
        matrix: (T, T).
        text: Whose characters the steps read.
        shift: The place of the first step's character in the text: -1 where a step reads the
            character before.

    Returns:
        The geometric mean over the pairs; None if there is no pair that is far enough apart.
    """
    ratios = []
    for start, end in texts.pairs(text):
        t, k = end - 1 - shift, start - shift  # the step that predicts the closing mark
        others = [n for n in range(k - 5, k + 6) if n != k and 0 <= n <= t - NEAR]
        if k <= t - 2 * NEAR and k >= 0 and t < len(matrix) and len(others) > 2:
            ratios.append(matrix[t, k] / max(float(np.mean(matrix[t, others])), 1e-30))
    return float(np.exp(np.mean(np.log(np.maximum(ratios, 1e-30))))) if ratios else None


def show(options: Any) -> tuple[str, Figure, dict[str, Any]]:
    """The table, the picture and the numbers of the command `connectivity`."""
    readers, sentence, scores = readers_of(options)
    batches = [reader.read(sentence) for reader in readers]
    found = {
        reader.name: connectivity(reader, batch)
        for reader, batch in zip(readers, batches, strict=True)
    }
    rows, numbers = [], {}
    for reader, batch in zip(readers, batches, strict=True):
        matrix = found[reader.name]
        shift = -1 if batch.tokens[0][0] == "[BOS]" else 0
        marks = (
            at_opening_marks(matrix, sentence, shift)
            if reader.by_character and reader.aligned
            else None
        )
        shares = [share_beyond(matrix, back) if reader.aligned else None for back in FAR]
        rows.append(
            [
                reader.name,
                *_shown(scores.get(reader.name)),
                *("-" if share is None else f"{share:.1%}" for share in shares),
                "-" if marks is None else f"{marks:.1f}",
            ]
        )
        numbers[reader.name] = {
            "tokens": batch.tokens[0],
            "connectivity": matrix.tolist(),
            "held_out": score._asdict() if (score := scores.get(reader.name)) else None,
            "share_beyond": dict(zip(map(str, FAR), shares, strict=True)),
            "opening_marks": marks,
        }
    columns = [
        "model",
        "bits",
        "closing right",
        *(f"{back} back or more" for back in FAR),
        "opening marks",
    ]
    heading = (
        "d y_t / d x_k: its share with tokens that far back; that of closing with opening "
        "marks, over the neighbours'\n"
    )
    chosen = _chosen(options.at, found, sentence, batches)
    figure = plots.connectivity(
        {
            reader.name: (batch.tokens[0], found[reader.name])
            for reader, batch in zip(readers, batches, strict=True)
        },
        {each.name: by_distance(found[each.name]) for each in readers if each.aligned},
        chosen,
    )
    pages = {
        reader.name: coloured.Panel(
            batch.tokens[0],
            _relative(found[reader.name]).tolist(),
            [] if reader.aligned else [f"prediction {n}" for n in range(len(found[reader.name]))],
            "" if reader.by_character else " ",
        )
        for reader, batch in zip(readers, batches, strict=True)
    }
    folder = Path(options.out or "diagnostics/connectivity")
    coloured.write(
        folder / "connectivity.html",
        "Connectivity",
        "Point at a token: the colour of the others is how far they moved what follows it.",
        pages,
    )
    return heading + tables.text(columns, rows), figure, {"at": chosen, "models": numbers}


def readers_of(options: Any) -> tuple[list[Reader], str, dict[str, HeldOut]]:
    """The models of a command, the text that they read, and how well those trained here predict."""
    if options.run:
        readers = [
            reading.of_pipeline(folder, load(folder)) for folder in listed("run", options.run)
        ]
        return readers, options.sentence or texts.made_up(options.length)[: options.length], {}
    text = texts.character_text(options.text, options.seed)
    readers = [
        reading.character_reader(
            cell, text, options.units, options.length, options.updates, options.seed
        )
        for cell in listed("cells", options.cells)
    ]
    sentence = options.sentence or text.text[text.held_out :][: options.length]
    scores = {each.name: reading.held_out(each, text, options.length) for each in readers}
    return readers, sentence, scores


def _shown(score: HeldOut | None) -> list[str]:
    if score is None:
        return ["-", "-"]
    return [f"{score.bits:.2f}", "-" if score.closing is None else f"{score.closing:.0%}"]


def _chosen(at: int, found: dict[str, np.ndarray], text: str, batches: list[Sequences]) -> int:
    """The prediction that the picture shows: the user's, or that of the farthest closing mark."""
    least = min(len(matrix) for matrix in found.values())
    if at >= 0:
        if at >= least:
            raise InputError(f"at must be below the {least} predictions of the text, got {at}")
        return at
    shift = 1 if batches[0].tokens[0][0] == "[BOS]" else 0
    closings = [
        (end - start, end - 1 + shift)
        for start, end in texts.pairs(text)
        if end - 1 + shift < least
    ]
    return max(closings)[1] if closings else least - 1


def _relative(matrix: np.ndarray) -> np.ndarray:
    """Each row divided by its largest value, rounded for a page."""
    shares = matrix / np.maximum(matrix.max(1, keepdims=True), 1e-30)
    return np.round(shares.astype(float), 3)
