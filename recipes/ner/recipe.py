"""The recipe `ner`: sentences -> named entities."""

from recipes.corpora.entities import corpus
from recipes.data.items import Sentence
from recipes.data.splits import Splits
from recipes.families.tagging import TaggingRecipe, chosen, data
from recipes.ner.config import BUILTIN, MODEL, NerConfig, NerData
from recipes.registry import register
from zoo.errors import InputError, require_choice
from zoo.text.tag_schemes import SCHEMES

SHIFTS = tuple(number / 4 for number in range(17))  # nats


@register
class NerRecipe(TaggingRecipe):
    """Tagging whose tags mark spans, by a scheme of choice; compared by entity F1."""

    name = "ner"
    config = NerConfig
    data_options = NerData
    model_defaults = MODEL
    builtin = BUILTIN
    note = (
        "It learned generated sentences about persons, cities and products and knows {known} "
        "words. Train on real sentences before you use it: python -m recipes ner --data mine.conll"
    )
    corpus_examples = corpus.EXAMPLES

    def objective(self, config: NerConfig) -> str:
        """Entity F1."""
        return "entity_f1"

    def shifts(self, config: NerConfig) -> tuple[float, ...]:
        """0 to 4 nats, or the one that is given."""
        return SHIFTS if config.calibrate else (config.shift,)

    def check(self, config: NerConfig) -> None:
        """Refuses an unknown scheme, a shift beside calibration, and what builds no model."""
        require_choice("scheme", config.scheme, SCHEMES)
        if config.shift and config.calibrate:
            raise InputError(
                f"shift {config.shift:g} is given and --calibrate finds another: add --no-calibrate"
            )
        super().check(config)

    def load(self, options: NerData, whole: bool = False) -> Splits[Sentence]:
        """The sentences, with their spans marked by the scheme in the options."""
        splits = data.load(
            options, lambda: data.from_pairs(corpus.generate()), ("ner", "tags"), whole
        )
        splits = data.in_scheme(splits, options.scheme)
        return splits if whole else chosen.joined(splits, options.chosen_by)
