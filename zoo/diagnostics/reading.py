"""What the diagnostics read text with: a trained model, or small character models trained here."""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import keras
import numpy as np
import tensorflow as tf

from zoo.diagnostics.gradients import open_gates
from zoo.diagnostics.observation import directions_of
from zoo.diagnostics.synthetic import training
from zoo.diagnostics.synthetic.tasks import Batch, Task
from zoo.diagnostics.synthetic.texts import CLOSING, CharacterText, encoded
from zoo.errors import InputError
from zoo.pipelines import Classifier, ConditionalWriter, Pipeline, Tagger, Translator, Writer
from zoo.text import BOS, word_tokens

RATE = 0.008  # of Adam, for the small character models


class Sequences(NamedTuple):
    """A batch as a model reads it.

    Attributes:
        inputs: What the model takes, B rows of T steps.
        tokens: What each step of a row reads, as text.
        targets: int (B, T), the classes whose logits the steps should raise: the next token's, or
            the tag's; None where the predicted ones are taken.
    """

    inputs: Any
    tokens: list[list[str]]
    targets: np.ndarray | None


class Reader(NamedTuple):
    """A model and its text path.

    Attributes:
        name: What tables and pictures call it.
        model: Any model with recurrent layers of the zoo.
        read: A text -> a batch of one row.
        logits: The model's outputs and the number of steps -> (B, T, C), or (B, 1, C).
        by_character: Whether the tokens are characters.
        words: The tokens of the embedding's rows, by id.
        aligned: Whether the model predicts something at each token that it reads.
    """

    name: str
    model: keras.Model
    read: Callable[[str], Sequences]
    logits: Callable[[Any, int], Any]
    by_character: bool
    words: Sequence[str]
    aligned: bool = True


def of_pipeline(name: str, pipeline: Pipeline) -> Reader:
    """How a trained pipeline reads a text.

    Raises:
        InputError: Its model has no text as its input.
    """
    if isinstance(pipeline, Writer):
        return _of_writer(name, pipeline)
    if isinstance(pipeline, Tagger):
        return _of_tagger(name, pipeline)
    if isinstance(pipeline, Classifier) and hasattr(pipeline.vectorizer, "vocabulary"):
        return _of_classifier(name, pipeline)
    if isinstance(pipeline, Translator):
        return _of_translator(name, pipeline)
    if isinstance(pipeline, ConditionalWriter):
        return _of_conditional_writer(name, pipeline)
    raise InputError(f"{name} reads no sequence of tokens: give a model with recurrent layers")


def _following(name: str, text: str, codec: Any) -> tuple[np.ndarray, np.ndarray, list[str]]:
    """The ids that a language model reads of a text, those that follow, and the tokens read."""
    tokens, ids = codec.tokens_and_ids(tf.constant([text]))
    row = ids.numpy()[0].tolist()
    if not row:
        raise InputError(f"{name} reads no token of the text {text!r}: give --sentence another one")
    read = [token.decode() for token in tokens.numpy()[0]]
    return np.array([[BOS, *row[:-1]]], np.int32), np.array([row]), ["[BOS]", *read[:-1]]


def _of_writer(name: str, pipeline: Writer) -> Reader:
    model, codec = pipeline.model, pipeline.codec

    def read(text: str) -> Sequences:
        ids, targets, tokens = _following(name, text, codec)
        return Sequences({"token_ids": ids, **model.initial_states(1)}, [tokens], targets)

    by_character = getattr(codec, "level", "") == "character"
    words = codec.vocabulary.tokens
    return Reader(name, model, read, lambda outputs, _: outputs["logits"], by_character, words)


def _of_conditional_writer(name: str, pipeline: ConditionalWriter) -> Reader:
    codec = pipeline.codec

    def read(text: str) -> Sequences:
        ids, targets, tokens = _following(name, text, codec)
        inputs = {"class_ids": np.zeros(1, np.int32), "token_ids": ids}
        return Sequences(inputs, [tokens], targets)

    by_character = codec.level == "character"
    words = codec.vocabulary.tokens
    return Reader(name, pipeline.model, read, lambda outputs, _: outputs, by_character, words)


def _of_tagger(name: str, pipeline: Tagger) -> Reader:
    model = pipeline.model

    def read(text: str) -> Sequences:
        tokens = word_tokens(tf.constant([text])).tokens
        ids = {key: value.numpy() for key, value in pipeline.vectorizer(tokens).items()}
        taken = model.input
        inputs = {key: ids[key] for key in taken} if isinstance(taken, dict) else ids["token_ids"]
        return Sequences(inputs, [[token.decode() for token in tokens.numpy()[0]]], None)

    words = pipeline.vectorizer.vocabulary.tokens
    return Reader(name, model, read, lambda outputs, steps: outputs[:, :steps], False, words)


