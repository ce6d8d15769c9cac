"""How fast the recurrent layer is beside stock Keras and PyTorch, on a CPU; `--help` says more."""

import os
import sys
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ["CUDA_VISIBLE_DEVICES"] = "-1"  # every contender on the processor
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks.speed.commands import main  # noqa: E402  (TensorFlow reads both when it loads)

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
