"""One request and its answer."""

import asyncio
from dataclasses import dataclass, field
from typing import Any

from zoo.serving import json_text
from zoo.serving.refusals import Refused, wrong
from zoo.serving.settings import Settings

JSON = "application/json"
DISCARDED = 2**28  # bytes of a body that is too large, read so that the client sees the answer


@dataclass
class Answer:
    """An answer of HTTP.

    Attributes:
        status: Of HTTP.
        body: Its content.
        kind: Its media type.
        headers: Further headers.
    """

    status: int
    body: bytes
    kind: str = JSON
    headers: dict[str, str] = field(default_factory=dict)

    @classmethod
    def json(cls, content: Any, status: int = 200) -> "Answer":
        """JSON."""
        return cls(status, json_text.dumps(content))

    @classmethod
    def error(cls, status: int, sentence: str) -> "Answer":
        """An error in all of the server's protocols: `{"error": "..."}`."""
        safe = sentence.encode("utf-8", "replace").decode()
        return cls.json({"error": safe}, status)


class Exchange:
    """A request, of which the body is read when it is needed.

    Attributes:
        method: Of HTTP.
        path: As the client wrote it, `%` escapes included.
        headers: By lower-case name.
    """

    def __init__(self, scope: Any, receive: Any, send: Any, settings: Settings) -> None:
        self.scope, self.receive, self._send, self.settings = scope, receive, send, settings
        self.method: str = scope["method"]
        raw = scope.get("raw_path") or scope["path"].encode()
        self.path = raw.split(b"?")[0].decode("ascii", "replace")
        self.headers = {key.decode("latin-1"): v.decode("latin-1") for key, v in scope["headers"]}

    async def body(self) -> bytes:
        """Reads the body.

        Raises:
            Refused: It is too large, too slow or compressed, or the client has gone.
        """
        if self.headers.get("content-encoding", "identity") not in ("identity", ""):
            raise Refused(415, "a compressed body is not offered: send it as it is")
        try:
            body, size = await asyncio.wait_for(self._read(), self.settings.client_timeout)
        except (TimeoutError, asyncio.TimeoutError) as error:
            seconds = self.settings.client_timeout
            raise Refused(408, f"the body did not arrive within {seconds:g} seconds") from error
        most = self.settings.max_body
        if size > most:
            raise Refused(413, f"the body has {size:,} bytes or more, at most {most:,} are read")
        return body

    async def _read(self) -> tuple[bytes, int]:
        """The body, of which no more is kept than is allowed, and how many bytes came."""
        parts, size, most = [], 0, self.settings.max_body
        while True:
            message = await self.receive()
            if message["type"] == "http.disconnect":
                raise Refused(499, "the client has gone")
            part = message.get("body", b"")
            size += len(part)
            if size <= most:
                parts.append(part)
            if not message.get("more_body") or size > most + DISCARDED:
                return b"".join(parts), size

    async def reply(self, answer: Answer) -> None:
        """Sends the answer."""
        headers = {
            "content-type": answer.kind,
            "content-length": str(len(answer.body)),
            "x-content-type-options": "nosniff",
            **answer.headers,
        }
        if answer.status in (408, 413):  # the rest of the body is not read
            headers["connection"] = "close"
        encoded = [(key.encode(), value.encode("latin-1")) for key, value in headers.items()]
        await self._send(
            {"type": "http.response.start", "status": answer.status, "headers": encoded}
        )
        await self._send({"type": "http.response.body", "body": answer.body})


def object_of(document: Any) -> dict[str, Any]:
    """The document, which must be an object.

    Raises:
        Refused: It is another value.
    """
    if not isinstance(document, dict):
        raise wrong(f"JSON Value: {json_text.shown(document)} Is not object")
    return document
