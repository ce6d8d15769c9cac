"""Predictions of an exported model: texts in, answers out, in order and in bounded memory.

Texts are read in pools of at most 1,024. Within a pool, texts of similar length are batched
together, which keeps padding low.
"""

import codecs
import itertools
import json
import sys
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from recipes.predictions import beside
from recipes.predictions import write as write_predictions
from zoo import export

if TYPE_CHECKING:
    from recipes.recipe import Recipe

from zoo.system.bounded_batches import CHARACTERS, batches

ROWS = 256  # most rows of a batch; each sample or beam is a row
POOL_TEXTS = 1024
POOL_CHARACTERS = 2**20
HIGH_SHARE = 0.5  # fraction of unknown tokens in a text from which a warning is printed
NAMED = 5  # texts that have a warning of their own
PAUSE = 0.05  # seconds without a new text after which the texts read so far are answered

Row = dict[str, Any]
Answer = Callable[[Sequence[str]], list[Row]]


class ReadAhead:
    """Reads texts in a thread, so that a slow source does not delay the answers to earlier texts.

    At most one pool is buffered.

    Args:
        texts: Read by the thread alone. An error that it raises is raised again after the texts
            that were read before it.
    """

    def __init__(self, texts: Iterable[str]) -> None:
        self._waiting: deque[str] = deque()
        self._size = 0
        self._ended = False
        self._error: BaseException | None = None
        self._changed = threading.Condition()
        threading.Thread(target=self._read, args=(texts,), daemon=True).start()

    def _read(self, texts: Iterable[str]) -> None:
        try:
            for text in texts:
                with self._changed:
                    self._waiting.append(text)
                    self._size += len(text)
                    self._changed.notify_all()
                    self._changed.wait_for(lambda: not self._is_full())
        except BaseException as error:  # raised again in the thread that reads the pools
            self._error = error
        with self._changed:
            self._ended = True
            self._changed.notify_all()

    def _is_full(self) -> bool:
        return len(self._waiting) >= POOL_TEXTS or self._size >= POOL_CHARACTERS

    def pools(self) -> Iterator[list[str]]:
        """Yields the texts read so far: after a pause, when a pool is full, and at the end."""
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._waiting or self._ended)
                while not self._ended and not self._is_full():
                    if not self._changed.wait(PAUSE):
                        break
                pool = list(self._waiting)
                self._waiting.clear()
                self._size = 0
                self._changed.notify_all()
                last = self._ended
            if pool:
                yield pool
            if last:
                break
        if self._error:
            raise self._error


def pools_of(texts: Iterable[str], whole: bool = False) -> Iterator[list[str]]:
    """Yields texts in pools: slices of a list or tuple; any other iterable is read in a thread.

    `whole` is for options that number the texts: all of them are one pool.
    """
    if whole:
        yield list(texts)
    elif isinstance(texts, list | tuple):
        for start in range(0, len(texts), POOL_TEXTS):
            yield list(texts[start : start + POOL_TEXTS])
    else:
        yield from ReadAhead(texts).pools()


