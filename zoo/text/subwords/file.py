"""Subwords and their scores as plain text: one per line, in the order of the ids."""

import math
from collections.abc import Iterable, Sequence
from pathlib import Path

from zoo.errors import InputError
from zoo.system import durable, stored
from zoo.system.lines import split_lines
from zoo.text.subwords.segmentation import RESERVED


def save_pieces(path: Path, tokens: Iterable[str], scores: Iterable[float]) -> None:
    """Writes a token, a tab and its score per line; an existing file is replaced atomically.

    The first lines are the special tokens and the bytes, so the id of a token is its line number -
    1.
    """
    lines = [f"{token}\t{score!r}\n" for token, score in zip(tokens, scores, strict=True)]
    durable.write_text(path, "".join(lines))


def load_pieces(path: Path) -> tuple[list[str], list[float]]:
    """Reads the file that `save_pieces` wrote: tokens and scores.

    Raises:
        InputError: There is no such file, or a line of it is damaged.
    """
    text = stored.read_text(path, what="pieces", missing="train first, or give their folder")
    tokens: dict[str, float] = {}
    lines = split_lines(text)
    if len(lines) > 1 and not lines[-1]:
        lines.pop()  # the text after the last line end is empty
    for number, line in enumerate(lines, 1):
        token, score = _parsed(line, f"{path}, line {number}")
        fault = fault_of(token, score, number - 1)
        if token in tokens:
            fault = f"{token!r} occurs twice"
        if fault:
            raise InputError(f"{path}, line {number}: {fault}: train again")
        tokens[token] = score
    if len(lines) < len(RESERVED):
        raise InputError(
            f"{path}, line {len(lines)}: the file ends before {RESERVED[-1]}: train again"
        )
    return list(tokens), list(tokens.values())


def _parsed(line: str, place: str) -> tuple[str, float]:
    try:
        token, score = line.split("\t")
        return token, float(score)
    except ValueError as error:
        raise InputError(
            f"{place}: expected a piece, a tab and a number, got {line!r}: train again"
        ) from error


def fault_of(token: str, score: float, number: int) -> str:
    """The fault of the token with an id, or ""."""
    if number < len(RESERVED) and token != RESERVED[number]:
        return f"expected {RESERVED[number]!r}, got {token!r}"
    if not token or any(character in token for character in "\t\n\0"):
        return f"{token!r} is not a piece"
    if not math.isfinite(score):
        return f"the score of {token!r} must be a finite number, got {score!r}"
    return ""


def check_pieces(tokens: Sequence[str], scores: Sequence[float]) -> None:
    """Raises unless special tokens and bytes come first and each token has a finite score."""
    if len(tokens) != len(scores):
        raise InputError(
            f"each token needs its score: got {len(tokens)} tokens and {len(scores)} scores"
        )
    if len(tokens) < len(RESERVED):
        raise InputError(
            f"a vocabulary of pieces begins with {len(RESERVED)} special tokens and bytes: "
            f"got {len(tokens)} tokens"
        )
    for number, (token, score) in enumerate(zip(tokens, scores, strict=True)):
        fault = fault_of(token, score, number)
        if fault:
            raise InputError(f"token {number} of the vocabulary: {fault}")
