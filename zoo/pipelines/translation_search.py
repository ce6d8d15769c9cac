"""How a translation is looked for, and what is found."""

from dataclasses import dataclass
from typing import NamedTuple

import tensorflow as tf

from zoo.decoding import Hypotheses
from zoo.decoding.beam import PENALTIES
from zoo.decoding.bounds import require
from zoo.errors import InputError, require_bool, require_choice, require_positive_int

MOST_RATIO = 20.0  # tokens at most for a source token


@dataclass(frozen=True)
class Search:
    """How a translation is searched for where the caller does not say.

    Attributes:
        beam_size: Sequences that are followed at once.
        alpha: Of the length penalty.
        penalty: `gnmt` or `average`; see `zoo.decoding.length_penalty`.
        beta: Of the coverage penalty; 0 = none.
        no_repeat: No stretch of so many tokens comes twice; 0 = any may.
        min_tokens: Tokens before the end at least.
        ratio: Tokens at most for each source token, the two ends counted.
        surplus: Tokens at most besides.
        replace_unknown: Write, for a token that is UNK, the source token that was looked at most;
            otherwise UNK is never written.
    """

    beam_size: int = 5
    alpha: float = 1.0
    penalty: str = "average"
    beta: float = 0.0
    no_repeat: int = 0
    min_tokens: int = 1
    ratio: float = 2.0
    surplus: int = 20
    replace_unknown: bool = False

    def __post_init__(self) -> None:
        """Checks every value."""
        require_positive_int("beam_size", self.beam_size)
        require("length_penalty", self.alpha, "alpha")
        require("coverage_penalty", self.beta, "beta")
        require("no_repeat", self.no_repeat)
        require("min_tokens", self.min_tokens)
        require_choice("penalty", self.penalty, PENALTIES)
        if not 0 <= self.ratio <= MOST_RATIO:
            raise InputError(f"ratio must be from 0 to {MOST_RATIO}, got {self.ratio}")
        require("max_tokens", self.surplus, "surplus", served=True)
        require_bool("replace_unknown", self.replace_unknown)


class Found(NamedTuple):
    """Sources and their best translations.

    Attributes:
        source_tokens: string (B, T_x), the last of each row "[EOS]", "" as padding.
        source_ids: int32 (B, T_x).
        hypotheses: What was found, N of each row.
    """

    source_tokens: tf.Tensor
    source_ids: tf.Tensor
    hypotheses: Hypotheses
