"""Vectorizer + model -> a SavedModel that takes strings and gives strings, checked before use."""

import base64
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from zoo.errors import InputError
from zoo.text import Vectorizer

# strings that break text paths: nothing, unknown words, length, emoji, right to left, NUL, markup,
# bad bytes
PROBES = (
    "",
    "qxzzv wvvkq",
    "word " * 5000,
    "so good 👍🏽 👩‍🚀",
    "סרט נהדר, כדאי לראות",
    "a\0b",
    "<p>great<br /><br>film</p>",
    "Cafe\u0301",
    b"\xff\xfe bad bytes",
)

# runs in a process of its own, which has TensorFlow and not this project
CHECKER = """
import base64, json, sys
import tensorflow as tf
job = json.load(sys.stdin)
model = tf.saved_model.load(job["path"])
texts = [base64.b64decode(text) for text in job["texts"]]
outputs = model.signatures["serving_default"](text=tf.constant(texts))
foreign = sorted(name for name in sys.modules if name.split(".")[0] in ("zoo", "recipes"))
json.dump({"labels": [label.decode() for label in outputs["label"].numpy()],
           "probabilities": outputs["probabilities"].numpy().tolist(),
           "classes": [name.decode() for name in outputs["classes"].numpy()],
           "foreign": foreign}, sys.stdout)
"""


class ExportError(RuntimeError):
    """The SavedModel does not answer as the model in memory does, or does not load."""


def text_classifier(
    model: keras.Model, vectorizer: Vectorizer, classes: Sequence[str]
) -> tf.types.experimental.GenericFunction:
    """Joins text path and model.

    Args:
        model: int (B, T) token ids -> float (B, C) logits.
        vectorizer: Strings -> token ids.
        classes: The C labels.

    Returns:
        A function of `text`, strings (B,), that gives `label` string (B,), `probabilities` float
        (B, C), each row's sum 1, and `classes` string (C,).
    """
    names = tf.constant(list(classes))

    @tf.function(input_signature=[tf.TensorSpec([None], tf.string, name="text")], autograph=False)
    def classify(text: tf.Tensor) -> dict[str, tf.Tensor]:
        probabilities = tf.nn.softmax(model(vectorizer(text), training=False))
        label = tf.gather(names, tf.argmax(probabilities, axis=-1))
        return {"label": label, "probabilities": probabilities, "classes": names}

    return classify


def export_text_classifier(
    model: keras.Model, vectorizer: Vectorizer, classes: Sequence[str], directory: Path
) -> Path:
    """Writes the next version of a served classifier.

    It is written under a temporary name, loaded in a fresh process without this project, compared
    with the model in memory on `PROBES`, and only then renamed: a version that is there is whole.

    Args:
        model: int (B, T) token ids -> float (B, C) logits.
        vectorizer: Strings -> token ids.
        classes: The C labels.
        directory: `saved_models/NAME`; the version becomes a folder `1`, `2`, ... in it.

    Returns:
        The version's folder.

    Raises:
        ExportError: The written model does not load or answers otherwise; nothing is left behind.
    """
    classify = text_classifier(model, vectorizer, classes)
    directory.mkdir(parents=True, exist_ok=True)
    part = Path(tempfile.mkdtemp(prefix=".part-", dir=directory))
    try:
        _write(model, vectorizer, classify, part)
        check(part, classify)
        return _publish(part, directory)
    finally:
        shutil.rmtree(part, ignore_errors=True)


def _write(model: keras.Model, vectorizer: Vectorizer, classify: Any, path: Path) -> None:
    module = tf.Module()
    module.vectorizer = vectorizer
    module.weights = [weight.value for weight in model.weights]
    module.classify = classify
    tf.saved_model.save(module, str(path), signatures={"serving_default": classify})
    path.chmod(0o755)  # mkdtemp's own is for its user alone; a server may be another


def _publish(part: Path, directory: Path) -> Path:
    version = max(versions(directory), default=0) + 1
    while True:
        target = directory / str(version)
        try:
            os.rename(part, target)
        except OSError:
            if not target.exists():
                raise
            version += 1  # another export took this number meanwhile
        else:
            return target


def versions(directory: Path) -> list[int]:
    """The exported versions in `saved_models/NAME`, in ascending order."""
    if not directory.is_dir():
        return []
    folders = [path.name for path in directory.iterdir() if path.is_dir()]
    return sorted(int(name) for name in folders if re.fullmatch(r"[1-9][0-9]*", name))


def newest(directory: Path) -> Path:
    """The folder of the newest exported version, or an error that says how to make one."""
    found = versions(directory)
    if not found:
        raise InputError(f"no exported model in {directory}: run the recipe's export first")
    return directory / str(found[-1])


def check(path: Path, classify: Any, texts: Sequence[str | bytes] = PROBES) -> None:
    """Compares the SavedModel, loaded in a fresh process, with the model in memory.

    Args:
        path: The SavedModel's folder.
        classify: What `text_classifier` gave.
        texts: The strings to compare on.

    Raises:
        ExportError: It does not load, it needs this project, or an answer differs.
    """
    raw = [text.encode() if isinstance(text, str) else text for text in texts]
    served = _ask_fresh_process(path, raw)
    if served["foreign"]:
        raise ExportError(f"the exported model imports {', '.join(served['foreign'])}")
    expected = classify(tf.constant(raw))
    labels = [label.decode() for label in expected["label"].numpy()]
    same = np.allclose(served["probabilities"], expected["probabilities"].numpy(), atol=1e-5)
    if not same or served["labels"] != labels:
        raise ExportError(f"the exported model in {path} does not answer as the one in memory does")


def _ask_fresh_process(path: Path, texts: Sequence[bytes]) -> dict[str, Any]:
    job = {"path": str(path.resolve()), "texts": [base64.b64encode(t).decode() for t in texts]}
    with tempfile.TemporaryDirectory() as empty:  # so that no folder of the project is importable
        result = subprocess.run(
            [sys.executable, "-I", "-c", CHECKER],
            input=json.dumps(job),
            capture_output=True,
            text=True,
            cwd=empty,
            check=False,
        )
    if result.returncode:
        last = (result.stderr.strip().splitlines() or ["no message"])[-1]
        raise ExportError(f"the exported model in {path} does not load: {last}")
    answer: dict[str, Any] = json.loads(result.stdout)
    return answer
