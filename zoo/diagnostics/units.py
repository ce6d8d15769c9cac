"""Units: text coloured by the state of one unit, and the units that follow what a text does.

A unit is chosen on one part of a text as the one whose state goes best with a property of the text,
and measured on another part, so that the best of many units by chance shows as chance. For a
property of yes and no the measure is the AUC, the probability that the state is larger at a place
with the property than at one without; for a number it is the correlation.

Source: Karpathy, Johnson and Li, Visualizing and understanding recurrent networks,
arXiv:1506.02078.
"""

import unicodedata
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import keras
import numpy as np
from matplotlib.figure import Figure

from zoo.diagnostics import connectivity
from zoo.diagnostics.observation import observing
from zoo.diagnostics.output import coloured, plots, tables
from zoo.diagnostics.reading import Reader
from zoo.diagnostics.synthetic import texts
from zoo.errors import InputError

CHANCE = {"AUC": 0.5, "correlation": 0.0}
READ = 12_000  # characters that the states are computed on
ROWS = 24  # of a batch of them
WARM = 60  # characters at the beginning of a row that do not count
RIDGE = 1e-3  # of the regression on all units, times the variance of the states
LONGEST = 150  # characters in the picture
SHOWN = ("in quotes", "in brackets", "place in line")  # in the picture


class Follower(NamedTuple):
    """The unit that follows a property of the text best.

    Attributes:
        feature: The property.
        measure: `AUC` or `correlation`.
        unit: Its place among the units.
        sign: -1 if the state is low where the property is high, else 1.
        fitted: The measure on the part where the unit was chosen.
        held_out: The measure on the other part, with the same sign.
        all_units: The measure on the other part of a linear regression on all units.
    """

    feature: str
    measure: str
    unit: int
    sign: int
    fitted: float
    held_out: float
    all_units: float


