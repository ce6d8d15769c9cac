"""A bidirectional language model, pretrained on unlabelled text for a tagger."""

import math
import random
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import keras
import numpy as np

from recipes.config import TrainingConfig, read_json, write_json
from recipes.data.items import Sentence
from recipes.families.tagging import unlabelled
from recipes.families.tagging.batches import EncodedSentences, TagBatches
from recipes.families.tagging.config import TaggingData
from recipes.run_files import checked_numbers, record_new
from recipes.training import checkpoint, loop, optimizers
from recipes.training.checkpoint import Progression
from zoo.architectures.context import bidirectional_language_model
from zoo.architectures.many_to_many import TaggingModel
from zoo.errors import InputError
from zoo.losses import IGNORED
from zoo.system import durable, keras_file
from zoo.text import SPECIAL, TokenVectorizer, Vocabulary
from zoo.text.vocabulary import UNK

FOLDER = "context"
FINISHED = "context.json"  # written last, so that it marks a finished model
PART = 25_000  # sentences between two checkpoints
HELD_OUT = 1_000  # sentences
SAMPLED = 1_024  # sampled words per step of the training loss
BATCH = 64
RATE = 2e-3
TWICE = 2  # copies of the tagged sentences among the unlabelled ones
INPUTS = ("token_ids", "character_ids", "casing_ids")


