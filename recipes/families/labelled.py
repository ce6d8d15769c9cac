"""`LabelledRecipe`: texts or series with a label each, as numbers."""

import abc
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from recipes import pretrained
from recipes.config import write_json
from recipes.data.splits import Splits
from recipes.pretrained import Pretrained
from recipes.recipe import Prepared, Recipe
from recipes.run_files import read_labels
from recipes.training.batches import Encoded, SequenceBatches, bucket_lengths, summary
from zoo.errors import InputError

CLASSES = "classes.json"


class LabelledRecipe(Recipe):
    """A recipe of labelled texts or series: a model reads them, or writes texts.

    A subclass defines what turns a text into numbers; one of other examples overrides `learn`,
    `extend`, `encode` and `title`.

    Attributes:
        path_name: The name of the pipeline's text path.
    """

    starts_from_pretrained = True
    path_name: ClassVar[str] = "vectorizer"

    @abc.abstractmethod
    def learn_text_path(self, data: Any, texts: Sequence[str], directory: Path) -> None:
        """Learns the vectorizer from the training texts and writes it into the folder."""

    @abc.abstractmethod
    def load_text_path(self, data: Any, directory: Path) -> Any:
        """Loads the vectorizer of a run."""

    def prepare(self, data: Any, splits: Splits[Any], directory: Path) -> Prepared:
        """Encodes the splits with the run's vocabulary, which is learned if it has none."""
        if not (directory / CLASSES).exists():  # it is written last
            self.learn(data, splits.train, directory)
            labels = sorted({example.label for example in splits.train})
            if data.init:
                start = pretrained.of(data.init)
                self.extend(start, data, directory)
                labels = start.labels_for(labels)
            write_json(directory / CLASSES, labels)
        vectorizer = self.load_text_path(data, directory)
        classes = read_labels(directory / CLASSES)
        rows = splits.encoded(lambda examples: self.encode(vectorizer, examples), lambda one: one)
        encoded = {
            name: Encoded(rows[name], label_ids(classes, part))
            for name, part in splits.parts().items()
        }
        lengths = encoded["train"].lengths
        batches = {name: self.batched(data, each, lengths) for name, each in encoded.items()}
        text = self.summarized(vectorizer, classes, batches["train"])
        return Prepared(splits, batches, vectorizer, classes, text)

    def learn(self, data: Any, examples: Sequence[Any], directory: Path) -> None:
        """Learns the vectorizer from the training examples."""
        self.learn_text_path(data, [example.text for example in examples], directory)

    def extend(self, start: Pretrained, data: Any, directory: Path) -> None:
        """Extends the pretrained model's vocabulary by the one that has just been learned."""
        learned = self.load_text_path(data, directory)
        start.extended(self.path_name, learned).save(directory, "vocabulary")

    def encode(self, vectorizer: Any, examples: Sequence[Any]) -> list[np.ndarray]:
        """Returns each example as numbers, without padding."""
        rows: list[np.ndarray] = vectorizer.encode([example.text for example in examples])
        return rows

    def title(self, example: Any) -> str:
        """Returns what predictions are listed by: the text."""
        text: str = example.text
        return text

    def batched(self, data: Any, encoded: Encoded, lengths: np.ndarray) -> SequenceBatches:
        """Returns the batches of a split, padded to bucket lengths chosen for `lengths`."""
        return SequenceBatches(encoded, data.batch_size, bucket_lengths(lengths, data.buckets))

    def summarized(self, vectorizer: Any, classes: Sequence[str], train: SequenceBatches) -> str:
        """Returns the line about the data that is printed before training."""
        return summary(len(classes), len(vectorizer.vocabulary), train)

    def sizes(self, prepared: Prepared) -> dict[str, Any]:
        """Returns the sizes of the vocabulary and of the set of labels."""
        known = len(prepared.text_path.vocabulary)
        return {"vocabulary_size": known, "num_classes": len(prepared.classes)}

    def test_batches(self, config: Any, splits: Splits[Any], directory: Path) -> SequenceBatches:
        """Returns the batches of the test split of any data, as the run's model takes them."""
        data = self.data_of(config)
        rows = self.encode(self.load_text_path(data, directory), splits.test)
        encoded = Encoded(rows, label_ids(read_labels(directory / CLASSES), splits.test))
        return self.batched(data, encoded, encoded.lengths)


def label_ids(classes: Sequence[str], examples: Sequence[Any]) -> np.ndarray:
    """Returns the class ids of examples, int32 (N,), for a run's labels in the order of their ids.

    Raises:
        InputError: A label is not among the classes, such as one that was added to the data after
            the run had started.
    """
    ids = {label: number for number, label in enumerate(classes)}
    unknown = Counter(example.label for example in examples if example.label not in ids)
    if unknown:
        (label, count), *_ = unknown.most_common(1)
        known = ", ".join(map(repr, classes[:10])) + (", ..." if len(classes) > 10 else "")
        raise InputError(
            f"{count} of the examples have the label {label!r}, which this run's model does not "
            f"know, expected one of {known}: use the data that the run was trained on, correct the "
            "label, or train a new run"
        )
    return np.array([ids[example.label] for example in examples], np.int32)
