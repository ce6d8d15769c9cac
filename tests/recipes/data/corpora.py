"""How the tests of corpora load one, are refused one, and write the files for it."""

import gzip
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from recipes.data.running_text import RunningText, load
from recipes.data.splits import Splits
from zoo.errors import InputError

LINES = [f"Zeile {number:03}" if number % 5 else "" for number in range(200)]
running = partial(Splits, continuous=True)
BUILTIN = running(["one", "", "two"], ["three"], ["four"])


def corpus_of(
    data: str | Path, builtin: Callable[[], Splits[str]] = lambda: BUILTIN, **changes: Any
) -> Splits[str]:
    fractions: dict[str, Any] = {"validation_fraction": 0.1, "test_fraction": 0.2}
    options = {"unit": "line", "split_seed": 5, "download": False} | fractions | changes
    return load(RunningText(data=str(data), **options), builtin)


def refusal(data: str | Path, **changes: Any) -> str:
    with pytest.raises(InputError) as caught:
        corpus_of(data, **changes)
    message = str(caught.value)
    assert "\n" not in message
    return message


def write(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    data = text.encode()
    path.write_bytes(gzip.compress(data, mtime=0) if path.suffix.lower() == ".gz" else data)
    return path
