"""Whether a model has learned the rules of the built-in corpus, which reach over many letters."""

from collections import Counter
from typing import Any

from recipes.corpora.lines import corpus
from zoo.decoding import sample_seeds
from zoo.pipelines import Writer

SAMPLES = 300
LONGEST = 150  # characters of a sample


def structure_scores(writer: Writer, seed: int) -> dict[str, Any]:
    """How far a model keeps the rules.

    Args:
        writer: The model with its codec.
        seed: Of the corpus and of the samples.

    Returns:
        `pairs`: of two lines that differ in the one decisive place, how often the right one is the
        likelier (chance is 0.5), for each kind of line; `rules_kept`: the share of written lines
        that keep the rule of their kind.
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
    """Brackets without the blanks that words are written with; any other line as it is."""
    compact = line.replace(" ", "")
    return compact if corpus.kind_of(compact) == "brackets" else line
