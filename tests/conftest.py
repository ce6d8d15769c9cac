"""What makes the tests shorter: little optimisation of graphs that run once, few collections.

Exported models are checked in forks of one fresh process, see `tests.fresh`, but for the tests of
that check itself. These processes and those of commands optimise their graphs as usual.
"""

import gc
import os

import pytest

from tests import fresh

os.environ.setdefault("XLA_FLAGS", "--xla_backend_optimization_level=0")
gc.set_threshold(100_000, 50, 1_000)  # graphs of finished tests stay; walking over them takes time


@pytest.fixture(scope="session", autouse=True)
def _unoptimised_graphs():
    """TensorFlow runs graphs as they were traced: improving one takes longer than running it."""
    import tensorflow as tf

    tf.config.optimizer.set_experimental_options({"disable_meta_optimizer": True})


@pytest.fixture(scope="module", autouse=True)
def _forked_checks(request):
    """Forks in place of new processes."""
    with pytest.MonkeyPatch.context() as patch:
        if request.module.__name__ != "tests.zoo.test_export":
            patch.setattr("zoo.export.run_isolated", fresh.run)
        yield
