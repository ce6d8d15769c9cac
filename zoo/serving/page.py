"""The page at `/`: the files in the package's folder `page`, read once.

They are few and small. A path that is none of them is not found: nothing else of the disk can be
reached, and no folder is listed.
"""

import hashlib
from importlib import resources
from typing import Any

from zoo.serving.exchange import Answer, Exchange
from zoo.serving.refusals import Refused

INDEX = "index.html"
# by ending, whatever the machine's own table says
KINDS = {
    "html": "text/html; charset=utf-8",
    "css": "text/css; charset=utf-8",
    "js": "text/javascript; charset=utf-8",
    "mjs": "text/javascript; charset=utf-8",
    "json": "application/json",
    "svg": "image/svg+xml",
    "png": "image/png",
    "ico": "image/x-icon",
    "woff2": "font/woff2",
    "txt": "text/plain; charset=utf-8",
}
# everything comes from the server itself; styles in elements are set by the page's own modules
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; "
    "font-src 'self'; connect-src 'self'; media-src 'self' blob:; manifest-src 'self'; "
    "worker-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)


class Files:
    """Files by their path, such as `/index.html`, with a tag of their content each."""

    def __init__(self, contents: dict[str, bytes]) -> None:
        self.contents = contents
        self.tags = {
            path: f'"{hashlib.sha256(content).hexdigest()[:32]}"'
            for path, content in contents.items()
        }

    async def answer(self, exchange: Exchange) -> Answer:
        """The file of a path; `/` is the index.

        Raises:
            Refused: There is none.
        """
        path = f"/{INDEX}" if exchange.path == "/" else exchange.path
        content = self.contents.get(path)
        if content is None:
            raise Refused(404, "there is nothing at this path")
        if exchange.method not in ("GET", "HEAD"):
            raise Refused(405, f"{exchange.method} is not allowed here, but GET is")
        headers = {
            "etag": self.tags[path],
            "cache-control": "no-cache",
            "content-security-policy": POLICY,
            "referrer-policy": "no-referrer",
        }
        kind = KINDS[path.rpartition(".")[2]]
        known = exchange.headers.get("if-none-match", "")
        if known == "*" or self.tags[path] in (tag.strip() for tag in known.split(",")):
            return Answer(304, b"", kind, headers)
        return Answer(200, content, kind, headers)


def files() -> Files:
    """The page's files; those of an ending that `KINDS` lacks are left out."""
    return Files(dict(_walked(resources.files("zoo.serving") / "page", "")))


def _walked(folder: Any, prefix: str) -> Any:
    for entry in folder.iterdir():
        path = f"{prefix}/{entry.name}"
        if entry.is_dir():
            yield from _walked(entry, path)
        elif entry.name.rpartition(".")[2] in KINDS:
            yield path, entry.read_bytes()
