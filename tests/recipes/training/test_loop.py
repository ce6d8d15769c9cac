import csv
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest

import zoo
from recipes.config import TrainingConfig
from recipes.training import checkpoint, loop, optimizers
from recipes.training.batches import Encoded, SequenceBatches
from recipes.training.checkpoint import Progression


def task(
    average: float = 0.5, recurrent_dropout: float = 0.0, **changes: Any
) -> tuple[keras.Model, SequenceBatches, TrainingConfig]:
    """A model that can learn whether a sequence holds the id 5, with every kind of dropout."""
    options = {"batch_size": 16, "learning_rate": 0.02, "seed": 3, "patience": 9, "epochs": 2}
    config = TrainingConfig(average=average, **{**options, **changes})
    keras.utils.set_random_seed(config.seed)
    rng = np.random.default_rng(0)
    rows = [rng.integers(2, 9, rng.integers(1, 8)).astype(np.int32) for _ in range(100)]
    labels = np.array([int(5 in row) for row in rows], np.int32)
    batches = SequenceBatches(Encoded(rows, labels), config.batch_size, [4, 8])
    model = zoo.build(
        "many_to_one",
        vocabulary_size=9,
        num_classes=2,
        units=6,
        embedding_dim=4,
        dropout=0.2,
        recurrent_dropout=recurrent_dropout,
        word_dropout=0.1,
    )
    model.compile(
        optimizers.optimizer(config, len(batches)),
        keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        metrics=["accuracy"],
    )
    return model, batches, config


def validator(batches: SequenceBatches) -> loop.Validate:
    def validate(model: keras.Model) -> dict[str, float]:
        logits = loop.predict(model, batches)
        hits = logits.argmax(axis=-1) == batches.encoded.labels
        return {"accuracy": float(hits.mean()), "loss": float(np.abs(logits).sum())}

    return validate


def run(
    directory: Path, stop_after: int | None = None, pause: float = 0.0, **changes: Any
) -> Progression:
    """Trains, from the stored state if there is one; stops in the middle of an epoch if asked."""
    model, batches, config = task(**changes)
    stored = checkpoint.load(directory / "checkpoints")
    progression = Progression()
    if stored:
        model, progression = stored
    validate = validator(batches)
    if stop_after is not None:
        model.train_on_batch = interrupted(model.train_on_batch, stop_after)
    epoch = loop.over_batches(model, batches)
    return loop.train(model, epoch, validate, config, directory, progression, pause)


def interrupted(step: Any, after: int) -> Any:
    left = iter(range(after))

    def once(*arguments: Any, **named: Any) -> Any:
        if next(left, None) is None:
            raise KeyboardInterrupt
        return step(*arguments, **named)

    return once


def figures(progression: Progression) -> list[dict[str, Any]]:
    return [{k: v for k, v in row.items() if k != "seconds"} for row in progression.history]


@pytest.mark.usefixtures("eagerly")
def test_an_interrupted_run_goes_on_to_the_history_of_an_uninterrupted_one(tmp_path: Path):
    options = {"epochs": 3, "recurrent_dropout": 0.2, "batch_size": 64}
    whole = run(tmp_path / "whole", **options)
    with pytest.raises(KeyboardInterrupt):
        run(tmp_path / "cut", stop_after=5, **options)  # of 6 steps: in the third epoch
    assert checkpoint.load(tmp_path / "cut" / "checkpoints")[1].epoch == 2
    resumed = run(tmp_path / "cut", **options)
    assert figures(resumed) == figures(whole)
    weights = [checkpoint.load(tmp_path / name / "checkpoints")[0] for name in ("whole", "cut")]
    for one, other in zip(weights[0].weights, weights[1].weights, strict=True):
        np.testing.assert_array_equal(one.numpy(), other.numpy())


@pytest.mark.usefixtures("eagerly")
def test_the_same_seed_gives_the_same_history_and_another_one_another(tmp_path: Path):
    first = run(tmp_path / "a", epochs=1, batch_size=64)
    second = run(tmp_path / "b", epochs=1, batch_size=64)
    assert figures(first) == figures(second)
    model, batches, config = task(epochs=1, batch_size=64)
    other = TrainingConfig(**{**config.__dict__, "seed": 4})
    third = loop.train(
        model,
        loop.over_batches(model, batches),
        validator(batches),
        other,
        tmp_path / "c",
        Progression(),
    )
    assert figures(third) != figures(first)


