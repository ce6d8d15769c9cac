"""Vectorizer + tagger -> a SavedModel that takes texts, or tokens, and gives each token a tag."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import keras
import tensorflow as tf

from zoo.architectures.many_to_many import TaggingModel
from zoo.crf.layer import CRF, unpacked
from zoo.errors import InputError
from zoo.export import ODD_TEXTS, publish
from zoo.pipelines.tagger_stream import stream
from zoo.text import UNK, TokenVectorizer, word_tokens
from zoo.text.limits import TAGGED, TOKEN, is_long, shortened

TEXTS = (*ODD_TEXTS, b"Ann met Bob in Oslo, on 3 May 2021.", b"word " * 300)
# rows of unequal lengths, one without tokens; "" is padding
TOKENS = (
    (b"Ann", b"met", b"Bob", b"."),
    (b"", b"", b"", b""),
    ("naïve👍🏽".encode(), b"a\0b", b"\xff", b""),
    (b"x" * 500, b"", b"", b""),
)


class _Path(NamedTuple):
    """The chosen tags of a batch."""

    tag_ids: Any  # int (B, T), anything in the padding
    confidence: Any  # (B, T), likewise
    log_probability: Any  # (B,), in nats


def tagger(
    model: keras.Model, vectorizer: TokenVectorizer, tags: Sequence[str]
) -> tuple[tf.types.experimental.GenericFunction, tf.types.experimental.GenericFunction]:
    """Joins text path and model.

    Both functions give `tokens` string (B, T) and `tags` string (B, T), "" in the padding;
    `confidence` float (B, T), each chosen tag's probability, with a CRF over all paths, 0 in the
    padding; `log_probability` float (B,), that of all chosen tags together, in nats, 0 for a row
    without tokens; `unknown_share` float (B,), the share of the tokens that the vocabulary lacks;
    `truncated` bool (B,), whether only the first 4,096 tokens, or 65,536 characters, were read. T
    is at least 1.

    Args:
        model: What `zoo.build("many_to_many", ...)` gives, with softmax or a CRF.
        vectorizer: Strings (B, T) -> `token_ids`, `character_ids`, `casing_ids`.
        tags: The C tags, in the order of their ids.

    Returns:
        A function of `text`, strings (B,), that gives also `starts` and `ends` int32 (B, T), where
        each token lies in its text, in Unicode characters; and a function of `tokens`, strings
        (B, T), "" = padding on the right.

    Raises:
        InputError: The model does not give one logit for each tag.
    """
    model = TaggingModel.of(model).without_auxiliary()
    if model.output_shape[-1] != len(tags):
        raise InputError(
            f"the model gives {model.output_shape[-1]} logits a token, but tags has {len(tags)} "
            "names: give one for each, in the order of the ids"
        )
    names = tf.constant(list(tags))
    choose = _crf_path if model.crf is not None else _softmax_path

    def tag(tokens: tf.Tensor) -> dict[str, tf.Tensor]:
        mask = tf.not_equal(tokens, "")
        ids = vectorizer(shortened(tokens, TOKEN))
        outputs = model(_given_to(model, ids), training=False)
        path = choose(model.crf, outputs, mask)
        return {
            "tokens": tokens,
            "tags": tf.where(mask, tf.gather(names, path.tag_ids), ""),
            "confidence": tf.where(mask, path.confidence, 0.0),
            "log_probability": path.log_probability,
            "unknown_share": _unknown_share(ids["token_ids"], mask),
        }

    return _of_texts(tag), _of_tokens(tag)


def _unknown_share(token_ids: tf.Tensor, mask: tf.Tensor) -> tf.Tensor:
    """The share of each row's real tokens that are UNK, (B,); 0 for a row without tokens."""
    unknown = tf.reduce_sum(tf.cast(mask & tf.equal(token_ids, UNK), tf.float32), axis=1)
    return unknown / tf.maximum(tf.reduce_sum(tf.cast(mask, tf.float32), axis=1), 1.0)


def _of_texts(tag: Callable[[tf.Tensor], dict[str, tf.Tensor]]) -> Any:
    @tf.function(input_signature=[tf.TensorSpec([None], tf.string, name="text")], autograph=False)
    def tag_texts(text: tf.Tensor) -> dict[str, tf.Tensor]:
        tokens, starts, ends = word_tokens(shortened(text))
        first = slice(None), slice(TAGGED)
        answer = {**tag(tokens[first]), "starts": starts[first], "ends": ends[first]}
        return {**answer, "truncated": is_long(text) | _is_wide(tokens)}

    return tag_texts


