"""Classifier: text -> label."""

from collections.abc import Mapping, Sequence

import numpy as np

from rnn_zoo_runtime.decoding import softmax
from rnn_zoo_runtime.graph import Answers, Graph
from rnn_zoo_runtime.pipelines.pipeline import Pipeline, Texts, strings
from rnn_zoo_runtime.text import UNK, NgramVectorizer, Vectorizer
from rnn_zoo_runtime.text.limits import TEXT, Text, shortened
from rnn_zoo_runtime.text.vocabulary import padded, share


class Classifier(Pipeline):
    """Predicts a label for a text.

    Args:
        graphs: `model`: ids (B, T) or features (B, D) -> `logits` (B, C).
        vectorizer: Strings -> ids or features.
        classes: The C labels, in the order of their ids.
    """

    def __init__(
        self,
        graphs: Mapping[str, Graph],
        vectorizer: Vectorizer | NgramVectorizer,
        classes: Sequence[str],
    ) -> None:
        super().__init__(graphs)
        self.vectorizer, self.classes = vectorizer, list(classes)

    def __call__(self, texts: Texts) -> list[str]:
        """The most likely label of each text."""
        return list(self.classify(texts)["label"])

    def classify(self, texts: Texts) -> Answers:
        """Label, probabilities, classes and the share of unknown tokens of each text.

        Returns:
            `label` objects (B,); `probabilities` float32 (B, C); `classes` objects (B, C);
            `unknown_share` float32 (B,).
        """
        return self.answers(self._classify, text=texts)

    def _classify(self, text: list[Text]) -> Answers:
        model = self.graph("model")
        features, unknown = self._read(text)
        logits = model({next(iter(model.inputs)): features})["logits"]
        probabilities = softmax(logits)
        names = strings(self.classes)
        return {
            "label": names[np.argmax(probabilities, axis=-1)],
            "probabilities": probabilities,
            "classes": np.tile(names[None], [len(text), 1]),
            "unknown_share": unknown,
        }

    def _read(self, texts: list[Text]) -> tuple[np.ndarray, np.ndarray]:
        """The model's input for texts, and each one's fraction of unknown tokens, (B,)."""
        vectorizer = self.vectorizer
        if isinstance(vectorizer, NgramVectorizer):
            features = vectorizer([shortened(text) for text in texts])
            return features, np.zeros(len(texts), np.float32)
        most = max(TEXT, 16 * vectorizer.max_length)
        tokens = vectorizer.tokens([shortened(text, most, vectorizer.truncation) for text in texts])
        ids = [vectorizer.vocabulary.ids(row) for row in tokens]
        unknown = [[each == UNK for each in row] for row in ids]
        return padded(vectorizer.ids_of(tokens)), share(unknown)
