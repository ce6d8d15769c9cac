"""A planted unit is found, and a unit that is best by chance is not praised."""

import json

import keras
import numpy as np
import pytest

from zoo import __main__ as command
from zoo.diagnostics import units
from zoo.diagnostics.observation import directions_of
from zoo.diagnostics.reading import Reader, Sequences
from zoo.diagnostics.synthetic import texts
from zoo.layers import Recurrent


def test_a_planted_unit_is_found_with_its_sign_and_its_score_is_held_out():
    generator = np.random.default_rng(0)
    inside = generator.random(2000) < 0.3
    place = generator.integers(0, 60, 2000)
    states = generator.normal(size=(2000, 20))
    states[:, 7] -= 2 * inside
    states[:, 3] += 0.1 * place
    held_out = np.arange(2000) >= 1000
    quotes, line = units.followers(states, {"in": inside, "place": place}, held_out)
    assert (quotes.unit, quotes.sign, quotes.measure) == (7, -1, "AUC")
    assert (line.unit, line.sign, line.measure) == (3, 1, "correlation")
    apart = states[held_out][:, 7][inside[held_out]], states[held_out][:, 7][~inside[held_out]]
    pairs = apart[0][:, None] < apart[1][None]
    assert quotes.held_out == pytest.approx(pairs.mean())
    expected = np.corrcoef(states[held_out][:, 3], place[held_out])[0, 1]
    assert line.held_out == pytest.approx(expected)
    assert quotes.all_units > 0.88 and line.all_units > 0.8


def test_the_best_of_many_random_units_looks_good_only_where_it_was_chosen():
    generator = np.random.default_rng(1)
    states = generator.normal(size=(80, 300))
    property_ = generator.random(80) < 0.5
    (found,) = units.followers(states, {"chance": property_}, np.arange(80) >= 40)
    assert found.fitted > 0.72 and abs(found.held_out - 0.5) < 0.2


def test_ties_count_half_and_a_constant_property_is_left_out():
    labels = np.array([True, False, True, False])
    assert units.auc(np.zeros(4), labels) == 0.5
    assert units.auc(np.array([[1, 0], [1, 1], [2, 0], [0, 1]]), labels).tolist() == [0.875, 0.0]
    states = np.random.default_rng(0).normal(size=(4, 2))
    assert units.followers(states, {"never": np.zeros(4, bool)}, labels) == []


def test_the_states_are_those_that_the_layer_gives():
    values = keras.Input((None, 3))
    layer = Recurrent("lstm", 4, return_state=False, bidirectional=True)
    model = keras.Model(values, layer(values))
    x = np.random.default_rng(0).normal(size=(2, 6, 3)).astype("float32")
    found = units.states_of(model, x, 6)
    assert list(found) == ["0.h", "0.c", "1.h", "1.c"]
    outputs = np.concatenate([found["0.h"], found["1.h"]], axis=-1)
    np.testing.assert_allclose(outputs, model(x), rtol=1e-5, atol=1e-6)


def test_the_properties_of_a_text_are_as_their_names_say():
    text = 'ab "c (d)" e\n{f}'
    found = {name: feature(text).astype(int) for name, feature in texts.FEATURES.items()}
    assert "".join(map(str, found["in quotes"])) == "0001111110000000"
    assert "".join(map(str, found["in brackets"])) == "0000001100000110"
    paragraphs = 'a "b (c\n\nd'
    assert not texts.in_quotes(paragraphs)[-2:].any()
    assert texts.bracket_depth(paragraphs)[-3:].tolist() == [1, 0, 0]
    assert found["place in line"][-4:].tolist() == [0, 1, 2, 3]
    assert found["place in word"][:4].tolist() == [1, 2, 0, 0]


@pytest.mark.sweep
def test_the_command_finds_units_in_small_models(tmp_path, capsys, monkeypatch):
    parts = []
    followers = units.followers

    def recorded(states, features, held_out):
        parts.append((features["place in line"], held_out))
        return followers(states, features, held_out)

    monkeypatch.setattr(units, "followers", recorded)
    words = ["--cells", "gru", "--units", "4", "--updates", "1", "--length", "60"]
    assert command.main(["units", *words, "--out", str(tmp_path)]) == 0
    assert "place in line" in capsys.readouterr().out
    assert (tmp_path / "units.png").read_bytes()[:4] == b"\x89PNG"
    numbers = json.loads((tmp_path / "units.json").read_text())["models"]["gru"]
    assert {each["feature"] for each in numbers["followers"]} == set(texts.FEATURES)
    assert "h3" in (tmp_path / "units.html").read_text()
    ((values, held_out),) = parts
    assert len(values) == len(held_out)
    assert held_out.tolist() == sorted(held_out) and 0.4 < held_out.mean() < 0.6


def test_each_state_is_that_after_the_character_at_its_place():
    """A linear unit that adds up what it reads: the states count, from each row's beginning."""
    values = keras.Input((None,), dtype="int32")
    vectors = keras.layers.Embedding(30, 2, embeddings_initializer="ones")(values)
    options = {"activation": "linear"}
    layer = Recurrent("elman", 2, return_state=False, cell_options=options)
    model = keras.Model(values, layer(vectors))
    (direction,) = directions_of(model)
    direction.cell.recurrent_kernel.assign(np.eye(2))
    text = texts.made_up(4000)
    numbers = np.arange(len(text))

    def read(part):
        ids = np.ones((1, len(part)), "int32")
        return Sequences(ids, [list(part)], None)

    reader = Reader("counter", model, read, lambda outputs, _: outputs, True, [])
    states, names, places = units.read_states(reader, text)
    width = max(2 * units.WARM, len(text) // units.ROWS)
    np.testing.assert_allclose(states[:, 0], numbers[places] % width + 1)
    assert names == ["h0", "h1"] and places[0] == units.WARM


def test_the_properties_of_held_out_text_know_what_came_before():
    options = command.diagnostics.UnitsOptions()
    text, found = units.text_of(options)
    whole = texts.character_text()
    assert text == whole.text[whole.held_out :][: units.READ]
    start = whole.text[: whole.held_out].count(texts.QUOTE) % 2
    before = (start + np.cumsum([each == texts.QUOTE for each in text])) % 2 == 1
    np.testing.assert_array_equal(found["in quotes"], before)
