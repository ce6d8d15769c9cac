"""Classifier: text -> label, and what moved it."""

import functools
from collections.abc import Mapping, Sequence
from typing import Any

import keras
import tensorflow as tf

from zoo.errors import InputError
from zoo.export import ODD_TEXTS
from zoo.fine_tuning.fitting import Examples, ids_of
from zoo.fine_tuning.start import SizedBy
from zoo.litert import architectures as litert
from zoo.litert.graphs import Graph, Sizes
from zoo.onnx import architectures
from zoo.onnx.served import Served
from zoo.pipelines.explanation import feature_scores, token_scores
from zoo.pipelines.pipeline import Answers, Pipeline, Signature, strings, traced
from zoo.text import UNK, NgramVectorizer, Vectorizer, unknown_share
from zoo.text.limits import TEXT, shortened
from zoo.text.ngrams import BEGIN, END
from zoo.text.text_path import dense

# what the marks of a text's ends among n-grams are shown as
SHOWN = {BEGIN: "^", END: "$"}
PROBES = (*ODD_TEXTS, b"word " * 5000)  # and one far beyond what is read of a text


class Classifier(Pipeline):
    """Predicts a label for a text.

    Its signatures:

    - `serving_default`: `text`, strings (B,) -> `label` string (B,); `probabilities` float (B, C),
      each row's sum 1; `classes` string (B, C), the labels that the probabilities belong to;
      `unknown_share` float (B,), the fraction of the text's tokens that are not in the vocabulary
      (0 for n-grams, which have none).
    - `explain`, of a model of n-grams or one that begins with an embedding: `text` -> the same, and
      `tokens` string (B, T), those that were read, "" as padding; `scores` float (B, T), how much
      each moved the label's logit, up (above 0) or down, by gradient x input, see
      `zoo.pipelines.explanation`. The tokens of n-grams are these, "^" and "$" the text's ends.

    Args:
        model: What the vectorizer returns -> float (B, C) logits.
        vectorizer: Strings -> token ids (B, T), or features (B, D).
        classes: The C labels, in the order of their ids.

    Raises:
        InputError: The model does not return one logit for each label.
    """

    path_names, option_names = ("vectorizer",), ("classes",)
    sized_by = SizedBy(
        {"vectorizer": ("vocabulary_size", ("embedding",))}, "classes", "num_classes"
    )

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

    def training_examples(
        self,
        model: keras.Model,
        texts: Sequence[Any],
        targets: Any,
        paths: Mapping[str, Any],
        labels: Sequence[str],
    ) -> Examples:
        """Features and class ids."""
        vectorizer = paths["vectorizer"]
        rows = vectorizer.encode(texts)
        if isinstance(vectorizer, NgramVectorizer):
            rows = vectorizer(tf.constant(texts)).numpy()
        loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
        return Examples([{"": row} for row in rows], ids_of(labels, targets), loss)

    def litert_graphs(self, sizes: Sizes) -> dict[str, Graph]:
        """The graph `model`; see `zoo.litert.architectures.classifier`."""
        return litert.classifier(self.model, sizes)

    def onnx_graphs(self) -> dict[str, Served]:
        """The graph `model`; see `zoo.onnx.architectures.classifier`."""
        sparse = isinstance(self.vectorizer, NgramVectorizer)
        return architectures.classifier(self.model, sparse)

    def explain(self, texts: str | Sequence[str]) -> Answers:
        """All outputs of the signature `explain`, as arrays.

        Raises:
            InputError: The model does not begin with an embedding of the tokens.
        """
        if not self._scored:
            raise InputError(
                f"the model {self.model.name!r} cannot be explained: its first layer must be an "
                "embedding of the token ids, such as zoo.layers.TokenEmbedding"
            )
        return self.answers(self._explain, text=texts)

    def signatures(self) -> dict[str, Signature]:
        """`serving_default`, and `explain` where the model allows it."""
        found = {"serving_default": Signature(self._classify, {"text": tf.constant(PROBES)})}
        if self._scored:
            found["explain"] = Signature(self._explain, {"text": tf.constant(ODD_TEXTS)})
        return found

    @traced(strings("text"))
    def _classify(self, text: tf.Tensor) -> dict[str, tf.Tensor]:
        features, _, unknown = self._read(text)
        return self._labelled(self.model(features, training=False), unknown)

    @traced(strings("text"), needs_graph=True)
    def _explain(self, text: tf.Tensor) -> dict[str, tf.Tensor]:
        features, tokens, unknown = self._read(text)
        if isinstance(self.vectorizer, NgramVectorizer):
            logits, scores = self._scored(features, dense(self.vectorizer.ids_of(tokens), -1))
            for mark, sign in SHOWN.items():
                tokens = tf.strings.regex_replace(tokens, mark, sign)
        else:
            logits, scores = self._scored(features)
        shown = dense(tokens, "")
        scores = tf.where(shown == "", 0.0, scores)  # an empty text is read as an unknown token
        return {**self._labelled(logits, unknown), "tokens": shown, "scores": scores}

    @functools.cached_property
    def _scored(self) -> Any:
        """What the model reads -> logits and scores, in a graph; None where there are none."""
        if isinstance(self.vectorizer, NgramVectorizer):
            return feature_scores(self.model)
        return token_scores(self.model)

    def _labelled(self, logits: tf.Tensor, unknown: tf.Tensor) -> dict[str, tf.Tensor]:
        probabilities = tf.nn.softmax(logits)
        names = tf.constant(self.classes)
        return {
            "label": tf.gather(names, tf.argmax(probabilities, axis=-1)),
            "probabilities": probabilities,
            "classes": tf.tile(names[None], [tf.shape(logits)[0], 1]),
            "unknown_share": unknown,
        }

    def _read(self, text: tf.Tensor) -> tuple[tf.Tensor, tf.RaggedTensor, tf.Tensor]:
        """The model's input for texts (B,), the tokens, and the fraction of unknown ones, (B,)."""
        if isinstance(self.vectorizer, NgramVectorizer):
            read = shortened(text)
            return self.vectorizer(read), self.vectorizer.tokens(read), tf.zeros(tf.shape(text))
        # far more than the tokens that are read: only blanks and very long tokens are cut
        most = max(TEXT, 16 * self.vectorizer.max_length)
        tokens = self.vectorizer.tokens(shortened(text, most, self.vectorizer.truncation))
        share = unknown_share(tf.equal(self.vectorizer.vocabulary.ids(tokens), UNK))
        return dense(self.vectorizer.ids_of(tokens)), tokens, share
