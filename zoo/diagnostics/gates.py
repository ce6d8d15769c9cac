"""What a model does while it reads a sentence: gates, attention; and what it has learned in tables.

The gates are those of the cells' equations, which `describe CELL` prints; the tables are a CRF's
transitions and the embedding, whose rows are compared by their cosine.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

import keras
import numpy as np
from keras import ops
from matplotlib.figure import Figure

from zoo.diagnostics import connectivity
from zoo.diagnostics.gradients import SATURATED
from zoo.diagnostics.observation import observing
from zoo.diagnostics.output import plots, tables
from zoo.diagnostics.reading import Reader
from zoo.layers import CRF, AttentionPooling, TokenEmbedding
from zoo.pipelines import Pipeline, Tagger, Translator
from zoo.pretrained.loading import load


class Gates(NamedTuple):
    """The gates of one recurrent layer in one direction while it read a sentence.

    Attributes:
        layer: Its path in the model.
        tokens: What each step read.
        values: The gate's name -> (T, K), between 0 and 1, at the places of the tokens. `kept` is
            the factor of the old state.
    """

    layer: str
    tokens: list[str]
    values: dict[str, np.ndarray]


def gates(reader: Reader, text: str) -> list[Gates]:
    """The gates of each layer that reads the tokens one by one; none of a cell without gates."""
    batch = reader.read(text)
    tokens = batch.tokens[0]
    with observing(reader.model) as seen:
        reader.model(batch.inputs, training=False)
    found = []
    for each in seen:
        values = {name: each.in_place(value)[0] for name, value in each.gates().items()}
        if values and each.inputs.shape[:2] == (1, len(tokens)):
            found.append(Gates(each.name, tokens, values))
    return found


class Attention(NamedTuple):
    """Attention weights.

    Attributes:
        title: What attends.
        rows: The names of the rows.
        columns: The tokens that are attended to.
        weights: (rows, columns), each row's sum 1.
    """

    title: str
    rows: list[str]
    columns: list[str]
    weights: np.ndarray


def attention(reader: Reader, pipeline: Pipeline | None, text: str) -> Attention | None:
    """The attention weights over a sentence's tokens; None for a model without attention."""
    if isinstance(pipeline, Translator):
        if not pipeline.has_attention:
            return None
        found = pipeline.translate([text])
        target = [token for token in found["target_tokens"][0][0] if token]
        source = [token for token in found["source_tokens"][0] if token]
        weights = found["attention"][0, 0, : len(target), : len(source)]
        return Attention("attention of each token written", target, source, weights)
    layers = [each for each in reader.model.layers if isinstance(each, AttentionPooling)]
    if not layers:
        return None
    batch = reader.read(text)
    inputs = layers[0].input
    states_and_mask = inputs if isinstance(inputs, list | tuple) else [inputs, None]
    known = keras.Model(reader.model.input, [each for each in states_and_mask if each is not None])
    states, *mask = known(batch.inputs, training=False)
    real = mask[0] if mask else ops.ones(states.shape[:2], "bool")
    weights = np.asarray(layers[0].weights_of(states, real))[:, : len(batch.tokens[0]), 0]
    return Attention("attention of the pooling", ["weight"], batch.tokens[0], weights)


class Transitions(NamedTuple):
    """A CRF's scores in nats, and which pairs of tags are allowed.

    Attributes:
        tags: The C tags.
        scores: (C + 1, C + 1): from the row's tag, or from the start in the last row, to the
            column's, or to the end in the last column. NaN where a pair is not allowed.
    """

    tags: list[str]
    scores: np.ndarray


def transitions(model: keras.Model, tags: Sequence[str]) -> Transitions | None:
    """The transition scores of a model that ends with a CRF; None for another model."""
    layers = [each for each in model._flatten_layers() if isinstance(each, CRF)]
    if not layers:
        return None
    crf, count = layers[0], layers[0].num_tags
    scores = np.full((count + 1, count + 1), np.nan)
    parts: dict[str, Any] = {
        "transitions": (slice(count), slice(count)),
        "start": (count, slice(count)),
        "end": (slice(count), count),
    }
    for name, place in parts.items():
        allowed = crf.tables[f"allowed_{name}"]
        values = np.asarray(getattr(crf, name), float)
        scores[place] = values if allowed is None else np.where(allowed, values, np.nan)
    return Transitions(list(tags), scores)


def neighbours(
    table: np.ndarray, words: Sequence[str], token: str, count: int
) -> list[tuple[str, float]]:
    """The tokens whose vectors have the largest cosine with that of a token, and the cosines.

    Args:
        table: (V, E).
        words: The V tokens; special ones, in square brackets, and "" are left out.
        token: One of them.
        count: How many.

    Example:
        >>> table = np.array([[1.0, 0.0], [0.9, 0.1], [0.0, 1.0]])
        >>> neighbours(table, ["a", "b", "c"], "a", 1)
        [('b', 0.994)]
    """
    sizes = np.maximum(np.linalg.norm(table, axis=1), 1e-12)
    place = list(words).index(token)
    cosines = table @ table[place] / (sizes * sizes[place])
    order = [
        other
        for other in np.argsort(-cosines, kind="stable")
        if other != place and words[other] and not _is_special(words[other])
    ]
    return [(words[other], round(float(cosines[other]), 3)) for other in order[:count]]


def _is_special(word: str) -> bool:
    return word in ("[PAD]", "[UNK]", "[BOS]", "[EOS]")


