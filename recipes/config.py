"""A recipe's configuration: a dataclass whose fields are command line options and JSON entries."""

import dataclasses
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar

from recipes.training.epochs import EpochRule
from zoo.errors import InputError, nearest, require_choice
from zoo.fine_tuning.freezing import require_freezing
from zoo.options import Condition, Option, option, options_of
from zoo.system import durable, stored

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

Config = TypeVar("Config", bound="DataclassInstance")


LARGEST = 2**63
DECAYS = ("none", "linear", "cosine")
DECAYING = Condition("decay", among=("cosine",))  # what warms up is the cosine
# what says where data is and how it is read: `evaluate` takes these for data of its own
READING = (
    *("data", "download", "limit", "text_column", "label_column", "source", "target"),
    *("source_file", "target_file", "token_column", "tag_column", "tokens_feature"),
    *("tags_feature", "steps_per_quarter", "format", "header", "layout", "series_column"),
    *("time_column", "value_columns", "covariate_columns", "static_columns", "fill_gaps"),
    "label_pattern",
)
STRATEGIES = ("none", "mirrored", "multiworker")
PRECISIONS = ("float32", "bfloat16")
ADVICE = "put back a copy of it, or train again"  # about a damaged file of a run


def chosen_epochs(rule: EpochRule, larger: str = "") -> Any:
    """The field `epochs`: None until the size of the training split is known."""
    return option(
        None,
        "Epochs at most: passes over the training split (default: chosen by its size: "
        f"{larger}{rule.least} for {rule.reference:,} {rule.unit} or more, more for fewer)",
    )


def chosen_patience(rule: EpochRule) -> Any:
    """The field `patience`, chosen as `epochs` is."""
    return option(
        None,
        "Epochs without a better validation score before training stops (default: chosen by the "
        f"size of the training split: {rule.patience} for {rule.reference:,} {rule.unit} or more, "
        "more for fewer)",
    )


@dataclass(frozen=True)
class DataOptions:
    """Where the data is, how it is split, and the sizes of its batches: what `prepare` is given.

    A recipe adds how its texts become numbers. No option of the model is among them, so that data
    prepared once fits every model: see `Recipe.data_of`.
    """

    data: str = option("builtin", "Data: builtin, tfds:NAME[/CONFIG], or a path to your own.")
    download: bool = option(True, "Let tensorflow-datasets download what is not there.")
    validation_fraction: float = option(
        0.1, "Fraction of train to use as validation if the data has no validation split."
    )
    test_fraction: float = option(
        0.1, "Fraction of train to use as test if the data has no test split."
    )
    train_fraction: float = option(1.0, "Fraction of the training split to use.")
    split_seed: int = option(0, "Seed of the random splits.")
    batch_size: int = option(32, "Examples per step.")
    buckets: int = option(6, "Number of different lengths that batches are padded to.")
    init: str = option(
        "",
        "Start from pretrained weights: the folder of a run, a folder that Pipeline.save wrote, or "
        "a name that `zoo list --pretrained` lists.",
    )


@dataclass(frozen=True)
class LabelledColumns(DataOptions):
    """Where a file or a data set of tfds has the text and its label."""

    text_column: str = option(
        "text",
        "Column (or tfds feature) of the text: its name, or its number from 0; of several with "
        "commas between, the first that a file has.",
    )
    label_column: str = option("label", "Column (or tfds feature) of the label, likewise.")
    format: str = option(
        "",
        "Format of the files: tsv, csv, jsonl, or txt for a folder with a file for each class; by "
        "default as their endings say.",
    )
    header: bool = option(True, "The first line of TSV and CSV files names the columns.")


