"""Text paths with the tokens of another one as well: old ids keep their places."""

import pytest
import tensorflow as tf

from zoo.errors import InputError
from zoo.text import NgramVectorizer, SubwordCodec, TextCodec, TokenVectorizer, Vectorizer


def test_known_tokens_keep_their_ids_and_new_ones_follow():
    pretrained = Vectorizer.learn(["a good film", "a film"], max_length=9)
    extended = pretrained.extended(Vectorizer.learn(["a bad film"], max_length=9))
    assert extended.vocabulary.tokens[4:] == ["a", "film", "good", "bad"]
    assert extended.get_config() == pretrained.get_config()
    codec = TextCodec.learn(["ab"], level="character").extended(
        TextCodec.learn(["cb"], level="character")
    )
    assert codec.vocabulary.tokens[4:] == ["a", "b", "c"]
    first, second = (
        TokenVectorizer.learn(words, letters_min_count=1) for words in ([["Ann"]], [["Bo", "Ann"]])
    )
    both = first.extended(second)
    assert both.vocabulary.tokens[4:] == ["ann", "bo"]
    assert both.letters.tokens[4:] == ["n", "A", "B", "o"]
    read = both(tf.constant([["Ann", "Bo"]]))["token_ids"]
    assert read.numpy().tolist() == [[4, 5]]


def test_texts_paths_without_words_stay_as_they_are():
    pieces = SubwordCodec.learn(["low lower lowest"], size=270)
    assert pieces.extended(SubwordCodec.learn(["new"], size=270)) is pieces
    grams = NgramVectorizer(16, [2])
    assert grams.extended(NgramVectorizer(16, [2])) is grams


@pytest.mark.parametrize(
    ("pretrained", "other", "message"),
    [
        (
            Vectorizer.learn(["a"]),
            Vectorizer.learn(["a"], lower=False),
            "with lower False, but with True in the pretrained model",
        ),
        (
            NgramVectorizer(16, [2]),
            NgramVectorizer(16, [3]),
            r"with sizes \[3\], but with \[2\] in the pretrained model",
        ),
        (
            Vectorizer.learn(["a"]),
            TextCodec.learn(["a"]),
            "read by a TextCodec, but by a Vectorizer in the pretrained model",
        ),
    ],
)
def test_text_that_is_read_in_another_way_is_refused(pretrained, other, message):
    with pytest.raises(InputError, match=message):
        pretrained.extended(other)
