"""Words -> their most probable pieces, in core TensorFlow ops: the core of `SubwordCodec`."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import tensorflow as tf

from zoo.text.nfc import CODE_POINTS
from zoo.text.vocabulary import PAD, SPECIAL, UNK

BYTES = tuple(f"<0x{byte:02X}>" for byte in range(256))
RESERVED = (*SPECIAL, *BYTES)  # the tokens before the learned pieces
FALLBACK = -1e4  # the score of a character as bytes: taken only where no piece covers it
NONE = float("-inf")
BREAK = "\n"  # in no piece


class Segmenter(tf.Module):
    """Splits words into the pieces whose scores have the largest sum.

    best[t] = max over l of best[t - l] + score(characters t - l + 1 .. t); of equal sums the one
    with the longer last piece. A character that is no piece itself may be written as its bytes in
    UTF-8, at the score `FALLBACK`. The pieces that end at a character are found by walking from it
    to the front through a tree of all pieces written backwards.

    Args:
        pieces: The pieces in the order of their ids, the first behind all bytes.
        scores: Their log-probabilities in nats.

    Source: Kudo (2018), arXiv:1804.10959, section 3.2: Viterbi under a unigram language model.
    """

    def __init__(self, pieces: Sequence[str], scores: Sequence[float]) -> None:
        super().__init__()
        self.longest = max([1, *map(len, pieces)])
        edges: dict[tuple[int, int], int] = {}
        ends: dict[int, int] = {}  # node -> piece
        for number, piece in enumerate(pieces):
            node = 0
            for character in reversed(piece):
                node = edges.setdefault((node, ord(character)), len(edges) + 1)
            ends[node] = number
        # beside the tree's nodes: a character that no piece ends with, and the end of all walks
        self.unknown, self.dead = len(edges) + 1, len(edges) + 2
        self.node_ids = np.full(len(edges) + 3, PAD, np.int32)
        self.node_scores = np.full(len(edges) + 3, NONE)
        for node in [self.unknown, *[node for (front, _), node in edges.items() if not front]]:
            self.node_ids[node], self.node_scores[node] = UNK, FALLBACK
        for node, number in ends.items():
            self.node_ids[node] = len(RESERVED) + number
            self.node_scores[node] = scores[number]
        # a table must not be empty: no walk asks for -1
        keys = [-1, *[node * CODE_POINTS + code for node, code in edges]]
        initializer = tf.lookup.KeyValueTensorInitializer(
            tf.constant(keys, tf.int64), tf.constant([self.dead, *edges.values()], tf.int64)
        )
        self.tree = tf.lookup.StaticHashTable(initializer, self.dead)

    def __call__(self, words: tf.Tensor) -> tf.RaggedTensor:
        """Strings (W,) without line ends or NUL -> ragged int32 (W, T)."""
        codes = tf.strings.unicode_decode(tf.strings.join([BREAK, words]), "UTF-8")
        sizes = tf.cast(codes.row_lengths(), tf.int32) - 1
        nodes = _dense(codes.with_values(self._walks(codes.values)))  # (W, T, L)
        lengths = self._forward(tf.transpose(nodes, [1, 0, 2]))
        ends = tf.transpose(_backward(lengths, sizes))  # (W, T)
        chosen = tf.gather(nodes, self.longest - tf.transpose(lengths), batch_dims=2)
        ids = tf.gather(tf.constant(self.node_ids), tf.boolean_mask(chosen, ends))
        parts = _spelled(ids, tf.boolean_mask(_dense(codes), ends))  # (P, 4)
        kept = tf.not_equal(parts, PAD)
        rows = tf.repeat(tf.where(ends)[:, 0], tf.reduce_sum(tf.cast(kept, tf.int32), axis=1))
        parts, count = tf.boolean_mask(parts, kept), tf.size(words, tf.int64)
        return tf.RaggedTensor.from_value_rowids(parts, rows, count, validate=False)

    def _walks(self, codes: tf.Tensor) -> tf.Tensor:
        """For each character where the walks of 1, 2, ... steps end: (N, L), longest first.

        The words are concatenated, with a break before each, at which a walk ends.
        """
        codes = tf.cast(codes, tf.int64)
        padded = tf.pad(codes, [[self.longest, 0]])
        node, found = tf.zeros_like(codes), []
        for steps in range(self.longest):
            front = padded[self.longest - steps : self.longest - steps + tf.size(codes)]
            node = self.tree.lookup(node * CODE_POINTS + front)
            found.append(node)
        found[0] = tf.where(
            tf.equal(found[0], self.dead), tf.cast(self.unknown, tf.int64), found[0]
        )
        return tf.stack(found[::-1], axis=-1)

    def _forward(self, nodes: tf.Tensor) -> tf.Tensor:
        """The length of the last piece on the best way to each character: (T, W)."""
        time, count = tf.shape(nodes)[0], tf.shape(nodes)[1]
        scores = tf.gather(tf.constant(self.node_scores), nodes)  # (T, W, L)
        sizes = tf.range(self.longest, 0, -1)

        def step(t: Any, window: Any, lengths: Any) -> tuple[Any, ...]:
            totals = window + scores[t]  # (W, L)
            best = tf.reduce_max(totals, axis=1, keepdims=True)
            length = tf.reduce_max(tf.where(tf.equal(totals, best), sizes, 0), axis=1)
            return t + 1, tf.concat([window[:, 1:], best], axis=1), lengths.write(t, length)

        # the best sums up to each of the last characters; nothing but the word's head at first
        window = tf.constant([[NONE] * (self.longest - 1) + [0.0]], tf.float64)
        loop = (0, tf.tile(window, [count, 1]), tf.TensorArray(tf.int32, time))
        shapes = (tf.TensorShape([]), tf.TensorShape([None, self.longest]), None)
        return tf.while_loop(lambda t, *_: t < time, step, loop, shapes)[2].stack()


def _backward(lengths: tf.Tensor, sizes: tf.Tensor) -> tf.Tensor:
    """Whether a piece of the best way ends at each character: bool (T, W)."""
    time = tf.shape(lengths)[0]

    def step(t: Any, end: Any, ends: Any) -> tuple[Any, ...]:
        here = tf.equal(end, t)
        end -= tf.where(here, lengths[t - 1], 0)
        return t - 1, end, ends.write(t - 1, here)

    loop = (time, sizes, tf.TensorArray(tf.bool, time))
    ends = tf.while_loop(lambda t, *_: t > 0, step, loop)[2]
    return ends.stack()


def _spelled(ids: tf.Tensor, codes: tf.Tensor) -> tf.Tensor:
    """Ids (P,) -> (P, 4): the id alone, or the ids of the character's bytes where it is UNK."""
    characters = tf.strings.unicode_encode(codes[:, None], "UTF-8")
    spelled = tf.cast(tf.io.decode_raw(characters, tf.uint8, fixed_length=4), tf.int32)
    spelled = tf.where(spelled > 0, spelled + len(SPECIAL), PAD)
    alone = tf.pad(ids[:, None], [[0, 0], [0, 3]], constant_values=PAD)
    return tf.where(tf.equal(ids, UNK)[:, None], spelled, alone)


def _dense(values: tf.RaggedTensor) -> tf.Tensor:
    """Values of the words' characters (W, T, ...), those of the breaks left out; T at least 1."""
    dense = values.to_tensor()[:, 1:]
    missing = tf.maximum(1 - tf.shape(dense)[1], 0)
    return tf.pad(dense, [[0, 0], [0, missing], *[[0, 0]] * (dense.shape.rank - 2)])
