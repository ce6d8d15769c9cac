"""One module per topology; importing this package registers all architectures."""

from zoo.architectures import (
    ctc,
    encoder_decoder,
    forecaster,
    language_model,
    many_to_many,
    many_to_one,
    one_to_many,
    one_to_one,
)

__all__ = [
    "ctc",
    "encoder_decoder",
    "forecaster",
    "language_model",
    "many_to_many",
    "many_to_one",
    "one_to_many",
    "one_to_one",
]
