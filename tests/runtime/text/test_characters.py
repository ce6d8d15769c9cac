"""Tables of characters against TensorFlow's, for every character; normalisation by version."""

import re
import unicodedata

import pytest
import tensorflow as tf

from rnn_zoo_runtime.errors import InputError
from rnn_zoo_runtime.text import characters, limits
from runtime import make_tables
from tests.runtime.text import corpus


@pytest.mark.sweep
def test_the_tables_are_those_of_this_tensorflow():
    """If not: run `python runtime/make_tables.py`."""
    found, stored = make_tables.tables(), characters._tables()
    assert found.pop("tensorflow").split(".")[:2] == stored["tensorflow"].split(".")[:2]
    assert all(found[name] == stored[name] for name in found)


def test_members_of_classes_without_those_of_a_script():
    letters = characters.members(*characters.LETTERS, but="unspaced")
    assert re.findall(f"[{letters}]", "AaǅʰאŚ\u03011中ไ〇_ ") == list("AaǅʰאŚ")
    assert re.findall(f"[{characters.members('N')}]", "A1中〇٣") == ["1", "〇", "٣"]


def test_lower_case_makes_one_character_of_one_but_for_those_of_the_locale():
    longer = {a for a, b in characters._tables()["lower"].items() if len(b) > 1}
    assert longer <= {chr(code) for code in characters.LOCALE_BOUND}


@pytest.mark.parametrize("before", ["", "a", " ", "'", "\u0301", "a.", "\u0345", "Σ", "中"])
@pytest.mark.parametrize("after", ["", "b", " ", "'", "\u0301", ".b", "\u0345", "Σ", "\u00adx"])
def test_a_final_sigma_has_a_letter_of_its_own(before, after):
    text = f"{before}Σ{after}"
    assert characters.lowered(text) == tf.strings.lower(text, "utf-8").numpy().decode()


def test_characters_that_are_newer_than_the_graphs_unicode_stay_as_they_are():
    newer = [chr(code) for code in (0x10EFD, 0x1E08F, 0x11F41)]  # marks of Unicode 15
    text = f"a{newer[0]}\u0323\u0301 e{newer[1]}\u0301"
    as_14 = "".join(  # in Unicode 14 they are unassigned, which nothing is composed or sorted with
        part if part in newer else unicodedata.normalize("NFC", part)
        for part in ("a", newer[0], "\u0323\u0301", " e", newer[1], "\u0301")
    )
    assert characters.composed(text, "14.0.0") == as_14
    assert characters.composed("e\u0301\u0323", "14.0.0") == "\u1eb9\u0301"


def test_normal_form_by_hand_is_that_of_unicodedata():
    texts = [text.decode(errors="replace") for text in corpus.drawn(1500, seed=2)]
    texts += [
        "e\u0323\u0302",
        "\u1100\u1161\u11a8",
        "\u0344\u0301",
        "\u0958",
        "a\u0301\u0301\u0323",
    ]
    for text in texts:
        assert characters._composed(text) == unicodedata.normalize("NFC", text)


def test_marks_that_python_does_not_know_yet_have_their_classes(monkeypatch):
    """A mark of Unicode 14 with the class 220 goes before one of 230, whatever Python's version."""
    monkeypatch.setattr(characters, "OWN", 13)
    assert characters.composed("a\u0301\u0899", "14.0.0") == "\u00e1\u0899"
    assert characters.composed("x\u0301\u0899\u0302", "14.0.0") == "x\u0899\u0301\u0302"


def test_half_of_a_surrogate_pair_is_an_error():
    with pytest.raises(InputError, match="half of a surrogate pair"):
        limits.read("a\ud83d")
