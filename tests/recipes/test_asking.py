"""Options of `predict`: checked before a model is loaded, asked for one value a row."""

import numpy as np
import pytest
import tensorflow as tf

from recipes import asking
from recipes.cli import main
from recipes.families.writing.config import WritingAnswers
from recipes.generation.config import Writing
from recipes.melodies.config import Composing
from recipes.translation.config import Translating
from zoo.errors import InputError

WRITERS = (Writing, WritingAnswers, Composing)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"top_k": -1}, "--top-k must be at least 0, got -1"),
        ({"top_k": 10**12}, "--top-k must be at most 2147483647, got 1000000000000"),
        ({"temperature": -1.0}, "--temperature must be at least 0, got -1.0"),
        ({"temperature": float("nan")}, "--temperature must be a number from 0 to 100, got nan"),
        ({"temperature": float("inf")}, "--temperature must be at most 100, got inf"),
        ({"top_p": 0.0}, "--top-p must be above 0, got 0.0"),
        ({"top_p": float("nan")}, "--top-p must be a number from 0 to 1, got nan"),
        ({"samples": 0}, "--samples must be at least 1, got 0"),
        ({"samples": 10**9}, "--samples must be at most 10000, got 1000000000"),
        ({"max_tokens": -3}, "--max-tokens must be at least 0, got -3"),
        ({"max_tokens": 10**9}, "--max-tokens must be at most 10000, got 1000000000"),
        ({"seed": 5_000_000_000}, "--seed must be at most 2147483647, got 5000000000"),
        ({"seed": -1}, "--seed must be at least 0, got -1"),
    ],
)
def test_what_writes_refuses_options_out_of_range(options, said):
    for kind in WRITERS:
        with pytest.raises(InputError) as raised:
            kind(**options)
        assert str(raised.value) == said


@pytest.mark.parametrize(
    ("kind", "options", "said"),
    [
        (WritingAnswers, {"min_p": 2.0}, "--min-p must be at most 1, got 2.0"),
        (Composing, {"guidance": float("nan")}, "--guidance must be a number from 0 to 100"),
        (Translating, {"beam_size": 10**6}, "--beam-size must be at most 32, got 1000000"),
        (Translating, {"beam_size": 0}, "--beam-size must be at least 1, got 0"),
        (Translating, {"length_penalty": float("nan")}, "--length-penalty must be a number from 0"),
        (Translating, {"length_penalty": float("inf")}, "--length-penalty must be at most 10"),
        (Translating, {"max_tokens": -1}, "--max-tokens must be at least 0, got -1"),
        (Translating, {"n_best": 6}, "--n-best must be 1 to --beam-size (5), got 6"),
    ],
)
def test_each_recipe_checks_its_own(kind, options, said):
    with pytest.raises(InputError) as raised:
        kind(**options)
    assert str(raised.value).startswith(said)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["names", "--temperature", "nan"], "temperature must be a finite number, got nan"),
        (["names", "--min-p", "2"], "min_p must be at most 1, got 2.0"),
        (["names", "--guidance", "inf"], "guidance must be a finite number, got inf"),
        (["names", "--temperature", "101"], "temperature must be at most 100, got 101.0"),
        (["names", "--samples", "0"], "samples must be at least 1, got 0"),
        (["melodies", "--temperature", "-1"], "temperature must be at least 0, got -1.0"),
        (["translation", "--length-penalty", "nan"], "length_penalty must be a finite number"),
        (["translation", "--coverage-penalty", "nan"], "coverage_penalty must be a finite number"),
        (["translation", "--beam-size", "1000000"], "beam_size must be at most 32, got 1000000"),
        (["translation", "--no-repeat", "-1"], "no_repeat must be at least 0, got -1"),
        (["translation", "--word-dropout", "nan"], "word_dropout must be a finite number"),
    ],
)
def test_training_checks_how_it_will_decode(words, said, tmp_path, capsys):
    name, *options = words
    assert main([name, "train", "--run-dir", str(tmp_path / "run"), *options]) == 2
    error = capsys.readouterr().err
    assert error.startswith(f"error: {said}") and error.count("\n") == 1
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["translation", "--beam-size", "99"], "--beam-size must be at most 32, got 99"),
        (["names", "--min-p", "2"], "--min-p must be at most 1, got 2.0"),
        (["melodies", "--top-p", "0"], "--top-p must be above 0, got 0.0"),
        (["generation", "--seed", "-1"], "--seed must be at least 0, got -1"),
    ],
)
def test_predict_checks_its_options_before_it_looks_for_a_model(words, said, tmp_path, capsys):
    name, *options = words
    assert main([name, "predict", "x", *options, "--export-dir", str(tmp_path)]) == 2
    assert capsys.readouterr().err == f"error: {said}\n"


def test_options_become_one_value_a_row():
    how = WritingAnswers(temperature=1, top_k=3, min_p=0.5)
    found = asking.options(how, ("temperature", "top_k", "min_p"), 4)
    assert {name: (each.dtype, each.numpy().tolist()) for name, each in found.items()} == {
        "temperature": (tf.float32, [1.0] * 4),
        "top_k": (tf.int32, [3] * 4),
        "min_p": (tf.float32, [0.5] * 4),
    }
    seeds = asking.seeds(9, 3, 2).numpy()
    assert seeds[0] == 9 and seeds[:3].tolist() == seeds[3:].tolist() and len(set(seeds)) == 3
    assert asking.seeds(9, 3, 0).shape == (0,)


class OfOldForm:
    """A signature as earlier releases exported it."""

    structured_input_signature = ((), {"seed": tf.TensorSpec([], tf.int32, name="seed")})


@pytest.mark.parametrize("old", [OfOldForm(), lambda **_: {"label": tf.constant(["a"])}])
def test_an_export_of_an_earlier_release_is_one_sentence(old):
    with pytest.raises(InputError, match="is of an earlier release.*: run the recipe's export"):
        asking.ask({"generate": old}, "generate", seed=tf.constant([1]))


def test_warnings_name_what_is_unknown_and_what_was_not_read(capsys):
    outputs = {
        "unknown_share": np.array([0.5, 0.0], "float32"),
        "unknown_tokens": np.array([[b"x", b"\xff", b"x"], [b"", b"", b""]], object),
    }
    rows = [asking.unknown_of(outputs, row) for row in (0, 1)]
    assert rows[0] == {"unknown_share": 0.5, "unknown": ["x", "\ufffd"]}
    whole, cut = ({**rows[1], "truncated": flag} for flag in (False, True))
    asking.warn(["axb\xff" * 30, "fine", "fine"], [{**rows[0], "truncated": False}, whole, cut])
    first, second = capsys.readouterr().err.splitlines()
    assert first.startswith("warning: 50% of the tokens of 'axbÿ") and len(first) < 150
    assert first.endswith("…' are unknown to the model: 'x', '\ufffd'")
    assert second == "warning: 'fine' is too long: a part of it was not read"
    asking.warn(["x"] * 9, [cut] * 9)
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 6 and lines[5] == "warning: 4 more like these"
