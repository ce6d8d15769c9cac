"""What the README shows is run."""

import re
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")


def test_the_python_way_of_the_readme_runs_and_prints_what_it_says(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    first, *more = re.findall(r"```python\n(.*?)```", README, re.S)
    said = re.search(r"print\(.*\)  # (.*)", first)
    assert said
    monkeypatch.chdir(tmp_path)
    names: dict[str, Any] = {}
    exec(compile(first, "README.md", "exec"), names)
    assert capsys.readouterr().out.splitlines()[-1] == said[1]
    for code in more:
        exec(compile(code, "README.md", "exec"), names)
    assert names["model"].get_layer("encoder").options["residual"]


def test_every_command_of_the_readme_exists():
    targets = re.findall(r"^(\w+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.M)
    for target in re.findall(r"\bmake (\w+)", README):
        assert target in targets
    from recipes import cli

    for recipe, verb in re.findall(r"python -m recipes (\w+)(?: (\w+))?", README):
        assert recipe in cli.RECIPES
        assert not verb or verb in cli.VERBS
