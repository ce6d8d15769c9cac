"""Answers of an exported tagger, as rows for JSON and as a line with coloured spans."""

import sys
from collections.abc import Sequence
from typing import Any

import numpy as np
import tensorflow as tf

from recipes.asking import ask, warn
from zoo.errors import InputError
from zoo.text import spans

COLOURS = (32, 33, 35, 36, 34, 31)  # ANSI codes; an entity type has one of them


def answer(signatures: Any, texts: Sequence[str]) -> list[dict[str, Any]]:
    """Returns the exported model's answer to each text.

    Returns:
        A dict each: `text`, `tokens`, `tags`, `starts`, `ends`, `confidence`, `log_probability`,
        `unknown_share`, `truncated` (whether only the beginning of the text was read), and
        `entities` if the tags mark spans: `type`, `text`, `start`, `end` in characters,
        `confidence` (that of its least certain token).
    """
    outputs = ask(signatures, "serving_default", text=tf.constant(texts, tf.string))
    rows = [
        _row(text, {n: v[number] for n, v in outputs.items()}) for number, text in enumerate(texts)
    ]
    warn(texts, rows)
    return rows


def _row(text: str, outputs: dict[str, Any]) -> dict[str, Any]:
    count = int(np.sum(outputs["tokens"] != b""))
    row: dict[str, Any] = {"text": text}
    for name in ("tokens", "tags"):
        row[name] = [value.decode() for value in outputs[name][:count]]
    for name in ("starts", "ends"):
        row[name] = outputs[name][:count].tolist()
    row["confidence"] = [round(float(value), 4) for value in outputs["confidence"][:count]]
    row["log_probability"] = float(outputs["log_probability"])
    row["unknown_share"] = float(outputs["unknown_share"])
    row["truncated"] = bool(outputs["truncated"])
    row["entities"] = _entities(row)
    return row


def _entities(row: dict[str, Any]) -> list[dict[str, Any]]:
    try:
        found = spans(row["tags"])
    except InputError:
        return []  # tags such as NOUN mark no spans
    entities = []
    for span in found:
        start, end = row["starts"][span.start], row["ends"][span.end - 1]
        entities.append(
            {
                "type": span.type,
                "text": row["text"][start:end],
                "start": start,
                "end": end,
                "confidence": min(row["confidence"][span.start : span.end]),
            }
        )
    return entities


def line(row: dict[str, Any], coloured: bool | None = None) -> str:
    """Formats a text with its spans marked, or its tokens with their tags.

    By default it is coloured by ANSI codes if standard output is a terminal.
    """
    coloured = sys.stdout.isatty() if coloured is None else coloured
    if not row["entities"] and not all(tag == "O" for tag in row["tags"]):
        pairs = zip(row["tokens"], row["tags"], strict=True)
        return " ".join(f"{token}{_marked('/' + tag, tag, coloured)}" for token, tag in pairs)
    parts, place = [], 0
    for entity in row["entities"]:
        parts.append(row["text"][place : entity["start"]])
        note = f"{entity['type']} {entity['confidence']:.2f}".strip()  # a type may have no name
        label = f"[{entity['text']}]({note})"
        parts.append(_marked(label, entity["type"], coloured))
        place = entity["end"]
    return " ".join("".join([*parts, row["text"][place:]]).split())


def _marked(text: str, kind: str, coloured: bool) -> str:
    if not coloured:
        return text
    return f"\x1b[{COLOURS[sum(kind.encode()) % len(COLOURS)]}m{text}\x1b[0m"
