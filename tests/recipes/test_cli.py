"""The grammar of the commands: which words name a recipe, which a verb, and what is refused."""

from pathlib import Path

import pytest

import zoo
from recipes import cli, registry
from zoo.errors import nearest


@pytest.mark.parametrize(
    ("line", "recipe", "verb", "rest"),
    [
        ("train sentiment --units 64", "sentiment", "train", ["--units", "64"]),
        ("sentiment train --units 64", "sentiment", "train", ["--units", "64"]),
        ("sentiment", "sentiment", "all", []),
        ("all sentiment", "sentiment", "all", []),
        ("sentiment --units 64", "sentiment", "all", ["--units", "64"]),
        ("predict names French train", "names", "predict", ["French", "train"]),
        ("names predict names", "names", "predict", ["names"]),
        ("train --help", "", "train", []),
        ("train -h", "", "train", []),
        ("train ner --help", "ner", "train", ["--help"]),
    ],
)
def test_recipe_and_verb_come_in_either_order(line, recipe, verb, rest):
    assert cli._recipe_and_verb(line.split()) == (recipe, verb, rest)


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("trian sentiment", "unknown recipe or command 'trian': did you mean 'train'?"),
        ("sentimen", "unknown recipe or command 'sentimen': did you mean 'sentiment'?"),
        ("descibe lstm", "unknown recipe or command 'descibe': did you mean 'describe'?"),
        ("train sentimen", "unknown recipe 'sentimen': did you mean 'sentiment'?"),
        (
            "predict brackets x",
            f"unknown recipe 'brackets': {nearest('brackets', registry.BUILTIN)} (a recipe of "
            "your own needs --module)",
        ),
        ("train ner --data no/such", "--data must be 'builtin', 'tfds:NAME[/CONFIG]', or a path"),
        ("predict ner --data no.csv", "--data must be a path to a table or a file of lines, got"),
        ("list --module no/such.py", "--module no/such.py: there is no file no/such.py"),
        ("train --units 64", "train needs a recipe: python -m recipes train sentiment|ner"),
        ("sentiment trian", "sentiment has no verb 'trian': did you mean 'train'?"),
        ("sentiment ner", "sentiment has no verb 'ner': known: all, evaluate"),
        ("--nothing", "unknown recipe or command '--nothing': known: all, "),
        ("list x", "list takes no x: see --help"),
    ],
)
def test_a_wrong_word_is_one_sentence_and_status_2(line, message, capsys):
    assert cli.main(line.split()) == 2
    printed = capsys.readouterr()
    assert printed.out == "" and printed.err.startswith(f"error: {message}")
    assert len(printed.err.splitlines()) == 1


def test_data_that_does_not_exist_is_refused_before_tensorflow_is_imported(monkeypatch, capsys):
    monkeypatch.setattr(zoo, "import_models", lambda: pytest.fail("imports the models"))
    assert cli.main(["evaluate", "sentiment", "--data=no.csv"]) == 2
    error = capsys.readouterr().err
    assert f"got 'no.csv', which is none of them (in the folder {Path.cwd()})" in error


@pytest.mark.parametrize("words", [[], ["--help"], ["-h"]])
def test_the_overview_names_all_verbs_recipes_and_commands(words, capsys):
    assert cli.main(words) == 0
    names = [line.split()[0] for line in capsys.readouterr().out.splitlines() if line[:2] == "  "]
    assert {*cli.VERBS, *registry.summaries(), "list", "describe", "summary"} <= set(names)


def test_help_of_a_verb_names_the_recipes(capsys):
    assert cli.main(["train", "--help"]) == 0
    printed = capsys.readouterr().out
    assert printed.startswith("usage: python -m recipes train RECIPE")
    assert all(f"\n  {name} " in printed for name in registry.summaries())


def test_the_list_of_the_models_is_a_command_beside_the_recipes(capsys):
    assert cli.main(["list"]) == 0
    assert "\n  lstm " in capsys.readouterr().out


@pytest.mark.parametrize(
    ("program", "printed"),
    [
        ("/opt/bin/rnn-zoo", "rnn-zoo predict names --run-dir 'a b'"),
        ("recipes/__main__.py", "python -m recipes names predict --run-dir 'a b'"),
    ],
)
def test_a_command_is_printed_as_the_user_started_this_one(program, printed, monkeypatch):
    monkeypatch.setattr("sys.argv", [program, "train", "names"])
    assert registry.command("names", "predict", "--run-dir", "a b") == printed
