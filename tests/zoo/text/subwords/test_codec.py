"""Pieces of words: what comes back, whether the best pieces are found, learning, files, serving."""

import functools
import gzip
import itertools
import unicodedata
from pathlib import Path

import numpy as np
import pytest
import sentencepiece
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st

from zoo.errors import InputError
from zoo.export import ODD_TEXTS, publish
from zoo.text import BOS, EOS, PAD, UNK, SubwordCodec, Vocabulary
from zoo.text.subwords import codec as subword_codec
from zoo.text.subwords.learning import MARK, learned_pieces, trained
from zoo.text.subwords.segmentation import FALLBACK, RESERVED, Segmenter
from zoo.text.subwords.words import split_words

MULTI30K = Path(__file__).parents[5] / "shared" / "data" / "multi30k"
FIRST = len(RESERVED)
TEXTS = [
    "The lower house is low, the new one is lower: 12 of 120!",
    "Ein kleines Mädchen klettert in ein Spielhaus, klein und neu.",
    "Новый дом и новый город (3.5 km).",
    "新しい家と新しい町。",
]
ODD = st.one_of(
    st.sampled_from("abeinlow12 .,'\u2581\u2585<>\t\n\r\0\x0b\x1f\x7f\x85\u2028\u200d\ufeff\ufffd"),
    st.sampled_from("\u0301\u0307\u0323e\u00e5A\u030a\uac00\u1100\u1161\u0130\U0001f44d\U0001f3fd"),
    st.characters(exclude_categories=["Cs"]),
)
TEXT = st.lists(ODD, max_size=14).map("".join)


def codec_of(pieces, **options):
    vocabulary = Vocabulary([*RESERVED, *pieces])
    return SubwordCodec(vocabulary, [0.0] * FIRST + list(pieces.values()), **options)


@functools.cache
def learned(lower=False):
    return SubwordCodec.learn(TEXTS * 3, size=400, lower=lower)


def strings(tensor):
    return [text.decode() for text in tensor.numpy().tolist()]


def tokens(codec, text):
    return [token.decode() for token in codec.tokens(tf.constant([text])).to_list()[0]]


@functools.cache
def traced(codec):
    """Texts -> ids, the text of the ids, what the text is normalized; eager loops are slow."""

    @tf.function(input_signature=[tf.TensorSpec([None], tf.string, "texts")], autograph=False)
    def answer(texts):
        ids = codec.ids(texts)
        text = codec.text(ids.to_tensor())
        lengths, normal = ids.row_lengths(), codec.normalized(texts)
        return {"ids": ids.values, "lengths": lengths, "text": text, "normalized": normal}

    return answer


def again(codec, texts):
    """text(ids(texts))."""
    return strings(codec.text(codec.ids(tf.constant(texts, tf.string)).to_tensor()))


def is_blank(character):
    return unicodedata.category(character) in ("Cc", "Zs", "Zl", "Zp")


def normalized(text):
    text = "".join(" " if is_blank(character) else character for character in text)
    return unicodedata.normalize("NFC", " ".join(part for part in text.split(" ") if part))


def kind(character):
    return {"L": "letter", "M": "letter", "N": "digit"}.get(unicodedata.category(character)[0])


def words_of(text):
    """The words of a normalised text, by their rule as a loop."""
    words = []
    for place, character in enumerate(text):
        before = text[place - 1] if place else " "
        if character != " ":
            if before != " " and kind(character) and kind(character) == kind(before):
                words[-1] += character
            else:
                words.append(" " * (before == " ") + character)
    cut = []
    for word in words:
        blank = word[0] == " "
        parts = [word[blank:][at : at + 64] for at in range(0, len(word) - blank, 64)]
        cut += [" " * blank + parts[0], *parts[1:]]
    return cut


def segmentations(word, scores):
    """All ways to write a word, as (score, lengths of pieces from the last on, ids)."""
    numbers = {piece.replace(MARK, " "): FIRST + n for n, piece in enumerate(scores)}
    values = {piece.replace(MARK, " "): score for piece, score in scores.items()}
    for size in range(len(word)):
        for cuts in itertools.combinations(range(1, len(word)), size):
            ends = [0, *cuts, len(word)]
            pieces = [word[a:b] for a, b in itertools.pairwise(ends)]
            if all(piece in values or len(piece) == 1 for piece in pieces):
                ids = []
                for piece in pieces:
                    known = (
                        [numbers[piece]] if piece in numbers else [4 + b for b in piece.encode()]
                    )
                    ids += known
                total = sum(values.get(piece, FALLBACK) for piece in pieces)
                yield total, [len(piece) for piece in pieces[::-1]], ids


