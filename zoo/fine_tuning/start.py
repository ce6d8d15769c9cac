"""A pretrained pipeline as the start of a training: its vocabulary, its labels and its weights."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

import keras
import numpy as np

from zoo import blueprint
from zoo.architectures.context import PREFIX
from zoo.errors import InputError
from zoo.fine_tuning.weights import Growth, give_weights, weights_of


@dataclass(frozen=True)
class SizedBy:
    """Which sizes of a pipeline's model follow from its text paths and its labels.

    Attributes:
        words: By the name of the text path: the builder's option that is its vocabulary's size, and
            the layers with tables of that size.
        labels: The pipeline's option that lists its labels; "" without any.
        label_option: The builder's option that is their number.
        label_tables: The layers with a row for each label, which can get more rows; without any,
            other labels need a new head.
    """

    words: Mapping[str, tuple[str, Sequence[str]]]
    labels: str = ""
    label_option: str = ""
    label_tables: Sequence[str] = ()


@dataclass(frozen=True)
class Start:
    """A pretrained pipeline.

    Attributes:
        pipeline: The name of its class.
        sized_by: Which sizes of the model follow from text paths and labels.
        text_paths: The text paths by name.
        labels: The labels or tags in the order of their ids; empty without any.
        weights: The weights of each layer, as `weights_of` returns them.
        plan: The options with which `zoo.build` made the model; empty if unknown.
    """

    pipeline: str
    sized_by: SizedBy
    text_paths: Mapping[str, Any]
    labels: Sequence[str]
    weights: dict[str, list[tuple[str, np.ndarray]]]
    plan: Mapping[str, Any]

    @classmethod
    def of(cls, pipeline: Any, **more: Any) -> Self:
        """The start that a pipeline is."""
        plan = blueprint.of(pipeline.model)
        return cls(
            type(pipeline).__name__,
            pipeline.sized_by,
            pipeline.text_paths,
            pipeline.options.get(pipeline.sized_by.labels, []),
            weights_of(pipeline.model),
            plan.options if plan else {},
            **more,
        )

    def extended(self, name: str, learned: Any) -> Any:
        """The text path `name` with the tokens of the one that was learned from the new data.

        Raises:
            InputError: The pipeline has none, or one that reads texts in another way.
        """
        if name not in self.text_paths:
            raise InputError(
                f"the pretrained model is a {self.pipeline}, which reads no such texts: start from "
                "a model of the same kind of recipe"
            )
        return self.text_paths[name].extended(learned)

    def labels_for(self, found: Sequence[str]) -> list[str]:
        """The labels of the new model, for those that were found in the new data.

        The pretrained ones keep their places, and new ones follow, where labels have rows in
        a table. Else they are the pretrained ones if they include all that were found, or these.
        """
        if self.sized_by.label_tables:
            return list(dict.fromkeys([*self.labels, *found]))
        return list(self.labels if set(found) <= set(self.labels) else found)

    def growths(self, text_paths: Mapping[str, Any], labels: Sequence[str]) -> list[Growth]:
        """The tables of a new model with these text paths and labels."""
        found = []
        for name, (_, layers) in self.sized_by.words.items():
            before, after = self.text_paths[name], text_paths[name]
            if hasattr(after, "vocabulary"):  # hashed n-grams have none
                sizes = len(before.vocabulary), len(after.vocabulary)
                found += [Growth(layers, *sizes), Growth((f"{PREFIX}embedding",), *sizes, True)]
            if hasattr(after, "letters"):
                sizes = len(before.letters), len(after.letters)
                found += [Growth(("characters",), *sizes)]
                found += [Growth((f"{PREFIX}characters",), *sizes, True)]
        if self.sized_by.label_tables:
            found.append(Growth(self.sized_by.label_tables, len(self.labels), len(labels)))
        return found

    def context(self, path: Any) -> dict[str, Any] | None:
        """The sizes of the language model that a tagger reads, for its new text path; or None.

        Raises:
            InputError: The model does not say which sizes its language model has.
        """
        sizes = self.plan.get("context")
        if not any(layer.startswith(PREFIX) for layer in self.weights):
            return None
        if not sizes:
            raise InputError(
                "the pretrained model has a language model inside, whose sizes are unknown, since "
                "an earlier version trained it: train it again"
            )
        letters = len(path.letters)
        changes = {"vocabulary_size": len(path.vocabulary), "character_vocabulary_size": letters}
        return {**sizes, **changes}

    def has_new_head(self, model: keras.Model, labels: Sequence[str]) -> bool:
        """Whether the head is new: other labels, or a CRF in one of the models alone."""
        if self.sized_by.label_tables:
            return False
        has_crf = any(layer.name == "crf" for layer in model.layers)
        return has_crf != ("crf" in self.weights) or list(labels) != list(self.labels)

    def give(
        self, model: keras.Model, text_paths: Mapping[str, Any], labels: Sequence[str]
    ) -> None:
        """Copies the weights into a built model with these text paths and labels.

        Raises:
            InputError: A layer or a size differs, or the sampling rate of waveforms.
        """
        plan = blueprint.of(model)
        rates = [each.get("sample_rate") for each in (plan.options if plan else {}, self.plan)]
        if self.plan.get("features") == "log_mel" and rates[0] != rates[1]:
            raise InputError(
                f"the recordings have {rates[0]} samples per second, those of the pretrained model "
                f"{rates[1]}: convert them"
            )
        new_head = self.has_new_head(model, labels)
        give_weights(self.weights, model, self.growths(text_paths, labels), new_head)

    def width_of(self, layer: str, weight: str) -> int:
        """The last axis of a layer's weight; 0 if the model has none of that name."""
        for path, values in self.weights.get(layer, []):
            if path.endswith(f"/{weight}"):
                return int(values.shape[-1])
        return 0
