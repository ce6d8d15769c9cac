"""`python -m benchmarks`: see `benchmarks/scoreboard/command.py`."""

import os
import sys

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

from benchmarks.scoreboard.command import main  # noqa: E402  (TensorFlow reads it when it loads)

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