def embedding_of(model: keras.Model) -> np.ndarray | None:
    """The first table of token vectors, (V, E), in the order of the ids; None if there is none."""
    for layer in model._flatten_layers():
        if isinstance(layer, TokenEmbedding | keras.layers.Embedding):
            return np.asarray(layer.embeddings)
    return None


def show(options: Any) -> tuple[str, Figure, dict[str, Any]]:
    """The table, the picture and the numbers of the command `gates`."""
    readers, sentence, _ = connectivity.readers_of(options)
    pipelines: list[Pipeline | None] = [None] * len(readers)
    if options.run:
        pipelines = [load(each.name) for each in readers]
    found = {reader.name: gates(reader, sentence) for reader in readers}
    sections, numbers = [_gates_table(found)], {}
    panels: list[plots.Panel] = []
    for reader, pipeline in zip(readers, pipelines, strict=True):
        for each in found[reader.name]:
            panels += _gate_panels(reader.name, each)
        content: dict[str, Any] = {"gates": [_json(each) for each in found[reader.name]]}
        weights = attention(reader, pipeline, sentence)
        if weights:
            panels.append(
                plots.Panel(
                    f"{reader.name}: {weights.title}",
                    weights.weights,
                    weights.rows,
                    weights.columns,
                )
            )
            content["attention"] = {**weights._asdict(), "weights": weights.weights.tolist()}
        tags = pipeline.tags if isinstance(pipeline, Tagger) else []
        moves = transitions(reader.model, tags)
        if moves:
            names = [*moves.tags, "start / end"]
            panels.append(
                plots.Panel(
                    f"{reader.name}: transitions, nats, from row to column",
                    moves.scores,
                    names,
                    names,
                    signed=True,
                )
            )
            content["transitions"] = {
                "tags": moves.tags,
                "scores": [[None if np.isnan(v) else v for v in row] for row in moves.scores],
            }
        content["neighbours"] = _neighbours_of(reader, sentence, options.neighbours)
        sections.append(_neighbours_table(reader.name, content["neighbours"]))
        numbers[reader.name] = content
    table = "\n\n".join(section for section in sections if section)
    return table, plots.matrices(panels), {"sentence": sentence, "models": numbers}


COLUMNS = ("model", "layer", "gate", "mean", "near 0", "near 1", "lowest at", "highest at")


def _gates_table(found: dict[str, list[Gates]]) -> str:
    rows = []
    for name, layers in found.items():
        for each in layers:
            for gate, values in each.values.items():
                mean = values.mean(1)
                rows.append(
                    [
                        name,
                        each.layer,
                        gate,
                        f"{values.mean():.2f}",
                        f"{np.mean(values < SATURATED):.0%}",
                        f"{np.mean(values > 1 - SATURATED):.0%}",
                        _token(each.tokens, int(mean.argmin())),
                        _token(each.tokens, int(mean.argmax())),
                    ]
                )
    if not rows:
        return "gates: these models have none that read the sentence"
    return "gates over the sentence, all units of a layer\n" + tables.text(COLUMNS, rows)


def _token(tokens: list[str], place: int) -> str:
    """A token with its place, and some of what stands before it if it is a character."""
    characters = max(map(len, tokens[1:] or tokens)) == 1
    first = max(0, place - 4) if characters else place
    return repr("".join(tokens[first : place + 1]))


def _gate_panels(name: str, each: Gates) -> list[plots.Panel]:
    """The mean of each gate over the sentence, and all units of the one that keeps the state."""
    own = dict(each.values)
    kept = own.pop("kept", None)
    if kept is not None and not any(np.array_equal(kept, values) for values in own.values()):
        own["kept"] = kept  # it is no gate by itself
    means = np.array([values.mean(1) for values in own.values()])
    keeping = next((gate for gate in ("forget", "kept") if gate in each.values), "")
    heading = f"{name}: {each.layer}"
    found = [plots.Panel(f"{heading}, mean of the units", means, list(own), each.tokens)]
    if keeping:
        values = each.values[keeping]
        order = np.argsort(values.mean(0))
        title = f"{heading}, {keeping} gate of each unit, by its mean"
        found.append(plots.Panel(title, values[:, order].T, [], each.tokens))
    return found


def _json(each: Gates) -> dict[str, Any]:
    values = {name: np.round(gate, 4).tolist() for name, gate in each.values.items()}
    return {"layer": each.layer, "tokens": each.tokens, "gates": values}


def _neighbours_of(reader: Reader, sentence: str, count: int) -> dict[str, Any]:
    table = embedding_of(reader.model)
    if table is None:
        return {}
    known = {word: None for word in reader.words[: len(table)]}
    tokens = [
        t
        for t in dict.fromkeys(reader.read(sentence).tokens[0])
        if t in known or t.lower() in known
    ]
    words = [token if token in known else token.lower() for token in tokens]
    names = list(reader.words[: len(table)])
    return {w: neighbours(table, names, w, count) for w in words if w and not _is_special(w)}


def _neighbours_table(name: str, found: dict[str, Any]) -> str:
    if not found:
        return ""
    rows = [
        [repr(token), "  ".join(f"{other!r} {cosine:.2f}" for other, cosine in others)]
        for token, others in list(found.items())[:10]
    ]
    heading = f"{name}: nearest tokens by the cosine of their vectors\n"
    return heading + tables.text(["token", "neighbours"], rows)
