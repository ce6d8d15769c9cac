"""Classifier: text -> label."""

from collections.abc import Sequence

import keras
import tensorflow as tf

from zoo.errors import InputError
from zoo.export import ODD_TEXTS
from zoo.litert import architectures as litert
from zoo.litert.graphs import Graph, Sizes
from zoo.onnx import architectures
from zoo.onnx.served import Served
from zoo.pipelines.pipeline import Answers, Pipeline, Signature, strings, traced
from zoo.text import UNK, NgramVectorizer, Vectorizer, unknown_share
from zoo.text.limits import TEXT, shortened
from zoo.text.text_path import dense

PROBES = (*ODD_TEXTS, b"word " * 5000)  # and one far beyond what is read of a text


class Classifier(Pipeline):
    """Predicts a label for a text.

    Its signature `serving_default`: `text`, strings (B,) -> `label` string (B,); `probabilities`
    float (B, C), each row's sum 1; `classes` string (B, C), the labels that the probabilities
    belong to; `unknown_share` float (B,), the fraction of the text's tokens that are not in the
    vocabulary (0 for n-grams, which have none).

    Args:
        model: What the vectorizer returns -> float (B, C) logits.
        vectorizer: Strings -> token ids (B, T), or features (B, D).
        classes: The C labels, in the order of their ids.

    Raises:
        InputError: The model does not return one logit for each label.
    """

    path_names, option_names = ("vectorizer",), ("classes",)

    def __init__(
        self, model: keras.Model, vectorizer: Vectorizer | NgramVectorizer, classes: Sequence[str]
    ) -> None:
        size = getattr(model, "output_shape", (len(classes),))[-1]
        if size != len(classes):
            raise InputError(
                f"the model returns {size} logits a text, but classes has {len(classes)} names: "
                "give one for each, in the order of the ids"
            )
        self.model, self.vectorizer, self.classes = model, vectorizer, list(classes)

    def __call__(self, texts: str | Sequence[str]) -> list[str]:
        """The most likely label of each text."""
        return list(self.classify(texts)["label"])

    def classify(self, texts: str | Sequence[str]) -> Answers:
        """Label, probabilities, classes and `unknown_share` of each text, as arrays."""
        return self.answers(self._classify, text=texts)

    def litert_graphs(self, sizes: Sizes) -> dict[str, Graph]:
        """The graph `model`; see `zoo.litert.architectures.classifier`."""
        return litert.classifier(self.model, sizes)

    def onnx_graphs(self) -> dict[str, Served]:
        """The graph `model`; see `zoo.onnx.architectures.classifier`."""
        sparse = isinstance(self.vectorizer, NgramVectorizer)
        return architectures.classifier(self.model, sparse)

    def signatures(self) -> dict[str, Signature]:
        """`serving_default`."""
        return {"serving_default": Signature(self._classify, {"text": tf.constant(PROBES)})}

    @traced(strings("text"))
    def _classify(self, text: tf.Tensor) -> dict[str, tf.Tensor]:
        features, unknown = self._read(text)
        probabilities = tf.nn.softmax(self.model(features, training=False))
        names = tf.constant(self.classes)
        return {
            "label": tf.gather(names, tf.argmax(probabilities, axis=-1)),
            "probabilities": probabilities,
            "classes": tf.tile(names[None], [tf.shape(text)[0], 1]),
            "unknown_share": unknown,
        }

    def _read(self, text: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        """The model's input for texts (B,), and each one's fraction of unknown tokens, (B,)."""
        if isinstance(self.vectorizer, NgramVectorizer):
            return self.vectorizer(shortened(text)), tf.zeros(tf.shape(text))
        # far more than the tokens that are read: only blanks and very long tokens are cut
        most = max(TEXT, 16 * self.vectorizer.max_length)
        tokens = self.vectorizer.tokens(shortened(text, most, self.vectorizer.truncation))
        share = unknown_share(tf.equal(self.vectorizer.vocabulary.ids(tokens), UNK))
        return dense(self.vectorizer.ids_of(tokens)), share
