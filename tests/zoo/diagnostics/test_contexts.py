"""What comes after a word is known to the bidirectional tagger alone."""

import json

import numpy as np
import pytest

from zoo import __main__ as command
from zoo.diagnostics import contexts


def test_sentences_are_tagged_by_what_follows_the_ambiguous_word():
    generator = np.random.default_rng(0)
    drawn = [contexts.sentence(0.3, generator) for _ in range(400)]
    for each in drawn:
        ambiguous, following = each.words[each.place : each.place + 2]
        is_person = following in contexts.SURNAMES
        assert is_person or following in contexts.THINGS[ambiguous]
        assert sum(each.tags) == 2 * is_person
        assert each.tags[each.place] == each.tags[each.place + 1] == is_person
        assert " ".join(each.words) not in contexts.SHOWN
        assert len(each.words) <= contexts.LONGEST
    assert np.mean([each.tags[each.place] for each in drawn]) == pytest.approx(0.3, abs=0.06)
    assert max(len(each.words) for each in drawn) == contexts.LONGEST


def test_what_precedes_the_ambiguous_word_does_not_depend_on_what_follows():
    generator = np.random.default_rng(1)
    drawn = [contexts.sentence(0.5, generator) for _ in range(2000)]
    shares = {}
    for each in drawn:
        key = " ".join(each.words[: each.place + 1])
        shares.setdefault(key, []).append(each.tags[each.place])
    assert len(shares) == len(contexts.OPENINGS) * len(contexts.THINGS)
    assert all(0.3 < np.mean(share) < 0.7 for share in shares.values())


def test_the_shown_sentences_are_in_the_words():
    ids = contexts.token_ids([text.split() for text in contexts.SHOWN])
    assert [[contexts.WORDS[i] for i in row if i] for row in ids] == [
        text.split() for text in contexts.SHOWN
    ]


@pytest.mark.sweep
def test_both_directions_know_at_the_word_and_one_direction_one_word_later(tmp_path, capsys):
    assert (
        command.main(["contexts", "--steps", "120", "--cell", "min_gru", "--out", str(tmp_path)])
        == 0
    )
    assert "Teddy  Roosevelt" in capsys.readouterr().out
    assert (tmp_path / "contexts.png").read_bytes()[:4] == b"\x89PNG"
    found = json.loads((tmp_path / "contexts.json").read_text())
    left, both = (found["shown"][name] for name in contexts.TAGGERS)
    assert left[0][:4] == pytest.approx(left[1][:4], abs=1e-5)  # the same words so far
    assert left[0][3] == pytest.approx(0.3, abs=0.1)  # the base rate
    assert both[0][3] < 0.05 and both[1][3] > 0.95
    assert left[0][4] < 0.05 and left[1][4] > 0.95
    assert found["at_the_word"]["both directions"] > 0.99
    assert found["at_the_word"]["left to right"] == pytest.approx(1 - found["base_rate"], abs=0.05)


def test_wrong_options_are_one_sentence(tmp_path, capsys):
    assert command.main(["contexts", "--persons", "2", "--out", str(tmp_path)]) == 2
    assert "persons must be a number from 0 up to" in capsys.readouterr().err
