"""One file a topology; importing this registers them all."""

from zoo.architectures import many_to_many, many_to_one, one_to_one

__all__ = ["many_to_many", "many_to_one", "one_to_one"]
