"""Which features of a tensorflow-datasets data set can be a text or a label, and a label's name."""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from recipes.data.naming import clean, unknown
from zoo.errors import InputError

STRINGS = "OSU"  # NumPy's kinds of dtype
LABELS = STRINGS + "biu"


def check_features(
    tfds: Any, spec: str, features: Mapping[str, Any], text_key: str, label_key: str
) -> None:
    """Refuses keys that name no text or no label; needs no prepared data.

    A text is a single string, a label a single class, whole number, truth value or string.

    Raises:
        InputError: A key is not there or names another kind of feature.
    """
    roles = [("text", text_key, STRINGS, "a string"), ("label", label_key, LABELS, "a class")]
    for role, key, kinds, expected in roles:
        if key not in features:
            problem = unknown("feature", key, features)
            raise InputError(f"{spec}: {problem}: choose the {role}'s with --{role}-column")
        if kind_of(tfds, features[key]) not in kinds:
            raise InputError(
                f"{spec}: feature {key!r} is {type(features[key]).__name__}, expected {expected} "
                f"for each {role}: choose another with --{role}-column, there are "
                f"{', '.join(features)}"
            )


def kind_of(tfds: Any, feature: Any) -> str:
    """The kind of a single value's dtype; no known kind for sequences, images and the like."""
    if not isinstance(feature, tfds.features.Tensor) or feature.shape != ():
        return "none"
    return str(np.dtype(feature.np_dtype).kind)


def read_label(tfds: Any, feature: Any) -> Callable[[Any], str]:
    """Returns a function from a label's value to the name of its class.

    It is `""` where the example has no label: -1 for a `ClassLabel`, a blank string. The feature
    is of a kind that `check_features` lets pass.
    """
    if isinstance(feature, tfds.features.ClassLabel):
        names = [clean(name) for name in feature.names]
        return lambda value: names[value] if value >= 0 else ""
    if kind_of(tfds, feature) in STRINGS:
        return lambda value: clean(value.decode("utf-8", errors="replace"))
    return lambda value: str(value).lower()  # as in JSON: 5, true
