"""Labels + one to many -> a SavedModel: what it writes and scores, against walks step by step."""

import numpy as np
import pytest
import tensorflow as tf

import zoo
from tests.references.weights import assign_random
from tests.serving_rules import functions_of
from tests.sweeps import swept
from zoo import export
from zoo.errors import InputError
from zoo.export import ExportError
from zoo.pipelines import ConditionalWriter
from zoo.pipelines.conditional_writer import label_ids
from zoo.text import BOS, EOS, UNK, TextCodec, Vocabulary

CODEC = TextCodec(Vocabulary(["[PAD]", "[UNK]", "[BOS]", "[EOS]", *"abcé' "]))
TOKENS = CODEC.vocabulary.tokens
V = len(TOKENS)
LABELS = ["Elvish", "Dwarvish", "Örtlich"]
TEXTS = ["a cab", "", "axb", "e\u0301", "b", "'ab c" * 9]
KINDS = {
    "state": {"cell": "lstm", "conditioning": "state", "units": 4},
    "input": {"cell": "min_gru", "conditioning": "input", "num_layers": 2},
    "both": {"cell": "gru", "conditioning": "both", "num_layers": 2, "residual": True},
}
INTEGERS = ("max_tokens", "top_k", "seed")
CHECKED = "both"  # in a process without the project: that takes many seconds
IN_MEMORY = "input"  # not from disk
STATES = {
    "state": {"state_0_0": 4, "state_0_1": 4},
    "both": {"state_0_0": 5, "state_1_0": 5, "condition": 3},
}
SIGNATURES = (
    *(
        "draw",
        "generate",
        "labels",
        "read",
        "score",
        "spell",
        "start",
        "step",
        "step_ids",
        "tokens",
    ),
)


def built(seed=1, **options):
    """A model that would most like to write what must not be written."""
    sizes = {"vocabulary_size": V, "num_classes": 3, "embedding_dim": 4, "class_dim": 3, "units": 5}
    model = assign_random(zoo.build("one_to_many", **{**sizes, **options}), seed, scale=0.9)
    bias = model.get_layer("logits").bias
    bias.assign(bias + np.where(np.arange(V) < EOS, 2.0, 0.0))
    return model


@pytest.fixture(scope="module", params=swept(KINDS, lambda kind: kind != "state"))
def kind(request):
    return request.param


@pytest.fixture(scope="module")
def served(kind, tmp_path_factory):
    """The signatures of a SavedModel from disk; of one kind the functions in memory."""
    model = built(**KINDS[kind])
    if kind == IN_MEMORY:
        return functions_of(ConditionalWriter(model, CODEC, LABELS))
    directory = tmp_path_factory.mktemp("saved_models") / kind
    with pytest.MonkeyPatch.context() as patch:
        if kind != CHECKED:
            patch.setattr(export, "check", lambda *_: None)
        path = ConditionalWriter(model, CODEC, LABELS).export(directory)
    assert path == directory / "1" and [one.name for one in directory.iterdir()] == ["1"]
    return tf.saved_model.load(str(path)).signatures


def ask(served, signature, **inputs):
    outputs = served[signature](**{name: tf.constant(value) for name, value in inputs.items()})
    return {name: value.numpy() for name, value in outputs.items()}


class Walk:
    """One row, read token by token from its label on."""

    def __init__(self, served, label):
        self.served = served
        self.states = dict(served["start"](label=tf.constant([label])))
        self.read("[BOS]")

    def read(self, token):
        answer = dict(self.served["step"](token=tf.constant([token]), **self.states))
        self.probabilities = answer.pop("probabilities").numpy()[0].astype("float64")
        self.states = answer

    def follow(self, tokens):
        """The log-probability of tokens, in nats; a token that is not known counts as UNK."""
        total = 0.0
        for token in tokens:
            total += np.log(self.probabilities[TOKENS.index(token) if token in TOKENS else UNK])
            self.read(token)
        return total


def write(served, labels, **options):
    numbers = {"max_tokens": 8, "temperature": 1.0, "top_k": 0, "top_p": 1.0}
    numbers |= {"min_p": 0.0, "guidance": 0.0, "seed": 1}
    kinds = {name: np.int32 if name in INTEGERS else np.float32 for name in numbers}
    given = {
        name: np.broadcast_to(kinds[name](each), len(labels))
        for name, each in {**numbers, **options}.items()
    }
    found = ask(served, "generate", label=labels, **given)
    return {**found, "text": [text.decode() for text in found["text"]]}


def tokens_of(found, row):
    """What was drawn for a row, the end counted."""
    tokens = [*found["text"][row], *["[EOS]"] * bool(found["finished"][row])]
    assert len(tokens) == found["num_tokens"][row]
    return tokens


