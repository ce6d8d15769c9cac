"""Draws docs/notation.svg, a batch with padding and the states over it: `python docs/notation.py`.

The colours are those of docs/topologies.py.
"""

from collections.abc import Iterator
from pathlib import Path

ROWS = (("the", "film", "was", "dull"), ("I", "left"))  # a batch of two texts
STEPS = 4
LEFT, STEP, WIDTH, HALF = 96, 112, 74, 15  # of the columns: place, distance, box; half its height
HEIGHT = 196  # of a row
STYLE = """
  text { font-family: "DejaVu Sans", Verdana, sans-serif; fill: #1f2328; font-size: 13px; }
  .label { fill: #57606a; font-size: 12px; }
  .middle { text-anchor: middle; }
  .letter { font-style: italic; text-anchor: middle; }
  .index { font-size: 9px; font-style: normal; }
  .x { fill: #ddf4ff; stroke: #0969da; }
  .h { fill: #fff1d6; stroke: #bf8700; }
  .padding { fill: #f6f8fa; stroke: #d0d7de; stroke-dasharray: 4 3; }
  path { fill: none; stroke: #57606a; stroke-width: 1.4; marker-end: url(#tip); }
  .kept { stroke-dasharray: 3 3; }
  polygon { fill: #57606a; }
"""


def drawing() -> str:
    """The whole drawing as SVG."""
    width, height = LEFT + STEP * STEPS + 10, HEIGHT * len(ROWS)
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" '
        f'width="{width}" height="{height}" role="img">',
        "<title>Two texts of 4 and 2 tokens: states, inputs, token and mask at each step</title>",
        f"<style>{STYLE}</style>",
        '<defs><marker id="tip" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="6" '
        'markerHeight="6" orient="auto"><polygon points="0,0 8,4 0,8"/></marker></defs>',
    ]
    for number, tokens in enumerate(ROWS):
        lines += [f'<g transform="translate(0 {number * HEIGHT})">', *row(number, tokens), "</g>"]
    return "\n".join([*lines, "</svg>", ""])


def row(number: int, tokens: tuple[str, ...]) -> Iterator[str]:
    """A text: its states from left to right, below them the inputs, the tokens and the mask."""
    high, low = 40, 100  # of the states, of the inputs
    yield f'<text class="label" x="8" y="{high + 4}">row {number + 1}: h</text>'
    yield f'<text class="label" x="8" y="{low + 4}">input x</text>'
    yield '<text class="label" x="8" y="148">token</text>'
    yield '<text class="label" x="8" y="172">mask</text>'
    for step in range(STEPS):
        x, real = LEFT + STEP * (step + 0.5) - 16, step < len(tokens)
        start = LEFT - 30 if not step else x - STEP + WIDTH / 2
        kept = "" if real else ' class="kept"'
        yield f'<path{kept} d="M{start:g} {high} L{x - WIDTH / 2:g} {high}"/>'
        if real:
            yield f'<path d="M{x:g} {low - HALF} L{x:g} {high + HALF}"/>'
        index = min(step + 1, len(tokens))
        yield from box(x, high, "h" if real else "padding", "h", index)
        yield from box(x, low, "x" if real else "padding", "x" if real else "", step + 1)
        token, mask = (tokens[step], "True") if real else ("PAD", "False")
        yield f'<text class="middle" x="{x:g}" y="148">{token}</text>'
        yield f'<text class="middle label" x="{x:g}" y="172">{mask}</text>'


def box(x: float, y: float, kind: str, letter: str, index: int) -> Iterator[str]:
    """A box around a letter with its index."""
    yield (
        f'<rect class="{kind}" x="{x - WIDTH / 2:g}" y="{y - HALF}" width="{WIDTH}" '
        f'height="{2 * HALF}" rx="5"/>'
    )
    if letter:
        low = f'<tspan class="index" dy="3">{index}</tspan>'
        yield f'<text class="letter" x="{x:g}" y="{y + 4}">{letter}{low}</text>'


if __name__ == "__main__":
    Path(__file__).with_suffix(".svg").write_text(drawing(), encoding="utf-8")
