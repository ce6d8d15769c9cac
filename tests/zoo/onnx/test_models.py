"""Whole models and their steps in ONNX Runtime against Keras: token ids in, logits out."""

import keras
import numpy as np
import pytest

import zoo
from tests.references import keras_cells
from tests.references.cells import IDS, VARIANTS
from tests.sweeps import swept
from tests.zoo.onnx.running import assert_same, run, session
from zoo import registry
from zoo.architectures.many_to_many import TaggingModel
from zoo.errors import InputError
from zoo.onnx import architectures, models
from zoo.onnx.bundle import differing

V = 20
POOLINGS = ("last", "mean", "max", "attention", "concat")


def build(name, seed=0, **options):
    """A model with weights far from those that a model begins with."""
    model = zoo.build(name, **options)
    draw = np.random.default_rng(seed)
    for weight in model.weights:
        if weight.dtype == "float32" and "rare" not in weight.path:
            weight.assign(draw.normal(size=weight.shape) * 0.7)
    return model


def assert_served(graphs, *names):
    """Each graph gives what Keras gives for its probe; both are those of `zoo.onnx.served`."""
    assert set(graphs) == set(names)
    for name, each in graphs.items():
        found = run(session(each.file), **each.probe)
        assert set(found) == set(each.expected), name
        for output, expected in each.expected.items():
            assert_same(expected, found[output])
            assert np.isfinite(np.asarray(expected)).all()
            assert output != "logits" or np.ptp(expected) > 0


def probe_varies(graphs):
    """Expected values that depend on the row: otherwise a comparison would say nothing."""
    return all(
        np.ptp(v, axis=0).max() > 0 for each in graphs.values() for v in each.expected.values()
    )


@pytest.mark.parametrize(
    ("pooling", "cell"),
    swept(
        [(pooling, cell) for pooling in POOLINGS for cell in ("lstm", "slstm")],
        lambda pooling, cell: (pooling, cell) in (("concat", "lstm"), ("attention", "slstm")),
    ),
)
def test_many_to_one(pooling, cell):
    model = build(
        "many_to_one",
        vocabulary_size=V,
        num_classes=3,
        cell=cell,
        units=4,
        embedding_dim=5,
        pooling=pooling,
        bidirectional=True,
        dense_layers=int(pooling == "last"),
        dropout=0.5,
        word_dropout=0.5,
    )
    graphs = architectures.classifier(model)
    assert_served(graphs, "model")
    assert probe_varies(graphs)


def test_one_to_one():
    model = build("one_to_one", num_features=6, num_classes=3, units=4, num_layers=2)
    assert_served(architectures.classifier(model), "model")


def test_one_to_one_of_features_most_of_which_are_0():
    model = build("one_to_one", num_features=6, num_classes=3, units=4)
    features = np.zeros((4, 6), np.float32)
    features[0, 2], features[2, [1, 4]] = 2.0, (-1.0, 0.5)
    graph = architectures.classifier(model, sparse=True)["model"]
    for rows in (features, features[1:2], features[:0]):
        found = run(session(graph.file), features=rows)["logits"]
        np.testing.assert_allclose(found, model(rows).numpy(), atol=1e-6)


ALLOWED = (np.triu(np.ones((3, 3), bool)), np.array([1, 1, 0], bool), np.array([0, 1, 1], bool))
TAGGERS = {
    "softmax": {"bidirectional": True},
    "crf": {"head": "crf", "bidirectional": True, "allowed": ALLOWED},
    "letters": {
        "characters": "cnn",
        "character_widths": (2, 3),
        "character_vocabulary_size": 9,
        "character_units": 5,
        "affix_dim": 2,
        "casing_dim": 2,
        "head": "crf",
        "bidirectional": True,
        "constrained": "decoding",
        "allowed": ALLOWED,
    },
    "recurrent letters": {
        "characters": "recurrent",
        "character_vocabulary_size": 9,
        "character_units": 4,
        "bidirectional": True,
        "pretrained_dim": 3,
        "learned_size": 10,
    },
    "context": {
        "context": {"vocabulary_size": V, "units": 3, "character_vocabulary_size": 9},
        "bidirectional": True,
    },
}


