"""What a trained model is worth: the figures of validation and test, and what it writes."""

import functools
from pathlib import Path
from typing import Any

import keras
import tensorflow as tf

from recipes.corpora.dates import corpus
from recipes.data.pairs import PairSplits
from recipes.predictions import Measured
from recipes.translation import answers, scoring, text_path
from recipes.translation.batching import EncodedPairs, PairBatches
from recipes.translation.config import TranslationConfig
from recipes.translation.measuring import loss, translated
from recipes.translation.preparing import Prepared
from recipes.translation.reading import write_translations
from zoo.pipelines.translator import Search, Translator

PICTURES = 4  # test sentences whose attention is drawn


def objective(config: TranslationConfig) -> str:
    """The validation figure that settings are chosen by; without case where none is written."""
    lower = config.objective == "bleu" and config.lower_target
    return "bleu_lowercase" if lower else config.objective


def search_of(config: TranslationConfig, beam_size: int = 0) -> Search:
    """How a run's translations are looked for; `beam_size` 0 takes the configured one."""
    return Search(
        beam_size=beam_size or config.beam_size,
        alpha=config.length_penalty,
        beta=config.coverage_penalty,
        no_repeat=config.no_repeat,
        replace_unknown=config.replace_unknown,
    )


@functools.lru_cache(maxsize=1)
def _greedy(model: keras.Model, source: Any, target: Any, search: Search) -> Translator:
    return Translator(model, source, target, search)


def validate(model: keras.Model, prepared: Prepared) -> dict[str, float]:
    """The validation split's figures, written greedily; the first one chooses the best epoch."""
    config, codecs = prepared.config, prepared.codecs
    found = {"loss": loss(model, prepared.batches["validation"])}
    if config.objective != "loss":
        translator = _greedy(model, codecs["source"], codecs["target"], search_of(config, 1))
        written = translated(translator, [pair.source for pair in prepared.splits.validation])
        references = _references(prepared, "validation")
        score = scoring.scores(written, references)[objective(config)]
        found = {objective(config): score, **found}
    return found


def _references(prepared: Prepared, name: str) -> list[str]:
    return [pair.target for pair in getattr(prepared.splits, name)]


def evaluate(model: keras.Model, prepared: Prepared, directory: Path) -> dict[str, Any]:
    """The figures of validation and test, translated as the exported model does.

    Writes `validation.tsv` and `test.tsv`, for reading, and the attention of a few.
    """
    config, codecs = prepared.config, prepared.codecs
    translator = Translator(model, codecs["source"], codecs["target"], search_of(config))
    found: dict[str, Any] = {}
    for name in ("validation", "test"):
        sources = [pair.source for pair in getattr(prepared.splits, name)]
        references = _references(prepared, name)
        written = translated(translator, sources)
        write_translations(directory / f"{name}.tsv", sources, references, written)
        found[name] = {
            "loss": loss(model, prepared.batches[name]),
            **scoring.scores(written, references),
        }
        if name == "test":
            found[name]["by_length"] = scoring.by_length(sources, written, references)
    if translator.looks:
        _draw(translator, examples(config, prepared), directory / "attention.png")
    return {**found, "signatures": scoring.signatures()}


def measure(
    model: keras.Model, config: TranslationConfig, splits: PairSplits, directory: Path
) -> Measured:
    """The run's model on the test split of any data: metrics and translations."""
    codecs = text_path.of_run(config, directory)
    translator = Translator(model, codecs["source"], codecs["target"], search_of(config))
    sources = [pair.source for pair in splits.test]
    references = [pair.target for pair in splits.test]
    rows = [codecs["source"].encode(sources), codecs["target"].encode(references)]
    batches = PairBatches(EncodedPairs(*rows), config.batch_size)
    written = translated(translator, sources)
    scores = {"loss": loss(model, batches), **scoring.scores(written, references)}
    return Measured(
        scores,
        [
            {"id": number, "text": source, "label": reference, "prediction": translation}
            for number, (source, reference, translation) in enumerate(
                zip(sources, references, written, strict=True), 1
            )
        ],
    )


def _draw(translator: Translator, texts: list[str], path: Path) -> None:
    outputs = translator.translate(tf.constant(texts))
    answers.draw({name: tensor.numpy() for name, tensor in outputs.items()}, path)


def examples(config: TranslationConfig, prepared: Prepared) -> list[str]:
    """A few texts to try the exported model on."""
    if config.data == "builtin" and not config.source_file:
        return list(corpus.EXAMPLES)
    return [pair.source for pair in prepared.splits.test[:PICTURES]]
