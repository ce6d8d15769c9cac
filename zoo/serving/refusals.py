"""The errors that a client sees: a status of HTTP and one sentence."""


class Refused(Exception):
    """A request that is not answered.

    Attributes:
        status: Of HTTP: 400 wrong request, 404 unknown model, 413 too large, 429 too many, ...
        sentence: What was given, what was expected.
    """

    def __init__(self, status: int, sentence: str) -> None:
        super().__init__(sentence)
        self.status, self.sentence = status, sentence


def wrong(sentence: str) -> Refused:
    """A request of the wrong form."""
    return Refused(400, sentence)
