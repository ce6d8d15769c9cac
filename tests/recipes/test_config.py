import argparse
import dataclasses
from pathlib import Path

import pytest

from recipes.config import (
    differences,
    from_mapping,
    read_json,
    write_json,
)
from recipes.generation import GenerationRecipe
from recipes.pos import PosRecipe
from recipes.sentiment import SentimentRecipe
from zoo.errors import InputError
from zoo.options import add_arguments, options_of

generation = GenerationRecipe()
pos = PosRecipe()
SentimentConfig = SentimentRecipe.config


def parse(*words: str) -> dict[str, object]:
    parser = argparse.ArgumentParser()
    add_arguments(parser, options_of(SentimentConfig).values())
    return vars(parser.parse_args(words))


def test_every_field_is_an_option_of_its_own_type():
    given = parse("--units", "12", "--dropout", "0.25", "--no-bidirectional", "--cell", "gru")
    assert given == {"units": 12, "dropout": 0.25, "bidirectional": False, "cell": "gru"}
    help_text = argparse.ArgumentParser()
    add_arguments(help_text, options_of(SentimentConfig).values())
    for field in dataclasses.fields(SentimentConfig):
        assert f"--{field.name.replace('_', '-')}" in help_text.format_help()


def test_a_configuration_survives_json(tmp_path: Path):
    config = SentimentConfig(units=7, data="ünïcode.tsv", bidirectional=False)
    write_json(tmp_path / "config.json", dataclasses.asdict(config))
    assert from_mapping(SentimentConfig, read_json(tmp_path / "config.json")) == config
    assert [path.name for path in tmp_path.iterdir()] == ["config.json"]


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"epochs": 0}, ["epochs", "at least 1", "0"]),
        ({"epochs": 2.5}, ["epochs", "int", "2.5"]),
        ({"epochs": True}, ["epochs", "int", "True"]),
        ({"bidirectional": 1}, ["bidirectional", "bool", "1"]),
        ({"minutes": -1.0}, ["minutes", "at least 0", "-1.0"]),
        ({"validation_fraction": 1.0}, ["validation_fraction", "between 0 and 1", "1.0"]),
        ({"learning_rate": 0}, ["learning_rate", "above 0", "0"]),
        ({"unit": 3}, ["unit", "units"]),
    ],
)
def test_a_wrong_value_is_named_with_what_was_expected(values, words):
    with pytest.raises(InputError) as caught:
        from_mapping(SentimentConfig, values)
    assert all(word in str(caught.value) for word in words)


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("seed", 5 * 10**9, "below 4294967296"),
        ("units", 10**400, "below 9223372036854775808"),
        ("minutes", 10**400, "below 9223372036854775808"),
        ("learning_rate", float("inf"), "a finite number"),
        ("minutes", float("nan"), "a finite number"),
    ],
)
def test_a_number_that_nothing_can_be_made_of_is_refused(name, value, expected):
    with pytest.raises(InputError, match=f"{name} must be {expected}, got"):
        SentimentConfig(**{name: value})


def test_differences_leave_out_what_may_change():
    config = SentimentConfig(units=8, epochs=2)
    given = {"units": 16, "epochs": 5, "cell": "lstm"}
    assert differences(config, given, free=("epochs",)) == ["--units 16 (the run has 8)"]


def test_a_damaged_json_file_is_named(tmp_path: Path):
    (tmp_path / "config.json").write_text("{", encoding="utf-8")
    with pytest.raises(InputError, match="config.json is not JSON"):
        read_json(tmp_path / "config.json")
    with pytest.raises(InputError, match="does not exist"):
        read_json(tmp_path / "nothing.json")


def test_a_preset_gives_its_own_values_to_what_is_not_given():
    """Before the recipe's defaults, behind what the user says."""
    assert pos.configured({}).head == "softmax"
    tagger = pos.configured({"architecture": "bilstm_crf", "cell": "gru"})
    assert (tagger.head, tagger.cell, tagger.units) == ("crf", "gru", 64)
    model = generation.configured({"architecture": "awd_lstm", "weight_drop": 0.25})
    assert (model.cell, model.tied, model.weight_drop) == ("lstm", True, 0.25)
    assert model.input_dropout > 0 == generation.config().input_dropout
    with pytest.raises(InputError, match="unknown architecture 'bilstm_crff'"):
        pos.configured({"architecture": "bilstm_crff"})


def test_json_of_an_editor_that_writes_a_mark_in_front_is_read(tmp_path, monkeypatch):
    path = tmp_path / "config.json"
    path.write_bytes(b'\xef\xbb\xbf{"epochs": 3}\r\n')
    assert read_json(path) == {"epochs": 3}
    monkeypatch.setenv("RNN_ZOO_MAX_LINE_BYTES", "1000000")
    with pytest.raises(InputError, match="/dev/zero:1: longer than 1,000,000 bytes"):
        read_json(Path("/dev/zero"))
