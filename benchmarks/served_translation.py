"""Compares a served translation model with its run, in a process without this project.

    python -I benchmarks/served_translation.py saved_models/translation/1 RUN/test.tsv

Reads the sources and translations of a run's `test.tsv`, translates each source with the
SavedModel, 32 at a time, and prints how many translations are equal. It imports only TensorFlow.
"""

import sys
import time

import tensorflow as tf


def main(path: str, table: str) -> int:
    """Compares; returns 0 if all are equal."""
    with open(table, encoding="utf-8") as file:
        rows = [line.rstrip("\n").split("\t") for line in file][1:]
    served = tf.saved_model.load(path)
    ask = served.signatures["serving_default"]
    ask(text=tf.constant([rows[0][0]]))
    start, same = time.monotonic(), 0
    for place in range(0, len(rows), 32):
        part = rows[place : place + 32]
        found = ask(text=tf.constant([row[0] for row in part]))["translation"].numpy()
        for row, answer in zip(part, found, strict=True):
            same += answer.decode() == row[2]
            if answer.decode() != row[2]:
                print(f"{row[0]}\n  run:    {row[2]}\n  served: {answer.decode()}")
    seconds = time.monotonic() - start
    foreign = [name for name in sys.modules if name.partition(".")[0] in ("zoo", "recipes")]
    print(
        f"{same} of {len(rows)} the same, {len(rows) / seconds:.0f} a second; imported: {foreign}"
    )
    return 0 if same == len(rows) and not foreign else 1


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:3]))