def test_history_csv_holds_a_row_for_each_epoch(tmp_path: Path):
    progression = run(tmp_path, epochs=2)
    with (tmp_path / "history.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert [row["epoch"] for row in rows] == ["1", "2"]
    assert float(rows[1]["loss"]) == progression.history[1]["loss"]
    assert list((tmp_path / "tensorboard").glob("events*"))


@pytest.mark.usefixtures("eagerly")
def test_an_epochs_loss_is_the_mean_over_its_examples(tmp_path: Path):
    model, batches, config = task(epochs=1, average=0.0)
    losses, sizes = [], []
    step = model.train_on_batch

    def recorded(token_ids: Any, labels: Any, **named: Any) -> Any:
        result = step(token_ids, labels, **named)
        losses.append(float(result["loss"]))
        sizes.append(len(labels))
        return result

    model.train_on_batch = recorded
    progression = loop.train(
        model,
        loop.over_batches(model, batches),
        validator(batches),
        config,
        tmp_path,
        Progression(),
    )
    assert len(set(sizes)) > 1  # a last batch is smaller: a mean over batches would be another
    assert progression.history[0]["loss"] == pytest.approx(np.average(losses, weights=sizes))


def test_training_stops_when_validation_gets_no_better_and_keeps_the_best(tmp_path: Path):
    model, batches, config = task(epochs=9, patience=2, average=0.0)
    scores = iter([0.5, 0.8, 0.7, 0.6, 0.9])
    kept = []

    def validate(_model: keras.Model) -> dict[str, float]:
        kept.append([variable.numpy() for variable in model.trainable_variables])
        return {"accuracy": next(scores)}

    progression = loop.train(
        model, loop.over_batches(model, batches), validate, config, tmp_path, Progression()
    )
    assert (progression.epoch, progression.best_epoch, progression.best_score) == (4, 2, 0.8)
    best = keras.models.load_model(tmp_path / "checkpoints" / "best.keras", compile=False)
    for one, other in zip(best.trainable_variables, kept[1], strict=True):
        np.testing.assert_array_equal(one.numpy(), other)


@pytest.mark.parametrize(("asked", "score"), [(1, 0.5), (3, 0.2)])
def test_the_asked_epoch_is_kept_and_the_last_one(tmp_path: Path, asked: int, score: float):
    """Whatever validates better, and whatever the patience."""
    model, batches, config = task(epochs=9, patience=1, average=0.0, keep_epoch=asked)
    scores = iter([0.5, 0.8, 0.2])
    progression = loop.train(
        model,
        loop.over_batches(model, batches),
        lambda _: {"accuracy": next(scores)},
        config,
        tmp_path,
        Progression(),
    )
    assert (progression.epoch, progression.best_epoch) == (asked, asked)
    assert progression.best_score == score
    best = keras.models.load_model(tmp_path / "checkpoints" / "best.keras", compile=False)
    for one, other in zip(best.trainable_variables, model.trainable_variables, strict=True):
        np.testing.assert_array_equal(one.numpy(), other.numpy())


@pytest.mark.usefixtures("eagerly")
def test_states_within_a_pause_are_not_written_and_a_kill_changes_nothing(tmp_path: Path):
    """Killed in the third epoch, with a best model but no state: all begins anew."""
    options = {"epochs": 3, "pause": 1000.0, "batch_size": 64}  # six steps
    whole = run(tmp_path / "whole", **options)
    assert checkpoint.load(tmp_path / "whole" / "checkpoints")[1] == whole, "the last one is there"
    with pytest.raises(KeyboardInterrupt):
        run(tmp_path / "cut", stop_after=5, **options)
    assert (tmp_path / "cut" / "checkpoints" / "best.keras").exists()
    assert checkpoint.load(tmp_path / "cut" / "checkpoints") is None
    assert figures(run(tmp_path / "cut", **options)) == figures(whole)


def test_of_equal_scores_the_smaller_loss_is_the_better(tmp_path: Path):
    model, batches, config = task(epochs=4)
    figures = iter([(0.9, 0.5), (0.9, 0.2), (0.9, 0.3), (0.8, 0.1)])

    def validate(_model: keras.Model) -> dict[str, float]:
        return dict(zip(("accuracy", "loss"), next(figures), strict=True))

    progression = loop.train(
        model, loop.over_batches(model, batches), validate, config, tmp_path, Progression()
    )
    assert (progression.best_epoch, progression.best_score) == (2, 0.9)


def test_of_losses_the_smaller_one_is_the_better(tmp_path: Path):
    model, batches, config = task(epochs=4)
    figures = iter([3.0, 2.0, 2.5, 2.25])
    progression = loop.train(
        model,
        loop.over_batches(model, batches),
        lambda _model: {"loss": next(figures)},
        config,
        tmp_path,
        Progression(),
    )
    assert (progression.best_epoch, progression.best_score) == (2, 2.0)


def test_no_epoch_begins_that_would_end_after_the_minutes(tmp_path: Path):
    progression = run(tmp_path, epochs=50, minutes=1e-4)
    assert progression.epoch == 1


def test_a_loss_that_is_no_number_stops_with_a_sentence(tmp_path: Path):
    model, batches, config = task()
    model.trainable_variables[0].assign(np.full(model.trainable_variables[0].shape, np.nan))
    with pytest.raises(loop.TrainingError, match="diverged; lower --learning-rate"):
        loop.train(
            model,
            loop.over_batches(model, batches),
            validator(batches),
            config,
            tmp_path,
            Progression(),
        )


@pytest.mark.usefixtures("eagerly")
def test_averaged_weights_follow_the_average_and_are_taken_out_again():
    model, batches, _ = task(average=0.5)
    momentum = model.optimizer.ema_momentum
    assert momentum == pytest.approx(1 - 1 / (0.5 * len(batches)))
    expected: list[np.ndarray] = []
    for token_ids, labels, _ in batches((0, 0)):
        model.train_on_batch(token_ids, labels)
        now = [variable.numpy() for variable in model.trainable_variables]
        pairs = zip(expected, now, strict=True)
        expected = [momentum * a + (1 - momentum) * b for a, b in pairs] if expected else now
    with optimizers.averaged(model):
        for variable, mean in zip(model.trainable_variables, expected, strict=True):
            np.testing.assert_allclose(variable.numpy(), mean, atol=1e-5)
    for variable, last in zip(model.trainable_variables, now, strict=True):
        np.testing.assert_array_equal(variable.numpy(), last)


@pytest.mark.usefixtures("eagerly")
def test_averaged_weights_keep_the_bound_of_the_weights():
    """Keras averages what a step of about 0.7 makes of them, before they are cut."""
    model, batches, _ = task(average=0.5, learning_rate=0.7)
    variable = model.trainable_variables[0]

    def bounded(values: Any) -> Any:
        return keras.ops.clip(values, -0.5, 0.5)

    variable.constraint = bounded
    for token_ids, labels, _ in batches((0, 0)):
        model.train_on_batch(token_ids, labels)
    assert np.abs(variable.numpy()).max() <= 0.5
    variable.constraint = None
    with optimizers.averaged(model):
        average = variable.numpy()
    assert np.abs(average).max() > 0.6
    variable.constraint = bounded
    with optimizers.averaged(model):
        np.testing.assert_array_equal(variable.numpy(), np.clip(average, -0.5, 0.5))


@pytest.mark.usefixtures("eagerly")
def test_predictions_come_in_the_order_of_the_split():
    model, batches, _ = task()
    by_batch = loop.predict(model, batches)
    one_by_one = [model(row[None]).numpy()[0] for row in batches.encoded.rows]
    np.testing.assert_allclose(by_batch, one_by_one, atol=1e-5)


@pytest.mark.usefixtures("eagerly")
def test_a_state_that_was_not_finished_is_not_taken_for_one(tmp_path: Path):
    model, _, _ = task()
    model.optimizer.build(model.trainable_variables)
    checkpoint.save(tmp_path, model, Progression(epoch=1, best_epoch=1, best_score=0.5))
    (tmp_path / ".part").mkdir()
    (tmp_path / ".part" / "model.keras").write_text("half", encoding="utf-8")
    stored = checkpoint.load(tmp_path)
    assert stored is not None and stored[1].epoch == 1
    checkpoint.save(tmp_path, model, Progression(epoch=2, best_epoch=1, best_score=0.5))
    names = [path.name for path in sorted(tmp_path.iterdir())]
    assert names == ["epoch-0001", "epoch-0002"], "the one before is kept"
    checkpoint.save(tmp_path, model, Progression(epoch=3, best_epoch=1, best_score=0.5))
    names = [path.name for path in sorted(tmp_path.iterdir())]
    assert names == ["epoch-0002", "epoch-0003"]
