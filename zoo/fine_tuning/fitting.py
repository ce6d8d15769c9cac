"""The training of `Pipeline.fine_tune`: a short loop over batches in memory."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import keras
import numpy as np
import tensorflow as tf

from zoo import blueprint, registry
from zoo.errors import InputError, require_positive_int
from zoo.fine_tuning.freezing import require_freezing
from zoo.fine_tuning.optimizers import gradual
from zoo.fine_tuning.parts import freeze_layers, schedule
from zoo.fine_tuning.start import Start
from zoo.text import NgramVectorizer, SubwordCodec

Kind = TypeVar("Kind")
CLIP_NORM = 1.0  # the largest global norm of the gradients


@dataclass(frozen=True)
class FineTuning:
    """How a pipeline is fine-tuned.

    Attributes:
        epochs: Passes over the examples.
        freeze: What does not train: `none`, `embeddings`, or `body`, the embeddings included.
        unfreeze_every: Epochs after which one more frozen layer trains, from the top down; 0: none.
        layer_decay: Learning rate of a layer as a fraction of that of the layer above it.
        learning_rate: Of Adam.
        batch_size: Examples a step.
        min_count: Occurrences in the new texts that a new word needs to be added.
        seed: Of the order, of new rows of tables and of dropout.

    Raises:
        InputError: A value is wrong.
    """

    epochs: int = 3
    freeze: str = "none"
    unfreeze_every: int = 0
    layer_decay: float = 1.0
    learning_rate: float = 1e-3
    batch_size: int = 32
    min_count: int = 1
    seed: int = 0

    def __post_init__(self) -> None:
        """Checks the values."""
        for name in ("epochs", "batch_size", "min_count"):
            require_positive_int(name, getattr(self, name))
        if not self.learning_rate > 0:
            raise InputError(f"learning_rate must be above 0, got {self.learning_rate!r}")
        require_freezing(self.freeze, self.unfreeze_every, self.layer_decay)


@dataclass(frozen=True)
class Examples:
    """Examples as numbers.

    Attributes:
        inputs: Of each example the model's inputs by name: arrays that are padded with 0 to the
            longest of a batch.
        targets: Of each example an id or ids (T,), which are padded with -1.
        loss: Targets and outputs -> the mean loss.
        outputs: The model and inputs -> what the loss takes.
    """

    inputs: Sequence[Mapping[str, np.ndarray]]
    targets: Any
    loss: Callable[[Any, Any], Any]
    outputs: Callable[[keras.Model, Any], Any] = lambda model, inputs: model(inputs, training=True)


def fine_tuned(pipeline: Kind, texts: Sequence[Any], targets: Any, options: FineTuning) -> Kind:
    """A new pipeline, trained on texts and targets from the weights of `pipeline`.

    Raises:
        InputError: There are no texts, or the model was not made by `zoo.build`.
    """
    given: Any = pipeline
    if isinstance(texts, str) or not len(texts):
        raise InputError(f"texts must be a list of at least one example, got {texts!r}")
    if given.has_targets:
        require_alike(texts, targets)
    keras.utils.set_random_seed(options.seed)
    start = Start.of(given)
    paths = {
        name: start.extended(
            name, learned_like(path, given.texts_of(name, texts, targets), options)
        )
        for name, path in given.text_paths.items()
    }
    labels = start.labels_for(_labels_in(targets) if start.sized_by.labels else [])
    model = _sized(given, start, paths, labels, targets)
    start.give(model, paths, labels)
    examples: Examples = given.training_examples(model, texts, targets, paths, labels)
    train(model, examples, options)
    names = {start.sized_by.labels: labels} if start.sized_by.labels else {}
    made: Kind = type(given)(model, **paths, **{**given.options, **names})
    return made


def ids_of(labels: Sequence[str], targets: Sequence[str]) -> np.ndarray:
    """The ids of labels, int32 (N,).

    Example:
        >>> ids_of(["a", "b"], ["b", "a", "b"]).tolist()
        [1, 0, 1]
    """
    ids = {label: number for number, label in enumerate(labels)}
    return np.array([ids[target] for target in targets], np.int32)


def require_alike(texts: Sequence[Any], targets: Any) -> None:
    """Raises unless there is a target for each text."""
    count = None if targets is None or isinstance(targets, str) else len(targets)
    if count != len(texts):
        raise InputError(
            f"targets must be one for each of the {len(texts)} texts, got {count or targets!r}"
        )


def _labels_in(targets: Sequence[Any]) -> list[str]:
    """The distinct labels, or tags of lists of tags, in alphabetical order."""
    found: set[str] = set()
    for target in targets:
        found |= {target} if isinstance(target, str) else set(target)
    return sorted(found)


def learned_like(path: Any, texts: Sequence[Any], options: FineTuning) -> Any:
    """A text path of the same form whose vocabulary is that of the texts."""
    if isinstance(path, NgramVectorizer | SubwordCodec):  # they read every text as they are
        return path
    return type(path).learn(texts, min_count=options.min_count, **path.get_config())


def _sized(
    pipeline: Any, start: Start, paths: Mapping[str, Any], labels: Sequence[str], targets: Any
) -> keras.Model:
    """A model like the pipeline's for these text paths and labels, with new weights."""
    plan = blueprint.of(pipeline.model)
    if plan is None:
        raise InputError(
            f"{pipeline.model.name!r} was not made by zoo.build: train it with Keras, or build it "
            "with zoo.build"
        )
    changes: dict[str, Any] = {}
    for name, (option, _) in start.sized_by.words.items():
        if hasattr(paths[name], "vocabulary"):
            changes[option] = len(paths[name].vocabulary)
        if hasattr(paths[name], "letters"):
            changes["character_vocabulary_size"] = len(paths[name].letters)
            changes["context"] = start.context(paths[name])
    if start.sized_by.label_option:
        changes[start.sized_by.label_option] = len(labels)
    if plan.options.get("learned_size"):
        changes["learned_size"] = changes["vocabulary_size"]
    if plan.options.get("allowed") and list(labels) != list(start.labels):
        changes["allowed"] = pipeline.allowed_for(labels, targets)
    return registry.build(plan.name, **{**plan.options, **changes})


