"""Draws docs/topologies.svg, the topologies: `python docs/topologies.py`."""

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

WIDTH, HEIGHT, GAP = 280, 226, 12  # of a panel, and between panels
HALF = 14  # half the height of a box
TOP, MIDDLE, BOTTOM = 96, 146, 196  # the rows of boxes: outputs, states, inputs
STYLE = """
  text { font-family: "DejaVu Sans", Verdana, sans-serif; fill: #1f2328; }
  .title { font-size: 15px; font-weight: bold; }
  .small { font-size: 11.5px; fill: #57606a; }
  .letter { font-size: 13px; font-style: italic; text-anchor: middle; }
  .index { font-size: 9px; font-style: normal; }
  .panel { fill: #ffffff; stroke: #d0d7de; }
  .x { fill: #ddf4ff; stroke: #0969da; }
  .h { fill: #fff1d6; stroke: #bf8700; }
  .s { fill: #ffe3d3; stroke: #bc4c00; }
  .y { fill: #dafbe1; stroke: #1a7f37; }
  path { fill: none; stroke: #57606a; stroke-width: 1.4; marker-end: url(#tip); }
  polygon { fill: #57606a; }
  .fed { stroke-dasharray: 3 3; }
"""


class Topology(NamedTuple):
    """One panel of the drawing.

    Attributes:
        name: The name in the registry.
        task: What it is used for.
        recipes: The recipes that use it, as a text.
        inputs: The letters of the inputs, "" where a step has none.
        states: The letters of the recurrent states.
        outputs: The letters of the outputs, "" where a step has none.
        fed: Whether each output is the input of the next step that has no other input.
    """

    name: str
    task: str
    recipes: str
    inputs: list[str]
    states: list[str]
    outputs: list[str]
    fed: bool = False


TOPOLOGIES = [
    Topology("one_to_one", "a name → where it comes from", "recipe: origin", ["x"], ["h"], ["y"]),
    Topology(
        "one_to_many",
        "a nationality → a new surname",
        "recipes: names, melodies",
        ["x", "", "", ""],
        ["h1", "h2", "h3", "h4"],
        ["y1", "y2", "y3", "y4"],
        fed=True,
    ),
    Topology(
        "many_to_one",
        "a review → positive or negative",
        "recipes: sentiment, signals",
        ["x1", "x2", "x3", "x4"],
        ["h1", "h2", "h3", "h4"],
        ["", "", "", "y"],
    ),
    Topology(
        "many_to_many",
        "a sentence → a tag for each token",
        "recipes: ner, pos",
        ["x1", "x2", "x3", "x4"],
        ["h1", "h2", "h3", "h4"],
        ["y1", "y2", "y3", "y4"],
    ),
    Topology(
        "language_model",
        "a text → its next token, at each step",
        "recipe: generation",
        ["x1", "x2", "x3", "x4"],
        ["h1", "h2", "h3", "h4"],
        ["x2", "x3", "x4", "x5"],
    ),
    Topology(
        "encoder_decoder",
        "a text → its translation",
        "recipe: translation",
        ["x1", "x2", "x3", "", "", ""],
        ["h1", "h2", "h3", "s1", "s2", "s3"],
        ["", "", "", "y1", "y2", "y3"],
        fed=True,
    ),
    Topology(
        "ctc",
        "speech → text, without an alignment",
        "recipe: digits",
        ["x1", "x2", "x3", "x4", "x5"],
        ["h1", "h2", "h3", "h4", "h5"],
        ["y1", "", "y2", "", "y3"],
    ),
    Topology(
        "forecaster",
        "a history → the next values",
        "recipe: forecasting",
        ["x1", "x2", "x3", "", "", ""],
        ["h1", "h2", "h3", "s1", "s2", "s3"],
        ["", "", "", "x4", "x5", "x6"],
        fed=True,
    ),
]


def drawing() -> str:
    """The whole drawing as SVG."""
    columns = 3
    rows = -(-len(TOPOLOGIES) // columns)
    width, height = (
        count * size + (count - 1) * GAP + 2 for count, size in ((columns, WIDTH), (rows, HEIGHT))
    )
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="-1 -1 {width} {height}" '
        f'width="{width}" height="{height}" role="img">',
        "<title>The topologies: inputs x, recurrent states h and s, outputs y</title>",
        f"<style>{STYLE}</style>",
        '<defs><marker id="tip" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="6" '
        'markerHeight="6" orient="auto"><polygon points="0,0 8,4 0,8"/></marker></defs>',
    ]
    for number, topology in enumerate(TOPOLOGIES):
        left = number % columns * (WIDTH + GAP)
        top = number // columns * (HEIGHT + GAP)
        lines += [f'<g transform="translate({left} {top})">', *panel(topology), "</g>"]
    return "\n".join([*lines, "</svg>", ""])


def panel(topology: Topology) -> Iterator[str]:
    """The elements of one panel: arrows first, so that the boxes cover their ends."""
    count = len(topology.states)
    step = min(58, (WIDTH - 12) / count)
    width = min(34, step * 0.62)
    places = [WIDTH / 2 + (number - (count - 1) / 2) * step for number in range(count)]
    yield f'<rect class="panel" width="{WIDTH}" height="{HEIGHT}" rx="8"/>'
    yield f'<text class="title" x="14" y="26">{topology.name}</text>'
    yield f'<text class="small" x="14" y="46">{topology.task}</text>'
    yield f'<text class="small" x="14" y="63">{topology.recipes}</text>'
    for number, x in enumerate(places):
        if topology.inputs[number]:
            yield arrow((x, BOTTOM - HALF), (x, MIDDLE + HALF))
        if topology.outputs[number]:
            yield arrow((x, MIDDLE - HALF), (x, TOP + HALF))
        if number:
            yield arrow((places[number - 1] + width / 2, MIDDLE), (x - width / 2, MIDDLE))
        if number and topology.fed and topology.outputs[number - 1]:
            yield fed_back(places[number - 1] + width / 2, x, (places[number - 1] + x) / 2)
    rows = ((TOP, topology.outputs), (MIDDLE, topology.states), (BOTTOM, topology.inputs))
    for y, letters in rows:
        for x, letter in zip(places, letters, strict=True):
            if letter:
                yield from box(x, y, width, letter, "y" if y == TOP else letter[0])


def arrow(start: tuple[float, float], end: tuple[float, float]) -> str:
    """A straight arrow."""
    return f'<path d="M{start[0]:g} {start[1]:g} L{end[0]:g} {end[1]:g}"/>'


def fed_back(start: float, end: float, between: float) -> str:
    """The dashed arrow from an output to the state of the next step, from below."""
    below = MIDDLE + HALF + 18
    return (
        f'<path class="fed" d="M{start:g} {TOP:g} H{between:g} V{below:g} H{end:g} '
        f'V{MIDDLE + HALF:g}"/>'
    )


def box(x: float, y: float, width: float, letter: str, kind: str) -> Iterator[str]:
    """A box around a letter with its index."""
    yield (
        f'<rect class="{kind}" x="{x - width / 2:g}" y="{y - HALF:g}" width="{width:g}" '
        f'height="{2 * HALF}" rx="5"/>'
    )
    index = f'<tspan class="index" dy="3">{letter[1:]}</tspan>' if letter[1:] else ""
    yield f'<text class="letter" x="{x:g}" y="{y + 4:g}">{letter[0]}{index}</text>'


if __name__ == "__main__":
    Path(__file__).with_suffix(".svg").write_text(drawing(), encoding="utf-8")
