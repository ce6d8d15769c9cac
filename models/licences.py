"""`LICENSES.md`: the licence of each model, and whom its data is by."""

from collections.abc import Sequence

from models.entries import Entry, Source

HEAD = """# Licences

The code of this package is under Apache-2.0. The weights of a model, its vocabulary and the
examples in its card have the licence of the data that it is trained on. Keep the attributions below
when you pass a model on; a model under a share-alike licence (SA) stays under it."""


def text(entries: Sequence[Entry]) -> str:
    """The page, in Markdown."""
    rows = ["| model | weights | trained on |", "|---|---|---|"]
    for entry in entries:
        names = ", ".join(source.name for source in entry.sources)
        rows.append(f"| {entry.name} | {entry.licence} | {names} |")
    sources: dict[Source, None] = {}
    for entry in entries:
        sources |= dict.fromkeys(entry.sources)
    lines = [f"- {each.name}\n  {each.licence}; {each.attribution}" for each in sources]
    return "\n\n".join([HEAD, "\n".join(rows), "## Data", "\n".join(lines)]) + "\n"
