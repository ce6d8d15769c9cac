"""The bidirectional language model against NumPy, and its states inside a tagger."""

import keras
import numpy as np
import pytest
import tensorflow as tf

import zoo
from tests.conformance.test_many_to_many import INPUTS, REAL, TAGS
from tests.references import reference
from tests.references.weights import assign_random
from tests.sweeps import swept
from zoo.architectures.context import Context, bidirectional_language_model
from zoo.layers import CRFLoss
from zoo.losses import TokenCrossentropy

SIZES = {
    "vocabulary_size": 9,
    "character_vocabulary_size": 6,
    "embedding_dim": 3,
    "character_dim": 3,
    "character_units": 4,
    "casing_dim": 2,
    "units": 5,
}
LENGTHS = REAL.sum(axis=1)


@pytest.fixture(scope="module")
def model():
    return assign_random(bidirectional_language_model(**SIZES, projection_dim=6))


@pytest.fixture(scope="module")
def weights(model):
    return {weight.path: weight.numpy() for weight in model.weights}


def expected_states(weights):
    """Each row's states of both directions, (B, T, K) twice, by the NumPy reference."""
    letters = {
        path.removeprefix("context_"): value
        for path, value in weights.items()
        if "characters" in path
    }
    words = [
        [reference.letters_cnn(letters, word) for word in row] for row in INPUTS["character_ids"]
    ]
    vectors = np.concatenate(
        [
            weights["context_embedding/embeddings"][INPUTS["token_ids"]],
            words,
            weights["context_casing/embeddings"][INPUTS["casing_ids"]],
        ],
        axis=-1,
    )
    sides = [
        [value for path, value in weights.items() if "context_encoder" in path and side in path]
        for side in ("forward", "backward")
    ]
    return [
        reference.run("lstm", side, vectors, LENGTHS, backwards=backwards)[0]
        for side, backwards in zip(sides, (False, True), strict=True)
    ]


def test_the_losses_are_those_of_the_words_beside_each_place(model, weights):
    forward, backward = expected_states(weights)
    found = np.array(model(INPUTS))
    ids, count = INPUTS["token_ids"], 0
    for row, length in enumerate(LENGTHS):
        for place in range(length):
            sides = (("behind", forward, place + 1, 0), ("before", backward, place - 1, 1))
            for side, states, other, column in sides:
                if not 0 <= other < length:
                    continue
                read = states[row, place] @ weights[f"{side}_projection/kernel"]
                read = read + weights[f"{side}_projection/bias"]
                logits = weights["logits/kernel"] @ read + weights["logits/bias"]
                loss = np.log(np.exp(logits).sum()) - logits[ids[row, other]]
                np.testing.assert_allclose(found[row, place, column], loss, atol=1e-4)
                count += 1
    assert count == 2 * (LENGTHS - 1).sum() > 10


def test_no_direction_has_seen_the_word_that_it_tells(model):
    """Another word at a place changes what is told there by the softmax alone."""
    last = {name: values[:1].copy() for name, values in INPUTS.items()}
    before = np.array(model(last))
    last["character_ids"][0, 4] = [5, 5, 5]
    last["casing_ids"][0, 4] = 1 + last["casing_ids"][0, 4] % 7
    after = np.array(model(last))
    np.testing.assert_allclose(after[0, :4, 0], before[0, :4, 0], atol=1e-6)
    assert np.abs(after[0, 1:, 1] - before[0, 1:, 1]).min() > 1e-5
    first = {name: values[:1].copy() for name, values in INPUTS.items()}
    first["character_ids"][0, 0] = [5, 5, 5]
    after = np.array(model(first))
    np.testing.assert_allclose(after[0, 1:, 1], before[0, 1:, 1], atol=1e-6)
    assert np.abs(after[0, :4, 0] - before[0, :4, 0]).min() > 1e-5


def tagger(**options):
    own = {"vocabulary_size": 9, "num_tags": 3, "embedding_dim": 3, "units": 2}
    return zoo.build("many_to_many", context=SIZES, **{**own, **options})


