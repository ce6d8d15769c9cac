"""Translator: text -> its translation by beam search."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, NamedTuple

import keras
import numpy as np
import tensorflow as tf

from zoo.architectures.encoder_decoder_model import EncoderDecoder
from zoo.decoding import Hypotheses, beam_search, bounds, coverage_penalty
from zoo.decoding.beam import PENALTIES, widest
from zoo.errors import InputError, require_bool, require_choice, require_positive_int
from zoo.export import ODD_TEXTS
from zoo.fine_tuning.fitting import Examples
from zoo.fine_tuning.start import SizedBy
from zoo.layers import Memory, States
from zoo.losses import TokenCrossentropy
from zoo.onnx import decoders
from zoo.onnx.served import Served
from zoo.pipelines.pipeline import Answers, Pipeline, Signature, strings, traced
from zoo.text import BOS, EOS, PAD, UNK, SubwordCodec, TextCodec, unknown_share
from zoo.text.limits import TRANSLATED, is_long, shortened

TEXTS = (*ODD_TEXTS, b"A dog runs.", b"abc " * 12)
CHARACTERS = 16 * TRANSLATED  # of a source, a target or a prefix that are read
MOST_RATIO = 20.0  # tokens at most for a source token
OPTIONS = tuple(map(bounds.spec, ("beam_size", "length_penalty", "max_tokens")))
STRINGS, IDS = tf.TensorSpec([None], tf.string), tf.TensorSpec([None, None], tf.int32)

Codec = TextCodec | SubwordCodec
Encoded = tuple[Memory, States]  # what `EncoderDecoder.encode` returns


@dataclass(frozen=True)
class BeamSearch:
    """How a translation is searched for where the caller does not say.

    Attributes:
        beam_size: Sequences that are followed at once.
        alpha: Of the length penalty.
        penalty: `gnmt` or `average`; see `zoo.decoding.length_penalty`.
        beta: Of the coverage penalty; 0 = none.
        no_repeat: Forbid repeated n-grams of this size; 0 = off.
        min_tokens: Tokens before the end at least.
        ratio: Tokens at most for each source token, the two ends counted.
        extra: Tokens at most in addition.
        replace_unknown: Write, for a token that is UNK, the source token with the largest attention
            weight; otherwise UNK is never written.
    """

    beam_size: int = 5
    alpha: float = 1.0
    penalty: str = "average"
    beta: float = 0.0
    no_repeat: int = 0
    min_tokens: int = 1
    ratio: float = 2.0
    extra: int = 20
    replace_unknown: bool = False

    def __post_init__(self) -> None:
        """Checks every value."""
        require_positive_int("beam_size", self.beam_size)
        bounds.require("length_penalty", self.alpha, "alpha")
        bounds.require("coverage_penalty", self.beta, "beta")
        bounds.require("no_repeat", self.no_repeat)
        bounds.require("min_tokens", self.min_tokens)
        require_choice("penalty", self.penalty, PENALTIES)
        if not 0 <= self.ratio <= MOST_RATIO:
            raise InputError(f"ratio must be from 0 to {MOST_RATIO}, got {self.ratio}")
        bounds.require("max_tokens", self.extra, "extra", served=True)
        require_bool("replace_unknown", self.replace_unknown)


class _Source(NamedTuple):
    """Sources as the model reads them."""

    tokens: Any  # string (B, T_x), "[EOS]" at the end, "" as padding
    ids: Any  # int32 (B, T_x)
    truncated: Any  # bool (B,), whether only the beginning was read


class Translator(Pipeline):
    """Translates a text, and scores given translations.

    Its signatures, of named tensors, all with the batch first:

    - `serving_default`: `text` string (B,) -> `translation` string (B,), `log_probability` float32
      (B,), in nats, of its tokens and its end.
    - `translate`: `text`, `beam_size` int32 (B,) (1 = greedy), `length_penalty` float32 (B,)
      (alpha), `max_tokens` int32 (B,) (0 = as many as the source's length allows) ->
      `translations` string (B, n) with n the largest `beam_size` of the batch, best first, "" where
      a row has fewer; `log_probabilities` float32 (B, n), -1e20 there; `source_tokens` string
      (B, T_x) and `target_tokens` string (B, n, T_y), "" as padding; `attention` float32
      (B, n, T_y, T_x), the attention weights of each target token.
    - `complete`: the same with `prefix` string (B,): the translations begin with it.
    - `score`: `text` and `translation` string (B,) -> `log_probability` float32 (B,), in nats;
      `num_tokens` int32 (B,), the end counted; `perplexity` float32 (B,).

    All report `unknown_share` float32 (B,), the fraction of the source's tokens that its vocabulary
    lacks, and `truncated` bool (B,), whether a text was too long and only its beginning was read.
    A row's answer depends on its own inputs alone, but for the padding. Options out of their range
    are set to the nearest value in it, see `zoo.decoding.bounds`; how much is read, see
    `zoo.text.limits`.

    Args:
        model: What `zoo.build("encoder_decoder", ...)` returns.
        source: The source's codec, strings -> ids: a `TextCodec` or a `SubwordCodec`.
        target: The target's codec.
        search: How a translation is searched for, or its attributes.

    Raises:
        InputError: A vocabulary's size is not the model's, or unknown tokens are to be replaced in
            a model without attention.
    """

    path_names = ("source", "target")
    sized_by = SizedBy(
        {
            "source": ("source_vocabulary_size", ("source_embedding",)),
            "target": ("target_vocabulary_size", ("target_embedding", "logits")),
        }
    )
    rows = 32

    def __init__(
        self,
        model: keras.Model,
        source: Codec,
        target: Codec,
        search: BeamSearch | dict[str, Any] | None = None,
    ) -> None:
        self.model: EncoderDecoder = EncoderDecoder.of(model)
        self.source, self.target = source, target
        self.search = search if isinstance(search, BeamSearch) else BeamSearch(**search or {})
        self.has_attention = self.model.has_attention
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
        if self.search.replace_unknown and not self.has_attention:
            raise InputError(
                "replace_unknown takes the source token that attention points at, and the model "
                "was built with attention 'none': set it to False"
            )

    @property
    def options(self) -> dict[str, Any]:
        """How a translation is searched for."""
        return {"search": asdict(self.search)}

    def __call__(self, texts: str | Sequence[str]) -> list[str]:
        """The best translation of each text."""
        return list(self.answers(self.best, text=texts)["translation"])

    def texts_of(self, name: str, texts: Sequence[Any], targets: Any) -> Sequence[Any]:
        """Sources, or translations."""
        return texts if name == "source" else targets

    def training_examples(
        self,
        model: keras.Model,
        texts: Sequence[Any],
        targets: Any,
        paths: Mapping[str, Any],
        labels: Sequence[str],
    ) -> Examples:
        """The ids of sources and of translations, and the ids that follow."""
        rows, following = [], []
        sides = [
            paths[name].encode(side) for name, side in (("source", texts), ("target", targets))
        ]
        for source, target in zip(*sides, strict=True):
            read = np.append(source, EOS).astype(np.int32)
            before = np.concatenate([[BOS], target]).astype(np.int32)
            rows.append({"source_ids": read, "target_ids": before})
            following.append(np.append(target, EOS).astype(np.int32))
        return Examples(rows, following, TokenCrossentropy())

    def translate(
        self,
        texts: str | Sequence[str],
        beam_size: Any = None,
        length_penalty: Any = None,
        max_tokens: Any = 0,
        prefixes: str | Sequence[str] | None = None,
    ) -> Answers:
        """All outputs of the signature `translate`, as arrays; an option may differ by row.

        `beam_size` (1 = greedy) and `length_penalty` (alpha) are those of `search` by default; with
        `max_tokens` 0 there are as many tokens as the source's length allows. The translations
        begin with `prefixes`, if there are any.
        """
        options = {
            "beam_size": self.search.beam_size if beam_size is None else beam_size,
            "length_penalty": self.search.alpha if length_penalty is None else length_penalty,
            "max_tokens": max_tokens,
        }
        if prefixes is None:
            return self.answers(self._translate, text=texts, **options)
        return self.answers(self._complete, text=texts, prefix=prefixes, **options)

    def score(self, texts: str | Sequence[str], translations: str | Sequence[str]) -> Answers:
        """All outputs of the signature `score`, as arrays."""
        return self.answers(self.scores, text=texts, translation=translations)

    def onnx_graphs(self) -> dict[str, Served]:
        """`start` and `step`; see `zoo.onnx.decoders.encoder_decoder`."""
        return decoders.encoder_decoder(self.model)

    def signatures(self) -> dict[str, Signature]:
        """`serving_default`, `translate`, `complete` and `score`."""
        text = {"text": tf.constant(TEXTS)}
        numbers = {"beam_size": 2, "length_penalty": 0.5, "max_tokens": 12}
        options = {name: tf.fill([len(TEXTS)], value) for name, value in numbers.items()}
        prefix = {"prefix": tf.fill([len(TEXTS)], "a b")}
        return {
            "serving_default": Signature(self.best, text),
            "translate": Signature(self._translate, {**text, **options}),
            "complete": Signature(self._complete, {**text, **prefix, **options}),
            "score": Signature(self.scores, {**text, "translation": tf.constant(TEXTS[::-1])}),
        }

    @traced(strings("text"), *OPTIONS)
    def _translate(
        self, text: Any, beam_size: Any, length_penalty: Any, max_tokens: Any
    ) -> dict[str, tf.Tensor]:
        return self.n_best(text, **_clamped(beam_size, length_penalty, max_tokens))

    @traced(strings("text"), strings("prefix"), *OPTIONS)
    def _complete(
        self, text: Any, prefix: Any, beam_size: Any, length_penalty: Any, max_tokens: Any
    ) -> dict[str, tf.Tensor]:
        ids = self.target_ids(prefix)[0].to_tensor(PAD)
        options = _clamped(beam_size, length_penalty, max_tokens)
        return self.n_best(text, prefix=ids, **options)

    # what several functions begin with is traced once for all of them

    @traced(STRINGS)
    def _split(self, text: Any) -> Any:
        return self.source.tokens_and_ids(text)

    @traced(STRINGS)
    def _ids_of_target(self, text: Any) -> Any:
        return self.target.ids(text)

    @traced(IDS)
    def _encode(self, source_ids: Any) -> Encoded:
        return self.model.encode(source_ids)

    def read(self, text: tf.Tensor) -> tf.Tensor:
        """Strings (B,) -> ids int32 (B, T_x), EOS at the end of each row, then 0 = PAD."""
        return self._source(text).ids

    def _source(self, text: tf.Tensor) -> _Source:
        tokens, ids = self._split(shortened(text, CHARACTERS))
        cut = is_long(text, CHARACTERS) | (ids.row_lengths() >= TRANSLATED)
        return _Source(_ended(tokens, "[EOS]", ""), _ended(ids, EOS, PAD), cut)

    def unknown_share(self, source_ids: tf.Tensor) -> tf.Tensor:
        """The share of each source's tokens, its EOS aside, that its codec lacks: float32 (B,)."""
        real = (source_ids != PAD) & (source_ids != EOS)
        return unknown_share(tf.ragged.boolean_mask(self.source.unknown(source_ids), real))

    def target_ids(self, text: tf.Tensor) -> tuple[tf.RaggedTensor, tf.Tensor]:
        """The target's ids of strings (B,), and whether only the beginning of each was read, (B,).

        The ids are ragged int32 (B, T_y), without BOS and EOS.
        """
        ids = self._ids_of_target(shortened(text, CHARACTERS))
        cut = is_long(text, CHARACTERS) | (ids.row_lengths() >= TRANSLATED)
        return ids[:, : TRANSLATED - 1], cut

    def limits(self, source_ids: tf.Tensor) -> tf.Tensor:
        """The tokens at most of each row's translation, int32 (B,)."""
        count = tf.reduce_sum(tf.cast(source_ids != PAD, tf.float32), axis=1)
        return tf.cast(count * self.search.ratio, tf.int32) + self.search.extra

    def translate_ids(
        self,
        source_ids: tf.Tensor,
        beam_size: Any = None,
        alpha: Any = None,
        max_tokens: Any = None,
        n_best: Any = 1,
        prefix: Any = None,
        encoded: Encoded | None = None,
    ) -> Hypotheses:
        """The N = `n_best` best target ids of source ids int32 (B, T_x), EOS at the end of each.

        `beam_size`, `alpha` (of the length penalty) and `max_tokens`, at most those of `limits`,
        are numbers or (B,), and by default those of `search`. `prefix` int32 (B, P) begins the
        translations. `encoded` is what `EncoderDecoder.encode` returned for these sources, if it
        was called.
        """
        search, model = self.search, self.model
        beta = search.beta if self.has_attention else 0.0
        memory, states = encoded or self._encode(source_ids)
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
        self, source_ids: tf.Tensor, token_ids: tf.Tensor, encoded: Encoded | None = None
    ) -> tf.Tensor:
        """Attention weights: source (B, T_x), tokens (B, N, T_y) -> (B, N, T_y, T_x).

        Zeros where the model has no attention, and in the padding. `encoded` as in `translate_ids`.
        """
        batch, count, time = tf.unstack(tf.shape(token_ids))
        width = tf.shape(source_ids)[1]
        if not self.has_attention:
            return tf.zeros([batch, count, time, width])
        memory, states = encoded or self._encode(source_ids)
        flat = tf.reshape(token_ids, [batch * count, time])
        first = tf.fill([batch * count, 1], BOS)
        read = tf.where(flat != PAD, tf.concat([first, flat[:, :-1]], axis=1), PAD)
        weights = self.model.attention_weights(read, states, memory)
        return tf.reshape(weights, [batch, count, time, width])

    def tokens(self, source: _Source, ids: tf.Tensor, attention: Any) -> tf.Tensor:
        """Target ids (B, N, T_y) -> strings, "" as padding, the end "[EOS]"."""
        names = tf.constant(["", *self.target.vocabulary.tokens[1:]])
        tokens = tf.gather(names, ids)
        if not self.search.replace_unknown:
            return tokens
        real = (source.ids != EOS) & (source.ids != PAD)
        place = tf.argmax(tf.where(real[:, None, None], attention, -1.0), axis=-1)
        seen = tf.gather(source.tokens, place, batch_dims=1)
        return tf.where(ids == UNK, seen, tokens)

    def text(self, ids: tf.Tensor, tokens: Any = None) -> tf.Tensor:
        """Target ids (B, N, T_y) -> strings (B, N); of tokens where unknown ones are replaced."""
        shape = tf.shape(ids)
        flat = [shape[0] * shape[1], shape[2]]
        if self.search.replace_unknown:
            inner = (ids == UNK) | (ids > EOS)
            texts = self.target.joined(tf.reshape(tf.where(inner, tokens, ""), flat))
        else:
            texts = self.target.text(tf.reshape(ids, flat))
        return tf.reshape(texts, shape[:2])

    def n_best(self, text: tf.Tensor, n_best: Any = 1, **options: Any) -> dict[str, tf.Tensor]:
        """Strings (B,) -> the outputs of the signature `translate`, N = `n_best` translations each.

        The options are those of `translate_ids`.
        """
        source = self._source(text)
        source_ids = source.ids
        encoded = self._encode(source_ids)
        hypotheses = self.translate_ids(source_ids, n_best=n_best, encoded=encoded, **options)
        longest = tf.reduce_max(tf.concat([[1], tf.reshape(hypotheses.lengths, [-1])], axis=0))
        ids = tf.pad(hypotheses.token_ids, [(0, 0), (0, 0), (0, 1)], constant_values=PAD)
        hypotheses = hypotheses._replace(token_ids=ids[:, :, :longest])  # at least one place
        attention = self.attention(source_ids, hypotheses.token_ids, encoded)
        tokens = self.tokens(source, hypotheses.token_ids, attention)
        return {
            "translations": self.text(hypotheses.token_ids, tokens),
            "log_probabilities": hypotheses.log_probabilities,
            "source_tokens": source.tokens,
            "target_tokens": tokens,
            "attention": attention,
            "unknown_share": self.unknown_share(source_ids),
            "truncated": source.truncated,
        }

    @traced(strings("text"))
    def best(self, text: tf.Tensor) -> dict[str, tf.Tensor]:
        """Strings (B,) -> the outputs of the signature `serving_default`."""
        if self.search.replace_unknown:
            found = self.n_best(text)
            texts, totals = found["translations"], found["log_probabilities"]
            share, cut = found["unknown_share"], found["truncated"]
        else:
            _, source_ids, cut = self._source(text)
            hypotheses = self.translate_ids(source_ids)
            texts, totals = self.text(hypotheses.token_ids), hypotheses.log_probabilities
            share = self.unknown_share(source_ids)
        return {
            "translation": texts[:, 0],
            "log_probability": totals[:, 0],
            "unknown_share": share,
            "truncated": cut,
        }

    @traced(strings("text"), strings("translation"))
    def scores(self, text: tf.Tensor, translation: tf.Tensor) -> dict[str, tf.Tensor]:
        """Texts and given translations, strings (B,) -> the outputs of the signature `score`."""
        _, source_ids, cut = self._source(text)
        memory, states = self._encode(source_ids)
        ids, target_cut = self.target_ids(translation)
        read = tf.pad(ids.to_tensor(PAD), [(0, 0), (1, 0)], constant_values=BOS)
        targets = _ended(ids, EOS, PAD)
        logits = self.model.teacher_forced_logits(read, states, memory)
        losses = tf.nn.sparse_softmax_cross_entropy_with_logits(targets, logits)
        total = -tf.reduce_sum(tf.where(targets != PAD, losses, 0.0), axis=1)
        counts = tf.cast(ids.row_lengths(), tf.int32) + 1
        return {
            "log_probability": total,
            "num_tokens": counts,
            "perplexity": tf.exp(-total / tf.cast(counts, tf.float32)),
            "unknown_share": self.unknown_share(source_ids),
            "truncated": cut | target_cut,
        }


def _clamped(beam_size: Any, length_penalty: Any, max_tokens: Any) -> dict[str, Any]:
    """The served options as `translate_ids` takes them."""
    beams = bounds.clamped("beam_size", beam_size)
    most = bounds.clamped("max_tokens", max_tokens)
    return {
        "beam_size": beams,
        "n_best": beams,
        "alpha": bounds.clamped("length_penalty", length_penalty),
        "max_tokens": tf.where(most > 0, most, tf.int32.max),
    }


def _ended(values: tf.RaggedTensor, end: Any, padding: Any) -> tf.Tensor:
    """Rows of at most as many tokens or ids as are read, with an end after each: (B, T)."""
    kept = values[:, : TRANSLATED - 1]
    wide = tf.pad(kept.to_tensor(padding), [(0, 0), (0, 1)], constant_values=padding)
    places = tf.range(tf.shape(wide, tf.int64)[1])[None]
    return tf.where(places == kept.row_lengths()[:, None], end, wide)