@dataclass(frozen=True)
class TrainingConfig(DataOptions):
    """The options of every recipe: its data, and how long and in which steps it trains.

    Attributes:
        RULE: How many epochs a recipe trains where the user does not say. Of a recipe that has
            one, `epochs` and `patience` are None until the size of the data is known.
    """

    RULE: ClassVar[EpochRule] = EpochRule(least=10, reference=10_000, patience=2)
    architecture: str = option("", "Architecture, one of those that `zoo list` names.")
    epochs: int = option(10, "Epochs at most: passes over the training split.")
    minutes: float = option(
        0.0, "Minutes for training: no epoch starts that would end later; 0 = no limit."
    )
    patience: int = option(2, "Epochs without a better validation score before training stops.")
    keep_epoch: int = option(
        0, "Stop after this epoch and keep it; 0 = keep the epoch with the best validation score."
    )
    learning_rate: float = option(1e-3, "Learning rate of Adam.")
    decay: str = option(
        "none", "How the learning rate falls to 0 over all epochs: none, linear, cosine."
    )
    weight_decay: float = option(
        0.0, "Weight decay of AdamW: fraction of the weights, times the learning rate, per step."
    )
    clip_norm: float = option(1.0, "Largest global norm of the gradients; 0 = no clipping.")
    average: float = option(
        0.3, "Epochs over which the weights are averaged; 0 = use the last weights."
    )
    freeze: str = option(
        "none", "With --init, what does not train: none, embeddings, or body (embeddings too)."
    )
    unfreeze_every: int = option(
        0, "Epochs after which one more frozen layer trains, from the top down; 0 = none does."
    )
    layer_decay: float = option(
        1.0,
        "With --init, learning rate of a layer as a fraction of that of the layer above it.",
    )
    strategy: str = option(
        "none",
        "Distribution of each step: none, mirrored (all devices), multiworker (processes of "
        "TF_CONFIG).",
    )
    accumulate: int = option(
        1,
        "Parts into which a batch is divided to save memory: the gradients are those of the whole "
        "batch, except for what a layer draws or penalizes per batch.",
    )
    precision: str = option(
        "float32", "Precision of matrix products in training: float32, bfloat16."
    )
    seed: int = option(
        0, "Random seed of weights, order and dropout: the same seed gives the same run."
    )

    def __init_subclass__(cls) -> None:
        """Declares `epochs` and `patience` by the recipe's own rule."""
        super().__init_subclass__()
        if "RULE" in vars(cls):
            chosen = {"epochs": chosen_epochs(cls.RULE), "patience": chosen_patience(cls.RULE)}
            for name, declared in chosen.items():
                if name not in vars(cls):
                    setattr(cls, name, declared)
                    cls.__annotations__[name] = int

    def __post_init__(self) -> None:
        """Checks every value's type and range."""
        for each in options_of(type(self)).values():
            value = getattr(self, each.name)
            if value is not None or each.default is not None:
                _check_type(each.name, value, each.kind)
        for name in ("epochs", "patience", "batch_size", "buckets", "accumulate"):
            value = getattr(self, name)
            _check(value is None or value >= 1, name, "at least 1", value)
        for name in ("minutes", "weight_decay", "clip_norm", "average", "seed", "keep_epoch"):
            _check(getattr(self, name) >= 0, name, "at least 0", getattr(self, name))
        _check(self.seed < 2**32, "seed", f"below {2**32}", self.seed)
        for name in ("validation_fraction", "test_fraction"):
            _check(0 < getattr(self, name) < 1, name, "between 0 and 1", getattr(self, name))
        share = self.train_fraction
        _check(0 < share <= 1, "train_fraction", "above 0 and at most 1", share)
        _check(self.learning_rate > 0, "learning_rate", "above 0", self.learning_rate)
        kept, most = self.keep_epoch, self.epochs
        _check(most is None or kept <= most, "keep_epoch", f"at most the {most} epochs", kept)
        if kept and self.minutes:
            raise InputError("keep_epoch asks for an epoch whatever it takes: leave minutes out")
        _check(
            self.accumulate <= self.batch_size,
            "accumulate",
            f"at most batch_size, {self.batch_size}",
            self.accumulate,
        )
        for name, choices in (
            ("decay", DECAYS),
            ("strategy", STRATEGIES),
            ("precision", PRECISIONS),
        ):
            require_choice(name, getattr(self, name), choices)
        require_freezing(self.freeze, self.unfreeze_every, self.layer_decay)
        if not self.init and (self.freeze != "none" or self.layer_decay != 1):
            name = "freeze" if self.freeze != "none" else "layer_decay"
            raise InputError(
                f"{name} {getattr(self, name)!r} is for pretrained weights: give --init, or leave "
                "it out"
            )

    def by_size(self, size: int) -> dict[str, Any]:
        """Returns further options that are not given and follow from the size of train."""
        return {}

    @classmethod
    def with_default(cls, name: str, default: Any) -> Any:
        """Returns the field `name` with another default, for a subclass to declare."""
        field = cls.__dataclass_fields__[name]
        return dataclasses.field(default=default, metadata=field.metadata)


