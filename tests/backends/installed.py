"""A folder that looks like an environment in which a few packages alone are installed.

It has links to the files of these packages and of what they require, found by their metadata, so
that no network is needed. A process that sees this folder and Python's own library alone cannot
import TensorFlow, installed as it is.
"""

import os
import subprocess
import sys
from importlib import metadata
from pathlib import Path
from typing import Any

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[2]
ALLOWED = ("keras", "jax", "jaxlib", "numpy", "filelock")  # what the model code asks for


def closure(names: tuple[str, ...]) -> set[str]:
    """The distributions that these require, themselves included."""
    found: set[str] = set()
    waiting = list(names)
    while waiting:
        name = canonicalize_name(waiting.pop())
        if name in found:
            continue
        found.add(name)
        for line in metadata.distribution(name).requires or ():
            requirement = Requirement(line)
            if requirement.marker is None or requirement.marker.evaluate({"extra": ""}):
                waiting.append(requirement.name)
    return found


def linked(folder: Path, names: tuple[str, ...] = ALLOWED) -> Path:
    """Fills a folder with links to the packages and to the checkout's own."""
    for name in closure(names):
        distribution = metadata.distribution(name)
        for top in {Path(str(file)).parts[0] for file in distribution.files or ()}:
            source, target = Path(str(distribution.locate_file(top))), folder / top
            if top not in ("..", "__pycache__") and source.exists() and not target.exists():
                os.symlink(source, target)
    for name in ("zoo", "tests"):
        os.symlink(ROOT / name, folder / name)
    return folder


def run(folder: Path | None, backend: str, *words: str) -> Any:
    """Runs `python -m WORDS...` on a backend; with a folder of links that sees these alone.

    Returns the process, whose output is text.
    """
    keep = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    settings = {**keep, "KERAS_BACKEND": backend, "TF_CPP_MIN_LOG_LEVEL": "3"}
    if folder is None:
        command = [sys.executable, "-W", "ignore", "-m", *words]
    else:
        start = (
            "import runpy, sys; sys.path.insert(0, sys.argv.pop(1)); sys.argv.pop(0); "
            "runpy.run_module(sys.argv[0], run_name='__main__', alter_sys=True)"
        )
        command = [sys.executable, "-I", "-S", "-W", "ignore", "-c", start, str(folder), *words]
    return subprocess.run(
        command, cwd=ROOT, env=settings, capture_output=True, text=True, check=False
    )
