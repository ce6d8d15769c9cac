"""What a run writes of the classes that were taken for others: a picture and a table."""

import csv
import io
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from recipes import plots
from zoo.metrics import Confusion
from zoo.system import durable

DRAWN = 40  # classes in the picture at most
LISTED = 1000  # pairs of classes in the table at most


def write(confusion: Confusion, classes: Sequence[str], directory: Path) -> None:
    """Writes `confusion.png` and `confusions.csv`.

    The picture has up to 40 classes; of more, those with the most errors, and the others as one
    last row and column. The table lists up to 1,000 pairs of a true and a predicted class, the most
    frequent first. `classes` has the names of all classes in the order of their numbers.
    """
    matrix, names = drawn(confusion, classes)
    title = "" if len(names) == len(classes) else f"the {DRAWN} classes with the most errors"
    plots.confusion(matrix, names, directory / "confusion.png", title)
    _, occurring, _ = confusion.totals()
    errors = confusion.errors()
    pairs = zip(errors.true[:LISTED], errors.predicted[:LISTED], errors.counts, strict=False)
    table = io.StringIO()
    rows = csv.writer(table, lineterminator="\n")
    rows.writerow(("true", "predicted", "count", "share_of_true"))
    for true, predicted, count in pairs:
        share = count / occurring[true]
        rows.writerow((classes[true], classes[predicted], count, f"{share:.4f}"))
    durable.write_text(directory / "confusions.csv", table.getvalue())


def drawn(confusion: Confusion, classes: Sequence[str]) -> tuple[np.ndarray, list[str]]:
    """The matrix that the picture shows.

    Returns:
        int (D, D), true classes as rows, and the D names: all of up to 40 classes, else 40 of them
        and "(N others)".
    """
    count = len(classes)
    if count <= DRAWN:
        return confusion.matrix(), list(classes)
    right, occurring, predicted = confusion.totals()
    errors = occurring + predicted - 2 * right
    order = np.lexsort((-occurring, -errors))  # by errors, of equal ones by frequency
    chosen = np.sort(order[:DRAWN])
    places = np.full(count, DRAWN)
    places[chosen] = np.arange(DRAWN)
    matrix = np.zeros((DRAWN + 1, DRAWN + 1), np.int64)
    cells = places[confusion.true], places[confusion.predicted]
    np.add.at(matrix, cells, confusion.counts)
    others = f"({count - DRAWN:,} others)"
    return matrix, [*(classes[place] for place in chosen), others]
