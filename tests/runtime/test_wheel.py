"""The wheel of the runtime: what is in it, and what it needs."""

import shutil
import subprocess
import sys
import zipfile
from email.parser import Parser
from pathlib import Path

import pytest

RUNTIME = Path(__file__).parents[2] / "runtime"


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    """A wheel of a copy of the sources: building writes beside them."""
    folder = tmp_path_factory.mktemp("wheel")
    ignored = shutil.ignore_patterns("__pycache__", "*.egg-info", "build", "node_modules")
    shutil.copytree(RUNTIME, folder / "runtime", ignore=ignored)
    options = ["--no-deps", "--no-build-isolation", "--no-index", "--quiet", "--wheel-dir"]
    command = [sys.executable, "-m", "pip", "wheel", *options, str(folder), "./runtime"]
    result = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr
    return zipfile.ZipFile(next(folder.glob("*.whl")))


def test_it_holds_all_modules_the_tables_and_the_types_mark(wheel):
    package = RUNTIME / "rnn_zoo_runtime"
    sources = {path.relative_to(RUNTIME).as_posix() for path in package.rglob("*.py")}
    others = {"rnn_zoo_runtime/py.typed", "rnn_zoo_runtime/text/tables.json"}
    assert sources | others <= set(wheel.namelist())


def test_it_needs_numpy_and_onnxruntime_alone(wheel):
    place = next(name for name in wheel.namelist() if name.endswith(".dist-info/METADATA"))
    metadata = Parser().parsestr(wheel.read(place).decode())
    assert sorted(metadata.get_all("Requires-Dist")) == ["numpy", "onnxruntime"]
    assert metadata["Name"] == "rnn-zoo-runtime" and metadata["License-Expression"] == "Apache-2.0"
