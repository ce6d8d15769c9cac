"""Sentences -> ids -> a compiled tagger: what `train` needs, the same for every tagging recipe."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any

import keras
import numpy as np

import zoo
from recipes.config import whole_numbers, write_json
from recipes.data.sentences import TaggedSplits
from recipes.families.tagging import context
from recipes.families.tagging.batching import EncodedSentences, TagBatches
from recipes.families.tagging.config import TaggingConfig
from recipes.families.tagging.data import further_tags, names_of
from recipes.run_files import read_labels
from recipes.training import optimizers
from recipes.training.batches import bucket_lengths, summary
from recipes.training.epochs import settled
from zoo.architectures.many_to_many import NEIGHBOURS, TaggingModel
from zoo.errors import InputError
from zoo.layers import CRFLoss
from zoo.losses import IGNORED, TokenCrossentropy
from zoo.text import (
    BOS,
    EOS,
    SPECIAL,
    UNK,
    TokenVectorizer,
    Vocabulary,
    allowed_transitions,
    detected,
    load_vectors,
)
from zoo.text.tag_schemes import is_span_tag
from zoo.text.vectors import WordVectors, table

MODEL_OPTIONS = (
    "cell",
    "units",
    "num_layers",
    "bidirectional",
    "merge_mode",
    "embedding_dim",
    "characters",
    "character_dim",
    "character_units",
    "character_dropout",
    "rare_dropout",
    "affix_dim",
    "casing_dim",
    "dense_layers",
    "head",
    "dropout",
    "input_dropout",
    "recurrent_dropout",
    "word_dropout",
)


@dataclass(frozen=True)
class Prepared:
    """What the verbs work with."""

    splits: TaggedSplits
    vectorizer: TokenVectorizer
    classes: list[str]
    batches: dict[str, TagBatches]
    scheme: str | None
    vectors: WordVectors | None
    counts: list[int]  # of the words that train has, in the order of their ids
    shifts: tuple[float, ...] = (0.0,)  # of the score of O, the best of which is taken
    auxiliary: dict[str, int] = field(default_factory=dict)  # further tags: how many there are
    validates: bool = True  # whether the validation split is kept apart from train
    context: Path | None = None  # the folder of the language model that is looked at

    @property
    def summary(self) -> str:
        """What is told of the data before training."""
        return summary(len(self.classes), len(self.vectorizer.vocabulary), self.batches["train"])


def check(config: TaggingConfig) -> None:
    """Builds a tiny model: wrong options show before the data is read."""
    config = settled(config, 1)
    for name in ("auxiliary_weight", "neighbour_weight"):
        if getattr(config, name) < 0:
            raise InputError(f"{name} must be at least 0, got {getattr(config, name)}")
    auxiliary = dict.fromkeys(names_of(config.auxiliary), 2)
    _model(
        config,
        vocabulary_size=len(SPECIAL),
        letters=len(SPECIAL),
        classes=["O", "B-x"],
        auxiliary=auxiliary,
        context={"vocabulary_size": len(SPECIAL)} if context.wanted(config) else None,
    )


def prepare(
    config: TaggingConfig,
    splits: TaggedSplits,
    directory: Path,
    shifts: tuple[float, ...] = (0.0,),
) -> Prepared:
    """Turns the data to ids, with the run's own vocabularies if it has them already."""
    config = settled(config, len(splits.train))
    vectors = load_vectors(Path(config.vectors)) if config.vectors else None
    around = context.folder_of(config, directory)
    if (directory / "tags.json").exists():
        vectorizer, classes = load_text_path(config, directory)
    else:
        context.ready(config, splits.train, directory)
        vectorizer = TokenVectorizer.learn(
            [sentence.tokens for sentence in splits.train],
            min_count=config.min_count,
            extra=(*(vectors.words if vectors else ()), *context.words_of(around)),
            max_letters=config.max_letters,
        )
        classes = sorted({tag for sentence in splits.train for tag in sentence.tags})
        vectorizer.vocabulary.save(directory / "vocabulary.txt")
        vectorizer.letters.save(directory / "letters.txt")
        write_json(directory / "tags.json", classes)
    parts = {name: getattr(splits, name) for name in ("train", "validation", "test")}
    rows = iter(vectorizer.encode([s.tokens for part in parts.values() for s in part]))
    encoded = {
        name: EncodedSentences(list(islice(rows, len(part))), _ids(classes, [s.tags for s in part]))
        for name, part in parts.items()
    }
    others = further_tags(names_of(config.auxiliary), splits.train)
    encoded["train"].others.update(
        {
            name: _ids(tags, [sentence.others[place] for sentence in splits.train])
            for place, (name, tags) in enumerate(others.items())
        }
    )
    if config.neighbour_words:
        beside = neighbours(encoded["train"].rows, config.neighbour_words)
        sides = " and ".join(side.replace("_", " ") for side in _sides(config))
        print(f"learned beside: {sides}, of {config.neighbour_words:,} words", flush=True)
        encoded["train"].others.update({side: beside[side] for side in _sides(config)})
    lengths = bucket_lengths(encoded["train"].lengths, config.buckets)
    taken = _taken(config)
    batches = {
        name: TagBatches(split, config.batch_size, lengths, taken)
        for name, split in encoded.items()
    }
    counts = vectorizer.counts([sentence.tokens for sentence in splits.train])
    scheme = scheme_of(splits)
    sizes = {name: len(tags) for name, tags in others.items()}
    return Prepared(
        splits,
        vectorizer,
        classes,
        batches,
        scheme,
        vectors,
        counts,
        shifts=shifts,
        auxiliary=sizes,
        validates=not config.chosen_by,
        context=around,
    )


