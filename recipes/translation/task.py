"""What is particular to `translation`: pairs -> ids, an encoder-decoder, BLEU, its export."""

import math
from pathlib import Path
from typing import Any

import keras

import zoo
from recipes.corpora.dates import corpus
from recipes.data import pairs
from recipes.data.pairs import PairSplits
from recipes.training import loop, optimizers
from recipes.translation import answers, evaluating, preparing, text_path
from recipes.translation.config import BUILTIN, Translating, TranslationConfig
from recipes.translation.evaluating import search_of
from recipes.translation.preparing import Prepared
from zoo.decoding.bounds import require_options
from zoo.errors import InputError, require_choice, require_positive_int
from zoo.losses import TokenCrossentropy
from zoo.pipelines.translation import export_encoder_decoder
from zoo.pipelines.translator import Translator
from zoo.text import SPECIAL

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
answer, line, example_line = answers.answer, answers.line, answers.with_source
prepare = preparing.prepare
objective, examples = evaluating.objective, evaluating.examples
validate, evaluate = evaluating.validate, evaluating.evaluate
measure = evaluating.measure
epochs = loop.over_train


def defaults(given: dict[str, Any]) -> dict[str, Any]:
    """What is taken where nothing is given: the built-in dates have their own sizes."""
    files = given.get("source_file") or given.get("target_file")
    return dict(BUILTIN) if given.get("data", "builtin") == "builtin" and not files else {}


def check(config: TranslationConfig) -> None:
    """Builds a tiny model: wrong options show before the data is read."""
    for side in text_path.SIDES:
        require_choice(f"{side}_level", getattr(config, f"{side}_level"), text_path.LEVELS)
    require_choice("objective", config.objective, OBJECTIVES)
    require_positive_int("beam_size", config.beam_size)
    require_options(config, ("beam_size", "length_penalty", "coverage_penalty", "no_repeat"))
    if not 0 <= config.subword_sampling < math.inf:
        raise InputError(f"subword_sampling must be at least 0, got {config.subword_sampling}")
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


def load(config: TranslationConfig, whole: bool = False) -> PairSplits:
    """The three splits that `config.data` names, or with `whole` all of it as `test`."""
    return pairs.load(
        config.data,
        builtin=lambda: PairSplits(*corpus.generate(config.split_seed)),
        source=config.source,
        target=config.target,
        format=config.format,
        header=config.header,
        source_file=config.source_file,
        target_file=config.target_file,
        validation_fraction=config.validation_fraction,
        test_fraction=config.test_fraction,
        split_seed=config.split_seed,
        download=config.download,
        limit=config.limit,
        whole=whole,
    )


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


def export(model: keras.Model, config: TranslationConfig, run: Path, directory: Path) -> Path:
    """Writes the next version of the served model."""
    codecs = text_path.of_run(config, run)
    translator = Translator(model, codecs["source"], codecs["target"], search_of(config))
    return export_encoder_decoder(translator, directory)
