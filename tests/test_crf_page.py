"""What docs/crf.md shows is run, block after block, and prints what the page says."""

import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf

import zoo.layers
import zoo.masking

ROOT = Path(__file__).resolve().parents[1]
BLOCKS = re.findall(
    r"```python\n(.*?)```", (ROOT / "docs/crf.md").read_text(encoding="utf-8"), re.S
)


def promised(block: str) -> list[str]:
    """The outputs that a block's comments promise."""
    return re.findall(r"^print\(.*\)  # (.*)", block, re.M)


def test_the_blocks_run_in_order_and_print_what_the_page_says(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    monkeypatch.chdir(tmp_path)
    keras.utils.set_random_seed(0)
    names: dict[str, Any] = {}
    for block in BLOCKS:
        if "load_model" in block:  # a program of its own, which has nothing but `import zoo`
            result = subprocess.run(
                [sys.executable, "-W", "ignore", "-c", block],
                capture_output=True,
                text=True,
                check=True,
            )
            printed = result.stdout
        else:
            exec(compile(block, "crf.md", "exec"), names)
            printed = capsys.readouterr().out
        assert printed.splitlines() == promised(block)
    assert sum(len(promised(block)) for block in BLOCKS) == 8


def test_scores_are_those_that_the_functions_of_tensorflow_addons_compute():
    logits = np.random.default_rng(0).normal(size=(2, 4, 3)).astype("float32")
    tags, lengths = np.array([[0, 1, 2, 2], [2, 0, 0, 0]]), np.array([4, 2])
    crf = zoo.layers.CRF(3, transitions_initializer="random_normal")
    mask = zoo.masking.from_lengths(lengths, 4)
    transitions, start, end = (weight.numpy() for weight in crf.weights)

    def path_score(row: int, path: list[int]) -> float:
        steps = sum(transitions[a, b] for a, b in zip(path, path[1:], strict=False))
        tokens = sum(logits[row, place, tag] for place, tag in enumerate(path))
        return float(start[path[0]] + steps + tokens + end[path[-1]])

    for row, length in enumerate(lengths):
        paths = [list(path) for path in np.ndindex(*[3] * length)]
        scores = [path_score(row, path) for path in paths]
        norm = tf.reduce_logsumexp(scores).numpy()
        gold = path_score(row, tags[row, :length].tolist())
        assert float(crf.log_partition(logits, mask=mask)[row]) == pytest.approx(norm, abs=1e-5)
        likelihood = float(crf.log_likelihood(logits, tags, mask=mask)[row])
        assert likelihood == pytest.approx(gold - norm, abs=1e-5)
        best, score = crf.decode(logits, mask=mask)
        assert best[row, :length].numpy().tolist() == paths[int(np.argmax(scores))]
        assert float(score[row]) == pytest.approx(max(scores), abs=1e-5)
