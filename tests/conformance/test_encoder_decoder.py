"""The sweep over encoder-decoders: every cell, every way to look at the source, all options."""

import functools
from types import SimpleNamespace

import keras
import numpy as np
import pytest
import tensorflow as tf

import zoo
from tests.references import reference_translation
from tests.references.weights import arrays, assign_random, by_path
from tests.sweeps import swept
from zoo.losses import TokenCrossentropy

TINY = {
    "source_vocabulary_size": 9,
    "target_vocabulary_size": 8,
    "embedding_dim": 5,
    "units": 5,
    "cell": "gru",
}
SOURCES = np.array([[5, 8, 3, 7], [6, 3, 0, 0], [4, 0, 0, 0]], "int32")
TARGETS = np.array([[2, 5, 7, 4, 6], [2, 6, 4, 0, 0], [2, 0, 0, 0, 0]], "int32")
LABELS = np.array([[5, 7, 4, 6, 3], [6, 4, 3, -1, -1], [3, -1, -1, -1, -1]], "int32")
REAL = TARGETS != 0
GIVEN = {"source_ids": SOURCES, "target_ids": TARGETS}
ONE_WAY = {"bidirectional": False}
CELLS = [{"cell": cell} for cell in zoo.cell_names()]
OPTIONS = [
    {"cell": "gru"},
    {"attention": "additive", "attention_units": 4},
    {"attention": "dot", **ONE_WAY},
    {"attention": "none", "num_layers": 2},
    {"attention": "none", "bridge": "copy", "reverse_source": True, "cell": "lstm", **ONE_WAY},
    {"bridge": "zero", "tied": False},
    {"bridge": "copy", "encoder_layers": 3, "num_layers": 2, "cell": "lstm", **ONE_WAY},
    {"encoder_layers": 1, "num_layers": 3, "encoder_units": 4},
    {"encoder_cell": "gru", "cell": "lstm", "encoder_units": 3},
    {"input_feeding": True, "embedding_dim": 3},
    {"coverage": True},
    {"coverage": True, "attention": "additive", "input_feeding": True, "cell": "lstm"},
    {"queries": "first", "num_layers": 3, "residual": True},
    {"queries": "first", "num_layers": 2, "attention": "additive", "reverse_source": True},
    {"queries": "first", "num_layers": 2, "input_feeding": True, "cell": "lstm"},
    {"shared": True, "source_vocabulary_size": 9, "target_vocabulary_size": 9},
]


def name_of(options):
    return "-".join(str(name if value is True else value) for name, value in options.items())


def built(**options):
    """A tiny model with random weights, the vectors of coverage too."""
    return assign_random(zoo.build("encoder_decoder", **{**TINY, **options}))


def logits_of(model, **changed):
    return np.array(model({**GIVEN, **changed}))


def trained(model, labels=LABELS, **changed):
    """The loss, and the gradients."""
    with tf.GradientTape() as tape:
        logits = model({**GIVEN, **changed}, training=True)
        loss = TokenCrossentropy()(labels, logits)
    gradients = tape.gradient(loss, [weight.value for weight in model.trainable_weights])
    for weight, gradient in zip(model.trainable_weights, gradients, strict=True):
        assert gradient is not None, weight.path
    return float(loss), [tf.convert_to_tensor(gradient).numpy() for gradient in gradients]


@functools.cache
def made(number):
    """A tiny model, what it says, and what the reference says."""
    case = (OPTIONS + CELLS)[number]
    model = built(**case)
    options = {**TINY, **case}
    logits, looked = reference_translation.encoder_decoder(
        by_path(model), SOURCES, TARGETS, **options
    )
    loss, gradients = trained(model)
    return SimpleNamespace(
        model=model,
        options=options,
        looks=options.get("attention") != "none",
        expected=logits,
        looked=looked,
        logits=logits_of(model),
        loss=loss,
        gradients=gradients,
    )