@keras.saving.register_keras_serializable("recipes")
class NeighbourLoss(keras.losses.Loss):
    """Mean of the losses (B, T, 2) where `y_true` is not -1, in nats."""

    def __call__(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> Any:
        """Returns the mean; `sample_weight` is ignored."""
        counted = keras.ops.cast(keras.ops.not_equal(y_true, IGNORED), "float32")
        total = keras.ops.sum(counted * keras.ops.cast(y_pred, "float32"))
        return total / keras.ops.maximum(keras.ops.sum(counted), 1.0)


class NeighbourBatches(TagBatches):
    """Batches of sentences whose labels mark which neighbours of each token are predicted."""

    def _labels(self, labels: list[np.ndarray], members: np.ndarray) -> np.ndarray:
        """Int (B, T, 2): 0 where a next and a previous word exist; -1 elsewhere."""
        counted = np.full((len(members), self._width(members), 2), IGNORED, np.int32)
        for row, member in zip(counted, members, strict=True):
            length = len(labels[member])
            row[: length - 1, 0] = 0
            row[1:length, 1] = 0
        return counted


def wanted(config: TaggingData) -> bool:
    """Returns whether the options request a language model; rejects contradictory options."""
    if config.unlabelled and config.context:
        raise InputError(
            f"--unlabelled {config.unlabelled} trains a language model and --context "
            f"{config.context} reuses one: give one of them"
        )
    for name in ("context_units", "context_epochs", "context_words"):
        if getattr(config, name) < 1:
            raise InputError(f"{name} must be at least 1, got {getattr(config, name)}")
    return bool(config.unlabelled or config.context)


def folder_of(config: TaggingData, directory: Path) -> Path | None:
    """Returns the folder of a run's language model, or None if the run has none."""
    if not wanted(config):
        return None
    return (Path(config.context) if config.context else directory) / FOLDER


def ready(config: TaggingData, tagged: Sequence[Sentence], directory: Path) -> None:
    """Trains the run's language model, or resumes its training, unless it is finished.

    The tagger's training sentences are trained on as well.

    Raises:
        InputError: The text, or the language model of the run to reuse, is missing.
    """
    folder = folder_of(config, directory)
    if folder is None or (folder / FINISHED).exists():
        return
    if config.context:
        raise InputError(
            f"{config.context} holds no finished language model: give --context a run that was "
            "trained with --unlabelled"
        )
    _train(config, tagged, folder)


def _train(config: TaggingData, tagged: Sequence[Sentence], folder: Path) -> None:
    lines = unlabelled.read(config)
    own = [list(sentence.tokens) for sentence in tagged if len(sentence.tokens) > 1]
    found = list(unlabelled.sentences(lines, [token for tokens in own for token in tokens]))
    if not found:
        raise InputError(
            f"{config.unlabelled} has no sentence of at least two words: give running text"
        )
    texts = [*found, *own * TWICE]
    random.Random(config.seed).shuffle(texts)
    held_out = texts[: min(HELD_OUT, len(texts) // 10 + 1)]
    texts = texts[len(held_out) :] or held_out
    durable.make_folder(folder)
    vectorizer = TokenVectorizer.learn(
        texts, size=config.context_words, min_count=2, max_letters=config.max_letters
    )
    count = sum(map(len, texts))
    starts = range(0, len(texts), PART)
    print(
        f"unlabelled text: {config.unlabelled}: {len(found):,} sentences; with the tagged ones "
        f"{count:,} tokens in {len(starts)} part{'s' * (len(starts) > 1)}, "
        f"{len(vectorizer.vocabulary):,} words",
        flush=True,
    )
    schedule = TrainingConfig(
        epochs=len(starts) * config.context_epochs,
        patience=2**31,
        batch_size=BATCH,
        learning_rate=RATE,
        decay="cosine",
        average=0.0,
        clip_norm=config.clip_norm,
        weight_decay=config.weight_decay,
        seed=config.seed,
    )
    sizes: dict[str, Any] = {
        "vocabulary_size": len(vectorizer.vocabulary),
        "character_vocabulary_size": len(vectorizer.letters),
        "units": config.context_units,
    }
    model, progression = _model(schedule, sizes, min(PART, len(texts)), folder)
    encoded = _encoded(vectorizer, [*texts, *held_out])
    parts = [_batches(encoded, start, min(start + PART, len(texts))) for start in starts]
    validation = _batches(encoded, len(texts), len(encoded))
    loop.train(
        model,
        _over_parts(model, parts),
        lambda trained: _perplexity(trained, validation),
        schedule,
        folder,
        progression,
    )
    vectorizer.save(folder, "vocabulary")
    write_json(folder / FINISHED, sizes)
    record_new(folder)


def _model(
    config: TrainingConfig, sizes: dict[str, Any], part: int, folder: Path
) -> tuple[keras.Model, Progression]:
    """Loads the language model from its last checkpoint, or builds a new one."""
    stored = checkpoint.load(folder / "checkpoints")
    if stored:
        print(f"language model: resumed after part {stored[1].epoch}", flush=True)
        return stored
    large = sizes["vocabulary_size"] > 2 * SAMPLED
    model = bidirectional_language_model(**sizes, sampled=SAMPLED if large else 0)
    model.compile(optimizers.optimizer(config, math.ceil(part / BATCH), 0.05), NeighbourLoss())
    print(f"language model: {model.count_params():,} parameters", flush=True)
    return model, Progression()


def _over_parts(model: keras.Model, parts: Sequence[NeighbourBatches]) -> loop.RunEpoch:
    """Returns a function that trains an `epoch`: one part of the text."""

    def run(config: Any, epoch: int, watch: Any = None) -> dict[str, float]:
        return loop.over_batches(model, parts[epoch % len(parts)])(config, epoch, watch)

    return run


def _encoded(vectorizer: TokenVectorizer, texts: Sequence[list[str]]) -> EncodedSentences:
    labels = [np.zeros(len(tokens), np.int32) for tokens in texts]
    return EncodedSentences(vectorizer.encode(texts), labels)


def _batches(encoded: EncodedSentences, start: int, end: int) -> NeighbourBatches:
    """Returns the batches of the sentences from `start` to `end`."""
    part = EncodedSentences(encoded.rows[start:end], encoded.labels[start:end])
    longest = int(part.lengths.max())
    return NeighbourBatches(part, BATCH, [*range(8, longest, 8), longest], INPUTS)


def _perplexity(model: keras.Model, batches: NeighbourBatches) -> dict[str, float]:
    """Perplexity and loss, in nats, of the neighbouring words over the whole vocabulary."""
    total, count = 0.0, 0
    for inputs, labels, _ in batches():
        counted = labels != IGNORED
        total += float(model.predict_on_batch(inputs)[counted].sum(dtype=np.float64))
        count += int(counted.sum())
    return {"perplexity": math.exp(total / count), "loss": total / count}


def words_of(folder: Path | None) -> list[str]:
    """Returns the vocabulary of a language model, without special tokens; [] for no folder."""
    return list(Vocabulary.load(folder / "vocabulary.txt").tokens[len(SPECIAL) :]) if folder else []


def options(folder: Path, vocabulary: int, letters: int) -> dict[str, Any]:
    """Returns the argument `context` of `many_to_many` for a tagger's vocabularies."""
    path = folder / FINISHED
    sizes = checked_numbers(read_json(path, dict), path)
    return {**sizes, "vocabulary_size": vocabulary, "character_vocabulary_size": letters}


def load_weights(model: keras.Model, vectorizer: TokenVectorizer, folder: Path) -> None:
    """Copies the weights of a language model into a tagger that has its layers.

    Words and letters outside the language model's vocabulary get the vector of UNK.
    """
    best = folder / "checkpoints" / "best.keras"
    source = keras_file.load(best, compile=False)
    rows = {
        "embedding": _rows(folder / "vocabulary.txt", vectorizer.vocabulary),
        "characters": _rows(folder / "letters.txt", vectorizer.letters),
    }
    TaggingModel.of(model).set_context(source, rows)


def _rows(path: Path, vocabulary: Vocabulary) -> np.ndarray:
    """Returns the row in the language model's table for each of a tagger's tokens."""
    ids = {token: number for number, token in enumerate(Vocabulary.load(path).tokens)}
    return np.array([ids.get(token, UNK) for token in vocabulary.tokens])
