"""What is compared between backends: a model, its inputs, and what they give.

The module imports neither TensorFlow nor the text path: it runs where only Keras and another
backend are installed.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np

import zoo
from zoo import catalog, decoding
from zoo.crf.loss import CRFLoss
from zoo.layers import Recurrent
from zoo.layers.distributions import DISTRIBUTIONS
from zoo.layers.numeric.forecast_loss import ForecastLoss
from zoo.losses import TokenCrossentropy
from zoo.recurrence.dispatch import run_cell

V, K, B, T = 11, 6, 4, 7
EAGERLY = keras.backend.backend() != "jax"  # to build TensorFlow's graphs takes a minute
LENGTHS = np.array([T, 4, 1, 0])  # the last row is empty
REAL = np.arange(T) < LENGTHS[:, None]


@dataclass(frozen=True)
class Case:
    """A model to compare.

    Attributes:
        architecture: The name of its builder.
        options: The builder's options.
        of: The kind of inputs, a key of `KINDS`.
        in_default_run: Whether the default run of the tests has it.
    """

    architecture: str
    options: Mapping[str, Any]
    of: str
    in_default_run: bool = False


def _numbers(*shape: int) -> Any:
    return np.random.default_rng(sum(shape)).normal(size=shape).astype("float32")


def _ids(high: int, low: int = 1, seed: int = 0) -> Any:
    found = np.random.default_rng(seed).integers(low, high, (B, T))
    return np.where(REAL, found, 0).astype("int32")


COUNTED = {
    "values": np.round(np.exp(_numbers(B, T, 2)) * 3),
    "lengths": np.array([T, 4, 2, 1], "int32"),
}
SERIES = {"values": _numbers(B, T, 2), "lengths": np.array([T, 4, 2, 1], "int32")}
# kind -> inputs, targets and loss of a training step
KINDS: dict[str, Callable[[], tuple[Any, Any, Any]]] = {
    "class": lambda: (
        _ids(V),
        np.array([0, 2, 1, 0]),
        keras.losses.SparseCategoricalCrossentropy(from_logits=True),
    ),
    "tags": lambda: (_ids(V), _ids(4, 0, 1), TokenCrossentropy()),
    "chain": lambda: (_ids(V), _ids(4, 0, 1), CRFLoss()),
    "text": lambda: (_ids(V), _ids(V, 1, 2), TokenCrossentropy()),
    "translation": lambda: (
        {"source_ids": _ids(V), "target_ids": _ids(V, 1, 2)},
        _ids(V, 1, 3),
        TokenCrossentropy(),
    ),
    "number": lambda: (SERIES, _numbers(B, 3), keras.losses.MeanSquaredError()),
    "forecast": lambda: (
        {"values": SERIES["values"], "lengths": SERIES["lengths"]},
        _numbers(B, 4, 2, 3),
        keras.losses.MeanSquaredError(),
    ),
}


COUNTS = np.round(np.exp(_numbers(B, 4, 2)) * 3)
for _output in ("student_t", "negative_binomial"):
    KINDS[_output] = lambda output=_output: (
        {**COUNTED, "targets": COUNTS},
        COUNTS,
        ForecastLoss(output),
    )


def cases() -> dict[str, Case]:
    """All cases by name."""
    sizes = {"vocabulary_size": V, "embedding_dim": K, "units": K}
    found: dict[str, Case] = {}
    for cell in (each.name for each in catalog.cells()):
        options = {**sizes, "cell": cell, "num_classes": 3}
        default = cell == "lru"
        found[f"cell {cell}"] = Case("many_to_one", options, "class", default)
        if cell != "elman":  # its input has the size of its state
            both = {**options, "bidirectional": True, "num_layers": 2}
            found[f"cell {cell}, deep, both ways"] = Case("many_to_one", both, "class")
    for cell in ("lstm", "gru", "simple_rnn"):
        large = {**sizes, "units": 32, "cell": cell, "num_classes": 3, "bidirectional": True}
        found[f"cell {cell}, 32 units"] = Case("many_to_one", large, "class", cell == "lstm")
    for name, options in {
        "attention": {"pooling": "attention"},
        "mean": {"pooling": "mean"},
        "residual": {"num_layers": 2, "residual": True, "learned_initial_state": True},
    }.items():
        found[f"pooling, {name}"] = Case(
            "many_to_one", {**sizes, "num_classes": 3, **options}, "class"
        )
    tags = {**sizes, "num_tags": 4}
    found["tagger"] = Case("many_to_many", tags, "tags")
    found["tagger, CRF"] = Case("many_to_many", {**tags, "head": "crf"}, "chain", True)
    found["language model"] = Case("language_model", sizes, "text")
    pair = {"source_vocabulary_size": V, "target_vocabulary_size": V, "units": K}
    for attention in ("none", "additive", "general"):
        options = {**pair, "embedding_dim": K, "attention": attention}
        found[f"translation, attention {attention}"] = Case(
            "encoder_decoder", options, "translation"
        )
    series = {"input_dim": 2, "units": K}
    found["numbers"] = Case("many_to_one", {**series, "num_outputs": 3}, "number")
    quantiles = (0.1, 0.5, 0.9)
    for output in ("student_t", "negative_binomial"):
        options = {**series, "horizon": 4, "decoder": "recurrent", "output": output}
        options |= {"instance_norm": "mean" if output == "negative_binomial" else "mean_std"}
        found[f"forecast, {output}"] = Case("forecaster", options, output)
    for decoder in ("direct", "segment"):
        options = {**series, "horizon": 4, "decoder": decoder, "quantiles": quantiles}
        options |= {"segment_length": 2} if decoder == "segment" else {}
        found[f"forecast, {decoder}"] = Case(
            "forecaster", options, "forecast", decoder == "segment"
        )
    return found


def build(case: Case) -> keras.Model:
    """The model of a case, with weights drawn from a seed that no backend has a part in."""
    model = zoo.build(case.architecture, **case.options)
    rng = np.random.default_rng(0)
    for each in model.trainable_weights:
        each.assign(0.5 * rng.normal(size=each.shape))
    if case.of in ("number", "forecast"):
        zoo.adapt(model, SERIES, _numbers(B, 3) if case.of == "number" else None)
    if case.of in (*DISTRIBUTIONS, "counts"):
        zoo.adapt(model, COUNTED)
    return model


def results(case: Case, model: keras.Model) -> dict[str, Any]:
    """Outputs, the loss of a step of gradient descent, and all weights after it."""
    inputs, targets, loss = KINDS[case.of]()
    outputs = model(inputs, training=False)
    found = {
        f"output {place}": keras.ops.convert_to_numpy(each)
        for place, each in enumerate(keras.tree.flatten(outputs))
    }
    if getattr(model, "crf", None) is not None:
        found["best path"] = keras.ops.convert_to_numpy(model.crf.tags(outputs))
    model.compile(optimizer=keras.optimizers.SGD(1.0), loss=loss, run_eagerly=EAGERLY)
    found["loss"] = np.float32(model.train_on_batch(inputs, targets))
    for place, weight in enumerate(model.weights):
        found[f"step {place}: {weight.path}"] = keras.ops.convert_to_numpy(weight)
    return found


def chain_results() -> dict[str, Any]:
    """What a CRF gives for logits: likelihoods, best paths, marginals."""
    crf = zoo.layers.CRF(4)
    logits, tags = _numbers(B, T, 4), _ids(4, 0, 1)
    mask = keras.ops.convert_to_tensor(REAL)
    crf.build(logits.shape)
    rng = np.random.default_rng(1)
    crf.set_weights([rng.normal(size=each.shape) for each in crf.weights])
    found = {
        "log_likelihood": crf.log_likelihood(logits, tags, mask),
        "decode": crf.decode(logits, mask),
        "n_best": crf.n_best(logits, mask, count=3),
        "marginals": crf.marginals(logits, mask),
    }
    return {
        f"{name} {place}": keras.ops.convert_to_numpy(each)
        for name, values in found.items()
        for place, each in enumerate(keras.tree.flatten(values))
    }


def decoding_results() -> dict[str, Any]:
    """What beam search and sampling find over a language model's step."""
    case = Case("language_model", {"vocabulary_size": V, "embedding_dim": K, "units": K}, "text")
    model = build(case)
    tokens = keras.ops.convert_to_tensor(np.array([1, 3, 5], "int32"))
    logits, states = model.step(tokens, model.initial_states(3))
    search = {"end": 2, "max_tokens": 6, "min_tokens": 1, "forbidden": (1,), "no_repeat": 2}
    choose = decoding.Filter(
        temperature=0.9, top_k=8, top_p=0.95, repetition_penalty=1.2, no_repeat=2, forbidden=(1,)
    )
    found = {
        "beam": decoding.beam_search(
            model.step, logits, states, beam_size=4, n_best=3, alpha=0.7, **search
        ),
        "greedy": decoding.beam_search(model.step, logits, states, beam_size=1, **search),
        "generate": decoding.generate(
            *(model.step, logits, states), end=2, max_tokens=7, choose=choose, seed=5
        ),
        "own seeds": decoding.generate(
            *(model.step, logits, states), end=2, max_tokens=[7, 2, 5], seed=[3, 1, 4]
        ),
    }
    return {
        f"{name} {place}": keras.ops.convert_to_numpy(each)
        for name, values in found.items()
        for place, each in enumerate(keras.tree.flatten(values))
    }


