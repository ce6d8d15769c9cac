"""One runtime in a process of its own: start-up, answers, latency, memory.

`benchmarks/runtimes.py` runs it with a job, a JSON file, beside which `items.jsonl` has an item a
line. Nothing is imported before the runtime is known, and one item alone is read before the first
answer, so that start-up time and memory are those of the runtime.
"""

import itertools
import json
import re
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

WARM = 3  # calls before the measured ones
MOST = 2000  # calls at most
Call = Callable[[list[Any]], dict[str, Any]]  # items of a batch -> outputs by name


def keras_texts(job: dict[str, Any]) -> Call:
    """The saved pipeline in Python."""
    from zoo import pipelines

    return _of_pipeline(pipelines.load(job["path"]), job)


def _of_pipeline(pipeline: Any, job: dict[str, Any]) -> Call:
    """The method of a pipeline that gives all its outputs, and the call that is timed."""
    method = getattr(pipeline, job["method"])

    def call(items: list[Any]) -> dict[str, Any]:
        return dict(method(items))

    call.timed = pipeline if job["best"] else call  # type: ignore[attr-defined]
    return call


def keras_step(job: dict[str, Any]) -> Call:
    """A step of the saved pipeline's model, as one graph."""
    import tensorflow as tf

    from zoo import pipelines

    model = pipelines.load(job["path"]).model
    run = tf.function(lambda ids, states: model.step(ids, states), reduce_retracing=True)
    start = lambda rows: model.initial_states(tf.zeros([rows], tf.int32))  # noqa: E731
    if not job["labels"]:
        start = model.initial_states

    def step(ids: Any, states: Any) -> tuple[Any, Any]:
        logits, after = run(tf.constant(ids), states)
        return logits.numpy(), after

    return _carried(step, start)


def saved_model_texts(job: dict[str, Any]) -> Call:
    """A signature of the SavedModel."""
    import tensorflow as tf

    served = tf.saved_model.load(job["path"])
    options = {name: (tf.constant, value) for name, value in job["options"].items()}

    def calling(signature: str, options: dict[str, Any]) -> Call:
        run = served.signatures[signature]

        def call(items: list[Any], _served: Any = served) -> dict[str, Any]:
            given = {name: make([value] * len(items)) for name, (make, value) in options.items()}
            found = run(text=tf.constant(items), **given)
            return {name: each.numpy() for name, each in found.items()}

        return call

    call = calling(job["signature"], options)
    call.timed = calling("serving_default", {}) if job["best"] else call  # type: ignore[attr-defined]
    return call


def saved_model_step(job: dict[str, Any]) -> Call:
    """The signature `step_ids` of the SavedModel."""
    import tensorflow as tf

    served = tf.saved_model.load(job["path"])
    begin, run = served.signatures["start"], served.signatures["step_ids"]

    def start(rows: int, _served: Any = served) -> Any:
        if job["labels"]:
            return begin(label=tf.constant([job["labels"][0]] * rows))
        return begin(streams=tf.zeros([rows], tf.int32))

    def step(ids: Any, states: Any) -> tuple[Any, Any]:
        after = dict(run(token_ids=tf.constant(ids), **states))
        return after.pop("logits").numpy(), after

    return _carried(step, start)


def onnx_texts(job: dict[str, Any]) -> Call:
    """The ONNX bundle by `rnn_zoo_runtime`."""
    import rnn_zoo_runtime

    return _of_pipeline(rnn_zoo_runtime.load(job["path"], job["threads"]), job)


def onnx_step(job: dict[str, Any]) -> Call:
    """The bundle's `start` and `step` by ONNX Runtime alone."""
    import numpy as np
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads, options.inter_op_num_threads = job["threads"], 1
    begin, run = (
        onnxruntime.InferenceSession(f"{job['path']}/{name}.onnx", options)
        for name in ("start", "step")
    )
    states_of = [each.name for each in begin.get_outputs()]
    outputs = [each.name for each in run.get_outputs()]

    def start(rows: int) -> Any:
        name = begin.get_inputs()[0].name
        return dict(zip(states_of, begin.run(None, {name: np.zeros(rows, "int32")}), strict=True))

    def step(ids: Any, states: Any) -> tuple[Any, Any]:
        found = dict(zip(outputs, run.run(None, {"token_ids": ids, **states}), strict=True))
        return found["logits"], {name: found.get(f"next_{name}", states[name]) for name in states}

    return _carried(step, start)


