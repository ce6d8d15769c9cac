"""What the README shows is run."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")


def test_the_python_way_of_the_readme_runs_and_prints_what_it_says(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    code = re.search(r"```python\n(.*?)```", README, re.S)
    assert code
    said = re.search(r"print\(.*\)  # (.*)", code[1])
    assert said
    monkeypatch.chdir(tmp_path)
    exec(compile(code[1], "README.md", "exec"), {})
    assert capsys.readouterr().out.splitlines()[-1] == said[1]


def test_every_command_of_the_readme_exists():
    targets = re.findall(r"^(\w+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.M)
    for target in re.findall(r"\bmake (\w+)", README):
        assert target in targets
    from recipes import cli

    for recipe, verb in re.findall(r"python -m recipes (\w+)(?: (\w+))?", README):
        assert recipe in cli.RECIPES
        assert not verb or verb in cli.VERBS
