"""The metrics of a run: `metrics.json`, and their form on the terminal."""

from pathlib import Path
from typing import Any

import keras

from recipes.config import read_json, write_json
from recipes.training.checkpoint import Progression


def of_training(model: keras.Model, prepared: Any, progression: Progression) -> dict[str, Any]:
    """The metrics of training: those of the best epoch, time and size."""
    best = progression.history[progression.best_epoch - 1]
    batches = prepared.batches["train"]
    seen = len(batches.encoded) * progression.epoch
    own = {k: v for k, v in best.items() if not k.startswith("validation_")}
    return {
        "train": {k: v for k, v in own.items() if k not in ("epoch", "seconds")},
        "best_epoch": progression.best_epoch,
        "epochs": progression.epoch,
        "parameters": model.count_params(),
        "seconds": round(progression.seconds, 1),
        "examples_per_second": round(seen / max(progression.seconds, 1e-9), 1),
        "padding_share": round(batches.padding_share, 4),
    }


def write(directory: Path, values: dict[str, Any]) -> None:
    """Adds metrics to the run's `metrics.json`."""
    path = directory / "metrics.json"
    old = read_json(path, dict, "delete it") if path.exists() else {}
    write_json(path, {**old, **values})


def formatted(values: dict[str, Any]) -> str:
    """A split's metrics in a line."""
    parts = []
    for name, value in values.items():
        if isinstance(value, dict):
            shown = list(value.items())
            inner = ", ".join(f"{key} {_number(number)}".strip() for key, number in shown[:10])
            parts.append(f"{name} ({inner}{', ...' if len(shown) > 10 else ''})")
        else:
            unit = " nats" if name == "loss" else ""
            parts.append(f"{name} {_number(value)}{unit}")
    return ", ".join(parts)


def _number(value: Any) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, dict):
        return " ".join(f"{key} {_number(number)}" for key, number in value.items())
    return f"{value:,}" if isinstance(value, int) else f"{value:.4f}"
