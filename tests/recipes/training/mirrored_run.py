"""Trains `generation` alone and on two logical devices of the CPU, for `test_distributed`."""

import json
import sys
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from recipes.data.splits import Splits
from recipes.generation import GenerationRecipe
from recipes.run import Run

task = GenerationRecipe()

ROWS = 33  # of the train split: the last batch is a single row, which one of two devices lacks
OPTIONS: dict[str, Any] = {
    "units": 6,
    "embedding_dim": 6,
    "cell": "simple_rnn",
    "window": 24,
    "batch_size": 8,
    "clip_norm": 0.1,
}


def trained(directory: Path, **options: Any) -> tuple[list[float], list[np.ndarray]]:
    """Each step's loss of an epoch, and the weights and the averages after it."""
    config = Run.begin(task, {**OPTIONS, **options}, directory).config
    splits = task.load(task.data_of(config))
    directory.mkdir(parents=True)
    corpus = Splits(splits.train[:ROWS], splits.validation[:1], splits.test[:1])
    prepared = task.prepare(task.data_of(config), corpus, directory)
    keras.utils.set_random_seed(0)
    model = task.build(config, prepared)
    losses: list[float] = []
    task.epochs(model, config, prepared)(config, 0, losses.append)
    values = [*model.trainable_variables, *model.optimizer.variables]
    return losses, [value.numpy() for value in values]


def main(directory: Path) -> None:
    """Prints the largest differences as JSON."""
    cpu = tf.config.list_physical_devices("CPU")[0]
    tf.config.set_logical_device_configuration(cpu, [tf.config.LogicalDeviceConfiguration()] * 2)
    alone = trained(directory / "none")
    both = trained(directory / "mirrored", strategy="mirrored")
    weights = [np.abs(a - b).max(initial=0) for a, b in zip(alone[1], both[1], strict=True)]
    losses = np.abs(np.subtract(alone[0], both[0])).max()
    found = {"steps": len(both[0]), "losses": float(losses), "weights": float(max(weights))}
    print(json.dumps(found))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
