"""The distributions that text is sampled from, and the sampled text, agree with their equations."""

import json

import numpy as np
import pytest

from zoo import __main__ as command
from zoo.decoding.filtering import Filter
from zoo.diagnostics import sampling

LOGITS = np.array([2.0, 0.5, -1.0, 0.0])


@pytest.mark.parametrize("temperature", [0.25, 1.0, 3.0])
def test_a_distribution_is_the_softmax_at_its_temperature(temperature):
    found = sampling.distribution(LOGITS, temperature)
    expected = np.exp(LOGITS / temperature) / np.exp(LOGITS / temperature).sum()
    np.testing.assert_allclose(found.probabilities, expected, rtol=1e-5)
    assert found.entropy == pytest.approx(-np.sum(expected * np.log(expected)), rel=1e-5)


def test_temperature_0_top_k_and_top_p_rule_tokens_out():
    assert sampling.distribution(LOGITS, 0).probabilities.tolist() == [1, 0, 0, 0]
    assert sampling.distribution(LOGITS, 0).entropy == 0
    assert np.flatnonzero(sampling.distribution(LOGITS, top_k=2).probabilities).tolist() == [0, 1]
    first = np.exp(2.0) / np.exp(LOGITS).sum()
    kept = sampling.distribution(LOGITS, top_p=first + 0.01).probabilities
    assert np.flatnonzero(kept).tolist() == [0, 1]


def test_sampled_tokens_have_the_models_frequencies_and_surprise():
    def next_logits(ids):
        return np.broadcast_to(LOGITS, (*ids.shape, 4))

    ids, surprise = sampling.sample(next_logits, [1], 300, 2, Filter(np.array([0.0, 1.0])))
    assert (ids[0] == 0).all()
    expected = np.exp(LOGITS) / np.exp(LOGITS).sum()
    found = np.bincount(ids[1], minlength=4) / 300
    assert np.abs(found - expected).max() < 0.1
    np.testing.assert_allclose(surprise, -np.log(expected)[ids], rtol=1e-5)


def test_the_command_prints_a_row_for_each_temperature_and_writes_a_picture(tmp_path, capsys):
    words = ["--length", "12", "--units", "4", "--updates", "0", "--temperatures", "0,1"]
    assert command.main(["sampling", *words, "--out", str(tmp_path)]) == 0
    shown = capsys.readouterr().out
    assert "perplexity" in shown and "the next character after 'the '" in shown
    numbers = json.loads((tmp_path / "sampling.json").read_text())
    assert list(numbers["temperatures"]) == ["0", "1"]
    assert numbers["temperatures"]["0"]["entropy"] == 0
    assert len(numbers["temperatures"]["1"]["sampled"]) == sampling.SHOWN
    assert (tmp_path / "sampling.png").read_bytes()[:4] == b"\x89PNG"


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["--temperatures", "hot"], "temperatures must be numbers"),
        (["--temperatures", "-1"], "temperature"),
        (["--prompt", "", "--updates", "0"], "prompt must have at least one character"),
        (["--top-p", "2"], "top_p"),
    ],
)
def test_wrong_options_are_one_sentence(words, sentence, tmp_path, capsys):
    assert command.main(["sampling", "--out", str(tmp_path), *words]) == 2
    assert sentence in capsys.readouterr().err