def test_a_score_is_the_sum_over_all_steps_and_depends_on_the_label(served):
    for label in LABELS[:2]:
        found = ask(served, "score", label=[label] * len(TEXTS), text=TEXTS)
        for row, text in enumerate(TEXTS):
            letters = text.replace("e\u0301", "é")
            total = Walk(served, label).follow([*letters, "[EOS]"])
            np.testing.assert_allclose(found["log_probability"][row], total, rtol=1e-5, atol=1e-5)
            assert found["num_tokens"][row] == len(letters) + 1
            perplexity = np.exp(-total / (len(letters) + 1))
            np.testing.assert_allclose(found["perplexity"][row], perplexity, rtol=1e-4)
            assert found["num_unknown"][row] == letters.count("x")
            share = letters.count("x") / max(len(letters), 1)
            assert found["unknown_share"][row] == pytest.approx(share)
    both = ask(served, "score", label=LABELS[:2], text=["a cab"] * 2)["log_probability"]
    assert abs(both[0] - both[1]) > 1e-3


def test_the_best_token_is_taken_at_temperature_0(served):
    found = write(served, LABELS, temperature=0.0)
    for row, label in enumerate(LABELS):
        walk, expected = Walk(served, label), []
        while len(expected) < 8 and "[EOS]" not in expected:
            expected.append(TOKENS[EOS + int(walk.probabilities[EOS:].argmax())])
            walk.read(expected[-1])
        assert tokens_of(found, row) == expected


@pytest.mark.parametrize("guidance", [0.0, 1.5])
def test_the_log_probability_is_the_models_own_of_what_was_drawn(served, guidance):
    labels = [LABELS[row % 3] for row in range(12)]
    seeds = np.arange(12)
    found = write(served, labels, temperature=1.4, top_p=0.9, guidance=guidance, seed=seeds)
    for row, label in enumerate(labels):
        drawn = tokens_of(found, row)
        total = Walk(served, label).follow(drawn)
        np.testing.assert_allclose(found["log_probability"][row], total, rtol=1e-4)
        assert [token.decode() for token in found["tokens"][row] if token] == drawn
        walk = Walk(served, label)
        each = [np.exp(walk.follow([token])) for token in drawn]
        each += [0] * (found["tokens"].shape[1] - len(drawn))
        np.testing.assert_allclose(found["token_probabilities"][row], each, rtol=1e-4)
    assert {True, False} == set(found["finished"].tolist())
    again = write(served, labels, temperature=1.4, top_p=0.9, guidance=guidance, seed=seeds)
    assert again["text"] == found["text"]
    other = write(served, labels, temperature=1.4, top_p=0.9, guidance=guidance, seed=seeds + 99)
    assert other["text"] != found["text"]


def test_guidance_takes_what_the_label_makes_likelier(served, kind):
    """Greedy, so that each step's choice can be told from the two distributions."""
    model = built(**KINDS[kind])

    found = write(served, LABELS, temperature=0.0, guidance=3.0)
    for row, label in enumerate(LABELS):
        walk, free, token = Walk(served, label), model.unconditional_states(1), BOS
        for drawn in tokens_of(found, row):
            logits, free = model.step(np.array([token]), free)
            others = np.array(logits)[0].astype("float64")
            others -= np.logaddexp.reduce(others)
            guided = 4 * np.log(walk.probabilities) - 3 * others
            token = EOS + int(guided[EOS:].argmax())
            assert TOKENS[token] == drawn
            walk.read(drawn)


def test_of_what_may_be_written_min_p_leaves_the_likeliest(served):
    """The likeliest of all: of what must not be written, though likelier still, none counts."""
    best = write(served, LABELS, temperature=0.0)
    found = write(served, LABELS, min_p=1.0, guidance=2.0, temperature=3.0)
    assert found["text"] == best["text"] != write(served, LABELS, temperature=3.0)["text"]


def test_nothing_is_written_where_no_token_is_allowed(served):
    found = write(served, LABELS[:1], max_tokens=0)
    assert (found["text"], found["num_tokens"].tolist()) == ([""], [0])
    assert found["log_probability"].tolist() == [0] and not found["finished"][0]


def test_ids_are_named(served):
    tokens = ask(served, "tokens", ids=np.arange(V, dtype="int32"))["tokens"]
    assert [token.decode() for token in tokens] == TOKENS
    labels = ask(served, "labels", ids=np.array([2, 0, 3, -1], "int32"))["labels"]
    assert [label.decode() for label in labels] == ["Örtlich", "Elvish", "", ""]


@pytest.mark.parametrize("signature", ["generate", "score", "start"])
def test_an_unknown_label_is_an_error_that_names_the_known_ones(served, signature):
    inputs = {"label": ["Elvish", "Klingon"]}
    if signature == "score":
        inputs["text"] = ["a", "b"]
    with pytest.raises(tf.errors.InvalidArgumentError) as error:
        if signature == "generate":
            write(served, inputs["label"])
        else:
            ask(served, signature, **inputs)
    assert "label must be one of Elvish, Dwarvish, " in str(error.value)
    assert "got Klingon" in str(error.value)


