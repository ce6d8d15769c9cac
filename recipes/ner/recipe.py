"""The recipe `ner`: a sentence in, named entities out."""

from recipes.corpora.entities import corpus
from recipes.data import tagged
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
    """Tags spans by a scheme of choice; compared by entity F1."""

    name = "ner"
    config = NerConfig
    data_options = NerData
    model_defaults = MODEL
    builtin = BUILTIN
    note = (
        "It learned generated sentences about persons, cities and products and knows {known} "
        "words. Train on real sentences before you use it: rnn-zoo all ner --data mine.conll"
    )
    metric = "entity_f1"
    texts_to_try = corpus.EXAMPLES

    def shifts(self, config: NerConfig) -> tuple[float, ...]:
        """Returns 0 to 4 nats, or without calibration the shift of the options."""
        return SHIFTS if config.calibrate else (config.shift,)

    def check(self, config: NerConfig) -> None:
        """Rejects an unknown scheme, a shift with calibration, and options that build no model."""
        require_choice("scheme", config.scheme, SCHEMES)
        if config.shift and config.calibrate:
            raise InputError(
                f"shift must be 0 with --calibrate, got {config.shift:g}: add --no-calibrate"
            )
        super().check(config)

    def load(self, options: NerData, whole: bool = False) -> Splits[Sentence]:
        """Loads the sentences, with their tags in the scheme of the options."""
        splits = tagged.load(
            options, lambda: Splits.of(Sentence, corpus.generate()), ("ner", "tags"), whole
        )
        splits = data.in_scheme(splits, options.scheme)
        return splits if whole else chosen.joined(splits, options.chosen_by)
