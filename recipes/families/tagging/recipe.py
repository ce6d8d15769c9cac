"""`TaggingRecipe`: a sentence in, one tag per token out."""

import dataclasses
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar

import keras
import numpy as np

from recipes import confusions, pretrained
from recipes.config import numbers, write_json
from recipes.data.items import Sentence
from recipes.data.splits import Splits
from recipes.data.tagged import names_of
from recipes.families.tagging import answers, chosen, context, scoring
from recipes.families.tagging.batches import EncodedSentences, TagBatches
from recipes.families.tagging.data import further_tags
from recipes.predictions import Measured
from recipes.recipe import OfModel, Prepared, Recipe
from recipes.run_files import read_labels
from recipes.training import optimizers
from recipes.training.batches import bucket_lengths, summary
from zoo.architectures.many_to_many import NEIGHBOURS, TaggingModel
from zoo.errors import InputError
from zoo.layers import CRFLoss
from zoo.losses import IGNORED, TokenCrossentropy
from zoo.metrics.tagging import entity_scores, token_accuracy
from zoo.pipelines import Tagger
from zoo.text import (
    BOS,
    EOS,
    SPECIAL,
    UNK,
    TokenVectorizer,
    allowed_transitions,
    detected,
    load_vectors,
)
from zoo.text.tag_schemes import OUTSIDE, is_span_tag
from zoo.text.vectors import WordVectors, table

TAGS = "tags.json"


@dataclass(frozen=True)
class PreparedSentences(Prepared):
    """Tagged sentences as numbers.

    Attributes:
        scheme: The tag scheme of spans, or None for plain tags.
        vectors: Pretrained vectors, or None.
        counts: Number of occurrences of each word in train, in the order of the ids.
        auxiliary: The number of tags of each further kind, by name.
        validates: Whether the validation split is not trained on.
        context: The folder of the language model whose states are inputs, or None.
        init: The pretrained model that the run starts from; "" for none.
    """

    scheme: str | None = None
    vectors: WordVectors | None = None
    counts: Sequence[int] = ()
    auxiliary: dict[str, int] = field(default_factory=dict)
    validates: bool = True
    context: Path | None = None
    init: str = ""