def test_of_many_labels_the_error_names_the_first():
    labels = [f"class {number}" for number in range(30)]
    ids = tf.function(lambda label: label_ids(label, labels), autograph=False)
    assert ids(tf.constant(["class 29", "class 0"])).numpy().tolist() == [29, 0]
    assert ids(tf.constant([], tf.string)).shape == (0,)
    with pytest.raises(tf.errors.InvalidArgumentError) as error:
        ids(tf.constant(["class 30"]))
    assert "class 18, class 19, ... (30 in all); got class 30" in str(error.value)
    assert "class 20" not in str(error.value)


def test_a_label_is_known_in_any_normal_form_and_with_blanks_around_it():
    labels = ["Fran\u00e7ais", "b", "a\u0308", "\u00e4"]  # the last two look the same
    ids = tf.function(lambda label: label_ids(label, labels), autograph=False)
    given = ["Franc\u0327ais", " Fran\u00e7ais\n", "b ", "a\u0308", "\u00e4"]
    assert ids(tf.constant(given)).numpy().tolist() == [0, 0, 1, 2, 3]
    with pytest.raises(tf.errors.InvalidArgumentError, match="got Francais"):
        ids(tf.constant(["Francais"]))


def test_the_signatures_have_named_inputs_and_outputs_of_any_number_of_rows(served, kind):
    if kind == IN_MEMORY:
        return
    assert sorted(served) == [*SIGNATURES]
    text, real, whole = ((kind, [None]) for kind in (tf.string, tf.float32, tf.int32))
    states = {name: (tf.float32, [None, size]) for name, size in STATES[kind].items()}
    both = {**states, **{f"free_{name}": spec for name, spec in states.items()}}
    numbers = {"max_tokens": tf.int32, "temperature": tf.float32, "top_k": tf.int32}
    numbers |= {"top_p": tf.float32, "min_p": tf.float32, "guidance": tf.float32, "seed": tf.int32}
    expected = {
        "generate": (
            {"label": text, **{name: (dtype, [None]) for name, dtype in numbers.items()}},
            {"text": text, "log_probability": real, "num_tokens": whole}
            | {"finished": (tf.bool, [None]), "unknown_share": real}
            | {"tokens": (tf.string, [None, None])}
            | {"token_probabilities": (tf.float32, [None, None])},
        ),
        "score": (
            {"label": text, "text": text},
            {"log_probability": real, "num_tokens": whole, "perplexity": real}
            | {"num_unknown": whole, "unknown_share": real, "truncated": (tf.bool, [None])}
            | {"unknown_tokens": (tf.string, [None, None])},
        ),
        "start": ({"label": text}, states),
        "step": ({"token": text, **states}, {"probabilities": (tf.float32, [None, V]), **states}),
        "step_ids": ({"token_ids": whole, **states}, {"logits": (tf.float32, [None, V]), **states}),
        "tokens": ({"ids": whole}, {"tokens": text}),
        "labels": ({"ids": whole}, {"labels": text}),
        "read": ({"label": text}, {"token_ids": whole, **both}),
        "draw": (
            {"token_ids": whole, "place": whole, **both}
            | {name: (dtype, [None]) for name, dtype in numbers.items() if name != "max_tokens"},
            {"token_ids": whole, "log_probability": real, "ended": (tf.bool, [None]), **both},
        ),
        "spell": ({"token_ids": (tf.int32, [None, None])}, {"text": text}),
    }
    for name, (takes, gives) in expected.items():
        given = served[name].structured_input_signature[1]
        outputs = served[name].structured_outputs
        for found, wanted in ((given, takes), (outputs, gives)):
            assert {k: (v.dtype, v.shape.as_list()) for k, v in found.items()} == wanted


def test_what_does_not_fit_is_refused():
    model = built()
    with pytest.raises(InputError, match="for 3 labels, but 2 are given"):
        ConditionalWriter(model, CODEC, LABELS[:2])
    with pytest.raises(InputError, match="a label is given twice: a, b, a"):
        ConditionalWriter(model, CODEC, ["a", "b", "a"])
    other = TextCodec(Vocabulary(["[PAD]", "[UNK]", "[BOS]", "[EOS]", "a"]))
    with pytest.raises(InputError, match=f"for {V} tokens, but 5 are given"):
        ConditionalWriter(model, other, LABELS)
    for wrong in (
        built(num_classes=0, vector_dim=3),
        zoo.build("language_model", vocabulary_size=V, units=2),
    ):
        with pytest.raises(InputError, match="takes no class: build it with"):
            ConditionalWriter(wrong, CODEC, LABELS)


def test_what_answers_otherwise_is_not_published(tmp_path, monkeypatch):
    asked = {}

    def refuse(path, functions, probes):
        asked.update(probes)
        raise ExportError("another answer")

    monkeypatch.setattr(export, "check", refuse)
    with pytest.raises(ExportError, match="another answer"):
        ConditionalWriter(built(), CODEC, LABELS).export(tmp_path / "names")
    assert not list((tmp_path / "names").iterdir())
    assert sorted(asked) == [*SIGNATURES]
