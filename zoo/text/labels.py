"""Labels -> ids and ids -> names, in the graph."""

import unicodedata
from collections.abc import Sequence

import tensorflow as tf

from zoo.text.limits import TOKEN, shortened
from zoo.text.nfc import composer

SHOWN = 20  # labels that an error names
LONGEST = 100  # characters of an unknown label that an error shows


def label_ids(label: tf.Tensor, labels: Sequence[str]) -> tf.Tensor:
    """Looks up the ids of labels; part of a graph.

    Args:
        label: string (B,), in any Unicode normal form; surrounding blanks are ignored. An unknown
            label raises an error that names the known ones.
        labels: The known labels, in the order of their ids.

    Returns:
        int32 (B,).
    """
    label = shortened(label, max([TOKEN, *map(len, labels)]))
    as_given = tf.equal(label[:, None], tf.constant(list(labels)))  # (B, C)
    forms = tf.constant([unicodedata.normalize("NFC", name) for name in labels])
    valid = tf.strings.unicode_transcode(label, "UTF-8", "UTF-8", errors="replace")
    composed = composer()(tf.strings.strip(valid))
    alike = tf.equal(composed[:, None], forms)
    score = 2 * tf.cast(as_given, tf.int32) + tf.cast(alike, tf.int32)
    known = tf.reduce_any(score > 0, axis=1)
    shown = ", ".join(labels[:SHOWN])
    more = f", ... ({len(labels)} in all)" if len(labels) > SHOWN else ""
    unknown = tf.strings.reduce_join(tf.boolean_mask(label, ~known)[:1])
    unknown = tf.strings.substr(unknown, 0, LONGEST, unit="UTF8_CHAR")
    message = tf.strings.join([f"label must be one of {shown}{more}; got ", unknown])
    with tf.control_dependencies([tf.debugging.Assert(tf.reduce_all(known), [message])]):
        return tf.argmax(score, axis=1, output_type=tf.int32)


def names_of(names: Sequence[str], ids: tf.Tensor) -> tf.Tensor:
    """Looks up the names of ids, "" for an id without a name; part of a graph.

    Args:
        names: In the order of their ids.
        ids: int32 (N,), any values.

    Returns:
        Strings (N,).

    Example:
        >>> names_of(["a", "b"], tf.constant([1, 2, -1])).numpy().tolist()
        [b'b', b'', b'']
    """
    places = tf.where((ids >= 0) & (ids < len(names)), ids, len(names))
    return tf.gather(tf.constant([*names, ""]), places)
