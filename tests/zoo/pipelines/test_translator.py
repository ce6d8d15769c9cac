"""Translators and their exported form: against exhaustive search and teacher-forced scores."""

import itertools

import numpy as np
import pytest
import tensorflow as tf

import zoo
from tests.references.weights import assign_random
from tests.serving_rules import functions_of
from tests.sweeps import swept
from zoo.errors import InputError
from zoo.pipelines import BeamSearch, Translator
from zoo.text import BOS, EOS, PAD, SPECIAL, UNK, SubwordCodec, TextCodec, Vocabulary, unknown_share

SOURCE = TextCodec(Vocabulary([*SPECIAL, "ein", "hund", "rennt", "katze", "."]), level="word")
TARGET = TextCodec(Vocabulary([*SPECIAL, "a", "dog", "runs"]), level="word", lower=True)
TEXTS = ["ein hund rennt .", "katze", "ein ein ein ein ein ein ein .", ""]


def model_of(seed=3, **options):
    sizes = {"source_vocabulary_size": 9, "target_vocabulary_size": 7, "embedding_dim": 4}
    model = zoo.build("encoder_decoder", **{**sizes, "units": 6, **options})
    return assign_random(model, seed=seed, scale=0.9)


def made(search=None, **options):
    return Translator(model_of(**options), SOURCE, TARGET, search)


@pytest.fixture(scope="module")
def functions():
    """The traced functions of one translator."""
    return functions_of(made())


def log_probabilities(model, source_ids, sequences):
    """Of sequences of target ids of one length, by the whole model, token by token."""
    told = np.array(sequences, "int32")
    read = np.concatenate([np.full((len(told), 1), BOS, "int32"), told[:, :-1]], axis=1)
    given = {"source_ids": np.repeat(source_ids, len(told), axis=0), "target_ids": read}
    logits = np.array(model(given)).astype("float64")
    shares = logits - np.log(np.exp(logits).sum(axis=-1, keepdims=True))
    return np.take_along_axis(shares, told[:, :, None], axis=2)[:, :, 0].sum(axis=1)


def every_sequence(longest):
    """All sequences of words by their length: those with an end, and those that come to none."""
    for length in range(2, longest + 1):  # at least one word before the end
        ended = [(*w, EOS) for w in itertools.product((4, 5, 6), repeat=length - 1)]
        endless = list(itertools.product((4, 5, 6), repeat=longest))
        yield ended + (endless if length == longest else [])


@pytest.mark.parametrize(
    "options",
    swept(
        [
            {"cell": "gru"},
            {"cell": "lstm", "attention": "none"},
            {"cell": "lstm", "input_feeding": True, "coverage": True},
            {"queries": "first", "num_layers": 2, "attention": "additive"},
        ],
        lambda options: "coverage" in options or "queries" in options,
    ),
)
@pytest.mark.usefixtures("eagerly")
def test_a_beam_as_wide_as_the_space_finds_the_best_of_all_sequences(options):
    translator = made(**options)
    source_ids = translator.read(tf.constant(TEXTS[:2]))
    found = translator.translate_ids(source_ids, beam_size=64, alpha=1.0, max_tokens=3, n_best=10)
    for row in range(2):
        real = source_ids[row : row + 1]
        scored = []
        for sequences in every_sequence(3):
            totals = log_probabilities(translator.model, real, sequences)
            scored += [(t / len(s), s) for t, s in zip(totals, sequences, strict=True)]
        best = sorted(scored, reverse=True)[:10]
        lengths = found.lengths[row].numpy()
        ids = [
            tuple(t[:n].tolist())
            for t, n in zip(found.token_ids[row].numpy(), lengths, strict=True)
        ]
        assert ids == [sequence for _, sequence in best]
        np.testing.assert_allclose(found.scores[row], [score for score, _ in best], atol=1e-4)


@pytest.mark.parametrize("seed", swept([0, 1, 2], lambda seed: seed == 0))
@pytest.mark.usefixtures("eagerly")
def test_a_beam_of_one_writes_the_most_likely_token_each_time(seed):
    """A loop over the whole model, which an end token that is second best does not stop."""
    translator = made(seed=seed)
    source_ids = translator.read(tf.constant(TEXTS))
    read, tokens = np.full((4, 1), BOS, "int32"), np.zeros((4, 0), "int32")
    for place in range(7):
        logits = translator.model({"source_ids": source_ids.numpy(), "target_ids": read})
        logits = np.array(logits)[:, -1]
        logits[:, [PAD, UNK, BOS, *([EOS] if place < 1 else [])]] = -np.inf
        tokens = np.concatenate([tokens, logits.argmax(axis=1).astype("int32")[:, None]], axis=1)
        read = np.concatenate([read[:, :1], tokens], axis=1)
    found = translator.translate_ids(source_ids, beam_size=1, max_tokens=7)
    for row in range(4):
        expected = tokens[row].tolist()
        expected = expected[: expected.index(EOS) + 1] if EOS in expected else expected
        length = int(found.lengths[row, 0])
        assert found.token_ids[row, 0, :length].numpy().tolist() == expected


