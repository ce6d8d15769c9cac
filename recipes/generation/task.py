"""What is particular to `generation`: text -> tokens in windows, a language model, its export."""

import functools
import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import keras
import numpy as np

import zoo
from recipes.config import write_json
from recipes.corpora.lines import corpus as builtin
from recipes.data import running_text
from recipes.data.running_text import Corpus
from recipes.families.language import scoring
from recipes.families.language.steps import Scorer, Split, Trainer, scorer_of
from recipes.families.language.windows import Documents, Streams, encoded
from recipes.generation import answers
from recipes.generation.config import BUILTIN, GenerationConfig, Writing
from recipes.generation.structure import structure_scores
from recipes.predictions import Measured
from recipes.run_files import make_from
from recipes.training import loop, optimizers
from recipes.training.batches import Encoded
from zoo.errors import InputError, require_choice
from zoo.pipelines.writer import export_language_model, writer
from zoo.text import SPECIAL, TextCodec, Vocabulary
from zoo.text.text_codec import LEVELS

NAME = "generation"
Config = GenerationConfig
Answering = Writing
EXAMPLE_OPTIONS = {"temperature": 0.5}  # of the examples at the end of a run: likely lines
MODEL_OPTIONS = (
    "cell",
    "units",
    "num_layers",
    "residual",
    "embedding_dim",
    "tied",
    "sampled",
    "dropout",
    "type_dropout",
    "input_dropout",
    "output_dropout",
    "recurrent_dropout",
    "weight_drop",
    "ar",
    "tar",
)
SPLITS = ("train", "validation", "test")
answer, line = answers.answer, answers.line


@dataclass(frozen=True)
class Prepared:
    """All that lies between the text and the model.

    Attributes:
        config: The run's options.
        corpus: The texts.
        codec: Strings <-> ids.
        batches: The windows of `train`, `validation` and `test`.
    """

    config: GenerationConfig
    corpus: Corpus
    codec: TextCodec
    batches: dict[str, Split]

    @property
    def splits(self) -> Corpus:
        """The texts, under the name that all recipes use."""
        return self.corpus

    @property
    def summary(self) -> str:
        """What is told of the text before training."""
        sizes = [int(self.batches[name].encoded.lengths.sum()) for name in SPLITS]
        told = ", ".join(f"{name} {size:,}" for name, size in zip(SPLITS, sizes, strict=True))
        unknown = scoring.unknown_share(self.batches["validation"].encoded)
        return (
            f"tokens: {told}; vocabulary: {len(self.codec.vocabulary):,}; unknown in validation: "
            f"{unknown:.2%}"
        )


def defaults(given: dict[str, Any]) -> dict[str, Any]:
    """What is taken where nothing is given: the built-in corpus is made of lines."""
    return dict(BUILTIN) if given.get("data", "builtin") == "builtin" else {}


def objective(config: Any) -> str:
    """The validation figure that settings are chosen by."""
    return "loss"


def check(config: GenerationConfig) -> None:
    """Builds a tiny model: wrong options show before the data is read."""
    require_choice("level", config.level, LEVELS)
    if config.window < 1:
        raise InputError(f"window must be at least 1 token, got {config.window}")
    if not 0 <= config.warmup < 1:
        raise InputError(f"warmup must be a share, 0 to below 1, got {config.warmup}")
    optimizers.optimizer(config, 1000, config.warmup, config.optimizer)
    if config.validation_limit < 0:
        raise InputError(f"validation_limit must be at least 0, got {config.validation_limit}")
    _model(config, len(SPECIAL))


def load(config: GenerationConfig, whole: bool = False) -> Corpus:
    """The three splits that `config.data` names, or with `whole` all of it as `test`."""
    return running_text.load(
        config.data,
        builtin=lambda: Corpus(*builtin.generate(config.split_seed)),
        unit=config.unit,
        text_column=config.text_column,
        validation_fraction=config.validation_fraction,
        test_fraction=config.test_fraction,
        split_seed=config.split_seed,
        download=config.download,
        limit=config.limit,
        whole=whole,
    )


