"""One model in every runtime: differences, size, start-up, latency and memory.

    pip install -e '.[onnx,litert-int8]'
    python -m recipes sentiment train   # and the others
    python benchmarks/runtimes.py --recipes sentiment ner generation

For each recipe the best model of its newest run is exported for each runtime: Keras (the saved
pipeline), SavedModel, ONNX (by `rnn_zoo_runtime`) and LiteRT, both also with int8 weights. Each
runs in a process of its own, with one thread for ONNX Runtime and LiteRT:

- texts of the test split -> answers (classifiers, taggers, translators); LiteRT, which has no text
  path, reads ids that were made before;
- or one step by id, the states passed from call to call (writers).

Differences are to the model in memory: the largest of all numbers, and the share of texts whose
answer (label, tags, translation, most likely token) is the same.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ["CUDA_VISIBLE_DEVICES"] = "-1"
ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

import numpy as np  # noqa: E402
import tensorflow as tf  # noqa: E402

import zoo  # noqa: E402
from benchmarks.scoreboard import measurements  # noqa: E402
from benchmarks.speed import machine  # noqa: E402
from recipes import registry  # noqa: E402
from recipes.run import Run  # noqa: E402
from zoo.errors import InputError  # noqa: E402
from zoo.litert.crf import emissions  # noqa: E402
from zoo.litert.graphs import LETTERS  # noqa: E402
from zoo.onnx.models import inputs_of  # noqa: E402
from zoo.pipelines import Pipeline  # noqa: E402
from zoo.text import word_tokens  # noqa: E402

CHILD = Path(__file__).parent / "speed" / "runtime_child.py"
RUNTIMES = ("keras", "savedmodel", "onnx", "onnx int8", "litert", "litert int8")
ROWS = (1, 32)
# pipeline -> method, signature, the output that is the answer
TEXTS = {
    "Classifier": ("classify", "serving_default", "label"),
    "Tagger": ("tag", "serving_default", "tags"),
    "Translator": ("translate", "translate", "translations"),
}
STEPS = ("Writer", "ConditionalWriter")
COLUMNS = [
    *("recipe", "runtime", "largest difference", "same answers", "size, MB", "start-up, s"),
    *("1 row, ms", "p99", "32 rows, ms", "p99 of these", "memory, MB"),
]
DIGITS = [6, 4, 2, 2, 3, 3, 3, 3, 0]


def exported(pipeline: Pipeline, runtime: str, folder: Path, steps: int) -> dict[str, Any]:
    """Exports a pipeline for a runtime; returns the part of the job that names the files.

    Raises:
        InputError: The runtime cannot hold the pipeline.
    """
    place = folder / runtime.replace(" ", "-")
    if runtime == "keras":
        return {"path": str(pipeline.save(place))}
    if runtime == "savedmodel":
        return {"path": str(pipeline.export(place))}
    int8 = runtime.endswith("int8")
    if runtime.startswith("onnx"):
        return {"path": str(pipeline.export_onnx(place, int8=int8))}
    paths = {
        str(rows): str(pipeline.export_litert(place / str(rows), rows=rows, steps=steps, int8=int8))
        for rows in ROWS
    }
    return {"path": paths["1"], "paths": paths}


def measured(
    pipeline: Pipeline, items: Sequence[Any], runtime: str, folder: Path, seconds: float = 3.0
) -> dict[str, Any]:
    """What a runtime in a fresh process does with a pipeline.

    Args:
        pipeline: The pipeline, in memory.
        items: Texts, or the token ids of one sequence.
        runtime: One of `RUNTIMES`.
        folder: An empty folder, for the exports.
        seconds: Of calls for each number of rows.

    Returns:
        `difference`, `same`, `size` in bytes, `startup` in seconds, `seconds`: number of rows ->
        those of each call, `memory` in bytes.

    Raises:
        InputError: The runtime cannot hold the pipeline.
    """
    kind = type(pipeline).__name__
    writes = kind in STEPS
    method, signature, answer = TEXTS.get(kind, ("", "", "logits"))
    by_ids = runtime.startswith("litert") and kind in ("Classifier", "Tagger")
    ids = ids_of(pipeline, items) if by_ids else []
    steps = max([1, *(len(each["token_ids"]) for each in ids if "token_ids" in each)])
    files = exported(pipeline, runtime, folder, steps)
    expected = logits_of(pipeline, ids) if by_ids else reference(pipeline, items)
    answer = "logits" if by_ids else answer
    job = {
        "kind": "step" if writes else "texts",
        "runtime": runtime.partition(" ")[0],
        "method": method,
        "signature": signature,
        "options": options_of(pipeline),
        "labels": getattr(pipeline, "labels", []) if writes else [],
        "items": ids or list(items),
        "dtypes": {name: each.dtype for name, each in inputs_of(pipeline.model).items()},
        "rows": list(ROWS),
        "seconds": seconds,
        **files,
    }
    found = in_fresh_process(job, folder)
    differences = [
        difference(one, other, answer)
        for one, other in zip(expected, found["answers"], strict=True)
    ]
    size = sum(each.stat().st_size for each in Path(job["path"]).rglob("*") if each.is_file())
    return {
        **{name: found[name] for name in ("startup", "seconds", "memory")},
        "difference": max(largest for largest, _ in differences),
        "same": float(np.mean([same for _, same in differences])),
        "size": size,
    }


def options_of(pipeline: Any) -> dict[str, Any]:
    """The options of a translator's signature; the Python method has them by default."""
    if type(pipeline).__name__ != "Translator":
        return {}
    search = pipeline.search
    return {"beam_size": search.beam_size, "length_penalty": search.alpha, "max_tokens": 0}


