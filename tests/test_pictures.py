"""The drawings of the docs are what their programs draw."""

import runpy
from pathlib import Path

import pytest

from recipes import registry
from zoo.catalog import TOPOLOGIES, cells

DOCS = Path(__file__).parents[1] / "docs"


def test_the_drawing_of_the_topologies_is_current_and_has_all_of_them_and_all_recipes():
    program = runpy.run_path(str(DOCS / "topologies.py"))
    assert (DOCS / "topologies.svg").read_text(encoding="utf-8") == program["drawing"]()
    assert [each.name for each in program["TOPOLOGIES"]] == list(TOPOLOGIES)
    recipes = [each.recipes.partition(": ")[2] for each in program["TOPOLOGIES"]]
    assert sorted(", ".join(recipes).split(", ")) == sorted(registry.summaries())


def test_the_drawing_of_a_batch_is_current():
    program = runpy.run_path(str(DOCS / "notation.py"))
    drawn = program["drawing"]()
    assert (DOCS / "notation.svg").read_text(encoding="utf-8") == drawn
    assert drawn.count(">True<") == 6 and drawn.count(">False<") == 2


@pytest.mark.parametrize("name", ["gru", "lstm"])
def test_the_drawings_of_the_gated_cells_are_current(name: str):
    program = runpy.run_path(str(DOCS / "cells.py"))
    assert (DOCS / f"{name}.svg").read_text(encoding="utf-8") == program["drawing"](name)
    assert {unit.title for unit in program["DRAWINGS"][name]} <= {each.name for each in cells()}


def test_the_picture_of_a_terminal_loads_nothing_from_elsewhere():
    text = (DOCS / "terminal.svg").read_text(encoding="utf-8")
    assert "rnn-zoo" in text and "url(http" not in text and "@font-face" not in text