FEW = [
    OPTIONS.index(options)
    for options in OPTIONS
    if options == {"cell": "gru"}
    or options.get("residual")
    or "reverse_source" in options
    or {"coverage", "input_feeding"} <= options.keys()
]


@pytest.fixture(params=FEW, ids=lambda number: name_of(OPTIONS[number]))
def case(request):
    """A few that differ in how they go through a sequence."""
    return made(request.param)


LEFT = [  # each value of each option is in another case
    {"attention": "additive", "attention_units": 4},
    {"attention": "none", "num_layers": 2},
    {"bridge": "copy", "encoder_layers": 3, "num_layers": 2, "cell": "lstm", **ONE_WAY},
    {"input_feeding": True, "embedding_dim": 3},
    {"coverage": True},
    {"queries": "first", "num_layers": 2, "input_feeding": True, "cell": "lstm"},
    *[one for one in CELLS if one["cell"] not in ("elman", "gru", "min_lstm", "slstm")],
]


@pytest.fixture(
    params=swept(range(len(OPTIONS + CELLS)), lambda n: (OPTIONS + CELLS)[n] not in LEFT),
    ids=lambda number: name_of((OPTIONS + CELLS)[number]),
)
def any_case(request):
    """Every option, and every cell."""
    return made(request.param)


def test_the_logits_are_those_of_the_reference(any_case):
    assert any_case.logits.shape == (3, 5, any_case.options["target_vocabulary_size"])
    np.testing.assert_allclose(any_case.logits[REAL], any_case.expected[REAL], atol=2e-5)


def test_what_is_looked_at_is_that_of_the_reference_and_padding_has_exactly_nothing(any_case):
    memory, states = any_case.model.encode(SOURCES)
    assert any_case.model.has_attention == any_case.looks
    if not any_case.looks:
        with pytest.raises(zoo.InputError, match="was built with attention 'none'"):
            any_case.model.attention_weights(TARGETS, states, memory)
        return
    found = np.array(any_case.model.attention_weights(TARGETS, states, memory))
    np.testing.assert_allclose(found, any_case.looked, atol=1e-5)
    padding = np.broadcast_to((SOURCES == 0)[:, None], found.shape) | ~REAL[:, :, None]
    assert not np.any(found[padding])
    np.testing.assert_allclose(found.sum(axis=-1), REAL, atol=1e-6)
    twice = any_case.model.attention_weights(np.repeat(TARGETS, 2, axis=0), states, memory)
    np.testing.assert_allclose(twice, np.repeat(found, 2, axis=0), atol=1e-6)


def test_token_by_token_a_model_says_what_it_says_at_once(any_case):
    memory, states = any_case.model.encode(SOURCES)
    again = np.array(any_case.model.teacher_forced_logits(TARGETS, states, memory))
    np.testing.assert_allclose(again[REAL], any_case.logits[REAL], atol=1e-5)
    for t in range(5):
        logits, states = any_case.model.step(TARGETS[:, t], states, memory)
        real = REAL[:, t]
        np.testing.assert_allclose(np.array(logits)[real], any_case.logits[real, t], atol=1e-5)
        if any_case.looks:
            seen = np.array(states["attention"])[real]
            np.testing.assert_allclose(seen, any_case.looked[real, t], atol=1e-5)


def test_a_memory_serves_several_rows_of_each_source(case):
    memory, states = case.model.encode(SOURCES)
    states = keras.tree.map_structure(lambda state: np.repeat(state, 2, axis=0), states)
    twice = np.repeat(TARGETS, 2, axis=0)
    twice[1, 1] = 6  # another token than its neighbour's
    for t in range(2):
        logits, states = case.model.step(twice[:, t], states, memory)
    np.testing.assert_allclose(logits[0], case.logits[0, 1], atol=1e-5)
    np.testing.assert_allclose(logits[2], case.logits[1, 1], atol=1e-5)
    assert np.abs(logits[1] - case.logits[0, 1]).max() > 1e-3


