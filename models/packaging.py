"""Writes a trained model with its card, and compares its metrics with those of the run."""

import os
import platform
import shutil
import statistics
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from models import cards
from models.entries import BUDGET, Entry
from models.training import best, metrics_of, value_of
from recipes.run import Run
from zoo import pipelines
from zoo.errors import Failure
from zoo.pipelines.series_input import SeriesPipeline
from zoo.system import durable

TOLERANCE = 0.001  # of a metric from 0 to 1; of a larger one, this fraction
CALLS = 20  # of which the latency is the median


def packaged(entry: Entry, runs: Sequence[Run], out: Path) -> Path:
    """Writes the model of the run that validated best into `out`, and returns its folder.

    Raises:
        Failure: A metric of the stored model differs from that of the run.
    """
    run = best(list(runs), entry.metric)
    found = [metrics_of(each) for each in runs]
    chosen = metrics_of(run)
    value = value_of(entry.metric, chosen)
    pipeline = run.recipe.pipeline(run.best_model(), run.config, run.directory)
    about = {
        "task": entry.task,
        "language": entry.language,
        "licence": entry.licence,
        "description": entry.description,
        "data": [source.name for source in entry.sources],
        "metric": {"name": entry.metric.label, "value": round(value, 4)},
    }
    folder, draft = out / entry.name, out / f".{entry.name}.draft"
    shutil.rmtree(draft, ignore_errors=True)
    try:
        pipeline.save(draft, recipe=entry.recipe, about=about, metrics=chosen)
        stored = pipelines.load(draft)
        before, _ = measure(run, pipeline)
        after, mistakes = measure(run, stored)
        compare(entry, before, after)
        facts = cards.Facts(
            run=run,
            metrics=found,
            chosen=chosen,
            before=before,
            after=after,
            size=sum(path.stat().st_size for path in draft.iterdir()),
            parameters=int(stored.model.count_params()),
            latency=latency(stored),
            machine=machine(),
            mistakes=mistakes,
        )
        card = cards.text(entry, facts)
        shutil.rmtree(draft)
        pipeline.save(draft, recipe=entry.recipe, about=about, metrics=chosen, card=card)
        shutil.rmtree(folder, ignore_errors=True)
        durable.publish(draft, folder)
    finally:
        shutil.rmtree(draft, ignore_errors=True)
    return folder


def measure(run: Run, pipeline: pipelines.Pipeline) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """A pipeline's metrics on the run's test split, and the examples that it gets wrong.

    They are measured as on other data, so a metric that is relative to the training data can differ
    from that of the run.
    """
    splits = run.recipe.load(run.recipe.data_of(run.config))
    found = run.recipe.measure(pipeline.model, run.config, splits, run.directory)
    rows = [row for row in found.predictions or () if row["label"] != row["prediction"]]
    return found.scores, rows


def compare(entry: Entry, before: dict[str, Any], after: dict[str, Any]) -> None:
    """Refuses a stored model whose metrics are not those of the model before it was rounded.

    Raises:
        Failure: One differs by more than `TOLERANCE`, relative to its size.
    """
    for key, value in before.items():
        other = after.get(key)
        if not isinstance(value, int | float) or not isinstance(other, int | float):
            continue
        if abs(other - value) > TOLERANCE * max(1.0, abs(value)):
            raise Failure(f"{entry.name}: {key} is {value} in float32 and {other} in float16")


def latency(stored: pipelines.Pipeline) -> float:
    """Seconds of a call with one example once the graph is built: the median of several."""
    arguments, options = one_example(stored)
    stored.eager_calls = 0
    times = []
    for _ in range(CALLS + 3):
        start = time.perf_counter()
        stored(*arguments, **options)
        times.append(time.perf_counter() - start)
    return statistics.median(times[3:])


def one_example(stored: pipelines.Pipeline) -> tuple[list[Any], dict[str, Any]]:
    """Arguments of a call with one example."""
    if isinstance(stored, SeriesPipeline):
        probe = stored.signatures()["serving_default"].probe
        first = {name: value.numpy()[:1] for name, value in probe.items()}
        lengths, values = first.pop("lengths"), first.pop("values")
        return [[values[0, : lengths[0]]]], first
    if isinstance(stored, pipelines.ConditionalWriter):
        return [stored.labels[:1]], {}
    return [["The weather is fine today."]], {}


def machine() -> str:
    """The machine in a line."""
    return (
        f"{os.cpu_count()} CPU cores ({platform.machine()}), Python {platform.python_version()}, "
        f"{platform.system()}"
    )


def check_budget(out: Path) -> int:
    """The bytes of all models.

    Raises:
        Failure: They are more than `BUDGET`.
    """
    size = sum(path.stat().st_size for path in out.rglob("*") if path.is_file())
    if size > BUDGET:
        raise Failure(f"the models in {out} have {size / 2**20:.1f} MB, more than 25")
    return size
