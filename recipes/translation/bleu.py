"""Translations beside their references: BLEU and chrF by sacrebleu, exact match."""

from collections.abc import Sequence
from typing import Any

from zoo.errors import require_package

EDGES = (8, 11, 14, 18)  # words of a source up to which a row of the table by length goes


def metrics() -> Any:
    """The module `sacrebleu.metrics`, or an error that names the extra."""
    return require_package("sacrebleu.metrics", "translation", "the recipe translation")


def scores(translations: Sequence[str], references: Sequence[str]) -> dict[str, float]:
    """BLEU and chrF from 0 to 100, with case and without, and the share that is exact.

    Args:
        translations: As they were written, with normal spacing.
        references: One each.
    """
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
    """The signatures of sacrebleu, which describe how the scores were computed."""
    bleu, chrf = metrics().BLEU, metrics().CHRF
    texts = {}
    for name, metric in (
        ("bleu", bleu()),
        ("bleu_lowercase", bleu(lowercase=True)),
        ("chrf", chrf()),
    ):
        metric.corpus_score(["a"], [["a"]])  # sets the number of references
        texts[name] = metric.get_signature().format()
    return texts


def by_length(
    sources: Sequence[str],
    translations: Sequence[str],
    references: Sequence[str],
    edges: Sequence[int] = EDGES,
) -> dict[str, dict[str, Any]]:
    """The lower-cased BLEU of sources of like lengths: `{"up to 8": {"pairs": N, "bleu": X}}`.

    Args:
        sources: What was translated; a word is what spaces part.
        translations: One each.
        references: One each.
        edges: Words up to which each row goes, rising; longer sources are in a row of their own.
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