def test_nothing_is_known_of_the_future_and_the_source_decides(case):
    changed = TARGETS.copy()
    changed[0, 3] = 7
    logits = logits_of(case.model, target_ids=changed)
    np.testing.assert_allclose(logits[0, :3], case.logits[0, :3], atol=1e-6)
    assert np.abs(logits[0, 3] - case.logits[0, 3]).max() > 1e-4
    other = SOURCES.copy()
    other[0, 1] = 4
    logits = logits_of(case.model, source_ids=other)
    assert np.abs(logits[0, 0] - case.logits[0, 0]).max() > 1e-6
    np.testing.assert_allclose(logits[1:][REAL[1:]], case.logits[1:][REAL[1:]], atol=1e-6)


def test_appended_padding_changes_no_logit_no_loss_and_no_gradient(case):
    source_ids, target_ids = (np.pad(ids, ((0, 0), (0, 3))) for ids in (SOURCES, TARGETS))
    labels = np.pad(LABELS, ((0, 0), (0, 3)), constant_values=-1)
    logits = logits_of(case.model, source_ids=source_ids, target_ids=target_ids)[:, :5]
    np.testing.assert_allclose(logits[REAL], case.logits[REAL], atol=1e-5)
    loss, gradients = trained(case.model, labels, source_ids=source_ids, target_ids=target_ids)
    assert loss == pytest.approx(case.loss, abs=1e-5)
    for gradient, other in zip(gradients, case.gradients, strict=True):
        np.testing.assert_allclose(gradient, other, atol=2e-5)


def test_every_weight_gets_a_gradient_and_moves_in_one_step(any_case):
    before = arrays(any_case.model)
    for weight, gradient in zip(any_case.model.trainable_weights, any_case.gradients, strict=True):
        assert np.abs(gradient).max() > 1e-7, weight.path
    keras.optimizers.SGD(1.0).apply(any_case.gradients, any_case.model.trainable_weights)
    for weight, old in zip(any_case.model.trainable_weights, before, strict=True):
        assert np.any(weight.numpy() != old), weight.path
        weight.assign(old)


def test_rows_are_read_each_for_itself_and_an_empty_one_gives_no_nan(case):
    order = np.array([2, 0, 1])
    found = logits_of(case.model, source_ids=SOURCES[order], target_ids=TARGETS[order])
    np.testing.assert_allclose(found[REAL[order]], case.logits[order][REAL[order]], atol=1e-5)
    nothing = SOURCES * [[1], [1], [0]]
    loss, gradients = trained(case.model, source_ids=nothing)
    assert np.isfinite(loss) and all(np.all(np.isfinite(gradient)) for gradient in gradients)


def test_a_keras_file_gives_the_same_model_again(case, tmp_path):
    case.model.save(tmp_path / "model.keras")
    again = keras.models.load_model(tmp_path / "model.keras")
    np.testing.assert_array_equal(logits_of(again), case.logits)
    configs = [[layer.get_config() for layer in one.layers] for one in (again, case.model)]
    assert configs[0] == configs[1]


@pytest.mark.parametrize(
    "options",
    swept(
        [
            {},
            {"cell": "lstm", "input_feeding": True, **ONE_WAY},
            {"attention": "none", **ONE_WAY},
            {"coverage": True, **ONE_WAY},
        ],
        lambda options: "cell" in options,
    ),
    ids=name_of,
)
def test_one_batch_overfits(options):
    keras.utils.set_random_seed(1)
    model = zoo.build("encoder_decoder", **{**TINY, "units": 16, "embedding_dim": 16, **options})
    model.compile(keras.optimizers.Adam(0.03), TokenCrossentropy())
    model.optimizer.build(model.trainable_variables)  # within the step it would be traced twice
    assert model.train_on_batch(GIVEN, LABELS) > 1.5
    assert any(float(model.train_on_batch(GIVEN, LABELS)) < 0.05 for _ in range(90))


