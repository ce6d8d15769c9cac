"""One module per topology; importing this package registers all architectures."""

from zoo.architectures import (
    encoder_decoder,
    language_model,
    many_to_many,
    many_to_one,
    one_to_many,
    one_to_one,
)

__all__ = [
    "encoder_decoder",
    "language_model",
    "many_to_many",
    "many_to_one",
    "one_to_many",
    "one_to_one",
]
