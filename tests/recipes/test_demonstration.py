"""The end of a whole run: what a model of a built-in corpus is good for, answers with sources."""

from types import SimpleNamespace

import pytest

from recipes import commands, registry
from recipes.recipe import Prepared
from recipes.sentiment import SentimentRecipe
from recipes.translation import TranslationRecipe, answers
from tests.recipes import tiny

sentiment = SentimentRecipe()
translation = TranslationRecipe()


def prepared_with(words):
    vocabulary = [*"PUBE", *(f"word{number}" for number in range(words))]
    vectorizer = SimpleNamespace(vocabulary=vocabulary)
    return Prepared(None, {}, vectorizer, ["Alvari", "Belmic"])


@pytest.mark.parametrize("name", registry.BUILTIN)
def test_every_recipe_says_that_its_built_in_corpus_is_generated_and_how_to_use_real_data(name):
    task = registry.find(name)
    said = task.advice(task.config(), prepared_with(1234))
    assert f"rnn-zoo all {name} --data" in said
    assert "generated" in said or "invented" in said
    assert ("knows 1,234 words" in said) == (name in ("sentiment", "ner", "pos"))
    assert ("(Alvari, Belmic)" in said) == (name in ("origin", "names"))


@pytest.mark.parametrize("name", registry.BUILTIN)
def test_the_command_of_a_note_is_one_that_the_recipe_takes(name):
    task = registry.find(name)
    said = task.advice(task.config(), prepared_with(1))
    words = said.split(f"rnn-zoo all {name} ")[1].split(",")[0].split()
    parsed = commands.parse(task, "all", words)
    assert parsed["data"] == words[1]


@pytest.mark.parametrize("name", registry.BUILTIN)
def test_of_the_users_own_data_nothing_is_said(name):
    task = registry.find(name)
    assert task.advice(task.config(data="mine.tsv"), prepared_with(1)) == ""


def test_files_of_a_translation_are_the_users_own_data():
    config = translation.config(source_file="a.de", target_file="a.en")
    assert translation.advice(config, prepared_with(1)) == ""


def test_the_number_of_known_words_is_that_of_the_runs_vocabulary(tmp_path):
    config = sentiment.configured({})
    prepared = tiny.prepared_in(sentiment, config, tmp_path)
    lines = (tmp_path / "vocabulary.txt").read_text(encoding="utf-8").splitlines()
    said = sentiment.advice(config, prepared)
    assert f"knows {len(lines) - 4} words" in said
    assert 700 < len(lines) < 1000


def test_a_translation_is_shown_beside_its_source_and_printed_alone():
    row = {"text": "12/04/2019", "translation": "2019-04-12", "rank": 1, "log_probability": -0.1}
    assert translation.format_example(row) == "12/04/2019 -> 2019-04-12"
    assert translation.format_answer(row) == answers.line(row) == "2019-04-12"


def test_every_recipes_examples_are_shown_beside_what_was_asked():
    """The answer to a text, as each recipe's `answer` has it."""
    text = {"text": "Ada sleeps", "label": "Irish", "probabilities": {"Irish": 0.5}}
    tags = {"text": "Ada sleeps", "entities": [], "tags": ["O", "O"], "tokens": ["Ada", "sleeps"]}
    rows = {
        **dict.fromkeys(("sentiment", "origin"), (text, "Ada sleeps")),
        **dict.fromkeys(("ner", "pos"), (tags, "Ada sleeps")),
        "names": ({"label": "Irish", "text": "Niamh"}, "Irish"),
        "melodies": ({"label": "G4", "text": "G4 4 A4 2"}, "G4"),
        "generation": ({"prompt": "( [", "text": "] )"}, "( ["),
        "forecasting": ({"file": "a.csv", "picture": "", "series": []}, "a.csv"),
        "signals": ({**text, "file": "a.csv", "series": ""}, "a.csv"),
        "digits": (
            {"text": "3 1", "log_probability": -0.1, "file": "a.wav", "series": ""},
            "a.wav",
        ),
        "translation": ({"text": "1 May", "translation": "x", "rank": 1}, "1 May"),
    }
    assert set(rows) == set(registry.BUILTIN)
    for name, (row, question) in rows.items():
        assert question in registry.find(name).format_example(row)
