"""BLEU of several runs of the `translation` recipe, with and without beam and averaged weights.

    python benchmarks/translation_ablation.py RUN [RUN ...] [--edges WORDS ...]

For each run the lower-cased BLEU of its test split: of the best epoch's averaged weights, greedily
and with a beam of five, and with that beam of the weights after the last step; then the BLEU of the
second by the source's length. The data is that of the runs' own options.
"""

import argparse
import os
import sys
from pathlib import Path
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import keras  # noqa: E402
from sacrebleu.metrics import BLEU  # noqa: E402

from recipes.run import Run  # noqa: E402
from recipes.training import checkpoint  # noqa: E402
from recipes.translation import TranslationRecipe, bleu  # noqa: E402
from recipes.translation.recipe import search_of  # noqa: E402
from zoo.errors import InputError  # noqa: E402
from zoo.pipelines import Translator  # noqa: E402

task = TranslationRecipe()

BEAMS = 5


def of_run(directory: Path, edges: list[int]) -> tuple[list[float], dict[str, Any], float]:
    """A run's BLEU greedy, with a beam, of its last weights; by length; minutes of training."""
    run = Run.open(task, directory)
    prepared = run.load_data()
    codecs, pairs = prepared.text_path, prepared.splits.test
    sources, references = ([getattr(pair, side) for pair in pairs] for side in ("source", "target"))
    state = checkpoint.load(directory / "checkpoints")
    if state is None:
        raise InputError(f"{directory} has no training state: give a run that was trained")
    last, progression = state

    def written(model: keras.Model, beam_size: int) -> list[str]:
        search = search_of(run.config, beam_size)
        return Translator(model, codecs["source"], codecs["target"], search)(sources)

    best = checkpoint.load_best(directory / "checkpoints")
    texts = [written(best, 1), written(best, BEAMS), written(last, BEAMS)]
    scores = [BLEU(lowercase=True).corpus_score(each, [references]).score for each in texts]
    return scores, bleu.by_length(sources, texts[1], references, edges), progression.seconds / 60


def main() -> None:
    """Prints both tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("runs", type=Path, nargs="+")
    parser.add_argument(
        "--edges",
        type=int,
        nargs="+",
        default=list(bleu.EDGES),
        help="upper limits, in source words, of the table by length",
    )
    arguments = parser.parse_args()
    edges = sorted(set(arguments.edges))
    try:
        found = {run.name: of_run(run, edges) for run in arguments.runs}
    except InputError as error:
        sys.exit(f"error: {error}")
    print("| run | minutes | greedy | beam 5 | beam 5, last weights |\n|---|---|---|---|---|")
    for name, (scores, _, minutes) in found.items():
        print(f"| {name} | {minutes:.0f} | {' | '.join(f'{score:.2f}' for score in scores)} |")
    lengths = next(iter(found.values()))[1]
    heads = [f"{name} ({row['pairs']} pairs)" for name, row in lengths.items()]
    print(f"\n| run, words of a source | {' | '.join(heads)} |\n|---|{'---|' * len(heads)}")
    for name, (_, rows, _) in found.items():
        print(f"| {name} | {' | '.join(str(row['bleu']) for row in rows.values())} |")


if __name__ == "__main__":
    main()
