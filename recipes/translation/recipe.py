"""The recipe `translation`: an encoder-decoder trained on pairs of texts, measured by BLEU."""

from collections.abc import Mapping, Sequence
from operator import attrgetter
from pathlib import Path
from typing import Any

import keras
import tensorflow as tf

from recipes.corpora.dates import corpus
from recipes.data import pairs
from recipes.data.items import Pair
from recipes.data.splits import SPLITS, Splits
from recipes.predictions import Measured, numbered
from recipes.recipe import OfModel, Prepared, Recipe
from recipes.registry import register
from recipes.training import optimizers
from recipes.translation import answers, bleu, codecs, evaluation
from recipes.translation.batches import EncodedPairs, PairBatches
from recipes.translation.config import (
    BUILTIN,
    MODEL,
    Translating,
    TranslationConfig,
    TranslationData,
)
from zoo.decoding.bounds import require_options
from zoo.errors import InputError, require_choice, require_positive_int
from zoo.losses import TokenCrossentropy
from zoo.pipelines import BeamSearch, Translator
from zoo.recurrence.tracing import on_tensorflow
from zoo.text import SPECIAL

OBJECTIVES = ("bleu", "exact_match", "loss")
STEP = 4  # lengths are padded to a multiple of this number of tokens
PICTURES = 4  # test sentences whose attention is plotted


@register
class TranslationRecipe(Recipe):
    """Translates with an encoder, a decoder and attention."""

    name = "translation"
    config = TranslationConfig
    data_options = TranslationData
    model_defaults = MODEL
    builtin = BUILTIN
    sized_by_data = {
        "source_vocabulary_size": len(SPECIAL),
        "target_vocabulary_size": len(SPECIAL),
        "shared": False,  # each side has its own vocabulary
    }
    answering = Translating
    starts_from_pretrained = True
    text_options = ("source_level", "target_level", "lower_source", "lower_target")
    note = (
        "It learned generated English dates from 1900 to 2049, the day before the month where both "
        "are numbers, and translates nothing else. Train on real pairs of texts before you use it: "
        "rnn-zoo all translation --data pairs.tsv --source 0 --target 1"
    )

    def __init__(self) -> None:
        self._losses = OfModel(evaluation.traced_losses)
        self._greedy = OfModel(_translator)

    def is_builtin(self, options: Mapping[str, Any]) -> bool:
        """Returns whether the options choose the built-in dates: no data set and no files."""
        files = options.get("source_file") or options.get("target_file")
        return super().is_builtin(options) and not files

    def objective(self, config: TranslationConfig) -> str:
        """Returns the metric of the options; lower-cased BLEU for lower-cased targets."""
        lower = config.objective == "bleu" and config.lower_target
        return "bleu_lowercase" if lower else config.objective

    def check(self, config: TranslationConfig) -> None:
        """Rejects invalid options and options that build no model."""
        if config.objective != "loss" and not on_tensorflow():
            raise InputError(
                f"--objective {config.objective} needs TensorFlow, and Keras' backend is "
                f"{keras.backend.backend()}: give --objective loss"
            )
        for side in codecs.SIDES:
            require_choice(f"{side}_level", getattr(config, f"{side}_level"), codecs.LEVELS)
        require_choice("objective", config.objective, OBJECTIVES)
        require_positive_int("beam_size", config.beam_size)
        require_options(config, ("beam_size", "length_penalty", "coverage_penalty", "no_repeat"))
        if config.replace_unknown:
            _check_replacing(config)
        TokenCrossentropy(config.label_smoothing)
        optimizers.optimizer(config, 1000, config.warmup)
        search_of(config)
        bleu.metrics()  # a missing package is reported before training
        super().check(config)

    def load(self, data: TranslationData, whole: bool = False) -> Splits[Pair]:
        """Loads the pairs of texts that the options name."""
        return pairs.load(data, lambda: Splits(*corpus.generate(data.split_seed)), whole)

    def prepare(self, data: TranslationData, splits: Splits[Pair], directory: Path) -> Prepared:
        """Encodes the splits with the run's vocabularies, which are learned if it has none."""
        texts = dict(zip(codecs.SIDES, _sides(splits.train), strict=True))
        if (directory / "target.json").exists():
            both = codecs.of_run(data, directory)
        else:
            both = {side: codecs.initial(data, side, texts[side]) for side in texts}
            for side, codec in both.items():
                codecs.save(codec, directory, side)
        encoded = [splits.encoded(both[side].encode, attrgetter(side)) for side in codecs.SIDES]
        batches = {}
        for name in SPLITS:
            rows = [side[name] for side in encoded]
            batches[name] = PairBatches(EncodedPairs(*rows), data.batch_size, STEP)
        return Prepared(splits, batches, both, summary=_summary(both, batches["train"], splits))

    def sizes(self, prepared: Prepared) -> dict[str, Any]:
        """Returns the sizes of both vocabularies."""
        return {
            f"{side}_vocabulary_size": len(prepared.text_path[side].vocabulary)
            for side in codecs.SIDES
        }

    def text_options_of(self, content: Mapping[str, Any]) -> dict[str, Any]:
        """The options of both codecs."""
        found: dict[str, Any] = {}
        for side in codecs.SIDES:
            path = content["text_paths"][side]
            level = path["options"].get("level", "subword")
            found |= {f"{side}_level": level, f"lower_{side}": path["options"]["lower"]}
        return found

    def compile(self, model: keras.Model, config: TranslationConfig, prepared: Prepared) -> None:
        """Compiles the cross-entropy of the next target token, with label smoothing."""
        steps = len(prepared.batches["train"])
        optimizer = optimizers.optimizer(config, steps, config.warmup)
        model.compile(optimizer, TokenCrossentropy(config.label_smoothing))

    def loss(self, model: keras.Model, batches: PairBatches) -> float:
        """Returns the mean loss of a split, in nats per target token."""
        return evaluation.loss(self._losses(model), model, batches)

    def validate(
        self, model: keras.Model, config: TranslationConfig, prepared: Prepared
    ) -> dict[str, float]:
        """Returns the objective of translations by greedy search, and the loss."""
        found = {"loss": self.loss(model, prepared.batches["validation"])}
        if config.objective == "loss":
            return found
        translate = self._greedy(model, prepared.text_path, search_of(config, 1))
        sources, references = _sides(prepared.splits.validation)
        name = self.objective(config)
        return {name: bleu.scores(translate(sources), references)[name], **found}

    def evaluate(
        self, model: keras.Model, config: TranslationConfig, prepared: Prepared, directory: Path
    ) -> dict[str, Any]:
        """Returns metrics of validation and test, with the search of the exported model.

        Writes `validation.tsv` and `test.tsv`, and plots of the attention in a few translations.
        """
        translator = _translator(model, prepared.text_path, search_of(config))
        found: dict[str, Any] = {}
        for name in ("validation", "test"):
            sources, references = _sides(getattr(prepared.splits, name))
            written = translator(sources)
            evaluation.write_translations(directory / f"{name}.tsv", sources, references, written)
            loss = self.loss(model, prepared.batches[name])
            found[name] = {"loss": loss, **bleu.scores(written, references)}
            if name == "test":
                found[name]["by_length"] = bleu.by_length(sources, written, references)
        if translator.has_attention:
            outputs = translator.n_best(tf.constant(self.examples(config, prepared)))
            arrays = {name: tensor.numpy() for name, tensor in outputs.items()}
            answers.draw(arrays, directory / "attention.png")
        return {**found, "signatures": bleu.signatures()}

    def measure(
        self, model: keras.Model, config: TranslationConfig, splits: Splits[Pair], directory: Path
    ) -> Measured:
        """Returns the metrics and the translations of the test split."""
        both = codecs.of_run(self.data_of(config), directory)
        sources, references = _sides(splits.test)
        rows = [both["source"].encode(sources), both["target"].encode(references)]
        batches = PairBatches(EncodedPairs(*rows), config.batch_size)
        written = _translator(model, both, search_of(config))(sources)
        scores = {"loss": self.loss(model, batches), **bleu.scores(written, references)}
        return Measured(scores, numbered(sources, references, written))

    def pipeline(
        self, model: keras.Model, config: TranslationConfig, directory: Path
    ) -> Translator:
        """Returns the pipeline from texts to translations."""
        both = codecs.of_run(self.data_of(config), directory)
        return _translator(model, both, search_of(config))

    def examples(self, config: TranslationConfig, prepared: Prepared) -> list[str]:
        """Returns a few source texts."""
        if config.data == "builtin" and not config.source_file:
            return list(corpus.EXAMPLES)
        return [pair.source for pair in prepared.splits.test[:PICTURES]]

    def answer(
        self, signatures: Any, texts: Sequence[str], options: Translating
    ) -> list[dict[str, Any]]:
        """See `answers.answer`."""
        return answers.answer(signatures, texts, options)

    def format_answer(self, row: dict[str, Any]) -> str:
        """See `answers.line`."""
        return answers.line(row)

    def format_example(self, row: dict[str, Any]) -> str:
        """Formats a source and its translation."""
        return f"{row['text']} -> {answers.line(row)}"


