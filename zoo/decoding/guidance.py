"""Towards what is asked for: what a model says with a condition, held against what without it."""

from typing import Any

import tensorflow as tf

from zoo.decoding.sampling import Step


def guided(step: Step, strength: Any) -> Step:
    """A step that makes likelier what the condition makes likelier.

        log P(y) = (1 + w) log P(y | condition) - w log P(y) + const

    Its states are a pair: those of the model that knows the condition and those of the model that
    does not. The logits that it gives are no longer the model's own.

    Args:
        step: Tokens int32 (B,) and states -> logits (B, V) and the new states.
        strength: w, from 0 up: 0 changes nothing, 1 doubles the condition's part.

    Source: Ho and Salimans, arXiv:2207.12598; Sanchez et al., arXiv:2306.17806, for tokens.
    """

    def both(token_ids: tf.Tensor, states: Any) -> tuple[tf.Tensor, Any]:
        own, free = states
        logits, own = step(token_ids, own)
        others, free = step(token_ids, free)
        return logits + strength * (logits - others), (own, free)

    return both
