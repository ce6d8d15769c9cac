"""Vectorizer + classifier -> a SavedModel that takes texts and gives labels."""

from collections.abc import Sequence
from pathlib import Path

import keras
import tensorflow as tf

from zoo.export import ODD_TEXTS, publish
from zoo.text import UNK, NgramVectorizer, Vectorizer, unknown_share
from zoo.text.dense import dense
from zoo.text.limits import TEXT, shortened

TextPath = Vectorizer | NgramVectorizer

PROBES = (*ODD_TEXTS, b"word " * 5000)  # and one far beyond what is kept of a text


def text_classifier(
    model: keras.Model, vectorizer: TextPath, classes: Sequence[str]
) -> tf.types.experimental.GenericFunction:
    """Joins text path and model.

    Args:
        model: What the vectorizer gives -> float (B, C) logits.
        vectorizer: Strings -> token ids (B, T), or features (B, D).
        classes: The C labels.

    Returns:
        A function of `text`, strings (B,), that gives `label` string (B,), `probabilities` float
        (B, C), each row's sum 1, `classes` string (B, C), the labels that the probabilities belong
        to, and `unknown_share` float (B,), the share of the text's tokens that the vocabulary lacks
        (0 for n-grams, which have no vocabulary).
    """
    names = tf.constant(list(classes))

    @tf.function(input_signature=[tf.TensorSpec([None], tf.string, name="text")], autograph=False)
    def classify(text: tf.Tensor) -> dict[str, tf.Tensor]:
        features, unknown = _read(vectorizer, text)
        probabilities = tf.nn.softmax(model(features, training=False))
        return {
            "label": tf.gather(names, tf.argmax(probabilities, axis=-1)),
            "probabilities": probabilities,
            "classes": tf.tile(names[None], [tf.shape(text)[0], 1]),
            "unknown_share": unknown,
        }

    return classify


def _read(vectorizer: TextPath, text: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    """What the model takes of texts (B,), and the shares of their tokens that are unknown, (B,)."""
    if isinstance(vectorizer, NgramVectorizer):
        return vectorizer(shortened(text)), tf.zeros(tf.shape(text))
    # far more than the tokens that are kept: only blanks and very long tokens are cut
    most = max(TEXT, 16 * vectorizer.max_length)
    tokens = vectorizer.tokens(shortened(text, most, vectorizer.truncation))
    share = unknown_share(tf.equal(vectorizer.vocabulary.ids(tokens), UNK))
    return dense(vectorizer.ids_of(tokens)), share


def export_text_classifier(
    model: keras.Model, vectorizer: TextPath, classes: Sequence[str], directory: Path
) -> Path:
    """Writes the next version of a served classifier, checked as `zoo.export.publish` does.

    Args:
        model: What the vectorizer gives -> float (B, C) logits.
        vectorizer: Strings -> token ids (B, T), or features (B, D).
        classes: The C labels.
        directory: `saved_models/NAME`; the version becomes a folder `1`, `2`, ... in it.

    Returns:
        The version's folder.

    Raises:
        ExportError: The written model does not load or answers otherwise; nothing is left behind.
    """
    return publish(
        {"serving_default": text_classifier(model, vectorizer, classes)},
        [vectorizer, *(weight.value for weight in model.weights)],
        {"serving_default": {"text": tf.constant(PROBES)}},
        directory,
    )
