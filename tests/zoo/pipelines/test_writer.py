"""Codec + language model -> a SavedModel: what it writes and scores, against walks step by step."""

import numpy as np
import pytest
import tensorflow as tf

import zoo
from tests.references import reference
from tests.references.weights import assign_random, by_path
from tests.serving_rules import functions_of
from tests.sweeps import swept
from zoo import export
from zoo.errors import InputError
from zoo.pipelines import Writer
from zoo.text import BOS, EOS, UNK, TextCodec, Vocabulary

CODEC = TextCodec(Vocabulary(["[PAD]", "[UNK]", "[BOS]", "[EOS]", *"abcé \n."]))
TOKENS = CODEC.vocabulary.tokens
V = len(TOKENS)
TEXTS = ["a cab.\n", "", "axb y", "e\u0301", "\r\n", "b", "bad cab. " * 5]
PROMPTS = ["", "a", "cab.\n", "ab ab ab ab c", "x", "b\r\n"]
KINDS = {
    "tied": {"cell": "lstm", "tied": True, "units": 3},
    "min_gru": {"cell": "min_gru", "num_layers": 2, "learned_initial_state": True},
    "gru": {"cell": "gru", "num_layers": 2, "residual": True},
}
IN_MEMORY = "gru"  # not from disk: each export takes many seconds
UNENDING = CHECKED = "min_gru"  # a scored text does not end; checked without the project
STATES = {
    "tied": {"state_0_0": 3, "state_0_1": 3},
    "min_gru": {"state_0_0": 5, "state_1_0": 5},
}


def built(**options):
    """A model that would most like to write what must not be written."""
    sizes = {"vocabulary_size": V, "embedding_dim": 4, "units": 5, "explicit_states": True}
    model = assign_random(zoo.build("language_model", **{**sizes, **options}), scale=0.9)
    bias = model.get_layer("logits").bias
    bias.assign(bias + np.where(np.arange(bias.shape[0]) < EOS, 2.0, 0.0))
    return model


@pytest.fixture(scope="module", params=swept(KINDS, lambda kind: kind != "tied"))
def kind(request):
    return request.param


@pytest.fixture(scope="module")
def served(kind, tmp_path_factory):
    """The signatures of a SavedModel from disk; of one kind the functions, run eagerly."""
    model = built(**KINDS[kind])
    if kind == IN_MEMORY:
        functions = functions_of(Writer(model, CODEC))
        eager = {name: functions[name].python_function for name in ("generate", "score")}
        return {**functions, **eager}
    directory = tmp_path_factory.mktemp("saved_models") / kind
    with pytest.MonkeyPatch.context() as patch:
        if kind != CHECKED:
            patch.setattr(export, "check", lambda *_: None)
        path = Writer(model, CODEC, ends=kind != UNENDING).export(directory)
    assert path == directory / "1" and [one.name for one in directory.iterdir()] == ["1"]
    return tf.saved_model.load(str(path)).signatures


class Walk:
    """One row, read token by token from its start on."""

    def __init__(self, served):
        self.served = served
        self.states = dict(served["start"](streams=tf.constant([0])))
        self.read("[BOS]")

    def read(self, token):
        answer = dict(self.served["step"](token=tf.constant([token]), **self.states))
        self.probabilities = answer.pop("probabilities").numpy()[0].astype("float64")
        self.states = answer

    def follow(self, tokens):
        """The log-probability of tokens, in nats; a token that is not known counts as UNK."""
        total = 0.0
        for token in tokens:
            number = TOKENS.index(token) if token in TOKENS else UNK
            total += np.log(self.probabilities[number])
            self.read(token)
        return total


def normalized(text):
    return text.replace("\r\n", "\n").replace("e\u0301", "é")


def ask(served, signature, **inputs):
    outputs = served[signature](**{name: tf.constant(value) for name, value in inputs.items()})
    return {name: value.numpy() for name, value in outputs.items()}


