"""The built-in melodies: they keep their rules, and what breaks one breaks that one alone."""

import pytest

from recipes.corpora import tunes
from recipes.melodies import quality
from recipes.melodies.notes import REST, Note, notes_of, shape


@pytest.fixture(scope="module")
def corpus():
    return tunes.generate(0)


def test_all_melodies_keep_all_rules(corpus):
    for part in corpus:
        assert set(quality.rules_kept(part).values()) == {1.0}


def test_a_seed_gives_one_corpus_and_no_melody_twice_in_whatever_key(corpus):
    assert [len(part) for part in corpus] == [2000, 200, 200]
    assert tunes.generate(0) == corpus
    assert tunes.generate(1)[2] != corpus[2]
    shapes = [shape(melody) for part in corpus for melody in part]
    assert len(set(shapes)) == len(shapes)


def test_the_rules_are_not_kept_by_chance(corpus):
    train = corpus[0]
    assert {melody[0].pitch for melody in train} == set(tunes.TONICS)
    assert any(note.length == 6 for melody in train for note in melody)
    mixed = [a[: len(a) // 2] + b[len(b) // 2 :] for a, b in zip(train, train[1:], strict=False)]
    kept = quality.rules_kept(mixed)
    assert kept["scale"] < 0.5 and kept["rhythm"] < 0.2 and kept["all"] < 0.05


GOOD = (
    "G4 4 A4 4 B4 4 G4 4 A4 4 B4 4 D5 8 "  # ends on the dominant
    "G4 4 A4 4 B4 4 C5 4 A4 4 F#4 4 G4 8"  # fifth down and step up; ends on the tonic
)


@pytest.mark.parametrize(
    ("old", "new", "broken"),
    [
        ("", "", set()),
        ("F#4 4", "F4 4", {"scale"}),
        ("C5 4 A4 4 F#4", "C5 4 B4 4 F#4", set()),
        ("C5 4 A4 4 F#4", "C5 4 D5 4 A4", {"leaps"}),
        ("D5 8", "C#5 8", {"scale", "cadences"}),
        ("D5 8", "E5 8", {"cadences", "leaps"}),
        ("A4 4 B4 4 D5 8", "A4 2 B4 6 D5 8", set()),
        ("A4 4 B4 4 D5 8", "A4 4 B4 8 D5 4", {"cadences"}),
        ("G4 4 A4 4 B4 4 C5 4", "G4 4 A4 4 B4 6 C5 2", {"rhythm"}),
        ("G4 4 A4 4 B4 4 C5 4", "G4 4 A4 4 B4 4 C5 6", {"metre", "rhythm"}),
        ("A4 4 F#4 4 G4 8", "A4 4 D4 4 G4 8", {"leaps"}),  # two leaps
        ("A4 4 B4 4 C5 4", "E4 4 B4 4 C5 4", {"leaps"}),  # a step on in the same direction
        ("C5 4 A4 4 F#4 4 G4 8", "C5 4 A4 4 F#4 4 G4 4", {"metre", "cadences"}),
    ],
)
def test_what_breaks_a_rule_breaks_no_other(old, new, broken):
    melody = notes_of(GOOD.replace(old, new) if old else GOOD)
    assert {name for name, rule in quality.RULES.items() if not rule(melody)} == broken


def test_shares_are_of_all_melodies_and_an_empty_one_keeps_no_rule():
    good = notes_of(GOOD)
    flat = notes_of(GOOD.replace("F#4", "F4"))
    found = quality.rules_kept([good, flat, [], [Note(REST, 4)]])
    assert found["scale"] == 0.5 and found["metre"] == 0.5 and found["all"] == 0.25
