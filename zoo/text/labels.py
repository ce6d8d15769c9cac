"""Labels -> ids, in the graph."""

from collections.abc import Sequence

import tensorflow as tf

SHOWN = 20  # labels that an error names


def label_ids(label: tf.Tensor, labels: Sequence[str]) -> tf.Tensor:
    """The places of labels among those that are known; part of a graph.

    Args:
        label: string (B,). One that is unknown fails, with a sentence that names the known ones.
        labels: Those that are known.

    Returns:
        int32 (B,).
    """
    same = tf.equal(label[:, None], tf.constant(list(labels)))  # (B, C)
    known = tf.reduce_any(same, axis=1)
    shown = ", ".join(labels[:SHOWN])
    more = f", ... ({len(labels)} in all)" if len(labels) > SHOWN else ""
    unknown = tf.strings.reduce_join(tf.boolean_mask(label, ~known)[:1])
    said = tf.strings.join([f"label must be one of {shown}{more}; got ", unknown])
    with tf.control_dependencies([tf.debugging.Assert(tf.reduce_all(known), [said])]):
        return tf.argmax(tf.cast(same, tf.int32), axis=1, output_type=tf.int32)
