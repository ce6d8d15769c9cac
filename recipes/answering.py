"""Texts -> answers of an exported model, in the order of the texts and in bounded memory.

Texts are taken in pools of at most 1,024; those of similar lengths in a pool are answered together,
so that little of a batch is padding.
"""

import codecs
import json
import sys
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from zoo import export

if TYPE_CHECKING:
    from recipes.recipe import Recipe

from zoo.system.bounded_batches import CHARACTERS, batches

ROWS = 256  # rows of a batch at most, each sample or beam counted
POOL_TEXTS = 1024
POOL_CHARACTERS = 2**20
HIGH_SHARE = 0.5  # of a text's tokens: from here on it is warned of
NAMED = 5  # texts that are warned of by name
PAUSE = 0.05  # seconds without a new text after which those at hand are answered

Row = dict[str, Any]
Answer = Callable[[Sequence[str]], list[Row]]


class ReadAhead:
    """Reads texts in a thread, so that those at hand can be answered while the next is waited for.

    At most one pool is held that nobody has taken yet, however fast the texts come.

    Args:
        texts: Read by the thread alone; what it raises is raised after the texts before it.
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
        except BaseException as error:  # raised again in the thread that takes the pools
            self._error = error
        with self._changed:
            self._ended = True
            self._changed.notify_all()

    def _is_full(self) -> bool:
        return len(self._waiting) >= POOL_TEXTS or self._size >= POOL_CHARACTERS

    def pools(self) -> Iterator[list[str]]:
        """Yields the texts at hand: after a pause, where a pool is full, and at the end."""
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
    """Yields texts in pools.

    Args:
        texts: A list or a tuple, which is cut, or what is read as it comes.
        whole: One pool of all texts, for options that number them.
    """
    if whole:
        yield list(texts)
    elif isinstance(texts, list | tuple):
        for start in range(0, len(texts), POOL_TEXTS):
            yield list(texts[start : start + POOL_TEXTS])
    else:
        yield from ReadAhead(texts).pools()


def answered(answer: Answer, texts: Sequence[str], how: Any = None) -> list[list[Row]]:
    """The rows of answers to each text of a pool.

    Args:
        answer: Texts -> the rows of all of them: an equal number for each or, where there may be
            fewer, each text's numbered by their `rank` from 1 up.
        texts: A pool.
        how: The recipe's options for answers; `samples`, `beam_size`, `max_tokens` and a text
            to `score` count.
    """
    width = max(getattr(how, "samples", 1), getattr(how, "beam_size", 1), 1)
    scored = getattr(how, "score", "")
    written = max(getattr(how, "max_tokens", 0), len(scored) if isinstance(scored, str) else 0)
    found: list[list[Row]] = [[] for _ in texts]
    lengths = [len(text) + written for text in texts]
    for places in batches(lengths, max(1, ROWS // width), max(1, CHARACTERS // width)):
        rows = answer([texts[place] for place in places])
        for place, group in zip(places, _groups(rows, len(places)), strict=True):
            found[place] = group
    return found


def _groups(rows: list[Row], count: int) -> list[list[Row]]:
    """Takes the rows of some texts apart."""
    if rows and "rank" in rows[0]:
        groups: list[list[Row]] = []
        for row in rows:
            if row["rank"] == 1:
                groups.append([])
            groups[-1].append(row)
        return groups
    each = len(rows) // count
    return [rows[start : start + each] for start in range(0, len(rows), each)]


class UnknownTokens:
    """Warns of texts whose tokens the model mostly does not know: their answers mean little.

    The first five are named, the others counted. A model whose export does not report
    `unknown_share` gets no warning.
    """

    def __init__(self) -> None:
        self._texts = 0
        self._high = 0

    def note(self, text: str, rows: Sequence[Row]) -> None:
        """Takes a text's answers; warns at once, unless the recipe names the tokens itself."""
        self._texts += 1
        if rows and "unknown" in rows[0]:
            return
        share = rows[0].get("unknown_share", 0.0) if rows else 0.0
        if share < HIGH_SHARE or "unknown" in rows[0]:  # an answer that names them has warned
            return
        self._high += 1
        if self._high <= NAMED:
            line = " ".join(text.split())
            shown = line if len(line) <= 40 else line[:39] + "…"
            print(
                f"warning: text {self._texts}: the model does not know {share:.0%} of its tokens: "
                f"{shown}",
                file=sys.stderr,
            )

    def report(self) -> None:
        """Counts the texts that were not named."""
        if self._high > NAMED:
            print(
                f"warning: and {self._high - NAMED} more of {self._texts} texts, half or more of "
                "whose tokens the model does not know",
                file=sys.stderr,
            )


def predict(
    recipe: "Recipe",
    texts: Iterable[str],
    path: Path,
    as_json: bool = False,
    how: Mapping[str, Any] | None = None,
    line: Callable[[Row], str] | None = None,
) -> None:
    """Prints the answers of an exported model, in the order of the texts.

    Args:
        recipe: The model's recipe.
        texts: A list, or what yields texts as they come: those at hand are answered while the next
            is waited for.
        path: The version's folder.
        as_json: Print an object a line.
        how: Options of the recipe's `answering`.
        line: An answer -> the line to print; by default the recipe's `format_answer`.
    """
    options = recipe.answering(**how or {})
    shown = line or recipe.format_answer
    served = export.load(path)
    ascii_only = codecs.lookup(getattr(sys.stdout, "encoding", None) or "utf-8").name != "utf-8"

    def answer(some: Sequence[str]) -> list[Row]:
        return recipe.answer(served.signatures, some, options)

    unknown = UnknownTokens()
    for pool in pools_of(texts, whole=bool(getattr(options, "attention", ""))):
        for text, rows in zip(pool, answered(answer, pool, options), strict=True):
            for row in rows:
                print(json.dumps(row, ensure_ascii=ascii_only) if as_json else shown(row))
            unknown.note(text, rows)
        sys.stdout.flush()
    unknown.report()
