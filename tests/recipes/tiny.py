"""A small data set of the user's own kind, and options that train on it in a second or two."""

import shlex
from pathlib import Path
from typing import Any

from recipes import cli
from recipes.recipe import Recipe
from recipes.run import Run, predict_command

WORDS = {
    "1 star": "awful broken refund",
    "2 stars": "poor late scratched",
    "3 stars": "fair plain usual",
    "4 stars": "good solid quick",
    "5 stars": "superb lovely perfect",
}
FAST = [
    *("--units", "4", "--embedding-dim", "8", "--epochs", "6", "--batch-size", "16"),
    *("--learning-rate", "0.05", "--dropout", "0", "--word-dropout", "0", "--min-count", "1"),
    *("--buckets", "1"),
]


def rows() -> list[tuple[str, str]]:
    """Texts and star ratings: 60 of each rating, no two texts alike."""
    result = []
    for number in range(60):
        for label, words in WORDS.items():
            word = words.split()[number % 3]
            result.append((f"order {number} was {word}, item {number * 7 % 13}", label))
    return result


def write_tsv(path: Path) -> Path:
    """Writes the rows as a TSV file with the columns `review` and `stars`."""
    lines = [f"{text}\t{label}\n" for text, label in rows()]
    path.write_text("review\tstars\n" + "".join(lines), encoding="utf-8")
    return path


def options(path: Path) -> list[str]:
    """The options that name the file and its columns."""
    return ["--data", str(path), "--text-column", "review", "--label-column", "stars"]


def prepared_in(recipe: Recipe, config: Any, directory: Path) -> Any:
    """The data of a configuration as a run in that folder prepares it."""
    return Run(recipe, config, directory).load_data()


def ask_as_hinted(task: Recipe, run: Path, models: Path) -> int:
    """Runs the command that ends a run's output, as a shell takes it; its exit status."""
    config = Run.open(task, run).config
    prepared = prepared_in(task, config, run)
    command = predict_command(task, task.examples(config, prepared), models)
    python, *words = shlex.split(command)
    assert (python, *words[:2]) == ("python", "-m", "recipes")
    return cli.main(words[2:])