def _of_tokens(tag: Callable[[tf.Tensor], dict[str, tf.Tensor]]) -> Any:
    spec = tf.TensorSpec([None, None], tf.string, name="tokens")

    @tf.function(input_signature=[spec], autograph=False)
    def tag_tokens(tokens: tf.Tensor) -> dict[str, tf.Tensor]:
        empty = tf.equal(tokens, "")
        behind = tf.logical_and(empty[:, :-1], tf.logical_not(empty[:, 1:]))
        message = 'an empty token stands before others: "" is padding, on the right alone'
        checked = tf.debugging.assert_equal(behind, False, message=message)
        with tf.control_dependencies([checked]):
            missing = tf.maximum(1 - tf.shape(tokens)[1], 0)
            read = tf.pad(tokens[:, :TAGGED], [(0, 0), (0, missing)], constant_values="")
            return {**tag(read), "truncated": _is_wide(tokens)}

    return tag_tokens


def _is_wide(tokens: tf.Tensor) -> tf.Tensor:
    """Which rows of tokens (B, T) have more than are tagged: bool (B,)."""
    return tf.reduce_any(tokens[:, TAGGED:] != "", axis=1)


def _given_to(model: keras.Model, ids: dict[str, Any]) -> Any:
    """What the model takes of the ids."""
    if isinstance(model.input, dict):
        return {name: ids[name] for name in model.input}
    return ids["token_ids"]


def _crf_path(crf: CRF, outputs: Any, mask: Any) -> _Path:
    logits = unpacked(outputs).logits
    tag_ids, scores = crf.decode(logits, mask)
    confidence = tf.gather(crf.marginals(logits, mask), tag_ids, batch_dims=2)
    # two float32 sums, of which the second is never smaller but by rounding
    log_probability = tf.minimum(scores - crf.log_partition(logits, mask), 0.0)
    return _Path(tag_ids, confidence, log_probability)


def _softmax_path(_crf: None, outputs: Any, mask: Any) -> _Path:
    each = tf.nn.log_softmax(tf.cast(outputs, tf.float32))
    best = tf.reduce_max(each, axis=-1)
    log_probability = tf.reduce_sum(tf.where(mask, best, 0.0), axis=1)
    return _Path(tf.argmax(each, axis=-1), tf.exp(best), log_probability)


def export_tagger(
    model: keras.Model, vectorizer: TokenVectorizer, tags: Sequence[str], directory: Path
) -> Path:
    """Writes the next version of a served tagger, checked as `zoo.export.publish` does.

    Its signatures are `serving_default`, of texts, and `tag_tokens`; see `tagger`. A tagger that
    reads one way has `start` and `step` besides; see `zoo.pipelines.tagger_stream`.

    Args:
        model: What `zoo.build("many_to_many", ...)` gives, with softmax or a CRF.
        vectorizer: Strings (B, T) -> `token_ids`, `character_ids`, `casing_ids`.
        tags: The C tags, in the order of their ids.
        directory: `saved_models/NAME`; the version becomes a folder `1`, `2`, ... in it.

    Returns:
        The version's folder.

    Raises:
        ExportError: The written model does not load or answers otherwise; nothing is left behind.
        InputError: The model does not give one logit for each tag.
    """
    model = TaggingModel.of(model).without_auxiliary()
    of_texts, of_tokens = tagger(model, vectorizer, tags)
    functions = {"serving_default": of_texts, "tag_tokens": of_tokens}
    probes: dict[str, dict[str, Any]] = {
        "serving_default": {"text": tf.constant(TEXTS)},
        "tag_tokens": {"tokens": tf.constant(TOKENS)},
    }
    if model.can_stream:
        functions |= stream(model, vectorizer, tags)
        probes["start"] = {"streams": tf.range(3)}
        first = functions["start"](probes["start"]["streams"])
        probes["step"] = {"token": tf.constant([b"Ann", b"", b"\xff"]), **first}
    tracked = [vectorizer, *(weight.value for weight in model.weights)]
    return publish(functions, tracked, probes, directory)