def labelling_results() -> dict[str, Any]:
    """What CTC's decoders find, also in rows without a frame and batches without rows."""
    logits = np.random.default_rng(6).normal(size=(B, T, 4)).astype("float32") * 2
    found: dict[str, Any] = {}
    for blank in (0, 2):
        for name, mask in {"all": None, "real": REAL}.items():
            where = f"{name}, blank {blank}"
            found[f"greedy, {where}"] = decoding.ctc.greedy(logits, mask, blank)
            found[f"beam, {where}"] = decoding.ctc.beam(logits, mask, 300, blank)
    for shape in ((0, T, 4), (B, 0, 4)):
        for decode in (decoding.ctc.greedy, decoding.ctc.beam):
            found[f"{decode.__name__} of {shape}"] = decode(np.zeros(shape, "float32"))
    return {
        f"{name}: {place}": keras.ops.convert_to_numpy(each)
        for name, labelling in found.items()
        for place, each in zip(labelling._fields, labelling, strict=True)
    }


def recurrence_results() -> dict[str, Any]:
    """Outputs, final states and all gradients of cells, with weight drop and recurrent dropout.

    The rows have unequal lengths, and one is empty; in further cases all are whole, which loops on
    JAX use. The states before the first step are not 0.
    """
    found = {}
    for name in ("lstm", "gru", "gru_simple", "simple_rnn", "lstm_peephole", "ind_rnn"):
        for altered in (False, True):
            results = _of_cell(name, altered)
            found |= {f"{name}{', altered' * altered}: {key}": results[key] for key in results}
        for training in (False, True):
            results = _of_cell(name, False, training, whole=True)
            found |= {f"{name}, whole {training}: {key}": results[key] for key in results}
    layer = Recurrent("lstm", K, num_layers=2, bidirectional=True)
    values, rng = keras.ops.convert_to_tensor(_numbers(B, T, 3)), np.random.default_rng(4)
    layer.build(values.shape)
    for weight in layer.weights:
        weight.assign(0.5 * rng.normal(size=weight.shape))
    for name, mask in {"none": None, "ones": keras.ops.ones((B, T), "bool")}.items():
        outputs = keras.tree.flatten(layer(values, mask=mask))
        found |= {f"layer, mask {name}: {place}": each for place, each in enumerate(outputs)}
    return {key: keras.ops.convert_to_numpy(each) for key, each in found.items()}


