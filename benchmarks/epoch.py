"""A whole epoch of the sentiment recipe beside the same model with stock Keras layers.

    TFDS_DATA_DIR=... python benchmarks/epoch.py --data tfds:imdb_reviews --rounds 2

Both models train on the same bucketed batches, an epoch of each in turn. The first epoch includes
compilation.
"""

import argparse
import os
import tempfile
import time
from pathlib import Path
from typing import Any
from unittest import mock

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras  # noqa: E402

from recipes.config import from_mapping  # noqa: E402
from recipes.run import Run  # noqa: E402
from recipes.sentiment import SentimentRecipe  # noqa: E402
from zoo.architectures import many_to_one  # noqa: E402

task = SentimentRecipe()


class StockBody(keras.layers.Layer):
    """`keras.layers.Bidirectional` over `keras.layers.LSTM` where the model has its own body."""

    def __init__(self, cell: str, units: int, name: str, **_options: Any) -> None:
        super().__init__(name=name)
        layer = {"lstm": keras.layers.LSTM, "gru": keras.layers.GRU}[cell]
        self.body = keras.layers.Bidirectional(
            layer(units, return_sequences=True, return_state=True)
        )

    def call(self, inputs: Any, mask: Any) -> Any:
        """Outputs (B, T, 2K) and the final states of both directions."""
        outputs, *states = self.body(inputs, mask=mask)
        return outputs, states

    def last_output(self, states: list[Any]) -> Any:
        """The last outputs of both directions side by side."""
        return keras.ops.concatenate([states[0], states[len(states) // 2]], axis=-1)


def main() -> None:
    """Reads the options, trains, prints."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--data", default="tfds:imdb_reviews")
    parser.add_argument("--cell", default="lstm", choices=("lstm", "gru"))
    parser.add_argument("--units", type=int, default=64)
    parser.add_argument("--rounds", type=int, default=2, help="epochs of each model")
    arguments = parser.parse_args()
    options = {"data": arguments.data, "cell": arguments.cell, "units": arguments.units}
    config = from_mapping(task.config, {**task.defaults(options), **options})
    with tempfile.TemporaryDirectory() as directory:
        run = Run(task, config, Path(directory))
        prepared, config = run.load_data(), run.config
    models = {"zoo": task.build(config, prepared)}
    with mock.patch.object(many_to_one, "Recurrent", StockBody):
        models["stock Keras"] = task.build(config, prepared)
    print(*[f"{name}: {model.count_params():,} parameters" for name, model in models.items()])
    batches = prepared.batches["train"]
    for number in range(arguments.rounds):
        for name, model in models.items():
            start, loss = time.perf_counter(), 0.0
            for token_ids, labels, _ in batches((0, number)):
                loss += float(model.train_on_batch(token_ids, labels)[0])
            seconds = time.perf_counter() - start
            print(f"epoch {number + 1}  {name:12} {seconds:6.1f} s  loss {loss / len(batches):.4f}")


if __name__ == "__main__":
    main()
