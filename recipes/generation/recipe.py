"""The recipe `generation`: a language model that continues and scores texts."""

import functools
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from recipes import pretrained
from recipes.asking import ask, seeds, unknown_of, warn
from recipes.asking import options as as_inputs
from recipes.config import write_json
from recipes.corpora.lines import corpus as builtin
from recipes.data import running_text
from recipes.data.splits import SPLITS, Splits
from recipes.families.language import scoring
from recipes.families.language.steps import Scorer, Split, Trainer, initial_states, inputs_of
from recipes.families.language.windows import Documents, Streams, Window, encoded
from recipes.generation.config import BUILTIN, MODEL, GenerationConfig, GenerationData, Writing
from recipes.generation.quality import structure_scores
from recipes.predictions import Measured
from recipes.recipe import OfModel, Prepared, Recipe
from recipes.registry import register
from recipes.run_files import make_from
from recipes.training import loop, optimizers
from recipes.training.batches import Encoded
from zoo.architectures.language_model import LanguageModel
from zoo.errors import InputError, require_choice
from zoo.pipelines import Writer
from zoo.text import SPECIAL, TextCodec, Vocabulary
from zoo.text.text_codec import LEVELS


@register
class GenerationRecipe(Recipe):
    """A language model that continues a prompt and scores texts."""

    name = "generation"
    config = GenerationConfig
    data_options = GenerationData
    model_defaults = MODEL
    builtin = BUILTIN
    sized_by_data = {"vocabulary_size": len(SPECIAL), "explicit_states": True}
    answering = Writing
    example_options = {"temperature": 0.5}  # favours likely lines
    labelled = False
    metric = "loss"
    note = (
        "It learned generated lines of three kinds (brackets, couplets and sentences whose verb "
        "agrees with the first noun) and can write no others. Train on real text before you use "
        "it: rnn-zoo all generation --data mine.txt"
    )

    starts_from_pretrained = True
    text_options = ("level", "lower")

    def __init__(self) -> None:
        self._scorer = OfModel(Scorer)

    def check(self, config: GenerationConfig) -> None:
        """Rejects invalid options and options that build no model."""
        require_choice("level", config.level, LEVELS)
        if config.window < 1:
            raise InputError(f"window must be at least 1 token, got {config.window}")
        if not 0 <= config.warmup < 1:
            raise InputError(f"warmup must be from 0 to below 1, got {config.warmup}")
        optimizers.optimizer(config, 1000, config.warmup, config.optimizer)
        if config.validation_limit < 0:
            raise InputError(f"validation_limit must be at least 0, got {config.validation_limit}")
        super().check(config)

    def load(self, data: GenerationData, whole: bool = False) -> Splits[str]:
        """Loads the texts that `data.data` names."""
        return running_text.load(data, lambda: Splits(*builtin.generate(data.split_seed)), whole)

    def prepare(self, data: GenerationData, corpus: Splits[str], directory: Path) -> Prepared:
        """Encodes the splits with the run's vocabulary, which is learned if it has none."""
        if not (directory / "codec.json").exists():
            learned = TextCodec.learn(
                corpus.train,
                size=data.vocabulary_size,
                min_count=data.min_count,
                level=data.level,
                lower=data.lower,
            )
            if data.init:
                learned = pretrained.of(data.init).extended("codec", learned)
            learned.save(directory, "vocabulary")
            write_json(directory / "codec.json", learned.get_config())
        codec = load_codec(directory)
        rows = corpus.encoded(codec.encode, str)
        batches = {name: _split(data, part) for name, part in rows.items()}
        sizes = ", ".join(f"{name} {_size(batches[name].encoded):,}" for name in SPLITS)
        unknown = scoring.unknown_share(batches["validation"].encoded)
        text = (
            f"tokens: {sizes}; vocabulary: {len(codec.vocabulary):,}; unknown in validation: "
            f"{unknown:.2%}"
        )
        return Prepared(corpus, batches, codec, summary=text)

    def sizes(self, prepared: Prepared) -> dict[str, Any]:
        """Returns the size of the vocabulary."""
        return {"vocabulary_size": len(prepared.text_path.vocabulary), "explicit_states": True}

    def compile(self, model: keras.Model, config: GenerationConfig, prepared: Prepared) -> None:
        """Compiles the optimizer; the loss is part of the training step."""
        steps = len(prepared.batches["train"])
        model.compile(optimizers.optimizer(config, steps, config.warmup, config.optimizer))

    def epochs(
        self, model: keras.Model, config: GenerationConfig, prepared: Prepared
    ) -> loop.RunEpoch:
        """Returns a function that trains an epoch: windows in order, with states passed on."""
        return Trainer(model, prepared.batches["train"]).epoch

    def batch_loss(
        self, model: keras.Model, config: GenerationConfig, prepared: Prepared
    ) -> tuple[Any, Any, Any]:
        """Returns the model with losses, the first window of validation, and the mean loss."""
        window = next(iter(prepared.batches["validation"]()))
        losses = LanguageModel.of(model).with_losses()
        inputs = inputs_of(window, initial_states(model, len(window.token_ids)))
        count = max(window.num_tokens, 1)
        return losses, inputs, lambda outputs: tf.reduce_sum(outputs["losses"]) / count

    def one_example(self, model: keras.Model, config: GenerationConfig, prepared: Prepared) -> Any:
        """Returns the inputs for a window of one text, with initial states."""
        first = next(iter(prepared.batches["validation"]()))
        window = Window(first.token_ids[:1], first.target_ids[:1], True)
        inputs = inputs_of(window, initial_states(model, 1))
        return {name: inputs[name] for name in model.input}

    def validate(
        self, model: keras.Model, config: GenerationConfig, prepared: Prepared
    ) -> dict[str, float]:
        """Returns loss and perplexity."""
        scorer, size = self._scorer(model), len(prepared.text_path.vocabulary)
        split = prepared.batches["validation"].encoded
        if config.carry:
            windows = scoring.segments(split, size, config.validation_limit)
            total, count = scorer.total(windows, skipped=1)
        else:
            total, count = scorer.total(scoring.whole(split, False, size))
        return scoring.of_loss(total / count)

    def evaluate(
        self, model: keras.Model, config: GenerationConfig, prepared: Prepared, directory: Path
    ) -> dict[str, Any]:
        """Returns the exact metrics of validation and test."""
        codec, found = prepared.text_path, {}
        for name in ("validation", "test"):
            split, texts = prepared.batches[name].encoded, getattr(prepared.splits, name)
            found[name] = self._scores(model, codec, split, texts, config.carry)
        if config.data == "builtin":
            found["test"] |= structure_scores(Writer(model, codec), config.split_seed)
        return found

    def _scores(
        self,
        model: keras.Model,
        codec: TextCodec,
        split: Encoded,
        texts: Sequence[str],
        carry: bool,
    ) -> dict[str, Any]:
        windows = scoring.whole(split, carry, len(codec.vocabulary))
        total, count = self._scorer(model).total(windows)
        return scoring.scores(total, count, sum(map(len, texts)) + len(texts), split)

    def measure(
        self, model: keras.Model, config: GenerationConfig, corpus: Splits[str], directory: Path
    ) -> Measured:
        """Returns the exact metrics of the test split."""
        codec = load_codec(directory)
        split = encoded(codec.encode(corpus.test))
        return Measured(self._scores(model, codec, split, corpus.test, config.carry))

    def pipeline(self, model: keras.Model, config: GenerationConfig, directory: Path) -> Writer:
        """Returns the pipeline that continues texts; only lines have an end."""
        return Writer(model, load_codec(directory), ends=config.unit == "line")

    def examples(self, config: GenerationConfig, prepared: Prepared) -> list[str]:
        """Returns a few prompts."""
        if config.data == "builtin":
            return list(builtin.EXAMPLES)
        texts = [text for text in prepared.splits.test if text.strip()][:3]
        return [" ".join(text.split(" ")[:6]) for text in texts]

    def answer(
        self, signatures: Any, texts: Sequence[str], options: Writing
    ) -> list[dict[str, Any]]:
        """Continues each prompt, or with `options.score` scores each text.

        Warns of unknown tokens.

        Returns:
            A dict for each row: `prompt`, `text`, `log_probability` (of the generated text, in
            nats), `num_tokens`; or `text`, `log_probability`, `num_tokens`, `perplexity`,
            `num_unknown`; and `unknown_share`, `unknown` (the first unknown tokens of the input),
            `truncated`.
        """
        count = options.samples * len(texts)
        names: tuple[str, ...]
        if options.score:
            inputs = list(texts)
            outputs = ask(signatures, "score", text=tf.constant(inputs, tf.string))
            names = ("log_probability", "num_tokens", "perplexity", "num_unknown", "truncated")
        else:
            inputs = [prompt for prompt in texts for _ in range(options.samples)]
            outputs = ask(
                signatures,
                "generate",
                prompt=tf.constant(inputs, tf.string),
                seed=seeds(options.seed, options.samples, len(texts)),
                **as_inputs(options, ("max_tokens", "temperature", "top_k", "top_p"), count),
            )
            names = ("log_probability", "num_tokens", "truncated")
        rows = []
        for number, text in enumerate(inputs):
            row: dict[str, Any] = {"text": text} if options.score else {"prompt": text}
            if not options.score:
                row["text"] = outputs["text"][number].decode(errors="replace")
            row |= {name: outputs[name][number].item() for name in names}
            rows.append({**row, **unknown_of(outputs, number)})
        warn(texts, rows if options.score else rows[:: options.samples])
        return rows

    def format_answer(self, row: dict[str, Any]) -> str:
        """Formats the generated text, or a text after its score."""
        if "perplexity" not in row:
            return str(row["text"])
        return (
            f"{row['log_probability']:.2f} nats  {row['num_tokens']} tokens  perplexity "
            f"{row['perplexity']:.2f}  {row['text']}"
        )

    def format_example(self, row: dict[str, Any]) -> str:
        """Formats a prompt and its continuation."""
        return f"{row['prompt']} -> {row['text']}"


def _split(data: GenerationData, rows: Sequence[np.ndarray]) -> Split:
    split = encoded(rows)
    if data.carry:
        return Streams(split, data.batch_size, data.window)
    return Documents(split, data.batch_size, data.window, data.buckets)


def _size(split: Encoded) -> int:
    return int(split.lengths.sum())


def load_codec(directory: Path) -> TextCodec:
    """Loads a run's codec."""
    vocabulary = Vocabulary.load(directory / "vocabulary.txt")
    return make_from(directory / "codec.json", functools.partial(TextCodec, vocabulary))