def in_fresh_process(job: Mapping[str, Any], folder: Path) -> Any:
    """Runs a job of `runtime_child` in a separate process.

    Raises:
        RuntimeError: The process failed; the message ends with its output.
    """
    place = folder / "job.json"
    place.write_text(json.dumps({**job, "started": time.time()}), encoding="utf-8")
    path = os.pathsep.join([str(ROOT), str(ROOT / "runtime"), os.environ.get("PYTHONPATH", "")])
    result = subprocess.run(
        [sys.executable, str(CHILD), str(place)],
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": path},
        check=False,
    )
    if result.returncode:
        raise RuntimeError(f"the process of {job['runtime']} failed: {result.stderr[-2000:]}")
    return json.loads(result.stdout.splitlines()[-1])


def reference(pipeline: Any, items: Sequence[Any]) -> list[dict[str, Any]]:
    """The answers of the pipeline in memory, one item at a time."""
    kind = type(pipeline).__name__
    if kind in TEXTS:
        method = getattr(pipeline, TEXTS[kind][0])
        return [dict(method([item])) for item in items]
    model, found = pipeline.model, []
    states = model.initial_states(tf.zeros([1], tf.int32) if kind == "ConditionalWriter" else 1)
    for item in items:
        logits, states = model.step(tf.constant([item]), states)
        found.append({"logits": logits.numpy()})
    return found


def ids_of(pipeline: Any, items: Sequence[str]) -> list[dict[str, Any]]:
    """What the model of a pipeline reads of each text, padded to one length."""
    texts = tf.constant(list(items))
    if type(pipeline).__name__ == "Tagger":
        texts = word_tokens(texts).tokens
    ids = pipeline.vectorizer(texts)
    names = list(inputs_of(pipeline.model))
    arrays = {name: np.array(ids[name] if isinstance(ids, dict) else ids) for name in names}
    if "character_ids" in arrays:
        letters = arrays["character_ids"][:, :, :LETTERS]
        missing = LETTERS - letters.shape[2]
        arrays["character_ids"] = np.pad(letters, [(0, 0), (0, 0), (0, missing)])
    rows = range(len(items))
    return [{name: each[row].tolist() for name, each in arrays.items()} for row in rows]


