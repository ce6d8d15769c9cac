"""Translations written beside their references, for reading."""

from collections.abc import Sequence
from pathlib import Path

from zoo.system import durable


def write_translations(
    path: Path, sources: Sequence[str], references: Sequence[str], translations: Sequence[str]
) -> None:
    """Writes a line for each text: source, reference, translation, with tabs between them.

    Args:
        path: The file; an older one stays until the new one is whole.
        sources: What was translated.
        references: What it should be.
        translations: What was written.
    """
    rows = zip(sources, references, translations, strict=True)
    lines = ["source\treference\ttranslation", *("\t".join(map(_one_line, row)) for row in rows)]
    durable.write_text(path, "\n".join(lines) + "\n")


def _one_line(text: str) -> str:
    """A text without tabs and line ends."""
    return " ".join(text.split())
