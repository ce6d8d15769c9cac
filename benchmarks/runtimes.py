"""One model in every runtime: differences, size, start-up, latency and memory.

    pip install -e '.[onnx,litert-int8]'
    python -m recipes sentiment train   # and the others
    python benchmarks/runtimes.py --recipes sentiment ner

For each recipe the best model of its newest run is saved, which rounds its weights to float16,
loaded again, and then exported for each runtime: Keras (the saved pipeline), SavedModel, ONNX (by
`rnn_zoo_runtime`) and LiteRT, both also with int8 weights; language models and taggers also run in
PyTorch with the same weights, where it is installed. Each runs in a process of its own, with one
thread for ONNX Runtime (but for `onnx 2 threads`), LiteRT and PyTorch:

- texts of the test split -> answers (classifiers, taggers, translators, of which the call for the
  best translation is timed); LiteRT and PyTorch, which have no text path, read ids that were made
  before;
- series of the test split -> answers (classifiers, transcribers, forecasters); LiteRT gives what
  the model gives, for series padded to one length;
- or one step by id, the states passed from call to call (writers).

Differences are to the loaded model in memory: the largest of all numbers, and the share of texts
whose answer (label, tags, translation, most likely token) is the same. The metric is the recipe's,
of the same texts.
"""

import argparse
import importlib.util
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
from benchmarks.speed import machine, runtime_child  # noqa: E402
from benchmarks.speed.runtime_items import METRICS, SERIES, WRITERS, Items, items_of, score  # noqa: E402
from recipes import registry  # noqa: E402
from recipes.run import Run  # noqa: E402
from zoo.errors import InputError  # noqa: E402
from zoo.litert.crf import emissions  # noqa: E402
from zoo.litert.graphs import LETTERS  # noqa: E402
from zoo.onnx.models import inputs_of  # noqa: E402
from zoo.pipelines import Pipeline  # noqa: E402
from zoo.text import word_tokens  # noqa: E402

CHILD = Path(__file__).parent / "speed" / "runtime_child.py"
RECIPES = (
    *("sentiment", "origin", "ner", "pos", "generation", "names", "melodies", "translation"),
    *("signals", "digits", "forecasting"),
)
RUNTIMES = (
    *("keras", "savedmodel", "onnx", "onnx 2 threads", "onnx int8", "litert", "litert int8"),
    "pytorch",
)
ROWS = (1, 32)
# pipeline -> method, signature, the output that is the answer
ANSWERS = {
    "Classifier": ("classify", "serving_default", "label"),
    "Tagger": ("tag", "serving_default", "tags"),
    "Translator": ("translate", "translate", "translations"),
    "SignalClassifier": ("classify", "serving_default", "label"),
    "Transcriber": ("transcribe", "serving_default", "text"),
    "SeriesForecaster": ("forecast", "serving_default", "forecast"),
}
COLUMNS = [
    *("recipe", "runtime", "largest difference", "same answers", "metric", "size, MB"),
    "start-up, s",
    *("1 row, ms", "p99", "32 rows, ms", "p99 of these", "memory, MB"),
]
DIGITS = [6, 4, 4, 2, 2, 3, 3, 3, 3, 0]


def as_saved(pipeline: Pipeline) -> Pipeline:
    """The pipeline, saved and loaded: every runtime gets the same weights."""
    with tempfile.TemporaryDirectory() as folder:
        return zoo.load(pipeline.save(Path(folder) / "pipeline"))


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
    if runtime == "pytorch":
        return _twin(pipeline, place)
    int8 = runtime.endswith("int8")
    if runtime.startswith("onnx"):
        return {"path": str(pipeline.export_onnx(place, int8=int8))}
    paths = {
        str(rows): str(pipeline.export_litert(place / str(rows), rows=rows, steps=steps, int8=int8))
        for rows in ROWS
    }
    return {"path": paths["1"], "paths": paths}


