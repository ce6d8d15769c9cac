"""What of a model is frozen in which epoch, and which sizes of pretrained tables are accepted."""

import keras
import numpy as np
import pytest

import zoo
from zoo.errors import InputError
from zoo.fine_tuning.freezing import require_freezing
from zoo.fine_tuning.optimizers import gradual
from zoo.fine_tuning.parts import freeze_layers, layers_by_part, schedule
from zoo.fine_tuning.weights import Growth, give_weights, weights_of

TAGGER = {"characters": "cnn", "casing_dim": 2, "head": "crf", "num_tags": 3, "rare_dropout": 1.0}
SIZES = {
    "vocabulary_size": 9,
    "embedding_dim": 2,
    "units": 2,
    "num_layers": 2,
    "cell": "simple_rnn",
}


@pytest.fixture(scope="module")
def tagger():
    return zoo.build("many_to_many", **TAGGER, **SIZES, character_vocabulary_size=6)


def test_the_parts_of_a_model_are_what_reads_its_inputs_its_recurrent_layers_and_the_rest(tagger):
    names = {part: [one.name for one in found] for part, found in layers_by_part(tagger).items()}
    assert set(names["embeddings"]) >= {"embedding", "characters", "casing"}
    assert names["body"] == ["encoder"]
    assert {"logits", "crf"} <= set(names["head"])
    translator = zoo.build(
        "encoder_decoder",
        source_vocabulary_size=5,
        target_vocabulary_size=6,
        embedding_dim=2,
        units=2,
    )
    found = layers_by_part(translator)
    assert {one.name for one in found["body"]} == {"encoder", "bridge", "decoder"}
    assert {"source_embedding", "target_embedding"} <= {one.name for one in found["embeddings"]}
    plain = zoo.build("one_to_one", num_features=3, num_classes=2, units=2, num_layers=2)
    assert [one.name for one in layers_by_part(plain)["body"]] == ["hidden_0", "hidden_1"]
    with pytest.raises(InputError, match="has no recurrent layer"):
        layers_by_part(keras.Sequential([keras.Input((3,)), keras.layers.Dense(2)], name="bag"))


def test_layers_are_unfrozen_from_the_top_down_at_rates_that_fall_towards_the_bottom(tagger):
    firsts, shares = schedule(tagger, "body", 2, 0.5)
    paths = [variable.path for variable in tagger.trainable_variables]
    expected = {"logits": (0, 1), "crf": (0, 1), "forward_1": (2, 0.5), "forward_0": (4, 0.25)}
    for path, first, share in zip(paths, firsts, shares, strict=True):
        known = [value for key, value in expected.items() if key in path.split("/")]
        assert (first, share) == (known[0] if known else (6, 0.125)), path
    embeddings, _ = schedule(tagger, "embeddings", 3, 1.0)
    assert set(zip(embeddings, [f == 6 for f in firsts], strict=True)) == {(3, True), (0, False)}
    assert set(schedule(tagger, "body", 0, 1.0)[0]) == {0}


def test_parts_that_are_frozen_for_good_have_no_gradient():
    model = zoo.build("many_to_one", num_classes=2, **SIZES)
    freeze_layers(model, "embeddings")
    assert "embedding/embeddings" not in [each.path for each in model.trainable_variables]
    freeze_layers(model, "body")
    assert [each.path for each in model.trainable_variables] == ["logits/kernel", "logits/bias"]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("head", 0, 1.0), "freeze must be one of none, embeddings, body"),
        (("none", 2, 1.0), "got freeze 'none'"),
        (("body", -1, 1.0), "unfreeze_every must be a positive int, got -1"),
        (("body", 0, 1.5), "layer_decay must be above 0 and at most 1, got 1.5"),
    ],
)
def test_options_of_freezing_that_do_not_fit_are_refused(options, message):
    with pytest.raises(InputError, match=message):
        require_freezing(*options)


def steps(optimizer, variables, gradients, epochs):
    """The variables and the averages after each epoch of two steps."""
    found = []
    for epoch in range(epochs):
        if hasattr(optimizer, "epoch"):
            optimizer.epoch.assign(epoch)
        for gradient in gradients[epoch]:
            optimizer.apply([keras.ops.convert_to_tensor(g) for g in gradient], variables)
        averages = [each.numpy() for each in optimizer._model_variables_moving_average]
        found.append(([each.numpy() for each in variables], averages))
    return found