def auc(scores: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """The probability that a place with the property has the larger score; ties count half.

    Args:
        scores: (N,) or (N, K), a column for each unit.
        labels: bool (N,), of both kinds.

    Example:
        >>> float(auc(np.array([1.0, 3.0, 2.0, 4.0]), np.array([False, True, False, True])))
        1.0
    """
    columns = scores.reshape(len(scores), -1)
    positive = int(labels.sum())
    found = []
    for column in columns.T:
        _, places, counts = np.unique(column, return_inverse=True, return_counts=True)
        ranks = np.cumsum(counts) - (counts - 1) / 2  # from 1, of equal values their mean
        total = ranks[places][labels].sum() - positive * (positive + 1) / 2
        found.append(total / (positive * (len(labels) - positive)))
    return np.array(found).reshape(scores.shape[1:])


def correlation(scores: np.ndarray, values: np.ndarray) -> np.ndarray:
    """Pearson's correlation of values (N,) with scores (N,) or (N, K); 0 where one is constant."""
    apart, other = scores - scores.mean(0), values - values.mean()
    size = np.sqrt((apart**2).sum(0) * (other**2).sum())
    return np.asarray(other @ apart / np.maximum(size, 1e-12))


def followers(
    states: np.ndarray, features: Mapping[str, np.ndarray], held_out: np.ndarray
) -> list[Follower]:
    """The unit that follows each property best, chosen on one part and measured on the other.

    A property that is constant in one of the parts is left out.

    Args:
        states: (N, K), of each place of a text.
        features: A property's name -> bool (N,), or numbers (N,).
        held_out: Bool (N,), the places where the units are measured.
    """
    found = []
    for name, values in features.items():
        parts = values[~held_out], values[held_out]
        if any(len(np.unique(part)) < 2 for part in parts):
            continue
        yes_or_no = values.dtype == bool
        measure = auc if yes_or_no else correlation
        chance = CHANCE["AUC" if yes_or_no else "correlation"]
        fitted = measure(states[~held_out], parts[0])
        unit = int(np.argmax(np.abs(fitted - chance)))
        sign = 1 if fitted[unit] >= chance else -1
        regression = _regression(states[~held_out], parts[0])
        found.append(
            Follower(
                name,
                "AUC" if yes_or_no else "correlation",
                unit,
                sign,
                float(chance + sign * (fitted[unit] - chance)),
                float(measure(sign * states[held_out][:, unit], parts[1])),
                float(measure(regression(states[held_out]), parts[1])),
            )
        )
    return found


def _regression(states: np.ndarray, values: np.ndarray) -> Any:
    """States (N, K) -> the values (N,) that a ridge regression on others predicts."""
    mean, target = states.mean(0), values.astype(float)
    apart = states - mean
    square = apart.T @ apart
    square += RIDGE * np.trace(square) / len(square) * np.eye(len(square))
    weights = np.linalg.solve(square, apart.T @ (target - target.mean()))
    return lambda others: (others - mean) @ weights


def states_of(model: keras.Model, inputs: Any, steps: int) -> dict[str, np.ndarray]:
    """The states of all layers that read the tokens one by one: a name -> (B, T, K).

    The names are `h` for the output and `c` for the cell state of an LSTM, or a number, behind the
    layer's number if there are several layers: `0.h`, `1.c`.

    Raises:
        InputError: No recurrent layer reads the tokens.
    """
    with observing(model) as seen:
        model(inputs, training=False)
    layers = [each for each in seen if each.inputs.shape[1] == steps]
    if not layers:
        raise InputError(f"no recurrent layer of {model.name} reads the {steps} tokens one by one")
    found = {}
    for number, each in enumerate(layers):
        names = {1: "h", 2: "hc"}.get(len(each.states), "0123456789")
        for name, state in zip(names, each.states, strict=False):
            key = f"{number}.{name}" if len(layers) > 1 else name
            found[key] = each.in_place(state)
    return found


def read_states(reader: Reader, text: str) -> tuple[np.ndarray, list[str], np.ndarray]:
    """The states (N, K) after some characters of a text, the units' names, the characters' places.

    The text is read in rows; the first characters of each, where the states are young, are left
    out.

    Raises:
        InputError: The model does not read the text character by character.
    """
    width = max(min(2 * WARM, len(text)), len(text) // ROWS)
    starts = range(0, len(text) - width + 1, width)
    batches = [reader.read(text[start : start + width]) for start in starts]
    if any(len(batch.tokens[0]) != width for batch in batches):
        raise InputError(f"{reader.name} does not read each character of the text as one token")
    inputs = keras.tree.map_structure(
        lambda *rows: np.concatenate(rows), *(batch.inputs for batch in batches)
    )
    found = states_of(reader.model, inputs, width)
    first = min(WARM, width // 2)
    before = batches[0].tokens[0][0] == "[BOS]"  # a step reads the character before its own place
    places = [np.arange(start + first, start + width) - before for start in starts]
    return _flat(found, first), _names(found), np.concatenate(places)


def _flat(found: Mapping[str, np.ndarray], first: int) -> np.ndarray:
    each = [values[:, first:].reshape(-1, values.shape[-1]) for values in found.values()]
    return np.concatenate(each, axis=1)


def _names(found: Mapping[str, np.ndarray]) -> list[str]:
    return [
        f"{name}{number}" for name, values in found.items() for number in range(values.shape[-1])
    ]


def show(options: Any) -> tuple[str, Figure, dict[str, Any]]:
    """The table, the picture and the numbers of the command `units`."""
    readers, _, scores = connectivity.readers_of(options)
    for reader in readers:
        if not reader.by_character:
            raise InputError(
                f"{reader.name} reads words, and units are measured on characters: give --run a "
                "language model of characters, such as a run of generation"
            )
    text, properties = text_of(options)
    rows: list[list[Any]] = []
    numbers: dict[str, Any] = {}
    shown: dict[str, list[tuple[str, str, np.ndarray]]] = {}
    pages = {}
    for reader in readers:
        states, names, places = read_states(reader, text)
        features = {name: values[places] for name, values in properties.items()}
        held_out = places >= len(text) // 2
        best = followers(states, features, held_out)
        rows += [[reader.name, *_row(each, names)] for each in best]
        numbers[reader.name] = {
            "held_out": score._asdict() if (score := scores.get(reader.name)) else None,
            "characters": len(places),
            "followers": [{**each._asdict(), "name": names[each.unit]} for each in best],
        }
        read = "".join(text[place] for place in places)
        excerpt = _excerpt(read, places, min(options.length, LONGEST))
        scaled = _scaled(states)[excerpt]
        shown[reader.name] = [
            (
                f"{each.feature}: unit {names[each.unit]}, held-out {each.measure} "
                f"{each.held_out:.2f}",
                read[excerpt],
                each.sign * scaled[:, each.unit],
            )
            for each in best
            if each.feature in SHOWN
        ]
        pages[reader.name] = coloured.Panel(
            list(read[excerpt]), np.round(scaled.T.astype(float), 2).tolist(), names
        )
    columns = ["model", "feature", "unit", "measure", "chosen on", "held out", "all units"]
    folder = Path(options.out or "diagnostics/units")
    hint = "Choose a unit: purple is a high state, orange a low one."
    coloured.write(folder / "units.html", "Units", hint, pages)
    heading = "the unit that follows each property of the text best, measured on another part\n"
    return heading + tables.text(columns, rows), plots.units(shown), {"models": numbers}


def text_of(options: Any) -> tuple[str, dict[str, np.ndarray]]:
    """The text on which the units are measured, and its properties.

    It is held out from the models that are trained here.
    """
    first = 0
    if options.sentence:
        whole = unicodedata.normalize("NFC", options.sentence)
    elif options.run and not options.text:
        whole = texts.made_up(READ, options.seed + 1)
    else:
        found = texts.character_text(options.text, options.seed)
        whole, first = found.text, found.held_out
    part = slice(first, first + READ)
    # whether a quote is open depends on what comes before
    features = {name: feature(whole)[part] for name, feature in texts.FEATURES.items()}
    return whole[part], features


def _row(each: Follower, names: list[str]) -> list[str]:
    unit = f"{'-' if each.sign < 0 else ''}{names[each.unit]}"
    scores = (f"{score:.3f}" for score in (each.fitted, each.held_out, each.all_units))
    return [each.feature, unit, each.measure, *scores]


def _excerpt(text: str, places: np.ndarray, length: int) -> slice:
    """Held-out lines, one after the other, with as many quotes and brackets as any have."""
    starts = [
        n + 1
        for n in range(len(text) // 2, len(text) - length)
        if text[n] == "\n" and places[n + length] - places[n] == length
    ]
    if not starts:
        return slice(len(text) - min(length, len(text)), len(text))
    marks = [sum(c in '"([{' for c in text[start : start + length]) for start in starts]
    start = starts[int(np.argmax(marks))]
    return slice(start, start + length)


def _scaled(states: np.ndarray) -> np.ndarray:
    """States whose middle is 0 and whose extremes are about -1 and 1, by unit."""
    low, high = np.percentile(states, [2, 98], axis=0)
    return np.clip((states - (low + high) / 2) / np.maximum((high - low) / 2, 1e-6), -1, 1)