def _twin(pipeline: Pipeline, place: Path) -> dict[str, Any]:
    """The weights of a model for its twin in PyTorch.

    Raises:
        InputError: PyTorch is not installed, or the model has no twin.
    """
    model = pipeline.model
    body = {layer.name: layer for layer in model.layers}.get(
        "body" if type(pipeline).__name__ == "Writer" else "encoder"
    )
    cell = getattr(getattr(body, "options", None), "cell", "")
    if type(pipeline).__name__ not in ("Writer", "Tagger") or cell not in ("gru", "lstm"):
        raise InputError("no twin in PyTorch: there are those of a language model and of a tagger")
    if importlib.util.find_spec("torch") is None:
        raise InputError("PyTorch is not installed: pip install torch")
    place.mkdir()
    arrays = {weight.path.replace("/", "|"): weight.numpy() for weight in model.weights}
    np.savez(place / "weights.npz", **arrays)
    return {"path": str(place / "weights.npz"), "cell": cell}


def measured(
    pipeline: Pipeline, items: Items, runtime: str, folder: Path, seconds: float = 3.0
) -> dict[str, Any]:
    """What a runtime in a fresh process does with a pipeline.

    Args:
        pipeline: The pipeline, in memory.
        items: What it is given, and should answer.
        runtime: One of `RUNTIMES`.
        folder: An empty folder, for the exports.
        seconds: Of calls for each number of rows.

    Returns:
        `difference`, `same`, `metric`, `size` in bytes, `startup` in seconds, `seconds`: number of
        rows -> those of each call, `memory` in bytes.

    Raises:
        InputError: The runtime cannot hold the pipeline.
    """
    kind = type(pipeline).__name__
    job_kind = "step" if kind in WRITERS else "series" if kind in SERIES else "texts"
    method, signature, answer = ANSWERS.get(kind, ("", "", "logits"))
    of_model = runtime.startswith(("litert", "pytorch")) and job_kind != "step"
    read: list[Any] = items.given
    if of_model and kind in ("Classifier", "Tagger"):
        read = ids_of(pipeline, read)
    steps = _steps(read)
    files = exported(pipeline, runtime, folder, steps)
    expected = outputs_of(pipeline, read) if of_model else reference(pipeline, read)
    if of_model:
        answer = "quantiles" if kind == "SeriesForecaster" else "logits"
    job = {
        "kind": job_kind,
        "runtime": runtime.partition(" ")[0],
        "method": method,
        "signature": signature,
        "options": options_of(pipeline),
        "best": kind
        == "Translator",  # several translations are compared, the call for one is timed
        "labels": getattr(pipeline, "labels", []) if job_kind == "step" else [],
        "steps": steps,
        "threads": 2 if runtime.endswith("2 threads") else 1,
        "dtypes": {name: each.dtype for name, each in inputs_of(pipeline.model).items()},
        "rows": list(ROWS),
        "seconds": seconds,
        **files,
    }
    lines = "".join(json.dumps(item) + "\n" for item in read)
    (folder / "items.jsonl").write_text(lines, encoding="utf-8")
    found = in_fresh_process(job, folder)
    differences = [
        difference(one, other, answer)
        for one, other in zip(expected, found["answers"], strict=True)
    ]
    written = Path(job["path"])
    files_of = [written] if written.is_file() else written.rglob("*")
    size = sum(each.stat().st_size for each in files_of if each.is_file())
    return {
        **{name: found[name] for name in ("startup", "seconds", "memory")},
        "difference": max(largest for largest, _ in differences),
        "same": float(np.mean([same for _, same in differences])),
        "metric": score(pipeline, found["answers"], items.truths),
        "size": size,
    }


