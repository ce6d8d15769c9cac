"""What is particular to `translation`: pairs -> ids, an encoder-decoder, BLEU, its export."""

import functools
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import keras
import tensorflow as tf

import zoo
from recipes import optimizers, training
from recipes.sources import pairs
from recipes.sources.pairs import PairSplits
from recipes.translation import answers, builtin, scoring, text_path
from recipes.translation.batching import EncodedPairs, PairBatches
from recipes.translation.config import BUILTIN, Translating, TranslationConfig
from recipes.translation.measuring import loss, translated
from recipes.translation.reading import write_translations
from zoo.errors import InputError, require_choice
from zoo.export_encoder_decoder import export_encoder_decoder
from zoo.losses import TokenCrossentropy
from zoo.text import SPECIAL
from zoo.translator import Search, Translator

NAME = "translation"
Config = TranslationConfig
Answering = Translating
MODEL_OPTIONS = (
    "embedding_dim",
    "tied",
    "cell",
    "units",
    "num_layers",
    "encoder_units",
    "encoder_layers",
    "bidirectional",
    "reverse_source",
    "bridge",
    "attention",
    "queries",
    "input_feeding",
    "coverage",
    "residual",
    "dropout",
    "word_dropout",
    "input_dropout",
    "recurrent_dropout",
    "weight_drop",
    "scheduled_sampling",
)
OBJECTIVES = ("bleu", "exact_match", "loss")
SPLITS = ("train", "validation", "test")
STEP = 4  # tokens: what lengths are padded to a multiple of
PICTURES = 4  # test sentences whose attention is drawn
answer, line = answers.answer, answers.line
epochs = training.over_train


@dataclass(frozen=True)
class Prepared:
    """All that lies between the pairs and the network.

    Attributes:
        config: The run's options.
        splits: The pairs.
        codecs: Strings <-> ids, of `source` and `target`.
        batches: The batches of `train`, `validation` and `test`.
    """

    config: TranslationConfig
    splits: PairSplits
    codecs: dict[str, Any]
    batches: dict[str, PairBatches]

    @property
    def summary(self) -> str:
        """What is told of the data before training."""
        train = self.batches["train"]
        counted = zip(("source", "target"), train.encoded.lengths.sum(axis=0), strict=True)
        sizes = ", ".join(
            f"{side} {len(self.codecs[side].vocabulary):,} tokens ({count:,} in train)"
            for side, count in counted
        )
        left = (
            f"; {self.splits.blank} pairs with a blank side left out" if self.splits.blank else ""
        )
        return f"vocabularies: {sizes}; {train.padding_share:.1%} of places padding{left}"


def defaults(given: dict[str, Any]) -> dict[str, Any]:
    """What is taken where nothing is given: the built-in dates have their own sizes."""
    files = given.get("source_file") or given.get("target_file")
    return dict(BUILTIN) if given.get("data", "builtin") == "builtin" and not files else {}


def objective(config: TranslationConfig) -> str:
    """The validation figure that settings are chosen by."""
    return _named(config)


def check(config: TranslationConfig) -> None:
    """Builds a tiny model: wrong options show before the data is read."""
    for side in text_path.SIDES:
        require_choice(f"{side}_level", getattr(config, f"{side}_level"), text_path.LEVELS)
    require_choice("objective", config.objective, OBJECTIVES)
    for name in ("length_penalty", "coverage_penalty", "no_repeat", "subword_sampling"):
        if getattr(config, name) < 0:
            raise InputError(f"{name} must be at least 0, got {getattr(config, name)}")
    if config.replace_unknown:
        _check_replacing(config)
    TokenCrossentropy(config.label_smoothing)
    optimizers.optimizer(config, 1000, config.warmup)
    search_of(config)
    _model(config, len(SPECIAL), len(SPECIAL))


