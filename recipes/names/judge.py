"""The judge of generated names: a classifier of the recipe `origin` predicts their class."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import keras
import numpy as np

from recipes.data.items import Example
from recipes.data.splits import Splits
from recipes.families.writing.config import WritingConfig
from recipes.origin.recipe import OriginRecipe
from recipes.run_files import record_new
from recipes.training import checkpoint, loop
from recipes.training.checkpoint import Progression
from zoo.pipelines import Classifier
from zoo.system import durable

# as accurate on validation as the defaults of `origin`, in a fraction of the time
QUICK: dict[str, Any] = {
    "epochs": 8,
    "patience": 8,
    "batch_size": 128,
    "learning_rate": 8e-3,
    "units": 128,
    "dropout": 0.4,
}


@dataclass(frozen=True)
class Judge:
    """A classifier of names.

    Attributes:
        classifier: Classifier of names with C labels.
        shares: float (C,), the fraction of each class in its training split.
    """

    classifier: Classifier
    shares: np.ndarray

    @property
    def classes(self) -> list[str]:
        """The C labels."""
        return self.classifier.classes

    def __call__(self, names: Sequence[str], fair: bool) -> list[str]:
        """Predicts the class of each name.

        If `fair`, with a uniform prior over classes, as for an equal number of names generated per
        class: the probabilities are divided by `shares`. Otherwise the prior is that of train.
        """
        probabilities = self.classifier.classify(names)["probabilities"]
        best = (probabilities / self.shares if fair else probabilities).argmax(axis=-1)
        return [self.classes[number] for number in best]


def trained(config: WritingConfig, splits: Splits[Example], directory: Path) -> Judge:
    """Trains the judge on the run's training split, or loads it if it is trained."""
    recipe = OriginRecipe()
    own = recipe.configured({"data": config.data, "seed": config.seed, **QUICK})
    durable.make_folder(directory)
    prepared = recipe.prepare(recipe.data_of(own), splits, directory)
    record_new(directory)
    stored = checkpoint.load(directory / "checkpoints")
    if not stored:
        keras.utils.set_random_seed(config.seed)
    model, progression = stored or (recipe.build(own, prepared), Progression())
    print(f"the judge, {own.architecture} over letter n-grams:", flush=True)
    loop.train(
        model,
        recipe.epochs(model, own, prepared),
        lambda trained: recipe.validate(trained, own, prepared),
        own,
        directory,
        progression,
    )
    best = checkpoint.load_best(directory / "checkpoints")
    counts = np.bincount(prepared.batches["train"].encoded.labels)
    classifier = Classifier(best, prepared.text_path, prepared.classes)
    return Judge(classifier, counts / counts.sum())