def _steps(items: Sequence[Any]) -> int:
    """The steps of the longest sequence."""
    each = [item for item in items if isinstance(item, dict)]
    return max([1, *(len(item.get("token_ids", item.get("values", ()))) for item in each)])


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
    if kind in ANSWERS:
        method = getattr(pipeline, ANSWERS[kind][0])
        if kind in SERIES:
            method = runtime_child.of_series(method)
        return [dict(method([item])) for item in items]
    model, found = pipeline.model, []
    first = tf.zeros([1], tf.int32) if kind == "ConditionalWriter" else 1
    for item in items:
        if item == items[0]:  # a text begins
            states = model.initial_states(first)
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


def outputs_of(pipeline: Any, items: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """What the model in memory gives for ids, or series: `logits`, or `quantiles`."""
    model, found = pipeline.model, []
    crf = getattr(model, "crf", None)
    below = emissions(model) if crf is not None else model
    types = {name: each.dtype for name, each in inputs_of(model).items()}
    name = "quantiles" if type(pipeline).__name__ == "SeriesForecaster" else "logits"
    for each in items:
        inputs = {key: np.array([values], types[key]) for key, values in each.items()}
        if "values" in inputs:
            inputs["lengths"] = np.array([len(each["values"])], "int32")
        given = inputs if isinstance(model.input, dict) else next(iter(inputs.values()))
        found.append({name: below(given, training=False).numpy()})
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
                same = _alike(one, other, answer)
        elif name == answer:
            same = one.astype(str).tolist() == other.astype(str).tolist()
    return largest, same


def _alike(one: Any, other: Any, answer: str) -> bool:
    """Whether logits have the same largest class, or forecasts the same values to a thousandth."""
    if answer == "logits":
        return bool((one.argmax(axis=-1) == other.argmax(axis=-1)).all())
    return bool(np.allclose(one, other, rtol=1e-3, atol=1e-3))


def main() -> None:
    """Reads the options, measures, prints."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--recipes", nargs="+", default=list(RECIPES))
    parser.add_argument("--runtimes", nargs="+", choices=RUNTIMES, default=list(RUNTIMES))
    parser.add_argument("--texts", type=int, default=200, help="of the test split")
    parser.add_argument("--seconds", type=float, default=5.0, help="of calls of each batch size")
    measurements.add_flag(parser)
    arguments = parser.parse_args()
    print(machine.note(machine.cores()), flush=True)
    zoo.import_models()
    for name in arguments.recipes:
        recipe = registry.find(name)
        recorder = measurements.Recorder("runtimes", COLUMNS, name) if arguments.record else None
        run = Run.latest(recipe)
        pipeline = as_saved(recipe.pipeline(run.best_model(), run.config, run.directory))
        items = items_of(pipeline, run, arguments.texts)
        for runtime in arguments.runtimes:
            with tempfile.TemporaryDirectory() as folder:
                try:
                    found = measured(pipeline, items, runtime, Path(folder), arguments.seconds)
                except InputError as error:
                    print(f"{name}, {runtime}: {error}", flush=True)
                    continue
            values = row_of(found)
            shown = [measurements.formatted(*each) for each in zip(values, DIGITS, strict=True)]
            pairs = zip(
                [*COLUMNS[2:4], METRICS[type(pipeline).__name__], *COLUMNS[5:]], shown, strict=True
            )
            print(f"{name}, {runtime}: " + "; ".join(f"{k} {v}" for k, v in pairs), flush=True)
            if recorder:
                recorder.add([name, runtime], values, DIGITS)
        if recorder:
            recorder.store(machine.line())


def row_of(found: Mapping[str, Any]) -> list[Any]:
    """The numbers of a row of the table, as `COLUMNS` names them."""
    times = [
        1000 * float(np.quantile(found["seconds"][str(rows)], share))
        for rows in ROWS
        for share in (0.5, 0.99)
    ]
    sizes = [found["size"] / 1e6, found["startup"]]
    quality = [found["difference"], found["same"], found["metric"]]
    return [*quality, *sizes, *times, found["memory"] / 1e6]


if __name__ == "__main__":
    main()
