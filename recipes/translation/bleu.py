"""Metrics of translations: BLEU and chrF by sacrebleu, and exact match."""

from collections.abc import Sequence
from typing import Any

from zoo.errors import require_package

EDGES = (8, 11, 14, 18)  # largest number of source words of each row of the table by length


def metrics() -> Any:
    """Imports `sacrebleu.metrics`; an error names the extra to install."""
    return require_package("sacrebleu.metrics", "translation", "the recipe translation")


def scores(translations: Sequence[str], references: Sequence[str]) -> dict[str, float]:
    """Returns BLEU, cased and lower-cased, and chrF, 0 to 100, and exact match, 0 to 1."""
    texts = list(translations), [list(references)]
    bleu, chrf = metrics().BLEU, metrics().CHRF
    same = [a == b for a, b in zip(translations, references, strict=True)]
    return {
        "bleu": bleu().corpus_score(*texts).score,
        "bleu_lowercase": bleu(lowercase=True).corpus_score(*texts).score,
        "chrf": chrf().corpus_score(*texts).score,
        "exact_match": sum(same) / len(same),
    }


def signatures() -> dict[str, str]:
    """Returns sacrebleu's signatures, which describe the computation of the scores."""
    bleu, chrf = metrics().BLEU, metrics().CHRF
    by_name = {"bleu": bleu(), "bleu_lowercase": bleu(lowercase=True), "chrf": chrf()}
    for metric in by_name.values():
        metric.corpus_score(["a"], [["a"]])  # sets the number of references
    return {name: metric.get_signature().format() for name, metric in by_name.items()}


def by_length(
    sources: Sequence[str],
    translations: Sequence[str],
    references: Sequence[str],
    edges: Sequence[int] = EDGES,
) -> dict[str, dict[str, Any]]:
    """Returns lower-cased BLEU by source length: `{"up to 8": {"pairs": N, "bleu": X}}`.

    `edges` has the largest number of source words of each row; longer ones are in one more row.
    """
    rows: dict[str, list[int]] = {}
    for place, source in enumerate(sources):
        count = len(source.split())
        name = next((f"up to {edge}" for edge in edges if count <= edge), f"above {edges[-1]}")
        rows.setdefault(name, []).append(place)
    order = [*(f"up to {edge}" for edge in edges), f"above {edges[-1]}"]
    table = {}
    for name in [name for name in order if name in rows]:
        chosen = [translations[place] for place in rows[name]]
        expected = [references[place] for place in rows[name]]
        score = metrics().BLEU(lowercase=True).corpus_score(chosen, [expected]).score
        table[name] = {"pairs": len(chosen), "bleu": round(score, 2)}
    return table
