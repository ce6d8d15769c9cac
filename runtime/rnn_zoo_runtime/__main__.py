"""Answers lines of standard input: `python -m rnn_zoo_runtime FOLDER`."""

import argparse
import json
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

import numpy as np

from rnn_zoo_runtime.bundle import load
from rnn_zoo_runtime.errors import InputError
from rnn_zoo_runtime.version import VERSION

ROWS = 64  # lines that are answered together where the input is no terminal
OPTIONS = ("max_tokens", "temperature", "top_k", "top_p", "seed", "beam_size", "length_penalty")


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the command; returns its exit status: 0, or 2 for wrong input."""
    parser = _parser()
    options = parser.parse_args(arguments)
    try:
        answer = _answering(load(options.folder, options.threads), options)
        for lines in _batches(sys.stdin.buffer):
            for found in answer(lines):
                print(json.dumps(found, ensure_ascii=False) if options.json else _shown(found))
            sys.stdout.flush()
    except InputError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    except BrokenPipeError:  # who reads the answers has enough
        sys.stderr.close()
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m rnn_zoo_runtime",
        description="Answers each line of standard input with an exported model of the RNN zoo. "
        "A line is a text, a label of a ConditionalWriter, or JSON: a series of numbers.",
    )
    parser.add_argument("folder", help="what export_onnx wrote: a version, or the folder of them")
    parser.add_argument("--json", action="store_true", help="print all of an answer, as JSON")
    parser.add_argument("--score", action="store_true", help="score texts in place of writing")
    parser.add_argument("--threads", type=int, default=1, help="threads of an operation (1)")
    parser.add_argument("--version", action="version", version=VERSION)
    group = parser.add_argument_group("options of writers and translators")
    for name in OPTIONS:
        kind = int if name in ("max_tokens", "top_k", "seed", "beam_size") else float
        group.add_argument(f"--{name.replace('_', '-')}", type=kind, default=argparse.SUPPRESS)
    return parser


def _answering(
    pipeline: Any, options: argparse.Namespace
) -> Callable[[list[bytes]], Iterator[Any]]:
    """A function of lines that yields the answer to each."""
    name = type(pipeline).__name__
    given = {key: value for key, value in vars(options).items() if key in OPTIONS}
    methods: dict[str, tuple[str, tuple[str, ...]]] = {
        "Classifier": ("classify", ()),
        "Tagger": ("tag", ()),
        "Writer": ("generate", OPTIONS[:5]),
        "ConditionalWriter": ("generate", OPTIONS[:5]),
        "Translator": ("translate", ("max_tokens", "beam_size", "length_penalty")),
        "SignalClassifier": ("classify", ()),
        "SeriesForecaster": ("forecast", ()),
        "Transcriber": ("transcribe", ()),
    }
    method, known = methods[name]
    if options.score:
        if name != "Writer":
            raise InputError(f"--score is for a Writer, and this is a {name}: leave it out")
        method, known = "score", ()
    wrong = [f"--{key.replace('_', '-')}" for key in given if key not in known]
    if wrong:
        raise InputError(f"{wrong[0]} is no option of a {name}'s {method}: leave it out")
    read = _series if hasattr(pipeline, "rows_of") else list

    def answer(lines: list[bytes]) -> Iterator[Any]:
        found = getattr(pipeline, method)(read(lines), **given)
        for row in range(len(lines)):
            yield {
                key: value[row].tolist()
                if isinstance(value[row], np.ndarray | np.generic)
                else value[row]
                for key, value in found.items()
            }

    return answer


def _series(lines: Iterable[bytes]) -> list[np.ndarray]:
    """A series from each line of JSON."""
    rows = []
    for line in lines:
        try:
            rows.append(np.array(json.loads(line), np.float32))
        except ValueError as error:
            raise InputError(
                f"a line is no series of numbers ({error}): write JSON, such as [[0.1, 2], [3, 4]]"
            ) from error
    return rows


def _batches(stream: Any) -> Iterator[list[bytes]]:
    """The lines of a stream, without their ends; one by one where someone types them."""
    most = 1 if stream.isatty() else ROWS
    lines: list[bytes] = []
    for line in stream:
        lines.append(line.removesuffix(b"\n").removesuffix(b"\r"))
        if len(lines) == most:
            yield lines
            lines = []
    if lines:
        yield lines


def _shown(found: dict[str, Any]) -> str:
    """The main part of an answer, as a line of text."""
    if "tags" in found:
        pairs = zip(found["tokens"], found["tags"], strict=True)
        return " ".join(f"{token}/{tag}" for token, tag in pairs if tag)
    if "translations" in found:
        return str(found["translations"][0])
    for name in ("label", "text", "forecast", "log_probability"):
        if name in found:
            value = found[name]
            return value if isinstance(value, str) else json.dumps(value)
    return json.dumps(found, ensure_ascii=False)


if __name__ == "__main__":
    sys.exit(main())