def write(served, prompts, max_tokens=12, temperature=1.0, top_k=0, top_p=1.0, seed=1):
    """What is written; each option is one number for all rows, or one a row."""
    numbers = {"max_tokens": max_tokens, "top_k": top_k, "seed": seed}
    shares = {"temperature": temperature, "top_p": top_p}
    rows = len(prompts)
    given = {name: np.broadcast_to(np.int32(each), rows) for name, each in numbers.items()}
    given |= {name: np.broadcast_to(np.float32(each), rows) for name, each in shares.items()}
    found = ask(served, "generate", prompt=tf.constant(prompts, tf.string), **given)
    return {**found, "text": [text.decode() for text in found["text"]]}


def test_a_score_is_the_sum_over_all_steps(served, kind):
    ends = kind != UNENDING
    found = ask(served, "score", text=TEXTS)
    for number, text in enumerate(map(normalized, TEXTS)):
        total = Walk(served).follow([*text, *["[EOS]"] * ends])
        np.testing.assert_allclose(found["log_probability"][number], total, rtol=1e-4, atol=1e-5)
        count = len(text) + ends
        assert found["num_tokens"][number] == count
        unknown = sum(c not in TOKENS for c in text)
        assert found["num_unknown"][number] == unknown
        assert found["unknown_share"][number] == pytest.approx(unknown / max(len(text), 1))
        perplexity = np.exp(-total / count) if count else 1.0
        np.testing.assert_allclose(found["perplexity"][number], perplexity, rtol=1e-4)


def test_steps_give_the_models_own_probabilities_in_the_order_of_tokens(served, kind):
    tokens = ask(served, "tokens", ids=np.arange(V, dtype="int32"))["tokens"]
    assert [token.decode() for token in tokens] == TOKENS
    model, walk = built(**KINDS[kind]), Walk(served)
    ids = [BOS, *[TOKENS.index(token) for token in "ab.\n"], UNK]
    states = model.initial_states(1)
    logits = np.array(model({"token_ids": tf.constant([ids]), **states})["logits"])[0]
    for token, expected in zip([*"ab.\n", "qx", None], np.exp(logits), strict=True):
        np.testing.assert_allclose(walk.probabilities, expected / expected.sum(), atol=1e-5)
        assert walk.probabilities.sum() == pytest.approx(1, abs=1e-5)
        walk.read(token or "")


def test_a_step_by_id_is_that_by_token(served):
    tokens = ["a", "[UNK]", "[PAD]"]
    ids = np.array([TOKENS.index(token) for token in tokens], "int32")
    states = ask(served, "start", streams=np.arange(3, dtype="int32"))
    states = {name: each + np.float32([[0.1], [0.2], [0.3]]) for name, each in states.items()}
    by_token = ask(served, "step", token=tokens, **states)
    by_id = ask(served, "step_ids", token_ids=ids, **states)
    shares = np.exp(by_id.pop("logits"))
    shares = shares / shares.sum(axis=1, keepdims=True)
    np.testing.assert_allclose(by_token.pop("probabilities"), shares, atol=1e-6)
    for name, state in by_token.items():
        np.testing.assert_allclose(by_id[name], state, atol=1e-6)
        assert np.abs(state - states[name]).max() > 0.01


@pytest.mark.parametrize("cell", swept(zoo.cell_names(), lambda cell: cell in ("lstm", "gru")))
def test_a_step_that_looks_up_its_products_is_a_step(cell):
    options = {"units": 6, "embedding_dim": 6, "cell": cell, "num_layers": 2}
    model = built(**options)
    ids = tf.constant([*range(V)])
    states = {name: state + 0.1 for name, state in model.initial_states(V).items()}
    logits, after = model.step(ids, states)
    products = model.input_products()
    assert products.shape[0] == V
    found, new = model.step(ids, states, products)
    np.testing.assert_allclose(found, logits, atol=1e-5)
    assert np.abs(logits[2] - logits[3]).max() > 1e-3
    tf.nest.map_structure(lambda a, b: np.testing.assert_allclose(a, b, atol=1e-5), new, after)


