"""The drawings of the docs are what their programs draw."""

import runpy
from pathlib import Path

from recipes import registry
from zoo.catalog import TOPOLOGIES

DOCS = Path(__file__).parents[1] / "docs"


def test_the_drawing_of_the_topologies_is_current_and_has_all_of_them_and_all_recipes():
    program = runpy.run_path(str(DOCS / "topologies.py"))
    assert (DOCS / "topologies.svg").read_text(encoding="utf-8") == program["drawing"]()
    assert [each.name for each in program["TOPOLOGIES"]] == list(TOPOLOGIES)
    recipes = [each.recipes.partition(": ")[2] for each in program["TOPOLOGIES"]]
    assert sorted(", ".join(recipes).split(", ")) == sorted(registry.summaries())


def test_the_picture_of_a_terminal_loads_nothing_from_elsewhere():
    text = (DOCS / "terminal.svg").read_text(encoding="utf-8")
    assert "rnn-zoo" in text and "url(http" not in text and "@font-face" not in text
