"""Unicode normalisation form C in core TensorFlow ops, the same in training and in serving.

TensorFlow has no op for it outside tensorflow-text, and a model with ops of tensorflow-text does
not load in a stock server. The tables are those of Python's `unicodedata`.

Source: Unicode Standard Annex 15 and the Unicode Standard, section 3.11 (D117, canonical
    composition).
"""

import functools
import sys
import unicodedata
from typing import Any

import numpy as np
import tensorflow as tf

from zoo.system.flags import kept_here

HANGUL_BASE, HANGUL_COUNT = 0xAC00, 11172
LEAD, VOWEL, TRAIL = 0x1100, 0x1161, 0x11A7
LEADS, VOWELS, TRAILS = 19, 21, 28
CODE_POINTS = sys.maxunicode + 1
ACTIVE = 0x30000  # from here on no character decomposes or combines


@functools.cache
def _tables() -> dict[str, np.ndarray]:
    """The code points that decompose and into what, combining classes, and pairs that compose."""
    decomposed: dict[int, list[int]] = {}
    classes: dict[int, int] = {}
    pairs: dict[tuple[int, int], int] = {}
    for code in range(ACTIVE):
        char = chr(code)
        if unicodedata.combining(char):
            classes[code] = unicodedata.combining(char)
        mapping = unicodedata.decomposition(char)  # Hangul has none here: it follows a formula
        if mapping and not mapping.startswith("<"):
            full = unicodedata.normalize("NFD", char)
            decomposed[code] = [ord(part) for part in full]
            parts = [int(part, 16) for part in mapping.split()]
            if len(parts) == 2 and unicodedata.normalize("NFC", full) == char:
                pairs[parts[0], parts[1]] = code
    width = max(len(parts) for parts in decomposed.values())
    rows = [parts + [-1] * (width - len(parts)) for parts in decomposed.values()]
    return {
        "decomposable": np.array(list(decomposed), np.int64),
        "decompositions": np.array(rows, np.int32),
        "combining": np.array(list(classes), np.int64),
        "classes": np.array(list(classes.values()), np.int64),
        "pairs": np.array([a * CODE_POINTS + b for a, b in pairs], np.int64),
        "composites": np.array(list(pairs.values()), np.int64),
    }


@functools.cache
def inert_pattern() -> str:
    """A regular expression for texts that NFC leaves unchanged."""
    tables = _tables()
    active = set(tables["combining"]) | set(tables["decomposable"])
    active |= {int(pair) % CODE_POINTS for pair in tables["pairs"]}
    active |= set(range(VOWEL, VOWEL + VOWELS)) | set(range(TRAIL + 1, TRAIL + TRAILS))
    # a character that decomposes and composes again is itself: only those that do not are active
    whole = {int(code) for code in tables["composites"]}
    starters = {code for code in whole if not unicodedata.combining(chr(code))}
    ranges = _ranges(sorted(int(code) for code in active - starters))
    return "[^" + "".join(rf"\x{{{a:x}}}-\x{{{b:x}}}" for a, b in ranges) + "]*"


def _ranges(codes: list[int]) -> list[tuple[int, int]]:
    ranges: list[tuple[int, int]] = []
    for code in codes:
        if ranges and ranges[-1][1] == code - 1:
            ranges[-1] = (ranges[-1][0], code)
        else:
            ranges.append((code, code))
    return ranges


def _table(keys: np.ndarray, values: np.ndarray, default: int) -> Any:
    initializer = tf.lookup.KeyValueTensorInitializer(
        tf.constant(keys, tf.int64), tf.constant(values, tf.int64)
    )
    return tf.lookup.StaticHashTable(initializer, default)


def _composed_here(texts: Any) -> Any:
    """Bytes of UTF-8 -> bytes, by `unicodedata`."""
    given = (text.decode() for text in texts)
    composed = [unicodedata.normalize("NFC", text).encode() for text in given]
    return np.array(composed, object)


def _are_inert(texts: tf.Tensor) -> tf.Tensor:
    return tf.reduce_all(tf.strings.regex_full_match(texts, inert_pattern()))


@functools.cache
def composer() -> "Composer":
    """The shared composer of this process: its tables and its graph are slow to build."""
    with tf.init_scope():  # it outlives whatever graph asks for it first
        return Composer()