def best(word, scores):
    return max(segmentations(word, scores))[2]


@settings(deadline=None, max_examples=30)
@given(st.lists(TEXT, min_size=1, max_size=8))
def test_every_text_comes_back_normalized(texts):
    expected = [normalized(text) for text in texts]
    found = traced(learned())(tf.constant(texts))
    assert strings(found["text"]) == strings(found["normalized"]) == expected
    assert found["ids"].dtype == tf.int32 and found["ids"].numpy().min(initial=UNK + 3) > EOS


@settings(deadline=None, max_examples=30)
@given(st.lists(TEXT, min_size=1, max_size=8))
def test_in_lower_case_every_text_comes_back_normalized(texts):
    found = traced(learned(True))(tf.constant(texts))
    assert strings(found["text"]) == strings(found["normalized"])


@settings(deadline=None, max_examples=40)
@given(st.lists(TEXT, min_size=1, max_size=8))
def test_words_are_runs_of_one_kind_with_the_blank_in_front(texts):
    texts = [normalized(text) for text in texts]
    found = split_words(tf.constant(texts)).to_list()
    assert [[word.decode() for word in row] for row in found] == [words_of(t) for t in texts]


def test_an_index_holds_each_word_once():
    texts = [*TEXTS, "", *TEXTS[::-1]]
    index = learned().index(texts)
    found = [index.distinct[number] for number in index.numbers]
    assert found == [word for text in texts for word in words_of(text)]
    assert np.diff(index.splits).tolist() == [len(words_of(text)) for text in texts]
    assert len(set(index.distinct)) == len(index.distinct) < len(found)


@pytest.mark.parametrize("language", ["en", "de", "fr"])
def test_real_sentences_come_back_normalized(language):
    sentences = multi30k(f"test_2016_flickr.{language}")
    assert strings(traced(learned())(tf.constant(sentences))["text"]) == [
        normalized(s) for s in sentences
    ]


def multi30k(name):
    path = MULTI30K / f"{name}.gz"
    if not path.is_file():
        pytest.skip(f"no {path}")
    return gzip.open(path, "rt", encoding="utf-8").read().splitlines()


@settings(deadline=None, max_examples=30)
@given(
    st.lists(st.text("ab\u00e9" + MARK, min_size=1, max_size=4), min_size=1, unique=True),
    st.lists(st.text("ab\u00e9x", min_size=1, max_size=8), min_size=1, max_size=5),
    st.data(),
)
def test_the_best_pieces_are_found(pieces, words, data):
    quarters = data.draw(st.lists(st.integers(-8, 0), min_size=len(pieces), max_size=len(pieces)))
    scores = {piece: quarter / 4 for piece, quarter in zip(pieces, quarters, strict=True)}
    segment = Segmenter([piece.replace(MARK, " ") for piece in scores], list(scores.values()))
    ids = segment(tf.constant([" " + word for word in words])).to_list()
    assert ids == [best(" " + word, scores) for word in words]  # sums are exact, ties too


def test_of_equal_ways_the_one_with_the_longest_last_piece_is_taken():
    codec = codec_of({MARK: 0.0, "a": -1.0, "ab": -2.0, "b": -1.0, "bc": -2.0, "c": -1.0})
    assert tokens(codec, "abc") == [MARK, "a", "bc"]
    assert tokens(codec, "ab") == [MARK, "ab"]


def test_bytes_are_taken_where_no_piece_covers_and_only_there():
    codec = codec_of({MARK + "a": -50.0, "bc": -400.0, "c": -1.0})
    assert tokens(codec, "abc") == [MARK + "a", "bc"]
    assert tokens(codec, "ab\u00e9c") == [MARK + "a", "<0x62>", "<0xC3>", "<0xA9>", "c"]
    assert tokens(codec, "b a") == ["<0x20>", "<0x62>", MARK + "a"]
    assert tokens(codec, "a\u2581") == [MARK + "a", "<0xE2>", "<0x96>", "<0x81>"]
    assert again(codec, ["b a\u2581 \u2581c <0x41>"]) == ["b a\u2581 \u2581c <0x41>"]


