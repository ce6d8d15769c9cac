from types import SimpleNamespace
from typing import Any

import keras
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import zoo
from recipes.config import TrainingConfig
from recipes.families.language.steps import Trainer
from recipes.families.language.windows import Streams, encoded
from recipes.families.tagging.batches import EncodedSentences, TagBatches
from recipes.training import loop, optimizers
from recipes.training.batch_step import summed
from recipes.training.batches import Encoded, SequenceBatches
from recipes.training.replicated_step import cut, row_ranges
from tests.sweeps import swept
from zoo.errors import InputError
from zoo.layers import CRF, CRFLoss
from zoo.losses import TokenCrossentropy

SMALL = {"units": 5, "embedding_dim": 4, "cell": "simple_rnn"}


@given(st.integers(0, 40), st.integers(1, 9))
def test_every_row_is_in_one_range_and_the_ranges_are_of_like_sizes(rows: int, count: int):
    ranges = row_ranges(rows, count)
    assert [row for own in ranges for row in own] == list(range(rows))
    sizes = [len(own) for own in ranges]
    assert len(sizes) == count and max(sizes) - min(sizes) <= 1


def test_a_range_is_cut_from_every_array_and_of_no_rows_the_first_stands_in():
    values = {"a": np.arange(6).reshape(3, 2), "b": np.arange(3)}
    assert cut(values, range(1, 3))["a"].tolist() == [[2, 3], [4, 5]]
    assert cut(values, range(2, 2))["b"].tolist() == [0]


def rows_of(count: int) -> list[np.ndarray]:
    rng = np.random.default_rng(0)
    return [rng.integers(2, 9, rng.integers(2, 8)).astype(np.int32) for _ in range(count)]


def tagger(config: TrainingConfig) -> tuple[keras.Model, Any]:
    rows = rows_of(17)  # two batches of 8, and one row that two of three parts lack
    sentences = EncodedSentences(
        [{"token_ids": row} for row in rows],
        [row % 3 for row in rows],
        {"parity": [row % 2 for row in rows]},
    )
    batches = TagBatches(sentences, config.batch_size, [8], ("token_ids",))
    model = zoo.build(
        "many_to_many",
        vocabulary_size=9,
        num_tags=3,
        auxiliary={"parity": 2},
        **SMALL,
    )
    losses = {"tags": TokenCrossentropy(), "parity": TokenCrossentropy()}
    optimizer = optimizers.optimizer(config, len(batches))
    model.compile(optimizer, losses, loss_weights={"tags": 1.0, "parity": 0.3})
    return model, loop.over_batches(model, batches)


def writer(config: TrainingConfig, windows: Any) -> tuple[keras.Model, Any]:
    options = {**SMALL, "embedding_dim": 5}
    model = zoo.build("language_model", vocabulary_size=9, explicit_states=True, ar=0.5, **options)
    model.compile(optimizers.optimizer(config, len(windows)))
    return model, Trainer(model, windows).epoch


def streams(config: TrainingConfig) -> tuple[keras.Model, Any]:
    return writer(config, Streams(encoded(rows_of(20)), config.batch_size, 5))


def trained(build: Any, **options: Any) -> tuple[list[float], dict[str, float], list[np.ndarray]]:
    """Each step's loss, the epoch's figures, and all that the epoch changed."""
    config = TrainingConfig(batch_size=8, learning_rate=0.05, clip_norm=0.1, **options)
    keras.utils.set_random_seed(0)
    model, run_epoch = build(config)
    losses: list[float] = []
    figures = run_epoch(config, 0, losses.append)
    values = [*model.trainable_variables, *model.optimizer.variables]
    return losses, figures, [value.numpy() for value in values]


@pytest.mark.parametrize("build", swept([tagger, streams], lambda build: build is tagger))
def test_a_batch_taken_in_parts_gives_the_losses_and_the_weights_of_the_whole(build):
    whole, parts = trained(build), trained(build, accumulate=3)
    assert len(whole[0]) >= 3
    np.testing.assert_allclose(parts[0], whole[0], atol=1e-5)
    assert parts[1].keys() == whole[1].keys()
    for name in set(whole[1]) - {"tokens_per_second"}:
        assert parts[1][name] == pytest.approx(whole[1][name], abs=1e-5), name
    for one, other in zip(parts[2], whole[2], strict=True):
        np.testing.assert_allclose(one, other, atol=1e-5)


LOGITS = np.random.default_rng(1).normal(size=(2, 3, 4)).astype(np.float32)


@pytest.mark.parametrize(
    ("loss", "labels", "outputs", "weight"),
    [
        (TokenCrossentropy(0.1), np.array([[1, 2, -1], [0, -1, -1]]), lambda: LOGITS, 3),
        (
            CRFLoss(),
            np.array([[1, 2, 0], [0, 3, 0]]),
            lambda: CRF(4)(LOGITS, mask=np.array([[True, True, True], [True, True, False]])),
            5,
        ),
        (
            keras.losses.SparseCategoricalCrossentropy(from_logits=True),
            np.array([1, 3]),
            lambda: LOGITS[:, 0],
            2,
        ),
    ],
)
def test_a_summed_loss_is_the_mean_times_what_it_is_a_mean_over(loss, labels, outputs, weight):
    values = outputs()
    mean = float(loss(labels, values))
    assert float(summed(loss)(labels, values)) == pytest.approx(weight * mean, rel=1e-5)


def test_more_parts_than_rows_are_refused():
    with pytest.raises(InputError, match="accumulate must be at most batch_size, 8, got 9"):
        TrainingConfig(batch_size=8, accumulate=9)


def test_a_watcher_is_told_each_steps_loss_and_may_end_the_epoch():
    told: list[float] = []

    def watch(loss: float) -> None:
        told.append(loss)
        if len(told) == 2:
            raise StopIteration

    model = SimpleNamespace(train_function=True, train_on_batch=lambda *_, **__: {"loss": 0.5})
    batches = SequenceBatches(Encoded(rows_of(20), np.zeros(20, np.int32)), 4, [8])
    with pytest.raises(StopIteration):
        loop.over_batches(model, batches)(TrainingConfig(), 0, watch)
    assert told == [0.5, 0.5]


def test_an_unknown_strategy_is_an_error_that_names_the_nearest():
    with pytest.raises(InputError, match="did you mean 'mirrored'"):
        TrainingConfig(strategy="miror")
