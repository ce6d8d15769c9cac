"""Layers that read sequences of numbers: missing values, scaling, spectra of sound."""

from zoo.layers.numeric.log_mel import LogMel, SpecAugment
from zoo.layers.numeric.observed import LengthMask, ObservedValues
from zoo.layers.numeric.options import NumberOptions
from zoo.layers.numeric.padding import pad_series
from zoo.layers.numeric.window_scale import WindowScale

__all__ = [
    "LengthMask",
    "LogMel",
    "NumberOptions",
    "ObservedValues",
    "SpecAugment",
    "WindowScale",
    "pad_series",
]
