"""The options of recurrent bodies: name, type, default, meaning and check of each stand here alone.

A layer takes them as keyword arguments, a builder as one argument `body`, whose fields `zoo.build`,
`describe`, the command line and the search list one by one. To add an option, add a field to the
first class whose bodies have it, and use it in the layer.
"""

from dataclasses import dataclass
from typing import Any

from zoo.errors import InputError, require_bool, require_positive_int, require_rate
from zoo.options import Condition, option, validate

MERGE_MODES = ("concat", "sum", "ave", "mul")


def require_count(name: str, value: Any) -> None:
    """Raises unless `value` is 0 or a positive int."""
    if value != 0 or isinstance(value, bool):
        require_positive_int(name, value)


@dataclass(frozen=True)
class DirectionOptions:
    """One cell over time in one direction."""

    cell: str = option("lstm", "Recurrent cell, one of those that `zoo list` names.")
    units: int = option(128, "Hidden size K of each direction.", check=require_positive_int)
    input_dropout: float = option(
        0.0,
        "Fraction of each recurrent layer's inputs dropped in training, with one mask for all "
        "steps of a sequence (Gal and Ghahramani, arXiv:1512.05287).",
        check=require_rate,
        late=True,
    )
    recurrent_dropout: float = option(
        0.0,
        "Fraction of the state dropped on its way into the recurrent product in training, with "
        "one mask for all steps of a sequence.",
        check=require_rate,
        late=True,
    )
    zoneout: float = option(
        0.0,
        "Probability that an element of a state keeps its value in a step of training; the "
        "expected value otherwise (Krueger et al., arXiv:1606.01305).",
        check=require_rate,
        late=True,
    )
    weight_drop: float = option(
        0.0,
        "Fraction of the recurrent matrices dropped in training, with one mask for a batch "
        "(Merity et al., arXiv:1708.02182).",
        check=require_rate,
        late=True,
    )
    cell_options: dict[str, Any] | None = option(
        None, 'The cell\'s own options, such as `{"reset_after": false}` for `gru`.', late=True
    )

    def __post_init__(self) -> None:
        """Checks the values."""
        validate(self)


@dataclass(frozen=True)
class StackOptions(DirectionOptions):
    """Recurrent layers on top of each other, in any number of directions."""

    num_layers: int = option(
        1, "L, number of recurrent layers on top of each other.", check=require_positive_int
    )
    residual: bool = option(
        False,
        "Add each layer's input to its output, from the second layer on (He et al., "
        "arXiv:1512.03385; Wu et al., arXiv:1609.08144).",
        check=require_bool,
        only_if=Condition("num_layers", least=2),
    )
    dropout: float = option(
        0.0,
        "Fraction dropped between layers and before the logits in training.",
        check=require_rate,
    )


@dataclass(frozen=True)
class BodyOptions(StackOptions):
    """A stack that starts from states of its own, not from those of an encoder or a bridge."""

    learned_initial_state: bool = option(
        False,
        "Learn the states before the first step; they are zero otherwise.",
        check=require_bool,
        late=True,
    )


@dataclass(frozen=True)
class RecurrentOptions(BodyOptions):
    """A body that sees the whole sequence, and so may read it in both directions."""

    bidirectional: bool = option(
        False, "Read each sequence in both directions, with a cell for each.", check=require_bool
    )
    merge_mode: str = option(
        "concat",
        "How the outputs of both directions are merged: `concat`, `sum`, `ave`, `mul`.",
        choices=MERGE_MODES,
        only_if=Condition("bidirectional", among=(True,)),
    )
    dense_layers: int = option(
        0,
        "Number of dense layers of K units on top, each applied to every step by itself.",
        check=require_count,
    )


@dataclass(frozen=True)
class DecoderOptions(StackOptions):
    """A stack that attends to an encoder's states."""

    attention: str = option(
        "general",
        "Scores of the attention: `general`, `dot`, `additive`; or `none`, where the bridge alone "
        "connects encoder and decoder.",
        choices=("none", "dot", "general", "additive"),
    )
    attention_units: int = option(
        0,
        "Width of the sum in `additive` attention; 0 = K.",
        only_if=Condition("attention", among=("additive",)),
    )
    queries: str = option(
        "last",
        "Layer whose states are the queries: the `last`, or the `first`, whose context the layers "
        "above it read.",
        choices=("last", "first"),
        only_if=Condition("attention", excluded=("none",)),
    )
    input_feeding: bool = option(
        False,
        "Feed the decoder's last output back to it beside the token; a loop over whole steps.",
        check=require_bool,
        only_if=Condition("attention", excluded=("none",)),
    )
    coverage: bool = option(
        False,
        "Let the attention see the weights of the steps before; a loop over whole steps.",
        check=require_bool,
        only_if=Condition("attention", excluded=("none",)),
    )

    def __post_init__(self) -> None:
        """Checks the values, alone and together."""
        super().__post_init__()
        for name in ("input_feeding", "coverage"):
            if getattr(self, name) and self.attention == "none":
                raise InputError(f"{name} needs an attention, got attention 'none': take 'general'")
        if self.queries == "first" and self.attention == "none":
            raise InputError("queries 'first' needs an attention, got attention 'none'")
        if self.queries == "first" and self.num_layers < 2:
            raise InputError(
                "queries 'first' needs a layer above the first, got num_layers 1: take 2 or more"
            )
        if self.input_feeding or self.coverage:
            # these act on all steps of a body at once, which a loop over whole steps cannot do
            for name in ("input_dropout", "recurrent_dropout", "zoneout", "weight_drop"):
                if getattr(self, name):
                    raise InputError(
                        f"{name} acts on all steps at once, which input_feeding and coverage do "
                        f"not take, got {getattr(self, name)}: set it to 0 and use dropout"
                    )
