"""Pretrained word vectors, from the text files of GloVe and word2vec."""

import re
import unicodedata
import zlib
from pathlib import Path
from typing import NamedTuple

import numpy as np

from zoo.errors import InputError
from zoo.system.lines import opened, read_lines
from zoo.text.vocabulary import Vocabulary


class WordVectors(NamedTuple):
    """The content of a file of vectors: N words and their values, float32 (N, D)."""

    words: list[str]
    values: np.ndarray


def load_vectors(path: Path | str) -> WordVectors:
    """Reads a file of word vectors: a word and D numbers per line in UTF-8, separated by blanks.

    A first line of two whole numbers (word2vec) is skipped; a gzip file is decompressed. If a
    word occurs twice, its first vector is used. A word may contain blanks: the last D fields are
    the numbers. `zoo.system.lines` defines lines and the maximum size of a file.

    Raises:
        InputError: There is no such file, it is too large, or a line is malformed; it is named.
    """
    path = Path(path)
    places: dict[str, int] = {}
    numbers = bytearray()  # of all vectors, float32
    dim = 0
    try:
        with opened(path) as file:
            lines = read_lines(file, str(path), "RNN_ZOO_MAX_VECTORS_BYTES")
            for number, line in enumerate(lines, 1):
                fields = line.rstrip(" ").split(" ")
                if number == 1 and re.fullmatch("[0-9]+ [0-9]+", line.rstrip(" ")):
                    continue
                dim = dim or len(fields) - 1
                word, values = _parsed(f"{path}, line {number}", fields, dim)
                if word not in places:
                    places[word] = len(places)
                    numbers += values.tobytes()
    except (OSError, EOFError, zlib.error) as e:
        raise InputError(f"no vectors in {path} ({e}): give a GloVe or word2vec text file") from e
    if not places:
        raise InputError(f"{path} holds no vectors: give a GloVe or word2vec text file")
    return WordVectors(list(places), np.frombuffer(numbers, np.float32).reshape(-1, dim))


def _parsed(where: str, fields: list[str], dim: int) -> tuple[str, np.ndarray]:
    word = " ".join(fields[:-dim]) if dim else ""
    try:
        with np.errstate(over="ignore"):
            values = np.array(fields[len(fields) - dim :], np.float64).astype(np.float32)
    except ValueError:
        values = np.array([])
    if not word or len(values) != dim or not np.all(np.isfinite(values)):
        raise InputError(
            f"{where}: expected a word and {max(dim, 1)} numbers, got {' '.join(fields)[:60]!r}"
        )
    return word, values


def table(vectors: WordVectors, vocabulary: Vocabulary) -> tuple[np.ndarray, int]:
    """A vocabulary's table of a file's vectors, and the number of its words that the file has.

    It is float32 (V, D), with zeros for words that the file lacks.
    """
    values = np.zeros((len(vocabulary), vectors.values.shape[1]), np.float32)
    places = {word: number for number, word in enumerate(vectors.words)}
    for word, number in list(places.items()):  # texts are in normal form C, a file need not be
        places.setdefault(unicodedata.normalize("NFC", word), number)
    rows = [row for row, word in enumerate(vocabulary.tokens) if word in places]
    values[rows] = vectors.values[[places[vocabulary.tokens[row]] for row in rows]]
    return values, len(rows)
