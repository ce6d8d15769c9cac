"""The floors: imports go strictly down, and importing the zoo loads no heavy optional package."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
FLOORS = [
    {"errors", "version", "blueprint"},
    {"system", "options"},
    {"catalog"},
    {"registry", "masking", "plots"},
    {"cells", "text", "saved_model"},
    {"recurrence"},
    {"crf", "losses", "metrics"},
    {"layers"},
    {"architectures", "decoding", "export"},
    {"onnx"},
    {"litert"},
    {"fine_tuning"},
    {"pipelines"},
    {"formats"},
    {"pretrained"},
    {"description", "tuning", "diagnostics", "inspection", "serving"},
]
FLOOR = {part: number for number, floor in enumerate(FLOORS) for part in floor}
FACADES = {"zoo/__init__.py", "zoo/__main__.py"}
FILES = sorted(str(p.relative_to(ROOT)) for p in ROOT.glob("zoo/**/*.py"))
RECIPES = sorted(str(p.relative_to(ROOT)) for p in ROOT.glob("recipes/**/*.py"))
OPTIONAL = ["keras_tuner", "tensorflow_datasets", "matplotlib", "recipes"]


def imports(source):
    """The dotted names that a source imports anywhere; relative imports start with a dot."""
    names = []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            names += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            module = "." * node.level + (node.module or "")
            names += [f"{module}.{alias.name}" for alias in node.names]
    return names


def part_of(path):
    """The floor's part that a file belongs to: zoo/layers/pooling.py -> layers."""
    return Path(path).parts[1].removesuffix(".py")


def faults(path, source):
    """What a file of the zoo imports against the rule."""
    found = []
    for name in imports(source):
        parts = name.split(".")
        if name.startswith(".") or parts[0] in ("recipes", "tests"):
            found.append(name)
        elif parts[0] == "zoo" and path not in FACADES:
            other = parts[1] if len(parts) > 1 else "zoo"
            same = other == part_of(path)
            if not same and FLOOR.get(other, len(FLOORS)) >= FLOOR[part_of(path)]:
                found.append(name)
    return found


def test_the_files_are_found():
    assert "zoo/layers/recurrent.py" in FILES
    assert "recipes/cli.py" in RECIPES


@pytest.mark.parametrize("path", FILES)
def test_a_file_of_the_zoo_imports_strictly_down(path):
    assert path in FACADES or part_of(path) in FLOOR, "give this part a floor in FLOORS"
    assert faults(path, (ROOT / path).read_text()) == []


@pytest.mark.parametrize("path", FILES)
def test_no_file_of_the_zoo_but_the_figures_and_the_search_imports_an_optional_package(path):
    roots = {name.split(".")[0] for name in imports((ROOT / path).read_text())}
    assert part_of(path) in ("tuning", "diagnostics", "plots") or not roots & set(OPTIONAL)


@pytest.mark.parametrize("path", RECIPES)
def test_recipes_import_no_part_of_the_tests(path):
    assert [name for name in imports((ROOT / path).read_text()) if name[:5] in ("tests", ".")] == []


@pytest.mark.parametrize(
    ("path", "source"),
    [
        ("zoo/cells/lstm.py", "from zoo.layers import Recurrent"),
        ("zoo/cells/lstm.py", "def f():\n    from zoo import text"),
        ("zoo/registry.py", "import zoo.masking"),
        ("zoo/masking.py", "import zoo"),
        ("zoo/layers/pooling.py", "from . import recurrent"),
        ("zoo/export.py", "import recipes.cli"),
        ("zoo/__main__.py", "from recipes import cli"),
        ("zoo/layers/pooling.py", "from zoo.unknown import something"),
    ],
)
def test_the_rule_finds_an_import_that_goes_up_or_sideways(path, source):
    assert faults(path, source)


def test_importing_the_zoo_loads_no_optional_package():
    code = (  # Keras itself loads matplotlib where it is installed
        "import sys, keras; before = set(sys.modules); import zoo; "
        f"print([name for name in {OPTIONAL} if name in set(sys.modules) - before])"
    )
    result = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert result.stdout.strip() == "[]"
