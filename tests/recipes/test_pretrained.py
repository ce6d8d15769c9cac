"""`--init`: a run starts from pretrained weights, with its vocabulary extended and parts frozen."""

import dataclasses
import json
import random
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf

import zoo
from recipes import cli, pretrained, provenance, registry
from recipes.run import Run, new_model
from recipes.sentiment import SentimentRecipe
from recipes.training import checkpoint
from recipes.tuning import command as tuning
from tests.recipes import tiny
from tests.sweeps import swept
from zoo.errors import InputError

task = SentimentRecipe()
SMALL = {
    "sentiment": {"units": 4, "embedding_dim": 6},
    "pos": {"units": 4, "embedding_dim": 6, "character_units": 4, "rare_dropout": 0.5},
    "ner": {"units": 4, "embedding_dim": 6, "character_units": 4, "neighbour_words": 0},
    "names": {"units": 4, "embedding_dim": 6},
    "melodies": {"units": 4, "embedding_dim": 6},
    "origin": {"units": 4, "num_features": 64},
    "generation": {"units": 4, "embedding_dim": 6},
    "translation": {"units": 4, "embedding_dim": 6},
    "forecasting": {"units": 4},
    "signals": {"units": 4},
    "digits": {"units": 4},
}
BASE = {
    "cell": "simple_rnn",
    "units": 4,
    "embedding_dim": 6,
    "bidirectional": False,
    "pooling": "last",
    "min_count": 1,
}
FAST = {"batch_size": 32, "buckets": 1, "learning_rate": 0.05, "average": 0.5, "min_count": 1}
KNOWN = ["order 3 was awful, item 2", "item 8 was superb"]


def weights(model: keras.Model) -> dict[str, np.ndarray]:
    """The trainable weights and the normalisation of a model by path."""
    return {each.path: each.numpy() for each in model.variables if "seed" not in each.path}


def untrained(name: str, options: dict[str, Any], folder: Path) -> tuple[Any, Any, Any, Any]:
    """A run whose best model has random weights: recipe, configuration, data and model."""
    recipe = registry.find(name)
    run = Run.begin(recipe, options, folder)
    prepared = run.load_data()
    model = new_model(recipe, run.config, prepared)
    draw = np.random.default_rng(1)
    for variable in model.trainable_variables:
        variable.assign(draw.normal(0, 0.3, variable.shape))
    run.write_config()
    checkpoint.save_best(folder / "checkpoints", model)
    return recipe, run.config, prepared, model


