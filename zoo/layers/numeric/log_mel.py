"""Waveforms to logarithmic mel spectra, and masks over them in training."""

from typing import Any

import keras
import numpy as np
from keras import ops

from zoo import masking
from zoo.errors import require_positive_int
from zoo.layers.configured import ConfiguredLayer
from zoo.recurrence.tracing import on_tensorflow

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

    @property
    def fft_size(self) -> int:
        """Samples of the Fourier transform, the next power of two of a frame."""
        return 1 << (self.frame - 1).bit_length()

    def call(self, samples: Any, mask: Any) -> Any:
        waves = ops.where(mask, samples[:, :, 0], 0.0)
        spectra = self._by_tensorflow(waves) if on_tensorflow() else self._by_products(waves)
        frames = -(-masking.lengths(mask) // self.hop)
        return spectra, masking.from_lengths(frames, ops.shape(spectra)[1])

    def _by_tensorflow(self, waves: Any) -> Any:
        import tensorflow as tf

        spectra = tf.signal.stft(waves, self.frame, self.hop, self.fft_size, pad_end=True)
        mel = tf.signal.linear_to_mel_weight_matrix(
            self.mel_bands,
            self.fft_size // 2 + 1,
            self.sample_rate,
            LOWEST_HZ,
            self.sample_rate / 2,
        )
        return tf.math.log(tf.matmul(tf.math.square(tf.abs(spectra)), mel) + FLOOR)

    def _by_products(self, waves: Any) -> Any:
        """The same in two products; Keras' own transform lays its window elsewhere."""
        steps = ops.shape(waves)[1]
        count = -(-steps // self.hop)
        waves = ops.pad(waves, ((0, 0), (0, self.frame + self.hop)))
        places = ops.arange(count)[:, None] * self.hop + ops.arange(self.frame)
        frames = ops.take(waves, places, axis=1)  # (B, N, frame)
        parts = ops.matmul(frames, ops.convert_to_tensor(self.waves().T, "float32"))
        mel = np.concatenate([self.mel_weights()] * 2)
        power = ops.matmul(parts * parts, ops.convert_to_tensor(mel, "float32"))
        return ops.log(power + FLOOR)

    def waves(self) -> np.ndarray:
        """Hann-windowed cosines and sines of the Fourier transform: (2 F, frame)."""
        time, size = np.arange(self.frame), self.fft_size
        window = 0.5 - 0.5 * np.cos(2 * np.pi * time / self.frame)
        angles = 2 * np.pi * np.outer(np.arange(size // 2 + 1), time) / size
        return np.concatenate([np.cos(angles), np.sin(angles)]) * window

    def mel_weights(self) -> np.ndarray:
        """The weights of F frequencies in each band: (F, M).

        TensorFlow computes the same in float32, and differs by up to 1e-5.
        """
        frequencies = np.linspace(0.0, self.sample_rate / 2, self.fft_size // 2 + 1)
        edges = np.linspace(_mel(LOWEST_HZ), _mel(self.sample_rate / 2), self.mel_bands + 2)
        places = _mel(frequencies)[:, None]
        rising = (places - edges[:-2]) / (edges[1:-1] - edges[:-2])
        falling = (edges[2:] - places) / (edges[2:] - edges[1:-1])
        weights = np.maximum(0.0, np.minimum(rising, falling))
        weights[0] = 0.0  # no band holds the mean
        return weights

    def compute_output_spec(self, samples: Any, mask: Any) -> Any:
        rows, time = samples.shape[:2]
        frames = None if time is None else -(-time // self.hop)
        return (
            keras.KerasTensor((rows, frames, self.mel_bands), "float32"),
            keras.KerasTensor((rows, frames), "bool"),
        )


def _mel(hertz: Any) -> Any:
    """Hertz on the mel scale."""
    return 1127.0 * np.log(1.0 + np.asarray(hertz) / 700.0)


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
