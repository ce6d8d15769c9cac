"""The commands that show how recurrent networks work: `gradients`, `bptt` and the others.

Each prints a table and writes a picture and its numbers into a folder. Help needs no TensorFlow.
"""

import argparse
import importlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from zoo.errors import InputError, require_positive_int, require_rate
from zoo.options import add_arguments, option, options_of, validate
from zoo.system import durable, lock, startup

COMMANDS = {
    "gradients": "how the gradient vanishes or explodes through time, for several cells",
    "bptt": "backpropagation through time by hand, truncated and full",
    "sampling": "a language model's next character at several temperatures, and sampled text",
    "count": "which cell can count: accuracy against length, on small tasks",
    "contexts": "what a tagger knows at each word, left to right and in both directions",
    "connectivity": "which earlier tokens moved each prediction, for several models",
    "units": "text coloured by single units, and the units that follow quotes, brackets, lines",
    "gates": "gates over a sentence, attention, a CRF's transitions, neighbours of embeddings",
    "deep": "the gradients and the training of a deep stack, without and with residual connections",
    "beams": "the tree of hypotheses of a beam search, for several beam sizes",
}
DEEP_TASKS = ("brackets", "parity", "modular_sum")


def _require_positive(name: str, value: float) -> None:
    if not 0 < value < float("inf"):
        raise InputError(f"{name} must be a positive number, got {value}")


def _require_alpha(name: str, value: float) -> None:
    if not 0 <= value <= 10:
        raise InputError(f"{name} must be a number from 0 to 10, got {value}")


def require_not_negative(name: str, value: Any) -> None:
    """Raises an InputError if an option's value is no int from 0 up."""
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        raise InputError(f"{name} must be an int of at least 0, got {value!r}")


@dataclass(frozen=True)
class Repeatable:
    """What all commands take."""

    seed: int = option(0, "Seed of the weights and the data.")
    out: str = option("", "Folder for the picture and the numbers; diagnostics/COMMAND if none.")
    format: str = option("png", "Format of the picture: png, or svg.", choices=("png", "svg"))

    def __post_init__(self) -> None:
        """Checks the values."""
        validate(self)


@dataclass(frozen=True)
class Common(Repeatable):
    """What most commands take."""

    length: int = option(100, "Steps of the sequences.", check=require_positive_int)
    units: int = option(64, "Hidden size K.", check=require_positive_int)


@dataclass(frozen=True)
class GradientsOptions(Common):
    """What `gradients` takes."""

    length: int = option(200, "Steps of the sequences.", check=require_positive_int)
    cells: str = option("simple_rnn,gru,lstm,min_gru", "Cells, with commas between them.")
    task: str = option("adding", "Task: adding, or copying.", choices=("adding", "copying"))
    updates: int = option(100, "Training steps before the last panel.", check=require_positive_int)
    run: str = option(
        "", "Folders of a recipe's runs, with commas: their layers and their loss are measured."
    )
    architecture: str = option(
        "",
        "An untrained architecture instead, such as many_to_many; its options can follow, as in "
        "--cell gru --num-layers 2.",
    )
    explode: bool = option(False, "Show an exploding gradient with and without clipping instead.")
    radius: float = option(1.05, "With --explode: spectral radius of the recurrent matrix.")


@dataclass(frozen=True)
class BpttOptions(Common):
    """What `bptt` takes."""

    length: int = option(50, "Steps of the sequence.", check=require_positive_int)
    units: int = option(16, "Hidden size K.", check=require_positive_int)
    radius: float = option(0.9, "Spectral radius of the recurrent matrix.")
    draws: int = option(200, "Randomly truncated gradients to average.", check=require_positive_int)


@dataclass(frozen=True)
class SamplingOptions(Common):
    """What `sampling` takes."""

    cell: str = option("gru", "The cell of the small model of characters.")
    text: str = option("", "File of text in UTF-8 for the model; made up if none.")
    updates: int = option(800, "Training steps; 0 = untrained.", check=require_not_negative)
    prompt: str = option("the ", "The text to continue.")
    temperatures: str = option("0.5,1,2", "Temperatures, with commas between them.")
    top_k: int = option(0, "Sample among the most likely k characters; 0 = all.")
    top_p: float = option(1.0, "Sample among the fewest characters of this probability, 0 to 1.")


@dataclass(frozen=True)
class CountOptions(Common):
    """What `count` takes."""

    length: int = option(40, "Steps of the longest training sequences.", check=require_positive_int)
    units: int = option(32, "Hidden size K.", check=require_positive_int)
    lengths: str = option(
        "40,64,128,256,512,1024,2048", "Steps of the test sequences, with commas between them."
    )
    tasks: str = option(
        "parity,modular_sum,brackets,agreement,short_copying", "Tasks, with commas between them."
    )
    cells: str = option("", "Cells, with commas between them; all if none.")
    seeds: int = option(1, "Trainings of each, from --seed on.", check=require_positive_int)
    steps: int = option(1000, "Training steps.", check=require_positive_int)
    rate: float = option(0.003, "Adam's learning rate at the start.", check=_require_positive)
    rows: int = option(64, "Sequences of a training batch.", check=require_positive_int)