class TaggingRecipe(Recipe):
    """A recipe whose model tags each token."""

    sized_by_data: ClassVar[dict[str, Any]] = {
        "vocabulary_size": len(SPECIAL),
        "num_tags": 2,
        "learned_size": None,
        "pretrained_dim": 0,
        "pretrained_trainable": False,
        "character_vocabulary_size": len(SPECIAL),
        "allowed": None,
        "auxiliary": None,
        "context": None,
    }

    starts_from_pretrained = True
    text_options = ("max_letters",)

    def __init__(self) -> None:
        self._decoder = OfModel(scoring.decoder)

    def defaults(self, options: Any) -> dict[str, Any]:
        """Returns defaults for the built-in corpus, or the options of the run `chosen_by`."""
        if options.get("chosen_by"):
            return chosen.options(self.name, options["chosen_by"])
        return super().defaults(options)

    def data_of(self, config: Any) -> Any:
        """Returns the data options; those of pretraining are reset without unlabelled text."""
        data = super().data_of(config)
        if data.unlabelled:
            return data
        return dataclasses.replace(data, seed=0, clip_norm=0.0, weight_decay=0.0)

    def shifts(self, config: Any) -> tuple[float, ...]:
        """Returns the values, in nats, by which validation tries to lower the score of O."""
        return (0.0,)

    def model_options(self, config: Any) -> dict[str, Any]:
        """Returns the builder's options, with the widths of the convolutions as integers."""
        options = super().model_options(config)
        if config.train_vectors and not (config.vectors or config.init):
            raise InputError("--train-vectors tunes pretrained vectors: give --vectors too")
        if options.get("character_widths"):  # None until the size of the data is known
            widths = numbers("character_widths", config.character_widths)
            options["character_widths"] = widths
        return options

    def check(self, config: Any) -> None:
        """Rejects negative loss weights and options that build no model."""
        for name in ("auxiliary_weight", "neighbour_weight"):
            if getattr(config, name) < 0:
                raise InputError(f"{name} must be at least 0, got {getattr(config, name)}")
        if config.init and context.wanted(config):
            raise InputError(
                "--init starts from a whole tagger, also from the language model that it has: "
                "leave --unlabelled and --context out"
            )
        super().check(config)

    def model(self, config: Any, sizes: Any) -> keras.Model:
        """Builds the model; sizes that need data have placeholders before the data is read."""
        sizes = {**sizes, "pretrained_trainable": config.train_vectors}
        if sizes["auxiliary"] is None:
            sizes["auxiliary"] = dict.fromkeys(names_of(config.auxiliary), 2)
        if context.wanted(config) and sizes["context"] is None:
            sizes["context"] = {"vocabulary_size": len(SPECIAL)}
        if getattr(config, "head", "") != "crf":
            sizes["allowed"] = None
        return super().model(config, sizes)

    def prepare(self, data: Any, splits: Splits[Sentence], directory: Path) -> PreparedSentences:
        """Encodes the splits with the run's vocabularies, which are learned if it has none."""
        vectors = load_vectors(Path(data.vectors)) if data.vectors else None
        around = context.folder_of(data, directory)
        if not (directory / TAGS).exists():
            context.ready(data, splits.train, directory)
            self._learn(data, splits, vectors, around, directory)
        vectorizer, classes = self.load_text_path(data, directory)
        rows = splits.encoded(vectorizer.encode, lambda sentence: sentence.tokens)
        encoded = {
            name: EncodedSentences(rows[name], tag_ids(classes, [one.tags for one in part]))
            for name, part in splits.parts().items()
        }
        others = further_tags(names_of(data.auxiliary), splits.train)
        for place, (name, tags) in enumerate(others.items()):
            given = [sentence.others[place] for sentence in splits.train]
            encoded["train"].others[name] = tag_ids(tags, given)
        lengths = bucket_lengths(encoded["train"].lengths, data.buckets)
        batches = {
            name: TagBatches(split, data.batch_size, lengths) for name, split in encoded.items()
        }
        counts = vectorizer.counts([sentence.tokens for sentence in splits.train])
        if data.init:  # words of the pretrained model that train lacks have learned vectors, too
            counts += [0] * (len(vectorizer.vocabulary) - len(counts))
        return PreparedSentences(
            splits,
            batches,
            vectorizer,
            classes,
            summary(len(classes), len(vectorizer.vocabulary), batches["train"]),
            scheme=scheme_of(splits),
            vectors=vectors,
            counts=counts,
            auxiliary={name: len(tags) for name, tags in others.items()},
            validates=not data.chosen_by,
            context=around,
            init=data.init,
        )

    def _learn(
        self,
        data: Any,
        splits: Splits[Sentence],
        vectors: WordVectors | None,
        around: Path | None,
        directory: Path,
    ) -> None:
        """Learns and writes vocabulary, letters and tags, the tags last."""
        vectorizer = TokenVectorizer.learn(
            [sentence.tokens for sentence in splits.train],
            min_count=data.min_count,
            extra=(*(vectors.words if vectors else ()), *context.words_of(around)),
            max_letters=data.max_letters,
        )
        tags = sorted({tag for sentence in splits.train for tag in sentence.tags})
        if data.init:
            start = pretrained.of(data.init)
            vectorizer = start.extended("vectorizer", vectorizer)
            tags = start.labels_for(tags)
        vectorizer.save(directory, "vocabulary")
        write_json(directory / TAGS, tags)

    def load_text_path(self, data: Any, directory: Path) -> tuple[TokenVectorizer, list[str]]:
        """Loads the vectorizer and the tags of a run."""
        vectorizer = TokenVectorizer.load(directory, "vocabulary", max_letters=data.max_letters)
        return vectorizer, read_labels(directory / TAGS)

    def sizes(self, prepared: PreparedSentences) -> dict[str, Any]:
        """Returns the builder's arguments that follow from the data."""
        vocabulary, letters = (len(prepared.text_path.vocabulary), len(prepared.text_path.letters))
        around, scheme, vectors = prepared.context, prepared.scheme, prepared.vectors
        width = vectors.values.shape[1] if vectors else 0
        inside = context.options(around, vocabulary, letters) if around else None
        if prepared.init:
            start = pretrained.of(prepared.init)
            width = width or start.width_of("embedding", "pretrained")
            inside = start.context(prepared.text_path)
        return {
            "vocabulary_size": vocabulary,
            "num_tags": len(prepared.classes),
            "learned_size": len(prepared.counts),
            "pretrained_dim": width,
            "character_vocabulary_size": letters,
            "allowed": allowed_transitions(prepared.classes, scheme) if scheme else None,
            "auxiliary": prepared.auxiliary,
            "context": inside,
        }

    def compile(self, model: keras.Model, config: Any, prepared: PreparedSentences) -> None:
        """Sets pretrained weights and word counts; compiles tag and auxiliary losses."""
        if prepared.context:
            context.load_weights(model, prepared.text_path, prepared.context)
        embedding = TaggingModel.of(model).embedding
        if getattr(config, "rare_dropout", 0.0):
            embedding.set_counts(prepared.counts)
        if prepared.vectors:
            vocabulary = prepared.text_path.vocabulary
            values, found = table(prepared.vectors, vocabulary)
            embedding.set_pretrained(values)
            print(
                f"vectors: {config.vectors}: {found:,} of {len(vocabulary):,} words found",
                flush=True,
            )
        loss: Any = CRFLoss() if getattr(config, "head", "") == "crf" else TokenCrossentropy()
        weights = None
        auxiliary = dict.fromkeys(prepared.auxiliary, config.auxiliary_weight)
        auxiliary |= dict.fromkeys(_sides(model), config.neighbour_weight)
        if auxiliary:
            loss = {"tags": loss, **{name: TokenCrossentropy() for name in auxiliary}}
            weights = {"tags": 1.0, **auxiliary}
        optimizer = optimizers.optimizer(config, len(prepared.batches["train"]))
        model.compile(optimizer, loss, loss_weights=weights)

    def batches(
        self, model: keras.Model, config: Any, prepared: PreparedSentences, split: str
    ) -> TagBatches:
        """Returns batches with the model's inputs, and for train its auxiliary targets."""
        batches = prepared.batches[split].fitted(model)
        sides = _sides(model)
        if split != "train" or not sides:
            return batches
        shown = " and ".join(side.replace("_", " ") for side in sides)
        print(f"auxiliary targets: {shown}, of {config.neighbour_words:,} words", flush=True)
        words = neighbours(batches.encoded.rows, config.neighbour_words)
        others = {**batches.encoded.others, **{side: words[side] for side in sides}}
        return dataclasses.replace(
            batches, encoded=dataclasses.replace(batches.encoded, others=others)
        )

    def predict(
        self, model: keras.Model, prepared: PreparedSentences, split: str
    ) -> tuple[scoring.Tags, float]:
        """Returns the model's tags for a split, and the loss in nats per token."""
        (tags,), loss = self._shifted(model, prepared, split, [0.0])
        return tags, loss

    def _shifted(
        self,
        model: keras.Model,
        prepared: PreparedSentences,
        split: str,
        shifts: Sequence[float],
    ) -> tuple[list[scoring.Tags], float]:
        classes, batches = prepared.classes, prepared.batches[split].fitted(model)
        decode = self._decoder(model, classes.index(OUTSIDE) if OUTSIDE in classes else 0)
        return scoring.predict_shifted(decode, batches, classes, shifts)

    def validate(
        self, model: keras.Model, config: Any, prepared: PreparedSentences
    ) -> dict[str, float]:
        """Returns entity F1 if the tags mark spans, accuracy and loss.

        If `shifts` has several values, the model keeps the one with the best entity F1, the
        smallest of equal ones. Training by likelihood on rare entities favours precision over
        recall; lowering the score of O balances them for F1.
        """
        gold = [sentence.tags for sentence in prepared.splits.validation]
        if not prepared.scheme:
            tags, loss = self.predict(model, prepared, "validation")
            return {"accuracy": token_accuracy(gold, tags), "loss": loss}
        has_outside = OUTSIDE in prepared.classes
        shifts = self.shifts(config) if has_outside else (0.0,)
        shifted, loss = self._shifted(model, prepared, "validation", shifts)
        scores = [entity_scores(gold, tags)["entity_f1"] for tags in shifted]
        best = int(np.argmax(scores))
        if has_outside:
            TaggingModel.of(model).lower_score(prepared.classes.index(OUTSIDE), shifts[best])
        accuracy = token_accuracy(gold, shifted[best])
        return {
            **{"entity_f1": scores[best], "accuracy": accuracy, "loss": loss},
            **{"shift": shifts[best]},
        }

    def evaluate(
        self, model: keras.Model, config: Any, prepared: PreparedSentences, directory: Path
    ) -> dict[str, Any]:
        """Returns metrics of test, and of validation unless trained on; writes test confusions."""
        found = {}
        for split in ("validation", "test") if prepared.validates else ("test",):
            tags, loss = self.predict(model, prepared, split)
            found[split], confusion = scoring.score(prepared, split, tags, loss)
        gold = [sentence.tags for sentence in prepared.splits.test]
        confusions.write(confusion, scoring.all_tags(prepared.classes, gold), directory)
        return found

    def measure(
        self, model: keras.Model, config: Any, splits: Splits[Sentence], directory: Path
    ) -> Measured:
        """Returns the metrics of the test split, and the predicted tags of each sentence.

        Gold tags unknown to the model count as errors; `unknown_tags` is the number of their
        tokens.
        """
        vectorizer, classes = self.load_text_path(self.data_of(config), directory)
        rows = vectorizer.encode([sentence.tokens for sentence in splits.test])
        encoded = EncodedSentences(rows, tag_ids(classes, [one.tags for one in splits.test]))
        lengths = bucket_lengths(encoded.lengths, config.buckets)
        batches = {"test": TagBatches(encoded, config.batch_size, lengths)}
        prepared = PreparedSentences(splits, batches, vectorizer, classes)
        tags, loss = self.predict(model, prepared, "test")
        return scoring.measured(splits.test, tags, loss, classes)

    def fitting_objective(self, objective: str, prepared: PreparedSentences) -> str:
        """Returns accuracy in place of entity F1 if the tags mark no spans."""
        no_entities = objective == "entity_f1" and prepared.scheme is None
        return "accuracy" if no_entities else objective

    def pipeline(self, model: keras.Model, config: Any, directory: Path) -> Tagger:
        """Returns the pipeline from texts to tags."""
        return Tagger(model, *self.load_text_path(self.data_of(config), directory))

    def answer(self, signatures: Any, texts: Sequence[str], options: Any) -> list[dict[str, Any]]:
        """See `answers.answer`."""
        return answers.answer(signatures, texts)

    def format_answer(self, row: dict[str, Any]) -> str:
        """See `answers.line`."""
        return answers.line(row)


