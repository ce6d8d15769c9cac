"""Writes a trained model with its card, and compares its metrics with those of the run."""

import os
import platform
import shutil
import statistics
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from models import cards
from models.entries import BUDGET, Entry
from models.records import Facts, Record
from models.training import best, metrics_of, value_of
from recipes.run import Run
from zoo import pipelines
from zoo.errors import Failure, InputError
from zoo.pipelines.series_input import SeriesPipeline
from zoo.system import durable

TOLERANCE = 0.001  # of a metric from 0 to 1; of a larger one, this fraction
CALLS = 20  # of which the latency is the median


def packaged(entry: Entry, runs: Sequence[Run], out: Path) -> Path:
    """Brings the model in `out` and its record up to date with new runs; returns its folder.

    The model is that of the seed that validated best, of the new runs and of the one packaged
    before. The other seeds of the record are shown in its card. Without runs, that alone changes.

    Raises:
        InputError: There is neither a run nor a record of the packaged model.
        Failure: A metric of the stored model differs from that of the run.
    """
    folder, records = out / entry.name, out.parent / "records"
    record = Record.read(entry, records)
    new = {int(run.config.seed): run for run in runs}
    record.seeds.update({seed: metrics_of(run) for seed, run in new.items()})
    old = {record.packaged.seed} - set(new) if record.packaged and folder.exists() else set()
    if not {*new, *old}:
        raise InputError(
            f"{entry.name}: there is no record of its trainings with these options: train it"
        )
    seed = best({each: record.seeds[each] for each in {*new, *old}}, entry.metric)
    if seed in new:
        run = new[seed]
        pipeline = run.recipe.pipeline(run.best_model(), run.config, run.directory)
        before, _ = measure(run, pipeline)
        with _stored(entry, pipeline, record.seeds[seed], out) as draft:
            record.packaged = _facts(entry, run, before, draft)
    elif record.packaged:
        pipeline = pipelines.load(folder)
        with _stored(entry, pipeline, record.seeds[seed], out) as draft:
            record.packaged = replace(record.packaged, size=_size(draft))
    card = cards.text(entry, record)
    with _stored(entry, pipeline, record.seeds[seed], out, card) as draft:
        shutil.rmtree(folder, ignore_errors=True)
        durable.publish(draft, folder)
    record.write(entry, records)
    return folder


@contextmanager
def _stored(
    entry: Entry,
    pipeline: pipelines.Pipeline,
    metrics: Mapping[str, Any],
    out: Path,
    card: str = "",
) -> Iterator[Path]:
    """A folder with the model, which is deleted afterwards unless it is moved."""
    about = {
        "task": entry.task,
        "language": entry.language,
        "licence": entry.licence,
        "description": entry.description,
        "data": [source.name for source in entry.sources],
        "metric": {
            "name": entry.metric.label,
            "value": round(value_of(entry.metric, metrics), 4),
        },
        "examples": list(entry.examples),
    }
    draft = out / f".{entry.name}.draft"
    shutil.rmtree(draft, ignore_errors=True)
    try:
        pipeline.save(draft, recipe=entry.recipe, about=about, metrics=metrics, card=card)
        yield draft
    finally:
        shutil.rmtree(draft, ignore_errors=True)


def _facts(entry: Entry, run: Run, before: Mapping[str, Any], draft: Path) -> Facts:
    """What the card says of a stored model."""
    stored = pipelines.load(draft)
    after, mistakes = measure(run, stored)
    compare(entry, before, after)
    if isinstance(stored, pipelines.Translator):
        mistakes = []  # another translation than the reference need not be wrong
    return Facts(
        seed=int(run.config.seed),
        architecture=run.config.architecture,
        cell=getattr(run.config, "cell", ""),
        parameters=int(stored.model.count_params()),
        size=_size(draft),
        latency=latency(stored),
        machine=machine(),
        before=before,
        after=after,
        mistakes=len(mistakes),
        wrong=cards.wrong(mistakes),
        answers=tuple((each, _shown(stored(each)[0])) for each in entry.examples),
    )


def _size(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.iterdir())


def _shown(answer: Any) -> str:
    """An answer in a line: text, or the label of each token that has one."""
    if isinstance(answer, str):
        return answer
    return " ".join(f"{token}/{label}" for token, label, *_ in answer)


def measure(run: Run, pipeline: pipelines.Pipeline) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """A pipeline's metrics on the run's test split, and the examples that it gets wrong.

    They are measured as on other data, so a metric that is relative to the training data can differ
    from that of the run.
    """
    splits = run.recipe.load(run.recipe.data_of(run.config))
    found = run.recipe.measure(pipeline.model, run.config, splits, run.directory)
    rows = [row for row in found.predictions or () if row["label"] != row["prediction"]]
    return found.scores, rows


def compare(entry: Entry, before: Mapping[str, Any], after: Mapping[str, Any]) -> None:
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
