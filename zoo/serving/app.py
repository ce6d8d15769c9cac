"""The server as an ASGI application: from a path to what answers it."""

import asyncio
import contextlib
import re
import sys
import time
import traceback
from collections.abc import AsyncGenerator, Awaitable, Callable
from typing import Any

from zoo.saved_model.session import Arrays
from zoo.serving import answers, json_text, limits, listing, metrics, openapi, page, rest, v2
from zoo.serving.access_log import AccessLog
from zoo.serving.batching import Batcher
from zoo.serving.exchange import EVENTS, Answer, Exchange, error_of
from zoo.serving.generation import Generation
from zoo.serving.refusals import Refused, wrong
from zoo.serving.repository import Repository
from zoo.serving.served import Function, Version
from zoo.serving.settings import Settings
from zoo.serving.tensors import from_request

Handler = Callable[["App", Exchange, re.Match[str]], Awaitable[Answer]]
Events = AsyncGenerator[Any, None]
LARGE = 2**16  # bytes of a body, or numbers of an answer, that are read or written in a thread
INTERNAL = "internal error: the server's log has its traceback"


class App:
    """The ASGI application.

    Args:
        settings: Its options.
        repository: The models.
        log: A line for each request.
    """

    def __init__(self, settings: Settings, repository: Repository, log: AccessLog) -> None:
        self.settings, self.repository, self.log = settings, repository, log
        self.metrics = metrics.Metrics(repository)
        self.batcher = Batcher(settings, self.metrics.batch)
        self.metrics.waiting.set_function(lambda: self.batcher.waiting)
        self.page = page.files()

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Answers a request of HTTP, or lives as long as the server does."""
        if scope["type"] == "lifespan":
            await self._live(receive, send)
        if scope["type"] != "http":
            return
        exchange = Exchange(scope, receive, send, self.settings)
        api = "page"
        try:
            api, answer = await self._answer(exchange)
        except Refused as error:
            answer = Answer.error(error.status, error.sentence)
        except Exception:
            traceback.print_exc(file=sys.stderr)
            answer = Answer.error(500, INTERNAL)
        try:
            await exchange.reply(answer)
        finally:
            self._note(exchange, api, answer.status)

    async def _live(self, receive: Any, send: Any) -> None:
        """Looks for new versions until the server ends; then what runs is finished."""
        await receive()
        looking = asyncio.create_task(self._look())
        await send({"type": "lifespan.startup.complete"})
        await receive()
        looking.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await looking
        self.batcher.close()
        self.repository.close()
        self.log.close()
        await send({"type": "lifespan.shutdown.complete"})

    async def _look(self) -> None:
        while True:
            await asyncio.sleep(self.settings.poll)
            try:
                await asyncio.to_thread(self.repository.look)
            except OSError as error:  # the folder is away for a moment, such as a network's
                self.repository.say(f"cannot look for new versions: {error.strerror or error}")

    def _note(self, exchange: Exchange, api: str, status: int) -> None:
        """Counts and logs a request."""
        seconds, version = time.perf_counter() - exchange.start, exchange.version
        self.metrics.answered(api, version, status, seconds)
        self.log.write(
            exchange.client,
            method=exchange.method,
            path=exchange.path,
            status=status,
            milliseconds=round(1000 * seconds, 2),
            bytes=exchange.sent,
            model=version.name if version else None,
            version=version.number if version else None,
            rows=exchange.rows,
        )

    async def _answer(self, exchange: Exchange) -> tuple[str, Answer]:
        """The interface that a path belongs to, and the answer."""
        method, path = exchange.method, exchange.path
        for api, pattern, verb, handler in ROUTES:
            match = pattern.fullmatch(path)
            if match and verb == ("GET" if method == "HEAD" else method):
                try:
                    return api, await handler(self, exchange, match)
                except Refused as error:
                    return api, Answer.error(error.status, error.sentence)
        if path.lower().startswith("/v1/"):
            raise rest.malformed(method, path)
        verbs = sorted({verb for _, pattern, verb, _ in ROUTES if pattern.fullmatch(path)})
        if verbs:
            allowed = Answer.error(405, f"{method} is not allowed here, but {verbs[0]} is")
            allowed.headers["allow"] = ", ".join(verbs)
            return "page", allowed
        return "page", await self.page.answer(exchange)

    async def _document(self, exchange: Exchange) -> tuple[Any, bool]:
        """The JSON of a body, and whether it is large."""
        body = await exchange.body()
        large = len(body) > LARGE
        return await self.aside(json_text.loads, body, large=large), large

    async def _ask(
        self, exchange: Exchange, version: Version, function: Function, inputs: Arrays
    ) -> Arrays:
        return await exchange.wait(self.batcher.ask(version, function, inputs))

    async def aside(self, function: Callable[..., Any], *words: Any, large: bool = True) -> Any:
        """Calls a function in a thread if it may take long, so that other requests go on."""
        if not large:
            return function(*words)
        return await asyncio.get_running_loop().run_in_executor(None, function, *words)

    async def predict(self, exchange: Exchange, match: re.Match[str]) -> Answer:
        """`POST /v1/models/NAME:predict`."""
        verb, wanted = match["verb"].lower(), rest.wanted_of(match)
        if verb != "predict":
            raise Refused(501, f"{verb} is not offered: use predict")
        document, large = await self._document(exchange)
        version, function = rest.function_of(document, self.repository, wanted)
        exchange.version = version
        with version:
            inputs, rows = await self.aside(from_request, document, function.inputs, large=large)
            exchange.rows = limits.check(inputs, self.settings)
            found = await self._ask(exchange, version, function, inputs)
        write = answers.predictions if rows else answers.outputs
        return Answer(200, await self.aside(write, found, large=_size(found) > LARGE))

    async def status(self, exchange: Exchange, match: re.Match[str]) -> Answer:
        """`GET /v1/models/NAME` and its `metadata`."""
        wanted = rest.wanted_of(match)
        if not wanted[0]:
            raise wrong("Missing model name in request.")
        if match["metadata"]:
            exchange.version = self.repository.find(*wanted)
            return Answer.json(rest.metadata(exchange.version))
        return Answer.json(rest.status(self.repository, *wanted))

    async def server(self, exchange: Exchange, match: re.Match[str]) -> Answer:
        """`GET /v2`."""
        return Answer.json(v2.server())

    async def live(self, exchange: Exchange, match: re.Match[str]) -> Answer:
        """`GET /v2/health/live`."""
        return Answer.json({"live": True})

    async def ready(self, exchange: Exchange, match: re.Match[str]) -> Answer:
        """`GET /v2/health/ready`: whether all models have a version that answers."""
        models = list(self.repository.models.values())
        ready = bool(models) and all(model.versions for model in models)
        return Answer.json({"ready": ready}, 200 if ready else 503)

    async def model(self, exchange: Exchange, match: re.Match[str]) -> Answer:
        """`GET /v2/models/M`."""
        version = exchange.version = v2.find(self.repository, match)
        numbers = sorted(self.repository.models[version.name].versions)
        return Answer.json(v2.model(version, numbers))

    async def model_ready(self, exchange: Exchange, match: re.Match[str]) -> Answer:
        """`GET /v2/models/M/ready`."""
        exchange.version = v2.find(self.repository, match)
        return Answer.json({"name": exchange.version.name, "ready": True})

    async def infer(self, exchange: Exchange, match: re.Match[str]) -> Answer:
        """`POST /v2/models/M/infer`."""
        document, large = await self._document(exchange)
        rest.require_object(document)
        version = exchange.version = v2.find(self.repository, match)
        function = v2.function_of(version, document.get("parameters", {}))
        v2.outputs_of(document, function)
        with version:
            inputs = await self.aside(v2.inputs_of, document, function, large=large)
            exchange.rows = limits.check(inputs, self.settings)
            found = await self._ask(exchange, version, function, inputs)
        content = v2.answer(version, function, document, found)
        return Answer(200, await self.aside(json_text.dumps, content, large=_size(found) > LARGE))

    async def generate(self, exchange: Exchange, match: re.Match[str]) -> Answer:
        """`POST /v2/models/M/generate` and `generate_stream`."""
        document, _ = await self._document(exchange)
        rest.require_object(document)
        version = exchange.version = v2.find(self.repository, match)
        generation = Generation(version, document, self.settings)
        exchange.rows = 1

        async def ask(version: Version, function: Function, inputs: Arrays) -> Arrays:
            return await self._ask(exchange, version, function, inputs)

        if not match["stream"]:
            with version:
                found = await generation.whole(ask)
            self.metrics.generated(version, found["num_tokens"])
            return Answer.json(found)
        generation.check_streams()
        pieces = self._pieces(exchange, generation, ask)
        first = await anext(pieces)  # what fails before the first event has a status of its own
        return Answer(200, kind=EVENTS, headers=STREAM, events=_followed(first, pieces))

    async def _pieces(self, exchange: Exchange, generation: Generation, ask: Any) -> Events:
        """The events of a stream; the version stays loaded until its end."""
        with generation.version:
            async for piece in generation.pieces(ask):
                yield piece
                self.metrics.generated(generation.version, 1)
                if exchange.gone.done():
                    return

    async def models(self, exchange: Exchange, match: re.Match[str]) -> Answer:
        """`GET /zoo/models`."""
        return Answer.json(await self.aside(listing.listing, self.repository))

    async def numbers(self, exchange: Exchange, match: re.Match[str]) -> Answer:
        """`GET /metrics`."""
        return Answer(200, await self.aside(self.metrics.text), metrics.KIND)

    async def description(self, exchange: Exchange, match: re.Match[str]) -> Answer:
        """`GET /openapi.json`."""
        return Answer.json(openapi.description(self.settings))


async def _followed(first: Any, others: Events) -> Events:
    """The events, the first of which is known; an error in the middle is the last one."""
    try:
        async with contextlib.aclosing(others):
            yield first
            async for event in others:
                yield event
    except Refused as error:
        yield error_of(error.sentence)
    except Exception:
        traceback.print_exc(file=sys.stderr)
        yield error_of(INTERNAL)


def _size(found: Arrays) -> int:
    return sum(array.size for array in found.values())


STREAM = {"cache-control": "no-cache", "x-accel-buffering": "no"}
# the interface, as the metrics name it; the path; the method; what answers
ROUTES: list[tuple[str, re.Pattern[str], str, Handler]] = [
    ("predict", rest.PREDICT, "POST", App.predict),
    ("status", rest.STATUS, "GET", App.status),
    ("health", v2.LIVE, "GET", App.live),
    ("health", v2.READY, "GET", App.ready),
    ("status", v2.SERVER, "GET", App.server),
    ("status", v2.MODEL, "GET", App.model),
    ("health", v2.MODEL_READY, "GET", App.model_ready),
    ("infer", v2.INFER, "POST", App.infer),
    ("generate", v2.GENERATE, "POST", App.generate),
    ("models", re.compile("/zoo/models"), "GET", App.models),
    ("metrics", re.compile("/metrics|/monitoring/prometheus/metrics"), "GET", App.numbers),
    ("openapi", re.compile("/openapi.json"), "GET", App.description),
]
