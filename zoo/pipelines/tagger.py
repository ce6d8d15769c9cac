"""Tagger: text, or ready tokens -> a tag for each token."""

from collections.abc import Mapping, Sequence
from typing import Any

import keras
import tensorflow as tf

from zoo.architectures.many_to_many import TaggingModel
from zoo.crf.layer import Tagging
from zoo.errors import InputError
from zoo.export import ODD_TEXTS
from zoo.fine_tuning.fitting import Examples, ids_of
from zoo.fine_tuning.start import SizedBy
from zoo.layers import CRFLoss, States
from zoo.litert import architectures as litert
from zoo.litert.graphs import Graph, Sizes
from zoo.losses import TokenCrossentropy
from zoo.onnx import architectures
from zoo.onnx.served import Served
from zoo.pipelines.pipeline import (
    Answers,
    Pipeline,
    Signature,
    integers,
    strings,
    traced,
)
from zoo.pipelines.streaming import Step, stream_signatures
from zoo.text import (
    UNK,
    TokenVectorizer,
    allowed_transitions,
    detected,
    word_tokens,
)
from zoo.text.limits import TAGGED, TOKEN, is_long, shortened
from zoo.text.text_path import share

TEXTS = (*ODD_TEXTS, b"Ann met Bob in Oslo, on 3 May 2021.", b"word " * 300)
# rows of unequal lengths, one without tokens; "" is padding
TOKENS = (
    (b"Ann", b"met", b"Bob", b"."),
    (b"", b"", b"", b""),
    ("naïve👍🏽".encode(), b"a\0b", b"\xff", b""),
    (b"x" * 500, b"", b"", b""),
)


