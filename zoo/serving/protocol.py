"""uvicorn's HTTP protocol, with limits on the size of a request's head and the time that it takes.

Otherwise a client that sends a byte now and then would hold its connection for ever.
"""

import asyncio
from typing import Any, ClassVar

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from zoo.serving.exchange import Answer

MOST = 2**16  # bytes of a request's line and headers


class GuardedProtocol(HttpToolsProtocol):
    """A connection.

    Attributes:
        seconds: The time for a request's head.
    """

    seconds: ClassVar[float] = 20.0
    _timer: asyncio.TimerHandle | None = None
    _head = 0  # bytes
    _in_head = True

    def connection_made(self, transport: Any) -> None:
        """Starts the time of the first request's head."""
        super().connection_made(transport)
        self._arm()

    def connection_lost(self, exc: Exception | None) -> None:
        """Ends it."""
        self._disarm()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Counts the bytes of a head."""
        super().data_received(data)
        self._head = self._head + len(data) if self._in_head else 0
        if self._head > MOST and not self.transport.is_closing():
            self._refuse(431, f"the headers have more than {MOST:,} bytes")

    def on_message_begin(self) -> None:
        """A request begins."""
        super().on_message_begin()
        self.scope["state"]["abort"] = self.transport.abort
        self._in_head = True
        self._arm()

    def on_headers_complete(self) -> None:
        """Its head is complete."""
        self._in_head = False
        self._disarm()
        super().on_headers_complete()

    def _arm(self) -> None:
        if self._timer is None:
            self._timer = self.loop.call_later(self.seconds, self._late)

    def _disarm(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _late(self) -> None:
        self._timer = None
        if not self.transport.is_closing():
            self._refuse(408, f"the headers did not arrive within {self.seconds:g} seconds")

    def _refuse(self, status: int, sentence: str) -> None:
        body = Answer.error(status, sentence).body
        head = f"HTTP/1.1 {status} \r\ncontent-type: application/json\r\nconnection: close\r\n"
        self.transport.write(f"{head}content-length: {len(body)}\r\n\r\n".encode() + body)
        self.transport.close()

    def send_400_response(self, msg: str) -> None:
        """The answer to what is not HTTP."""
        self._refuse(400, msg)
