"""A study whose runs are a formula: what the search itself does, in milliseconds."""

import math
import random

from zoo.tuning.space import parse
from zoo.tuning.study import Study


def study(algorithm="grid", **options):
    """Four options, one of which depends on another."""
    steps = ":10" if algorithm == "grid" else ""
    axes = (
        parse("units", "4:64:log", int),
        parse("learning_rate", f"1e-4:1e-2:log{steps}", float),
        parse("num_layers", "1:2", int),
        parse("residual", "true,false", bool),
    )
    options = {"trials": 12, "seeds": 2, "fractions": (0.5, 1.0), "epochs": 9, **options}
    return Study("toy", axes, {}, "accuracy", algorithm=algorithm, **options)


def measure(run):
    """Best at 16 units and a rate of 0.001, with noise of the run's own."""
    noise = random.Random(str((sorted(run.values.items()), run.fraction, run.seed, run.epochs)))
    units, rate = run.values["units"], run.values["learning_rate"]
    distance = abs(math.log2(units / 16)) + abs(math.log10(rate / 1e-3))
    return {"accuracy": 1 - 0.1 * distance * run.fraction + 0.01 * noise.random()}


def scores(directory):
    """The accuracy of each finished run."""
    from zoo.tuning.storage import Records

    return {
        (row["trial"], row["fraction"], row["seed"]): (row["values"], row["accuracy"])
        for row in Records(directory).rows()
    }
