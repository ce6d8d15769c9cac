"""Which requests of a signature can be answered in one batch, and how it is split again.

A row's answer depends on its own inputs alone, so rows of several clients may be joined. The
answers are those of a request alone: padding that the others brought is taken off again.
"""

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from zoo.saved_model.session import Arrays, Spec
from zoo.serving.served import Function

SERIES, LENGTHS = "values", "lengths"  # inputs: series padded on the right, and their lengths
COSTS = ("max_tokens", "beam_size")  # options that decide how long a batch takes


@dataclass(frozen=True)
class Form:
    """How the requests of a signature are joined.

    Attributes:
        joins: Whether they can be joined.
        padded: Whether series of unlike length are padded.
        widths: Outputs (B, T) whose T is that of the longest row.
    """

    joins: bool
    padded: bool
    widths: tuple[str, ...]

    @classmethod
    def of(cls, function: Function) -> "Form":
        """The form of a signature.

        Outputs whose size varies must be (B, T), beside strings (B, T) that say where a row ends.
        """
        inputs, outputs = function.inputs, function.outputs
        specs = [*inputs.values(), *outputs.values()]
        varying = [spec for spec in outputs.values() if _varies(spec)]
        batched = all(spec.shape and spec.shape[0] is None for spec in specs)
        trims = all(len(spec.shape or ()) == 2 for spec in varying) and all(
            len(spec.shape or ()) == 1 for spec in inputs.values()
        )
        known = any(spec.type == "string" for spec in varying)
        joins = batched and (not varying or (trims and known))
        padded = {SERIES, LENGTHS} <= set(inputs) and not varying
        return cls(joins, padded, tuple(spec.name for spec in varying))

    def key(self, inputs: Mapping[str, np.ndarray]) -> Hashable:
        """Requests with equal keys can be joined; None cannot be joined with any."""
        if not self.joins or any(not len(array) for array in inputs.values()):
            return None
        shapes = tuple(
            array.shape[2:] if self.padded and name == SERIES else array.shape[1:]
            for name, array in inputs.items()
        )
        costs = tuple(int(inputs[name].max()) for name in COSTS if name in inputs)
        return shapes, costs

    def join(self, requests: Sequence[Arrays]) -> Arrays:
        """One batch of several requests with equal keys."""
        if len(requests) == 1:
            return requests[0]
        if self.padded:
            most = max(request[SERIES].shape[1] for request in requests)
            requests = [_padded(request, most) for request in requests]
        return {name: np.concatenate([each[name] for each in requests]) for name in requests[0]}

    def split(self, outputs: Arrays, counts: Sequence[int]) -> list[Arrays | None]:
        """Each request's answer; None if the size that it has alone is not known."""
        if len(counts) == 1:
            return [outputs]
        edges = np.cumsum(counts)[:-1]
        parts = {name: np.split(array, edges) for name, array in outputs.items()}
        return [
            self._trimmed({name: each[place] for name, each in parts.items()})
            for place in range(len(counts))
        ]

    def _trimmed(self, part: Arrays) -> Arrays | None:
        """Takes off the padding that other requests brought."""
        ends: dict[int, set[int]] = {}  # size in the batch -> size alone
        own = {}
        for name in self.widths:
            if part[name].dtype == object:
                there = np.flatnonzero((part[name] != b"").any(axis=0))
                own[name] = max(1, int(there[-1]) + 1 if len(there) else 0)  # never without a token
                ends.setdefault(part[name].shape[1], set()).add(own[name])
        for name in self.widths:
            if name not in own:
                alone = ends.get(part[name].shape[1], set())
                if len(alone) != 1:
                    return None
                (own[name],) = alone
        return {
            name: array[:, : own[name]] if name in own else array for name, array in part.items()
        }


def _varies(spec: Spec) -> bool:
    return spec.shape is None or None in spec.shape[1:]


def _padded(request: Arrays, most: int) -> Arrays:
    """A request whose series have `most` steps; a length beyond its own stays what it meant."""
    values = request[SERIES]
    steps = values.shape[1]
    behind = [(0, 0), (0, most - steps), *[(0, 0)] * (values.ndim - 2)]
    lengths = np.minimum(request[LENGTHS], steps)
    return {**request, SERIES: np.pad(values, behind), LENGTHS: lengths}
