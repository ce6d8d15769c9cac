"""The recipe `pos`: a sentence in, parts of speech out."""

from dataclasses import dataclass
from typing import ClassVar

from recipes.corpora.parts_of_speech import corpus
from recipes.data import tagged
from recipes.data.items import Sentence
from recipes.data.splits import Splits
from recipes.families.tagging import TaggingRecipe, chosen
from recipes.families.tagging.config import MODEL, TaggingConfig, TaggingData
from recipes.registry import register
from recipes.training.epochs import EpochRule


@dataclass(frozen=True)
class PosConfig(TaggingConfig):
    """Parts of speech: each token's tag by itself, after two layers in both directions."""

    RULE: ClassVar[EpochRule] = EpochRule(
        least=8, reference=12_500, patience=5, unit="training sentences"
    )


@register
class PosRecipe(TaggingRecipe):
    """Tags each token; compared by accuracy."""

    name = "pos"
    config = PosConfig
    data_options = TaggingData
    model_defaults = {
        **MODEL,
        "num_layers": 2,
        "head": "softmax",
        "dropout": 0.33,
        "character_units": 100,
    }
    builtin = {  # it has no noise: what keeps a network from learning by heart only slows it there
        "epochs": 5,
        "patience": 5,
        "units": 64,
        "num_layers": 1,
        "embedding_dim": 50,
        "dropout": 0.2,
        "decay": "none",
        "rare_dropout": 0.0,
    }
    note = (
        "It learned generated sentences, many of whose words are made up, and knows {known} words. "
        "Train on real sentences before you use it: rnn-zoo all pos --data mine.conllu"
    )
    metric = "accuracy"
    texts_to_try = corpus.EXAMPLES

    def load(self, options: TaggingData, whole: bool = False) -> Splits[Sentence]:
        """Loads the tagged sentences."""
        splits = tagged.load(
            options, lambda: Splits.of(Sentence, corpus.generate()), ("upos", "pos", "xpos"), whole
        )
        return splits if whole else chosen.joined(splits, options.chosen_by)
