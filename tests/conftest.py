"""Set before TensorFlow starts, for shorter tests: XLA without optimisation, fewer collections.

Exported models are checked in forks of one fresh process, see `tests.fresh`, but for the tests of
that check itself.
"""

import gc
import os

import pytest

from tests import fresh

os.environ.setdefault("XLA_FLAGS", "--xla_backend_optimization_level=0")
gc.set_threshold(100_000, 50, 1_000)  # graphs of finished tests stay; walking over them takes time


@pytest.fixture(scope="module", autouse=True)
def _forked_checks(request):
    """Forks in place of new processes."""
    with pytest.MonkeyPatch.context() as patch:
        if request.module.__name__ != "tests.zoo.test_export":
            patch.setattr("zoo.export.run_isolated", fresh.run)
        yield


@pytest.fixture
def eagerly():
    """Functions run without graphs: to trace them takes longer than a few small batches."""
    import tensorflow as tf

    tf.config.run_functions_eagerly(True)
    yield
    tf.config.run_functions_eagerly(False)
