"""Batches of texts of like lengths, bounded with their padding."""

from collections.abc import Iterator, Sequence

CHARACTERS = 2**16  # of a batch at most, padding counted; a longer text is a batch of its own


def batches(lengths: Sequence[int], most_texts: int, most: int = CHARACTERS) -> Iterator[list[int]]:
    """The places of the texts of each batch, by rising length, from their lengths in characters.

    Example:
        >>> list(batches([5, 40_000, 3, 30_000, 30_000], 256))
        [[2, 0], [3, 4], [1]]
    """
    order = sorted(range(len(lengths)), key=lambda place: lengths[place])
    batch: list[int] = []
    for place in order:
        rows = len(batch) + 1
        if batch and (rows > most_texts or rows * lengths[place] > most):
            yield batch
            batch = []
        batch.append(place)
    if batch:
        yield batch
