"""The errors that users see: one sentence, no traceback."""


class InputError(ValueError):
    """Wrong input: one sentence with the value, the expectation and the remedy.

    The command prints the sentence and exits with status 2.
    """


class DamagedFile(InputError):
    """A file of a bundle is missing, damaged or of another format; the sentence names it."""
