"""The options of freezing, without Keras: command lines check them before it is imported."""

from zoo.errors import InputError, require_choice, require_positive_int

FREEZES = ("none", "embeddings", "body")


def require_freezing(freeze: str, unfreeze_every: int, layer_decay: float) -> None:
    """Raises unless the options of freezing fit together."""
    require_choice("freeze", freeze, FREEZES)
    if unfreeze_every:
        require_positive_int("unfreeze_every", unfreeze_every)
        if freeze == "none":
            raise InputError(
                f"unfreeze_every {unfreeze_every} unfreezes what is frozen, got freeze 'none': set "
                "freeze to 'embeddings' or 'body'"
            )
    if not 0 < layer_decay <= 1:
        raise InputError(f"layer_decay must be above 0 and at most 1, got {layer_decay!r}")


def frozen_levels(count: int, freeze: str) -> int:
    """How many of `count` levels, from the bottom, are frozen at first.

    Example:
        >>> [frozen_levels(4, freeze) for freeze in FREEZES]
        [0, 1, 3]
    """
    return {"none": 0, "embeddings": 1, "body": count - 1}[freeze]
