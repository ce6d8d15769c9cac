"""The wheel in a virtual environment with numpy and onnxruntime, without TensorFlow."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.runtime.pipelines.bundles import pair
from tests.zoo.pipelines import test_serving_rules as built

RUNTIME = Path(__file__).parents[2] / "runtime"
CONSTRAINTS = RUNTIME.parent / "constraints.txt"


def run(*command, **options):
    settings = {"PYTHONPATH": "", "PIP_DISABLE_PIP_VERSION_CHECK": "1"}
    result = subprocess.run(
        command, capture_output=True, text=True, env=os.environ | settings, check=False, **options
    )
    assert result.returncode == 0, result.stderr
    return result.stdout


@pytest.mark.slow
@pytest.mark.timeout(1200)
def test_a_bundle_is_answered_where_only_numpy_and_onnxruntime_are_installed(tmp_path):
    """Needs the package index, or a cache of pip's."""
    source, python = tmp_path / "source", tmp_path / "venv" / "bin" / "python"
    shutil.copytree(RUNTIME, source, ignore=shutil.ignore_patterns("*.egg-info", "build"))
    run(sys.executable, "-m", "venv", str(tmp_path / "venv"))
    run(str(python), "-m", "pip", "install", "--quiet", "-c", str(CONSTRAINTS), str(source))
    installed = {
        each["name"] for each in json.loads(run(str(python), "-m", "pip", "list", "--format=json"))
    }
    assert {"numpy", "onnxruntime", "rnn-zoo-runtime"} <= installed
    assert not {"tensorflow", "keras", "rnn-zoo", "onnx"} & installed
    for name, texts in (
        ("sentiment", ["a good film", "", "né 中文"]),
        ("generation", ["ab", ""]),
        ("ner", ["Ann met Bob.", "x"]),
    ):
        both = pair(getattr(built, name)(), tmp_path / name)
        command = [str(python), "-m", "rnn_zoo_runtime", str(tmp_path / name), "--json"]
        lines = run(*command, input="\n".join(texts) + "\n", cwd=tmp_path).splitlines()
        main = {"sentiment": "label", "generation": "text", "ner": "tags"}[name]
        found = [json.loads(line)[main] for line in lines]
        method = {"sentiment": "classify", "generation": "generate", "ner": "tag"}[name]
        assert found == getattr(both.pipeline, method)(texts)[main].tolist()