def answered(answer: Answer, texts: Sequence[str], options: Any = None) -> list[list[Row]]:
    """Returns the rows of answers to each text of a pool.

    Args:
        answer: Function from texts to rows: the same number of rows for each text, or rows with a
            `rank` or a `number` that starts at 1 for each text.
        texts: A pool.
        options: The recipe's options of `predict`; `samples`, `beam_size`, `max_tokens` and
            `score` determine the batch size.
    """
    width = max(getattr(options, "samples", 1), getattr(options, "beam_size", 1), 1)
    scored = getattr(options, "score", "")
    scored_length = len(scored) if isinstance(scored, str) else 0
    written = max(getattr(options, "max_tokens", 0), scored_length)
    found: list[list[Row]] = [[] for _ in texts]
    lengths = [len(text) + written for text in texts]
    for places in batches(lengths, max(1, ROWS // width), max(1, CHARACTERS // width)):
        rows = answer([texts[place] for place in places])
        for place, group in zip(places, _groups(rows, len(places)), strict=True):
            found[place] = group
    return found


def _groups(rows: list[Row], count: int) -> list[list[Row]]:
    """Divides rows among `count` texts."""
    counter = next((name for name in ("rank", "number") if rows and name in rows[0]), "")
    if counter:
        groups: list[list[Row]] = []
        for row in rows:
            if row[counter] == 1:
                groups.append([])
            groups[-1].append(row)
        return groups
    each = len(rows) // count
    return [rows[start : start + each] for start in range(0, len(rows), each)]


class UnknownTokens:
    """Warns of empty texts, and of those half or more of whose tokens are out of vocabulary.

    The first five texts are named, the others counted. An exported model without `unknown_share`
    causes no warning.
    """

    def __init__(self) -> None:
        self._texts = 0
        self._high = 0

    def note(self, text: str, rows: Sequence[Row]) -> None:
        """Counts a text and warns about it, unless the recipe has reported its unknown tokens."""
        self._texts += 1
        if rows and "unknown" in rows[0]:
            return
        share = rows[0].get("unknown_share", 0.0) if rows else 0.0
        if text.strip() and share < HIGH_SHARE:
            return
        self._high += 1
        if self._high <= NAMED:
            line = " ".join(text.split())
            shown = line if len(line) <= 40 else line[:39] + "…"
            reason = f": the model does not know {share:.0%} of its tokens: {shown}"
            print(f"warning: text {self._texts}{reason if line else ' is empty'}", file=sys.stderr)

    def report(self) -> None:
        """Prints the number of texts that were not named."""
        if self._high > NAMED:
            print(
                f"warning: and {self._high - NAMED} more of {self._texts} texts that are empty or "
                "half or more of whose tokens the model does not know",
                file=sys.stderr,
            )


def answers(
    recipe: "Recipe", texts: Iterable[str], path: Path, request: Mapping[str, Any]
) -> Iterator[list[list[Row]]]:
    """Yields the rows of answers to each text, in the order of the texts, a pool at a time.

    Warns of texts that the model cannot know well; see `predict` for the arguments.
    """
    options = recipe.answering(**request)
    served = export.load(path)

    def answer(some: Sequence[str]) -> list[Row]:
        return recipe.answer(served.signatures, some, options)

    unknown = UnknownTokens()
    for pool in pools_of(texts, whole=bool(getattr(options, "attention", ""))):
        groups = answered(answer, pool, options)
        yield groups
        for text, rows in zip(pool, groups, strict=True):
            unknown.note(text, rows)
    unknown.report()


def predict(
    recipe: "Recipe",
    texts: Iterable[str],
    path: Path,
    as_json: bool = False,
    request: Mapping[str, Any] | None = None,
    line: Callable[[Row], str] | None = None,
    own: Iterable[Row] = (),
) -> None:
    """Prints the answers of an exported model, in the order of the texts.

    Args:
        recipe: The model's recipe.
        texts: A list, or an iterable that is read in a thread: texts are answered as they arrive.
        path: Folder of the exported version.
        as_json: Print one JSON object per line.
        request: Values of the recipe's options of `predict`.
        line: Function from an answer to the line to print; by default the recipe's
            `format_answer`.
        own: The row of the user's file that each text is from, for JSON.
    """
    shown = line or recipe.format_answer
    ascii_only = codecs.lookup(getattr(sys.stdout, "encoding", None) or "utf-8").name != "utf-8"
    own_rows = iter(own)
    for pool in answers(recipe, texts, path, request or {}):
        for rows in pool:
            own_row = next(own_rows, None)
            for row in rows:
                full = row if own_row is None else beside(own_row, row)
                print(json.dumps(full, ensure_ascii=ascii_only) if as_json else shown(row))
        sys.stdout.flush()


def write(
    recipe: "Recipe",
    own: Sequence[Row],
    texts: Sequence[str],
    path: Path,
    file: Path,
    request: Mapping[str, Any],
) -> int:
    """Writes the rows of a user's file with the answers to their texts beside them.

    Args:
        recipe: The model's recipe.
        own: The rows.
        texts: The text of each row.
        path: Folder of the exported version.
        file: What to write; an older file stays until the new one is whole.
        request: Values of the recipe's options of `predict`.

    Returns:
        The number of rows written; a row with several answers is written with each of them.
    """
    is_flat = file.suffix.lower() != ".jsonl"
    names = dict.fromkeys((name for row in own for name in row), "") if is_flat else {}
    pools = answers(recipe, texts, path, request)
    pairs = zip(own, itertools.chain.from_iterable(pools), strict=True)
    return write_predictions(
        file, (beside(names | row, each, is_flat) for row, rows in pairs for each in rows)
    )