@pytest.mark.parametrize("form", swept(TAGGERS, lambda form: form in ("letters", "context")))
def test_many_to_many(form):
    model = build(
        "many_to_many", vocabulary_size=V, num_tags=3, units=4, embedding_dim=5, **TAGGERS[form]
    )
    assert_served(architectures.tagger(model), "model")


@pytest.mark.parametrize("head", ["softmax", "crf"])
def test_a_tagger_that_reads_one_way_has_steps_equal_to_the_whole_sentence(head):
    options = {"characters": "cnn", "character_vocabulary_size": 9} if head == "crf" else {}
    model = build(
        "many_to_many",
        vocabulary_size=V,
        num_tags=3,
        units=4,
        embedding_dim=5,
        cell="gru",
        head=head,
        **options,
    )
    graphs = architectures.tagger(model)
    assert_served(graphs, "model", "start", "step")
    inputs = {n: v for n, v in graphs["model"].probe.items()}
    rows = streamed(graphs, {name: values[:1] for name, values in inputs.items()})
    if head == "softmax":
        whole = run(session(graphs["model"].file), **{n: v[:1] for n, v in inputs.items()})
        assert_same(whole["logits"][0], rows)
    else:  # the marginal of the last token, given the whole sentence
        scores = keras.ops.convert_to_numpy(model.crf.chain(np.zeros((1, 1, 3))).end)
        last = np.exp(rows[-1] + scores)
        expected = keras.ops.convert_to_numpy(
            model.crf.marginals(graphs["model"].expected["logits"][:1])
        )
        assert_same(expected[0, -1], last / last.sum())


def streamed(graphs, inputs, forgets=False):
    """The logits of each step of one row, (T, C), by a client that carries the states."""
    first, step = session(graphs["start"].file), session(graphs["step"].file)
    rows = {models.STREAMS: np.zeros(1, np.int32)}
    states = run(first, **rows)
    logits = []
    for time in range(next(iter(inputs.values())).shape[1]):
        one = {name: values[:, time] for name, values in inputs.items()}
        after = run(step, **one, **states)
        logits.append(after["logits"][0])
        if not forgets:
            states = {name: after[f"next_{name}"] for name in states}
    return np.stack(logits)


@pytest.fixture(scope="module")
def language_graphs():
    model = build(
        "language_model",
        vocabulary_size=V,
        units=6,
        embedding_dim=5,
        num_layers=2,
        cell="gru",
        tied=True,
        learned_initial_state=True,
        explicit_states=True,
    )
    return architectures.language_model(model)


def test_a_language_model_has_a_whole_a_reader_a_start_and_a_step(language_graphs):
    assert_served(language_graphs, "model", "read", "start", "step")


def test_steps_are_the_whole_sequence_and_a_client_that_forgets_the_states_is_noticed(
    language_graphs,
):
    ids = np.array([[3, 7, 2, 9, 4]], np.int32)
    states = run(session(language_graphs["start"].file), streams=np.zeros(1, np.int32))
    whole = run(session(language_graphs["model"].file), token_ids=ids, **states)["logits"][0]
    assert_same(whole, streamed(language_graphs, {"token_ids": ids}))
    forgetful = streamed(language_graphs, {"token_ids": ids}, forgets=True)
    assert_same(whole[0], forgetful[0])
    assert np.abs(whole[1:] - forgetful[1:]).max(axis=1).min() > 0.01


STEPPED = ("gru-reset_after=False", "rg_lru", "lstm_peephole-cell_clip=0.25")


