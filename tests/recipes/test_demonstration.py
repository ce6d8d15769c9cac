"""The end of a whole run: what a model of a built-in corpus is good for, answers with sources."""

import importlib
from types import SimpleNamespace

import pytest

from recipes import cli, demonstration
from recipes.sentiment import task as sentiment
from recipes.translation import answers
from recipes.translation import task as translation


def task_of(name):
    return importlib.import_module(f"recipes.{name}.task")


def prepared_with(words):
    vocabulary = [*"PUBE", *(f"word{number}" for number in range(words))]
    vectorizer = SimpleNamespace(vocabulary=vocabulary)
    return SimpleNamespace(vectorizer=vectorizer, classes=["Alvari", "Belmic"])


@pytest.mark.parametrize("name", cli.RECIPES)
def test_every_recipe_says_that_its_built_in_corpus_is_generated_and_how_to_use_real_data(name):
    task = task_of(name)
    said = demonstration.note(task, task.Config(), prepared_with(1234))
    assert f"python -m recipes {name} --data" in said
    assert "generated" in said or "invented" in said
    assert ("knows 1,234 words" in said) == (name in ("sentiment", "ner", "pos"))
    assert ("(Alvari, Belmic)" in said) == (name in ("origin", "names"))


@pytest.mark.parametrize("name", cli.RECIPES)
def test_the_command_of_a_note_is_one_that_the_recipe_takes(name):
    task = task_of(name)
    said = demonstration.note(task, task.Config(), prepared_with(1))
    words = said.split(f"python -m recipes {name} ")[1].split(",")[0].split()
    parsed = cli._parse(task, "all", words)
    assert parsed["data"] == words[1]


@pytest.mark.parametrize("name", cli.RECIPES)
def test_of_the_users_own_data_nothing_is_said(name):
    task = task_of(name)
    assert demonstration.note(task, task.Config(data="mine.tsv"), prepared_with(1)) == ""


def test_files_of_a_translation_are_the_users_own_data():
    config = translation.Config(source_file="a.de", target_file="a.en")
    assert demonstration.note(translation, config, prepared_with(1)) == ""


def test_the_number_of_known_words_is_that_of_the_runs_vocabulary(tmp_path):
    config = sentiment.Config(**sentiment.BUILTIN)
    prepared = sentiment.prepare(config, sentiment.load(config), tmp_path)
    lines = (tmp_path / "vocabulary.txt").read_text(encoding="utf-8").splitlines()
    said = demonstration.note(sentiment, config, prepared)
    assert f"knows {len(lines) - 4} words" in said
    assert 700 < len(lines) < 1000


def test_a_translation_is_shown_beside_its_source_and_printed_alone():
    row = {"text": "12/04/2019", "translation": "2019-04-12", "rank": 1, "log_probability": -0.1}
    assert demonstration.line_of(translation)(row) == "12/04/2019 -> 2019-04-12"
    assert translation.line(row) == answers.line(row) == "2019-04-12"
    assert demonstration.line_of(sentiment) is sentiment.line
