"""The notebooks: both files of each have the same cells, and each runs to the end."""

import ast
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from zoo.catalog import TOPOLOGIES

ROOT = Path(__file__).resolve().parents[1]
NAMES = sorted(path.stem for path in (ROOT / "notebooks").glob("*.py"))
LARGEST = 100_000  # bytes of an .ipynb file
# the result that each prints, and its lowest value
RESULTS = {
    "ctc": (r"letters right: ([\d.]+)", 0.97),
    "encoder_decoder": (r"test: ([\d.]+) of", 0.9),
    "forecaster": (r"in the interval: ([\d.]+)", 0.9),
    "language_model": (r"sentences that are right: ([\d.]+)", 0.6),
    "many_to_many": (r"entity F1 ([\d.]+)", 0.75),
    "many_to_one": (r"test accuracy ([\d.]+)", 0.9),
    "one_to_many": (r"loss ([\d.]+) -> 1\.[0-4]", 1.5),
    "one_to_one": (r"test accuracy ([\d.]+)", 0.8),
}

Cells = list[tuple[str, str]]


def script_cells(name: str) -> Cells:
    """The kinds and texts of the cells of a script in the percent format."""
    text = (ROOT / "notebooks" / f"{name}.py").read_text(encoding="utf-8")
    cells = []
    for part in re.split(r"^# %%", text, flags=re.M)[1:]:
        head, _, body = part.partition("\n")
        kind = "markdown" if "[markdown]" in head else "code"
        if kind == "markdown":
            body = re.sub(r"^# ?", "", body, flags=re.M)
        cells.append((kind, body.strip()))
    return cells


def notebook(name: str) -> dict:
    return json.loads((ROOT / "notebooks" / f"{name}.ipynb").read_text(encoding="utf-8"))


def test_there_is_a_notebook_for_each_topology_and_the_page_names_it():
    assert set(NAMES) == set(TOPOLOGIES)
    assert set(NAMES) == set(RESULTS)
    page = (ROOT / "notebooks" / "README.md").read_text(encoding="utf-8")
    assert set(re.findall(r"\]\((\w+)\.ipynb\)", page)) == set(NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_script_and_notebook_have_the_same_cells(name: str):
    cells = script_cells(name)
    found = [
        (cell["cell_type"], "".join(cell["source"]).strip()) for cell in notebook(name)["cells"]
    ]
    assert found == cells
    assert {kind for kind, _ in cells} == {"markdown", "code"}
    for kind, text in cells:
        if kind == "code":
            ast.parse(text)


@pytest.mark.parametrize("name", NAMES)
def test_a_notebook_is_stored_without_outputs(name: str):
    code = [cell for cell in notebook(name)["cells"] if cell["cell_type"] == "code"]
    assert all(cell["outputs"] == [] and cell["execution_count"] is None for cell in code)
    assert (ROOT / "notebooks" / f"{name}.ipynb").stat().st_size < LARGEST


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES)
def test_a_notebook_runs_to_the_end_with_a_good_result(name: str, tmp_path: Path):
    command = [sys.executable, str(ROOT / "notebooks" / f"{name}.py")]
    environment = {**os.environ, "MPLBACKEND": "Agg", "PYTHONPATH": str(ROOT)}
    result = subprocess.run(
        command, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=300
    )
    assert result.returncode == 0, result.stderr[-2000:]
    pattern, least = RESULTS[name]
    value = re.search(pattern, result.stdout)
    assert value and float(value[1]) >= least, result.stdout
