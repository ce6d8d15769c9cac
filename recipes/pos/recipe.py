"""The recipe `pos`: a sentence in, parts of speech out."""

from recipes.corpora.parts_of_speech import corpus
from recipes.data import tagged
from recipes.data.items import Sentence
from recipes.data.splits import Splits
from recipes.families.tagging import TaggingRecipe, chosen
from recipes.families.tagging.config import TaggingData
from recipes.pos.config import BUILTIN, MODEL, PosConfig
from recipes.registry import register


@register
class PosRecipe(TaggingRecipe):
    """Tags each token; compared by accuracy."""

    name = "pos"
    config = PosConfig
    data_options = TaggingData
    model_defaults = MODEL
    builtin = BUILTIN
    note = (
        "It learned generated sentences, many of whose words are made up, and knows {known} words. "
        "Train on real sentences before you use it: python -m recipes pos --data mine.conllu"
    )
    corpus_examples = corpus.EXAMPLES

    def objective(self, config: PosConfig) -> str:
        """Returns accuracy."""
        return "accuracy"

    def load(self, options: TaggingData, whole: bool = False) -> Splits[Sentence]:
        """Loads the tagged sentences."""
        splits = tagged.load(
            options, lambda: Splits.of(Sentence, corpus.generate()), ("upos", "pos", "xpos"), whole
        )
        return splits if whole else chosen.joined(splits, options.chosen_by)
