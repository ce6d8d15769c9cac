"""The built-in digits: words that sound alike among speakers, and utterances joined from them."""

import numpy as np
import pytest

from recipes.corpora import digits
from recipes.data.series.joining import joined
from zoo.errors import InputError


@pytest.fixture(scope="module")
def corpus():
    return digits.generate(0, (1, 1, 1))


def _spectra(series, spans=8):
    """Log energies in 28 bands of eight spans of a recording, less their mean."""
    rows = []
    for part in np.array_split(series.values[:, 0], spans):
        power = np.abs(np.fft.rfft(part * np.hanning(len(part)), 512)) ** 2
        rows.append(np.log(power[:224].reshape(28, 8).sum(1) + 1e-3))
    found = np.stack(rows)
    return (found - found.mean()).ravel()


def test_a_seed_gives_recordings_of_each_digit_by_each_speaker(corpus):
    assert {name: len(part.series) for name, part in corpus.items()} == {
        "train": 60,
        "validation": 60,
        "test": 60,
    }
    names = [each.name for part in corpus.values() for each in part.series]
    assert len(set(names)) == 180 and names[0] == "0_s1_0" and names[-1] == "9_s6_2"
    again = digits.generate(0, (1, 0, 0))["train"].series
    for one, other in zip(corpus["train"].series[:9], again[:9], strict=True):
        assert (one.values == other.values).all() and one.label == one.name[0]
    assert corpus["train"].rate == 8000 and corpus["train"].columns == ("amplitude",)


def test_recordings_are_sounds_of_a_quarter_to_half_a_second(corpus):
    for each in corpus["train"].series:
        assert each.values.shape[1] == 1 and each.values.dtype == np.float32
        assert 1400 < len(each) < 5000
        assert 0.2 < np.abs(each.values).max() <= 1 and abs(each.values.mean()) < 0.01


def test_a_digit_is_known_from_recordings_of_other_speakers(corpus):
    train, test = corpus["train"].series, corpus["test"].series
    spectra = np.array([_spectra(each) for each in train])
    right = 0
    for each in test:
        speaker = each.name.split("_")[1]
        others = np.array([speaker not in one.name for one in train])
        distance = ((spectra - _spectra(each)) ** 2).sum(1) + np.where(others, 0, np.inf)
        right += train[int(distance.argmin())].label == each.label
    assert right >= 57  # of 60


def test_speakers_differ_in_pitch(corpus):
    for speaker in (digits.SPEAKERS[0], digits.SPEAKERS[-1]):
        one = next(each for each in corpus["train"].series if speaker.name in each.name)
        wave = one.values[800:1824, 0] * np.hanning(1024)
        echo = np.correlate(wave, wave, "full")[1024:]
        lag = 25 + int(echo[25:100].argmax())
        assert abs(8000 / lag / speaker.pitch - 1) < 0.2


def test_utterances_are_joined_from_recordings_with_pauses_and_their_labels(corpus):
    found = joined(corpus["test"].series, 30, 0, rate=8000)
    labels = [each.label.split(" ") for each in found]
    assert {len(label) for label in labels} == {1, 2, 3, 4, 5, 6}
    drawn = [digit for label in labels for digit in label]
    assert len(drawn) >= 60 and {drawn.count(str(digit)) >= 4 for digit in range(10)} == {True}
    for each, label in zip(found, labels, strict=True):
        assert len(each) >= 1400 * len(label) + 400 * (len(label) + 1)
        assert each.values.dtype == np.float32 and each.values.shape[1] == 1
        assert np.abs(each.values[:300]).max() < 0.02  # a pause
    again = joined(corpus["test"].series, 30, 0, rate=8000)
    assert all((a.values == b.values).all() for a, b in zip(found, again, strict=True))
    assert joined(corpus["test"].series, 30, 1, rate=8000)[0].label != found[0].label
    with pytest.raises(InputError, match="^count must be a positive int, got 0"):
        joined(corpus["test"].series, 0, 0, rate=8000)


def test_a_recording_is_unchanged_inside_of_an_utterance(corpus):
    one = corpus["test"].series[:1]
    found = joined(one, 5, 3, most=2, rate=8000, pauses=(0.1, 0.1), noise=0.0)
    twice = next(each for each in found if each.label == "0 0")
    size = len(one[0])
    assert len(twice) == 2 * size + 3 * 800
    assert (twice.values[800 : 800 + size] == one[0].values).all()
    assert (twice.values[1600 + size : 1600 + 2 * size] == one[0].values).all()
    assert not twice.values[:800].any() and not twice.values[-800:].any()


def test_varied_utterances_are_cut_closely_or_not_and_have_silence_or_noise(corpus):
    one = corpus["test"].series[:1]
    size, first = len(one[0]), one[0].values[:, 0]
    found = joined(one, 400, 5, most=1, rate=8000, pauses=(0.1, 0.1), noise=0.01, varied=True)
    begins, ends, levels = 0, 0, []
    for each in found:
        wave = each.values[:, 0]
        place = 0 if np.array_equal(wave[:size], first) else 800
        begins += place == 0
        ends += len(wave) == place + size
        assert len(wave) in (place + size, place + size + 800)
        np.testing.assert_array_equal(wave[place : place + size], first)
        if place:
            levels.append(wave[:800].std())
    assert 160 < begins < 240 and 160 < ends < 240  # of 400: half
    silent = [level for level in levels if level == 0]
    assert 0.15 < len(silent) / len(levels) < 0.35
    loud = [level for level in levels if level]
    assert 0.0009 < min(loud) < 0.003 and 0.03 < max(loud) < 0.11
    again = joined(one, 400, 5, most=1, rate=8000, pauses=(0.1, 0.1), noise=0.01, varied=True)
    assert all((a.values == b.values).all() for a, b in zip(found, again, strict=True))
