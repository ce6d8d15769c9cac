"""Set before TensorFlow starts, for shorter tests: XLA without optimisation, fewer collections."""

import gc
import os

os.environ.setdefault("XLA_FLAGS", "--xla_backend_optimization_level=0")
gc.set_threshold(100_000, 50, 1_000)  # graphs of finished tests stay; walking over them takes time