def prepare(config: GenerationConfig, corpus: Corpus, directory: Path) -> Prepared:
    """Turns the text to ids, with the run's own vocabulary if it has one already."""
    if (directory / "codec.json").exists():
        codec = load_codec(directory)
    else:
        codec = TextCodec.learn(
            corpus.train,
            size=config.vocabulary_size,
            min_count=config.min_count,
            level=config.level,
            lower=config.lower,
        )
        codec.vocabulary.save(directory / "vocabulary.txt")
        write_json(directory / "codec.json", codec.get_config())
    parts = [getattr(corpus, name) for name in SPLITS]
    rows = iter(codec.encode([text for part in parts for text in part]))
    batches = {
        name: _split(config, list(itertools.islice(rows, len(part))))
        for name, part in zip(SPLITS, parts, strict=True)
    }
    return Prepared(config, corpus, codec, batches)


def _split(config: GenerationConfig, rows: Sequence[np.ndarray]) -> Split:
    split = encoded(rows)
    if config.carry:
        return Streams(split, config.batch_size, config.window)
    return Documents(split, config.batch_size, config.window, config.buckets)


def load_codec(directory: Path) -> TextCodec:
    """A run's codec."""
    vocabulary = Vocabulary.load(directory / "vocabulary.txt")
    return make_from(directory / "codec.json", functools.partial(TextCodec, vocabulary))


def build(config: GenerationConfig, prepared: Prepared) -> keras.Model:
    """The model, with its optimizer."""
    model = _model(config, len(prepared.codec.vocabulary))
    steps = len(prepared.batches["train"])
    model.compile(optimizers.optimizer(config, steps, config.warmup, config.optimizer))
    return model


def _model(config: GenerationConfig, vocabulary_size: int) -> keras.Model:
    options = {name: getattr(config, name) for name in MODEL_OPTIONS}
    return zoo.build(
        config.architecture, vocabulary_size=vocabulary_size, explicit_states=True, **options
    )


def epochs(model: keras.Model, prepared: Prepared) -> loop.RunEpoch:
    """What trains an epoch: windows in their order, the state carried from each to the next."""
    return Trainer(model, prepared.batches["train"]).epoch


def validate(model: keras.Model, prepared: Prepared) -> dict[str, float]:
    """The validation split's figures; the first one chooses the best epoch."""
    scorer, size = scorer_of(model), len(prepared.codec.vocabulary)
    split, limit = prepared.batches["validation"].encoded, prepared.config.validation_limit
    if prepared.config.carry:
        loss = scoring.quick_loss(scorer, scoring.segments(split, size, limit))
    else:
        total, count = scorer.total(scoring.whole(split, False, size))
        loss = total / count
    return scoring.of_loss(loss)


def evaluate(model: keras.Model, prepared: Prepared, directory: Path) -> dict[str, Any]:
    """The figures of validation and test, exact: no state is lost, no token is left out."""
    scores = {}
    scorer, size = scorer_of(model), len(prepared.codec.vocabulary)
    for name in ("validation", "test"):
        split, texts = prepared.batches[name].encoded, getattr(prepared.corpus, name)
        scores[name] = _figures(scorer, split, texts, prepared.config.carry, size)
    if prepared.config.data == "builtin":
        functions = writer(model, prepared.codec)
        scores["test"] |= structure_scores(functions, prepared.config.split_seed)
    return scores


def _figures(
    scorer: Scorer, split: Encoded, texts: Sequence[str], carry: bool, size: int
) -> dict[str, Any]:
    total, count = scorer.total(scoring.whole(split, carry, size))
    return scoring.figures(total, count, sum(map(len, texts)) + len(texts), split)


def measure(
    model: keras.Model, config: GenerationConfig, corpus: Corpus, directory: Path
) -> Measured:
    """The run's model on the test part of any corpus, exactly."""
    codec = load_codec(directory)
    split = encoded(codec.encode(corpus.test))
    size = len(codec.vocabulary)
    return Measured(_figures(scorer_of(model), split, corpus.test, config.carry, size))


def export(model: keras.Model, config: GenerationConfig, run: Path, directory: Path) -> Path:
    """Writes the next version of the served model."""
    return export_language_model(model, load_codec(run), directory, ends=config.unit == "line")


def examples(config: GenerationConfig, prepared: Prepared) -> list[str]:
    """A few prompts to try the exported model on."""
    if config.data == "builtin":
        return list(builtin.EXAMPLES)
    texts = [text for text in prepared.corpus.test if text.strip()][:3]
    return [" ".join(text.split(" ")[:6]) for text in texts]
