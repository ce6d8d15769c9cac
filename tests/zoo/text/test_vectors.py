"""Files of word vectors, read and put into a table."""

import gzip

import numpy as np
import pytest

from zoo.errors import InputError
from zoo.text import Vocabulary, load_vectors
from zoo.text.vectors import table
from zoo.text.vocabulary import SPECIAL

GLOVE = "the 0.5 -1 2e-3\n. . . 1 2 3\nthe 9 9 9\ncafé 4 5 6\n"


@pytest.mark.parametrize("head", ["", "4 3\n"])
@pytest.mark.parametrize("ending", [".txt", ".gz"])
def test_glove_and_word2vec_files_are_read(head, ending, tmp_path):
    path = tmp_path / f"vectors{ending}"
    data = (head + GLOVE).encode()
    path.write_bytes(gzip.compress(data) if ending == ".gz" else data)
    words, values = load_vectors(path)
    assert words == ["the", ". . .", "café"]
    np.testing.assert_allclose(values[0], [0.5, -1, 2e-3], rtol=1e-6)
    np.testing.assert_allclose(values[-1], [4, 5, 6])
    assert values.dtype == np.float32


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("a 1 2\nb 1\n", "line 2: expected a word and 2 numbers, got 'b 1'"),
        ("a 1 2\nb 1 x\n", "line 2: expected a word and 2 numbers"),
        ("a 1 1e40\n", "line 1: expected a word and 2 numbers"),
        ("a 1 nan\n", "line 1: expected a word and 2 numbers"),
        ("a\n", "line 1: expected a word and 1 numbers"),
        ("", "holds no vectors"),
    ],
)
def test_a_malformed_line_is_named(text, said, tmp_path):
    path = tmp_path / "vectors.txt"
    path.write_text(text)
    with pytest.raises(InputError) as error:
        load_vectors(path)
    assert said in str(error.value)


def test_no_file_and_no_text_are_named(tmp_path):
    with pytest.raises(InputError, match="no vectors in"):
        load_vectors(tmp_path / "none.txt")
    (tmp_path / "latin.txt").write_bytes(b"a 1\n\xe9 2\n")
    with pytest.raises(InputError, match="line 2: not UTF-8"):
        load_vectors(tmp_path / "latin.txt")
    (tmp_path / "no.gz").write_bytes(b"a 1\n")
    with pytest.raises(InputError, match="no vectors in"):
        load_vectors(tmp_path / "no.gz")
    whole = gzip.compress(GLOVE.encode() * 50)
    (tmp_path / "broken.gz").write_bytes(whole[:30] + b"\0\xff\0\xff" + whole[34:])
    with pytest.raises(InputError, match="no vectors in"):
        load_vectors(tmp_path / "broken.gz")


def test_a_table_takes_what_the_file_has_and_the_rest_small(tmp_path):
    (tmp_path / "v.txt").write_text(GLOVE)
    vectors = load_vectors(tmp_path / "v.txt")
    vocabulary = Vocabulary([*SPECIAL, "café", "none", "the"])
    values, found = table(vectors, vocabulary)
    assert found == 2
    np.testing.assert_allclose(values[4], [4, 5, 6])
    np.testing.assert_allclose(values[6], [0.5, -1, 2e-3], rtol=1e-6)
    np.testing.assert_array_equal(np.delete(values, [4, 6], axis=0), 0)


@pytest.mark.parametrize("head", ["4 2\n", "4 2\r\n", ""])
def test_a_byte_order_mark_is_neither_a_word_nor_hides_the_head(head, tmp_path):
    path = tmp_path / "vectors.txt"
    path.write_bytes(f"\ufeff{head}the 1 2\r\na 3 4\n".encode())
    words, values = load_vectors(path)
    assert words == ["the", "a"]
    np.testing.assert_array_equal(values, [[1, 2], [3, 4]])


def test_lines_of_vectors_end_at_line_feeds_alone(tmp_path):
    path = tmp_path / "vectors.GZ"
    words = ["a\u2028b", "c\x85", "d\x0b", "e\x0cf", "g\rh", "\u00b2"]
    path.write_bytes(gzip.compress("".join(f"{word} 1 2\n" for word in words).encode()))
    assert load_vectors(path).words == words


def test_vectors_without_an_end_are_refused_by_limits(tmp_path, monkeypatch):
    monkeypatch.setenv("RNN_ZOO_MAX_LINE_BYTES", str(2**20))
    with pytest.raises(InputError, match="/dev/zero, line 1: longer than 1,048,576 bytes"):
        load_vectors("/dev/zero")
    (tmp_path / "bomb.gz").write_bytes(gzip.compress(bytes(2**21)))
    with pytest.raises(InputError, match="bomb.gz, line 1: longer"):
        load_vectors(tmp_path / "bomb.gz")
    monkeypatch.setenv("RNN_ZOO_MAX_VECTORS_BYTES", "60000")
    (tmp_path / "many.txt").write_text("a 1 2\n" * 10_001)
    with pytest.raises(InputError, match="many.txt: more than 60,000 bytes"):
        load_vectors(tmp_path / "many.txt")
    with pytest.raises(InputError, match="no vectors in .*Is a directory"):
        load_vectors(tmp_path)


def test_words_of_a_file_in_another_normal_form_are_found(tmp_path):
    (tmp_path / "v.txt").write_text("cafe\u0301 1 2\n", encoding="utf-8")
    values, found = table(load_vectors(tmp_path / "v.txt"), Vocabulary([*SPECIAL, "café"]))
    assert found == 1
    np.testing.assert_array_equal(values[4], [1, 2])
