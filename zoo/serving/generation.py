"""Text from a model that writes: whole, or as a stream of server-sent events, as Triton does.

Source: Triton's generate extension (docs/protocol/extension_generate.md in
triton-inference-server/server): the paths, `text_input`, `parameters`, `text_output`, the events
and what an error looks like. Options may also be beside `text_input`, as Triton allows.
"""

import math
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import numpy as np

from zoo.decoding.bounds import BOUNDS, require
from zoo.errors import InputError, nearest
from zoo.saved_model.session import Arrays
from zoo.serving.json_text import shown
from zoo.serving.refusals import wrong
from zoo.serving.served import Function, Version
from zoo.serving.settings import Settings

WHOLE, DRAWN = "generate", ("read", "draw", "spell")  # signatures
IGNORED = ("id", "stream")  # what clients send besides
DEFAULT_TOKENS = 100
UNREADABLE = "\ufffd"  # at the end of a text: the rest of a character may follow
Ask = Callable[[Version, Function, Arrays], Awaitable[Arrays]]


class Generation:
    """A request for a text.

    Attributes:
        version: The model.
        start: The prompt or the label.
        options: Option -> value, all that the model takes.

    Raises:
        Refused: The model does not write, or an option is wrong.
    """

    def __init__(self, version: Version, document: Any, settings: Settings) -> None:
        self.version = version
        function = version.functions.get(WHOLE)
        texts = [s.name for s in function.inputs.values() if s.type == "string"] if function else []
        if function is None or len(texts) != 1:
            raise wrong(f"the model {version.name} does not generate text: use predict or infer")
        self.function, self.beginning = function, texts[0]
        given = _parameters(document)
        if not isinstance(document.get("text_input"), str):
            raise wrong(f"text_input must be a string, got {shown(document.get('text_input'))}")
        self.start: str = document["text_input"]
        try:
            self.start.encode()
        except UnicodeEncodeError as error:
            raise wrong("text_input has half of a surrogate pair") from error
        if len(self.start) > settings.max_text:
            raise wrong(
                f"text_input must have at most {settings.max_text:,} characters, got "
                f"{len(self.start):,}"
            )
        known = [name for name in function.inputs if name != self.beginning]
        self.options: dict[str, Any] = {
            name: BOUNDS[name].default if name in BOUNDS else 0 for name in known
        }
        self.options["max_tokens"] = min(DEFAULT_TOKENS, settings.max_tokens)
        for name, value in given.items():
            if name not in known:
                raise wrong(f"{version.name} has no option {shown(name)}: {nearest(name, known)}")
            self.options[name] = _option(name, value)
        if self.options["max_tokens"] > settings.max_tokens:
            raise wrong(
                f"max_tokens must be at most {settings.max_tokens:,}, got "
                f"{self.options['max_tokens']:,}"
            )

    @property
    def most(self) -> int:
        """The number of tokens at most."""
        return int(self.options["max_tokens"])

    def _rows(self, function: Function, values: dict[str, Any]) -> Arrays:
        """One row of each input."""
        return {
            name: np.array([values[name]], function.inputs[name].dtype) for name in function.inputs
        }

    @property
    def _first(self) -> dict[str, Any]:
        return {self.beginning: self.start.encode()}

    def _continued(self, text: bytes) -> str:
        """What follows the prompt: the model's text begins with it."""
        prompt = self.start.encode() if self.beginning == "prompt" else b""
        return text[len(prompt) :].decode("utf-8", "replace")

    def answer(self, text: str, **more: Any) -> dict[str, Any]:
        """The object of an answer or an event."""
        return {
            "model_name": self.version.name,
            "model_version": str(self.version.number),
            "text_output": text,
            **more,
        }

    async def whole(self, ask: Ask) -> dict[str, Any]:
        """The text at once."""
        inputs = self._rows(self.function, {**self._first, **self.options})
        found = await ask(self.version, self.function, inputs)
        tokens = int(found["num_tokens"][0])
        return self.answer(
            self._continued(found["text"][0]),
            log_probability=_short(found["log_probability"][0]),
            num_tokens=tokens,
        )

    def check_streams(self) -> None:
        """Refuses a model that was exported without the signatures of a stream."""
        missing = [name for name in DRAWN if name not in self.version.functions]
        if missing:
            raise wrong(
                f"the model {self.version.name} lacks the signature {missing[0]}, which a stream "
                "needs: export it again, or use generate"
            )

    async def pieces(self, ask: Ask) -> AsyncIterator[dict[str, Any]]:
        """The text token by token; the pieces joined are the whole text.

        An event has the piece of text, the token's `log_probability`, in nats, and `finish_reason`
        in the last one: `stop` or `length`. A piece is empty while a character is incomplete.
        """
        read, draw, spell = (self.version.functions[name] for name in DRAWN)
        states = dict(await ask(self.version, read, self._rows(read, self._first)))
        last, sent, text, ids = states.pop("token_ids"), "", "", []
        options = {name: np.array([v], draw.inputs[name].dtype) for name, v in self._drawing(draw)}
        for place in range(self.most):
            inputs = {**states, **options, "token_ids": last, "place": np.array([place], np.int32)}
            states = dict(await ask(self.version, draw, inputs))
            last, ended = states.pop("token_ids"), bool(states.pop("ended")[0])
            log_probability = _short(states.pop("log_probability")[0])
            ids.append(int(last[0]))
            written = {"token_ids": np.array([ids], np.int32)}
            if self.beginning in spell.inputs:
                written[self.beginning] = np.array([self.start.encode()], object)
            found = await ask(self.version, spell, written)
            text = self._continued(found["text"][0])
            done = ended or place + 1 == self.most
            ready = text if done else text.rstrip(UNREADABLE)
            piece = ready[len(sent) :] if ready.startswith(sent) else ""
            sent += piece
            more = {"finish_reason": "stop" if ended else "length"} if done else {}
            yield self.answer(piece, log_probability=log_probability, **more)
            if done:
                return
        yield self.answer("", finish_reason="length")  # max_tokens is 0

    def _drawing(self, draw: Function) -> list[tuple[str, Any]]:
        return [(name, value) for name, value in self.options.items() if name in draw.inputs]


def _short(value: np.floating) -> float:
    """A float32 as a number with no more digits than it needs."""
    return float(str(value))


def _parameters(document: Any) -> dict[str, Any]:
    """The options, from `parameters` and from beside it."""
    parameters = document.get("parameters", {})
    if not isinstance(parameters, dict):
        raise wrong(f"parameters must be an object, got {shown(parameters)}")
    beside = {
        name: value for name, value in document.items() if name not in ("text_input", "parameters")
    }
    return {k: v for k, v in {**beside, **parameters}.items() if k not in IGNORED}


def _option(name: str, value: Any) -> Any:
    """An option's value.

    Raises:
        Refused: It is of another type or out of its range.
    """
    if isinstance(value, bool) or not isinstance(value, int | float) or math.isnan(value):
        raise wrong(f"{name} must be a number, got {shown(value)}")
    try:
        require(name, value, served=True)
    except (InputError, OverflowError) as error:
        raise wrong(f"{error}") from None
    return value
