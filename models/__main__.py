"""`python -m models`: trains the models of the distribution and packages them; see `README.md`."""

import argparse
import os
import shlex
import sys
from collections.abc import Sequence
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")  # TensorFlow reads it when it loads

from models import licences, overview, packaging  # noqa: E402
from models.entries import MODELS, Entry  # noqa: E402
from models.training import folder_of, trained, words_of  # noqa: E402
from zoo.errors import InputError, nearest  # noqa: E402
from zoo.system import durable  # noqa: E402
from zoo.system.artefact import CARD  # noqa: E402
from zoo.system.command import Place, guarded  # noqa: E402

OUT = Path(__file__).with_name("rnn_zoo_models")


def main(words: Sequence[str] | None = None, entries: Sequence[Entry] = MODELS) -> int:
    """Trains what is not trained yet and packages it; returns the exit status."""

    def run(given: list[str], _place: Place) -> int:
        return _run(given, entries)

    return guarded("python -m models", list(sys.argv[1:] if words is None else words), run)


def _run(words: list[str], entries: Sequence[Entry]) -> int:
    parser = argparse.ArgumentParser(prog="python -m models", description=__doc__)
    parser.add_argument("names", metavar="NAME", nargs="*", help="models; by default all of them")
    parser.add_argument("--data", type=Path, default=Path("data"), help="folder of the data sets")
    parser.add_argument(
        "--runs", type=Path, default=Path("runs/models"), help="folder of the runs; kept"
    )
    parser.add_argument("--out", type=Path, default=OUT, help="folder of the packaged models")
    parser.add_argument(
        "--seeds",
        type=int,
        nargs="+",
        metavar="N",
        help="seeds to train; by default all. Those trained earlier stay in the card",
    )
    parser.add_argument(
        "--cards", action="store_true", help="train nothing: write the packaged models' cards again"
    )
    parser.add_argument("--list", action="store_true", help="print the commands, and do nothing")
    parsed = parser.parse_args(words)
    known = {entry.name: entry for entry in entries}
    for name in parsed.names:
        if name not in known:
            raise InputError(f"there is no model {name!r}: {nearest(name, known)}")
    if not parsed.list:
        durable.make_folder(parsed.out)
        durable.write_text(parsed.out.parent / "LICENSES.md", licences.text(entries))
    for name in parsed.names or known:
        entry = known[name]
        if parsed.list:
            _print_commands(entry, parsed.data, parsed.runs)
            continue
        if parsed.cards:
            if (parsed.out / name).exists():
                print(f"card: {packaging.packaged(entry, [], parsed.out) / CARD}", flush=True)
            continue
        for seed in parsed.seeds or entry.seeds:
            if seed not in entry.seeds:
                raise InputError(f"--seeds {seed}: {name} has the seeds {_listed(entry.seeds)}")
        runs = list(trained(entry, parsed.data, parsed.runs, parsed.seeds))
        folder = packaging.packaged(entry, runs, parsed.out)
        size = packaging.check_budget(parsed.out)
        print(f"packaged: {folder} (all models: {size / 2**20:.1f} MB)", flush=True)
    if parsed.out == OUT and not parsed.list:
        overview.write(OUT)
    return 0


def _listed(seeds: Sequence[int]) -> str:
    return ", ".join(map(str, seeds))


def _print_commands(entry: Entry, data: Path, runs: Path) -> None:
    for seed in entry.seeds:
        command = ["python", "-m", "recipes", "train", entry.recipe]
        command += [*words_of(entry, seed, data, runs), "--run-dir"]
        print(shlex.join([*command, str(folder_of(entry, seed, runs))]))


if __name__ == "__main__":
    sys.exit(main())
