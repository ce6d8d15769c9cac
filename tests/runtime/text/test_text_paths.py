"""The text paths of the runtime against those of the graph, on the corpus of the text tests."""

import functools
import itertools

import numpy as np
import pytest
import tensorflow as tf

import rnn_zoo_runtime.text as twin
import zoo.text
from rnn_zoo_runtime.text import limits, normalization
from tests.runtime.text.corpus import LONG, TEXTS
from tests.zoo.text.subwords.test_codec import learned as learned_subwords
from tests.zoo.text.test_text_codec import learned as learned_codec
from zoo.text import Normalizer
from zoo.text import limits as graph_limits

SPEC = [tf.TensorSpec([None], tf.string)]


def in_graph(function):
    return tf.function(function, input_signature=SPEC, autograph=False)


def strings(tensor):
    return [text.decode() for text in tensor.numpy().tolist()]


def rows(ragged):
    return [[each.decode() for each in row] for row in ragged.to_list()]


def reloaded(path, folder):
    """The twin of a text path, from the files that it saves."""
    path.save(folder, "path")
    return getattr(twin, type(path).__name__).load(folder, "path", **path.get_config())


@pytest.mark.parametrize("lower", [True, False])
def test_texts_are_normalized_alike(lower):
    expected = strings(in_graph(Normalizer(lower))(tf.constant(TEXTS)))
    assert [normalization.normalized(text, lower) for text in TEXTS] == expected


@pytest.mark.parametrize("keep", ["head", "tail", "middle"])
@pytest.mark.parametrize("most", [1, 4, 7])
def test_texts_are_cut_alike(keep, most):
    cut = in_graph(functools.partial(graph_limits.shortened, most=most, keep=keep))
    expected = cut(tf.constant(TEXTS)).numpy().tolist()
    assert [limits.shortened(text, most, keep) for text in TEXTS] == expected
    long = graph_limits.is_long(tf.constant(TEXTS), most).numpy().tolist()
    assert [limits.is_long(text, most) for text in TEXTS] == long
    valid = [text.decode() for text in TEXTS if b"\xef\xbf\xbd" not in text and _is_utf8(text)]
    expected = strings(cut(tf.constant(valid)))
    assert [limits.shortened(text, most, keep) for text in valid] == expected


def _is_utf8(text):
    return text.decode(errors="replace").encode() == text


def test_word_tokens_and_their_places_are_alike():
    short = itertools.product("a1'.@-_ ,", repeat=3)  # all that decides beside what
    texts = [*TEXTS, *("".join(characters).encode() for characters in short)]
    found = in_graph(zoo.text.word_tokens)(tf.constant(texts))
    tokens, starts, ends = (values.numpy() for values in found)
    for row, text in enumerate(texts):
        own = twin.word_tokens(text)
        count = len(own.tokens)
        assert own.tokens == [token.decode() for token in tokens[row] if token]
        assert own.starts.tolist() == starts[row, :count].tolist()
        assert own.ends.tolist() == ends[row, :count].tolist()


@pytest.mark.parametrize("level", ["word", "character"])
@pytest.mark.parametrize(
    ("lower", "truncation"), [(True, "head"), (False, "tail"), (True, "middle")]
)
def test_a_vectorizer_gives_the_ids_of_the_graph(level, lower, truncation, tmp_path):
    options = {"level": level, "lower": lower, "truncation": truncation, "max_length": 9}
    learner = zoo.text.Vectorizer(zoo.text.Vocabulary(zoo.text.SPECIAL), **options)
    read = in_graph(lambda texts: (learner.tokens(texts), learner.all_tokens(texts).flat_values))
    tokens, flat = read(tf.constant(TEXTS))
    known = sorted(set(strings(flat)) - set(zoo.text.SPECIAL))[::2]
    learner.vocabulary = zoo.text.Vocabulary([*zoo.text.SPECIAL, *known])
    own = reloaded(learner, tmp_path)
    assert own.tokens(TEXTS) == rows(tokens)
    expected = in_graph(learner)(tf.constant(TEXTS)).numpy()
    assert own(TEXTS).dtype == np.int32
    np.testing.assert_array_equal(own(TEXTS), expected)
    np.testing.assert_array_equal(own(["", b""]), [[1], [1]])
    assert own([]).shape == (0, 1)


