"""What the README shows is run."""

import argparse
import dataclasses
import re
import shlex
from pathlib import Path

import pytest

from recipes import cli, registry
from recipes.commands import TRAINING_VERBS, parse
from zoo import __main__ as models
from zoo.diagnostics import command as diagnostics

ROOT = Path(__file__).resolve().parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")


def test_the_readme_is_short():
    assert len(README.split()) <= 700


def test_every_make_target_of_the_readme_exists():
    targets = re.findall(r"^([\w-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.M)
    assert set(re.findall(r"\bmake ([\w-]+) +#", README)) == {"demo", "test", "docs"}
    assert set(re.findall(r"\bmake ([\w-]+)", README)) == {"demo", "test", "test-sweeps", "docs"}
    assert {"demo", "test", "test-sweeps", "docs"} <= set(targets)


PLACES = (
    "*.md",
    "docs/*.md",
    "docs/*/*.md",
    "recipes/*/README.md",
    "runtime/README.md",
    "benchmarks/results/*.md",
    "saved_models/*.md",
)
OTHERS = ("CHANGELOG.md", "own_recipe.md")  # the commands of the second are run by its own test
PAGES = sorted(path for place in PLACES for path in ROOT.glob(place) if path.name not in OTHERS)
PLACEHOLDERS = {
    "NAME",
    "N",
    "WORDS",
    "...",
    "--chosen-by",
    "--config",
    "--init",
    "--module",
    "--help",
}  # no command as it is
MODELS = tuple(models.COMMANDS)
PROGRAMS = "python -m recipes|rnn-zoo|python -m zoo"


def commands(text: str, of_models: bool = False) -> list[list[str]]:
    """The words of each command of a page that is on one line, the recipe first.

    `of_models`: the commands about models, such as `describe`, and not those of recipes.
    """
    blocks = re.findall(r"```[^\n`]*\n(.*?)```", text, re.S)
    lines = [line for block in blocks for line in block.replace("\\\n", " ").splitlines()]
    lines += re.findall(rf"`([^`\n]*(?:{PROGRAMS}) [^`\n]*)`", text)
    found = []
    for line in lines:
        for command in re.findall(rf"(?:{PROGRAMS}) (\w.*)", line):
            if command.count('"') % 2 == 0 and "$" not in command:
                words = shlex.split(command, comments=True)
                ends = [place for place, word in enumerate(words) if word in ("|", "<", ">", "&")]
                words = words[: ends[0]] if ends else words
                if words[0] in cli.VERBS and len(words) > 1:
                    words = [words[1], words[0], *words[2:]]
                found.append(words)
    return [
        words
        for words in found
        if not PLACEHOLDERS & set(words) and (words[0] in MODELS) == of_models
    ]


@pytest.mark.parametrize("page", PAGES, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_command_of_a_page_has_options_that_exist(page: Path):
    for name, *rest in commands(page.read_text(encoding="utf-8")):
        task = registry.find(name)
        verb = rest.pop(0) if rest and not rest[0].startswith("-") else "all"
        assert verb in cli.VERBS
        rest = [word for word in rest if word != "--resume"]  # it reads the run's own options
        options = parse(task, verb, rest)
        if verb in TRAINING_VERBS:
            fields = {field.name for field in dataclasses.fields(task.config)}
            task.configured({key: value for key, value in options.items() if key in fields})


@pytest.mark.parametrize("page", PAGES, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_diagnostic_of_a_page_has_options_that_exist(page: Path):
    parser = argparse.ArgumentParser(exit_on_error=False, allow_abbrev=False)
    diagnostics.add_commands(parser.add_subparsers(dest="command"))
    for words in commands(page.read_text(encoding="utf-8"), of_models=True):
        if words[0] in diagnostics.COMMANDS:
            parsed, rest = parser.parse_known_args(words)
            assert not rest or models.parse_options(parsed.architecture, rest)
            given = vars(parsed)
            diagnostics.OPTIONS[given.pop("command")](**given)


def test_the_diagnostics_of_the_pages_are_found():
    texts = [page.read_text(encoding="utf-8") for page in PAGES]
    found = {words[0] for text in texts for words in commands(text, of_models=True)}
    assert found >= {"count", "contexts", "connectivity", "units", "gates", "gradients"}


def test_the_commands_of_the_pages_are_found():
    found = [words for page in PAGES for words in commands(page.read_text(encoding="utf-8"))]
    assert len(found) > 100
    assert {words[0] for words in found} == set(registry.BUILTIN)


def test_the_page_of_exported_models_names_every_model():
    text = (ROOT / "saved_models" / "README.md").read_text(encoding="utf-8")
    for name in registry.BUILTIN:
        assert f"`{name}`" in text
