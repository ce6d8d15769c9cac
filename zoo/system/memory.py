"""Available memory, and refusal of models that would exceed it before they allocate any."""

import contextvars
import math
import os
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import keras

from zoo.errors import InputError

GIB = 1 << 30
ITEM = 4  # bytes of a number
SMALL_ITEMS = {"bool": 1, "int8": 1, "uint8": 1, "bfloat16": 2, "float16": 2}
TRAINING = 4  # copies of each weight in training: weight, gradient, Adam's two averages
_CGROUPS = (  # limit and usage, cgroup versions 2 and 1
    ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory.current"),
    (
        "/sys/fs/cgroup/memory/memory.limit_in_bytes",
        "/sys/fs/cgroup/memory/memory.usage_in_bytes",
    ),
)


class ModelTooLargeError(InputError):
    """A model, or a step of its training, needs more memory than there is."""


def available() -> int:
    """Bytes of memory that this process can still allocate, as reported by the system."""
    found = [os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")] if os.name != "nt" else []
    meminfo = Path("/proc/meminfo")
    if meminfo.exists():
        for line in meminfo.read_text(encoding="ascii").splitlines():
            if line.startswith("MemAvailable:"):
                found.append(int(line.split()[1]) * 1024)
    for limit, used in _CGROUPS:
        if Path(limit).exists():
            most = Path(limit).read_text(encoding="ascii").strip()
            if most != "max":
                found.append(int(most) - int(Path(used).read_text(encoding="ascii")))
    return max(0, min(found, default=1 << 62))


def gib(size: int) -> str:
    """Bytes in GiB, for people."""
    return f"{size / GIB:,.1f} GiB"


class _Count:
    """The weights that a model has so far, `limit` bytes at most; `blank` ones begin as zeros."""

    def __init__(self, limit: int, blank: bool = False) -> None:
        self.limit, self.blank = limit, blank
        self.parameters, self.exceeded = 0, False

    def add(self, shape: Any) -> None:
        self.parameters += math.prod(int(size) for size in shape)
        if self.parameters * ITEM > self.limit:
            self.exceeded = True
            raise ModelTooLargeError(f"more than {gib(self.limit)}")


_counts: contextvars.ContextVar[_Count | None] = contextvars.ContextVar("_counts", default=None)
_copies: contextvars.ContextVar[int] = contextvars.ContextVar("_copies", default=1)
_watchers = 0
_installing = threading.Lock()
_add_weight = keras.layers.Layer.add_weight


def _counted_add_weight(layer: Any, *arguments: Any, **named: Any) -> Any:
    """Keras' `add_weight`, preceded by the check of the active count."""
    count = _counts.get()
    shape = arguments[0] if arguments else named.get("shape")
    if count is not None:
        count.add(() if shape is None else shape if isinstance(shape, tuple | list) else (shape,))
        if count.blank:
            arguments = (*arguments[:1], "zeros", *arguments[2:]) if arguments[1:] else arguments
            named |= {} if arguments[1:] else {"initializer": "zeros"}
    return _add_weight(layer, *arguments, **named)


@contextmanager
def counting(limit: int, blank: bool = False) -> Iterator[_Count]:
    """Counts the weights that layers create in a `with` block, `limit` bytes at most.

    Keras has no hook before a weight exists, so its `add_weight` is replaced meanwhile. With
    `blank` the weights are zeros: to draw values that a file replaces takes long.

    Raises:
        ModelTooLargeError: A weight would exceed the limit; it was not created.
    """
    global _watchers
    count = _Count(limit, blank)
    with _installing:
        _watchers += 1
        keras.layers.Layer.add_weight = _counted_add_weight
    token = _counts.set(count)
    try:
        yield count
    finally:
        _counts.reset(token)
        with _installing:
            _watchers -= 1
            if not _watchers:
                keras.layers.Layer.add_weight = _add_weight


@contextmanager
def for_training() -> Iterator[None]:
    """Requires that models built in a `with` block fit into memory with their training state."""
    token = _copies.set(TRAINING)
    try:
        yield
    finally:
        _copies.reset(token)


def built(name: str, build: Callable[[], keras.Model]) -> keras.Model:
    """Builds a model, `name` in errors, if its weights fit into the memory that is available.

    Raises:
        ModelTooLargeError: They do not fit; the sentence has the number of parameters and the GiB.
    """
    if _counts.get() is not None:  # part of a model that is being counted
        return build()
    copies, most = _copies.get(), available()
    with counting(most // copies) as count:
        try:
            return build()
        except Exception as error:  # Keras may wrap a layer's error
            if not count.exceeded:
                raise
            cause = error
    total, atleast = count.parameters, "at least "
    with ThreadPoolExecutor(max_workers=1) as other:
        full = other.submit(_parameters, build).result()
    if full:
        total, atleast = full, ""
    size = total * ITEM
    trained = f", in training {copies} times that, {gib(copies * size)}" if copies > 1 else ""
    raise ModelTooLargeError(
        f"{name} would have {atleast}{total:,} parameters, which take {gib(size)}{trained}, but "
        f"{gib(most)} of memory are available: give smaller sizes"
    ) from cause


def _parameters(build: Callable[[], keras.Model]) -> int:
    """Counts the parameters by building the model without values; 0 if that fails.

    It runs in a thread of its own, because Keras keeps a list of variables without values for each
    thread and would give them values later.
    """
    with counting(1 << 200) as count, keras.StatelessScope(initialize_variables=False):
        try:
            build()
        except Exception:  # sizes beyond what shapes can hold: the caller has a lower bound
            return 0
    return count.parameters


def check_step(model: keras.Model, rows: int, steps: int) -> None:
    """Refuses a batch of `rows` examples, `steps` at most, whose activations exceed the memory.

    The sum of the layers' outputs is a lower bound: recurrent layers store several values for
    each output.

    Raises:
        ModelTooLargeError: It does not fit.
    """
    outputs = [
        output
        for operation in getattr(model, "operations", [])
        for output in keras.tree.flatten(operation.output)
    ]
    total = rows * sum(
        math.prod(size or steps for size in output.shape[1:])
        * SMALL_ITEMS.get(keras.backend.standardize_dtype(output.dtype), ITEM)
        for output in outputs
    )
    most = available()
    if total > most:
        raise ModelTooLargeError(
            f"a step with {rows:,} examples of up to {steps:,} steps takes more than {gib(total)}, "
            f"but {gib(most)} of memory are available: give a smaller batch_size"
        )


@contextmanager
def graphs_released() -> Iterator[None]:
    """Frees the graphs that TensorFlow traces in a block, once nothing else refers to them.

    TensorFlow registers each custom gradient of a graph for ever, and the gradient refers to the
    graph: a search that trains many models would keep them all. A gradient that is registered in
    the block is dropped at its end, so no graph of the block may be differentiated after it.
    """
    if keras.backend.backend() != "tensorflow":
        yield
        return
    from tensorflow.python.framework import ops

    registered = ops.gradient_registry._registry
    before = set(registered)
    try:
        yield
    finally:
        for name in [name for name in registered if name not in before]:
            if name.startswith("CustomGradient-"):
                del registered[name]
