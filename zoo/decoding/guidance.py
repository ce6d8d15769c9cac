"""Classifier-free guidance: contrasts conditional with unconditional logits."""

from typing import Any

import tensorflow as tf

from zoo.decoding.bounds import require
from zoo.decoding.filtering import RULED_OUT, column
from zoo.decoding.sampling import Step


def guided(step: Step, strength: Any, min_p: Any = 0.0) -> Step:
    """Builds a step whose distribution is shifted towards the condition.

        log P(y) = (1 + w) log P(y | condition) - w log P(y) + const

    Its states are a pair: those of the conditional and those of the unconditional model. The logits
    that it returns are not the model's own.

    Guidance inflates tokens that are rare with the condition and rarer without it; `min_p` rules
    out tokens whose conditional probability is too low, before the contrast.

    Args:
        step: Tokens int32 (B,) and states -> logits (B, V) and the new states.
        strength: w, 0 to 100: 0 changes nothing, 1 doubles the weight of the condition. One number,
            or (B,), one per row.
        min_p: Rule out tokens below this share of P(most likely token | condition), 0 to 1; 0 =
            off. One number, or (B,).

    Raises:
        InputError: A number is out of its range.

    Source: Ho and Salimans, arXiv:2207.12598; Sanchez et al., arXiv:2306.17806, for tokens; Li et
        al., arXiv:2210.15097, section 3.3, for what is ruled out.
    """
    require("guidance", strength, "strength")
    require("min_p", min_p)
    strength, min_p = column(strength, tf.float32), column(min_p, tf.float32)

    def both(token_ids: tf.Tensor, states: Any) -> tuple[tf.Tensor, Any]:
        own, free = states
        logits, own = step(token_ids, own)
        others, free = step(token_ids, free)
        shares = tf.exp(logits - tf.reduce_max(logits, axis=1, keepdims=True))
        changed = logits + strength * (logits - others)
        return tf.where(shares < min_p, RULED_OUT, changed), (own, free)

    return both
