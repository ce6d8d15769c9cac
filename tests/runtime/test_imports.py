"""The package needs NumPy and ONNX Runtime alone."""

import ast
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "runtime" / "rnn_zoo_runtime"
ALLOWED = {"rnn_zoo_runtime", "numpy", "onnxruntime", *sys.stdlib_module_names}
PROGRAM = """
import sys
for name in ("tensorflow", "keras", "zoo", "recipes", "onnx", "regex"):
    sys.modules[name] = None  # as if it were not installed
import rnn_zoo_runtime
from rnn_zoo_runtime import text
print(text.word_tokens("Ann's 3.5 km!").tokens)
"""


def test_a_process_without_tensorflow_keras_and_the_zoo_runs_it():
    result = subprocess.run(
        [sys.executable, "-c", PROGRAM],
        cwd=PACKAGE.parent,
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.stdout == "[\"Ann's\", '3.5', 'km', '!']\n", result.stderr


def test_its_files_import_nothing_else():
    found = set()
    for path in PACKAGE.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Import):
                found |= {alias.name.split(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom):
                found.add((node.module or "").split(".")[0])
    assert found <= ALLOWED and "numpy" in found