def test_sentencepiece_finds_the_same_pieces():
    train, sentences = multi30k("val.de"), multi30k("test_2016_flickr.de")
    index = learned().index(train)
    words = [index.distinct[number].replace(" ", MARK) for number in index.numbers]
    counts = dict(zip(*np.unique(words, return_counts=True), strict=True))
    once = {c for c in set("".join(words)) if "".join(words).count(c) == 1}
    counts = {word: int(n) for word, n in counts.items() if not once & set(word)}
    model = sentencepiece.SentencePieceProcessor(model_proto=trained(counts, 1500 - FIRST))
    pieces = {model.id_to_piece(n): model.get_score(n) for n in range(1, model.get_piece_size())}
    ours = codec_of(pieces)
    texts = [normalized(sentence) for sentence in sentences]
    known = [text for text in texts if set(text) <= {" ", *"".join(pieces)}]
    assert len(known) > 900
    expected = [model.encode(MARK + text.replace(" ", MARK), out_type=str) for text in known]
    found = [[ours.vocabulary.tokens[n] for n in row] for row in ours.encode(known)]
    same = [a == b for a, b in zip(found, expected, strict=True)]
    assert np.mean(same) >= 0.998  # it adds in float32, so that near ties fall otherwise


@settings(deadline=None, max_examples=30)
@given(
    st.dictionaries(
        st.text("ab \u4e00\u4e8c\u2581\u2585\ufffd", min_size=1, max_size=30), st.integers(1, 40)
    ),
    st.integers(1, 60),
)
def test_little_text_gives_few_pieces(counts, size):
    words = {word.replace(" ", "") or "a": count for word, count in counts.items()}
    words = {" " * (count % 2) + word: count for word, count in words.items()}
    pieces = learned_pieces(words, size)
    assert len(pieces) <= size and pieces == learned_pieces(words, size)
    assert not any("\u2581" in piece[1:] or "\u2585" in piece for piece in pieces)
    assert all(np.isfinite(score) and score < 0.01 for score in pieces.values())


def test_of_a_text_too_short_for_pieces_its_characters_are_kept():
    assert learned_pieces({"a" * 30: 1}, 50) == {"a": 0.0}


def test_pieces_are_those_of_the_texts_and_stay_within_words(capfd):
    codec = SubwordCodec.learn(TEXTS * 3, size=400)
    assert capfd.readouterr().err == ""
    pieces = codec.vocabulary.tokens[FIRST:]
    assert tuple(codec.vocabulary.tokens[:FIRST]) == RESERVED and len(RESERVED) == 260
    assert 50 < len(pieces) <= 140
    text = "".join(TEXTS).replace(" ", MARK)
    assert all(set(piece) <= set(text) for piece in pieces)
    assert all(len(words_of(f"x {piece.replace(MARK, ' ').strip()}")) < 4 for piece in pieces)
    assert all(len({kind(c) for c in piece.removeprefix(MARK)}) < 2 for piece in pieces)
    assert any(len(piece) > 3 for piece in pieces) and all(codec.scores[FIRST:] < 0.01)
    assert SubwordCodec.learn(TEXTS * 3, size=400).vocabulary.tokens == codec.vocabulary.tokens


def test_what_occurs_once_is_no_piece_and_a_small_size_keeps_the_frequent_characters():
    codec = SubwordCodec.learn(["abab q", "aba"], size=FIRST + 2)
    assert sorted(codec.vocabulary.tokens[FIRST:]) == ["a", MARK]
    pieces = SubwordCodec.learn(["abab q", "aba"]).vocabulary.tokens[FIRST:]
    assert set("".join(pieces)) == {"a", "b", MARK}
    assert SubwordCodec.learn([]).vocabulary.tokens == list(RESERVED)
    assert again(SubwordCodec.learn([]), ["na\u00efve  x", ""]) == ["na\u00efve x", ""]


def test_long_words_are_cut():
    codec = codec_of({"a": -1.0, "aa": -1.5, MARK: -1.0})
    assert tokens(codec, "a" * 131) == [MARK, *["aa"] * 64, "a", "aa"]
    assert again(codec, ["a" * 2000 + "  " + "7" * 300]) == ["a" * 2000 + " " + "7" * 300]


