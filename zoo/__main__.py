"""`python -m zoo`: lists, explains and prints models, and shows how recurrent networks work."""

import argparse
import sys
from typing import Any

import zoo
from zoo import catalog, pretrained
from zoo.diagnostics import command as diagnostics
from zoo.errors import InputError, nearest
from zoo.inspection import command as inspection
from zoo.options import add_arguments
from zoo.pretrained import exporting
from zoo.serving import command as serving
from zoo.system.command import Place, guarded
from zoo.version import VERSION

# `summary` uses these sizes, which depend on a user's data, where none are given
EXAMPLE_SIZES = {
    "vocabulary_size": 10_000,
    "source_vocabulary_size": 10_000,
    "target_vocabulary_size": 10_000,
    "num_classes": 2,
    "num_tags": 9,
    "num_features": 1000,
}
IN_PLACE_OF = {"num_classes": "vector_dim"}  # the size that is not needed if the other is given
COMMANDS = {
    "list": "the architectures and the cells",
    "describe": "an architecture or a cell: what it computes, its options, its source",
    "summary": "a model's layers, shapes and number of parameters",
    "inspect": "a saved or exported model: its signatures, sizes, vocabulary and where it is from",
    "convert": "a pretrained model into a SavedModel, ONNX, a Triton repository or LiteRT",
    "serve": "exported models over HTTP: REST, Open Inference V2, text as a stream, a page",
    **diagnostics.COMMANDS,
}


def main(arguments: list[str] | None = None) -> int:
    """Runs one command.

    Returns the exit status: 0 done, 1 failed or interrupted, 2 wrong input.
    """
    words = sys.argv[1:] if arguments is None else arguments
    return guarded("python -m zoo", words, run)


def run(words: list[str], _place: Place, program: str = "python -m zoo") -> int:
    """Runs one of `COMMANDS`; the help shows `program` before them."""
    parser = argparse.ArgumentParser(prog=program, description=__doc__)
    parser.add_argument("--version", action="version", version=f"rnn-zoo {VERSION}")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    listing, describing, summary, inspecting, converting, served = (
        commands.add_parser(name, help=text, description=text[0].upper() + text[1:] + ".")
        for name, text in COMMANDS.items()
        if name not in diagnostics.COMMANDS
    )
    diagnostics.add_commands(commands)
    inspection.add_options(inspecting)
    exporting.add_options(converting)
    serving.add_options(served)
    listing.add_argument("--topology", help="only those of this topology, e.g. many_to_one")
    listing.add_argument("--cell", help="only those that take this cell, e.g. lstm")
    listing.add_argument(
        "--pretrained", action="store_true", help="the trained models that zoo.load takes instead"
    )
    listing.add_argument("--task", help="with --pretrained, only those for this task")
    listing.add_argument(
        "--language", help="with --pretrained, only those for it, e.g. en or en-fr"
    )
    listing.add_argument("--scores", action="store_true", help="the recorded results instead")
    listing.add_argument(
        "--sort", metavar="KEY", help="results in the order of a metric, parameters or seconds"
    )
    describing.add_argument("name", metavar="NAME", help="of an architecture or a cell")
    summary.add_argument("name", metavar="NAME", help="of an architecture")
    summary.epilog = "Options of NAME can follow, as in --units 64; describe NAME lists them."
    describing.epilog = "With options of NAME, it prints how these change the way through time."
    parsed, rest = parser.parse_known_args(words)
    architecture = getattr(parsed, "architecture", "")
    if (
        rest
        and parsed.command in ("list", "inspect", "convert", "serve", *diagnostics.COMMANDS)
        and not architecture
    ):
        raise InputError(f"{parsed.command} takes no {' '.join(rest)}: see --help")
    if architecture:
        zoo.import_models()
        return diagnostics.run(parsed, parse_options(architecture, rest))
    if parsed.command in diagnostics.COMMANDS:
        return diagnostics.run(parsed)
    if parsed.command == "inspect":
        return inspection.run(parsed)
    if parsed.command == "convert":
        return exporting.run(parsed)
    if parsed.command == "serve":
        return serving.run(parsed)
    if parsed.command == "list":
        chosen = {name: getattr(parsed, name) for name in ("task", "language", "topology", "cell")}
        if parsed.pretrained:
            print(pretrained.table(pretrained.models(**chosen)))
        elif parsed.task or parsed.language:
            raise InputError("--task and --language choose trained models: give --pretrained, too")
        elif parsed.scores or parsed.sort:
            print(scores_text(parsed.topology, parsed.cell, parsed.sort))
        else:
            print(listing_text(parsed.topology, parsed.cell))
        return 0
    zoo.import_models()
    if parsed.command == "describe":
        options = parse_options(parsed.name, rest) if rest else {}
        print(zoo.describe(parsed.name, **options))
    else:
        summarize(parsed.name, rest)
    return 0


