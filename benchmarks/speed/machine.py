"""The header of all results: machine, versions, date."""

import datetime
import os
import platform
from collections.abc import Sequence
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


def short_name(model: str, flags: Sequence[str]) -> str:
    """A processor's name in a table, with the widest vectors that it has.

    Example:
        >>> short_name("Intel(R) Xeon(R) Processor @ 2.50GHz", ["avx2", "avx512f"])
        'Intel Xeon, AVX-512'
        >>> short_name("AMD EPYC 7B12", ["avx2"])
        'AMD EPYC, AVX2'
    """
    words = model.replace("(R)", "").replace("(TM)", "").split()[:2]
    vectors = "AVX-512" if "avx512f" in flags else "AVX2" if "avx2" in flags else ""
    return ", ".join(part for part in (" ".join(words), vectors) if part)


def cpu() -> str:
    """This machine's processor, by its short name."""
    return short_name(*_facts())


def _facts() -> tuple[str, list[str]]:
    source = Path("/proc/cpuinfo")
    return cpu_facts(source.read_text() if source.exists() else "")


def note(threads: int) -> str:
    """Machine, threads, versions and date, one line each."""
    model, flags = _facts()
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
