"""The recipe `names`: a class in, new names of that class out."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import keras

from recipes.config import LabelledColumns
from recipes.corpora import surnames
from recipes.data import labelled
from recipes.data.items import Example
from recipes.data.splits import Splits
from recipes.families.writing import ConditionalWritingRecipe, samples
from recipes.families.writing.config import MODEL, WritingAnswers, WritingConfig
from recipes.families.writing.samples import Sample
from recipes.names import judge, quality
from recipes.recipe import Prepared
from recipes.registry import register
from zoo.pipelines import ConditionalWriter

LONGEST = 30  # letters per generated name at most, EOS included


@dataclass(frozen=True)
class NamesConfig(WritingConfig, LabelledColumns):
    """All options of the recipe."""


@register
class NamesRecipe(ConditionalWritingRecipe):
    """Generates names letter by letter."""

    name = "names"
    config = NamesConfig
    data_options = LabelledColumns
    model_defaults = MODEL
    builtin = {  # the corpus is small and has rules to follow
        "units": 128,
        "epochs": 30,
        "patience": 4,
        "batch_size": 64,
        "temperature": 1.0,
        "min_p": 0.0,
        "guidance": 0.0,
    }
    answering = WritingAnswers
    note = (
        "It writes names of invented nations ({classes}), not of real ones. Train on real names "
        "before you use it: rnn-zoo all names --data names.tsv --text-column name "
        "--label-column country"
    )

    def load(self, data: LabelledColumns, whole: bool = False) -> Splits[Example]:
        """Loads names and their classes, without duplicates."""
        found = labelled.load(
            data, lambda: Splits.of(Example, surnames.generate(data.split_seed)), whole
        )
        return found.map(lambda part: list(dict.fromkeys(part)))

    def evaluate(
        self, model: keras.Model, config: NamesConfig, prepared: Prepared, directory: Path
    ) -> dict[str, Any]:
        """Returns the metrics of validation, test and generated names.

        The judge's agreement on the real names of test is the reference for generated ones.
        """
        splits, classes = prepared.splits, prepared.classes
        found = self.losses(model, prepared)
        classify = judge.trained(config, splits, directory / "judge")
        shares = dict(zip(classify.classes, classify.shares.tolist(), strict=True))
        real = [Sample(example.label, example.text, True) for example in splits.test]
        found["test"] |= quality.agreement(real, classify, shares)
        writer = ConditionalWriter(model, prepared.text_path, classes)
        wanted = [label for label in classes for _ in range(config.samples)]
        names = samples.write(writer, wanted, config, LONGEST)
        train = [example.text for example in splits.train]
        others = [example.text for part in (splits.validation, splits.test) for example in part]
        written = quality.scores(names, train, others)
        written |= quality.agreement(names, classify, shares)
        if config.data == "builtin":
            written["rules_kept"] = quality.rules_kept(names)
        return {**found, "written": written}

    def examples(self, config: NamesConfig, prepared: Prepared) -> list[str]:
        """Returns a few classes."""
        return list(prepared.classes[:6])
