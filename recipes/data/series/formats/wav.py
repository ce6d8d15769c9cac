"""A folder of WAV files, one series each: PCM of 8 to 32 bits or float, channels averaged.

The standard library's `wave` reads neither float samples nor, before Python 3.12, the extensible
header; so the chunks of the file are read here.
"""

import re
import struct
import wave
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np

from recipes.data.naming import clean, is_hidden
from recipes.data.series.items import Series, SeriesSet
from zoo.errors import InputError
from zoo.system.lines import open_file

PCM, FLOAT, EXTENSIBLE = 1, 3, 0xFFFE  # tags of the header
_REMEDY = "convert it, such as with `ffmpeg -i old.wav -c:a pcm_s16le new.wav`"


class Format(NamedTuple):
    """How samples are written.

    Attributes:
        tag: `PCM` or `FLOAT`.
        channels: Samples of one time step.
        rate: Time steps per second.
        bits: Bits of a sample.
    """

    tag: int
    channels: int
    rate: int
    bits: int


def wav_files(folder: Path) -> list[Path]:
    """The WAV files in a folder and in its folders, in the order of their paths."""
    found = sorted(path for path in folder.rglob("*") if path.suffix.lower() == ".wav")
    return [path for path in found if not is_hidden(path.relative_to(folder)) and path.is_file()]


def read_wav_folder(folder: Path, label_pattern: str = "") -> SeriesSet:
    """Reads all WAV files of a folder: values (T, 1), float32 in [-1, 1], to halve the memory.

    A series is named by its path inside of the folder. Its class is what `label_pattern` finds in
    the file's name, or the name of the folder that the file is in.

    Raises:
        InputError: A file cannot be read or has another sampling rate; or a file's name has no
            class.
    """
    pattern = compiled("label_pattern", label_pattern)
    found: list[Series] = []
    first = rate = None
    for path in wav_files(folder):
        values, own = read_wav(path)
        if rate is not None and own != rate:
            raise InputError(
                f"{path}: {own} samples per second, expected {rate} as in {first}: convert it, "
                f"such as with `ffmpeg -i old.wav -ar {rate} new.wav`"
            )
        first, rate = first or path, own
        name = path.relative_to(folder).as_posix()
        found.append(Series(name, values[:, None], label=_label(folder, path, pattern)))
    if not found or rate is None:
        raise InputError(f"{folder} holds no WAV file, expected some in it or in its folders")
    return SeriesSet(found, ("amplitude",), rate=rate)


def compiled(name: str, pattern: str) -> re.Pattern[str] | None:
    """A regular expression that an option gives, None for an empty one.

    Raises:
        InputError: It is malformed.
    """
    try:
        return re.compile(pattern) if pattern else None
    except re.error as error:
        raise InputError(
            f"{name} must be a regular expression, got {pattern!r}, which is none ({error}): "
            f"correct it"
        ) from error


def group_of(pattern: re.Pattern[str], text: str, name: str) -> str | None:
    r"""What a group's name, else the first group, else the whole pattern finds; None for nothing.

    Example:
        >>> group_of(re.compile(r"(\d)_(?P<speaker>[a-z]+)_"), "7_ann_12.wav", "speaker")
        'ann'
    """
    match = pattern.search(text)
    if match is None:
        return None
    group: str | int = name if name in pattern.groupindex else min(1, pattern.groups)
    return match[group]


def _label(folder: Path, path: Path, pattern: re.Pattern[str] | None) -> str:
    if pattern is None:
        return "" if path.parent == folder else clean(path.parent.name)
    label = clean(group_of(pattern, path.name, "label") or "")
    if not label:
        raise InputError(
            f"{path}: the name does not match label_pattern {pattern.pattern!r}, expected a class "
            f"in it: change the pattern, or take the file away"
        )
    return label


def read_wav(path: Path) -> tuple[np.ndarray, int]:
    """Reads a file: the mean of its channels, float32 (T,), and the samples per second.

    Raises:
        InputError: The file cannot be read, is damaged, compressed or empty.
    """
    with open_file(path) as file:
        content = file.read()
    if content[:4] != b"RIFF" or content[8:12] != b"WAVE":
        raise InputError(f"{path}: no WAV file (RIFF, WAVE), expected one: {_REMEDY}")
    chunks = dict(_chunks(content))
    if len(chunks.get(b"fmt ", b"")) < 16 or b"data" not in chunks:
        raise InputError(f"{path}: a damaged WAV file without format or data: write it again")
    form = _format(path, chunks[b"fmt "])
    samples = _samples(chunks[b"data"], form)
    values = samples[: len(samples) // form.channels * form.channels]
    if not len(values):
        raise InputError(f"{path}: the file has no samples, expected some: take it away")
    if not np.isfinite(values).all():
        raise InputError(f"{path}: a sample is not finite, expected numbers: write it again")
    return values.reshape(-1, form.channels).mean(axis=1), form.rate


def write_wav(path: Path, values: np.ndarray, rate: int) -> None:
    """Writes a waveform (T,) in [-1, 1] as 16-bit PCM; what is louder is cut."""
    samples = np.rint(np.clip(values, -1, 1 - 2**-15) * 2**15).astype("<i2")
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(rate)
        file.writeframes(samples.tobytes())


def _chunks(content: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Name and content of each chunk; one that ends after the file is cut, as of a recorder."""
    place = 12
    while place + 8 <= len(content):
        name = content[place : place + 4]
        (size,) = struct.unpack_from("<I", content, place + 4)
        yield name, content[place + 8 : place + 8 + size]
        place += 8 + size + size % 2


def _format(path: Path, chunk: bytes) -> Format:
    tag, channels, rate, _, _, bits = struct.unpack_from("<HHIIHH", chunk)
    if tag == EXTENSIBLE and len(chunk) >= 26:
        (tag,) = struct.unpack_from("<H", chunk, 24)
    known = tag == PCM and bits in (8, 16, 24, 32) or tag == FLOAT and bits in (32, 64)
    if not known or not channels or not rate:
        raise InputError(
            f"{path}: samples of format {tag} with {bits} bits, expected PCM of 8, 16, 24 or 32 "
            f"bits, or float: {_REMEDY}"
        )
    return Format(tag, channels, rate, bits)


def _samples(data: bytes, form: Format) -> np.ndarray:
    """All samples, float32, PCM scaled to [-1, 1)."""
    size = form.bits // 8
    data = data[: len(data) // size * size]
    if form.tag == FLOAT:
        return np.frombuffer(data, f"<f{size}").astype(np.float32)
    if size == 1:  # without a sign, 128 is silence
        return (np.frombuffer(data, np.uint8).astype(np.float32) - 128) / 128
    if size == 3:
        wide = np.zeros((len(data) // 3, 4), np.uint8)
        wide[:, 1:] = np.frombuffer(data, np.uint8).reshape(-1, 3)
        return wide.view("<i4")[:, 0].astype(np.float32) / 2**31
    return np.frombuffer(data, f"<i{size}").astype(np.float32) / 2 ** (form.bits - 1)