def litert_texts(job: dict[str, Any]) -> Call:
    """The LiteRT graph `model` on ids, a file for each number of rows; items are dicts of ids."""
    import numpy as np

    runs = {rows: _runner(path, "model") for rows, path in job["paths"].items()}

    def call(items: list[Any]) -> dict[str, Any]:
        rows = next((n for n in sorted(map(int, runs)) if n >= len(items)), max(map(int, runs)))
        whole = [*items, *[items[0]] * (rows - len(items))]
        inputs = {
            name: np.array([each[name] for each in whole], job["dtypes"][name]) for name in items[0]
        }
        return {name: each[: len(items)] for name, each in runs[str(rows)](**inputs).items()}

    return call


def keras_series(job: dict[str, Any]) -> Call:
    """The saved pipeline in Python, on series of numbers."""
    from zoo import pipelines

    return of_series(getattr(pipelines.load(job["path"]), job["method"]))


def onnx_series(job: dict[str, Any]) -> Call:
    """The ONNX bundle by `rnn_zoo_runtime`, on series of numbers."""
    import rnn_zoo_runtime

    return of_series(getattr(rnn_zoo_runtime.load(job["path"], job["threads"]), job["method"]))


def saved_model_series(job: dict[str, Any]) -> Call:
    """The signature of the SavedModel on padded series."""
    import tensorflow as tf

    served = tf.saved_model.load(job["path"])
    run = served.signatures[job["signature"]]

    def call(items: list[Any], _served: Any = served) -> dict[str, Any]:
        given = {name: tf.constant(each) for name, each in _padded(items).items()}
        return {name: each.numpy() for name, each in run(**given).items()}

    return call


def litert_series(job: dict[str, Any]) -> Call:
    """The LiteRT graph `model` on series padded to its steps."""
    runs = {int(rows): _runner(path, "model") for rows, path in job["paths"].items()}

    def call(items: list[Any]) -> dict[str, Any]:
        rows = next((n for n in sorted(runs) if n >= len(items)), max(runs))
        inputs = _padded([*items, *[items[0]] * (rows - len(items))], job["steps"])
        return {name: each[: len(items)] for name, each in runs[rows](**inputs).items()}

    return call


def of_series(method: Callable[..., Any]) -> Call:
    """A method of series, and of covariates by name, on items of a job."""
    import numpy as np

    def call(items: list[Any]) -> dict[str, Any]:
        others = {name for name in items[0] if name != "values"}
        known = {name: np.array([each[name] for each in items], "float32") for name in others}
        return dict(method([np.asarray(each["values"], "float32") for each in items], **known))

    return call


def _padded(items: list[Any], steps: int = 0) -> dict[str, Any]:
    """`values` (B, T, F), `lengths` (B,) and the other arrays of series."""
    import numpy as np

    lengths = np.array([len(each["values"]) for each in items], "int32")
    width = len(items[0]["values"][0])
    values = np.zeros((len(items), steps or int(lengths.max()), width), "float32")
    for row, each in zip(values, items, strict=True):
        row[: len(each["values"])] = each["values"]
    others = {name for name in items[0] if name != "values"}
    known = {name: np.array([each[name] for each in items], "float32") for name in others}
    return {"values": values, "lengths": lengths, **known}


def litert_step(job: dict[str, Any]) -> Call:
    """The LiteRT graphs `start` and `step`, files for each number of rows."""
    import numpy as np

    graphs = {
        int(rows): [_runner(path, name) for name in ("start", "step")]
        for rows, path in job["paths"].items()
    }

    def start(rows: int) -> Any:
        begin = graphs[rows][0]
        name = next(iter(begin.get_input_details()))
        return begin(**{name: np.zeros(rows, "int32")})

    def step(ids: Any, states: Any) -> tuple[Any, Any]:
        found = graphs[len(ids)][1](token_ids=ids, **states)
        return found["logits"], {name: found.get(f"next_{name}", states[name]) for name in states}

    return _carried(step, start)


def torch_step(job: dict[str, Any]) -> Call:
    """A step of the twin in PyTorch."""
    import torch

    from benchmarks.speed import runtime_torch

    module = runtime_torch.Step(runtime_torch.read(job["path"]), job["cell"])

    def step(ids: Any, states: Any) -> tuple[Any, Any]:
        with torch.inference_mode():
            logits, after = module(torch.from_numpy(ids).long(), states)
        return logits.numpy(), after

    return _carried(step, lambda _rows: None)


