"""What a request may hold: rows, length of texts, tokens to generate."""

import numpy as np

from zoo.saved_model.session import Arrays
from zoo.serving.refusals import Refused, wrong
from zoo.serving.settings import Settings
from zoo.serving.tensors import rows_of


def check(inputs: Arrays, settings: Settings) -> int:
    """Checks the tensors of a request; returns its rows.

    Raises:
        Refused: There are too many rows, too long a text or too many tokens to generate, or the
            inputs differ in their rows.
    """
    counts = {name: len(array) for name, array in inputs.items() if array.ndim}
    if len(set(counts.values())) > 1:
        raise wrong(f"the inputs differ in their number of rows: {_listed(counts)}")
    rows = rows_of(inputs)
    if rows > settings.max_rows:
        raise Refused(413, f"at most {settings.max_rows:,} rows in a request, got {rows:,}")
    for name, array in inputs.items():
        if array.dtype == object:
            _check_texts(name, array, settings.max_text)
    if "max_tokens" in inputs and rows:
        tokens = int(inputs["max_tokens"].max())
        if tokens > settings.max_tokens:
            raise wrong(f"max_tokens must be at most {settings.max_tokens:,}, got {tokens:,}")
    return rows


def _check_texts(name: str, array: np.ndarray, most: int) -> None:
    for text in array.flat:
        if len(text) > most:
            length = len(text.decode("utf-8", "replace"))
            if length > most:
                raise Refused(413, f"{name} must have at most {most:,} characters, got {length:,}")


def _listed(counts: dict[str, int]) -> str:
    return ", ".join(f"{name} {count}" for name, count in sorted(counts.items()))