def scheme_of(splits: Splits[Sentence]) -> str | None:
    """Returns the tag scheme of train; None for plain tags such as parts of speech.

    Tags without a type (`B`, `I`, `O`) mark spans, too. If any split has a plain tag such as
    `NOUN`, all tags are treated as plain.

    Raises:
        InputError: Train's tags have types, but follow no scheme.
    """
    others = [sentence.tags for sentence in (*splits.validation, *splits.test)]
    found = detected([sentence.tags for sentence in splits.train])
    return found if all(is_span_tag(tag) for tags in others for tag in tags) else None


def _sides(model: keras.Model) -> tuple[str, ...]:
    """Returns the names of the outputs by which a model predicts neighbouring words."""
    outputs = model.output if isinstance(model.output, dict) else {}
    return tuple(side for side in NEIGHBOURS if side in outputs)


def neighbours(rows: Sequence[dict[str, np.ndarray]], words: int) -> dict[str, list[np.ndarray]]:
    """Returns the ids of the next and the previous word of each token; from `words` up UNK.

    Returns:
        `next_word`, EOS after the last token, and `previous_word`, BOS before the first: int32
        (T,) for each sentence.
    """
    ids = [np.where(row["token_ids"] < words, row["token_ids"], UNK) for row in rows]
    sides = ([np.append(row[1:], EOS) for row in ids], [np.append(BOS, row[:-1]) for row in ids])
    return {
        name: [row.astype(np.int32) for row in side]
        for name, side in zip(NEIGHBOURS, sides, strict=True)
    }


def tag_ids(classes: Sequence[str], tags: Iterable[Sequence[str]]) -> list[np.ndarray]:
    """Returns the ids of each sentence's tags, -1 for unknown tags."""
    ids = {tag: number for number, tag in enumerate(classes)}
    return [np.array([ids.get(tag, IGNORED) for tag in row], np.int32) for row in tags]
