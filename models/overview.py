"""The table of the packaged models in `docs/pretrained.md`."""

import re
from pathlib import Path

from models.entries import MODELS
from zoo.pretrained.listing import MIB, Model
from zoo.system import durable
from zoo.system.artefact import CARD

PAGE = Path(__file__).parents[1] / "docs" / "pretrained.md"
MARKED = re.compile(r"(<!-- models -->\n).*?(<!-- /models -->)", re.S)
HEADS = ("model", "what it does", "on its test split", "size", "licence")


def table(out: Path) -> str:
    """The models in the folder `out` as a table in Markdown, in the order of their names."""
    described = {entry.name: entry.description for entry in MODELS}
    found = [Model.of(path.name, path) for path in sorted(out.iterdir()) if (path / CARD).is_file()]
    rows = [
        (
            f"[{each.name}](../models/{out.name}/{each.name}/{CARD})",
            described[each.name],
            f"{each.metric} {each.value:.4g}",
            f"{each.size / MIB:.1f} MB",
            each.licence,
        )
        for each in found
    ]
    return "".join(f"| {' | '.join(row)} |\n" for row in (HEADS, ["---"] * len(HEADS), *rows))


def write(out: Path, page: Path = PAGE) -> None:
    """Brings the page's table up to date."""
    text = page.read_text(encoding="utf-8")
    whole = MARKED.sub(lambda found: found[1] + table(out) + found[2], text)
    durable.write_text(page, whole)