def test_products_are_kept_of_few_tokens_alone():
    assert built(embedding_dim=V // 2).input_products() is None
    assert built(embedding_dim=V // 2 + 1).input_products() is not None


def test_the_products_are_looked_up_in_steps_and_exported_beside_the_weights(monkeypatch):
    model, given = built(embedding_dim=6, cell="gru", tied=True), {}
    publish = lambda functions, tracked, *_: given.update(functions, tracked=tracked)  # noqa: E731
    monkeypatch.setattr("zoo.pipelines.pipeline.publish", publish)
    Writer(model, CODEC).export("nowhere")
    own = {weight.path for weight in model.weights}
    products = [each for each in given["tracked"] if getattr(each, "shape", ()) == (V, 3 * 5)]
    assert len(own) + 3 == len(given["tracked"]) and products[0] is products[1]
    states = model.initial_states(V)
    logits, after = model.step(tf.range(V), states)
    found = given["step_ids"](token_ids=tf.range(V), **states)
    np.testing.assert_allclose(found["logits"], logits, atol=1e-5)
    np.testing.assert_allclose(found["state_0_0"], after["state_0_0"], atol=1e-5)


def test_without_temperature_the_best_token_is_taken_each_time(served):
    """Each walk is of one row alone: prompts of other lengths beside it change nothing."""
    found, ruled_out = write(served, PROMPTS, temperature=0.0), 0
    assert write(served, PROMPTS[1:2], temperature=0.0)["text"] == found["text"][1:2]
    for number, prompt in enumerate(PROMPTS):
        walk, written, total = Walk(served), [], 0.0
        walk.follow(normalized(prompt))
        while len(written) < 12 and "[EOS]" not in written:
            ruled_out += walk.probabilities.argmax() < EOS
            written.append(TOKENS[EOS + walk.probabilities[EOS:].argmax()])
            total += walk.follow(written[-1:])
        assert found["text"][number] == prompt + "".join(written).removesuffix("[EOS]")
        assert found["num_tokens"][number] == len(written)
        np.testing.assert_allclose(found["log_probability"][number], total, rtol=1e-4)
    assert ruled_out > 3, "what is never written was the likeliest token"


def test_the_log_probability_is_that_of_what_follows_the_prompt(served):
    """Under the model itself, whatever the filter; the end is counted where it was drawn."""
    ended = set()
    for options in ({"seed": 1}, {"seed": 2, "temperature": 0.7, "top_k": 5, "top_p": 0.9}):
        found = write(served, PROMPTS, **options)
        for number, prompt in enumerate(PROMPTS):
            assert found["text"][number].startswith(prompt)
            written = list(found["text"][number].removeprefix(prompt))
            ends = found["num_tokens"][number] - len(written)
            assert ends in (0, 1) and (ends or len(written) == 12)
            assert not {*written} - {*TOKENS[EOS + 1 :]}
            whole = [*normalized(prompt), *written, *["[EOS]"] * ends]
            total = Walk(served).follow(whole) - Walk(served).follow(normalized(prompt))
            np.testing.assert_allclose(
                found["log_probability"][number], total, rtol=1e-4, atol=1e-4
            )
            drawn = [token.decode() for token in found["tokens"][number] if token]
            assert drawn == [*written, *["[EOS]"] * ends]
            each = found["token_probabilities"][number, : len(drawn)]
            np.testing.assert_allclose(np.log(each).sum(), total, rtol=1e-4, atol=1e-4)
            ended.add(int(ends))
    assert ended == {0, 1}, "some rows end and some do not"


def test_the_best_of_one_is_greedy(served):
    greedy = write(served, PROMPTS, temperature=0.0)
    for options in ({"top_k": 1}, {"top_p": 1e-6, "seed": 4}):
        found = write(served, PROMPTS, **options)
        assert found["text"] == greedy["text"]
        np.testing.assert_allclose(found["log_probability"], greedy["log_probability"], rtol=1e-5)


def test_a_seed_repeats_and_another_does_not(served):
    seeds = np.arange(8)
    first, again, other = (write(served, ["a"] * 8, 8, seed=seeds + n) for n in (5, 5, 60))
    assert first["text"] == again["text"] != other["text"]
    assert len(set(first["text"])) > 2, "each row is drawn from its own seed"
    assert len(set(write(served, ["a"] * 8, 8, seed=5)["text"])) == 1


def test_the_signatures_have_named_inputs_and_outputs(served, kind):
    if kind == IN_MEMORY:
        pytest.skip("not from disk")
    states = {name: (tf.float32, [None, size]) for name, size in STATES[kind].items()}
    text, each, count = (tf.string, [None]), (tf.float32, [None]), (tf.int32, [None])
    asked = {"max_tokens": count, "top_k": count, "seed": count}
    scored = {"log_probability": each, "num_tokens": count, "unknown_share": each}
    scored |= {"unknown_tokens": (tf.string, [None, None]), "truncated": (tf.bool, [None])}
    drawn = {"tokens": (tf.string, [None, None]), "token_probabilities": (tf.float32, [None, None])}
    expected = {
        "generate": (
            {"prompt": text, "temperature": each, "top_p": each, **asked},
            {"text": text, **scored, **drawn},
        ),
        "score": (
            {"text": text},
            {**scored, "perplexity": each, "num_unknown": count},
        ),
        "start": ({"streams": count}, states),
        "step": ({"token": text, **states}, {"probabilities": (tf.float32, [None, V]), **states}),
        "step_ids": (
            {"token_ids": count, **states},
            {"logits": (tf.float32, [None, V]), **states},
        ),
        "tokens": ({"ids": count}, {"tokens": text}),
        "read": ({"prompt": text}, {"token_ids": count, **states}),
        "draw": (
            {"token_ids": count, "place": count, "seed": count, "top_k": count, "top_p": each}
            | {"temperature": each, **states},
            {"token_ids": count, "log_probability": each, "ended": (tf.bool, [None]), **states},
        ),
        "spell": ({"prompt": text, "token_ids": (tf.int32, [None, None])}, {"text": text}),
    }
    found = {
        name: tuple(
            {key: (spec.dtype, spec.shape.as_list()) for key, spec in specs.items()}
            for specs in (one.structured_input_signature[1], one.structured_outputs)
        )
        for name, one in served.items()
    }
    assert found == expected


def test_a_long_text_is_scored_in_windows_as_at_once(monkeypatch):
    monkeypatch.setattr("zoo.pipelines.writer.WIDEST", 16 * V)  # windows of 16 tokens
    model, texts = built(cell="gru", learned_initial_state=True), ["abc. " * 13, "", "a" * 15]
    found = Writer(model, CODEC)._score.python_function(tf.constant(texts))
    for number, text in enumerate(texts):
        ids = [TOKENS.index(token) for token in text]
        logits, _ = reference.language_model(by_path(model), np.array([[BOS, *ids]]), "gru")
        shares = logits[0] - np.log(np.exp(logits[0]).sum(axis=-1, keepdims=True))
        total = sum(shares[place, token] for place, token in enumerate([*ids, EOS]))
        np.testing.assert_allclose(found["log_probability"][number], total, rtol=1e-5)
        assert found["num_tokens"][number] == len(text) + 1


def test_words_are_written_with_their_spaces():
    vocabulary = Vocabulary([*TOKENS[:4], "so", "it", ",", "goes", "(", "."])
    functions = functions_of(Writer(built(vocabulary_size=10), TextCodec(vocabulary, level="word")))
    text = tf.constant(["so ,it qx goes ."])
    options = [tf.constant([value]) for value in (0, 1.0, 0, 1.0, 1)]
    found = functions["generate"].python_function(text, *options)
    assert found["text"].numpy().tolist() == [b"so ,it qx goes ."], "no token may follow"
    assert [int(found["num_tokens"][0]), float(found["log_probability"][0])] == [0, 0.0]
    score = functions["score"].python_function(text)
    assert [int(score[name][0]) for name in ("num_tokens", "num_unknown")] == [7, 1]


def test_a_model_that_keeps_its_states_to_itself_is_refused(tmp_path):
    other = zoo.build("many_to_one", vocabulary_size=V, num_classes=V, units=3)
    for model in (built(explicit_states=False), other):
        with pytest.raises(InputError, match="build it with explicit_states=True$"):
            Writer(model, CODEC).export(tmp_path / "lm")
    assert not (tmp_path / "lm").exists()


def test_a_vocabulary_of_another_size_is_refused():
    message = f"the model gives {V + 1} logits a token, but the vocabulary has {V} tokens: give"
    with pytest.raises(InputError, match=message):
        Writer(built(vocabulary_size=V + 1), CODEC)
