"""Codecs + encoder-decoder + beam search: strings -> their translations, in one graph."""

from collections.abc import Callable
from typing import Any, NamedTuple

import keras
import tensorflow as tf

from zoo.architectures.encoder_decoder_model import EncoderDecoder
from zoo.decoding import Hypotheses, beam_search, coverage_penalty
from zoo.decoding.beam import widest
from zoo.errors import InputError
from zoo.layers import Memory
from zoo.pipelines.translation_search import Found, Search
from zoo.text import BOS, EOS, PAD, UNK
from zoo.text.dense import dense
from zoo.text.limits import TRANSLATED, is_long, shortened

__all__ = ["Search", "Translator"]
CHARACTERS = 16 * TRANSLATED  # of a source, a target or a prefix that are read


class _Source(NamedTuple):
    """Sources as the model reads them."""

    tokens: Any  # string (B, T_x), "[EOS]" at the end, "" as padding
    ids: Any  # int32 (B, T_x)
    truncated: Any  # bool (B,), whether only the beginning was read


Begun = tuple[Memory, dict[str, Any]]  # a memory, and the states before the first token


class Translator:
    """Joins text path, model and search; all of it in the graph.

    Args:
        model: What `zoo.build("encoder_decoder", ...)` gives.
        source: The source's codec, strings -> ids: a `TextCodec` or a `SubwordCodec`.
        target: The target's codec.
        search: How a translation is looked for.

    Raises:
        InputError: A vocabulary's size is not the model's, or unknown tokens are to be replaced in
            a model without attention.
    """

    def __init__(
        self, model: keras.Model, source: Any, target: Any, search: Search | None = None
    ) -> None:
        self.model, self.source, self.target = EncoderDecoder.of(model), source, target
        self.search = search or Search()
        self.looks = self.model.has_attention
        sizes = (
            ("source", self.model.source_vocabulary_size, source.vocabulary),
            ("target", model.output.shape[-1], target.vocabulary),
        )
        for name, size, vocabulary in sizes:
            if size != len(vocabulary):
                raise InputError(
                    f"the model is for {size} {name} tokens, but the {name}'s vocabulary has "
                    f"{len(vocabulary)}: give the one that it was trained with"
                )
        # what several functions begin with is traced once for all of them
        ids, texts = tf.TensorSpec([None, None], tf.int32), tf.TensorSpec([None], tf.string)
        self._split = _traced_once(source.tokens_and_ids, texts)
        self._target_ids = _traced_once(target.ids, texts)
        self._start = _traced_once(self.model.encode, ids)
        if self.search.replace_unknown and not self.looks:
            raise InputError(
                "replace_unknown takes the source token that attention points at, and the model "
                "was built with attention 'none': set it to False"
            )

    def read(self, text: tf.Tensor) -> tf.Tensor:
        """Strings (B,) -> ids int32 (B, T_x), EOS at the end of each row, 0 = PAD behind it."""
        return self.tokens_and_ids(text)[1]

    def tokens_and_ids(self, text: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        """Strings (B,) -> tokens (B, T_x), "[EOS]" at the end and "" as padding, and their ids."""
        return self._source(text)[:2]

    def _source(self, text: tf.Tensor) -> _Source:
        tokens, ids = self._split(shortened(text, CHARACTERS))
        cut = is_long(text, CHARACTERS) | (ids.row_lengths() >= TRANSLATED)
        return _Source(dense(_ended(tokens, "[EOS]"), ""), dense(_ended(ids, EOS), PAD), cut)

    def unknown_share(self, source_ids: tf.Tensor) -> tf.Tensor:
        """The share of each source's tokens, its EOS aside, that its codec lacks: float32 (B,)."""
        real = (source_ids != PAD) & (source_ids != EOS)
        unknown = tf.cast(real & self.source.unknown(source_ids), tf.float32)
        count = tf.reduce_sum(tf.cast(real, tf.float32), axis=1)
        return tf.reduce_sum(unknown, axis=1) / tf.maximum(count, 1.0)

    def target_ids(self, text: tf.Tensor) -> tf.RaggedTensor:
        """Strings (B,) -> the target's ids, ragged int32 (B, T_y), without BOS and EOS."""
        return self._target(text)[0]

    def _target(self, text: tf.Tensor) -> tuple[tf.RaggedTensor, tf.Tensor]:
        """What `target_ids` gives, and whether only the beginning of each text was read, (B,)."""
        ids = self._target_ids(shortened(text, CHARACTERS))
        cut = is_long(text, CHARACTERS) | (ids.row_lengths() >= TRANSLATED)
        return ids[:, : TRANSLATED - 1], cut

    def limits(self, source_ids: tf.Tensor) -> tf.Tensor:
        """The tokens at most of each row's translation, int32 (B,)."""
        count = tf.reduce_sum(tf.cast(source_ids != PAD, tf.float32), axis=1)
        return tf.cast(count * self.search.ratio, tf.int32) + self.search.surplus

    def translate_ids(
        self,
        source_ids: tf.Tensor,
        beam_size: Any = None,
        alpha: Any = None,
        max_tokens: Any = None,
        n_best: Any = 1,
        prefix: Any = None,
        begun: Begun | None = None,
    ) -> Hypotheses:
        """The best target ids of source ids int32 (B, T_x), EOS at the end of each.

        Args:
            source_ids: 0 = PAD on the right.
            beam_size: Of the search, a number or (B,); None takes that of `search`, here and below.
            alpha: Of the length penalty, a number or (B,).
            max_tokens: Tokens at most, a number or (B,), at most those of `limits`.
            n_best: N.
            prefix: int32 (B, P), with which the translations begin.
            begun: What `start` gave for these sources, where it was asked already.
        """
        search, model = self.search, self.model
        beta = search.beta if self.looks else 0.0
        memory, states = begun or self._start(source_ids)
        matrix = model.output_matrix()
        beams = search.beam_size if beam_size is None else beam_size
        if beta:
            states = {**states, "covered": tf.zeros_like(states["attention"])}

        def step(token_ids: Any, states: Any) -> Any:
            logits, after = model.step(token_ids, states, memory, matrix)
            if beta:
                after["covered"] = states["covered"] + after["attention"]
            return logits, after

        def uncovered(states: Any) -> Any:
            mask = tf.repeat(memory.mask, widest(beams), axis=0)
            return coverage_penalty(states["covered"], mask, beta)

        rows = tf.shape(source_ids)[0]
        logits, states = step(tf.fill([rows], BOS), states)
        limits = self.limits(source_ids)
        limits = limits if max_tokens is None else tf.minimum(limits, max_tokens)
        return beam_search(
            step,
            logits,
            states,
            end=EOS,
            max_tokens=limits,
            beam_size=beams,
            n_best=n_best,
            min_tokens=search.min_tokens,
            alpha=search.alpha if alpha is None else alpha,
            penalty=search.penalty,
            bonus=uncovered if beta else None,
            prefix=prefix,
            no_repeat=search.no_repeat,
            forbidden=(PAD, BOS) if search.replace_unknown else (PAD, UNK, BOS),
        )

    def attention(
        self, source_ids: tf.Tensor, token_ids: tf.Tensor, begun: Begun | None = None
    ) -> tf.Tensor:
        """What each token looked at: source (B, T_x), found (B, N, T_y) -> (B, N, T_y, T_x).

        Zeros where the model has no attention, and in the padding. `begun` as in `translate_ids`.
        """
        batch, count, time = tf.unstack(tf.shape(token_ids))
        width = tf.shape(source_ids)[1]
        if not self.looks:
            return tf.zeros([batch, count, time, width])
        memory, states = begun or self._start(source_ids)
        flat = tf.reshape(token_ids, [batch * count, time])
        first = tf.fill([batch * count, 1], BOS)
        read = tf.where(flat != PAD, tf.concat([first, flat[:, :-1]], axis=1), PAD)
        weights = self.model.attention_weights(read, states, memory)
        return tf.reshape(weights, [batch, count, time, width])

    def tokens(self, found: Found, attention: Any) -> tf.Tensor:
        """The found tokens as strings (B, N, T_y), "" as padding, the end "[EOS]"."""
        ids = found.hypotheses.token_ids
        names = tf.constant(["", *self.target.vocabulary.tokens[1:]])
        tokens = tf.gather(names, ids)
        if not self.search.replace_unknown:
            return tokens
        real = (found.source_ids != EOS) & (found.source_ids != PAD)
        place = tf.argmax(tf.where(real[:, None, None], attention, -1.0), axis=-1)
        seen = tf.gather(found.source_tokens, place, batch_dims=1)
        return tf.where(ids == UNK, seen, tokens)

    def text(self, ids: tf.Tensor, tokens: Any = None) -> tf.Tensor:
        """Found ids (B, N, T_y) -> strings (B, N); tokens where unknown ones are replaced."""
        shape = tf.shape(ids)
        flat = [shape[0] * shape[1], shape[2]]
        if self.search.replace_unknown:
            inner = (ids == UNK) | (ids > EOS)
            texts = self.target.joined(tf.reshape(tf.where(inner, tokens, ""), flat))
        else:
            texts = self.target.text(tf.reshape(ids, flat))
        return tf.reshape(texts, shape[:2])

    def translate(self, text: tf.Tensor, n_best: Any = 1, **how: Any) -> dict[str, tf.Tensor]:
        """Strings (B,) -> all that the signature `translate` gives.

        Args:
            text: The sources.
            n_best: N.
            **how: As `translate_ids` takes it.
        """
        source_tokens, source_ids, cut = self._source(text)
        begun = self._start(source_ids)
        hypotheses = self.translate_ids(source_ids, n_best=n_best, begun=begun, **how)
        longest = tf.reduce_max(tf.concat([[1], tf.reshape(hypotheses.lengths, [-1])], axis=0))
        ids = tf.pad(hypotheses.token_ids, [(0, 0), (0, 0), (0, 1)], constant_values=PAD)
        hypotheses = hypotheses._replace(token_ids=ids[:, :, :longest])  # at least one place
        found = Found(source_tokens, source_ids, hypotheses)
        attention = self.attention(source_ids, hypotheses.token_ids, begun)
        tokens = self.tokens(found, attention)
        return {
            "translations": self.text(hypotheses.token_ids, tokens),
            "log_probabilities": hypotheses.log_probabilities,
            "source_tokens": source_tokens,
            "target_tokens": tokens,
            "attention": attention,
            "unknown_share": self.unknown_share(source_ids),
            "truncated": cut,
        }

    def best(self, text: tf.Tensor) -> dict[str, tf.Tensor]:
        """Strings (B,) -> what the signature `serving_default` gives."""
        if self.search.replace_unknown:
            found = self.translate(text)
            return {
                "translation": found["translations"][:, 0],
                "log_probability": found["log_probabilities"][:, 0],
                "unknown_share": found["unknown_share"],
                "truncated": found["truncated"],
            }
        _, source_ids, cut = self._source(text)
        hypotheses = self.translate_ids(source_ids)
        texts = self.text(hypotheses.token_ids)
        return {
            "translation": texts[:, 0],
            "log_probability": hypotheses.log_probabilities[:, 0],
            "unknown_share": self.unknown_share(source_ids),
            "truncated": cut,
        }

    def score(self, text: tf.Tensor, translation: tf.Tensor) -> dict[str, tf.Tensor]:
        """What the model says of given translations: strings (B,) each."""
        _, source_ids, cut = self._source(text)
        memory, states = self._start(source_ids)
        ids, target_cut = self._target(translation)
        read = dense(tf.concat([tf.fill([ids.nrows(), 1], BOS), ids], axis=1), PAD)
        told = dense(tf.concat([ids, tf.fill([ids.nrows(), 1], EOS)], axis=1), PAD)
        logits = self.model.teacher_forced_logits(read, states, memory)
        losses = tf.nn.sparse_softmax_cross_entropy_with_logits(told, logits)
        total = -tf.reduce_sum(tf.where(told != PAD, losses, 0.0), axis=1)
        counts = tf.cast(ids.row_lengths(), tf.int32) + 1
        return {
            "log_probability": total,
            "num_tokens": counts,
            "perplexity": tf.exp(-total / tf.cast(counts, tf.float32)),
            "unknown_share": self.unknown_share(source_ids),
            "truncated": cut | target_cut,
        }


def _traced_once(function: Callable[..., Any], spec: tf.TensorSpec) -> Callable[..., Any]:
    return tf.function(function, input_signature=[spec], autograph=False)


def _ended(values: tf.RaggedTensor, end: Any) -> tf.RaggedTensor:
    """Rows of at most as many tokens or ids as are read, with an end behind each."""
    kept = values[:, : TRANSLATED - 1]
    return tf.concat([kept, tf.fill([kept.nrows(), 1], end)], axis=1)
