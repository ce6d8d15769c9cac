"""Spectra of waveforms against NumPy, and masks over them."""

import numpy as np
import pytest

import zoo
from zoo.layers.numeric import LogMel, SpecAugment, log_mel


def mel(hertz):
    return 1127.0 * np.log(1 + hertz / 700)


def reference(wave, frame, hop, bands, rate):
    """The formula of the layer's docstring for one wave, frame by frame."""
    size = 1 << (frame - 1).bit_length()
    window = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(frame) / frame)
    edges = np.linspace(mel(20.0), mel(rate / 2), bands + 2)
    places = mel(np.arange(1, size // 2 + 1) * rate / size)[:, None]
    rising = (places - edges[:-2]) / (edges[1:-1] - edges[:-2])
    falling = (edges[2:] - places) / (edges[2:] - edges[1:-1])
    weights = np.maximum(0, np.minimum(rising, falling))
    rows = []
    for start in range(0, len(wave), hop):
        part = np.zeros(frame)
        part[: len(wave[start : start + frame])] = wave[start : start + frame]
        power = np.abs(np.fft.rfft(part * window, size)) ** 2
        rows.append(np.log(power[1:] @ weights + 1e-6))
    return np.array(rows)


@pytest.mark.parametrize("tensorflow", [True, False])  # its own transform, or products
def test_spectra_are_those_of_the_formula_whatever_stands_in_the_padding(tensorflow, monkeypatch):
    monkeypatch.setattr(log_mel, "on_tensorflow", lambda: tensorflow)
    rng = np.random.default_rng(0)
    waves = rng.normal(0, 0.3, (2, 500, 1)).astype("float32")
    mask = np.arange(500)[None] < np.array([[500], [237]])
    spectra, frames = LogMel(sample_rate=8000, mel_bands=12, frame_ms=25, hop_ms=10)(waves, mask)
    assert spectra.shape == (2, 7, 12)
    np.testing.assert_array_equal(np.asarray(frames).sum(1), [7, 3])
    for row, length in enumerate([500, 237]):
        expected = reference(waves[row, :length, 0].astype(float), 200, 80, 12, 8000)
        np.testing.assert_allclose(spectra[row, : len(expected)], expected, atol=2e-3)


def test_a_tone_is_loudest_in_its_own_band():
    time = np.arange(4000) / 8000
    tones = np.stack([np.sin(2 * np.pi * hertz * time) for hertz in (200, 900, 3000)])
    found, _ = LogMel(mel_bands=40)(tones[:, :, None].astype("float32"), np.ones((3, 4000), bool))
    loudest = np.asarray(found).mean(1).argmax(-1)
    centers = np.linspace(mel(20.0), mel(4000.0), 42)[1:-1]
    for band, hertz in zip(loudest, (200, 900, 3000), strict=True):
        assert abs(centers[band] - mel(hertz)) < centers[1] - centers[0]


def test_masks_are_laid_in_training_alone_and_are_of_the_stated_sizes():
    layer = SpecAugment(masks=1)
    spectra, mask = np.ones((200, 40, 20), "float32"), np.ones((200, 40), bool)
    np.testing.assert_array_equal(layer(spectra, mask, training=False), spectra)
    masked = np.asarray(layer(spectra, mask, training=True)) == 0
    steps, bands = masked.all(2).sum(1), masked.all(1).sum(1)
    assert steps.min() == 0 and steps.max() == 5  # an eighth of 40
    assert bands.min() == 0 and bands.max() == 4  # a fifth of 20
    np.testing.assert_array_equal(
        masked, masked.all(2, keepdims=True) | masked.all(1, keepdims=True)
    )


def test_a_classifier_of_waveforms_reads_what_is_within_a_rows_length(eagerly):
    waves = np.random.default_rng(1).normal(0, 0.1, (2, 900, 1)).astype("float32")
    lengths = np.array([900, 411], "int32")
    model = zoo.build("many_to_one", input_dim=1, features="log_mel", num_classes=3, units=4)
    zoo.adapt(model, {"values": waves, "lengths": lengths})
    other = waves.copy()
    other[1, 411:] = 7
    np.testing.assert_array_equal(
        model({"values": other, "lengths": lengths}),
        np.asarray(model({"values": waves, "lengths": lengths})),
    )


@pytest.mark.parametrize("option", ["sample_rate", "mel_bands", "frame_ms", "hop_ms"])
def test_sizes_must_be_positive(option):
    with pytest.raises(zoo.InputError, match=f"{option} must be a positive int"):
        LogMel(**{option: 0})