def train(model: keras.Model, examples: Examples, options: FineTuning) -> None:
    """Trains a model in place."""
    frozen = [] if options.unfreeze_every else freeze_layers(model, options.freeze)
    plan = schedule(model, options.freeze, options.unfreeze_every, options.layer_decay)
    adam = keras.optimizers.Adam(options.learning_rate, global_clipnorm=CLIP_NORM)
    optimizer = gradual(adam, *plan)
    variables = model.trainable_variables
    optimizer.build(variables)

    def step(inputs: Any, targets: Any) -> None:
        with tf.GradientTape() as tape:
            loss = examples.loss(targets, examples.outputs(model, inputs))
            whole = tf.add_n([loss, *model.losses])
        gradients = tape.gradient(whole, [variable.value for variable in variables])
        optimizer.apply(gradients, variables)

    first = _batch(examples, range(1))
    specs = tf.nest.map_structure(_spec, first)
    run = tf.function(step, input_signature=specs, autograph=False)
    for epoch in range(options.epochs):
        optimizer.epoch.assign(epoch)
        for inputs, targets in _batches(examples, options, epoch):
            run(inputs, targets)
    for layer in frozen:
        layer.trainable = True


def _spec(array: np.ndarray) -> tf.TensorSpec:
    sizes = [None] * array.ndim
    if array.dtype.kind == "f" and array.ndim > 1:
        sizes[-1] = array.shape[-1]
    return tf.TensorSpec(sizes, array.dtype)


def _batches(examples: Examples, options: FineTuning, epoch: int) -> Iterator[Any]:
    order = np.random.default_rng((options.seed, epoch)).permutation(len(examples.inputs))
    for first in range(0, len(order), options.batch_size):
        yield _batch(examples, order[first : first + options.batch_size])


def _batch(examples: Examples, members: Any) -> tuple[Any, np.ndarray]:
    rows = [examples.inputs[member] for member in members]
    inputs = {name: _padded([row[name] for row in rows], 0) for name in rows[0]}
    targets = _padded([np.asarray(examples.targets[member]) for member in members], -1)
    return inputs if len(inputs) > 1 else next(iter(inputs.values())), targets


def _padded(arrays: Sequence[np.ndarray], fill: int) -> np.ndarray:
    """Arrays of any sizes -> one, padded at their ends."""
    shape = np.max([array.shape for array in arrays], axis=0).astype(int)
    found = np.full((len(arrays), *shape), fill, arrays[0].dtype)
    for number, array in enumerate(arrays):
        place: tuple[Any, ...] = (number, *(slice(size) for size in array.shape))
        found[place] = array
    return found
