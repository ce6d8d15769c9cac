"""Short tests that draw the same numbers each time; memory is freed after each module.

XLA and TensorFlow optimise little, since to improve a graph takes longer than to run it a few times
as it was traced. Exported models are checked in forks of one fresh process, see `tests.fresh`, but
for the tests of that check itself.
"""

import gc
import os
import random
import sys

import numpy as np
import pytest

from tests import fresh

os.environ.setdefault("XLA_FLAGS", "--xla_backend_optimization_level=0")
UNCHANGED = "tests.zoo.test_export"  # what is written and checked is what users get
SHARDED = ("tests.zoo.recurrence.", "tests.zoo.layers.")
BY_GRAPH = ("tests.zoo.pipelines.test_pipeline.", "tests.models.")  # as users' calls are
LONG = (  # first what waits for other processes
    "tests/zoo/tuning/test_chief.py",
    "tests/recipes/families/test_tagging.py",
    "tests/recipes/training/test_distributed.py",
    "tests/zoo/pipelines/test_translator.py",
    "tests/recipes/families/test_context.py",
    "tests/recipes/tuning/test_tune.py",
    "tests/recipes/training/test_loop.py",
    "tests/recipes/test_sentiment.py",
)


def pytest_addoption(parser):
    parser.addoption(
        "--unmasked-rnn",
        action="store_true",
        help="Keras' recurrent layers say that they do not support masking, as they will one day",
    )


def pytest_configure(config):
    if config.getoption("--unmasked-rnn"):
        import keras

        config.addinivalue_line("filterwarnings", "ignore:.*does not support masking:UserWarning")
        # Keras sets the attribute in each layer's __init__
        keras.layers.RNN.supports_masking = property(lambda _layer: False, lambda *_: None)


def pytest_collection_modifyitems(items):
    """Long files first: short ones at the end keep all workers busy to the end."""
    items.sort(key=lambda item: not item.nodeid.startswith(LONG))


def pytest_collection_finish():
    """What is imported stays: the collections of garbage need not walk over it."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(200_000, 20, 20)


@pytest.fixture(scope="module", autouse=True)
def _short(request):
    """Little optimisation, no graphs for a few calls, no shards, forks in place of processes."""
    module = request.module.__name__ + "."
    with pytest.MonkeyPatch.context() as patch:
        if not module.startswith(UNCHANGED):
            patch.setattr("zoo.export.run_isolated", fresh.run)
            _optimise({"disable_meta_optimizer": True})
        if "tensorflow" in sys.modules and not module.startswith(SHARDED):
            patch.setattr("zoo.recurrence.compiled.cores", lambda: 1)
        if "zoo.pipelines" in sys.modules and not module.startswith(BY_GRAPH):
            patch.setattr("zoo.pipelines.Pipeline.eager_calls", 4)
        _draw_from(0)  # for the fixtures of the module
        yield
        _optimise({"disable_meta_optimizer": False})
    _forget_gradients()
    gc.collect()


@pytest.fixture(autouse=True)
def _seeded(_short):
    """A test draws the same numbers alone, in any order and on any worker."""
    _draw_from(1)


def _draw_from(seed):
    """Sets what initial weights and masks without a seed of their own are drawn from.

    `keras.utils.set_random_seed` would do so too, but makes TensorFlow forget its compiled kernels.
    """
    random.seed(seed)
    np.random.seed(seed)  # Keras shuffles with it
    if "keras" in sys.modules:
        from keras.src.backend.common import global_state

        global_state.set_global_attribute("global_seed_generator", None)


def _optimise(options):
    """Sets options of TensorFlow's optimiser of graphs, if TensorFlow is loaded."""
    if "tensorflow" in sys.modules:
        import tensorflow as tf

        tf.config.optimizer.set_experimental_options(options)


def _forget_gradients():
    """Drops the gradients that TensorFlow registers for ever, and with each of them a graph."""
    if "tensorflow" in sys.modules:
        from tensorflow.python.framework import ops

        registered = ops.gradient_registry._registry
        for name in [name for name in registered if name.startswith("CustomGradient-")]:
            del registered[name]


@pytest.fixture
def eagerly():
    """Functions run without graphs: to trace them takes longer than a few small batches."""
    yield from _without_graphs()


@pytest.fixture(scope="module")
def module_eagerly():
    """The same for all of a module, its fixtures included."""
    yield from _without_graphs()


def _without_graphs():
    import tensorflow as tf

    tf.config.run_functions_eagerly(True)
    yield
    tf.config.run_functions_eagerly(False)
