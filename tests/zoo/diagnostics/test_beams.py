"""The tree holds what the search compared, and the search finds what enumeration finds."""

import json

import keras
import numpy as np
import pytest
import tensorflow as tf

import zoo
from zoo import __main__ as command
from zoo.diagnostics import beams
from zoo.pipelines import Translator
from zoo.text import TextCodec


def sequences(table, word=beams.START, total=0.0, tokens=()):
    """All sequences of a table with their log-probabilities."""
    for after, share in table.get(word, {}).items():
        if after == beams.END:
            yield total + np.log(share), tokens
        else:
            yield from sequences(table, after, total + np.log(share), (*tokens, after))


def words(model, node):
    return tuple(model.words[token] for token in node.tokens if token != model.end)


def test_the_tree_of_a_beam_of_two_is_that_by_hand():
    model = beams.table_model()
    tree = beams.search_tree(model, 2)
    found = {words(model, node): node.kind for node in tree.nodes if node.tokens[-1] != model.end}
    assert found == {
        ("a",): "kept",
        ("the",): "kept",
        ("it",): "dropped",
        ("a", "cat"): "kept",
        ("a", "dog"): "dropped",
        ("a", "bird"): "dropped",
        ("the", "cat"): "kept",
        ("a", "cat", "sleeps"): "kept",
        ("the", "cat", "sleeps"): "kept",
    }
    ended = {words(model, n): n.log_probability for n in tree.nodes if n.kind == "finished"}
    assert ended[("the", "cat")] == pytest.approx(np.log(0.4 * 0.9 * 0.52))
    assert set(ended) == {(d, "cat", *s) for d in ("a", "the") for s in ((), ("sleeps",))}
    assert [words(model, node) for node in tree.best] == [("the", "cat"), ("the", "cat", "sleeps")]
    assert tree.steps == 3


def test_a_beam_of_one_is_greedy_and_a_wide_one_is_exhaustive():
    model = beams.table_model()
    every = sorted(sequences(beams.TABLE), reverse=True)
    assert len(every) == 11
    (greedy,) = beams.search_tree(model, 1).best
    assert words(model, greedy) == ("a", "cat")
    wide = beams.search_tree(model, 8).best
    assert [words(model, node) for node in wide[:6]] == [tokens for _, tokens in every[:6]]
    assert {words(model, n) for n in wide[6:]} == {tokens for _, tokens in every[6:8]}  # a tie
    np.testing.assert_allclose([n.log_probability for n in wide], [t for t, _ in every[:8]], 1e-5)
    tree = beams.search_tree(model, 8)
    assert all(node.kind == "finished" for node in tree.nodes if model.end in node.tokens)
    assert all(model.end not in node.tokens[:-1] for node in tree.nodes)


@pytest.mark.parametrize(("penalty", "lengths"), [("gnmt", (8 / 6, 9 / 6)), ("average", (3, 4))])
def test_a_length_penalty_prefers_the_longer_hypothesis(penalty, lengths):
    model = beams.table_model()
    long, short = beams.search_tree(model, 2, 1.0, penalty).best
    assert words(model, long) == ("the", "cat", "sleeps")
    assert short.score == pytest.approx(short.log_probability / lengths[0])
    assert long.score == pytest.approx(long.log_probability / lengths[1])


def test_the_tree_of_a_translator_ends_in_its_translation():
    keras.utils.set_random_seed(0)
    codec = TextCodec.learn(["abc abd"], level="character")
    sizes = {"source_vocabulary_size": len(codec.vocabulary), "embedding_dim": 3, "units": 4}
    model = zoo.build("encoder_decoder", target_vocabulary_size=len(codec.vocabulary), **sizes)
    translator = Translator(model, codec, codec)
    tree = beams.search_tree(beams.translator_model(translator, "abd"), 3)
    found = translator.translate_ids(
        translator.read(tf.constant(["abd"])), beam_size=3, alpha=0.0, n_best=3
    )
    for node, ids, total in zip(
        tree.best, found.token_ids[0].numpy(), found.log_probabilities[0].numpy(), strict=True
    ):
        assert node.tokens == tuple(ids[: len(node.tokens)])
        assert node.log_probability == pytest.approx(total, rel=1e-5)
    known = {node.tokens: node for node in tree.nodes}
    assert known[tree.best[0].tokens].kind == "finished"
    assert all(node.tokens[:-1] in known or len(node.tokens) == 1 for node in tree.nodes)


def test_the_command_draws_the_table(tmp_path, capsys):
    assert command.main(["beams", "--out", str(tmp_path)]) == 0
    shown = capsys.readouterr().out.splitlines()
    assert shown[2].split() == ["1", "1", "a", "cat", "-2.369", "-2.369", "2"]
    assert (tmp_path / "beams.png").read_bytes()[:4] == b"\x89PNG"
    numbers = json.loads((tmp_path / "beams.json").read_text())["beams"]
    assert [each["text"] for each in numbers["2"]["best"]] == ["the cat", "the cat sleeps"]


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (["--beam-sizes", "0"], "beam_sizes must be a positive int, got 0"),
        (["--beam-sizes", ","], "beam_sizes must be positive ints with commas between them"),
        (["--length-penalty", "-1"], "length_penalty must be a number from 0 to 10, got -1"),
        (["--run", "nowhere"], "there is no trained model 'nowhere'"),
    ],
)
def test_wrong_options_are_one_sentence(options, sentence, tmp_path, capsys):
    assert command.main(["beams", "--out", str(tmp_path), *options]) == 2
    assert sentence in capsys.readouterr().err
