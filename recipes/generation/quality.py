"""Metrics for the long-distance rules of the built-in corpus."""

from collections import Counter
from typing import Any

from recipes.corpora.lines import corpus
from zoo.decoding import sample_seeds
from zoo.pipelines import Writer

SAMPLES = 300  # generated lines
LONGEST = 150  # tokens per line at most


def structure_scores(writer: Writer, seed: int) -> dict[str, Any]:
    """Measures how well a model has learned the rules; the seed is of corpus and samples.

    Returns:
        `pairs`: for each kind of line, the fraction of pairs of a correct and an incorrect line in
        which the correct one is more likely (chance is 0.5); `rules_kept`: the fraction of
        generated lines that follow the rule of their kind.
    """
    pairs = corpus.pairs(seed)
    right, wrong = (
        writer.score([pair[place] for pair in pairs])["log_probability"] for place in (1, 2)
    )
    all_of = Counter(kind for kind, _, _ in pairs)
    won = Counter(pairs[row][0] for row in range(len(pairs)) if right[row] > wrong[row])
    seeds = sample_seeds(seed, SAMPLES)
    written = writer.generate([""] * SAMPLES, max_tokens=LONGEST, seed=seeds)["text"]
    kept = [corpus.is_right(_unspaced(text)) for text in written]
    return {
        "pairs": {kind: won[kind] / all_of[kind] for kind in sorted(all_of)},
        "rules_kept": sum(kept) / len(kept),
    }


def _unspaced(line: str) -> str:
    """Removes the blanks between brackets; returns any other line unchanged."""
    compact = line.replace(" ", "")
    return compact if corpus.kind_of(compact) == "brackets" else line
