"""A SavedModel in a session: arrays in, arrays out; the same answers as TensorFlow's own loader."""

import numpy as np
import pytest
import tensorflow as tf

import zoo
from tests.zoo.serving import models
from zoo.errors import DamagedFile, InputError
from zoo.pipelines import Writer
from zoo.saved_model.session import Session
from zoo.text import TextCodec

LINES = ["the cat sat on the mat", "a dog ran in the park"]


@pytest.fixture(scope="module")
def writer(tmp_path_factory):
    """A language model of characters, in a SavedModel."""
    codec = TextCodec.learn(LINES)
    model = zoo.build(
        "language_model",
        cell="lstm",
        vocabulary_size=len(codec.vocabulary),
        units=8,
        explicit_states=True,
    )
    return Writer(model, codec).export(tmp_path_factory.mktemp("writer") / "writer")


@pytest.fixture
def halves(tmp_path):
    return models.write(tmp_path / "halves", models.halves(1.0))


@pytest.mark.parametrize("in_caller", [True, False])
def test_steps_equal_those_of_tensorflows_loader(writer, in_caller):
    loaded = tf.saved_model.load(str(writer))
    theirs = loaded.signatures["start"](streams=tf.constant([0, 0]))
    with Session(writer, in_caller=in_caller) as served:
        states = served["start"](streams=[0, 0])
        for token_ids in ([2, 3], [4, 2], [3, 3]):
            answer = served["step_ids"](token_ids=token_ids, **states)
            their = dict(loaded.signatures["step_ids"](token_ids=tf.constant(token_ids), **theirs))
            np.testing.assert_allclose(answer.pop("logits"), their.pop("logits"), rtol=0, atol=1e-6)
            states, theirs = answer, their
        assert states.keys() == theirs.keys()
        assert all(isinstance(each, np.ndarray) for each in states.values())


def test_strings_go_in_as_str_or_bytes_and_come_out_as_bytes(writer):
    with Session(writer) as served:
        options = {"max_tokens": [5], "temperature": [0.0], "top_k": [0], "top_p": [1.0]}
        found = [
            served["generate"](prompt=[text], seed=[1], **options)["text"].tolist()
            for text in ("the", b"the")
        ]
    assert found[0] == found[1]
    assert isinstance(found[0][0], bytes)
    assert found[0][0].startswith(b"the")


def test_signatures_have_inputs_and_outputs_with_types_and_shapes(writer):
    with Session(writer) as served:
        step = served["step_ids"]
        token_ids = step.inputs["token_ids"]
        assert (token_ids.dtype, token_ids.shape) == (np.int32, (None,))
        logits = step.outputs["logits"]
        assert logits.dtype == np.float32
        assert not logits.shape or logits.shape[0] is None
        assert list(served.signatures) == sorted(served.signatures)


@pytest.mark.parametrize(
    ("inputs", "sentence"),
    [
        ({}, "the signature serving_default has the inputs x, given: none"),
        ({"y": 1.0}, "the signature serving_default has the inputs x, given: y"),
        ({"x": 1.0, "y": 1.0}, "the signature serving_default has the inputs x, given: x, y"),
        ({"x": ["a"]}, "the input x has the type float"),
        ({"x": [[1.0], [1.0, 2.0]]}, "the input x has the type float"),
    ],
)
def test_wrong_inputs_are_one_sentence(halves, inputs, sentence):
    with Session(halves) as served, pytest.raises(InputError, match=f"^{sentence}"):
        served["serving_default"](**inputs)


def test_a_wrong_shape_names_both(writer):
    sentence = r"^the input token_ids has the shape \(any,\), given: \(1, 1\)$"
    with Session(writer) as served, pytest.raises(InputError, match=sentence):
        served["step_ids"](token_ids=[[2]], **served["start"](streams=[0]))


def test_what_the_graph_refuses_is_the_graphs_own_sentence(tmp_path):
    path = models.write(tmp_path / "words", models.words())
    with Session(path) as served:
        assert served["serving_default"](text=["one two"])["count"].tolist() == [2]
        with pytest.raises(InputError, match="refuses the input: no text may have the word bad"):
            served["serving_default"](text=["a bad one"])


def test_a_misspelt_signature_names_the_nearest(halves):
    with Session(halves) as served, pytest.raises(InputError, match="serving_defualt.*did you"):
        served["serving_defualt"]


def test_a_damaged_model_is_one_sentence(halves):
    (halves / "saved_model.pb").write_bytes(b"\xff")
    with pytest.raises(DamagedFile, match=r"does not load \(.*\): export it again$"):
        Session(halves)


def test_a_closed_session_frees_its_model_and_does_not_answer(halves):
    with Session(halves) as served:
        half = served["serving_default"]
        assert half(x=[3.0])["y"].tolist() == [2.5]
    assert served.closed
    with pytest.raises(tf.errors.CancelledError, match="closed"):
        half(x=[3.0])