@pytest.mark.parametrize("kind", [keras.optimizers.Adam, keras.optimizers.SGD])
def test_a_frozen_variable_and_its_average_do_not_change_by_a_bit_until_its_epoch(kind):
    draw = np.random.default_rng(0)
    start = [draw.normal(size=(3, 2)).astype(np.float32) for _ in range(2)]
    gradients = [[[draw.normal(size=(3, 2)) for _ in start] for _ in range(2)] for _ in range(4)]
    options = {"weight_decay": 0.1, "use_ema": True, "ema_momentum": 0.7, "global_clipnorm": 0.5}

    def trained(make):
        variables = [keras.Variable(value) for value in start]
        optimizer = make(kind(0.1, **options))
        optimizer.build(variables)
        return optimizer, steps(optimizer, variables, gradients, 4)

    optimizer, found = trained(lambda plain: gradual(plain, [0, 2], [1.0, 1.0]))
    for epoch, (values, averages) in enumerate(found):
        for frozen in (values[1], averages[1]):
            assert np.array_equal(frozen, start[1]) == (epoch < 2)
        assert not np.array_equal(values[0], start[0])
    again = type(optimizer).from_config(optimizer.get_config())
    assert (again.firsts, again.shares, again.weight_decay) == ((0, 2), (1.0, 1.0), 0.1)

    _, plain = trained(lambda optimizer: optimizer)
    _, same = trained(lambda plain: gradual(plain, [0, 0], [1.0, 1.0]))
    for (values, averages), (others, other_averages) in zip(plain, same, strict=True):
        np.testing.assert_allclose([*values, *averages], [*others, *other_averages], rtol=1e-5)
    _, half = trained(lambda plain: gradual(plain, [0, 0], [1.0, 0.5]))
    full, slow = (found[0][0][1] - start[1] for found in (plain, half))
    assert 0.3 < np.abs(slow).sum() / np.abs(full).sum() < 0.7


def test_the_clipped_norm_is_that_of_the_variables_that_train():
    variables = [keras.Variable(np.zeros(2, np.float32)) for _ in range(2)]
    optimizer = gradual(keras.optimizers.SGD(1.0, global_clipnorm=1.0), [0, 1], [1.0, 1.0])
    optimizer.build(variables)
    gradients = [keras.ops.convert_to_tensor(np.float32(g)) for g in ([0.6, 0.0], [300.0, 400.0])]
    optimizer.apply(gradients, variables)
    np.testing.assert_allclose(variables[0].numpy(), [-0.6, 0.0], rtol=1e-6)
    optimizer.epoch.assign(1)
    optimizer.apply(gradients, variables)
    np.testing.assert_allclose(variables[1].numpy(), [-0.6, -0.8], rtol=1e-4)


def test_other_optimizers_are_refused():
    with pytest.raises(InputError, match="by Adam or SGD, got RMSprop"):
        gradual(keras.optimizers.RMSprop(0.1), [0], [1.0])


def test_larger_tables_keep_the_pretrained_rows_and_the_body_is_copied(tagger):
    weights = weights_of(tagger)
    larger = zoo.build(
        "many_to_many",
        **{**TAGGER, "rare_dropout": 0.0},
        **{**SIZES, "vocabulary_size": 12},
        character_vocabulary_size=8,
    )
    fresh = {each.path: each.numpy() for each in larger.variables}
    growths = [Growth(("embedding",), 9, 12), Growth(("characters",), 6, 8)]
    give_weights(weights, larger, growths, new_head=True)
    old = {each.path: each.numpy() for each in tagger.variables}
    for variable in larger.variables:
        path, value = variable.path, variable.numpy()
        if path.startswith("seed_generator"):
            continue
        if path in ("embedding/embeddings", "characters/embeddings"):
            rows = len(old[path])
            assert np.array_equal(value[:rows], old[path])
            assert np.array_equal(value[rows:], fresh[path][rows:]) and len(value) > rows
        else:
            source = fresh if path.startswith(("logits", "crf")) else old
            assert np.array_equal(value, source[path]), path
    give_weights(weights, larger, growths)
    assert np.array_equal(larger.get_layer("logits").kernel, tagger.get_layer("logits").kernel)


def test_words_with_a_pretrained_vector_alone_get_the_learned_vector_of_unk():
    options = {**SIZES, "num_tags": 2, "pretrained_dim": 2}
    small = zoo.build("many_to_many", **options, learned_size=6)
    small.get_layer("embedding").set_pretrained(np.arange(18).reshape(9, 2))
    large = zoo.build("many_to_many", **{**options, "vocabulary_size": 10})
    new = large.get_layer("embedding").embeddings.numpy()[9]
    give_weights(weights_of(small), large, [Growth(("embedding",), 9, 10)])
    before, after = (each.get_layer("embedding") for each in (small, large))
    learned, known = after.embeddings.numpy(), before.embeddings.numpy()
    assert np.array_equal(learned, [*known, *[known[1]] * 3, new])
    assert after.pretrained.numpy().tolist() == [*np.arange(18).reshape(9, 2).tolist(), [0, 0]]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"units": 3}, r"encoder/forward_0/cell/kernel has the shape \(2, 3\), but \(2, 2\)"),
        ({"vocabulary_size": 11}, r"embedding/embeddings has the shape \(11, 2\), but \(9, 2\)"),
        ({"num_layers": 1}, "'encoder' has 3 weights, but 6 in the pretrained model"),
        ({"pooling": "attention"}, None),
    ],
)
def test_another_architecture_is_refused(changes, message):
    weights = weights_of(zoo.build("many_to_one", num_classes=2, **SIZES))
    other = zoo.build("many_to_one", num_classes=2, **{**SIZES, **changes})
    if message is None:  # a layer above the body that the pretrained model lacks
        give_weights(weights, other)
        assert np.array_equal(other.get_layer("logits").kernel, weights["logits"][0][1])
        return
    with pytest.raises(InputError, match=message):
        give_weights(weights, other)
