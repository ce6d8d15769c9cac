"""Set before TensorFlow starts: XLA compiles the tests' small graphs without optimising them."""

import os

os.environ.setdefault("XLA_FLAGS", "--xla_backend_optimization_level=0")