@pytest.mark.parametrize(
    "options",
    swept([{}, {"characters": "cnn", "casing_dim": 2, "head": "crf"}], lambda options: options),
)
def test_a_tagger_reads_the_same_states_and_leaves_them_as_they_are(model, options, tmp_path):
    built = tagger(bidirectional=True, character_vocabulary_size=6, **options)
    assert not any("context" in weight.path for weight in built.trainable_weights)
    for name in ("embedding", "characters", "casing", "encoder"):
        layer = built.get_layer(f"context_{name}")
        layer.set_weights(model.get_layer(f"context_{name}").get_weights())
    states = keras.Model(built.input, built.get_layer("context_encoder").output[0])
    expected = np.concatenate(expected_states({w.path: w.numpy() for w in model.weights}), axis=-1)
    np.testing.assert_allclose(np.array(states(INPUTS))[REAL], expected[REAL], atol=1e-5)
    frozen = [weight.numpy() for weight in built.non_trainable_weights]
    before = np.array(built(INPUTS))
    loss = CRFLoss() if "head" in options else TokenCrossentropy()
    built.compile("adam", loss)
    built.fit(INPUTS, np.where(REAL, TAGS, -1), verbose=0)
    assert np.abs(np.array(built(INPUTS)) - before).max() > 1e-4
    for weight, value in zip(built.non_trainable_weights, frozen, strict=True):
        if "seed" not in weight.path:
            np.testing.assert_array_equal(weight.numpy(), value, err_msg=weight.path)
    built.save(tmp_path / "tagger.keras")
    again = keras.models.load_model(tmp_path / "tagger.keras")
    assert len(again.trainable_weights) == len(built.trainable_weights)
    np.testing.assert_allclose(np.array(again(INPUTS)), np.array(built(INPUTS)), atol=1e-6)


def test_the_neighbours_reach_the_tags():
    """A one-way tagger that looks at the model's states knows of what comes, and cannot stream."""
    one_way = assign_random(tagger())
    for layer in one_way.layers:
        if layer.name.startswith("context_"):
            layer.set_weights([tf.random.normal(w.shape, seed=3) for w in layer.get_weights()])
    before = np.array(one_way(INPUTS))
    changed = {name: values.copy() for name, values in INPUTS.items()}
    changed["token_ids"][0, 4] = 2
    assert np.abs(np.array(one_way(changed)) - before)[0, 0].max() > 1e-5
    assert not one_way.can_stream
    without = zoo.build("many_to_many", vocabulary_size=9, num_tags=3)
    assert without.can_stream


@pytest.mark.sweep
def test_the_sampled_loss_learns_what_the_whole_one_scores():
    """Words that follow each other in a ring: told by both directions after some steps."""
    keras.utils.set_random_seed(0)
    small = {"vocabulary_size": 60, "characters": "none", "casing_dim": 0, "units": 16}
    learner = bidirectional_language_model(**small, projection_dim=16, sampled=32, dropout=0.0)
    starts = np.random.default_rng(0).integers(0, 56, (64, 1))
    ids = 4 + (starts + np.arange(8)) % 56

    def loss(counted, losses):
        return keras.ops.sum(counted * losses) / keras.ops.sum(counted)

    counted = np.ones((64, 8, 2), "float32")
    counted[:, -1, 0] = counted[:, 0, 1] = 0
    learner.compile(keras.optimizers.Adam(0.02), loss)
    learner.fit({"token_ids": ids}, counted, epochs=60, batch_size=64, verbose=0)
    assert learner.evaluate({"token_ids": ids}, counted, verbose=0) < 0.3 < np.log(56)


@pytest.mark.parametrize(
    "context",
    [{"units": 3}, {"vocabulary_size": 9, "unit": 3}, {"vocabulary_size": 9, "cell": "x"}],
)
def test_wrong_sizes_are_one_sentence(context):
    with pytest.raises(zoo.InputError, match="context must have vocabulary_size|cell"):
        zoo.build("many_to_many", vocabulary_size=9, num_tags=3, context=context)
    assert Context.of({"vocabulary_size": 9}).units == 256
