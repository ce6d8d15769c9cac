"""Layers that rearrange series: a channel a row, segments in place of steps, and back."""

from typing import Any

import keras
from keras import ops

from zoo import masking
from zoo.layers.configured import ConfiguredLayer


@keras.saving.register_keras_serializable("zoo")
class Channels(ConfiguredLayer):
    """Makes a row of each target column, so that all share the weights: (B, T, E) -> (B D, T, e).

    E are the columns of a series, of which the first D are targets, followed by their
    indicators if `indicators`. A row has its own target, that one's indicator, and all columns
    that are not targets.

    Args:
        targets: D.
        indicators: Whether the second half of the columns are indicators of missing values.
    """

    def __init__(self, targets: int, indicators: bool = False, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.targets, self.indicators = targets, indicators

    def call(self, vectors: Any) -> Any:
        halves = ops.split(vectors, 2, axis=-1) if self.indicators else [vectors]
        parts = []
        for half in halves:
            own = ops.transpose(half[..., : self.targets], (0, 2, 1))
            parts.append(ops.reshape(own, (-1, ops.shape(vectors)[1], 1)))
            if half.shape[-1] > self.targets:
                parts.append(ops.repeat(half[..., self.targets :], self.targets, axis=0))
        return ops.concatenate(parts, axis=-1) if len(parts) > 1 else parts[0]

    def compute_output_spec(self, vectors: Any) -> Any:
        halves = 2 if self.indicators else 1
        width = vectors.shape[-1] - halves * (self.targets - 1)
        return keras.KerasTensor((None, vectors.shape[1], width), self.compute_dtype)


@keras.saving.register_keras_serializable("zoo")
class Segments(ConfiguredLayer, masking.MaskedLayer):
    """Cuts series into segments that end at the last step: (B, T, E) -> (B, N, W E), mask (B, N).

    N = ceil(T / W). A row's segments are in the order of time with its padding on the right; its
    first one begins with zeros where the row's length is no multiple of W.

    Args:
        length: W, steps of a segment.
    """

    def __init__(self, length: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.length = length

    def call(self, vectors: Any, mask: Any) -> Any:
        vectors = ops.where(mask[:, :, None], vectors, 0)
        steps, size = ops.shape(vectors)[1], vectors.shape[2]
        count = -(-steps // self.length)
        lengths = masking.lengths(mask)
        # the newest step first, so that segments start where a row ends
        newest = masking.reverse_within_lengths(vectors, lengths)
        newest = ops.pad(newest, [[0, 0], [0, count * self.length - steps], [0, 0]])
        segments = ops.flip(ops.reshape(newest, (-1, count, self.length, size)), axis=2)
        own = -(-lengths // self.length)
        segments = masking.reverse_within_lengths(segments, own)
        flat = ops.reshape(segments, (-1, count, self.length * size))
        return flat, masking.from_lengths(own, count)

    def compute_output_spec(self, vectors: Any, mask: Any) -> Any:
        rows, steps, size = vectors.shape
        count = None if steps is None else -(-steps // self.length)
        flat = keras.KerasTensor((rows, count, self.length * size), self.compute_dtype)
        return flat, keras.KerasTensor((rows, count), "bool")


@keras.saving.register_keras_serializable("zoo")
class Places(ConfiguredLayer):
    """A learned vector for each segment to write of each channel: (C, m, D).

    Position and, with several channels, channel side by side. Called with anything, which is not
    read: a layer has an input.

    Args:
        positions: m, segments to write.
        channels: C, rows that share the weights; 1 = no vector of the channel.
        size: D.
    """

    def __init__(self, positions: int, channels: int, size: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.positions, self.channels, self.size = positions, channels, size

    def build(self, *_shapes: Any) -> None:
        part = self.size // 2 if self.channels > 1 else 0
        self.position = self._vectors("position", self.positions, self.size - part)
        self.channel = self._vectors("channel", self.channels, part) if part else None

    def _vectors(self, name: str, count: int, size: int) -> Any:
        # of deviation 1, as in SegRNN: small ones hardly distinguish the places at first
        normal = keras.initializers.RandomNormal(stddev=1.0)
        return self.add_weight(name=name, shape=(count, size), initializer=normal)

    def call(self, _given: Any) -> Any:
        places = ops.tile(self.position[None], (self.channels, 1, 1))
        if self.channel is None:
            return places
        channel = ops.repeat(self.channel[:, None], self.positions, axis=1)
        return ops.concatenate([places, channel], axis=-1)

    def compute_output_spec(self, _given: Any) -> Any:
        shape = (self.channels, self.positions, self.size)
        return keras.KerasTensor(shape, self.compute_dtype)
