"""Opens the user's own text files: bytes on disk -> str; stands before every reader of a format.

`zoo.system.lines` has the rules: what a line is, and the limits of size.
"""

from zoo.system.lines import read_lines, read_text, split_lines

__all__ = ["read_lines", "read_text", "split_lines"]