class Composer(tf.Module):
    r"""Brings strings to normalisation form C.

    Example:
        >>> Composer()(tf.constant(["e\u0301"])).numpy()[0].decode()
        'é'
    """

    def __init__(self) -> None:
        super().__init__()
        tables = _tables()
        count = len(tables["decomposable"])
        self.decomposable = _table(tables["decomposable"], np.arange(count), -1)
        self.combining = _table(tables["combining"], tables["classes"], 0)
        self.pairs = _table(tables["pairs"], tables["composites"], -1)

    def __call__(self, texts: tf.Tensor) -> tf.Tensor:
        """Strings (B,), valid UTF-8 -> strings (B,)."""
        if tf.executing_eagerly() and bool(_are_inert(texts)):
            return texts  # a first call need not wait for the graph
        if kept_here.holds():  # a quarter of a tagger's operations less
            composed = tf.numpy_function(_composed_here, [texts], tf.string)
            return tf.ensure_shape(composed, texts.shape)
        return self._composed(texts)

    @tf.function(input_signature=[tf.TensorSpec([None], tf.string)], autograph=False)
    def _composed(self, texts: tf.Tensor) -> tf.Tensor:
        """Traced once, however often it is used."""
        return tf.cond(_are_inert(texts), lambda: texts, lambda: self._normalize(texts))

    def _normalize(self, texts: tf.Tensor) -> tf.Tensor:
        codes = tf.strings.unicode_decode(texts, "UTF-8")
        values, rows = self._decompose(codes.values, codes.value_rowids())
        values, rows = self._compose(*self._reorder(values, rows))
        size = tf.size(texts, tf.int64)
        ragged = tf.RaggedTensor.from_value_rowids(values, rows, nrows=size, validate=False)
        return tf.strings.unicode_encode(ragged, "UTF-8")

    def _decompose(self, values: tf.Tensor, rows: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        """Each character in full canonical decomposition; (N,) -> (N',)."""
        decompositions = tf.constant(_tables()["decompositions"])
        index = self.decomposable.lookup(tf.cast(values, tf.int64))
        parts = tf.gather(decompositions, tf.maximum(index, 0))  # (N, 4), -1 = nothing
        itself = tf.pad(values[:, None], [[0, 0], [0, parts.shape[1] - 1]], constant_values=-1)
        parts = tf.where((index < 0)[:, None], itself, parts)
        kept = parts >= 0
        repeats = tf.reduce_sum(tf.cast(kept, tf.int32), axis=1)
        return tf.boolean_mask(parts, kept), tf.repeat(rows, repeats)

    def _reorder(self, values: tf.Tensor, rows: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        """Sorts the marks after each starter by combining class; equal classes keep their order."""
        classes = self.combining.lookup(tf.cast(values, tf.int64))
        begins = _begins(rows, classes)
        order = tf.argsort(tf.cumsum(tf.cast(begins, tf.int64)) * 256 + classes, stable=True)
        return tf.gather(values, order), tf.gather(rows, order)

    def _compose(self, values: tf.Tensor, rows: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        """Joins each starter with its marks: in each round, every starter takes its next one."""
        none = tf.zeros_like(values, tf.bool)

        def go_on(_values: Any, _rows: Any, _passed: Any, more: Any) -> Any:
            return more

        loose = tf.TensorShape([None])
        return tf.while_loop(
            go_on,
            self._round,
            (values, rows, none, tf.constant(True)),
            shape_invariants=(loose, loose, loose, tf.TensorShape([])),
        )[:2]

    def _round(self, values: Any, rows: Any, passed: Any, _more: Any) -> Any:
        """One composition per starter.

        A mark is free if no mark of its own or a higher class is between it and its starter.
        `passed` marks precede one that was composed: they were tried and are not tried again.
        """
        classes = self.combining.lookup(tf.cast(values, tf.int64))
        size = tf.size(values)
        places = tf.range(size)
        head, free = self._heads(rows, classes, places)
        composite = self._pair(tf.gather(values, head), values)
        can = free & ~passed & (composite >= 0)
        can &= ~tf.gather(can, head)  # a head that is itself taken in this round: wait for the next
        wanted = tf.where(can, places, size)
        first = tf.gather(tf.math.unsorted_segment_min(wanted, head, size), head)
        taken = can & tf.equal(places, first)
        heads = tf.boolean_mask(head, taken)[:, None]
        composed = tf.cast(tf.boolean_mask(composite, taken), tf.int32)
        values = tf.tensor_scatter_nd_update(values, heads, composed)
        passed |= (head < places) & (places < first) & (first < size)
        kept = functools.partial(tf.boolean_mask, mask=~taken)
        return kept(values), kept(rows), kept(passed), tf.reduce_any(taken)

    def _heads(self, rows: Any, classes: Any, places: Any) -> tuple[Any, Any]:
        """The starter that each character could join, and whether no other mark blocks it."""
        begins = _begins(rows, classes)
        run = tf.cumsum(tf.cast(begins, tf.int32))  # runs of one starter and its marks, from 1 up
        head = tf.gather(tf.boolean_mask(places, begins), tf.maximum(run - 1, 0))
        # a starter can join the previous starter only if they are adjacent
        before = tf.roll(places, 1, 0)
        joins_front = begins & tf.equal(tf.roll(rows, 1, 0), rows) & (places > 0)
        head = tf.where(joins_front, before, head)
        front = tf.gather(classes, before)
        free = tf.equal(before, head) | ((front < classes) & (front > 0))
        return head, free & tf.equal(tf.gather(classes, head), 0) & (places > head)

    def _pair(self, first: tf.Tensor, second: tf.Tensor) -> tf.Tensor:
        """The composite of two characters, (N,) int64, or -1."""
        first, second = tf.cast(first, tf.int64), tf.cast(second, tf.int64)
        found = self.pairs.lookup(first * CODE_POINTS + second)
        lead, vowel = first - LEAD, second - VOWEL
        is_syllable = (lead >= 0) & (lead < LEADS) & (vowel >= 0) & (vowel < VOWELS)
        found = tf.where(is_syllable, HANGUL_BASE + (lead * VOWELS + vowel) * TRAILS, found)
        open_syllable, trail = first - HANGUL_BASE, second - TRAIL
        closes = (open_syllable >= 0) & (open_syllable < HANGUL_COUNT)
        closes &= tf.equal(open_syllable % TRAILS, 0) & (trail > 0) & (trail < TRAILS)
        return tf.where(closes, first + trail, found)


def _begins(rows: tf.Tensor, classes: tf.Tensor) -> tf.Tensor:
    """Where a starter and its marks begin: at each starter and at the head of each row."""
    head = tf.concat([tf.ones_like(rows[:1], tf.bool), rows[1:] > rows[:-1]], axis=0)
    return tf.equal(classes, 0) | head
