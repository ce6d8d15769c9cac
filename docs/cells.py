"""Draws docs/gru.svg and docs/lstm.svg, how the units compute a state: `python docs/cells.py`."""

from pathlib import Path
from typing import NamedTuple

WIDTH, HEIGHT, GAP = 420, 268, 12  # of a panel, and between panels
LINE, PRODUCT, GATE, BUS = 84, 136, 190, 236  # heights: state, products, gates, inputs
HALF = 15  # half the height of a gate
STYLE = """
  text { font-family: "DejaVu Sans", Verdana, sans-serif; fill: #1f2328; font-size: 13px; }
  .title { font-size: 15px; font-weight: bold; }
  .small { font-size: 11px; fill: #57606a; }
  .middle { text-anchor: middle; }
  .panel { fill: #ffffff; stroke: #d0d7de; }
  .sigma { fill: #ddf4ff; stroke: #0969da; }
  .tanh { fill: #fff1d6; stroke: #bf8700; }
  .operation { fill: #dafbe1; stroke: #1a7f37; }
  path { fill: none; stroke: #57606a; stroke-width: 1.4; marker-end: url(#tip); }
  .state { stroke: #bc4c00; stroke-width: 2.6; }
  .bus { marker-end: none; }
  .peephole { stroke-dasharray: 4 3; stroke: #8250df; }
  polygon { fill: #57606a; }
"""


class Unit(NamedTuple):
    """One panel.

    Attributes:
        title: Its heading.
        state: The letters of the kept state before and after the step.
        gates: Letter, activation and place of each gate.
        operations: Sign and place of each elementwise operation.
        wires: Class and points of each line.
        notes: Text and place of each label.
    """

    title: str
    state: tuple[str, str]
    gates: list[tuple[str, str, int]]
    operations: list[tuple[str, int, int]]
    wires: list[tuple[str, list[tuple[int, int]]]]
    notes: list[tuple[str, int, int]]


def gru(title: str, gate: str, shares: tuple[str, str], reset: bool) -> Unit:
    """A GRU: the gate mixes the old state and the candidate."""
    gates = [(gate, "sigma", 130), ("h~", "tanh", 290)]
    wires = [
        ("", [(130, GATE - HALF), (130, LINE + 11)]),
        ("", [(130, PRODUCT), (279, PRODUCT)]),
        ("", [(290, GATE - HALF), (290, PRODUCT + 11)]),
        ("", [(290, PRODUCT - 11), (290, LINE + 11)]),
    ]
    notes = [(shares[0], 112, 114), (shares[1], 200, PRODUCT - 6)]
    if reset:
        gates.insert(1, ("r", "sigma", 210))
        wires.append(("", [(233, GATE), (267, GATE)]))
    operations = [("×", 130, LINE), ("+", 290, LINE), ("×", 290, PRODUCT)]
    return Unit(title, ("h(t-1)", "h(t)"), gates, operations, wires, notes)


def lstm(title: str, peepholes: bool) -> Unit:
    """An LSTM: the cell state on top, what others see of it below on the right."""
    gates = [("f", "sigma", 90), ("i", "sigma", 150), ("g", "tanh", 210), ("o", "sigma", 280)]
    wires = [
        ("", [(90, GATE - HALF), (90, LINE + 11)]),
        ("", [(150, GATE - HALF), (150, PRODUCT), (199, PRODUCT)]),
        ("", [(210, GATE - HALF), (210, PRODUCT + 11)]),
        ("", [(210, PRODUCT - 11), (210, LINE + 11)]),
        ("", [(280, GATE - HALF), (280, PRODUCT), (329, PRODUCT)]),
        ("", [(340, LINE), (340, PRODUCT - 11)]),
        ("", [(351, PRODUCT), (388, PRODUCT)]),
    ]
    notes = [("tanh", 321, 116), ("h(t)", 402, PRODUCT + 4)]
    if peepholes:
        wires += [
            ("peephole", [(50, LINE), (50, GATE), (67, GATE)]),
            ("peephole", [(50, 158), (140, 158), (140, GATE - HALF)]),
            ("peephole", [(372, LINE), (372, GATE), (303, GATE)]),
        ]
    operations = [("×", 90, LINE), ("+", 210, LINE), ("×", 210, PRODUCT), ("×", 340, PRODUCT)]
    return Unit(title, ("c(t-1)", "c(t)"), gates, operations, wires, notes)


DRAWINGS = {
    "gru": [
        gru("gru_simple", "u", ("1 - u", "u"), reset=False),
        gru("gru", "z", ("z", "1 - z"), reset=True),
    ],
    "lstm": [lstm("lstm", peepholes=False), lstm("lstm_peephole", peepholes=True)],
}


def drawing(name: str) -> str:
    """A whole drawing as SVG."""
    units = DRAWINGS[name]
    width = len(units) * (WIDTH + GAP) - GAP + 2
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="-1 -1 {width} {HEIGHT + 2}" '
        f'width="{width}" height="{HEIGHT + 2}" role="img">',
        f"<title>{' and '.join(unit.title for unit in units)}: gates, products and states</title>",
        f"<style>{STYLE}</style>",
        '<defs><marker id="tip" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="6" '
        'markerHeight="6" markerUnits="userSpaceOnUse" orient="auto">'
        '<polygon points="0,0 8,4 0,8"/></marker></defs>',
    ]
    for number, unit in enumerate(units):
        left = number * (WIDTH + GAP)
        lines += [f'<g transform="translate({left} 0)">', *panel(unit), "</g>"]
    return "\n".join([*lines, "</svg>", ""])


def panel(unit: Unit) -> list[str]:
    """The elements of one panel: lines first, so that gates and operations cover their ends."""
    before, after = unit.state
    lines = [
        f'<rect class="panel" width="{WIDTH}" height="{HEIGHT}" rx="8"/>',
        text(unit.title, 14, 26, "title"),
        text(before, 30, LINE - 10, "middle"),
        text(after, 398, LINE - 10, "middle"),
        wire("state", [(14, LINE), (410, LINE)]),
        wire("bus", [(14, BUS), (unit.gates[-1][2], BUS)]),
        text("x(t), h(t-1)", 14, BUS + 18, "small"),
    ]
    lines += [wire(kind, points) for kind, points in unit.wires]
    for letter, activation, x in unit.gates:
        lines += [
            wire("", [(x, BUS), (x, GATE + HALF)]),
            f'<rect class="{activation}" x="{x - 22}" y="{GATE - HALF}" width="44" '
            f'height="{2 * HALF}" rx="5"/>',
            text(letter, x, GATE + 1, "middle"),
            text("σ" if activation == "sigma" else "tanh", x, GATE + 12, "middle small"),
        ]
    for sign, x, y in unit.operations:
        lines += [
            f'<circle class="operation" cx="{x}" cy="{y}" r="11"/>',
            text(sign, x, y + 5, "middle"),
        ]
    return lines + [text(note, x, y, "middle small") for note, x, y in unit.notes]


def wire(kind: str, points: list[tuple[int, int]]) -> str:
    """A line through points, with an arrow at its end."""
    way = " L".join(f"{x} {y}" for x, y in points)
    return f'<path class="{kind}" d="M{way}"/>' if kind else f'<path d="M{way}"/>'


def text(content: str, x: int, y: int, kind: str) -> str:
    """A text."""
    return f'<text class="{kind}" x="{x}" y="{y}">{content}</text>'


if __name__ == "__main__":
    for name in DRAWINGS:
        Path(__file__).with_name(f"{name}.svg").write_text(drawing(name), encoding="utf-8")