@pytest.mark.parametrize("sizes", [(1, 2, 3), (5, 8, 17, 40)])
def test_hashed_n_grams_are_those_of_the_graph(sizes, tmp_path):
    path = zoo.text.NgramVectorizer(500, sizes=sizes)
    own = reloaded(path, tmp_path)
    texts = TEXTS[::3]
    expected = in_graph(path)(tf.constant(texts)).numpy()
    np.testing.assert_allclose(own(texts), expected, atol=1e-6)


def test_fingerprints_of_all_lengths_are_those_of_tensorflow():
    from rnn_zoo_runtime.text.fingerprint import fingerprint64

    data = [np.random.default_rng(n).bytes(n) for n in range(400)]
    expected = tf.strings.to_hash_bucket_fast(data, 2**62).numpy().tolist()
    assert [fingerprint64(each) % 2**62 for each in data] == expected


@pytest.mark.parametrize(("lower", "max_letters"), [(True, 20), (False, 5), (True, 1)])
def test_a_token_vectorizer_gives_the_ids_of_the_graph(lower, max_letters, tmp_path):
    given = [TEXTS[at : at + 7] for at in range(0, len(TEXTS), 7)]
    sentences = [[token for token in row if token] for row in given]
    spelled = [[token.decode(errors="replace") for token in row] for row in sentences[::2]]
    path = zoo.text.TokenVectorizer.learn(
        spelled, letters_min_count=1, lower=lower, max_letters=max_letters
    )
    own = reloaded(path, tmp_path)
    dense = tf.ragged.constant(sentences, dtype=tf.string).to_tensor()
    expected = {name: values.numpy() for name, values in path(dense).items()}
    found = own(sentences)
    assert set(found) == set(expected)
    for name, values in found.items():
        np.testing.assert_array_equal(values, expected[name], err_msg=name)
    np.testing.assert_array_equal(own([[], [""]])["token_ids"], [[1], [1]])


@pytest.mark.parametrize("level", ["character", "word", "space"])
@pytest.mark.parametrize("lower", [False, True])
def test_a_codec_reads_and_writes_as_in_the_graph(level, lower, tmp_path):
    path = learned_codec(level)
    path = zoo.text.TextCodec(path.vocabulary, level=level, lower=lower)
    check_codec(path, tmp_path)


@pytest.mark.parametrize("lower", [False, True])
def test_a_subword_codec_reads_and_writes_as_in_the_graph(lower, tmp_path):
    check_codec(learned_subwords(lower), tmp_path)


def check_codec(path, folder):
    own = reloaded(path, folder)
    texts = [*TEXTS, b"[PAD] [UNK] a"]
    tokens, ids = in_graph(path.tokens_and_ids)(tf.constant(texts))
    found = [own.tokens_and_ids(text) for text in texts]
    assert [one for one, _ in found] == rows(tokens)
    assert [one for _, one in found] == ids.to_list()
    assert [own.normalized(text) for text in texts] == strings(path.normalized(tf.constant(texts)))
    flags = path.unknown(ids).to_list()
    assert [own.unknown(row) for row in ids.to_list()] == flags

    draw = np.random.default_rng(5)
    written = draw.integers(0, len(path.vocabulary), [len(texts), 9], np.int32)
    written[::5] = np.where(draw.random(written[::5].shape) < 0.3, written[::5], 0)
    assert [own.text(row) for row in written] == strings(path.text(tf.constant(written)))
    expected = path.continued(tf.constant(texts), tf.constant(written)).numpy().tolist()
    continued = [own.continued(text, row) for text, row in zip(texts, written, strict=True)]
    assert continued == [text.decode(errors="replace") for text in expected]
    names = draw.choice([*path.vocabulary.tokens, "", "foreign", "x\u2581y"], [200, 6])
    assert [own.joined(row) for row in names.tolist()] == strings(path.joined(tf.constant(names)))


def test_very_long_texts_have_the_ids_of_the_graph(tmp_path):
    path = learned_codec("character")
    own = reloaded(path, tmp_path)
    cut = in_graph(lambda texts: path.ids(graph_limits.shortened(texts)))
    expected = cut(tf.constant(LONG)).to_list()
    assert [own.ids(limits.shortened(text)) for text in LONG] == expected
    assert [limits.is_long(text) for text in LONG] == [True, True, False, True]
