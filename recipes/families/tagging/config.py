"""The options of the recipes that tag tokens."""

from dataclasses import dataclass

from recipes.config import DataOptions, TrainingConfig, option
from zoo.layers.characters import WITH_LETTERS


@dataclass(frozen=True)
class TaggingData(DataOptions):
    """Where tokens and tags are, how words become numbers, and pretraining on unlabelled text."""

    token_column: str = option(
        "0",
        "column of a CoNLL file that holds the token: its number from 0 or, with --header, its "
        "name; with commas: the first that a file has",
    )
    tag_column: str = option("-1", "column of a CoNLL file that holds the tag; -1 = the last")
    format: str = option(
        "", "of the files: conll (columns), conllu; by the ending .conllu if not given"
    )
    header: bool = option(False, "the first line of a CoNLL file names its columns")
    tokens_feature: str = option("", "tfds feature of the tokens; found by itself if not given")
    tags_feature: str = option("", "tfds feature (or upos, xpos of CoNLL-U) of the tags")
    auxiliary: str = option("", "further tags to learn beside: features (xpos,deprel) or columns")
    min_count: int = option(1, "times a word must occur in train to be known")
    max_letters: int = option(20, "letters read of a word, at most", only_if=WITH_LETTERS)
    vectors: str = option("", "file of pretrained word vectors: GloVe or word2vec text, also .gz")
    unlabelled: str = option("", "text that a language model reads first: paths, tfds:NAME")
    unlabelled_limit: int = option(30_000_000, "characters that are read of each, at most; 0 = all")
    text_column: str = option("text", "tfds feature that holds that text")
    context: str = option("", "folder of a run whose language model is taken over, unchanged")
    context_units: int = option(256, "hidden size of each direction of that language model")
    context_epochs: int = option(1, "passes of that language model over its text")
    chosen_by: str = option("", "folder of a run: its options and epoch; validation is trained on")
    # of the language model that is trained on unlabelled text
    seed: int = option(0, "")
    clip_norm: float = option(1.0, "")
    weight_decay: float = option(0.0, "")


@dataclass(frozen=True)
class TaggingConfig(TrainingConfig, TaggingData):
    """All options of the recipes that tag tokens."""

    epochs: int = option(20, "passes over the training split, at most")
    patience: int = option(5, "epochs without a better validation score before training stops")
    batch_size: int = option(32, "sentences a step")
    learning_rate: float = option(2e-3, "Adam's")
    decay: str = option("cosine", "how it falls to 0 over all epochs: none, linear, cosine")
    auxiliary_weight: float = option(0.3, "share of the loss of each of them that is added")
    neighbour_words: int = option(
        0, "the N most frequent words, as next and previous word, are learned beside; 0 = none"
    )
    neighbour_weight: float = option(0.05, "share of the loss of each side that is added")
    train_vectors: bool = option(False, "tune the pretrained vectors")
    architecture: str = option("many_to_many", "a name from `python -m zoo list`")
    cell: str = option("lstm", "recurrent cell, from `python -m zoo list`")
    units: int = option(128, "hidden size K of each direction")
    num_layers: int = option(1, "recurrent layers on top of each other")
    bidirectional: bool = option(True, "read each sentence in both directions")
    merge_mode: str = option("concat", "how two directions become one: concat, sum, ave, mul")
    embedding_dim: int = option(100, "size of a word's learned vector")
    characters: str = option("cnn", "what reads a word's letters: none, cnn, recurrent")
    character_dim: int = option(30, "size of a letter's vector")
    character_units: int = option(50, "size of what is made of a word's letters")
    character_widths: str = option("3", "letters that each of cnn's convolutions sees: 2,3,4")
    character_dropout: float = option(0.0, "share dropped from the letters' vectors")
    affix_dim: int = option(0, "size of the vector of each beginning and ending; 0 = none")
    casing_dim: int = option(8, "size of the vector for capitals and digits; 0 = none")
    dense_layers: int = option(0, "layers on top that see one token each")
    head: str = option("crf", "softmax, or crf: whole paths of tags")
    dropout: float = option(0.5, "share dropped from words' vectors and from states")
    input_dropout: float = option(0.0, "share of a layer's inputs dropped, one mask for all steps")
    recurrent_dropout: float = option(0.0, "share of the state dropped, one mask for all steps")
    word_dropout: float = option(0.05, "share of words read as unknown in training")
    rare_dropout: float = option(0.5, "a word seen n times is hidden with chance a / (a + n)")

    def __post_init__(self) -> None:
        """Takes columns given as numbers, as runs of earlier versions stored them."""
        for name in ("token_column", "tag_column"):
            value = getattr(self, name)
            if isinstance(value, int) and not isinstance(value, bool):
                object.__setattr__(self, name, str(value))
        super().__post_init__()
