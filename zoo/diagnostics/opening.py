"""Opens a batch and its loss: of a run of a recipe, or of an untrained architecture."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import keras
import numpy as np
from keras import ops

from zoo import registry
from zoo.diagnostics.observation import directions_of
from zoo.pretrained.loading import recipes_of

# sizes of token ids and labels, and what is given instead for numbers
INSTEAD = {
    "vocabulary_size": "input_dim",
    "source_vocabulary_size": "input_dim",
    "num_classes": "num_outputs",
    "num_tags": "num_outputs",
}
SIZES = {  # of untrained models
    "vocabulary_size": 100,
    "source_vocabulary_size": 100,
    "target_vocabulary_size": 100,
    "num_classes": 2,
    "num_tags": 9,
    "num_features": 100,
}
ROWS = 32  # of a batch for an untrained model


class LossOnBatch(NamedTuple):
    """A batch and its loss.

    Attributes:
        name: What tables and pictures call it.
        model: The model.
        inputs: What it takes.
        loss: The model's outputs -> a scalar.
    """

    name: str
    model: keras.Model
    inputs: Any
    loss: Callable[[Any], Any]


def batch_of(folder: Path) -> LossOnBatch:
    """A batch of a run's validation data with the recipe's loss.

    Raises:
        InputError: The folder is no run.
    """
    found: LossOnBatch = recipes_of(folder).batch_of(folder)
    return found


def untrained(
    name: str, options: dict[str, Any], units: int, length: int, seed: int = 0
) -> LossOnBatch:
    """An untrained architecture, a batch of random inputs, and the cross-entropy of one output.

    Of several outputs it is that of the last step, and of the middle one if the model reads
    backwards as well: so each direction has steps before it.

    Args:
        name: The architecture's name.
        options: Its options; missing sizes are small ones.
        units: Hidden size K.
        length: Steps T of each input, without padding.
        seed: Of the weights, the inputs and the labels.

    Raises:
        InputError: The name or an option is wrong, or the model has no recurrent layer.
    """
    known = registry.architecture(name).options
    sizes = {key: size for key, size in SIZES.items() if _is_needed(key, known, options)}
    if "vector_dim" in known and not options.get("vector_dim"):
        sizes["num_classes"] = SIZES["num_classes"]
    keras.utils.set_random_seed(seed)
    model = registry.build(name, **{**sizes, "units": units, **options})
    backwards = any(layer.backwards for layer in directions_of(model))
    generator = np.random.default_rng(seed)
    vocabularies = [size for key, size in options.items() if key.endswith("vocabulary_size")]
    ids = min([SIZES["vocabulary_size"], *vocabularies])
    inputs = keras.tree.map_structure(
        lambda tensor: _random(tensor, length, ids, generator), model.input
    )
    labels = generator.integers(0, 2, ROWS)
    step = length // 2 if backwards else -1

    def loss(outputs: Any) -> Any:
        logits = outputs["logits"] if isinstance(outputs, dict) else outputs
        logits = logits[:, step] if len(logits.shape) == 3 else logits
        each = keras.losses.sparse_categorical_crossentropy(labels, logits, from_logits=True)
        return ops.mean(each)

    return LossOnBatch(name, model, inputs, loss)


def _is_needed(key: str, known: Mapping[str, Any], options: Mapping[str, Any]) -> bool:
    """Whether a model needs this size: one without default, or in place of that for numbers."""
    if key not in known or known[key].required:
        return key in known
    numbers = INSTEAD.get(key, "")
    return numbers in known and options.get(numbers) is None


def _random(tensor: Any, length: int, ids: int, generator: np.random.Generator) -> np.ndarray:
    """Values for a model's input: token ids from 1, or 0 and 1 for a class; normal numbers."""
    shape = [ROWS, *(size or length for size in tensor.shape[1:])]
    if "int" not in str(tensor.dtype):
        return generator.normal(size=shape).astype("float32")
    least, most = (1, ids) if len(shape) > 1 else (0, SIZES["num_classes"])
    return generator.integers(least, most, shape).astype("int32")