def scheme_of(splits: TaggedSplits) -> str | None:
    """The scheme by which train's tags mark spans; None for tags such as parts of speech.

    Tags without a type (`B`, `I`, `O`) mark spans as those with one do. A split with a tag that
    marks no span, `NOUN`, makes all tags plain: spans could not be counted there.

    Raises:
        InputError: Train's tags have types, but keep to no scheme.
    """
    others = [sentence.tags for sentence in (*splits.validation, *splits.test)]
    found = detected([sentence.tags for sentence in splits.train])
    return found if all(is_span_tag(tag) for tags in others for tag in tags) else None


def prepare_test(config: TaggingConfig, splits: TaggedSplits, directory: Path) -> Prepared:
    """The test split alone as numbers, with the run's own vocabularies: for measuring."""
    vectorizer, classes = load_text_path(config, directory)
    rows = vectorizer.encode([sentence.tokens for sentence in splits.test])
    encoded = EncodedSentences(rows, _ids(classes, [sentence.tags for sentence in splits.test]))
    lengths = bucket_lengths(encoded.lengths, config.buckets)
    batches = {"test": TagBatches(encoded, config.batch_size, lengths, _taken(config))}
    return Prepared(splits, vectorizer, classes, batches, scheme=None, vectors=None, counts=[])


def _taken(config: TaggingConfig) -> tuple[str, ...]:
    """The inputs of the model."""
    around = context.wanted(config)
    spelt = config.characters != "none" or config.affix_dim or around
    letters = ("character_ids",) if spelt else ()
    return ("token_ids", *letters, *(("casing_ids",) if config.casing_dim or around else ()))


def _sides(config: TaggingConfig) -> tuple[str, ...]:
    """The neighbours that the model learns beside the tags."""
    if not config.neighbour_words:
        return ()
    return NEIGHBOURS if config.bidirectional else NEIGHBOURS[:1]