@pytest.mark.parametrize(
    "rate",
    ["dropout", "word_dropout", "input_dropout", "recurrent_dropout", "weight_drop", "zoneout"],
)
def test_each_dropout_acts_in_training_alone(rate):
    model, plain = (built(**options) for options in ({rate: 0.8}, {}))
    whole = logits_of(model)
    if rate != "zoneout":  # outside of training it takes the expected value
        np.testing.assert_array_equal(whole, logits_of(plain))
    drawn = (np.array(model(GIVEN, training=True)) for _ in range(3))
    assert any(np.abs(one - whole)[REAL].max() > 1e-3 for one in drawn)


def test_scheduled_sampling_reads_the_models_own_tokens_in_training_alone():
    model, plain = built(scheduled_sampling=0.99), logits_of(built())
    np.testing.assert_array_equal(logits_of(model), plain)
    drawn = np.array([model(GIVEN, training=True) for _ in range(6)])
    first = np.broadcast_to(plain[:, 0], drawn[:, :, 0].shape)
    np.testing.assert_allclose(drawn[:, :, 0], first, atol=1e-6)
    assert np.abs(drawn[:, 0, 1] - plain[0, 1]).max() > 1e-3


def test_what_scheduled_sampling_reads_is_drawn_from_what_the_model_says():
    logits = np.zeros((4000, 3, 8), "float32")
    logits[:, 0] = np.log([1e-9, 1e-9, 1e-9, 1e-9, 0.1, 0.2, 0.3, 0.4])
    ids = np.tile(np.array([[2, 5, 0]], "int32"), (4000, 1))
    sample = zoo.layers.ScheduledSampling(0.5)
    found = np.array(sample(ids, logits, training=True))
    assert (found[:, 0] == 2).all() and (found[:, 2] == 0).all()
    counts = np.bincount(found[:, 1], minlength=8)[4:] / 4000
    np.testing.assert_allclose(counts, [0.05, 0.6, 0.15, 0.2], atol=0.03)


@pytest.mark.parametrize("name", zoo.names(topology="encoder_decoder"))
def test_each_preset_builds_trains_and_names_a_misspelt_option(name):
    sizes = {**TINY, "embedding_dim": 5}
    sizes.pop("cell")
    model = assign_random(zoo.build(name, **sizes))
    assert logits_of(model).shape == (3, 5, 8)
    assert np.isfinite(trained(model)[0])
    with pytest.raises(zoo.InputError, match="no option 'unit': did you mean 'units'"):
        zoo.build(name, **sizes, unit=3)


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"units": 0}, "units must be a positive int, got 0"),
        ({"attention": "generl"}, "did you mean 'general'"),
        ({"bridge": "dens"}, "did you mean 'dense'"),
        ({"queries": "firs"}, "did you mean 'first'"),
        ({"queries": "first"}, "needs a layer above the first, got num_layers 1"),
        ({"attention": "none", "bridge": "zero"}, "bridge must be 'dense' or 'copy', got 'zero'"),
        ({"attention": "none", "coverage": True}, "coverage needs an attention"),
        ({"attention": "dot"}, "needs queries as wide as the memory, got 5 and 10"),
        ({"bridge": "copy"}, "needs states of the decoder's width 5, got 10"),
        ({"input_feeding": True, "zoneout": 0.1}, "zoneout acts on all steps at once"),
        ({"shared": True}, "source_vocabulary_size 9 and target_vocabulary_size 8"),
        ({"scheduled_sampling": 1.5}, "scheduled_sampling must be a number from 0"),
        ({"tied": 1}, "tied must be True or False, got 1"),
    ],
)
def test_a_wrong_option_is_one_sentence(options, sentence):
    with pytest.raises(zoo.InputError, match=sentence):
        zoo.build("encoder_decoder", **{**TINY, **options})
