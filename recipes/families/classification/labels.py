"""Labels -> class ids of a run."""

from collections import Counter
from collections.abc import Sequence

import numpy as np

from recipes.data.items import Example
from zoo.errors import InputError


def label_ids(classes: Sequence[str], examples: Sequence[Example]) -> np.ndarray:
    """Returns the class ids of examples, int32 (N,).

    Args:
        classes: The run's labels, in the order of their ids.
        examples: Texts and labels.

    Raises:
        InputError: A label is not among the classes, such as one that was added to the data after
            the run had started.
    """
    ids = {label: number for number, label in enumerate(classes)}
    unknown = Counter(example.label for example in examples if example.label not in ids)
    if unknown:
        (label, count), *_ = unknown.most_common(1)
        known = ", ".join(map(repr, classes[:10])) + (", ..." if len(classes) > 10 else "")
        raise InputError(
            f"{count} of the examples have the label {label!r}, which this run's model does not "
            f"know, expected one of {known}: use the data that the run was trained on, correct the "
            "label, or train a new run"
        )
    return np.array([ids[example.label] for example in examples], np.int32)
