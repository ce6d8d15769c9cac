"""An ONNX graph in ONNX Runtime: arrays by name in, arrays by name out."""

import functools
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime

from rnn_zoo_runtime.errors import DamagedFile, InputError
from rnn_zoo_runtime.files import ADVICE

NEXT = "next_"  # the output NEXT + NAME of a step is the state NAME after it
States = dict[str, np.ndarray]
Answers = dict[str, np.ndarray]


class Graph:
    """A graph of a bundle, loaded when it is first called.

    Args:
        path: The ONNX file.
        threads: Threads of one operation; one is the fastest with small models, two with
            weights of some MB, while a second core is free.

    Attributes:
        name: The file's name.
    """

    def __init__(self, path: Path, threads: int = 1) -> None:
        self.path, self.threads, self.name = path, threads, path.name

    @functools.cached_property
    def session(self) -> Any:
        """The session of ONNX Runtime.

        Raises:
            DamagedFile: ONNX Runtime does not read the file.
        """
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = self.threads
        options.inter_op_num_threads = 1
        options.log_severity_level = 3
        try:
            return onnxruntime.InferenceSession(
                str(self.path), options, providers=["CPUExecutionProvider"]
            )
        except Exception as error:  # its own classes have no common base
            raise DamagedFile(
                f"ONNX Runtime {onnxruntime.__version__} does not read {self.path} "
                f"({str(error).strip().splitlines()[0]}): {ADVICE}, or update onnxruntime"
            ) from error

    @functools.cached_property
    def inputs(self) -> dict[str, list[Any]]:
        """The shape of each input: a number, or the name of a dynamic axis."""
        return {each.name: list(each.shape) for each in self.session.get_inputs()}

    @functools.cached_property
    def outputs(self) -> list[str]:
        """The names of the outputs."""
        return [each.name for each in self.session.get_outputs()]

    @functools.cached_property
    def states(self) -> list[str]:
        """The states that a step takes and gives back, from the file's metadata."""
        known = self.session.get_modelmeta().custom_metadata_map.get("states", "[]")
        return list(json.loads(known))

    def __call__(self, inputs: Mapping[str, np.ndarray]) -> Answers:
        """Runs the graph on its inputs; further entries are left out.

        Raises:
            InputError: An input is missing.
        """
        names = self.inputs
        missing = [name for name in names if name not in inputs]
        if missing:
            raise InputError(f"{self.name} needs the input {missing[0]}, got {', '.join(inputs)}")
        found = self.session.run(self.outputs, {name: np.asarray(inputs[name]) for name in names})
        return dict(zip(self.outputs, found, strict=True))

    def step(self, inputs: Mapping[str, np.ndarray], states: States) -> tuple[Answers, States]:
        """Runs a step on its inputs and the states before it: the outputs and the states after it.

        Entries of `states` that the step takes and does not give back, such as the memory of an
        encoder, stay as they are.
        """
        found = self({**states, **inputs})
        after = {
            name.removeprefix(NEXT): value for name, value in found.items() if name[:5] == NEXT
        }
        outputs = {name: value for name, value in found.items() if name[:5] != NEXT}
        return outputs, {**states, **after}
