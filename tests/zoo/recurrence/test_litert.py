"""Recurrent bodies in LiteRT: converted, run by its interpreter in another process, compared.

The interpreter runs in a process of its own, so that a crash of it is a failed test.
"""

import subprocess
import sys

import keras
import numpy as np
import pytest
import tensorflow as tf

import zoo
from tests.references.reference import random_values
from tests.sweeps import swept
from zoo.layers import MeanPooling, Recurrent

E, K, T = 3, 3, 11
RUN = """
import sys
import numpy as np
from ai_edge_litert.interpreter import Interpreter

interpreter = Interpreter(sys.argv[1])
inputs = np.load(sys.argv[2])
(given,), results = interpreter.get_input_details(), interpreter.get_output_details()
interpreter.resize_tensor_input(given["index"], inputs.shape)
interpreter.allocate_tensors()
interpreter.set_tensor(given["index"], inputs)
interpreter.invoke()
np.save(sys.argv[3], interpreter.get_tensor(results[0]["index"]))
"""
ALL = {"num_layers": 2, "bidirectional": True}
CASES = [
    (cell, 1, T, ALL if cell in ("gru", "lstm", "min_gru") else {}) for cell in zoo.cell_names()
]
CASES += [("gru", 3, T, {}), ("lstm", 20, T, {}), ("lstm", 1, None, {}), ("min_gru", 1, None, {})]
KEPT = [("elman", 1, T), ("gru", 1, T), ("rg_lru", 1, T), ("slstm", 1, T), ("lstm", 1, None)]


def answer_of(converted, inputs, folder):
    """What the interpreter gives to the inputs."""
    paths = [folder / name for name in ("model.tflite", "inputs.npy", "answer.npy")]
    paths[0].write_bytes(converted)
    np.save(paths[1], inputs)
    command = [sys.executable, "-c", RUN, *map(str, paths)]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr[-500:]
    return np.load(paths[2])


@pytest.mark.parametrize(
    ("cell", "rows", "steps", "options"), swept(CASES, lambda *case: case[:3] in KEPT)
)
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_a_body_with_ragged_rows_gives_the_same_in_litert(cell, rows, steps, options, tmp_path):
    values = keras.Input(batch_shape=(rows, steps, E))
    mask = values[:, :, 0] > -50
    outputs, _ = Recurrent(cell, K, **options)(values, mask=mask)
    model = keras.Model(values, MeanPooling()(outputs, mask=mask))
    inputs = random_values(rows, T, E, seed=1)
    inputs[0, 7:] = -100  # padding
    call = tf.function(lambda given: model(given, training=False), autograph=False)
    traced = call.get_concrete_function(tf.TensorSpec((rows, steps, E)))
    converted = tf.lite.TFLiteConverter.from_concrete_functions([traced], model).convert()
    np.testing.assert_allclose(answer_of(converted, inputs, tmp_path), model(inputs), atol=1e-5)


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_a_classifier_of_token_ids_gives_the_same_in_litert(tmp_path):
    built = zoo.build("bidirectional_many_to_one", vocabulary_size=9, num_classes=2, units=4)
    ids = keras.Input(batch_shape=(1, T), dtype="int32")
    model = keras.Model(ids, built(ids))
    converted = tf.lite.TFLiteConverter.from_keras_model(model).convert()
    given = np.array([[3, 1, 4, 1, 5, 0, 0, 0, 0, 0, 0]], "int32")
    np.testing.assert_allclose(answer_of(converted, given, tmp_path), built(given), atol=1e-5)
