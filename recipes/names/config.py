"""The options of the `names` recipe."""

from dataclasses import dataclass
from typing import Any

from recipes.config import LabelledColumns
from recipes.families.writing.config import WritingConfig


@dataclass(frozen=True)
class NamesConfig(WritingConfig, LabelledColumns):
    """All options of the recipe."""


# defaults for the built-in corpus, which is small and has rules to follow
BUILTIN: dict[str, Any] = {
    "units": 128,
    "epochs": 30,
    "patience": 4,
    "batch_size": 64,
    "temperature": 1.0,
    "min_p": 0.0,
    "guidance": 0.0,
}