def test_empty_texts_have_no_piece():
    codec = learned()
    assert codec.ids(tf.constant(["", "\0", "low", " "])).row_lengths().numpy().tolist()[:2] == [
        0,
        0,
    ]
    assert codec.ids(tf.constant([""])).to_list() == [[]]
    assert codec.ids(tf.constant([], tf.string)).to_list() == []
    assert codec.text(tf.zeros([2, 0], tf.int32)).numpy().tolist() == [b"", b""]


def test_ids_that_no_text_has_are_written_as_clean_text():
    codec = codec_of({MARK: -1.0, MARK + "a": -1.0, "b": -1.0})
    blank, a, b = range(FIRST, FIRST + 3)
    rows = [
        [BOS, a, b, EOS, PAD, PAD],
        [b, a, UNK, b, PAD, PAD],
        [blank, blank, b, blank, a, blank],
        [4 + 0xC3, a, 4, 4 + 0x0A, b, 4 + 0xFF],
        [4 + 0xC3, 4 + 0xA9, PAD, PAD, PAD, PAD],
    ]
    for dtype in (tf.int32, tf.int64):
        expected = ["ab", "b a\ufffdb", "b a", "\ufffd a b\ufffd", "\u00e9"]
        assert strings(codec.text(tf.constant(rows, dtype))) == expected


def test_tokens_are_joined_as_their_ids_are_and_unknown_ones_stand_for_themselves():
    codec = learned()
    texts = tf.constant(["new\u2581 \U0001f44d low", "", TEXTS[1]])
    assert strings(codec.joined(codec.tokens(texts).to_tensor())) == strings(
        codec.normalized(texts)
    )
    rows = [[MARK + "Ann", "", "!", "[EOS]"], [MARK, "<0xC3>", "<0xA9>", MARK + "qx"]]
    assert strings(codec.joined(tf.constant(rows))) == ["Ann!", "\u00e9 qx"]


def test_a_split_is_encoded_as_its_texts_are_one_by_one(monkeypatch):
    monkeypatch.setattr(subword_codec, "CHUNK", 7)
    codec = learned()
    assert codec.encode([]) == []
    texts = [*TEXTS, "", "new  low\u2581", "\U0001f44d lower", "low", *TEXTS[::-1], ""]
    rows = codec.encode(texts)
    found = traced(codec)(tf.constant(texts))
    assert [len(row) for row in rows] == found["lengths"].numpy().tolist()
    assert np.concatenate(rows).tolist() == found["ids"].numpy().tolist()
    alone = [traced(codec)(tf.constant([text]))["ids"].numpy().tolist() for text in texts]
    assert [row.tolist() for row in rows] == alone
    assert {row.dtype for row in rows} == {np.dtype("int32")}


@pytest.mark.parametrize("lower", [False, True])
def test_a_saved_codec_is_the_same_when_loaded(tmp_path, lower):
    codec = learned(lower)
    codec.save(tmp_path, "source")
    assert [path.name for path in tmp_path.iterdir()] == ["source.txt"]
    lines = (tmp_path / "source.txt").read_text(encoding="utf-8").splitlines()
    token, score = lines[FIRST].split("\t")
    assert (token, float(score)) == (codec.vocabulary.tokens[FIRST], codec.scores[FIRST])
    assert len(lines) == len(codec.vocabulary)
    assert codec.get_config() == {"lower": lower}
    other = SubwordCodec.load(tmp_path, "source", **codec.get_config())
    assert other.vocabulary.tokens == codec.vocabulary.tokens
    assert np.array_equal(other.scores, codec.scores)
    texts = tf.constant(["LOW new\u2581!", *TEXTS])
    assert other.ids(texts).to_list() == codec.ids(texts).to_list()


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda raw: b"", r"x.txt, line 1: expected a piece, a tab and a number, got ''"),
        (lambda raw: raw[:2000], r"x.txt, line \d+: "),
        (lambda raw: raw[: raw.index(b"<0x41>")], r"x.txt, line 69: the file ends before '?<0xFF>"),
        (lambda raw: raw.replace(b"<0x41>", b"<0x42>"), "line 70: expected '<0x41>', got '<0x42>'"),
        (lambda raw: raw + b"one\t-2\none\t-3\n", "'one' occurs twice"),
        (lambda raw: raw + b"one\n", r"x.txt, line \d+: expected a piece, a tab and a number, got"),
        (lambda raw: raw + b"one\tx\n", "expected a piece, a tab and a number"),
        (lambda raw: raw + b"one\tnan\n", "the score of 'one' must be a finite number, got nan"),
        (lambda raw: raw + b"\t-1\n", "'' is not a piece"),
        (lambda raw: raw + b"a\0\t-1\n", "is not a piece"),
        (lambda raw: raw + b"\xff\t-1\n", r"x.txt, line \d+: not UTF-8"),
    ],
)
def test_a_damaged_file_is_told_with_its_line(tmp_path, damage, message):
    codec_of({"a": -1.0}).save(tmp_path, "x")
    path = tmp_path / "x.txt"
    path.write_bytes(damage(path.read_bytes()))
    with pytest.raises(InputError, match=message):
        SubwordCodec.load(tmp_path, "x")


