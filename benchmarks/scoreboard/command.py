"""`python -m benchmarks`: makes the tables of results from their records, and adds records.

Without a command it writes the tables of all pages and `zoo/scores.json`.
"""

import argparse
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from benchmarks.scoreboard import pages, records, runs, tables
from benchmarks.scoreboard.commits import ROOT, head
from benchmarks.scoreboard.records import Record
from zoo.errors import Failure, InputError, nearest

PROGRAM = "python -m benchmarks"


def parser() -> argparse.ArgumentParser:
    """The command line."""
    result = argparse.ArgumentParser(prog=PROGRAM, description=__doc__.partition("\n")[0])
    commands = result.add_subparsers(dest="command", metavar="COMMAND")
    for name, text in (
        ("show", "print the records"),
        ("add", "add runs that differ in the seed alone, as one record, and write the tables"),
        ("run", "train and evaluate a record's model again, seed by seed, and add the runs"),
    ):
        commands.add_parser(name, help=text, description=f"{text[0].upper()}{text[1:]}.")
    add, run = commands.choices["add"], commands.choices["run"]
    add.add_argument("folders", nargs="+", type=Path, metavar="RUN_FOLDER")
    add.add_argument("--name", default="", help="the record; an existing one gets new results")
    add.add_argument("--data", default="", help="the data, as the tables show it")
    add.add_argument("--model", default="", help="the model, as the tables show it")
    add.add_argument("--commit", default="", help="with which the runs were made (the newest one)")
    run.add_argument("name", metavar="NAME", help="of a record")
    run.add_argument("--seeds", type=_positive, default=3, help="number of seeds, from 0 (3)")
    run.add_argument("--data", default="", help="where the data is, if not where the command says")
    for each in (add, run):
        each.add_argument("--machine", default="", help="cores, and what else ran on them")
    return result


def _positive(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"must be a whole number of at least 1, got {text!r}")
    return int(text)


def main(arguments: Sequence[str], root: Path = ROOT) -> int:
    """Runs the command; wrong input gives one sentence and status 2, a failed training 1."""
    options = parser().parse_args(arguments)
    try:
        if options.command == "show":
            print(show(records.read(root / pages.SCORES)))
            return 0
        if options.command == "run":
            run(root, options.name, options.seeds, options.data, options.machine)
        if options.command == "add":
            texts = {name: getattr(options, name) for name in ("name", "data", "model", "machine")}
            add(root, runs.record_of(options.folders, options.commit, **texts))
        for path in pages.regenerate(root):
            print(f"written: {path.relative_to(root)}")
    except (InputError, Failure) as error:
        print(f"{PROGRAM}: {error}", file=sys.stderr)
        return 2 if isinstance(error, InputError) else 1
    return 0


def show(scores: Sequence[Record]) -> str:
    """A line for each record: name, results, commit and date."""
    width = max(len(record.name) for record in scores)
    lines = []
    for record in scores:
        result = tables.results(record).replace("**", "")
        commit = tables.commit(record).replace("`", "")
        lines.append(f"{record.name:{width}}  {result}  {commit}")
    return "\n".join(lines)


def add(root: Path, new: Record) -> None:
    """Puts a record among the others."""
    path = root / pages.SCORES
    scores = runs.added(records.read(path), new)
    records.write(path, scores)
    place = next(record for record in scores if record.name == new.name)
    print(f"{place.name}: {tables.results(place).replace('**', '')}, `{place.command}`")


def run(root: Path, name: str, seeds: int, data: str = "", machine: str = "") -> None:
    """Trains and evaluates a record's model with each seed, and adds the runs to it.

    Raises:
        InputError: There is no such record, or its command needs another run.
        Failure: A training failed.
    """
    known = {record.name: record for record in records.read(root / pages.SCORES)}
    if name not in known:
        raise InputError(f"there is no record {name!r}: {nearest(name, known)}")
    record = known[name]
    recipe, words = runs.words_of(record.command)
    for flag in ("--chosen-by", "--context"):
        if flag in words:
            raise InputError(
                f"`{record.command}` needs the run of {flag}: do these runs by hand, then add them"
            )
    commit = head(root)  # before the trainings, which take long
    place = root / "runs" / "scores" / f"{name}-{commit}"
    folders = [place / str(seed) for seed in range(seeds)]
    for seed, folder in enumerate(folders):
        given = [*words, *(["--data", data] if data else []), "--seed", str(seed)]
        if (folder / "config.json").exists():  # an interrupted one
            given = ["--resume"]
        if not (folder / "metrics.json").exists():
            _recipes("train", recipe, *given, "--run-dir", str(folder))
        _recipes("evaluate", recipe, "--run-dir", str(folder))
    new = runs.record_of(folders, commit, name=name, machine=machine)
    add(root, new)


def _recipes(*words: str) -> None:
    """Runs one command of the recipes.

    Raises:
        Failure: It failed; its own output says why.
    """
    status = subprocess.run([sys.executable, "-m", "recipes", *words], check=False).returncode
    if status:
        raise Failure(f"rnn-zoo {' '.join(words[:2])} ended with status {status}: see above")
