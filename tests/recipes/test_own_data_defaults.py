"""Every recipe's defaults for own data train a step in each precision, not the built-in ones alone.

The regularisers that only those defaults switch on (rare dropout, word dropout, weight drop, ...)
meet layers that compute in half precision.
"""

import datetime
import itertools
import json

import keras
import numpy as np
import pytest
import tensorflow as tf

from recipes import registry
from recipes.registry import BUILTIN as RECIPES
from recipes.run import Run
from recipes.training.precision import in_precision
from tests.sweeps import swept

SMALL = {"units": 3, "embedding_dim": 4, "batch_size": 64, "buckets": 1, "epochs": 1}
SMALL |= {"most_joined": 1}  # recordings
POLICIES = {"float32": "float32", "bfloat16": "mixed_bfloat16", "float16": "mixed_float16"}
WORDS = ("an", "odd", "tale", "of", "two", "sad", "cats", "and", "one", "dog")


def texts():
    """Forty different texts of several lengths; words of different frequency."""
    return [
        " ".join(WORDS[(n * n + k) % len(WORDS)] for k in range(2 + n % 5)) + f" {n}"
        for n in range(40)
    ]


def rows(template):
    return "".join(
        template.format(text=text, label="ab"[n % 2], n=n) for n, text in enumerate(texts())
    )


def columns(tags):
    """Sentences in CoNLL columns."""
    sentences = []
    for text in texts():
        tokens = text.split()
        lines = [f"{token}\t{tags[len(token) % len(tags)]}\n" for token in tokens]
        sentences.append("".join(lines))
    return "\n".join(sentences)


def chorales():
    songs = [[[60 + (n + k) % 7, 0, 0, 0] for k in range(12)] * 2 for n in range(20)]
    return json.dumps({"train": songs, "valid": songs[:3], "test": songs[3:6]})


def series():
    """Forty series of two values and several lengths, in the format of sktime."""
    lines = []
    for n in range(40):
        values = ",".join(f"{(n * k) % 7}" for k in range(1, 4 + n % 3))
        lines.append(f"{values}:{values[::-1]}:{'ab'[n % 2]}\n")
    return "@classLabel true a b\n@data\n" + "".join(lines)


def waves():
    """Forty waveforms of 400 samples, of two classes."""
    lines = []
    for n in range(40):
        samples = ",".join(f"{np.sin(k * (n % 2 + 1) / 3):.3f}" for k in range(400))
        lines.append(f"{samples}:{'ab'[n % 2]}\n")
    return "@classLabel true a b\n@data\n" + "".join(lines)


def days():
    """Two values by day, with a week."""
    start = datetime.date(2024, 1, 1)
    lines = [f"{start + datetime.timedelta(n)},{n % 7 + n / 50},{n % 5}\n" for n in range(220)]
    return "date,sales,visitors\n" + "".join(lines)


FILES = {
    "forecasting": ("own.csv", days),
    "sentiment": ("own.tsv", lambda: "text\tlabel\n" + rows("{text}\t{label}\n")),
    "origin": ("own.tsv", lambda: "text\tlabel\n" + rows("{text}\t{label}\n")),
    "names": ("own.tsv", lambda: "text\tlabel\n" + rows("{text}\t{label}\n")),
    "ner": ("own.conll", lambda: columns(("O", "B-x", "I-x", "B-y"))),
    "pos": ("own.conll", lambda: columns(("DET", "NOUN", "VERB"))),
    "melodies": ("own.json", chorales),
    "generation": ("own.txt", lambda: rows("{text}\n")),
    "signals": ("own.ts", series),
    "digits": ("own.ts", waves),
    "translation": ("own.tsv", lambda: rows("{text}\t{text}!\n")),
}


@pytest.fixture(scope="module", autouse=True)
def eagerly():
    """Step by step: tracing each graph would take much longer than the one step of it."""
    tf.config.run_functions_eagerly(True)
    yield
    tf.config.run_functions_eagerly(False)


@pytest.fixture(scope="module")
def prepared(tmp_path_factory):
    """Each recipe's module, its defaults for a file of its own, and the prepared file."""
    made = {}

    def of(recipe):
        if recipe not in made:
            folder = tmp_path_factory.mktemp(recipe)
            name, content = FILES[recipe]
            (folder / name).write_text(content())
            task = registry.find(recipe)
            known = {name for name in SMALL if name in task.config.__dataclass_fields__}
            small = {name: SMALL[name] for name in known}
            config = task.configured({"data": str(folder / name), **small})
            run = Run(task, config, folder)
            data = run.load_data()
            made[recipe] = task, run.config, data
        return made[recipe]

    return of


def test_every_recipe_has_a_file_of_its_own_here():
    assert set(FILES) == set(RECIPES)


HALF = dict(zip(FILES, itertools.cycle(["bfloat16", "float16"]), strict=False))


@pytest.mark.parametrize(
    ("recipe", "precision"),
    swept(itertools.product(FILES, POLICIES), lambda recipe, precision: HALF[recipe] == precision),
)
def test_the_defaults_for_own_data_train_a_step(recipe, precision, prepared):
    task, config, data = prepared(recipe)
    before = keras.config.dtype_policy()
    keras.utils.set_random_seed(0)
    with in_precision("float32"):
        keras.config.set_dtype_policy(POLICIES[precision])
        model = task.build(config, data)
    assert keras.config.dtype_policy() == before
    weights = [weight.numpy() for weight in model.trainable_variables]
    found = task.epochs(model, config, data)(config, 0)
    assert np.isfinite(found["loss"])
    assert {weight.dtype for weight in model.trainable_variables} == {"float32"}
    moved = [
        not np.array_equal(weight, variable.numpy())
        for weight, variable in zip(weights, model.trainable_variables, strict=True)
    ]
    assert np.mean(moved) > 0.9
    assert all(np.isfinite(variable.numpy()).all() for variable in model.trainable_variables)