@dataclass(frozen=True)
class ContextsOptions(Repeatable):
    """What `contexts` takes."""

    units: int = option(16, "Hidden size K of each direction.", check=require_positive_int)
    cell: str = option("lstm", "The cell of both taggers.")
    persons: float = option(
        0.3, "Share of the sentences with a person's name, 0 to 1.", check=require_rate
    )
    steps: int = option(300, "Training steps.", check=require_positive_int)


@dataclass(frozen=True)
class ReadingOptions(Common):
    """What all commands take that read text with a model."""

    run: str = option(
        "",
        "Folders of trained models, with commas between them: of a recipe's run, or what "
        "Pipeline.save wrote. Without any, small models of characters are trained.",
    )
    cells: str = option("simple_rnn,gru,lstm", "Cells of the small models, with commas.")
    text: str = option("", "File of text in UTF-8 for the small models; made up if none.")
    updates: int = option(
        800, "Training steps of the small models; 0 = untrained.", check=require_not_negative
    )
    sentence: str = option("", "The text to read; by default some of the held-out text.")


@dataclass(frozen=True)
class ConnectivityOptions(ReadingOptions):
    """What `connectivity` takes."""

    at: int = option(-1, "Step whose prediction the picture shows; -1 = at a closing mark.")


@dataclass(frozen=True)
class UnitsOptions(ReadingOptions):
    """What `units` takes."""

    cells: str = option("gru,lstm", "Cells of the small models, with commas.")


@dataclass(frozen=True)
class GatesOptions(ReadingOptions):
    """What `gates` takes."""

    cells: str = option("gru,lstm", "Cells of the small models, with commas.")
    neighbours: int = option(5, "Nearest tokens of each token to list.", check=require_positive_int)


@dataclass(frozen=True)
class DeepOptions(Common):
    """What `deep` takes."""

    length: int = option(20, "Steps of the sequences.", check=require_positive_int)
    units: int = option(32, "Hidden size K.", check=require_positive_int)
    layers: int = option(6, "L, number of recurrent layers.", check=require_positive_int)
    cell: str = option("lstm", "The cell of both stacks.")
    task: str = option("brackets", "Task: brackets, parity or modular_sum.", choices=DEEP_TASKS)
    updates: int = option(200, "Training steps.", check=require_positive_int)


@dataclass(frozen=True)
class BeamsOptions(Repeatable):
    """What `beams` takes."""

    beam_sizes: str = option("1,2", "Beam sizes, with commas between them; 1 = greedy.")
    length_penalty: float = option(
        0.0, "alpha, strength of the length penalty; 0 = none.", check=_require_alpha
    )
    penalty: str = option("gnmt", "Kind of length penalty.", choices=("gnmt", "average"))
    run: str = option(
        "", "Folder of a trained translator; without it a small table of probabilities is searched."
    )
    sentence: str = option("", "With --run: the text to translate.")


OPTIONS: dict[str, type[Repeatable]] = {
    "gradients": GradientsOptions,
    "bptt": BpttOptions,
    "sampling": SamplingOptions,
    "count": CountOptions,
    "contexts": ContextsOptions,
    "connectivity": ConnectivityOptions,
    "units": UnitsOptions,
    "gates": GatesOptions,
    "deep": DeepOptions,
    "beams": BeamsOptions,
}


def add_commands(commands: Any) -> None:
    """Adds a parser for each command to an argparse object of subcommands."""
    for name, text in COMMANDS.items():
        parser = commands.add_parser(
            name, help=text, description=text[0].upper() + text[1:] + ".", allow_abbrev=False
        )
        add_arguments(parser, options_of(OPTIONS[name]).values())


def run(parsed: argparse.Namespace, model_options: Mapping[str, Any] | None = None) -> int:
    """Runs a command; returns the exit status.

    Args:
        parsed: The command and its options.
        model_options: The options of the architecture that `--architecture` names, if it is given.

    Raises:
        InputError: An option has a wrong value, or another process writes into the folder.
    """
    values = {key: value for key, value in vars(parsed).items() if key != "command"}
    options = OPTIONS[parsed.command](**values)
    with startup.importing():
        importlib.import_module("zoo").import_models()
        plots = importlib.import_module("zoo.plots")
        show = importlib.import_module(f"zoo.diagnostics.{parsed.command}").show
    folder = Path(options.out or f"diagnostics/{parsed.command}")
    with lock.hold(folder, "the folder", "wait until it ends, or give another --out"):
        table, figure, numbers = show(options, **({} if model_options is None else model_options))
        print(table)
        name = "explosion" if getattr(options, "explode", False) else parsed.command
        picture = folder / f"{name}.{options.format}"
        plots.save(figure, picture)
        shown = {**vars(options), **(model_options or {})}
        durable.write_json(picture.with_suffix(".json"), {"options": shown, **numbers})
    print(f"picture: {picture}; numbers: {picture.with_suffix('.json')}")
    return 0