def listing_text(topology: str | None = None, cell: str | None = None) -> str:
    """The architectures by topology, of one or all and for a cell or all, then the cells."""
    entries, cells = catalog.architectures(), catalog.cells()
    if topology or cell:
        chosen = zoo.names(topology, cell)
        entries, cells = [entry for entry in entries if entry.name in chosen], []
    groups = [
        (f"{each}: {drawing}", [entry for entry in entries if entry.topology == each])
        for each, drawing in catalog.TOPOLOGIES.items()
    ]
    width = max((len(entry.name) for entry in entries), default=0)
    lines: list[str] = []
    for heading, group in [*groups, ("cells", cells)]:
        if group:
            lines += [heading, *(f"  {each.name:{width}}  {each.summary}" for each in group), ""]
    return "\n".join([*lines, "describe NAME explains one of them."]) if lines else "none"


def scores_text(
    topology: str | None = None, cell: str | None = None, key: str | None = None
) -> str:
    """The recorded results by data set, the best first; or all in the order of `key`."""
    scores = catalog.scores(topology, cell)
    if not scores:
        return "none"
    chosen = catalog.ordered(scores, key) if key else scores
    rows = {score: score_cells(score) for score in chosen}
    widths = [max(map(len, column)) for column in zip(*rows.values(), strict=True)]
    if key:
        groups = [(f"by {key}:", chosen)]
    else:
        kinds = dict.fromkeys((score.data, score.metric) for score in chosen)
        groups = [
            (data, catalog.ordered([score for score in chosen if score.data == data], metric))
            for data, metric in kinds
        ]
    lines = []
    for heading, group in groups:
        lines.append(heading)
        for score in group:
            cells = zip(rows[score], widths, strict=True)
            lines.append(("  " + "  ".join(f"{text:{width}}" for text, width in cells)).rstrip())
        lines.append("")
    return "\n".join([*lines, "benchmarks/results/README.md has commands, commits and dates."])


def score_cells(score: catalog.Score) -> list[str]:
    """What a line of `list --scores` shows of a result."""
    spread = f" ± {score.spread}" if score.spread else ""
    seeds = f" ({score.seeds} seed{'s' if score.seeds > 1 else ''})"
    return [
        score.architecture,
        score.cell,
        f"{score.label} {score.value}{spread}{seeds}",
        f"{score.parameters:,} parameters" if score.parameters else "",
        f"{score.seconds:,.0f} s" if score.seconds else "",
        score.name,
    ]


def summarize(name: str, words: list[str]) -> None:
    """Builds an architecture from `--option value` words and prints its layers and parameters."""
    options = parse_options(name, words)
    needed = zoo.registry.architecture(name).options
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
    """Turns `--units 64 --bidirectional` into the options of an architecture."""
    options = zoo.registry.architecture(name).options
    parser = argparse.ArgumentParser(
        prog=f"python -m zoo summary {name}", allow_abbrev=False, exit_on_error=False
    )
    add_arguments(parser, options.values())
    try:
        parsed, unknown = parser.parse_known_args(words)
    except argparse.ArgumentError as error:
        raise InputError(f"{name}: {error}") from error
    if unknown:
        hint = nearest(unknown[0].lstrip("-").replace("-", "_"), options)
        raise InputError(f"{name} has no option {unknown[0]!r}: {hint}")
    return vars(parsed)


if __name__ == "__main__":
    sys.exit(main())
