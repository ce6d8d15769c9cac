"""The sentence of a check in a graph that failed."""

import re


def sentence(message: str) -> str:
    r"""The text of a `tf.debugging.Assert` in the message of TensorFlow's error, or "".

    Example:
        >>> sentence("assertion failed: [label must be a, b; got c] [0]\n\t [[{{node x}}]]")
        'label must be a, b; got c'
    """
    found = re.search(r"assertion failed: \[(.+?)\](?= \[|\n|$)", message)
    return found[1].replace("\\", "") if found else ""
