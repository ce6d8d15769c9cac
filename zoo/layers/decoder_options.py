"""Which options of the decoder there are, and which go together."""

from typing import Any

from zoo.errors import InputError, require_bool, require_choice, require_positive_int, require_rate
from zoo.layers.attention import SCORES

KINDS = ("none", *SCORES)
QUERIES = ("last", "first")
# what a loop over whole steps does not do: these act on all steps of a body at once
FOR_ALL_STEPS = ("input_dropout", "recurrent_dropout", "zoneout", "weight_drop")


def check(options: dict[str, Any]) -> None:
    """Raises an InputError for an option that does not fit, or that rules another one out."""
    require_positive_int("num_layers", options["num_layers"])
    require_choice("attention", options["attention"], KINDS)
    require_choice("queries", options["queries"], QUERIES)
    require_rate("dropout", options["dropout"])
    for name in ("input_feeding", "coverage"):
        require_bool(name, options[name])
        if options[name] and options["attention"] == "none":
            raise InputError(f"{name} needs an attention, got attention 'none': take 'general'")
    if options["queries"] == "first" and options["attention"] == "none":
        raise InputError("queries 'first' needs an attention, got attention 'none'")
    if options["queries"] == "first" and options["num_layers"] < 2:
        raise InputError(
            "queries 'first' needs a layer above the first, got num_layers 1: take 2 or more"
        )
    if options["input_feeding"] or options["coverage"]:
        rates = [name for name in FOR_ALL_STEPS if options[name]]
        if rates:
            raise InputError(
                f"{rates[0]} acts on all steps at once, which input_feeding and coverage do "
                f"not take, got {options[rates[0]]}: set it to 0 and use dropout"
            )