def _of_classifier(name: str, pipeline: Classifier) -> Reader:
    vectorizer: Any = pipeline.vectorizer

    def read(text: str) -> Sequences:
        tokens = vectorizer.tokens(tf.constant([text]))
        shown = [token.decode() for token in tokens.numpy()[0]] or ["[UNK]"]
        return Sequences(vectorizer(tf.constant([text])).numpy(), [shown], None)

    by_character, words = vectorizer.level == "character", vectorizer.vocabulary.tokens
    return Reader(
        name, pipeline.model, read, lambda outputs, _: outputs[:, None], by_character, words, False
    )


def _of_translator(name: str, pipeline: Translator) -> Reader:
    def read(text: str) -> Sequences:
        found = pipeline.translate([text])
        source = pipeline.read(tf.constant([text])).numpy()
        tokens = [token for token in found["source_tokens"][0] if token]
        written = pipeline.target_ids(tf.constant([found["translations"][0][0]]))[0].numpy()
        ids = np.array([[BOS, *written[0]]], np.int32)
        return Sequences({"source_ids": source, "target_ids": ids}, [tokens], None)

    by_character = getattr(pipeline.source, "level", "") == "character"
    words = pipeline.source.vocabulary.tokens
    return Reader(
        name, pipeline.model, read, lambda outputs, _: outputs, by_character, words, False
    )


def character_reader(
    cell: str, text: CharacterText, units: int, length: int, updates: int, seed: int = 0
) -> Reader:
    """Trains a small language model of characters on windows of a text.

    Args:
        cell: A registered cell's name.
        text: The text; its held-out part is not read.
        units: Hidden size K.
        length: Characters of a window; each begins with a state of zeros. The gates are opened, so
            that the cell remembers for up to half of them at the start.
        updates: Training steps of 32 windows; 0 = an untrained model.
        seed: Of the weights and the windows.
    """
    keras.utils.set_random_seed(seed)
    task = _task(text)
    model = training.model_for(task, cell, units)
    (layer,) = directions_of(model)
    open_gates(layer.cell, length // 2, seed)
    if updates:
        generator = np.random.default_rng(seed)
        batches = training.batches(task, (length, length), training.ROWS, generator)
        training.train(model, task, batches, updates, RATE, cell)

    def read(read_text: str) -> Sequences:
        ids = encoded(read_text, text.characters)[None]
        targets = np.concatenate([ids[:, 1:], ids[:, :1]], axis=1)  # of the last none is known
        return Sequences(ids, [list(read_text)], targets)

    return Reader(cell, model, read, lambda outputs, _: outputs, True, ["", *text.characters])


def _task(text: CharacterText) -> Task:
    """The next character at each place of windows of a text's training part."""

    def make(length: int, rows: int, generator: np.random.Generator) -> Batch:
        starts = generator.integers(0, text.held_out - length - 1, (rows, 1))
        ids = text.ids[starts + np.arange(length + 1)]
        return Batch(ids[:, :-1], ids[:, 1:], np.ones((rows, length), "float32"))

    size = len(text.characters) + 1
    return Task("characters", make, classes=size, tokens=size)


class HeldOut(NamedTuple):
    """How well a small character model predicts text that it was not trained on.

    Attributes:
        bits: The mean loss, in bits per character.
        closing: The share of the closing brackets whose logit is the largest of all closing
            brackets' there: whether the model remembers which one is open. None if there are none.
    """

    bits: float
    closing: float | None


def held_out(reader: Reader, text: CharacterText, length: int, rows: int = 100) -> HeldOut:
    """Measures a model on held-out windows, without the first half of each."""
    starts = np.linspace(text.held_out, len(text.ids) - length - 1, rows).astype(int)[:, None]
    ids = text.ids[starts + np.arange(length + 1)]
    logits = np.asarray(reader.model(ids[:, :-1], training=False))[:, length // 2 :]
    targets = ids[:, 1 + length // 2 :]
    losses = keras.losses.sparse_categorical_crossentropy(targets, logits, from_logits=True)
    brackets = [n for n, each in enumerate(text.characters, 1) if each in CLOSING]
    places = np.isin(targets, brackets)
    closing = None
    if places.any():
        best = np.array(brackets)[logits[places][:, brackets].argmax(-1)]
        closing = float(np.mean(best == targets[places]))
    return HeldOut(float(np.mean(losses) / np.log(2)), closing)