def logits_of(pipeline: Any, ids: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """The logits of the model in memory for the ids of each text."""
    model, found = pipeline.model, []
    crf = getattr(model, "crf", None)
    below = emissions(model) if crf is not None else model
    types = {name: each.dtype for name, each in inputs_of(model).items()}
    for each in ids:
        inputs = {name: np.array([values], types[name]) for name, values in each.items()}
        given = inputs if isinstance(model.input, dict) else next(iter(inputs.values()))
        found.append({"logits": below(given, training=False).numpy()})
    return found


def difference(expected: Mapping[str, Any], found: Mapping[str, Any], answer: str) -> Any:
    """The largest difference of an item's numbers, and whether its answer is the same."""
    largest, same = 0.0, True
    for name in set(expected) & set(found):
        one, other = np.asarray(expected[name]), np.asarray(found[name])
        inner = tuple(map(slice, np.minimum(one.shape, other.shape)))
        one, other = one[inner], other[inner]
        if one.dtype.kind == "f":
            largest = max(largest, float(np.abs(one - other).max(initial=0.0)))
            if name == answer:
                same = bool((one.argmax(axis=-1) == other.argmax(axis=-1)).all())
        elif name == answer:
            same = one.astype(str).tolist() == other.astype(str).tolist()
    return largest, same


def items_of(pipeline: Pipeline, run: Run, count: int) -> list[Any]:
    """Texts of a run's test split; token ids of a sequence for a writer."""
    if type(pipeline).__name__ in STEPS:
        size = len(pipeline.codec.vocabulary)  # type: ignore[attr-defined]
        return [2, *np.random.default_rng(0).integers(4, size, count - 1).tolist()]
    examples = run.load_data().splits.test[:count]
    for name in ("text", "source"):
        if hasattr(examples[0], name):
            return [str(getattr(example, name)) for example in examples]
    return [" ".join(example.tokens) for example in examples]


def main() -> None:
    """Reads the options, measures, prints."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--recipes", nargs="+", default=["sentiment", "ner", "generation"])
    parser.add_argument("--runtimes", nargs="+", choices=RUNTIMES, default=list(RUNTIMES))
    parser.add_argument("--texts", type=int, default=200, help="of the test split")
    parser.add_argument("--seconds", type=float, default=5.0, help="of calls of each batch size")
    measurements.add_flag(parser)
    arguments = parser.parse_args()
    recorder = measurements.Recorder("runtimes", COLUMNS) if arguments.record else None
    print(machine.note(machine.cores()), flush=True)
    zoo.import_models()
    for name in arguments.recipes:
        recipe = registry.find(name)
        run = Run.latest(recipe)
        pipeline = recipe.pipeline(run.best_model(), run.config, run.directory)
        items = items_of(pipeline, run, arguments.texts)
        for runtime in arguments.runtimes:
            with tempfile.TemporaryDirectory() as folder:
                try:
                    found = measured(pipeline, items, runtime, Path(folder), arguments.seconds)
                except InputError as error:
                    print(f"{name}, {runtime}: {error}", flush=True)
                    continue
            values = row_of(found)
            shown = [f"{value:.{digits}f}" for value, digits in zip(values, DIGITS, strict=True)]
            pairs = zip(COLUMNS[2:], shown, strict=True)
            print(f"{name}, {runtime}: " + "; ".join(f"{k} {v}" for k, v in pairs), flush=True)
            if recorder:
                recorder.add([name, runtime], values, DIGITS)
    if recorder:
        recorder.store(machine.line())


def row_of(found: Mapping[str, Any]) -> list[float]:
    """The numbers of a row of the table, as `COLUMNS` names them."""
    times = [
        1000 * float(np.quantile(found["seconds"][str(rows)], share))
        for rows in ROWS
        for share in (0.5, 0.99)
    ]
    sizes = [found["size"] / 1e6, found["startup"]]
    return [found["difference"], found["same"], *sizes, *times, found["memory"] / 1e6]


if __name__ == "__main__":
    main()
