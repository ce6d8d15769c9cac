"""Waveforms to logarithmic mel spectra, and masks over them in training."""

from typing import Any

import keras
import tensorflow as tf
from keras import ops

from zoo import masking
from zoo.errors import require_positive_int
from zoo.layers.configured import ConfiguredLayer

LOWEST_HZ = 20.0
FLOOR = 1e-6  # power below which a band is silent


@keras.saving.register_keras_serializable("zoo")
class LogMel(ConfiguredLayer, masking.MaskedLayer):
    """The logarithmic mel spectrum of waveforms, in the graph.

    samples float (B, T, 1) in -1 to 1, mask (B, T) -> spectra (B, N, M) and their mask (B, N), with
    one spectrum each hop: N = ceil(T / hop). Those of a row's own samples are the real ones; its
    padding is read as silence, so that its length changes no spectrum.

        s_n = log(mel |FFT(window * x_(n hop) .. x_(n hop + frame - 1))|^2 + 1e-6)

    Args:
        sample_rate: Samples per second.
        mel_bands: M, bands from 20 Hz to half the sample rate, evenly spaced on the mel scale.
        frame_ms: Milliseconds of a frame; a Hann window is laid on it.
        hop_ms: Milliseconds from one frame's beginning to the next one's.

    Raises:
        InputError: An option is not a positive int.

    Source: Davis and Mermelstein, Comparison of Parametric Representations (1980), before their
        cosine transform.
    """

    def __init__(
        self,
        sample_rate: int = 8000,
        mel_bands: int = 40,
        frame_ms: int = 25,
        hop_ms: int = 10,
        **kwargs: Any,
    ) -> None:
        for name, value in (
            ("sample_rate", sample_rate),
            ("mel_bands", mel_bands),
            ("frame_ms", frame_ms),
            ("hop_ms", hop_ms),
        ):
            require_positive_int(name, value)
        super().__init__(**{**kwargs, "dtype": "float32"})
        self.sample_rate, self.mel_bands = sample_rate, mel_bands
        self.frame_ms, self.hop_ms = frame_ms, hop_ms

    @property
    def hop(self) -> int:
        """Samples from one frame to the next."""
        return max(1, self.sample_rate * self.hop_ms // 1000)

    @property
    def frame(self) -> int:
        """Samples of a frame."""
        return max(1, self.sample_rate * self.frame_ms // 1000)

    def call(self, samples: Any, mask: Any) -> Any:
        waves = tf.where(mask, samples[:, :, 0], 0.0)
        size = 1 << (self.frame - 1).bit_length()
        spectra = tf.signal.stft(waves, self.frame, self.hop, size, pad_end=True)
        mel = tf.signal.linear_to_mel_weight_matrix(
            self.mel_bands, size // 2 + 1, self.sample_rate, LOWEST_HZ, self.sample_rate / 2
        )
        power = tf.math.square(tf.abs(spectra))
        frames = -(-masking.lengths(mask) // self.hop)
        spectra = tf.math.log(tf.matmul(power, mel) + FLOOR)
        return spectra, masking.from_lengths(frames, tf.shape(spectra)[1])

    def compute_output_spec(self, samples: Any, mask: Any) -> Any:
        rows, time = samples.shape[:2]
        frames = None if time is None else -(-time // self.hop)
        return (
            keras.KerasTensor((rows, frames, self.mel_bands), "float32"),
            keras.KerasTensor((rows, frames), "bool"),
        )


@keras.saving.register_keras_serializable("zoo")
class SpecAugment(ConfiguredLayer, masking.MaskedLayer):
    """Masks intervals of time and of bands of spectra with 0, in training.

    spectra (B, N, M), standardised, mask (B, N) -> (B, N, M). Each row has its own masks: `masks`
    of up to an eighth of its steps, and as many of up to a fifth of the bands.

    Args:
        masks: Number of masks over time, and of masks over bands.

    Source: Park et al., arXiv:1904.08779, without time warping.
    """

    def __init__(self, masks: int = 2, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.masks = masks
        self.seed_generator = keras.random.SeedGenerator()

    def call(self, spectra: Any, mask: Any, training: bool = False) -> Any:
        if not training:
            return spectra
        rows, steps, bands = ops.shape(spectra)
        lengths = ops.cast(masking.lengths(mask), "float32")
        kept = ops.logical_not(self._intervals(rows, lengths, 8, steps))[:, :, None]
        widths = ops.full((rows,), float(bands))
        kept = ops.logical_and(
            kept, ops.logical_not(self._intervals(rows, widths, 5, bands))[:, None]
        )
        return ops.where(kept, spectra, 0)

    def _intervals(self, rows: Any, sizes: Any, share: int, places: Any) -> Any:
        """Draws intervals of up to 1 / share of each row's size: bool (B, places)."""
        drawn = keras.random.uniform((2, rows, self.masks, 1), seed=self.seed_generator)
        width = ops.floor(drawn[0] * (sizes[:, None, None] / share + 1))
        start = ops.floor(drawn[1] * (sizes[:, None, None] - width + 1))
        place = ops.cast(ops.arange(places), "float32")[None, None]
        return ops.any(ops.logical_and(place >= start, place < start + width), axis=1)

    def compute_output_spec(self, spectra: Any, mask: Any, training: bool = False) -> Any:
        return keras.KerasTensor(spectra.shape, self.compute_dtype)