@pytest.mark.usefixtures("eagerly")
def test_no_sources_have_no_translations():
    translator, none = made(BeamSearch(ratio=1.0, extra=4)), tf.constant([], tf.string)
    for answer in (translator.best(none), translator.scores(none, none), translator.n_best(none)):
        assert {values.shape[0] for values in answer.values()} == {0}


def test_what_is_longer_than_is_read_is_reported():
    texts = ["ein " * 511, "ein " * 512, "ein" + " " * 9000, "hund"]
    found = made().scores(tf.constant(texts), tf.constant(["a"] * 3 + ["a " * 600]))
    assert found["truncated"].numpy().tolist() == [False, True, True, True]
    assert made().read(tf.constant(texts)).shape == (4, 512)


@pytest.mark.parametrize(
    ("option", "said"),
    [
        ({"alpha": float("nan")}, "alpha must be a number from 0 to 10, got nan"),
        ({"alpha": -0.5}, "alpha must be at least 0, got -0.5"),
        ({"beta": -1.0}, "beta must be at least 0, got -1.0"),
        ({"no_repeat": -1}, "no_repeat must be at least 0, got -1"),
        ({"min_tokens": -1}, "min_tokens must be at least 0, got -1"),
        ({"penalty": "mean"}, "penalty must be one of gnmt, average"),
        ({"ratio": float("inf")}, "ratio must be from 0 to 20.0, got inf"),
        ({"extra": -1}, "extra must be at least 0, got -1"),
    ],
)
def test_a_search_out_of_bounds_is_refused(option, said):
    with pytest.raises(InputError, match=said):
        BeamSearch(**option)


def test_neither_the_order_nor_padding_nor_neighbours_change_a_translation():
    translator = made(BeamSearch(beam_size=3, beta=0.2))
    together = translator.best(tf.constant(TEXTS))
    for place in (3, 0):
        alone = translator.best(tf.constant([TEXTS[place]]))
        assert alone["translation"][0] == together["translation"][place]
        np.testing.assert_allclose(
            alone["log_probability"][0], together["log_probability"][place], atol=1e-4
        )
    turned = translator.best(tf.constant(TEXTS[::-1]))["translation"]
    assert turned.numpy().tolist() == together["translation"].numpy().tolist()[::-1]


@pytest.mark.usefixtures("eagerly")
def test_log_probabilities_are_those_that_score_tells(functions):
    text = tf.constant(TEXTS[:2])
    found = functions["translate"](text, tf.fill([2], 4), tf.fill([2], 0.6), tf.fill([2], 6))
    assert found["translations"].shape == (2, 4)
    for rank in range(4):
        ended = [b"[EOS]" in row for row in found["target_tokens"][:, rank].numpy().tolist()]
        told = functions["score"](text, found["translations"][:, rank])
        for row in np.flatnonzero(ended):
            expected = found["log_probabilities"][row, rank]
            np.testing.assert_allclose(told["log_probability"][row], expected, atol=1e-4)
            count = sum(token != b"" for token in found["target_tokens"][row, rank].numpy())
            assert told["num_tokens"][row] == count
            perplexity = np.exp(-float(expected) / count)
            np.testing.assert_allclose(told["perplexity"][row], perplexity, rtol=1e-4)


def test_the_share_of_unknown_source_tokens_is_reported(functions):
    text = tf.constant(["ein hund", "ein zebra rennt qx", "zebra", ""])
    for found in (
        functions["serving_default"](text),
        functions["translate"](text, tf.fill([4], 2), tf.fill([4], 1.0), tf.fill([4], 2)),
        functions["score"](text, text),
    ):
        np.testing.assert_allclose(found["unknown_share"], [0, 0.5, 1, 0])
    codec = SubwordCodec.learn(["low lower"], size=300)
    ids = codec.ids(tf.constant(["lowé", "low", ""]))
    np.testing.assert_allclose(unknown_share(codec.unknown(ids)), [2 / ids[0].shape[0], 0, 0])


@pytest.mark.usefixtures("eagerly")
def test_attention_is_given_for_each_token_and_sums_to_one():
    found = made().n_best(tf.constant(TEXTS), n_best=2, beam_size=2)
    source, target = found["source_tokens"].numpy(), found["target_tokens"].numpy()
    assert source[0].tolist() == [b"ein", b"hund", b"rennt", b".", b"[EOS]", b"", b"", b"", b""]
    weights = found["attention"].numpy()
    assert weights.shape == (4, 2, target.shape[2], 9)
    np.testing.assert_allclose(weights.sum(axis=-1), target != b"", atol=1e-5)
    assert not np.any(np.where((source != b"")[:, None, None], 0, weights))
    without = made(attention="none").n_best(tf.constant(TEXTS))
    assert not np.any(without["attention"])