def _check_replacing(config: Any) -> None:
    """Rejects options with which no source token can replace an unknown token."""
    levels = config.source_level, config.target_level
    if "subword" in levels or len(set(levels)) > 1:
        raise InputError(
            "replace_unknown is for words, or for characters: with subwords no token is unknown; "
            f"got source_level {levels[0]!r} and target_level {levels[1]!r}: set --source-level "
            "word and --target-level word, or leave it out"
        )
    if getattr(config, "attention", "none") == "none":
        raise InputError(
            "replace_unknown needs attention, got attention 'none': set "
            "--attention general, or leave it out"
        )


def search_of(config: TranslationConfig, beam_size: int = 0) -> BeamSearch:
    """Returns the beam search of a run; `beam_size` 0 = the configured one."""
    return BeamSearch(
        beam_size=beam_size or config.beam_size,
        alpha=config.length_penalty,
        beta=config.coverage_penalty,
        no_repeat=config.no_repeat,
        replace_unknown=config.replace_unknown,
    )


def _translator(model: keras.Model, both: dict[str, Any], search: BeamSearch) -> Translator:
    return Translator(model, both["source"], both["target"], search)


def _sides(split: Sequence[pairs.Pair]) -> tuple[list[str], list[str]]:
    """Returns the sources and the references of a split."""
    return [pair.source for pair in split], [pair.target for pair in split]


def _summary(both: dict[str, Any], train: PairBatches, splits: Splits[Pair]) -> str:
    """Returns the line about the data that is printed before training."""
    counted = zip(codecs.SIDES, train.encoded.lengths.sum(axis=0), strict=True)
    sizes = ", ".join(
        f"{side} {len(both[side].vocabulary):,} tokens ({count:,} in train)"
        for side, count in counted
    )
    left = f"; {splits.left_out} pairs with a blank side left out" if splits.left_out else ""
    return f"vocabularies: {sizes}; {train.padding_share:.1%} of places padding{left}"
