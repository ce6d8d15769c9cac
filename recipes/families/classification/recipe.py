"""`ClassificationRecipe`: a text in, one label out."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import keras
import tensorflow as tf

from recipes import confusions
from recipes.asking import ask
from recipes.data import labelled
from recipes.data.items import Example
from recipes.data.splits import Splits
from recipes.families.classification import scoring
from recipes.families.labelled import CLASSES, LabelledRecipe
from recipes.predictions import Measured
from recipes.recipe import Prepared
from recipes.run_files import read_labels
from recipes.training import loop, optimizers
from zoo.errors import InputError
from zoo.pipelines import Classifier, Pipeline

Pairs = Sequence[tuple[str, str]]  # texts and labels


class ClassificationRecipe(LabelledRecipe):
    """A recipe whose model classifies texts.

    A subclass defines the vectorizer and optionally a built-in corpus; one with other sources of
    data overrides `load`.
    """

    sized_by_data = {"vocabulary_size": 4, "num_classes": 2}
    metric = "accuracy"

    def corpus(self, seed: int) -> Any:
        """Generates the built-in corpus: pairs of text and label of train, validation and test."""
        raise InputError(f"{self.name} has no built-in data: give --data")

    def load(self, data: Any, whole: bool = False) -> Any:
        """Loads the texts and labels that `data.data` names."""
        return labelled.load(data, lambda: Splits.of(Example, self.corpus(data.split_seed)), whole)

    def compile(self, model: keras.Model, config: Any, prepared: Prepared) -> None:
        """Compiles softmax cross-entropy, with accuracy as a metric."""
        model.compile(
            optimizers.optimizer(config, len(prepared.batches["train"])),
            keras.losses.SparseCategoricalCrossentropy(from_logits=True),
            metrics=["accuracy"],
        )

    def validate(self, model: keras.Model, config: Any, prepared: Prepared) -> dict[str, float]:
        """Accuracy and loss."""
        found, _ = scoring.score(model, prepared.batches["validation"], prepared.classes)
        return {name: found[name] for name in ("accuracy", "loss")}

    def evaluate(
        self, model: keras.Model, config: Any, prepared: Prepared, directory: Path
    ) -> dict[str, Any]:
        """Returns metrics of validation and test; writes the confusions of test."""
        found = {}
        for split in ("validation", "test"):
            found[split], confusion = scoring.score(
                model, prepared.batches[split], prepared.classes
            )
        confusions.write(confusion, prepared.classes, directory)
        return found

    def measure(
        self, model: keras.Model, config: Any, splits: Splits[Any], directory: Path
    ) -> Measured:
        """Returns the metrics of the test split, and the prediction for each text."""
        batches = self.test_batches(config, splits, directory)
        logits, classes = loop.predict(model, batches), read_labels(directory / CLASSES)
        titles = [self.title(example) for example in splits.test]
        return scoring.measured(logits, batches.encoded.labels, titles, classes)

    def pipeline(self, model: keras.Model, config: Any, directory: Path) -> Pipeline:
        """Returns the pipeline from texts to labels."""
        vectorizer = self.load_text_path(self.data_of(config), directory)
        return Classifier(model, vectorizer, read_labels(directory / CLASSES))

    def answer(self, signatures: Any, texts: Sequence[str], options: Any) -> list[dict[str, Any]]:
        """Returns a dict per text: `text`, `label`, `probabilities`, `unknown_share`."""
        outputs = ask(signatures, "serving_default", text=tf.constant(texts, tf.string))
        return [
            {
                "text": text,
                "label": outputs["label"][row].decode(),
                "probabilities": {
                    name.decode(): float(share)
                    for name, share in zip(
                        outputs["classes"][row], outputs["probabilities"][row], strict=True
                    )
                },
                "unknown_share": float(outputs["unknown_share"][row]),
            }
            for row, text in enumerate(texts)
        ]

    def format_answer(self, row: dict[str, Any]) -> str:
        """Formats label, probability and the beginning of the text."""
        text = " ".join(row["text"].split())
        shown = text if len(text) <= 100 else text[:99] + "…"
        return f"{row['label']}  {max(row['probabilities'].values()):.3f}  {shown}"
