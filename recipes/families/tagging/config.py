"""The options of the recipes that tag tokens."""

from dataclasses import dataclass

from recipes.config import TrainingConfig, option
from recipes.data.tagged import TaggedColumns
from zoo.layers.characters import WITH_CNN, WITH_LETTERS

WIDTHS = "Letters that each convolution of cnn reads, with commas between: 2,3,4."


@dataclass(frozen=True)
class TaggingData(TaggedColumns):
    """How words become numbers, and pretraining on unlabelled text."""

    min_count: int = option(1, "Occurrences in train that a word needs to be in the vocabulary.")
    max_letters: int = option(20, "Letters read of a word at most.", only_if=WITH_LETTERS)
    vectors: str = option("", "File of pretrained word vectors: GloVe or word2vec text, also .gz.")
    unlabelled: str = option(
        "", "Unlabelled text for pretraining a language model: paths or tfds:NAME."
    )
    unlabelled_limit: int = option(
        30_000_000, "Characters read of each unlabelled text at most; 0 = all."
    )
    text_column: str = option("text", "Tfds feature of the unlabelled text.")
    context: str = option("", "Folder of a run whose language model is reused unchanged.")
    context_units: int = option(256, "Hidden size of each direction of the language model.")
    context_epochs: int = option(1, "Epochs of the language model.")
    context_words: int = option(30_000, "Words that the language model knows at most.")
    chosen_by: str = option(
        "", "Folder of a run whose options and epoch are used to train on train and validation."
    )
    # of the language model that is trained on unlabelled text
    seed: int = option(0, "")
    clip_norm: float = option(1.0, "")
    weight_decay: float = option(0.0, "")


@dataclass(frozen=True)
class TaggingConfig(TrainingConfig, TaggingData):
    """All options of the recipes that tag tokens."""

    epochs: int = TrainingConfig.with_default("epochs", 20)
    patience: int = TrainingConfig.with_default("patience", 5)
    batch_size: int = option(32, "Sentences per step.")
    learning_rate: float = TrainingConfig.with_default("learning_rate", 2e-3)
    decay: str = TrainingConfig.with_default("decay", "cosine")
    auxiliary_weight: float = option(0.3, "Weight of the loss of each kind of further tags.")
    neighbour_weight: float = option(0.05, "Weight of the loss of the words on each side.")
    train_vectors: bool = option(False, "Train the pretrained vectors, too.")
    architecture: str = TrainingConfig.with_default("architecture", "many_to_many")
    character_widths: str = option("3", WIDTHS, only_if=WITH_CNN)

    def __post_init__(self) -> None:
        """Takes columns given as numbers, as runs of earlier versions stored them."""
        for name in ("token_column", "tag_column"):
            value = getattr(self, name)
            if isinstance(value, int) and not isinstance(value, bool):
                object.__setattr__(self, name, str(value))
        super().__post_init__()


MODEL = {
    "bidirectional": True,
    "characters": "cnn",
    "casing_dim": 8,
    "head": "crf",
    "dropout": 0.5,
    "word_dropout": 0.05,
    "rare_dropout": 0.5,
}
