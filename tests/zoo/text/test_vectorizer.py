"""The whole text path: strings -> padded ids, everywhere the same."""

import random

import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st

from zoo.errors import InputError
from zoo.text import Vectorizer, Vocabulary

SPECIAL = ["[PAD]", "[UNK]", "[BOS]", "[EOS]"]
LETTERS = "abcdefghijkl"  # ids 4 to 15
TEXTS = [
    "A good film!",
    "",
    "bad<br />bad",
    "e\u0301té\0 film",
    "👍🏽 我爱",
    "unheard of",
    "good " * 30,
]


def letters(**options):
    return Vectorizer(Vocabulary([*SPECIAL, *LETTERS]), **options)


def ids(vectorizer, texts):
    return vectorizer(tf.constant(texts, tf.string, [len(texts)])).numpy().tolist()


@pytest.fixture(scope="module")
def vectorizer():
    return Vectorizer.learn([text for text in TEXTS if "unheard" not in text], max_length=12)


def test_words_become_ids_with_padding_on_the_right():
    vectorizer = Vectorizer.learn(["a good, good film", "The film!", "a  GOOD day"], max_length=6)
    # good 3; a, film 2; then those that occur once: "!" "," day the
    assert vectorizer.vocabulary.tokens[4:] == ["good", "a", "film", "!", ",", "day", "the"]
    found = vectorizer(tf.constant(["The good film", "bad!", "", "a a a a a a a"]))
    assert found.dtype == tf.int32
    assert found.numpy().tolist() == [
        [10, 4, 6, 0, 0, 0],
        [1, 7, 0, 0, 0, 0],
        [1, 0, 0, 0, 0, 0],
        [5, 5, 5, 5, 5, 5],
    ]


def test_characters_become_ids_spaces_included():
    vectorizer = Vectorizer.learn(["ab a", "A"], level="character", lower=False)
    assert vectorizer.vocabulary.tokens[4:] == ["a", " ", "A", "b"]
    assert ids(vectorizer, ["b A", "x", ""]) == [[7, 5, 6], [1, 0, 0], [1, 0, 0]]


def test_case_counts_unless_it_is_dropped():
    texts = ["Good good"]
    assert Vectorizer.learn(texts, lower=True).vocabulary.tokens[4:] == ["good"]
    kept = Vectorizer.learn(texts, lower=False)
    assert kept.vocabulary.tokens[4:] == ["Good", "good"]
    assert ids(kept, ["good Good GOOD"]) == [[5, 4, 1]]


def test_a_learned_vocabulary_keeps_to_size_and_min_count():
    texts = ["a a a b b c"]
    assert Vectorizer.learn(texts, size=5).vocabulary.tokens[4:] == ["a"]
    assert Vectorizer.learn(texts, min_count=2).vocabulary.tokens[4:] == ["a", "b"]


def test_a_vocabulary_is_counted_over_more_than_one_chunk():
    texts = ["rare"] + ["often"] * 299 + ["late late"] * 100
    assert Vectorizer.learn(texts, min_count=200).vocabulary.tokens[4:] == ["often", "late"]


@pytest.mark.parametrize(
    ("truncation", "max_length", "kept"),
    [
        ("head", 1, "a"),
        ("head", 7, "abcdefg"),
        ("head", 8, "abcdefgh"),
        ("tail", 1, "h"),
        ("tail", 3, "fgh"),
        ("tail", 7, "bcdefgh"),
        ("tail", 8, "abcdefgh"),
        ("middle", 1, "h"),
        ("middle", 2, "gh"),
        ("middle", 3, "fgh"),
        ("middle", 4, "afgh"),
        ("middle", 5, "aefgh"),
        ("middle", 7, "acdefgh"),
        ("middle", 8, "abcdefgh"),
        ("middle", 9, "abcdefgh"),
    ],
)
def test_of_eight_tokens_these_are_kept(truncation, max_length, kept):
    vectorizer = letters(max_length=max_length, truncation=truncation)
    expected = [4 + LETTERS.index(letter) for letter in kept]
    # beside a shorter and a longer row, and one without a token
    found = ids(vectorizer, ["a b c d e f g h", "", "l", "k " * 20])
    assert [token for token in found[0] if token] == expected
    assert found[1][0] == 1 and not any(found[1][1:])
    assert found[2][0] == 15 and not any(found[2][1:])
    assert found[3] == [14] * max_length