def distribution_results() -> dict[str, Any]:
    """Likelihoods, quantiles and values from uniform numbers of all distributions."""
    rows = {
        "normal": [[0.0, 1.0], [5.0, 0.1], [-100.0, 20.0]],
        "student_t": [[0.0, 1.0, 2.5], [5.0, 0.1, 4.0], [-100.0, 20.0, 30.0]],
        "negative_binomial": [[0.3, 2.0], [5.0, 0.5], [40.0, 0.05]],
    }
    values = np.float32([[0, 1, 5, 60]])
    uniforms = np.random.default_rng(3).uniform(size=(3, 4, 2)).astype("float32")
    found = {}
    for name, distribution in DISTRIBUTIONS.items():
        parameters = keras.ops.convert_to_tensor(np.float32(rows[name])[:, None])
        wide = keras.ops.repeat(parameters, 4, axis=1)
        found[f"{name}: likelihoods"] = distribution.negative_log_likelihood(wide, values)
        found[f"{name}: quantiles"] = distribution.quantile(parameters, [0.05, 0.5, 0.9])
        found[f"{name}: values"] = distribution.transformed(wide, uniforms)
        draws = distribution.sample(keras.ops.repeat(parameters, 4000, axis=1), [1, 2])
        again = distribution.sample(keras.ops.repeat(parameters, 4000, axis=1), [1, 2])
        same = np.array_equal(*(keras.ops.convert_to_numpy(each) for each in (draws, again)))
        high = distribution.quantile(parameters, [0.9])
        share = np.mean(keras.ops.convert_to_numpy(draws <= high), axis=1)
        options = {"input_dim": 2, "units": K, "horizon": 4, "output": name}
        options["instance_norm"] = "mean" if name == "negative_binomial" else "mean_std"
        model = build(Case("forecaster", options, "counts"))
        found |= {f"{name}: {key}": each for key, each in model.forecast(COUNTED).items()}
        drawing = build(Case("forecaster", {**options, "decoder": "recurrent"}, "counts"))
        drawn = keras.ops.convert_to_numpy(drawing.forecast(COUNTED, samples=20)["quantiles"])
        assert drawn.shape == (B, 4, 2, 5) and np.isfinite(drawn).all()
        options = {**options, "instance_norm": "none", "decoder": "direct"}
        scoring = build(Case("forecaster", options, "counts"))
        found[f"{name}: scores"] = scores = scoring.score(COUNTED)
        states = scoring.initial_states(B)
        for place in range(2):
            loss, states = scoring.step(COUNTED["values"][:, place], states)
            found[f"{name}: score of step {place}"] = loss
        one, other = (keras.ops.convert_to_numpy(each)[0] for each in (scores[:, 1], loss))
        np.testing.assert_allclose(one, other, rtol=1e-4, atol=1e-5)
        found[f"{name}: draws are right"] = np.float32([same, (abs(share - 0.9) < 0.1).all()])
    return {key: keras.ops.convert_to_numpy(each) for key, each in found.items()}


