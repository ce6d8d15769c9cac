"""The header of all results: machine, versions, date."""

import datetime
import os
import platform
from pathlib import Path

import keras
import tensorflow as tf

from benchmarks.speed import torch_peers

FLAGS = ("avx2", "fma", "avx512f", "avx512_vnni", "avx512_bf16", "amx_tile")


def cores() -> int:
    """The processor cores that this process may use."""
    return len(os.sched_getaffinity(0))


def set_threads(count: int) -> None:
    """Sets the number of threads of TensorFlow and PyTorch.

    TensorFlow takes the number only before its first operation.
    """
    torch_peers.set_threads(count)
    if tf.config.threading.get_intra_op_parallelism_threads() != count:
        tf.config.threading.set_intra_op_parallelism_threads(count)
        tf.config.threading.set_inter_op_parallelism_threads(count)


def cpu_facts(text: str) -> tuple[str, list[str]]:
    r"""Model and vector instructions, from the text of `/proc/cpuinfo`.

    Example:
        >>> cpu_facts("model name : Some CPU\nflags : fpu avx2 avx512f\n")
        ('Some CPU', ['avx2', 'avx512f'])
    """
    fields = [line.partition(":") for line in text.splitlines()]
    values = {key.strip(): value.strip() for key, _, value in reversed(fields)}
    flags = values.get("flags", "").split()
    return values.get("model name", "unknown CPU"), [flag for flag in FLAGS if flag in flags]


def note(threads: int) -> str:
    """Machine, threads, versions and date, one line each."""
    source = Path("/proc/cpuinfo")
    model, flags = cpu_facts(source.read_text() if source.exists() else "")
    now = datetime.datetime.now(datetime.timezone.utc)
    return "\n".join(
        [
            f"machine: {model}, {cores()} cores, {' '.join(flags) or 'vector flags unknown'}",
            f"threads: {threads} each for TensorFlow and PyTorch",
            f"versions: Python {platform.python_version()}, TensorFlow {tf.__version__}, "
            f"Keras {keras.__version__}, PyTorch {torch_peers.version()}",
            f"date: {now:%Y-%m-%d %H:%M} UTC",
        ]
    )


def line() -> str:
    """Machine and versions in one line, for a stored table."""
    lines = [each.partition(": ")[2] for each in note(cores()).splitlines()]
    return f"{lines[0]}; {lines[2]}"
