"""Beam search as a tree: the hypotheses that a search kept, dropped and finished at each step.

The model is a small table of probabilities, or a trained translator. The search is that of
`zoo.decoding.beam_search`, whose step function is recorded.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import tensorflow as tf
from matplotlib.figure import Figure

from zoo.decoding import beam_search, length_penalty
from zoo.decoding.sampling import Step
from zoo.diagnostics.output import plots, tables
from zoo.errors import InputError, require_positive_int
from zoo.pipelines import Translator
from zoo.plots import plot_label
from zoo.pretrained.loading import load
from zoo.system.commas import listed
from zoo.text import BOS, EOS, PAD, UNK

END = "[EOS]"
START = ""
TABLE: dict[str, dict[str, float]] = {  # the last token -> the next one's probabilities
    START: {"a": 0.5, "the": 0.4, "it": 0.1},
    "a": {"cat": 0.36, "dog": 0.34, "bird": 0.3},
    "the": {"cat": 0.9, "dog": 0.1},
    "it": {"sleeps": 1.0},
    "cat": {END: 0.52, "sleeps": 0.48},
    "dog": {END: 0.5, "sleeps": 0.5},
    "bird": {END: 0.3, "sleeps": 0.7},
    "sleeps": {END: 1.0},
}
NEVER = -1e9  # the logit of a token that cannot follow
SHOWN = 3  # continuations of a step in the picture, at least
LONGEST = 6  # tokens of a hypothesis of the table


class Node(NamedTuple):
    """A hypothesis at the step at which its last token was added.

    Attributes:
        tokens: Its tokens.
        log_probability: In nats.
        kind: `kept`, `finished` or `dropped`.
        score: The log-probability over the length penalty.
    """

    tokens: tuple[int, ...]
    log_probability: float
    kind: str
    score: float


class Tree(NamedTuple):
    """A beam search of one row.

    Attributes:
        nodes: The hypotheses that were compared at each step, parents before children; of those
            that were not kept only the most likely ones.
        best: The result of the search, best first: finished nodes.
        steps: Calls of the step function, the first token aside.
    """

    nodes: list[Node]
    best: list[Node]
    steps: int


class Searched(NamedTuple):
    """What a search needs, for one row; see `zoo.decoding.beam_search`.

    Attributes:
        step: The model's step.
        logits: (1, V), of the first token.
        states: The states before it.
        words: The V tokens.
        end: The end token's id.
        max_tokens: Maximum number of tokens.
        forbidden: Ids that are never decoded.
        min_tokens: Minimum number of tokens before the end token.
    """

    step: Step
    logits: tf.Tensor
    states: Any
    words: Sequence[str]
    end: int
    max_tokens: int
    forbidden: tuple[int, ...] = ()
    min_tokens: int = 0

    def log_probabilities(self, logits: Any, count: int) -> Any:
        """Those of all tokens after `count` tokens, (R, V); what may not follow has a low one."""
        barred = [*self.forbidden, *([self.end] if count < self.min_tokens else [])]
        bars = tf.reduce_sum(tf.one_hot(barred, logits.shape[-1], NEVER, 0.0), axis=0)
        return tf.nn.log_softmax(tf.cast(logits, tf.float32)) + bars


def table_model(table: Mapping[str, Mapping[str, float]] = TABLE) -> Searched:
    """A model whose next token depends on the last one alone; id 0 is padding, id 1 the end."""
    words = ["", END, *(word for word in table if word != START)]
    rows = [table.get(word, {END: 1.0}) for word in [START, *words[1:]]]
    probabilities = np.array([[row.get(word, 0.0) for word in words] for row in rows])
    logits = np.where(probabilities > 0, np.log(np.maximum(probabilities, 1e-30)), NEVER)
    known = tf.constant(logits, tf.float32)

    def step(tokens: Any, states: Any) -> Any:
        return tf.gather(known, tokens), states

    return Searched(step, known[:1], {}, words, end=1, max_tokens=LONGEST)


def translator_model(pipeline: Translator, text: str) -> Searched:
    """A trained translator with a source text."""
    model, source_ids = pipeline.model, pipeline.read(tf.constant([text]))
    memory, states = model.encode(source_ids)
    matrix = model.output_matrix()

    def step(tokens: Any, states: Any) -> Any:
        return model.step(tokens, states, memory, matrix)

    logits, states = step(tf.constant([BOS]), states)
    words, limit = pipeline.target.vocabulary.tokens, int(pipeline.limits(source_ids)[0])
    forbidden, least = (PAD, UNK, BOS), pipeline.search.min_tokens
    return Searched(step, logits, states, words, EOS, limit, forbidden, least)


class _Level(NamedTuple):
    """The unfinished hypotheses of a step, and the log-probabilities of all continuations."""

    prefixes: list[tuple[int, ...]]
    sums: np.ndarray  # (R, V)


def search_tree(model: Searched, beam_size: int, alpha: float = 0.0, penalty: str = "gnmt") -> Tree:
    """Searches with `beam_search` and lists what it compared.

    Args:
        model: The model with its input.
        beam_size: K.
        alpha: Strength of the length penalty.
        penalty: `gnmt` or `average`.
    """
    sums = model.log_probabilities(model.logits, 0)
    levels = [_Level([()], sums.numpy())]

    def recorded(tokens: Any, carried: dict[str, Any]) -> Any:
        place = tf.range(model.max_tokens) == len(levels) - 1
        path = tf.where(place, tokens[:, None], carried["path"])
        total = tf.gather(carried["sums"], tokens, batch_dims=1)
        logits, states = model.step(tokens, carried["states"])
        sums = total[:, None] + model.log_probabilities(logits, len(levels))
        prefixes = [tuple(row[: len(levels)]) for row in path.numpy().tolist()]
        # rows that are not in use repeat another one, or contain an end or an impossible token
        rows = {
            prefix: row
            for row, prefix in reversed(list(enumerate(prefixes)))
            if total[row] > NEVER / 2 and model.end not in prefix
        }
        levels.append(_Level(list(rows), sums.numpy()[list(rows.values())]))
        return logits, {"states": states, "path": path, "sums": sums}

    path = tf.zeros((1, model.max_tokens), tf.int32)
    found = beam_search(
        recorded,
        model.logits,
        {"states": model.states, "path": path, "sums": sums},
        end=model.end,
        max_tokens=model.max_tokens,
        beam_size=beam_size,
        n_best=beam_size,
        alpha=alpha,
        penalty=penalty,
        min_tokens=model.min_tokens,
        forbidden=model.forbidden,
    )
    rows = zip(found.token_ids[0], found.lengths[0], found.log_probabilities[0], strict=True)
    best = [
        Node(tuple(ids.numpy().tolist()[: int(length)]), float(total), "finished", float(score))
        for (ids, length, total), score in zip(rows, found.scores[0], strict=True)
        if length > 0
    ]
    divisors = length_penalty(np.arange(len(levels) + 2), alpha, penalty).numpy()
    return Tree(list(_nodes(levels, model, beam_size, divisors)), best, len(levels) - 1)


def _nodes(
    levels: list[_Level], model: Searched, beam_size: int, divisors: np.ndarray
) -> Iterator[Node]:
    """The most likely continuations of each step, as many as are compared or shown."""
    compared = 1 if beam_size == 1 else 2 * beam_size
    for number, level in enumerate(levels):
        following = set(levels[number + 1].prefixes) if number + 1 < len(levels) else set()
        order = np.argsort(-level.sums, axis=None, kind="stable")[: max(compared, SHOWN)]
        for rank, flat in enumerate(order):
            row, token = np.unravel_index(flat, level.sums.shape)
            total = float(level.sums[row, token])
            tokens = (*level.prefixes[int(row)], int(token))
            if total <= NEVER / 2:
                continue
            ended = token == model.end or len(tokens) >= model.max_tokens
            kind = "finished" if ended and rank < compared else "dropped"
            kind = "kept" if tokens in following else kind
            yield Node(tokens, total, kind, total / float(divisors[number + 1]))


def show(options: Any) -> tuple[str, Figure, dict[str, Any]]:
    """The table, the picture and the numbers of the command `beams`."""
    sizes = listed("beam_sizes", options.beam_sizes)
    for size in sizes:
        require_positive_int("beam_sizes", int(size) if size.isdigit() else size)
    if not sizes:
        raise InputError(
            f"beam_sizes must be positive ints with commas between them, got {options.beam_sizes!r}"
        )
    model = _model(options.run, options.sentence)
    trees = {
        int(size): search_tree(model, int(size), options.length_penalty, options.penalty)
        for size in sizes
    }
    separator = "" if max(map(len, model.words[4:] or model.words)) == 1 else " "

    def text(node: Node) -> str:
        return separator.join(model.words[token] for token in node.tokens if token != model.end)

    rows = [
        [size, rank, text(node), f"{node.log_probability:.3f}", f"{node.score:.3f}", tree.steps]
        for size, tree in trees.items()
        for rank, node in enumerate(tree.best, 1)
    ]
    columns = ["beam", "rank", "hypothesis", "log-probability", "score", "steps"]
    heading = f"beam search, length penalty {options.penalty}, alpha {options.length_penalty}\n"
    numbers = {
        str(size): {
            "best": [{"text": text(node), **node._asdict()} for node in tree.best],
            "nodes": [node._asdict() for node in tree.nodes],
            "steps": tree.steps,
        }
        for size, tree in trees.items()
    }
    figure = picture({f"beam of {size}": tree for size, tree in trees.items()}, model.words)
    return heading + tables.text(columns, rows), figure, {"beams": numbers}


def _model(folder: str, sentence: str) -> Searched:
    if not folder:
        return table_model()
    pipeline = load(folder)
    if not isinstance(pipeline, Translator):
        raise InputError(f"{folder} is no translator: give the folder of a run of translation")
    if not sentence:
        raise InputError("a translator needs a text to translate: give it with --sentence")
    return translator_model(pipeline, sentence)


STYLES = {  # kind -> colours of the box and of its text
    "best": ("#55a868", "white"),
    "finished": ("#cfe8d5", "black"),
    "kept": ("#d6e0f0", "black"),
    "dropped": ("#f2f2f2", "0.55"),
}
HEIGHT = 0.42  # of a leaf, in inches


def picture(trees: Mapping[str, Tree], words: Sequence[str]) -> Figure:
    """Draws the trees below each other, each step a column.

    Args:
        trees: Their titles -> the trees.
        words: The tokens by id.
    """
    places = {title: _places(tree.nodes) for title, tree in trees.items()}
    leaves = [1 + max(y for _, y in each.values()) for each in places.values()]
    depth = max(x for each in places.values() for x, _ in each.values())
    size = (max(6.0, 1.15 * (depth + 1)), sum(HEIGHT * n + 0.35 for n in leaves))
    figure = Figure(figsize=size, layout="constrained")
    every = figure.subplots(len(trees), 1, squeeze=False, height_ratios=[n + 0.8 for n in leaves])
    for axes, (title, tree), count in zip(every[:, 0], trees.items(), leaves, strict=True):
        known = places[title]
        winner = tree.best[0].tokens if tree.best else ()
        for node in tree.nodes:
            x, y = known[node.tokens]
            before = known[node.tokens[:-1]]
            kind = "best" if node.tokens == winner else node.kind
            on_way = winner[: len(node.tokens)] == node.tokens
            colour, ink = STYLES[kind]
            axes.plot(
                [before[0], x],
                [before[1], y],
                color=STYLES["best"][0] if on_way else "0.75",
                linewidth=2 if on_way else 1,
                zorder=1,
            )
            number = node.score if kind in ("best", "finished") else node.log_probability
            label = f"{plot_label(words[node.tokens[-1]], longest=10)}  {number:.2f}"
            box = {"boxstyle": "round,pad=0.25", "facecolor": colour, "edgecolor": "none"}
            axes.text(
                x, y, label, ha="center", va="center", fontsize=8, color=ink, bbox=box, zorder=2
            )
        axes.set_title(plot_label(title), fontsize=9, loc="left")
        axes.set_xlim(-0.2, depth + 0.5)
        axes.set_ylim(count - 0.4, -0.6)
        axes.axis("off")
    handles = [
        plots.Rectangle((0, 0), 1, 1, facecolor=colour, label=kind)
        for kind, (colour, _) in STYLES.items()
    ]
    figure.legend(handles=handles, loc="outside lower center", ncols=len(STYLES), fontsize=8)
    return figure


def _places(nodes: Sequence[Node]) -> dict[tuple[int, ...], tuple[float, float]]:
    """The column and the row of each hypothesis and of the root: leaves one below the other."""
    children: dict[tuple[int, ...], list[tuple[int, ...]]] = {}
    for node in nodes:
        children.setdefault(node.tokens[:-1], []).append(node.tokens)
    places: dict[tuple[int, ...], tuple[float, float]] = {}
    leaves = 0

    def put(tokens: tuple[int, ...]) -> float:
        nonlocal leaves
        rows = [put(child) for child in children.get(tokens, [])]
        if not rows:
            rows, leaves = [float(leaves)], leaves + 1
        places[tokens] = len(tokens), float(np.mean(rows))
        return places[tokens][1]

    put(())
    return places