@pytest.mark.parametrize("ident", swept([*IDS, "own"], lambda ident: ident in (*STEPPED, "own")))
def test_steps_of_a_cell_are_its_whole_sequence(ident, monkeypatch):
    monkeypatch.setitem(registry._CELLS, "own", keras_cells.StackCell)
    cell, cell_options = ("own", {}) if ident == "own" else VARIANTS[IDS.index(ident)]
    model = build(
        "language_model",
        vocabulary_size=V,
        units=6,
        embedding_dim=6,
        cell=cell,
        cell_options=cell_options,
        zoneout=0.25,
        num_layers=2,
        residual=ident != "own",
        explicit_states=True,
    )
    graphs = architectures.language_model(model)
    ids = np.array([[3, 7, 2, 9]], np.int32)
    states = run(session(graphs["start"].file), streams=np.zeros(1, np.int32))
    whole = run(session(graphs["model"].file), token_ids=ids, **states)
    assert_same(whole["logits"][0], streamed(graphs, {"token_ids": ids}))
    assert_same(model({"token_ids": ids, **states})["logits"], whole["logits"])


def test_the_state_outputs_are_the_inputs_names_behind_next(language_graphs):
    step = session(language_graphs["step"].file)
    states = ["state_0_0", "state_1_0"]
    assert [each.name for each in step.get_inputs()] == ["token_ids", *states]
    assert [each.name for each in step.get_outputs()] == ["logits", *(f"next_{s}" for s in states)]
    assert step.get_modelmeta().custom_metadata_map["states"] == '["state_0_0", "state_1_0"]'
    assert [each.shape for each in step.get_inputs()] == [["batch"], *[["batch", 6]] * 2]


@pytest.mark.parametrize("conditioning", ["state", "input", "both"])
def test_one_to_many(conditioning):
    kind = {"vector_dim": 3} if conditioning == "state" else {"num_classes": 4}
    model = build(
        "one_to_many",
        vocabulary_size=V,
        units=4,
        embedding_dim=5,
        class_dim=3,
        cell="slstm",
        conditioning=conditioning,
        **kind,
    )
    assert_served(architectures.conditional(model), "model", "start", "start_unconditional", "step")


def test_a_model_of_another_precision_is_refused():
    keras.config.set_dtype_policy("mixed_bfloat16")
    try:
        model = zoo.build("many_to_one", vocabulary_size=V, num_classes=2, units=4)
    finally:
        keras.config.set_dtype_policy("float32")
    with pytest.raises(InputError, match="computes in bfloat16, and ONNX files are written in"):
        architectures.classifier(model)


def test_a_layer_that_cannot_be_traced_is_named():
    @keras.saving.register_keras_serializable("tests")
    class Sorted(keras.layers.Layer):
        def call(self, inputs):
            return keras.ops.reshape(inputs, (-1, keras.ops.shape(inputs)[1] * 2))

        def compute_output_spec(self, inputs):
            return keras.KerasTensor((None, None), "float32")

    inputs = keras.Input((None, 2), name="values")
    model = keras.Model(inputs, Sorted(name="mine")(inputs))
    with pytest.raises(InputError, match="the layer 'mine' \\(Sorted\\) cannot be written as ONNX"):
        models.whole(model)


def test_an_operation_without_a_converter_is_named():
    inputs = keras.Input((None, 2), name="values")
    model = keras.Model(inputs, keras.ops.sort(inputs))
    with pytest.raises(InputError, match="the operation Sort cannot be written as ONNX"):
        models.whole(model)


def test_outputs_that_differ_are_named():
    a = {"x": np.zeros(2, "float32"), "y": np.zeros(2, "int32")}
    assert differing(a, a) == []
    assert differing(a, {**a, "x": a["x"] + 0.01}) == ["x"]
    assert differing(a, {"y": a["y"] + 1}) == ["x", "y"]


def test_a_tagger_of_another_keras_model_is_written():
    inputs = keras.Input((None,), dtype="int32", name="words")
    vectors = keras.layers.Embedding(V, 4)(inputs)
    logits = keras.layers.Dense(3)(vectors)
    graphs = architectures.tagger(TaggingModel(inputs, logits))
    assert_served(graphs, "model")
