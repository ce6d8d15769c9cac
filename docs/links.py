"""Checks links without a network: those of the Markdown pages, and those of the built site.

`python docs/links.py [SITE]` prints each relative link that leads nowhere, `page: link`, and ends
with status 1 if there is one. SITE is the folder of the built site; without it only the pages are
checked. Addresses on the web are not requested.
"""

import re
import sys
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

ROOT = Path(__file__).resolve().parents[1]
PLACES = (
    "*.md",
    "docs/*.md",
    "docs/**/*.md",
    "recipes/*/README.md",
    "runtime/README.md",
    "models/*.md",
    "benchmarks/results/*.md",
    "saved_models/*.md",
    "notebooks/*.md",
    ".github/**/*.md",
)
FENCE = re.compile(r"^(`{3,}).*?^\1`*$", re.M | re.S)
SPAN = re.compile(r"`[^`\n]*`")
LINK = re.compile(r"\]\(([^()\s]+)\)")
HEADING = re.compile(r"^#+ +(.*?) *$", re.M)


def pages() -> list[Path]:
    """Returns the Markdown pages of the repository."""
    found = {path for place in PLACES for path in ROOT.glob(place)}
    return sorted(path for path in found if "_build" not in path.parts)


def anchors(text: str) -> set[str]:
    r"""Returns the anchors of a page's headings, as GitHub makes them.

    Example:
        >>> sorted(anchors("# A page\n\n## What `f(x)` does\n\n## A page"))
        ['a-page', 'a-page-1', 'what-fx-does']
    """
    names: list[str] = []
    for heading in HEADING.findall(FENCE.sub("", text)):
        words = re.sub(r"\[([^]]*)\]\([^)]*\)", r"\1", heading)  # of a link, its text
        names.append(re.sub(r"[^\w\- ]", "", words.lower()).replace(" ", "-"))
    counts = [names[:place].count(name) for place, name in enumerate(names)]
    return {f"{name}-{n}" if n else name for name, n in zip(names, counts, strict=True)}


def broken_in_pages() -> Iterator[str]:
    """Yields `page: link` for each relative link of a Markdown page that leads nowhere."""
    for page in pages():
        text = SPAN.sub("", FENCE.sub("", page.read_text(encoding="utf-8")))
        for link in LINK.findall(text):
            parts = urlsplit(link)
            if parts.scheme:
                continue
            target = (page.parent / unquote(parts.path)).resolve() if parts.path else page
            if not target.exists() or (
                parts.fragment
                and target.suffix == ".md"
                and parts.fragment not in anchors(target.read_text(encoding="utf-8"))
            ):
                yield f"{page.relative_to(ROOT)}: {link}"


class Site(HTMLParser):
    """The links and the anchors of one page of the site."""

    def __init__(self) -> None:
        super().__init__()
        self.links: list[str] = []
        self.anchors: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Collects a tag's links and its anchor."""
        for name, value in attrs:
            if name in ("href", "src") and value:
                self.links.append(value)
            elif name in ("id", "name") and value:
                self.anchors.add(value)


def read(page: Path) -> Site:
    """Returns the links and the anchors of an HTML page."""
    site = Site()
    site.feed(page.read_text(encoding="utf-8"))
    return site


def broken_in_site(folder: Path) -> Iterator[str]:
    """Yields `page: link` for each relative link of a built page that leads nowhere."""
    site = {page.resolve(): read(page) for page in sorted(folder.rglob("*.html"))}
    if not site:
        yield f"{folder}: no HTML page"
    for page, content in site.items():
        for link in dict.fromkeys(content.links):
            parts = urlsplit(link)
            if parts.scheme or parts.netloc:
                continue
            target = (page.parent / unquote(parts.path)).resolve() if parts.path else page
            anchored = site.get(target)
            if not target.exists() or (
                parts.fragment and anchored and unquote(parts.fragment) not in anchored.anchors
            ):
                yield f"{page.relative_to(folder.resolve())}: {link}"


def main(arguments: list[str]) -> int:
    """Prints the broken links of the pages, and of a built site."""
    broken = list(broken_in_pages())
    for folder in arguments:
        broken += broken_in_site(Path(folder))
    print("\n".join(broken) or "links: all lead somewhere")
    return bool(broken)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
