"""Whether a model has learned the rules of the built-in corpus, which reach over many letters."""

from collections import Counter
from typing import Any

import tensorflow as tf

from recipes.corpora.lines import corpus
from zoo.decoding import sample_seeds

SAMPLES = 300
LONGEST = 150  # characters of a sample


def structure_scores(functions: dict[str, Any], seed: int) -> dict[str, Any]:
    """How far a model keeps the rules.

    Args:
        functions: `generate` and `score`, as `zoo.pipelines.writer.writer` gives them.
        seed: Of the corpus and of the samples.

    Returns:
        `pairs`: of two lines that differ in the one decisive place, how often the right one is the
        likelier (chance is 0.5), for each kind of line; `rules_kept`: the share of written lines
        that keep the rule of their kind.
    """
    pairs = corpus.pairs(seed)
    right, wrong = (
        functions["score"](tf.constant([pair[place] for pair in pairs]))["log_probability"].numpy()
        for place in (1, 2)
    )
    all_of = Counter(kind for kind, _, _ in pairs)
    won = Counter(pairs[row][0] for row in range(len(pairs)) if right[row] > wrong[row])
    written = functions["generate"](
        prompt=tf.fill([SAMPLES], ""),
        max_tokens=tf.fill([SAMPLES], LONGEST),
        temperature=tf.ones([SAMPLES]),
        top_k=tf.zeros([SAMPLES], tf.int32),
        top_p=tf.ones([SAMPLES]),
        seed=tf.constant(sample_seeds(seed, SAMPLES), tf.int32),
    )
    kept = [corpus.is_right(_unspaced(text.decode())) for text in written["text"].numpy()]
    return {
        "pairs": {kind: won[kind] / all_of[kind] for kind in sorted(all_of)},
        "rules_kept": sum(kept) / len(kept),
    }


def _unspaced(line: str) -> str:
    """Brackets without the blanks that words are written with; any other line as it is."""
    compact = line.replace(" ", "")
    return compact if corpus.kind_of(compact) == "brackets" else line