def _of_cell(
    name: str, altered: bool, training: bool = True, whole: bool = False
) -> dict[str, Any]:
    rng = np.random.default_rng(2)
    cell = zoo.registry.cell_class(name)(K)
    cell.build((B, 3))
    weights = [0.5 * rng.normal(size=each.shape) for each in cell.weights]
    altered = altered and cell.has_recurrent_kernel
    given = {
        "inputs": rng.normal(size=(B, T, 3)),
        **{f"state {n}": rng.normal(size=(B, K)) for n in range(cell.num_states)},
        "kernel": 0.3 * rng.normal(size=cell.recurrent_kernel.shape) if altered else None,
        **{f"own {each.name}": value for each, value in zip(cell.weights, weights, strict=True)},
    }
    given = {key: np.float32(value) for key, value in given.items() if value is not None}
    mask = np.float32(rng.integers(0, 2, (B, K)) * 2)
    factors = keras.ops.convert_to_tensor(np.float32(rng.normal(size=(3, B, T, K))))

    def run(values: dict[str, Any]) -> Any:
        cell_values = [values[f"own {each.name}"] for each in cell.weights]
        with keras.StatelessScope(list(zip(cell.weights, cell_values, strict=True))):
            outputs, final = run_cell(
                cell,
                values["inputs"],
                [values[f"state {n}"] for n in range(cell.num_states)],
                keras.ops.convert_to_tensor(np.int32([T] * B if whole else LENGTHS)),
                training=training,
                recurrent_kernel=values.get("kernel"),
                recurrent_mask=keras.ops.convert_to_tensor(mask) if altered else None,
                whole=whole and keras.backend.backend() != "tensorflow",
            )
        real = np.ones_like(REAL) if whole else REAL
        outputs = keras.ops.where(keras.ops.convert_to_tensor(real)[:, :, None], outputs, 0)
        total = keras.ops.sum(outputs * factors[0])
        for number, state in enumerate(final):
            total = total + keras.ops.sum(state * factors[1 + number, :, 0])
        return total, [outputs, *final]

    gradients, results = _gradients(run, given)
    found = {f"result {number}": each for number, each in enumerate(results)}
    found |= {f"gradient of {key}": each for key, each in gradients.items()}
    return {key: keras.ops.convert_to_numpy(each) for key, each in found.items()}


def _gradients(run: Callable[[Any], Any], given: Mapping[str, Any]) -> tuple[Any, Any]:
    """The gradients of `run`'s total for all that is given, and its results."""
    backend = keras.backend.backend()
    if backend == "jax":
        import jax

        (_, results), gradients = jax.value_and_grad(run, has_aux=True)(dict(given))
        return gradients, results
    if backend == "torch":
        import torch

        values = {key: torch.tensor(each, requires_grad=True) for key, each in given.items()}
        total, results = run(values)
        found = torch.autograd.grad(total, list(values.values()), allow_unused=True)
        zeros = [torch.zeros_like(each) for each in values.values()]
        gradients = [
            zero if each is None else each for each, zero in zip(found, zeros, strict=True)
        ]
        return dict(zip(values, gradients, strict=True)), [each.detach() for each in results]
    import tensorflow as tf

    values = {key: tf.constant(each) for key, each in given.items()}
    with tf.GradientTape() as tape:
        tape.watch(values)
        total, results = run(values)
    return tape.gradient(total, values, unconnected_gradients="zero"), results


# what is compared besides models
PARTS = {
    "CRF": chain_results,
    "CTC": labelling_results,
    "decoding": decoding_results,
    "distributions": distribution_results,
    "recurrence": recurrence_results,
}
