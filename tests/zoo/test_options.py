"""Options that are declared once: flat lists, checks and flags follow from the declaration."""

import argparse
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import keras
import pytest

import zoo
from zoo import registry
from zoo.errors import require_positive_int
from zoo.layers import DecoderOptions, RecurrentOptions
from zoo.options import Condition, add_arguments, gathered, option, options_of, validate

SIZES = {"vocabulary_size": 9, "num_classes": 2, "embedding_dim": 2}


@dataclass(frozen=True)
class Shelf:
    """A few options."""

    units: int = option(4, "Hidden size.", check=require_positive_int)
    rates: Sequence[float] = option((0.5,), "Rates, at most 100%.", late=True)
    side: str = option("left", "Side.", choices=("left", "right"))
    cell_options: dict[str, Any] | None = option(None, "More.")
    double: bool = option(False, "Twice.", only_if=Condition("units", least=2))

    def __post_init__(self):
        validate(self)


SHELF = Shelf(units=7)


def builder(*, size: int, shelf: Shelf = SHELF, rate: float = 0.1, name: str = "mine"):
    """Builds.

    Args:
        size: Number of things.
        shelf: A shelf.
        rate: A rate.
        double: Twice of this builder.
        name: Its name.
    """
    return size, shelf, rate, name


def test_a_builders_options_are_flat_with_the_defaults_of_its_own_instance():
    found = options_of(builder)
    names = ["size", "units", "side", "cell_options", "double", "rates", "rate", "name"]
    assert list(found) == names
    assert found["size"].required and not found["units"].required
    assert (found["units"].default, found["rate"].default) == (7, 0.1)
    assert (found["units"].help, found["size"].help) == ("Hidden size.", "Number of things.")
    assert found["double"].help == "Twice of this builder."
    assert found["double"].only_if == Condition("units", least=2)


def test_options_know_the_kind_of_their_values():
    kinds = {name: found.kind for name, found in options_of(Shelf).items()}
    expected = {"units": int, "side": str, "cell_options": dict, "double": bool, "rates": list}
    assert kinds == expected


def test_flat_values_are_gathered_into_a_builders_arguments():
    arguments = gathered(builder, {"size": 3, "units": 2, "rate": 0.5})
    assert builder(**arguments) == (3, Shelf(units=2), 0.5, "mine")
    with pytest.raises(zoo.InputError, match="units must be a positive int, got 0"):
        gathered(builder, {"size": 3, "units": 0})
    with pytest.raises(zoo.InputError, match="side must be one of left, right; got 'up'"):
        gathered(builder, {"size": 3, "side": "up"})


@pytest.mark.parametrize(
    ("condition", "holds", "fails", "text"),
    [
        (Condition("layers", least=2), 2, 1, "at least 2"),
        (Condition("kind", excluded=("none",)), "dot", "none", "not none"),
        (Condition("kind", among=["cnn", "rnn"]), "rnn", "none", "cnn or rnn"),
        (Condition("both", among=(True,)), True, False, "true"),
    ],
)
def test_a_condition_holds_for_its_values_and_names_them(condition, holds, fails, text):
    assert condition.holds(holds) and not condition.holds(fails)
    assert str(condition) == text


def test_flags_are_read_as_the_options_types_and_none_is_there_unless_given():
    parser = argparse.ArgumentParser(allow_abbrev=False)
    add_arguments(parser, options_of(builder).values())
    assert vars(parser.parse_args([])) == {}
    words = ["--units", "5", "--double", "--cell-options", '{"a": [1]}', "--rates", "[0.5, 1]"]
    assert vars(parser.parse_args([*words, "--side", "right"])) == {
        "units": 5,
        "double": True,
        "cell_options": {"a": [1]},
        "rates": [0.5, 1],
        "side": "right",
    }
    help_text = " ".join(parser.format_help().split())
    assert "Rates, at most 100% (default: [0.5])" in help_text
    assert "Number of things --units" in help_text  # a required one has no default


def test_flags_of_several_values_stay_text():
    parser = argparse.ArgumentParser()
    add_arguments(parser, options_of(Shelf).values(), several="A,B")
    parsed = parser.parse_args(["--units", "4,8", "--double", "true,false"])
    assert vars(parsed) == {"units": "4,8", "double": "true,false"}
    assert vars(parser.parse_args(["--no-double"])) == {"double": "false"}
    assert "one value, or A,B" in " ".join(parser.format_help().split())


def test_a_users_builder_may_take_the_recurrent_options_as_one_argument():
    default = RecurrentOptions(units=3)

    def mine(*, vocabulary_size: int, body: RecurrentOptions = default) -> keras.Model:
        """Reads."""
        inputs = keras.Input((None, vocabulary_size))
        return keras.Model(inputs, zoo.layers.Recurrent(**vars(body))(inputs)[0])

    with registry.registered("mine", mine, topology="many_to_many"):
        assert zoo.build("mine", vocabulary_size=2).output_shape == (None, None, 3)
        options = {"units": 4, "bidirectional": True, "cell": "gru"}
        assert zoo.build("mine", vocabulary_size=2, **options).output_shape == (None, None, 8)
        assert "zoneout (float, 0.0): Probability" in zoo.describe("mine")
        with pytest.raises(zoo.InputError, match="zoneout must be a number from 0"):
            zoo.build("mine", vocabulary_size=2, zoneout=1.5)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"coverage": True, "attention": "none"}, "coverage needs an attention"),
        ({"queries": "first"}, "queries 'first' needs a layer above the first"),
        ({"input_feeding": True, "zoneout": 0.1}, "zoneout acts on all steps at once"),
    ],
)
def test_decoder_options_that_rule_each_other_out_are_refused(options, message):
    with pytest.raises(zoo.InputError, match=message):
        DecoderOptions(**options)


@pytest.mark.parametrize("pooling", ["last", "concat"])
def test_a_saved_classifier_with_dense_layers_loads_with_equal_logits(pooling, tmp_path):
    model = zoo.build("many_to_one", **SIZES, units=3, dense_layers=1, pooling=pooling)
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    ids = keras.ops.convert_to_tensor([[3, 5, 4], [7, 0, 0]])
    assert keras.ops.all(keras.ops.isclose(loaded(ids), model(ids), atol=1e-6))
