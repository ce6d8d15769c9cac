"""Classifier-free guidance: predictions with a condition against those without it."""

from typing import Any

import tensorflow as tf

from zoo.decoding.bounds import require
from zoo.decoding.filtering import RULED_OUT, column
from zoo.decoding.sampling import Step


def guided(step: Step, strength: Any, min_p: Any = 0.0) -> Step:
    """A step that makes likelier what the condition makes likelier.

        log P(y) = (1 + w) log P(y | condition) - w log P(y) + const

    Its states are a pair: those of the model that knows the condition and those of the model that
    does not. The logits that it gives are no longer the model's own.

    What is rare with the condition and rarer without it would be drawn all the time; `min_p` rules
    out what the condition does not make likely enough, before anything is changed.

    Args:
        step: Tokens int32 (B,) and states -> logits (B, V) and the new states.
        strength: w, 0 to 100: 0 changes nothing, 1 doubles the condition's part. One number, or
            (B,), one a row.
        min_p: Tokens of less than this share of P(the most likely | condition) never come, 0 to 1;
            0 = any. One number, or (B,).

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