class Tagger(Pipeline):
    """Predicts a tag for each token of a text.

    Its signatures:

    - `serving_default`: `text`, strings (B,) -> `tokens` and `tags` string (B, T), "" in the
      padding; `starts` and `ends` int32 (B, T), each token's place in its text, in Unicode
      characters; `confidence` float (B, T), each predicted tag's probability, with a CRF over all
      paths, 0 in the padding; `log_probability` float (B,), that of all predicted tags together, in
      nats, 0 for a row without tokens; `unknown_share` float (B,), the fraction of the tokens that
      are not in the vocabulary; `truncated` bool (B,), whether only the first 4,096 tokens, or
      65,536 characters, were read. T is at least 1.
    - `tag_tokens`: `tokens`, strings (B, T), "" = padding on the right -> the same without `starts`
      and `ends`.

    A unidirectional tagger also has:

    - `start`: `streams` int32 (B,), a number of any value for each text -> the states before it.
    - `step`: `token`, strings (B,), and the states -> `tag` string (B,), `probabilities` float
      (B, C) in the order of the tags, and the states to go on with; see
      `zoo.architectures.many_to_many.TaggingModel`.

    Args:
        model: What `zoo.build("many_to_many", ...)` returns, with softmax or a CRF, or another
            functional model of token ids that returns logits or ends with a CRF.
        vectorizer: Strings (B, T) -> `token_ids`, `character_ids`, `casing_ids`.
        tags: The C tags, in the order of their ids.

    Raises:
        InputError: The model does not return one logit for each tag.
    """

    path_names, option_names = ("vectorizer",), ("tags",)
    sized_by = SizedBy({"vectorizer": ("vocabulary_size", ("embedding",))}, "tags", "num_tags")

    def __init__(
        self, model: keras.Model, vectorizer: TokenVectorizer, tags: Sequence[str]
    ) -> None:
        self.model: TaggingModel = TaggingModel.of(model).without_auxiliary()
        size = self.model.output_shape[-1]
        if size != len(tags):
            raise InputError(
                f"the model gives {size} logits a token, but tags has {len(tags)} names: give one "
                "for each, in the order of the ids"
            )
        self.vectorizer, self.tags = vectorizer, list(tags)

    def __call__(self, texts: str | Sequence[str]) -> list[list[tuple[str, str]]]:
        """The tokens of each text, each with its tag."""
        found = self.tag(texts)
        return [
            [(token, tag) for token, tag in zip(*row, strict=True) if tag]
            for row in zip(found["tokens"], found["tags"], strict=True)
        ]

    def tag(self, texts: str | Sequence[str]) -> Answers:
        """All outputs of `serving_default` for each text, as arrays."""
        return self.answers(self._tag_texts, text=texts)

    def training_examples(
        self,
        model: keras.Model,
        texts: Sequence[Any],
        targets: Any,
        paths: Mapping[str, Any],
        labels: Sequence[str],
    ) -> Examples:
        """The ids of tokens and of their tags."""
        for tokens, tags in zip(texts, targets, strict=True):
            if isinstance(tokens, str) or isinstance(tags, str) or len(tokens) != len(tags):
                raise InputError(
                    f"a text must be a list of tokens with a list of as many tags, got {tokens!r} "
                    f"and {tags!r}"
                )
        names = list(model.input) if isinstance(model.input, dict) else ["token_ids"]
        rows = [{n: row[n] for n in names} for row in paths["vectorizer"].encode(texts)]
        loss = TokenCrossentropy() if TaggingModel.of(model).crf is None else CRFLoss()
        return Examples(rows, [ids_of(labels, tags) for tags in targets], loss)

    def allowed_for(self, tags: Sequence[str], sentences: Sequence[Sequence[str]]) -> Any:
        """The transitions between tags that the scheme of `sentences` allows; None for any."""
        scheme = detected(sentences)
        return allowed_transitions(tags, scheme) if scheme else None

    def litert_graphs(self, sizes: Sizes) -> dict[str, Graph]:
        """The graph `model`, and `start`, `step` of a stream; see `zoo.litert.architectures`."""
        return litert.tagger(self.model, sizes)

    def onnx_graphs(self) -> dict[str, Served]:
        """Whole, and `start` and `step` where it streams; see `zoo.onnx.architectures.tagger`."""
        return architectures.tagger(self.model)

    def signatures(self) -> dict[str, Signature]:
        """`serving_default`, `tag_tokens`, and `start` and `step` of a unidirectional tagger."""
        found = {
            "serving_default": Signature(self._tag_texts, {"text": tf.constant(TEXTS)}),
            "tag_tokens": Signature(self._tag_tokens, {"tokens": tf.constant(TOKENS)}),
        }
        if self.model.can_stream:
            tokens = (b"Ann", b"", b"\xff")
            steps = {"step": Step(self._step, strings("token"), tokens)}
            found |= stream_signatures(self._start, {"streams": tf.range(3)}, steps)
        return found

    @traced(strings("text"))
    def _tag_texts(self, text: tf.Tensor) -> dict[str, tf.Tensor]:
        tokens, starts, ends = word_tokens(shortened(text))
        first = slice(None), slice(TAGGED)
        answer = {**self._tagged(tokens[first]), "starts": starts[first], "ends": ends[first]}
        return {**answer, "truncated": is_long(text) | _is_wide(tokens)}

    @traced(tf.TensorSpec([None, None], tf.string, name="tokens"))
    def _tag_tokens(self, tokens: tf.Tensor) -> dict[str, tf.Tensor]:
        empty = tf.equal(tokens, "")
        behind = tf.logical_and(empty[:, :-1], tf.logical_not(empty[:, 1:]))
        message = 'an empty token stands before others: "" is padding, on the right alone'
        checked = tf.debugging.assert_equal(behind, False, message=message)
        with tf.control_dependencies([checked]):
            missing = tf.maximum(1 - tf.shape(tokens)[1], 0)
            read = tf.pad(tokens[:, :TAGGED], [(0, 0), (0, missing)], constant_values="")
            return {**self._tagged(read), "truncated": _is_wide(tokens)}

    def _tagged(self, tokens: tf.Tensor) -> dict[str, tf.Tensor]:
        mask = tf.not_equal(tokens, "")
        ids = self.vectorizer(shortened(tokens, TOKEN))
        taken = self.model.input
        inputs = {n: ids[n] for n in taken} if isinstance(taken, dict) else ids["token_ids"]
        outputs = self.model(inputs, training=False)
        crf = self.model.crf
        # the mask is that of the tokens, and not the chain's own
        path = _softmax_path(outputs, mask) if crf is None else crf.tagging(outputs, mask)
        return {
            "tokens": tokens,
            "tags": tf.where(mask, tf.gather(tf.constant(self.tags), path.tags), ""),
            "confidence": tf.where(mask, path.confidence, 0.0),
            "log_probability": path.log_probability,
            "unknown_share": share(tf.equal(ids["token_ids"], UNK), mask),
        }

    @traced(integers("streams"))
    def _start(self, streams: tf.Tensor) -> States:
        return self.model.initial_states(tf.shape(streams)[0])

    def _step(self, token: tf.Tensor, states: States) -> dict[str, tf.Tensor]:
        scores, after = self.model.step(self.vectorizer(shortened(token[:, None], TOKEN)), states)
        probabilities = tf.nn.softmax(scores)
        tag = tf.gather(tf.constant(self.tags), tf.argmax(probabilities, axis=-1))
        return {"tag": tag, "probabilities": probabilities, **after}


def _is_wide(tokens: tf.Tensor) -> tf.Tensor:
    """Which rows of tokens (B, T) have more than are tagged: bool (B,)."""
    return tf.reduce_any(tokens[:, TAGGED:] != "", axis=1)


def _softmax_path(outputs: Any, mask: Any) -> Tagging:
    """The most likely tag of each token by itself."""
    each = tf.nn.log_softmax(tf.cast(outputs, tf.float32))
    best = tf.reduce_max(each, axis=-1)
    log_probability = tf.reduce_sum(tf.where(mask, best, 0.0), axis=1)
    return Tagging(tf.argmax(each, axis=-1), tf.exp(best), log_probability)
