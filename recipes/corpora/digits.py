"""The built-in digits: generated, speech-like recordings at 8 kHz of ten invented words.

A word is two or three vowels that glide into each other. A vowel is a pair of formants: the
harmonics of the speaker's pitch are loud near them. Speakers differ in pitch, tempo and the size of
their vocal tract, which scales the formants. The name of a series is `DIGIT_SPEAKER_NUMBER`.
"""

from typing import NamedTuple

import numpy as np

from recipes.data.series.items import Series, SeriesSet

RATE = 8000  # samples per second
TAKES = (12, 3, 3)  # recordings of each digit by each speaker: train, validation, test
VOWELS = {  # Hz
    "i": (280.0, 2250.0),
    "e": (430.0, 1900.0),
    "a": (750.0, 1250.0),
    "o": (450.0, 850.0),
    "u": (310.0, 700.0),
}
WORDS = ("io", "ua", "uia", "ei", "oai", "au", "iue", "eoe", "ai", "oe")  # 0 to 9
_BANDWIDTH = 110.0  # Hz, of a formant
_FRAMES = 64  # of a word, at which loudness is computed
_VOWEL_SECONDS = (0.11, 0.16)


class Speaker(NamedTuple):
    """A voice.

    Attributes:
        name: As in the names of series.
        pitch: Hz.
        tempo: Times the usual duration.
        tract: Times the usual formants.
    """

    name: str
    pitch: float
    tempo: float
    tract: float


SPEAKERS = (
    Speaker("s1", 105, 1.1, 0.94),
    Speaker("s2", 120, 0.9, 0.97),
    Speaker("s3", 140, 1.2, 1.0),
    Speaker("s4", 180, 0.85, 1.03),
    Speaker("s5", 200, 1.05, 1.06),
    Speaker("s6", 225, 0.95, 1.08),
)


def generate(seed: int = 0, takes: tuple[int, int, int] = TAKES) -> dict[str, SeriesSet]:
    """Makes the sets of train, validation and test, each digit by each speaker `takes` times."""
    rng = np.random.default_rng(seed)
    found = {}
    first = 0
    for name, count in zip(("train", "validation", "test"), takes, strict=True):
        series = [
            Series(
                f"{digit}_{speaker.name}_{take}", recording(rng, digit, speaker), label=str(digit)
            )
            for digit in range(10)
            for speaker in SPEAKERS
            for take in range(first, first + count)
        ]
        first += count
        found[name] = SeriesSet(series, ("amplitude",), rate=RATE)
    return found


def recording(rng: np.random.Generator, digit: int, speaker: Speaker) -> np.ndarray:
    """One digit by one speaker: float32 (T, 1) in [-1, 1], about a quarter to half a second."""
    word = WORDS[digit]
    seconds = rng.uniform(*_VOWEL_SECONDS, len(word)) * speaker.tempo
    count = int(RATE * seconds.sum())
    places = np.linspace(0, 1, _FRAMES)
    centres = (np.cumsum(seconds) - seconds / 2) / seconds.sum()
    formants = np.array([VOWELS[vowel] for vowel in word]) * speaker.tract
    formants *= rng.normal(1, 0.03, formants.shape)
    tracks = [np.interp(_held(places, centres), centres, formants[:, k]) for k in (0, 1)]
    pitch = speaker.pitch * rng.normal(1, 0.04) * np.linspace(1.08, 0.92, count)
    numbers = np.arange(1, int(0.45 * RATE / pitch.max()) + 1)[:, None]
    hertz = numbers * np.interp(places, np.linspace(0, 1, count), pitch)
    loud = 0.02 + sum(np.exp(-(((hertz - track) / _BANDWIDTH) ** 2)) for track in tracks)
    wave = _voiced(pitch, loud)
    frames = np.linspace(0, 1, count)
    wave *= np.sin(np.pi * np.clip(frames * 1.02, 0, 1)) ** 0.5
    wave *= rng.uniform(0.3, 0.8) / np.abs(wave).max()
    noise = rng.normal(0, rng.uniform(0.003, 0.02), count)
    return np.clip(wave + noise, -1, 1).astype(np.float32)[:, None]


def _voiced(pitch: np.ndarray, loud: np.ndarray) -> np.ndarray:
    """The sum of harmonics of a pitch (T,), whose loudness (harmonics, frames) is interpolated."""
    turns = np.exp(2j * np.pi * np.cumsum(pitch) / RATE)
    harmonics = np.cumprod(np.broadcast_to(turns, (len(loud), len(turns))), axis=0).imag
    frames = np.linspace(0, loud.shape[1] - 1, len(pitch))
    before = np.minimum(frames.astype(int), loud.shape[1] - 2)
    share = frames - before
    loudness = loud[:, before] * (1 - share) + loud[:, before + 1] * share
    found: np.ndarray = (loudness * harmonics).sum(axis=0)
    return found


def _held(places: np.ndarray, centres: np.ndarray) -> np.ndarray:
    """Places that stay longer near the centres: vowels are held, and glide into each other."""
    edges = np.concatenate([[0.0], (centres[1:] + centres[:-1]) / 2, [1.0]])
    found = places.copy()
    for start, centre, end in zip(edges[:-1], centres, edges[1:], strict=True):
        inside = (places >= start) & (places <= end)
        offset = (places[inside] - centre) / max(end - centre, centre - start)
        found[inside] = centre + np.sign(offset) * np.abs(offset) ** 3 * (end - start) / 2
    return found
