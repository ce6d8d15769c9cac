"""What makes the tests of recipes shorter: small graphs that run a few times are not improved."""

import pytest
import tensorflow as tf


@pytest.fixture(scope="module", autouse=True)
def _graphs_as_traced():
    """To improve a graph takes TensorFlow longer than to run it a few times as it was traced.

    Exported models are checked in other processes, where graphs are improved as usual. Graphs of
    some served functions need much memory without it, so this is for the recipes alone.
    """
    tf.config.optimizer.set_experimental_options({"disable_meta_optimizer": True})
    yield
    tf.config.optimizer.set_experimental_options({"disable_meta_optimizer": False})