def _check_replacing(config: TranslationConfig) -> None:
    """Whether an unknown token has one of the source that can stand in its place."""
    levels = config.source_level, config.target_level
    if "subword" in levels or len(set(levels)) > 1:
        raise InputError(
            "replace_unknown is for words, or for characters: with subwords no token is unknown; "
            f"got source_level {levels[0]!r} and target_level {levels[1]!r}: set --source-level "
            "word and --target-level word, or leave it out"
        )
    if config.attention == "none":
        raise InputError(
            "replace_unknown writes what attention points at, got attention 'none': set "
            "--attention general, or leave it out"
        )


def load(config: TranslationConfig) -> PairSplits:
    """The three splits that `config.data` names."""
    return pairs.load(
        config.data,
        builtin=lambda: PairSplits(*builtin.generate(config.split_seed)),
        source=config.source,
        target=config.target,
        source_file=config.source_file,
        target_file=config.target_file,
        validation_fraction=config.validation_fraction,
        test_fraction=config.test_fraction,
        split_seed=config.split_seed,
        download=config.download,
        limit=config.limit,
    )


def prepare(config: TranslationConfig, splits: PairSplits, directory: Path) -> Prepared:
    """Turns the pairs to ids, with the run's own vocabularies if it has them already."""
    texts = {
        side: {name: [getattr(pair, side) for pair in getattr(splits, name)] for name in SPLITS}
        for side in text_path.SIDES
    }
    if (directory / "target.json").exists():
        codecs = text_path.of_run(config, directory)
    else:
        codecs = {side: text_path.learn(config, side, texts[side]["train"]) for side in texts}
        for side, codec in codecs.items():
            text_path.save(codec, directory, side)
    encoded = {side: text_path.encoded(codecs[side], texts[side]) for side in text_path.SIDES}
    batches = {}
    for name in SPLITS:
        rows = [encoded[side][name] for side in text_path.SIDES]
        resample = None
        if name == "train" and config.subword_sampling:
            given = {side: texts[side][name] for side in texts}
            resample = text_path.resampling(config.subword_sampling, codecs, rows, given)
        batches[name] = PairBatches(EncodedPairs(*rows), config.batch_size, STEP, resample)
    return Prepared(config, splits, codecs, batches)


def build(config: TranslationConfig, prepared: Prepared) -> keras.Model:
    """The model, compiled."""
    sizes = [len(prepared.codecs[side].vocabulary) for side in text_path.SIDES]
    model = _model(config, *sizes)
    steps = len(prepared.batches["train"])
    optimizer = optimizers.optimizer(config, steps, config.warmup)
    model.compile(optimizer, TokenCrossentropy(config.label_smoothing))
    return model


def _model(config: TranslationConfig, source_size: int, target_size: int) -> keras.Model:
    options = {name: getattr(config, name) for name in MODEL_OPTIONS}
    sizes = {"source_vocabulary_size": source_size, "target_vocabulary_size": target_size}
    return zoo.build(config.architecture, **sizes, **options)


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
        score = scoring.scores(written, references)[_named(config)]
        found = {_named(config): score, **found}
    return found


def _named(config: TranslationConfig) -> str:
    """The figure that the objective stands for; without case where the model writes none."""
    lower = config.objective == "bleu" and config.lower_target
    return "bleu_lowercase" if lower else config.objective


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


def _draw(translator: Translator, texts: list[str], path: Path) -> None:
    outputs = translator.translate(tf.constant(texts))
    answers.draw({name: tensor.numpy() for name, tensor in outputs.items()}, path)


def export(model: keras.Model, config: TranslationConfig, run: Path, directory: Path) -> Path:
    """Writes the next version of the served model."""
    codecs = text_path.of_run(config, run)
    translator = Translator(model, codecs["source"], codecs["target"], search_of(config))
    return export_encoder_decoder(translator, directory)


def examples(config: TranslationConfig, prepared: Prepared) -> list[str]:
    """A few texts to try the exported model on."""
    if config.data == "builtin" and not config.source_file:
        return list(builtin.EXAMPLES)
    return [pair.source for pair in prepared.splits.test[:PICTURES]]