@pytest.fixture(scope="module")
def stars(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """Options that name reviews with stars; more of them have new words, others two labels."""
    folder = tmp_path_factory.mktemp("reviews")
    tiny.write_tsv(folder / "stars.tsv")
    more = [(f"{text} brandnew word{n % 5}", label) for n, (text, label) in enumerate(tiny.rows())]
    two = [(text, "bad" if label < "3" else "good") for text, label in more]
    for name, rows in {"more": more, "two": two}.items():
        lines = "".join(f"{text}\t{label}\n" for text, label in rows)
        (folder / f"{name}.tsv").write_text(f"review\tstars\n{lines}", encoding="utf-8")
    columns = {"text_column": "review", "label_column": "stars"}
    return {
        name: {"data": str(folder / f"{name}.tsv"), **columns} for name in ("stars", "more", "two")
    }


@pytest.fixture(scope="module")
def first(stars: dict[str, Any], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run to start from."""
    folder = tmp_path_factory.mktemp("runs") / "first"
    untrained("sentiment", {**stars["stars"], **BASE}, folder)
    return folder


def test_a_start_of_the_same_task_answers_as_the_pretrained_model(stars, first, tmp_path):
    run = Run.begin(task, {**stars["more"], "init": str(first), "min_count": 1}, tmp_path / "run")
    assert (run.config.cell, run.config.units, run.config.pooling) == ("simple_rnn", 4, "last")
    prepared, before = run.load_data(), zoo.load(first)
    model = new_model(task, run.config, prepared)
    old, new = before.vectorizer.vocabulary.tokens, prepared.text_path.vocabulary.tokens
    assert new[: len(old)] == old
    assert set(new[len(old) :]) == {"brandnew", *(f"word{n}" for n in range(5))}
    assert list(prepared.classes) == before.classes
    found, given = weights(model), weights(before.model)
    rows = len(old)
    assert np.array_equal(found["embedding/embeddings"][:rows], given["embedding/embeddings"])
    others = [path for path in given if not path.startswith("embedding")]
    assert all(np.array_equal(found[path], given[path]) for path in others) and len(others) == 5
    ids = before.vectorizer(tf.constant(KNOWN))
    assert np.array_equal(prepared.text_path(tf.constant(KNOWN)), ids)
    np.testing.assert_array_equal(model(ids), before.model(ids))
    draws = []
    for _ in range(2):  # a model that is loaded draws as many random numbers as one in the cache
        keras.utils.set_random_seed(5)
        pretrained.of(str(first))
        draws.append(random.random())
        pretrained._loaded.cache_clear()
    assert draws[0] == draws[1]


def test_other_labels_get_a_new_head_on_the_pretrained_body(stars, first, tmp_path):
    options = {**stars["two"], "init": str(first), "freeze": "body", "dropout": 0.0}
    run = Run.begin(task, options, tmp_path / "run")
    prepared = run.load_data()
    model, given = new_model(task, run.config, prepared), weights(zoo.load(first).model)
    assert list(prepared.classes) == ["bad", "good"]
    assert [each.path for each in model.trainable_variables] == ["logits/kernel", "logits/bias"]
    found = weights(model)
    body = [path for path in given if path.startswith("encoder")]
    assert all(np.array_equal(found[path], given[path]) for path in body)
    assert found["logits/kernel"].shape == (4, 2)


@pytest.mark.sweep
def test_a_run_thaws_by_epoch_and_resumes_without_the_model_that_it_started_from(
    stars, first, tmp_path, monkeypatch
):
    options = {**stars["more"], **FAST, "freeze": "body", "unfreeze_every": 1, "patience": 9}
    states: list[dict[str, np.ndarray]] = []
    save = checkpoint.save

    def saved(directory: Path, model: keras.Model, progression: Any) -> None:
        states.append(weights(model))
        save(directory, model, progression)

    monkeypatch.setattr(checkpoint, "save", saved)
    Run.begin(task, {**options, "init": str(first), "epochs": 4}, tmp_path / "whole").train()
    assert len(states) == 5  # the first is that of the start
    parts = {"embedding/embeddings": 2, "encoder/": 1, "logits/": 0}  # and their first epochs
    for epoch, (before, after) in enumerate(zip(states[:-1], states[1:], strict=True)):
        for path in before:
            thaws = next(number for part, number in parts.items() if path.startswith(part))
            assert np.array_equal(before[path], after[path]) == (epoch < thaws), (path, epoch)

    gone = tmp_path / "gone"
    first.rename(gone)
    try:
        with pytest.raises(InputError, match="does not exist"):
            Run.begin(task, {**options, "init": str(first)}, tmp_path / "none")
        gone.rename(first)
        Run.begin(task, {**options, "init": str(first), "epochs": 2}, tmp_path / "two").train()
        first.rename(gone)
        Run.resume(task, {"epochs": 4}, tmp_path / "two").train()
        pipeline = zoo.load(tmp_path / "two")
    finally:
        gone.rename(first)
    assert len(states) == 10
    for path, value in states[4].items():
        np.testing.assert_array_equal(states[9][path], value, err_msg=path)
    assert set(pipeline(["order 3 was awful brandnew"])) <= set(pipeline.classes)

    record = json.loads((tmp_path / "whole" / "init.json").read_text())
    sha = provenance.weights_hash(first)
    assert record["init"] == str(first) and record["weights_sha256"] == sha
    assert record["head"] == "pretrained" and record["new_rows"] == {"embedding": 6}
    assert f"It started from `{first}`: weights with the SHA-256 `{sha}`." in (
        tmp_path / "whole" / "README.md"
    ).read_text(encoding="utf-8")
    provenance.write(tmp_path, "sentiment", Run.open(task, tmp_path / "two").config, first)
    assert "init" not in provenance.read(tmp_path)
    provenance.write(tmp_path, "sentiment", task.config(), tmp_path / "whole")
    assert provenance.read(tmp_path)["init_sha256"] == sha


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (
            "train sentiment --units 9",
            "--units 9 contradicts --init {run}, which has units 4: leave",
        ),
        (
            "train sentiment --no-lower",
            "--no-lower contradicts --init {run}, which has lower True: leave",
        ),
        (
            "train pos",
            "--init {run} is a model of the recipe sentiment with the topology many_to_one, but "
            "pos trains many_to_many",
        ),
        ("all sentiment --architecture awd_lstm", "--architecture awd_lstm contradicts --init"),
        ("tune sentiment --units 4,8", "--units cannot be searched over with --init {run}, which"),
        ("tune sentiment --seeds 1", "nothing to search over: with --init {run} the sizes are"),
        ("train signals", "--init {run} does not fit: the layer 'normalization' has 3 weights"),
    ],
)
def test_what_contradicts_the_pretrained_model_is_one_sentence_and_status_2(
    words, message, first, tmp_path, monkeypatch, capsys
):
    monkeypatch.chdir(tmp_path)
    assert cli.main([*words.split(), "--init", str(first)]) == 2
    error = capsys.readouterr().err
    assert error.startswith(f"error: {message.format(run=first)}") and error.count("\n") == 1
    assert not list(tmp_path.rglob("config.json"))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"freeze": "body"}, "freeze 'body' is for pretrained weights: give --init"),
        ({"layer_decay": 0.5}, "layer_decay 0.5 is for pretrained weights"),
        ({"init": "no/such/run"}, "no/such/run does not exist"),
        ({"init": "no-such-name"}, "there is no trained model 'no-such-name'"),
    ],
)
def test_options_without_pretrained_weights_are_refused(options, message):
    with pytest.raises(InputError, match=message):
        task.configured(options)


def test_a_search_starts_each_setting_from_the_pretrained_model(first):
    study = tuning.planned(task, {"init": str(first), "learning_rate": "0.01,0.02"})
    assert study.fixed["init"] == str(first)
    assert [axis.name for axis in study.axes] == ["learning_rate"]


@pytest.mark.parametrize("name", swept(SMALL, lambda name: name == "origin"))
def test_every_recipe_starts_from_a_run_and_from_a_saved_pipeline_of_its_own(
    name, tmp_path, capsys
):
    recipe, config, data, model = untrained(
        name, {**SMALL[name], "train_fraction": 0.02}, tmp_path / "run"
    )
    zoo.load(tmp_path / "run").save(tmp_path / "saved", recipe=name)
    kept = pretrained.kept_options(recipe, str(tmp_path / "run"))
    assert pretrained.kept_options(recipe, str(tmp_path / "saved")) == kept
    assert kept["units"] == 4 and kept["architecture"] == config.architecture
    inputs = recipe.one_example(model, config, data)
    before = model(inputs, training=False)
    for place, close in (("run", 1e-5), ("saved", 2e-2)):  # weights are saved in float16
        options = {"init": str(tmp_path / place), "train_fraction": 0.04, "unfreeze_every": 1}
        run = Run.begin(recipe, {**options, "freeze": "body"}, tmp_path / f"from {place}")
        prepared = run.load_data()
        started = new_model(recipe, run.config, prepared)
        after = started(inputs, training=False)
        for old, new in zip(keras.tree.flatten(before), keras.tree.flatten(after), strict=True):
            same = np.asarray(new)[..., : old.shape[-1]]
            np.testing.assert_allclose(same, np.asarray(old), atol=close)
        paths = pretrained._paths_of(pretrained.of(options["init"]), prepared)
        old_paths = pretrained._paths_of(pretrained.of(options["init"]), data)
        for key, path in paths.items():
            tokens = getattr(getattr(old_paths[key], "vocabulary", None), "tokens", [])
            assert getattr(path, "vocabulary", None) is None or (
                path.vocabulary.tokens[: len(tokens)] == tokens
            )
    capsys.readouterr()


@pytest.mark.sweep
def test_a_tagger_brings_the_language_model_that_it_reads(tmp_path, monkeypatch):
    recipe = registry.find("pos")
    whole = type(recipe).sizes

    def sizes(self: Any, prepared: Any) -> dict[str, Any]:
        found = whole(self, prepared)
        names = {"vocabulary_size", "character_vocabulary_size"}
        counts = {name: found[name] for name in names}
        return {**found, "context": {**counts, "units": 3, "cell": "simple_rnn"}}

    with monkeypatch.context() as patch:
        patch.setattr(type(recipe), "sizes", sizes)
        options = {**SMALL["pos"], "train_fraction": 0.02}
        _, config, data, model = untrained("pos", options, tmp_path / "run")
    inputs = recipe.one_example(model, config, data)
    options = {"init": str(tmp_path / "run"), "train_fraction": 0.04, "freeze": "body"}
    run = Run.begin(recipe, {**options, "unfreeze_every": 2}, tmp_path / "second")
    prepared = run.load_data()
    started = new_model(recipe, run.config, prepared)
    np.testing.assert_allclose(started(inputs), model(inputs), atol=1e-5)
    words = started.get_layer("context_embedding").embeddings.numpy()
    known = len(data.text_path.vocabulary)
    assert np.array_equal(words[:known], model.get_layer("context_embedding").embeddings)
    assert len(words) > known and np.array_equal(words[known:], [words[1]] * (len(words) - known))
    assert not any(each.path.startswith("context") for each in started.trainable_variables)
    assert started.optimizer.firsts == tuple(
        {"logits": 0, "encoder": 2}.get(each.path.split("/")[0], 4)
        for each in started.trainable_variables
    )


@pytest.mark.slow
@pytest.mark.parametrize("name", SMALL)
def test_every_recipe_trains_from_pretrained_weights(name, tmp_path):
    options = {**SMALL[name], "train_fraction": 0.03, "epochs": 1}
    recipe = registry.find(name)
    Run.begin(recipe, options, tmp_path / "first").train()
    more = {"train_fraction": 0.05, "epochs": 2, "freeze": "body", "unfreeze_every": 1}
    run = Run.begin(recipe, {"init": str(tmp_path / "first"), **more}, tmp_path / "second")
    run.train()
    before, after = (weights(zoo.load(tmp_path / each).model) for each in ("first", "second"))
    assert set(before) == set(after)
    arrays = {path: value for path, value in before.items() if value.ndim}
    assert any(not np.array_equal(old, after[path][: len(old)]) for path, old in arrays.items())


@pytest.mark.sweep
def test_parts_of_a_batch_leave_frozen_weights_alone(stars, first, tmp_path):
    options = {**stars["more"], **FAST, "init": str(first), "freeze": "body", "epochs": 1}
    for number, more in enumerate(({}, {"unfreeze_every": 2})):
        folder = tmp_path / str(number)
        Run.begin(task, {**options, **more, "accumulate": 2}, folder).train()
        found, given = (weights(zoo.load(place).model) for place in (folder, first))
        for path in given:
            same = np.array_equal(found[path][: len(given[path])], given[path])
            assert same == (not path.startswith("logits")), path


def test_a_configuration_with_a_start_is_complete_without_it(first):
    config = task.configured({"init": str(first), "freeze": "embeddings", "unfreeze_every": 2})
    stored = dataclasses.asdict(config)
    assert task.opened({**stored, "init": "gone"}) == dataclasses.replace(config, init="gone")
