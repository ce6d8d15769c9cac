"""`python -m zoo`: what there is to build, what its options mean, how large it gets."""

import argparse
import inspect
import json
import sys
from typing import Any

import zoo
from zoo import registry
from zoo.description import first_line, meanings
from zoo.system.command import Place, guarded

# sizes that depend on a user's data: `summary` takes these where none are given
EXAMPLE_SIZES = {"vocabulary_size": 10_000, "num_classes": 2, "num_tags": 9, "num_features": 1000}
IN_PLACE_OF = {"num_classes": "vector_dim"}  # the size that is not needed where the other is given


def main(arguments: list[str] | None = None) -> int:
    """Runs one command.

    Returns:
        The exit status: 0 done, 1 failed or interrupted, 2 wrong input.
    """
    words = sys.argv[1:] if arguments is None else arguments
    return guarded("python -m zoo", words, _run)


def _run(words: list[str], _place: Place) -> int:
    parser = argparse.ArgumentParser(prog="python -m zoo", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    listing = commands.add_parser("list", help="the architectures and the cells")
    listing.add_argument("--topology", help="only those of this topology, e.g. many_to_one")
    listing.add_argument("--cell", help="only those that take this cell, e.g. lstm")
    describing = commands.add_parser("describe", help="an architecture and all its options")
    describing.add_argument("name")
    summary = commands.add_parser("summary", help="layers, shapes and number of parameters")
    summary.add_argument("name")
    parsed, rest = parser.parse_known_args(words)
    if rest and parsed.command == "list":
        raise zoo.InputError(f"{parsed.command} takes no {' '.join(rest)}: see --help")
    if parsed.command == "list":
        print(listing_text(parsed.topology, parsed.cell))
    elif parsed.command == "describe":
        print(zoo.describe(parsed.name, **parse_options(parsed.name, rest)))
    else:
        summarize(parsed.name, rest)
    return 0


def listing_text(topology: str | None = None, cell: str | None = None) -> str:
    """The registered names, each with its topology's drawing and its first line."""
    entries = [registry.architecture(name) for name in zoo.names(topology, cell)]
    width = max((len(entry.name) for entry in entries), default=0)
    lines = [
        f"{entry.name:{width}}  {registry.TOPOLOGIES[entry.topology]:20}  {first_line(entry)}"
        for entry in entries
    ]
    return "\n".join([*lines, "", f"cells: {', '.join(zoo.cells())}"])


def summarize(name: str, words: list[str]) -> None:
    """Builds an architecture from `--option value` words and prints its layers and parameters."""
    options = parse_options(name, words)
    needed = registry.architecture(name).options
    filled = {key: size for key, size in EXAMPLE_SIZES.items() if key in needed}
    missing = {
        key: size
        for key, size in filled.items()
        if key not in options and IN_PLACE_OF.get(key) not in options
    }
    model = zoo.build(name, **{**missing, **options})
    model.summary()
    for key, size in missing.items():
        print(f"{key} {size} is an example: give --{key.replace('_', '-')} for your data")


def parse_options(name: str, words: list[str]) -> dict[str, Any]:
    """Turns `--units 64 --bidirectional` into the arguments of a builder."""
    options = registry.architecture(name).options
    texts = meanings(registry.architecture(name).documentation)
    parser = argparse.ArgumentParser(
        prog=f"python -m zoo summary {name}", allow_abbrev=False, exit_on_error=False
    )
    for option, parameter in options.items():
        kind = parameter.annotation
        how: dict[str, Any] = {"type": kind if kind in (str, int, float) else _read_json}
        if kind is bool:
            how = {"action": argparse.BooleanOptionalAction}
        flag = f"--{option.replace('_', '-')}"
        text = texts.get(option, "").replace("%", "%%")
        parser.add_argument(flag, dest=option, default=inspect.Parameter.empty, help=text, **how)
    try:
        parsed, unknown = parser.parse_known_args(words)
    except argparse.ArgumentError as error:
        raise zoo.InputError(f"{name}: {error}") from error
    if unknown:
        hint = registry.nearest(unknown[0].lstrip("-").replace("-", "_"), options)
        raise zoo.InputError(f"{name} has no option {unknown[0]!r}: {hint}")
    return {k: v for k, v in vars(parsed).items() if v is not inspect.Parameter.empty}


def _read_json(word: str) -> Any:
    try:
        return json.loads(word)
    except json.JSONDecodeError:
        raise argparse.ArgumentTypeError(
            f'must be JSON such as {{"reset_after": false}}, got {word}'
        ) from None


if __name__ == "__main__":
    sys.exit(main())
