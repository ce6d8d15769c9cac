"""What is cut of long texts, what is unknown, and rows of unequal lengths as one tensor."""

import functools

import numpy as np
import pytest
import tensorflow as tf

from tests.sweeps import swept
from zoo.pipelines.pipeline import names_of
from zoo.text import SubwordCodec, TextCodec, unknown_share, unknown_tokens
from zoo.text.limits import is_long, shortened
from zoo.text.text_path import dense

TEXTS = ["", "né", "abcdef", "👍🏽x👩‍🚀yz", "e\u0301e\u0301e\u0301"]


@pytest.mark.parametrize("most", [1, 4, 5, 100])
def test_what_is_kept_is_counted_in_characters(most):
    given = tf.constant(TEXTS)
    for keep, expected in (
        ("head", [text[:most] for text in TEXTS]),
        ("tail", [text[-most:] for text in TEXTS]),
        (
            "middle",
            [
                text if len(text) <= most else text[: most - most // 2] + text[-(most // 2) or 99 :]
                for text in TEXTS
            ],
        ),
    ):
        found = [text.decode() for text in shortened(given, most, keep).numpy()]
        assert found == expected, keep
    assert is_long(given, most).numpy().tolist() == [len(text) > most for text in TEXTS]


def test_bytes_that_are_not_utf_8_and_any_shape_are_cut_as_well():
    given = tf.constant([[b"\xff\xfe\xff abc", b"a"], [b"", b"\xc3"]])
    for keep in ("head", "tail", "middle"):
        assert shortened(given, 3, keep).shape == (2, 2)
    assert shortened(tf.constant([], tf.string), 3, "tail").shape == (0,)


def test_a_batch_without_rows_has_a_place_for_time():
    assert dense(tf.RaggedTensor.from_row_lengths(tf.constant([], tf.int32), [])).shape == (0, 1)
    found = dense(tf.RaggedTensor.from_row_lengths(["a", "b", "c"], [0, 2, 1]), "")
    assert found.numpy().tolist() == [[b"", b""], [b"a", b"b"], [b"c", b""]]


def test_unknown_tokens_are_counted_and_named():
    codec = TextCodec.learn(["abc"])
    tokens, ids = codec.tokens_and_ids(tf.constant(["axbyx", "abc", "", "z" * 50]))
    unknown = codec.unknown(ids)
    np.testing.assert_allclose(unknown_share(unknown), [0.6, 0, 0, 1], atol=1e-6)
    found = unknown_tokens(tokens, unknown).numpy()
    assert found[0].tolist()[:4] == [b"x", b"y", b"x", b""]
    assert set(found[1]) == set(found[2]) == {b""} and found[3].tolist() == [b"z"] * 20


def test_ids_without_a_name_have_none():
    found = names_of(["a", "b"], tf.constant([0, 1, 2, -1, 2**31 - 1, -(2**31)])).numpy()
    assert found.tolist() == [b"a", b"b", b"", b"", b"", b""]


@functools.cache
def codecs_of(level):
    """One that keeps the case, and one that lowers it."""
    codec = TextCodec.learn(["so it goes , ( . so abc"], level=level)
    return codec, TextCodec(codec.vocabulary, level=level, lower=True)


def continued(codec, prompt, text):
    """A prompt and the ids of another text behind it."""
    return codec.continued(tf.constant([prompt]), codec.ids(tf.constant([text])).to_tensor())[0]


KEPT = ("Xé e\u0301\r\n\x00", "Qx  so ,it", "Qx (", b"Q\xff", "Qx\t")  # by the default run


@pytest.mark.parametrize(
    ("level", "prompt", "added", "expected"),
    swept(
        [
            ("character", "", "abc", "abc"),
            ("character", "Xé e\u0301\r\n\x00", "abc", "Xé e\u0301\r\n\x00abc"),
            ("character", b"\xff", "abc", b"\xffabc"),
            ("word", "", "so it goes", "so it goes"),
            ("word", "Qx", "so it goes", "Qx so it goes"),
            ("word", "Qx ", "so", "Qx so"),
            ("word", "Qx\n", "so", "Qx\nso"),
            ("word", "Qx  so ,it", ", goes.", "Qx  so ,it, goes."),
            ("word", "Qx (", "so", "Qx (so"),
            ("word", "Qx", "", "Qx"),
            ("word", "Qx ", "", "Qx "),
            ("word", b"Q\xff", "so", b"Q\xff so"),
            ("space", "Qx ,", ", so", "Qx , , so"),
            ("space", "Qx\t", "so", "Qx\tso"),
            ("space", "", "so", "so"),
        ],
        lambda level, prompt, added, expected: prompt in KEPT,
    ),
)
def test_a_prompt_stays_as_it_was_given(level, prompt, added, expected):
    codec, lowered = codecs_of(level)
    expected = expected if isinstance(expected, bytes) else expected.encode()
    assert continued(codec, prompt, added).numpy() == expected
    assert continued(lowered, prompt, added).numpy() == expected, "its case too"


@pytest.mark.parametrize(
    ("prompt", "added", "expected"),
    [
        ("", "low lower", "low lower"),
        ("Sl\u0065\u0301x", "low", "Sl\u0065\u0301x low"),
        ("Slé ", "low", "Slé low"),
        ("Slé\t", "low", "Slé\tlow"),
        ("Slé  x", "", "Slé  x"),
        (b"\xff", "low", b"\xff low"),
    ],
)
def test_a_prompt_before_pieces_of_words_stays_as_it_was_given(prompt, added, expected):
    codec = SubwordCodec.learn(["low lower lowest"], size=280)
    expected = expected if isinstance(expected, bytes) else expected.encode()
    assert continued(codec, prompt, added).numpy() == expected


def test_a_piece_within_a_word_follows_without_a_blank():
    codec = SubwordCodec.learn(["low lower lowest"], size=280)
    ids = codec.ids(tf.constant(["low"]))[:, 1:].to_tensor()  # its first piece has the blank
    text = codec.text(ids).numpy()[0].decode()
    assert codec.continued(tf.constant(["Qs"]), ids).numpy()[0].decode() == "Qs" + text