def torch_texts(job: dict[str, Any]) -> Call:
    """The twin of a tagger in PyTorch, on ids; items are dicts of ids."""
    import torch

    from benchmarks.speed import runtime_torch

    module = runtime_torch.Tagger(runtime_torch.read(job["path"]), job["cell"])

    def call(items: list[Any]) -> dict[str, Any]:
        ids = {name: torch.tensor([each[name] for each in items]) for name in items[0]}
        with torch.inference_mode():
            return {"logits": module(ids).numpy()}

    return call


def _runner(path: str, name: str) -> Any:
    from ai_edge_litert.interpreter import Interpreter

    interpreter = Interpreter(f"{path}/{name}.tflite", num_threads=1)
    return interpreter.get_signature_runner(name)


def _carried(step: Callable[..., Any], start: Callable[[int], Any]) -> Call:
    """Calls of a step whose states are passed on from call to call, for each number of rows."""
    import numpy as np

    states: dict[int, Any] = {}

    def call(items: list[Any]) -> dict[str, Any]:
        rows = len(items)
        if rows not in states:
            states[rows] = start(rows)
        logits, states[rows] = step(np.array(items, "int32"), states[rows])
        return {"logits": logits}

    call.forget = states.clear  # type: ignore[attr-defined]
    return call


OPENERS = {
    ("texts", "keras"): keras_texts,
    ("step", "keras"): keras_step,
    ("texts", "savedmodel"): saved_model_texts,
    ("step", "savedmodel"): saved_model_step,
    ("texts", "onnx"): onnx_texts,
    ("step", "onnx"): onnx_step,
    ("texts", "litert"): litert_texts,
    ("texts", "pytorch"): torch_texts,
    ("step", "pytorch"): torch_step,
    ("series", "keras"): keras_series,
    ("series", "savedmodel"): saved_model_series,
    ("series", "onnx"): onnx_series,
    ("series", "litert"): litert_series,
    ("step", "litert"): litert_step,
}


def main(place: str) -> None:
    """Does a job and prints what it measured, as JSON."""
    job = json.loads(Path(place).read_text(encoding="utf-8"))
    call, items = OPENERS[job["kind"], job["runtime"]](job), _items(job, place, 1)
    answers = [call(items)]
    startup = time.time() - job["started"]
    items = _items(job, place)
    # all answers one by one: steps pass their states on, to the end of a text
    for item in items[1:]:
        if job["kind"] == "step" and item == items[0]:  # a text begins
            call.forget()  # type: ignore[attr-defined]
        answers.append(call([item]))
    timed = getattr(call, "timed", call)
    seconds = {str(rows): latencies(timed, items, rows, job["seconds"]) for rows in job["rows"]}
    found = {
        "startup": startup,
        "seconds": seconds,
        "memory": _peak_memory(),
        "answers": [{name: _plain(each) for name, each in answer.items()} for answer in answers],
    }
    print(json.dumps(found))


def _items(job: dict[str, Any], place: str, count: int | None = None) -> list[Any]:
    """The first items, or all; series as arrays, as a program has them."""
    with Path(place).with_name("items.jsonl").open(encoding="utf-8") as file:
        return [_item(job, line) for line in itertools.islice(file, count)]


def _item(job: dict[str, Any], line: str) -> Any:
    item = json.loads(line)
    if job["kind"] != "series":
        return item
    import numpy as np

    return {name: np.array(each, "float32") for name, each in item.items()}


def _peak_memory() -> int:
    """Bytes at most in use; `getrusage` would count those of the process that started this one."""
    status = Path("/proc/self/status").read_text(encoding="utf-8")
    found = re.search(r"VmHWM:\s+(\d+) kB", status)
    return int(found[1]) * 1024 if found else 0


def latencies(call: Call, items: list[Any], rows: int, budget: float) -> list[float]:
    """The seconds of calls with batches of `rows` items, at least ten.

    It goes through the items a whole number of times, so that every runtime answers the same ones.
    """
    places = range(0, len(items), rows)
    batches = [[items[(at + row) % len(items)] for row in range(rows)] for at in places]
    for number in range(WARM):
        call(batches[number % len(batches)])
    found: list[float] = []
    end = time.perf_counter() + budget
    while len(found) + len(batches) <= max(MOST, len(batches)):
        for batch in batches:
            before = time.perf_counter()
            call(batch)
            found.append(time.perf_counter() - before)
        if len(found) >= 10 and time.perf_counter() >= end:
            break
    return found


def _plain(value: Any) -> Any:
    """An array as JSON holds it; bytes as text."""
    if isinstance(value, bytes):
        return value.decode(errors="replace")
    value = value.tolist() if hasattr(value, "tolist") else value
    return [_plain(each) for each in value] if isinstance(value, list) else value


if __name__ == "__main__":
    main(sys.argv[1])