@dataclass(frozen=True)
class Answering:
    """The options of `predict` besides the texts: none, for most recipes."""


def _check(right: bool, name: str, expected: str, value: Any) -> None:
    if not right:
        raise InputError(f"{name} must be {expected}, got {value!r}")


def _check_type(name: str, value: Any, kind: type | None) -> None:
    """Refuses values of another type; an int is a float, but a bool is no number."""
    if kind is None:
        return
    kinds = {float: (int, float), list: (list, tuple)}.get(kind, (kind,))
    if not isinstance(value, kinds) or (isinstance(value, bool) and kind is not bool):
        raise InputError(f"{name} must be of type {kind.__name__}, got {value!r}")
    if isinstance(value, float) and not math.isfinite(value):
        raise InputError(f"{name} must be a finite number, got {value!r}")
    if isinstance(value, int) and abs(value) >= LARGEST:
        raise InputError(f"{name} must be below {LARGEST}, got {str(value)[:40]}")


def with_options(config: type[Config], options: Iterable[Option]) -> type[Config]:
    """Returns a configuration class with further options; those that it declares stay."""
    declared = {field.name for field in dataclasses.fields(config)}
    new = [
        (each.name, each.annotation, each.field()) for each in options if each.name not in declared
    ]
    made: type[Config] = dataclasses.make_dataclass(
        config.__name__, new, bases=(config,), frozen=True
    )
    return made


def numbers(name: str, text: str, kind: type = int) -> list[Any]:
    """What an option lists: `2,3,4` -> [2, 3, 4]."""
    try:
        return [kind(part) for part in text.split(",")]
    except ValueError as error:
        what = "whole numbers" if kind is int else "numbers"
        raise InputError(f"{name} must be {what} with commas between them, got {text!r}") from error


def from_mapping(config: type[Config], values: Mapping[str, Any]) -> Config:
    """A configuration from names and values; an unknown name is an error that gives the nearest."""
    known = [field.name for field in dataclasses.fields(config)]
    for name in values:
        if name not in known:
            raise InputError(f"no option {name!r}: {nearest(name, known)}")
    return config(**values)


def write_json(path: Path, content: Any, *, checked: bool = False) -> None:
    """Writes JSON as a whole or not at all; see `zoo.system.durable.replacing`."""
    durable.write_json(path, content, checked=checked)


def read_json(path: Path, kind: type | None = None, advice: str = ADVICE) -> Any:
    """Reads JSON, of a `dict` or a `list` if `kind` names one, or says what is wrong with the file.

    `advice` is what to do about a damaged one.
    """
    missing = "give a run's folder or file"
    return stored.read_json(path, kind, missing=missing, advice=advice)


def differences(old: TrainingConfig, given: Mapping[str, Any], free: Sequence[str]) -> list[str]:
    """The options that would change a run: each with its value and, in brackets, the run's own.

    Those that are `free` may change.
    """
    return [
        f"--{name.replace('_', '-')} {value} (the run has {getattr(old, name, None)})"
        for name, value in given.items()
        if name not in free and getattr(old, name, None) != value
    ]