def neighbours(rows: Sequence[dict[str, np.ndarray]], words: int) -> dict[str, list[np.ndarray]]:
    """The ids of the words beside each token of each sentence.

    Args:
        rows: Sentences with `token_ids` (T,).
        words: N; ids from N up become UNK.

    Returns:
        `next_word`, EOS behind the last token, and `previous_word`, BOS before the first: int32
        (T,) for each sentence.
    """
    ids = [np.where(row["token_ids"] < words, row["token_ids"], UNK) for row in rows]
    sides = ([np.append(row[1:], EOS) for row in ids], [np.append(BOS, row[:-1]) for row in ids])
    return {
        name: [row.astype(np.int32) for row in side]
        for name, side in zip(NEIGHBOURS, sides, strict=True)
    }


def load_text_path(config: TaggingConfig, directory: Path) -> tuple[TokenVectorizer, list[str]]:
    """The vectorizer and the tags of a run."""
    vectorizer = TokenVectorizer(
        Vocabulary.load(directory / "vocabulary.txt"),
        Vocabulary.load(directory / "letters.txt"),
        max_letters=config.max_letters,
    )
    classes = read_labels(directory / "tags.json")
    return vectorizer, classes


def _ids(classes: Sequence[str], tags: Iterable[Sequence[str]]) -> list[np.ndarray]:
    """Each sentence's tags as numbers, -1 for one that is not among the classes."""
    ids = {tag: number for number, tag in enumerate(classes)}
    return [np.array([ids.get(tag, IGNORED) for tag in row], np.int32) for row in tags]


def build(config: TaggingConfig, prepared: Prepared) -> keras.Model:
    """The model, compiled, with the pretrained vectors in its table."""
    config = settled(config, len(prepared.splits.train))
    vocabulary, vectors = prepared.vectorizer.vocabulary, prepared.vectors
    letters, around = len(prepared.vectorizer.letters), prepared.context
    model = _model(
        config,
        vocabulary_size=len(vocabulary),
        letters=letters,
        classes=prepared.classes,
        scheme=prepared.scheme,
        learned_size=len(prepared.counts),
        pretrained_dim=vectors.values.shape[1] if vectors else 0,
        auxiliary=prepared.auxiliary,
        context=context.options(around, len(vocabulary), letters) if around else None,
    )
    if around:
        context.take_over(model, prepared.vectorizer, around)
    embedding = TaggingModel.of(model).embedding
    if config.rare_dropout:
        embedding.set_counts(prepared.counts)
    if vectors:
        values, found = table(vectors, vocabulary)
        embedding.set_pretrained(values)
        print(
            f"vectors: {config.vectors}: {found:,} of {len(vocabulary):,} words found", flush=True
        )
    loss: Any = CRFLoss() if config.head == "crf" else TokenCrossentropy()
    weights = None
    beside = dict.fromkeys(prepared.auxiliary, config.auxiliary_weight)
    beside |= dict.fromkeys(_sides(config), config.neighbour_weight)
    if beside:
        loss = {"tags": loss, **{name: TokenCrossentropy() for name in beside}}
        weights = {"tags": 1.0, **beside}
    optimizer = optimizers.optimizer(config, len(prepared.batches["train"]))
    model.compile(optimizer, loss, loss_weights=weights)
    return model


def _model(
    config: TaggingConfig,
    *,
    letters: int,
    classes: list[str],
    scheme: str | None = None,
    **options: Any,
) -> keras.Model:
    options |= {name: getattr(config, name) for name in MODEL_OPTIONS}
    if config.head == "crf" and scheme:
        options["allowed"] = allowed_transitions(classes, scheme)
    if config.neighbour_words:
        options["neighbour_words"] = config.neighbour_words
    if config.train_vectors and not config.vectors:
        raise InputError("--train-vectors tunes pretrained vectors: give --vectors too")
    return zoo.build(
        config.architecture,
        num_tags=len(classes),
        character_vocabulary_size=letters,
        character_widths=whole_numbers("character_widths", config.character_widths),
        pretrained_trainable=config.train_vectors,
        **options,
    )
