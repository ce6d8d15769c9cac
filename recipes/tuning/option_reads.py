"""Results of steps that read options: used again where the options that were read are the same."""

import dataclasses
from collections.abc import Mapping
from typing import Any


def watched(config: Any, reads: dict[str, Any]) -> Any:
    """The same configuration, which notes in `reads` which options are read, and their values.

    What is made from it by `dataclasses.replace` notes the original's options as well.

    Args:
        config: A dataclass.
        reads: Option -> value; it is added to.

    Example:
        >>> from recipes.config import TrainingConfig
        >>> reads = {}
        >>> watched(TrainingConfig(epochs=3), reads).epochs
        3
        >>> reads
        {'epochs': 3}
    """
    kind = type(config)
    names = {field.name for field in dataclasses.fields(config)}

    class Watched(kind):  # type: ignore[misc, valid-type]
        def __getattribute__(self, name: str) -> Any:
            if name in names:
                reads[name] = getattr(config, name)
            return super().__getattribute__(name)

    found = object.__new__(Watched)
    for name in names:
        object.__setattr__(found, name, getattr(config, name))
    return found


class Memory:
    """The last results of a step, each with the options that it was made from.

    Args:
        size: How many are kept.
    """

    def __init__(self, size: int) -> None:
        self.size = size
        self._entries: list[tuple[Mapping[str, Any], Any]] = []

    def find(self, config: Any) -> tuple[Mapping[str, Any], Any] | None:
        """The options that were read and the result for a configuration; None if there is none."""
        for reads, result in self._entries:
            if all(getattr(config, name) == value for name, value in reads.items()):
                return reads, result
        return None

    def make_room(self) -> None:
        """Forgets the oldest result if there are as many as are kept."""
        while len(self._entries) >= self.size:
            del self._entries[0]

    def add(self, reads: Mapping[str, Any], result: Any) -> None:
        """Keeps a result."""
        self.make_room()
        self._entries.append((reads, result))
