"""Models that do not fit into memory are refused before any of it is taken."""

import gc
import weakref

import keras
import numpy as np
import pytest

import zoo
from recipes import cli
from zoo.__main__ import main
from zoo.errors import InputError
from zoo.system import memory

SIZES = {
    **{"vocabulary_size": 50, "num_classes": 3, "num_tags": 5, "num_features": 20},
    **{"source_vocabulary_size": 50, "target_vocabulary_size": 50},
}
HUGE = {
    **{"units": 10**9, "embedding_dim": 10**9, "vocabulary_size": 2 * 10**9},
    **{"num_classes": 10**9, "num_tags": 10**9, "num_features": 10**9},
}
GIB = r"[\d,]+ parameters, which take [\d,.]+ GiB.* but [\d,.]+ GiB of memory are available"
CASES = [
    (name, option)
    for name in ("many_to_one", "many_to_many", "one_to_one", "one_to_many", "language_model")
    for option in HUGE
    if option in zoo.registry.architecture(name).options
] + [("encoder_decoder", "units"), ("luong", "embedding_dim"), ("bilstm_crf", "num_tags")]


def sizes(name: str) -> dict[str, int]:
    options = zoo.registry.architecture(name).options
    return {option: size for option, size in SIZES.items() if option in options}


@pytest.mark.parametrize(("name", "option"), CASES)
def test_a_model_of_huge_sizes_is_one_sentence(name: str, option: str):
    with pytest.raises(InputError, match=f"{name} with {option} {HUGE[option]} would have .*{GIB}"):
        zoo.build(name, **{**sizes(name), option: HUGE[option]})
    assert keras.layers.Layer.add_weight is memory._add_weight, "Keras is as it was"


@pytest.mark.parametrize("option", ["num_layers", "dense_layers", "units"])
def test_sizes_that_cannot_be_built_are_refused(option: str):
    with pytest.raises(InputError, match=rf"{option} must be at most \d+, got 100000"):
        zoo.build("many_to_one", **sizes("many_to_one"), **{option: 10**12})


def test_the_parameters_are_counted_as_they_would_be(monkeypatch: pytest.MonkeyPatch):
    """The sentence's number is that of the model if there is memory for it."""
    options = {"vocabulary_size": 50, "num_tags": 5, "units": 8, "bidirectional": True}
    model = zoo.build("bilstm_crf", **options)
    monkeypatch.setattr(memory, "available", lambda: 1000)
    with pytest.raises(InputError, match=f"would have {model.count_params():,} parameters"):
        zoo.build("bilstm_crf", **options)
    with (
        memory.for_training(),
        pytest.raises(InputError, match=r"in training 4 times that, 0\.0 GiB"),
    ):
        zoo.build("bilstm_crf", **options)
    monkeypatch.undo()
    again = zoo.build("bilstm_crf", **options)
    assert [weight.path for weight in again.weights] == [weight.path for weight in model.weights]


def test_counts_in_other_threads_and_inside_each_other_do_not_meet():
    with memory.counting(10**9) as outer:
        keras.layers.Dense(3).build((None, 2))
        with memory.counting(10**9) as inner:
            keras.layers.Dense(5).build((None, 4))
        keras.layers.Dense(1).build((None, 1))
    assert (outer.parameters, inner.parameters) == (3 * 2 + 3 + 2, 5 * 4 + 5)
    layer = keras.layers.Dense(7)
    layer.build((None, 7))
    assert np.shape(layer.kernel) == (7, 7)


def test_a_batch_that_does_not_fit_is_one_sentence():
    model = zoo.build("many_to_one", **sizes("many_to_one"), units=8)
    memory.check_step(model, 32, 100)
    with pytest.raises(InputError, match=r"1,000,000,000 examples of up to 100 steps .*batch_size"):
        memory.check_step(model, 10**9, 100)


def test_the_memory_that_is_there_is_known():
    assert 2**20 < memory.available() < 2**50


@pytest.mark.parametrize(
    "words",
    [
        ["sentiment", "--units", "1000000000"],
        ["ner", "train", "--units", "1000000000"],
        ["names", "train", "--embedding-dim", "1000000000"],
        ["origin", "train", "--units", "1000000000"],
        ["generation", "train", "--units", "1000000000"],
        ["translation", "train", "--units", "1000000000"],
        ["sentiment", "train", "--num-layers", "1000000"],
    ],
)
def test_every_recipe_refuses_before_it_reads_the_data(
    words: list[str], capsys: pytest.CaptureFixture[str], tmp_path, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    assert cli.main(words) == 2
    error = capsys.readouterr().err
    assert error.count("\n") == 1 and ("GiB" in error or "at most 1000" in error), error
    assert list(tmp_path.iterdir()) == []


def test_the_summary_of_a_huge_model_is_one_sentence(capsys: pytest.CaptureFixture[str]):
    assert main(["summary", "many_to_one", "--units", "1000000000"]) == 2
    assert "parameters, which take" in capsys.readouterr().err


def test_graphs_of_a_block_are_freed_with_their_gradients():
    import tensorflow as tf

    def graph():
        """A reference to the graph of a training step, and nothing else."""
        layer = zoo.layers.Recurrent("lstm", 3)
        values = tf.constant(np.ones((2, 4, 3), "float32"))

        @tf.function(autograph=False)
        def step():
            with tf.GradientTape() as tape:
                tape.watch(values)
                loss = tf.reduce_sum(layer(values, training=True)[0])
            return tape.gradient(loss, values)

        return weakref.ref(step.get_concrete_function().graph)

    with memory.graphs_released():
        traced = graph()
    gc.collect()
    assert traced() is None
    kept = graph()
    gc.collect()
    assert kept() is not None  # what TensorFlow does without it; the block above is for this


def test_blank_weights_are_zeros_in_the_shape_and_type_that_was_asked_for():
    with memory.counting(1 << 20, blank=True) as count:
        dense = keras.layers.Dense(3, bias_initializer="ones")
        dense.build((None, 4))
        embedding = keras.layers.Embedding(5, 2)
        embedding.build((None,))
    assert count.parameters == 4 * 3 + 3 + 5 * 2
    assert [tuple(each.shape) for each in dense.weights] == [(4, 3), (3,)]
    assert not any(np.asarray(each).any() for each in [*dense.weights, *embedding.weights])
    with memory.counting(1 << 20):
        other = keras.layers.Dense(3)
        other.build((None, 4))
    assert np.asarray(other.kernel).any()