def test_pieces_with_line_ends_of_windows_and_a_mark_in_front_are_read(tmp_path):
    codec_of({"a": -1.0, "b\u2028": -2.5}).save(tmp_path, "x")
    path = tmp_path / "x.txt"
    tokens = SubwordCodec.load(tmp_path, "x").vocabulary.tokens
    path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes().replace(b"\n", b"\r\n"))
    again = SubwordCodec.load(tmp_path, "x")
    assert again.vocabulary.tokens == tokens
    assert "b\u2028" in tokens


def test_pieces_without_an_end_are_refused(tmp_path, monkeypatch):
    monkeypatch.setenv("RNN_ZOO_MAX_LINE_BYTES", "1000000")
    (tmp_path / "x.txt").symlink_to("/dev/zero")
    with pytest.raises(InputError, match="x.txt:1: longer than 1,000,000 bytes"):
        SubwordCodec.load(tmp_path, "x")


def test_a_missing_file_is_told(tmp_path):
    with pytest.raises(InputError, match=r"no pieces at .*x\.txt.*train first"):
        SubwordCodec.load(tmp_path, "x")


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: SubwordCodec.learn(["a"], size=260), "size must be an int above 260.*got 260"),
        (lambda: SubwordCodec.learn(["a"], size=True), "size must be an int above 260.*got True"),
        (lambda: codec_of({}, lower=1), "lower must be True or False, got 1"),
        (lambda: SubwordCodec(Vocabulary(RESERVED), []), "got 260 tokens and 0 scores"),
        (lambda: SubwordCodec(Vocabulary(RESERVED[:4]), [0.0] * 4), "begins with 260.*got 4"),
        (lambda: codec_of({"a": float("inf")}), "token 260 .*finite number, got inf"),
    ],
)
def test_a_wrong_argument_is_named(make, message):
    with pytest.raises(InputError, match=message):
        make()


def test_a_served_codec_answers_as_the_one_in_memory(tmp_path):
    codec = learned(True)
    serve = traced(codec)
    texts = tf.constant([*ODD_TEXTS, "a\u2581b \u2581 LOW", *TEXTS, b"word " * 300])
    found = serve(texts)
    assert strings(found["text"]) == strings(found["normalized"])
    assert strings(found["text"])[len(ODD_TEXTS)] == "a\u2581b \u2581 low"
    probes = {"serve": {"texts": texts}, "empty": {"texts": tf.constant([""])}}
    publish({"serve": serve, "empty": serve}, [codec], probes, tmp_path)


def test_each_digit_is_a_piece_of_its_own_if_asked():
    texts = ["on 12/04/2019 at 9.15", "on 12/04/2019 at 12", "12.12.2019"] * 20
    together = SubwordCodec.learn(texts, size=300)
    apart = SubwordCodec.learn(texts, size=300, split_digits=True)
    assert "2019" in tokens(together, "2019")[-1]
    for text in ("on 12/04/2019", "2150 92"):
        found = tokens(apart, text)
        assert [token for token in found if set(token) & set("0123456789")] == [
            letter for letter in text if letter.isdigit()
        ]
        assert strings(apart.text(apart.ids(tf.constant([text])).to_tensor())) == [text]
