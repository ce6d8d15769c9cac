"""Folders of WAV files: each kind of samples, classes from folders and names, and refusals."""

import struct
import wave

import numpy as np
import pytest

from recipes.data.series.formats.wav import read_wav
from recipes.data.series.options import SeriesColumns
from recipes.data.series.reading import read
from zoo.errors import InputError

WANTED = [0.0, 0.5, -0.5, -1.0]


def write(path, samples, bits=16, rate=8000, channels=1):
    """Writes samples in [-1, 1) as PCM, with the standard library."""
    path.parent.mkdir(parents=True, exist_ok=True)
    whole = np.round(np.asarray(samples) * 2 ** (bits - 1)).astype(np.int64)
    size = bits // 8
    whole = whole + 128 if size == 1 else whole
    data = b"".join(int(v).to_bytes(size, "little", signed=size > 1) for v in whole.ravel())
    with wave.open(str(path), "wb") as file:
        file.setnchannels(channels)
        file.setsampwidth(size)
        file.setframerate(rate)
        file.writeframes(data)


def _raw(tag, bits, data, extra=b"", before=b""):
    form = struct.pack("<HHIIHH", tag, 1, 8000, 8000 * bits // 8, bits // 8, bits) + extra
    body = before + b"fmt " + struct.pack("<I", len(form)) + form
    body += b"data" + struct.pack("<I", len(data)) + data
    return b"RIFF" + struct.pack("<I", len(body) + 4) + b"WAVE" + body


@pytest.mark.parametrize("bits", [8, 16, 24, 32])
def test_samples_of_every_width_are_fractions_of_the_largest(tmp_path, bits):
    write(tmp_path / "a.wav", WANTED, bits)
    values, rate = read_wav(tmp_path / "a.wav")
    assert values.tolist() == WANTED and rate == 8000 and values.dtype == np.float32


def test_float_samples_extensible_headers_and_other_chunks_are_read(tmp_path):
    path = tmp_path / "a.wav"
    for size in (4, 8):
        path.write_bytes(_raw(3, 8 * size, np.array(WANTED, f"<f{size}").tobytes()))
        assert read_wav(path)[0].tolist() == WANTED
    extra = struct.pack("<HHIH", 22, 16, 4, 1) + bytes(14)
    odd = b"LIST" + struct.pack("<I", 3) + b"abc\0"
    path.write_bytes(_raw(0xFFFE, 16, struct.pack("<2h", 0, 16384), extra, odd))
    assert read_wav(path)[0].tolist() == [0.0, 0.5]


def test_channels_are_averaged(tmp_path):
    write(tmp_path / "a.wav", [[0.5, 0.0], [-0.5, 0.5]], channels=2)
    assert read_wav(tmp_path / "a.wav")[0].tolist() == [0.25, 0.0]


def test_a_class_is_the_folder_or_what_a_pattern_finds_in_the_name(tmp_path):
    for name in ("yes/1_ann.wav", "no/2_bob.WAV", "no/._2_bob.wav"):
        write(tmp_path / name, WANTED)
    found = read(tmp_path, SeriesColumns())
    assert [(each.name, each.label) for each in found.series] == [
        ("no/2_bob.WAV", "no"),
        ("yes/1_ann.wav", "yes"),
    ]
    assert found.rate == 8000 and found.series[0].values.shape == (4, 1)
    for pattern, labels in ((r"(\d)_(\w+)", ["2", "1"]), (r"\d_(?P<label>\w)", ["b", "a"])):
        found = read(tmp_path, SeriesColumns(label_pattern=pattern))
        assert [each.label for each in found.series] == labels
    with pytest.raises(InputError, match="2_bob.WAV: the name does not match label_pattern"):
        read(tmp_path, SeriesColumns(label_pattern="x(.)"))
    with pytest.raises(InputError, match="label_pattern must be a regular expression, got '\\('"):
        read(tmp_path, SeriesColumns(label_pattern="("))


def test_two_sampling_rates_are_refused(tmp_path):
    write(tmp_path / "a.wav", WANTED)
    write(tmp_path / "b.wav", WANTED, rate=16000)
    with pytest.raises(InputError, match=r"b.wav: 16000 samples per second, expected 8000 as in"):
        read(tmp_path, SeriesColumns())


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b"ID3 music", "no WAV file"),
        (_raw(7, 8, b"abcd"), "samples of format 7 with 8 bits, expected PCM of 8, 16, 24 or 32"),
        (_raw(1, 12, b"abcd"), "samples of format 1 with 12 bits"),
        (_raw(1, 16, b""), "the file has no samples"),
        (_raw(1, 16, b"ab")[:30], "a damaged WAV file"),
        (_raw(3, 32, struct.pack("<f", np.inf)), "a sample is not finite"),
    ],
)
def test_what_is_no_readable_wav_file_is_named(tmp_path, content, expected):
    path = tmp_path / "a.wav"
    path.write_bytes(content)
    with pytest.raises(InputError) as caught:
        read_wav(path)
    assert str(caught.value).startswith(f"{path}: {expected}")
