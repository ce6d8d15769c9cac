"""Any Keras model that ends with a CRF -> a SavedModel that returns tags, not the CRF's chain."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import keras
import tensorflow as tf

from zoo.crf.layer import CRF, maker_of
from zoo.errors import InputError
from zoo.export import publish

PROBE_SIZES = (2, 7)  # rows and, on every other axis of unknown size, entries of the default probe


def crf_of(model: keras.Model, output: str | None = None) -> tuple[CRF, Any]:
    """The CRF that a functional or Sequential model ends with, and its symbolic output.

    The model may have several outputs and nested models. `output` is the name of one, where several
    come from a CRF: its key in a dict of outputs, or the name of the CRF.

    Raises:
        InputError: No output of the model is that of a CRF, or several are.
    """
    if not getattr(model, "outputs", None):
        raise InputError(
            f"the model {model.name!r} has no symbolic outputs: give a functional model, or a "
            "Sequential one with an Input"
        )
    sequential = isinstance(model, keras.Sequential)
    named = model.output if not sequential and isinstance(model.output, dict) else {}
    found = {}
    for tensor in model.outputs:
        crf = maker_of(tensor)
        if crf is not None:
            key = next((name for name, each in named.items() if each is tensor), crf.name)
            found[key] = (crf, tensor)
    if output is not None and output in found:
        return found[output]
    if output is None and len(found) == 1:
        return next(iter(found.values()))
    if not found:
        raise InputError(
            f"no output of the model {model.name!r} is that of a zoo.layers.CRF: end the model "
            "with the CRF, without layers after it (keras.Model(model.input, crf.output))"
        )
    raise InputError(
        f"the model {model.name!r} has the CRF outputs {', '.join(map(repr, found))}, got output "
        f"{output!r}: choose one of them"
    )


def crf_tagger(
    model: keras.Model, tags: Sequence[str] | None = None, output: str | None = None
) -> tf.types.experimental.GenericFunction:
    """A function of the model's inputs, by their names, that returns each token's tag.

    It returns `tags` (B, T), int32 with 0 in the padding, or strings with "" in the padding if
    names are given; `confidence` float (B, T), each chosen tag's probability over all paths, 0 in
    the padding; and `log_probability` float (B,), that of all chosen tags together, in nats.

    Args:
        model: A functional or Sequential model that ends with a CRF.
        tags: The names of the C tags, in the order of their ids.
        output: Which output, where several come from a CRF.

    Raises:
        InputError: The model does not end with a CRF, or there is not one name for each tag.
    """
    crf, tensor = crf_of(model, output)
    if tags is not None and len(tags) != crf.num_tags:
        raise InputError(
            f"the CRF has {crf.num_tags} tags, but {len(tags)} names were given: give one for "
            "each, in the order of the ids"
        )
    names = None if tags is None else tf.constant(list(tags))
    chain_of = keras.Model(model.inputs, tensor)
    inputs = _named_inputs(model)

    @tf.function(autograph=False)
    def tag(**given: tf.Tensor) -> dict[str, tf.Tensor]:
        chain = chain_of([given[name] for name in inputs], training=False)
        found = crf.tagging(chain)
        if names is not None:
            lengths = tf.cast(chain[:, -1, 0], tf.int32)
            real = tf.sequence_mask(lengths, tf.shape(found.tags)[1])
            found = found._replace(tags=tf.where(real, tf.gather(names, found.tags), ""))
        return found._asdict()

    specs = {
        name: tf.TensorSpec(tensor.shape, tensor.dtype, name=name)
        for name, tensor in inputs.items()
    }
    return tag.get_concrete_function(**specs)


def _named_inputs(model: keras.Model) -> dict[str, Any]:
    """The model's inputs by the keys of its dict of inputs, or by their own names."""
    if not isinstance(model, keras.Sequential) and isinstance(model.input, dict):
        keys = {id(tensor): name for name, tensor in model.input.items()}
        return {keys[id(tensor)]: tensor for tensor in model.inputs}
    return {tensor.name: tensor for tensor in model.inputs}


def export_crf(
    model: keras.Model,
    directory: Path,
    tags: Sequence[str] | None = None,
    output: str | None = None,
    examples: Mapping[str, Any] | None = None,
) -> Path:
    """Writes the next version of a served model, checked as `zoo.export.publish` does.

    Its signature `serving_default` takes the model's inputs by their names and returns what
    `crf_tagger` says; the first axis of every input and output is the batch.

    Args:
        model: A functional or Sequential model that ends with a CRF.
        directory: `saved_models/NAME`; the version becomes a folder `1`, `2`, ... in it.
        tags: The names of the C tags, in the order of their ids; the ids are served without them.
        output: Which output, where several come from a CRF.
        examples: Name -> values that the written model is tried on; ones by default.

    Returns:
        The version's folder.

    Raises:
        ExportError: The written model does not load or answers otherwise; nothing is left behind.
        InputError: The model does not end with a CRF, or names or examples do not fit.
    """
    function = crf_tagger(model, tags, output)
    inputs = _named_inputs(model)
    if examples is not None and set(examples) != set(inputs):
        raise InputError(
            f"examples must have the model's inputs {', '.join(inputs)}, got {', '.join(examples)}"
        )
    probes = {
        name: _probe(tensor) if examples is None else tf.cast(examples[name], tensor.dtype)
        for name, tensor in inputs.items()
    }
    tracked = [weight.value for weight in model.weights]
    return publish(
        {"serving_default": function}, tracked, {"serving_default": probes}, Path(directory)
    )


def _probe(tensor: Any) -> tf.Tensor:
    rows, entries = PROBE_SIZES
    batch, *sizes = tensor.shape
    shape = [batch or rows, *[size or entries for size in sizes]]
    if tensor.dtype == "string":
        return tf.fill(shape, "a")
    return tf.ones(shape, tensor.dtype)
