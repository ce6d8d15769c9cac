"""The wheel: what is in it, and that it runs from any folder."""

import os
import shutil
import subprocess
import sys
import zipfile
from email.parser import Parser
from pathlib import Path

import pytest

from recipes.registry import BUILTIN

ROOT = Path(__file__).resolve().parents[1]
SOURCES = ("pyproject.toml", "README.md", "LICENSE", "zoo", "recipes")
IGNORED = shutil.ignore_patterns("__pycache__")


def run(*command: str, folder: Path, **environment: str) -> str:
    """What a command prints; an error shows what it printed instead."""
    settings = {"PYTHONWARNINGS": "ignore", "PIP_DISABLE_PIP_VERSION_CHECK": "1", **environment}
    result = subprocess.run(
        command, cwd=folder, capture_output=True, text=True, env=os.environ | settings, check=False
    )
    assert result.returncode == 0, result.stderr
    return result.stdout


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A wheel of a copy of the sources: building writes beside them."""
    folder = tmp_path_factory.mktemp("wheel")
    for name in SOURCES:
        source = ROOT / name
        copy = shutil.copytree if source.is_dir() else shutil.copy
        copy(source, folder / name, **({"ignore": IGNORED} if source.is_dir() else {}))
    options = ["--no-deps", "--no-build-isolation", "--no-index", "--quiet", "--wheel-dir", "."]
    run(sys.executable, "-m", "pip", "wheel", *options, ".", folder=folder)
    return next(folder.glob("*.whl"))


def test_the_wheel_holds_the_pages_of_all_recipes_and_the_types_mark(wheel: Path):
    names = zipfile.ZipFile(wheel).namelist()
    pages = [path.relative_to(ROOT).as_posix() for path in ROOT.glob("recipes/*/README.md")]
    assert len(pages) == len(BUILTIN) and {*pages, "zoo/py.typed", "zoo/scores.json"} <= set(names)
    sources = [path.relative_to(ROOT).as_posix() for path in ROOT.glob("zoo/**/*.py")]
    assert set(sources) <= set(names)


def test_the_core_needs_no_package_that_one_recipe_or_one_algorithm_uses(wheel: Path):
    archive = zipfile.ZipFile(wheel)
    place = next(name for name in archive.namelist() if name.endswith(".dist-info/METADATA"))
    metadata = Parser().parsestr(archive.read(place).decode())
    needs = [need for need in metadata.get_all("Requires-Dist", []) if "extra ==" not in need]
    for name in ("sacrebleu", "sentencepiece", "scikit-learn", "scipy", "tensorflow-datasets"):
        assert not [need for need in needs if need.startswith(name)]
    assert {"tfds", "translation", "bayesian", "all"} <= set(metadata.get_all("Provides-Extra", []))
    assert metadata["Description-Content-Type"] == "text/markdown"


PROGRAM = """
import sys
for name in ("sacrebleu", "sentencepiece", "sklearn", "scipy", "tensorflow_datasets"):
    sys.modules[name] = None  # as if it were not installed

import numpy as np
import zoo
import recipes.cli
from zoo.text import SubwordCodec
from zoo.tuning.study import Study
from zoo.tuning.space import Axis

model = zoo.build("many_to_one", vocabulary_size=9, num_classes=2, embedding_dim=3, units=4)
print(zoo.__file__, model(np.array([[4, 5, 0]])).shape)
for refused in (
    lambda: SubwordCodec.learn(["a cab", "a cab"], size=300),
    lambda: Study("x", (Axis("units", (4, 8)),), {}, "loss", "min", algorithm="bayesian"),
):
    try:
        refused()
    except zoo.errors.InputError as error:
        print(error)
"""


def test_an_installed_wheel_runs_from_any_folder_and_names_the_extra_that_it_lacks(
    wheel: Path, tmp_path: Path
):
    target = tmp_path / "installed"
    options = ["--no-deps", "--no-index", "--quiet", "--target", str(target)]
    run(sys.executable, "-m", "pip", "install", *options, str(wheel), folder=tmp_path)
    listed = run(str(target / "bin" / "rnn-zoo"), "list", folder=tmp_path, PYTHONPATH=str(target))
    assert "many_to_one" in listed and "lstm" in listed
    printed = run(sys.executable, "-c", PROGRAM, folder=tmp_path, PYTHONPATH=str(target))
    place, subwords, search = printed.splitlines()
    assert place == f"{target / 'zoo' / '__init__.py'} (1, 2)"
    assert subwords.startswith("learning subwords needs the package sentencepiece")
    assert subwords.endswith("install it with `pip install 'rnn-zoo[translation]'`")
    assert search.startswith("the algorithm bayesian needs the package sklearn")
    assert search.endswith("install it with `pip install 'rnn-zoo[bayesian]'`")