def test_translations_begin_with_a_prefix(functions):
    prefix = tf.constant(["dog", "a dog", "", "runs runs"])
    asked = tf.fill([4], 3), tf.fill([4], 1.0), tf.fill([4], 0)
    found = functions["complete"](tf.constant(TEXTS), prefix, *asked)
    for row, begun in enumerate(prefix.numpy().tolist()):
        assert all(one.startswith(begun) for one in found["translations"][row].numpy().tolist())
    plain = functions["translate"](tf.constant(TEXTS), *asked)
    assert found["translations"][2, 0] == plain["translations"][2, 0]


@pytest.mark.usefixtures("eagerly")
def test_unknown_words_are_taken_from_the_source_where_attention_points():
    model = model_of()
    model.get_layer("logits").bias.assign([0, 50.0, 0, 0, 0, 0, 0])  # UNK all the time
    translator = Translator(model, SOURCE, TARGET, BeamSearch(replace_unknown=True))
    text = tf.constant(["ein Zebra rennt ."])
    found = translator.n_best(text, max_tokens=3)
    places = found["attention"].numpy()[0, 0, :, :4].argmax(axis=-1)
    words = np.array(["ein", "Zebra", "rennt", "."])[places]
    assert [token.decode() for token in found["target_tokens"].numpy()[0, 0]] == words.tolist()
    again = translator.best(text)["translation"].numpy()[0].decode()
    assert set(again.replace(".", " .").split()) <= {"ein", "Zebra", "rennt", "."}
    assert "<unk>" not in made().best(text)["translation"].numpy()[0].decode()


@pytest.mark.usefixtures("eagerly")
def test_what_is_left_out_of_the_source_costs_a_translation():
    def found(beta):
        translator = made(BeamSearch(beam_size=64, beta=beta, alpha=0.0))
        return translator.translate_ids(source_ids, max_tokens=3, n_best=64)

    source_ids = made().read(tf.constant(TEXTS[:1]))
    plain, changed = found(0.0), found(0.8)
    for hypotheses in (plain, changed):
        weights = made().attention(source_ids, hypotheses.token_ids)
        covered = np.clip(weights.numpy()[0].sum(axis=1), 1e-4, 1.0)  # (N, T_x)
        beta = 0.8 if hypotheses is changed else 0.0
        there = hypotheses.lengths[0].numpy() > 0
        expected = hypotheses.log_probabilities[0] + beta * np.log(covered).sum(axis=1)
        np.testing.assert_allclose(hypotheses.scores[0][there], expected[there], atol=1e-4)
    assert plain.token_ids[0, 0].numpy().tolist() != [] and np.any(plain.scores != changed.scores)


@pytest.mark.sweep
@pytest.mark.timeout(900)  # traces four signatures twice
def test_an_exported_translator_answers_the_same_in_a_process_without_the_zoo(tmp_path):
    texts = ["Ein Hund, der rennt.", "Zwei Hunde rennen!", "", "Hunde"]
    codec = SubwordCodec.learn(texts[:2] * 3, size=300)
    size = len(codec.vocabulary)
    sizes = {"source_vocabulary_size": size, "target_vocabulary_size": size}
    model = model_of(cell="lstm", queries="first", num_layers=2, **sizes)
    translator = Translator(model, codec, codec, BeamSearch(beam_size=2, beta=0.1))
    path = translator.export(tmp_path / "translation")  # asks another process
    served = tf.saved_model.load(str(path))
    assert set(served.signatures) == {"serving_default", "translate", "complete", "score"}
    answer = served.signatures["serving_default"](text=tf.constant(texts))
    expected = translator.best(tf.constant(texts))
    assert answer["translation"].numpy().tolist() == expected["translation"].numpy().tolist()
    assert set(answer) == {"translation", "log_probability", "unknown_share", "truncated"}
    asked = {"beam_size": tf.fill([4], 2), "length_penalty": tf.fill([4], 1.0)}
    found = served.signatures["translate"](
        text=tf.constant(texts), max_tokens=tf.fill([4], 9), **asked
    )
    tokens = [token for token in found["target_tokens"].numpy()[0, 0].tolist() if token]
    ids = codec.vocabulary.ids(tf.constant([tokens]))
    assert found["translations"].numpy()[0, 0] == codec.text(ids).numpy()[0]


def test_a_model_of_other_sizes_and_wrong_searches_are_refused():
    with pytest.raises(InputError, match="the model is for 7 target tokens, but .* has 9"):
        Translator(model_of(), SOURCE, SOURCE)
    with pytest.raises(InputError, match="the model is for 9 source tokens, but .* has 7"):
        Translator(model_of(), TARGET, TARGET)
    with pytest.raises(InputError, match="replace_unknown takes the source token"):
        made(BeamSearch(replace_unknown=True), attention="none")
    with pytest.raises(InputError, match="beam_size must be a positive int, got 0"):
        BeamSearch(beam_size=0)


def test_the_longest_translation_follows_from_the_source():
    translator = made(BeamSearch(ratio=1.5, extra=2))
    ids = np.array([[4, 5, 6, EOS], [4, EOS, PAD, PAD]], "int32")
    assert translator.limits(tf.constant(ids)).numpy().tolist() == [8, 5]