@pytest.mark.parametrize("truncation", ["head", "tail", "middle"])
@pytest.mark.parametrize("max_length", [5, 8])
def test_a_text_is_cut_as_a_python_list_would_be(truncation, max_length):
    vectorizer = letters(max_length=max_length, truncation=truncation)
    rows = [list(range(4, 4 + length)) for length in range(1, 13)]
    texts = [" ".join(LETTERS[token - 4] for token in row) for row in rows]
    head = {"head": max_length, "tail": 0, "middle": max_length // 4}[truncation]
    tail = max_length - head
    expected = [
        row if len(row) <= max_length else row[:head] + row[len(row) - tail :] for row in rows
    ]
    assert vectorizer.ragged_ids(tf.constant(texts)).to_list() == expected


@pytest.mark.parametrize("level", ["word", "character"])
def test_a_text_without_a_token_is_one_unknown_token(level):
    vectorizer = letters(level=level)
    blank = ["", " ", "\0", "<br />", "\t\n", "\u3000"]
    assert ids(vectorizer, blank) == [[1]] * 6
    assert [ids(vectorizer, [text]) for text in blank[:3]] == [[[1]]] * 3
    assert ids(vectorizer, ["", "ab" if level == "character" else "a b", "\0"]) == [
        [1, 0],
        [4, 5],
        [1, 0],
    ]
    assert [row.tolist() for row in vectorizer.encode(["", "a", "\0"])] == [[1], [4], [1]]


def test_encoding_a_split_is_as_calling_it_text_by_text(vectorizer):
    draw = random.Random(5)
    words = ["good", "film", "bad", "never", "!", "été"]
    texts = [" ".join(draw.choices(words, k=draw.randint(0, 16))) for _ in range(600)]
    rows = vectorizer.encode(texts)
    padded = vectorizer(tf.constant(texts)).numpy()
    assert len(rows) == 600 and {row.dtype for row in rows} == {np.dtype("int32")}
    assert padded.shape[1] == 12 == max(len(row) for row in rows)
    for row, together in zip(rows, padded, strict=True):
        assert row.tolist() == together[together > 0].tolist() == together[: len(row)].tolist()


@pytest.mark.parametrize("count", [0, 256, 257])
def test_encoding_gives_one_array_a_text_around_the_chunk_size(vectorizer, count):
    rows = vectorizer.encode(["good"] * (count - 1) + ["bad film"] * (count > 0))
    assert len(rows) == count
    assert [len(row) for row in rows] == [1] * (count - 1) + [2] * (count > 0)


def test_a_data_pipeline_gives_the_same_ids(vectorizer):
    dataset = tf.data.Dataset.from_tensor_slices(TEXTS).batch(3).map(vectorizer)
    batches = [batch.numpy().tolist() for batch in dataset]
    assert batches == [ids(vectorizer, TEXTS[start : start + 3]) for start in (0, 3, 6)]


@pytest.mark.parametrize(("level", "truncation"), [("word", "head"), ("character", "middle")])
def test_a_saved_model_gives_the_same_ids(tmp_path, level, truncation):
    options = {"level": level, "truncation": truncation, "max_length": 9}
    vectorizer = Vectorizer.learn(TEXTS[:5], **options)
    module = tf.Module()
    module.vectorizer = vectorizer
    signature = [tf.TensorSpec([None], tf.string)]
    module.encode = tf.function(vectorizer.__call__, input_signature=signature)
    tf.saved_model.save(module, str(tmp_path))
    loaded = tf.saved_model.load(str(tmp_path))
    for texts in (TEXTS, TEXTS[3:4], [""], ["\0"]):
        assert loaded.encode(tf.constant(texts)).numpy().tolist() == ids(vectorizer, texts)


@settings(deadline=None, max_examples=40)
@given(texts=st.lists(st.sampled_from(TEXTS), min_size=1, max_size=6), data=st.data())
def test_neither_order_nor_batch_mates_matter(vectorizer, texts, data):
    order = data.draw(st.permutations(range(len(texts))))
    rows = vectorizer.ragged_ids(tf.constant(texts)).to_list()
    mixed = vectorizer.ragged_ids(tf.constant([texts[place] for place in order])).to_list()
    assert mixed == [rows[place] for place in order]
    assert rows == [ids(vectorizer, [text])[0] for text in texts]


@pytest.mark.parametrize(
    ("option", "message"),
    [
        ({"level": "words"}, "level must be one of.*did you mean 'word'"),
        ({"lower": "yes"}, "lower must be True or False, got 'yes'"),
        ({"max_length": 0}, "max_length must be a positive int, got 0"),
        ({"max_length": True}, "max_length must be a positive int, got True"),
        ({"max_length": 2.0}, "max_length must be a positive int, got 2.0"),
        ({"truncation": "tails"}, "truncation must be one of.*did you mean 'tail'"),
    ],
)
def test_a_wrong_option_is_an_error_that_names_it(option, message):
    with pytest.raises(InputError, match=message):
        letters(**option)


def test_its_config_builds_it_again():
    config = {"level": "character", "lower": False, "max_length": 7, "truncation": "middle"}
    vectorizer = letters(**config)
    assert vectorizer.get_config() == config
    again = Vectorizer(vectorizer.vocabulary, **vectorizer.get_config())
    assert ids(again, TEXTS) == ids(vectorizer, TEXTS)
