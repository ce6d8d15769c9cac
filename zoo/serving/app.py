"""The server as an ASGI application: from a path to what answers it."""

import asyncio
import re
import sys
import traceback
from collections.abc import Awaitable, Callable
from typing import Any

from zoo.serving import answers, json_text, listing, page, rest
from zoo.serving.exchange import Answer, Exchange
from zoo.serving.refusals import Refused
from zoo.serving.repository import Repository
from zoo.serving.settings import Settings
from zoo.serving.tensors import from_request

Handler = Callable[["App", Exchange, re.Match[str]], Awaitable[Answer]]
LARGE = 2**16  # bytes of a body that is read in another thread


class App:
    """The ASGI application.

    Args:
        settings: Its options.
        repository: The models.
    """

    def __init__(self, settings: Settings, repository: Repository) -> None:
        self.settings, self.repository = settings, repository
        self.page = page.files()

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Answers a request of HTTP."""
        if scope["type"] != "http":
            return
        exchange = Exchange(scope, receive, send, self.settings)
        try:
            answer = await self._answer(exchange)
        except Refused as error:
            answer = Answer.error(error.status, error.sentence)
        except Exception:
            traceback.print_exc(file=sys.stderr)
            answer = Answer.error(500, "internal error: the server's log has its traceback")
        await exchange.reply(answer)

    async def _answer(self, exchange: Exchange) -> Answer:
        method, path = exchange.method, exchange.path
        for pattern, handlers in ROUTES:
            match = pattern.fullmatch(path)
            if match:
                handler = handlers.get("GET" if method == "HEAD" else method)
                if handler:
                    return await handler(self, exchange, match)
                if not path.lower().startswith("/v1/"):
                    allowed = ", ".join(handlers)
                    raise Refused(405, f"{method} is not allowed here, but {allowed} is")
        if path.lower().startswith("/v1/"):
            raise rest.malformed(method, path)
        return await self.page.answer(exchange)

    async def predict(self, exchange: Exchange, match: re.Match[str]) -> Answer:
        """`POST /v1/models/NAME:predict`."""
        verb = match["verb"].lower()
        wanted = rest.asked(match)
        if verb != "predict":
            raise Refused(501, f"{verb} is not offered: use predict")
        body = await exchange.body()
        document = await self.aside(json_text.loads, body, large=len(body) > LARGE)
        version, function = rest.function_of(document, self.repository, wanted)
        with version:
            inputs, rows = await self.aside(
                from_request, document, function.inputs, large=len(body) > LARGE
            )
            found = await self.aside(function, inputs)
        return Answer(200, answers.predictions(found) if rows else answers.outputs(found))

    async def status(self, exchange: Exchange, match: re.Match[str]) -> Answer:
        """`GET /v1/models/NAME` and its `metadata`."""
        wanted = rest.asked(match)
        if not wanted[0]:
            raise Refused(400, "Missing model name in request.")
        if match["metadata"]:
            return Answer.json(rest.metadata(self.repository.find(*wanted)))
        return Answer.json(rest.status(self.repository, *wanted))

    async def models(self, exchange: Exchange, match: re.Match[str]) -> Answer:
        """`GET /zoo/models`."""
        return Answer.json(await self.aside(listing.listing, self.repository))

    async def aside(self, function: Callable[..., Any], *words: Any, large: bool = True) -> Any:
        """Calls a function in a thread if it may take long, so that other requests go on."""
        if not large:
            return function(*words)
        return await asyncio.get_running_loop().run_in_executor(None, function, *words)


ROUTES: list[tuple[re.Pattern[str], dict[str, Handler]]] = [
    (rest.PREDICT, {"POST": App.predict}),
    (rest.STATUS, {"GET": App.status}),
    (re.compile("/zoo/models"), {"GET": App.models}),
]
