"""One request and its answer."""

import asyncio
import contextlib
import time
from collections.abc import AsyncGenerator
from dataclasses import dataclass, field
from typing import Any

from zoo.saved_model.session import Arrays
from zoo.serving import json_text
from zoo.serving.refusals import Refused
from zoo.serving.served import Version
from zoo.serving.settings import Settings

JSON, EVENTS = "application/json", "text/event-stream; charset=utf-8"
DISCARDED = 2**28  # bytes of a body that is too large, read so that the client sees the answer
SOON = 0.1  # seconds that a request waits before it watches whether its client has gone


@dataclass
class Answer:
    """An answer of HTTP.

    Attributes:
        status: Of HTTP.
        body: Its content.
        kind: Its media type.
        headers: Further headers.
        events: In place of the body: JSON objects to send as server-sent events.
    """

    status: int
    body: bytes = b""
    kind: str = JSON
    headers: dict[str, str] = field(default_factory=dict)
    events: AsyncGenerator[Any, None] | None = None

    @classmethod
    def json(cls, content: Any, status: int = 200) -> "Answer":
        """JSON."""
        return cls(status, json_text.dumps(content))

    @classmethod
    def error(cls, status: int, sentence: str) -> "Answer":
        """An error in all of the server's protocols: `{"error": "..."}`."""
        return cls.json(error_of(sentence), status)


def error_of(sentence: str) -> dict[str, str]:
    """The object of an error."""
    return {"error": sentence.encode("utf-8", "replace").decode()}


class Exchange:
    """A request, of which the body is read when it is needed.

    Attributes:
        method: Of HTTP.
        path: As the client wrote it, `%` escapes included.
        headers: By lower-case name.
        version: The model that answers, once it is known.
        rows: Rows of the request.
        sent: Bytes of the answer.
    """

    def __init__(self, scope: Any, receive: Any, send: Any, settings: Settings) -> None:
        self.scope, self._receive, self._send, self.settings = scope, receive, send, settings
        self.method: str = scope["method"]
        raw = scope.get("raw_path") or scope["path"].encode()
        self.path = raw.split(b"?")[0].decode("ascii", "replace")
        self.headers = {key.decode("latin-1"): v.decode("latin-1") for key, v in scope["headers"]}
        self.start = time.perf_counter()
        self.version: Version | None = None
        self.rows: int | None = None
        self.sent = 0
        self._gone: asyncio.Task[None] | None = None

    @property
    def client(self) -> str:
        """The client's address."""
        return self.scope["client"][0] if self.scope.get("client") else "-"

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
            raise Refused(413, f"the body must have at most {most:,} bytes, got {size:,} or more")
        return body

    async def _read(self) -> tuple[bytes, int]:
        """The body, of which no more is kept than is allowed, and how many bytes came."""
        parts, size, most = [], 0, self.settings.max_body
        if "100-continue" in self.headers.get("expect", ""):  # it asks before it sends
            size = int(self.headers.get("content-length", "0"))
            if size > most:
                return b"", size
            size = 0
        while True:
            message = await self._receive()
            if message["type"] == "http.disconnect":
                raise Refused(499, "the client has gone")
            part = message.get("body", b"")
            size += len(part)
            if size <= most:
                parts.append(part)
            else:
                parts.clear()
            if not message.get("more_body") or size > most + DISCARDED:
                return b"".join(parts), size

    async def wait(self, answer: asyncio.Future[Arrays]) -> Arrays:
        """Waits for a model's answer, as long as the client is there and the time allows.

        Raises:
            Refused: The model refuses the request, it takes too long, or the client has gone.
        """
        timeout = self.settings.timeout
        try:
            done, _ = await asyncio.wait({answer}, timeout=min(SOON, timeout))
            if not done and timeout > SOON:
                either: set[asyncio.Future[Any]] = {answer, self.gone}
                await asyncio.wait(
                    either, timeout=timeout - SOON, return_when=asyncio.FIRST_COMPLETED
                )
            if answer.done():
                return answer.result()
            if self._gone and self._gone.done():
                raise Refused(499, "the client has gone")
            raise Refused(
                504, f"no answer within {timeout:g} seconds: ask again later, or for less"
            )
        finally:
            answer.cancel()  # one that waits is dropped

    @property
    def gone(self) -> asyncio.Task[None]:
        """Ends when the client has closed its connection."""
        if self._gone is None:
            self._gone = asyncio.ensure_future(self._until_gone())
        return self._gone

    async def _until_gone(self) -> None:
        while (await self._receive())["type"] != "http.disconnect":
            pass

    async def reply(self, answer: Answer) -> None:
        """Sends the answer; a client that does not read it is dropped."""
        headers = {"content-type": answer.kind, "x-content-type-options": "nosniff"}
        if answer.events is None and answer.status != 304:
            headers["content-length"] = str(len(answer.body))
        if answer.status in (408, 413):  # the rest of the body is not read
            headers["connection"] = "close"
        headers |= answer.headers
        encoded = [(key.encode(), value.encode("latin-1")) for key, value in headers.items()]
        try:
            await self._send(
                {"type": "http.response.start", "status": answer.status, "headers": encoded}
            )
            if answer.events is not None:
                async with contextlib.aclosing(answer.events) as events:
                    async for event in events:
                        await self._part(b"data: " + json_text.dumps(event) + b"\n\n", more=True)
            await self._part(answer.body, more=False)
        except (TimeoutError, asyncio.TimeoutError):
            self.scope.get("state", {}).get("abort", lambda: None)()
        finally:
            if self._gone is not None:
                self._gone.cancel()
                with contextlib.suppress(asyncio.CancelledError):
                    await self._gone

    async def _part(self, part: bytes, more: bool) -> None:
        self.sent += len(part)
        message = {"type": "http.response.body", "body": part, "more_body": more}
        if more:
            await asyncio.wait_for(self._send(message), self.settings.client_timeout)
        else:
            await self._send(message)
