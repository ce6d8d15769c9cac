"""ConditionalWriter: a decoder writes a text to a label and scores texts of a label."""

import unicodedata
from collections.abc import Mapping, Sequence
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from zoo.architectures.one_to_many import ConditionalLanguageModel
from zoo.decoding import Filter, bounds, generate, guided
from zoo.decoding.filtering import RULED_OUT
from zoo.errors import InputError
from zoo.export import ODD_TEXTS
from zoo.fine_tuning.fitting import Examples, ids_of
from zoo.fine_tuning.start import SizedBy
from zoo.layers import States
from zoo.litert import architectures as litert
from zoo.litert.graphs import Graph, Sizes
from zoo.losses import TokenCrossentropy
from zoo.onnx import architectures
from zoo.onnx.served import Served
from zoo.pipelines.drawing import Options, drawing_signatures
from zoo.pipelines.pipeline import (
    Answers,
    Pipeline,
    Signature,
    names_signature,
    strings,
    traced,
)
from zoo.pipelines.streaming import stream_signatures, token_steps
from zoo.pipelines.writer import NEVER, TOKENS, token_answers, totals
from zoo.text import BOS, EOS, PAD, SubwordCodec, TextCodec
from zoo.text.limits import TAGGED, TOKEN, is_long, shortened
from zoo.text.nfc import composer
from zoo.text.text_path import dense, unknown_share, unknown_tokens

TEXTS = (*ODD_TEXTS, b"Smith", b"abc " * 300)
OPTIONS = ("max_tokens", "temperature", "top_k", "top_p", "min_p", "guidance", "seed")
SHOWN = 20  # labels that an error names
FREE = "free_"  # begins the names of the states of the model without a label
LONGEST = 100  # characters of an unknown label that an error shows


class ConditionalWriter(Pipeline):
    """Writes a text to a label, and scores texts of a label.

    A text begins after BOS, and EOS is its last token. The signatures, of named tensors, all with
    the batch first; an unknown label fails with a sentence that names the known ones:

    - `generate`: `label` string (B,), `max_tokens` int32 (B,), `temperature` float32 (B,) (0 takes
      the most likely token), `top_k` int32 (B,) (0 = all), `top_p` float32 (B,) (1 = all), `min_p`
      float32 (B,) (0 = all) and `guidance` float32 (B,) (0 = as the model predicts; for both see
      `zoo.decoding.guided`), `seed` int32 (B,) -> `text` string (B,); `log_probability` float32
      (B,), in nats, under the model itself; `num_tokens` int32 (B,), the number of tokens drawn,
      the end counted; `tokens` string (B, T), these as the vocabulary spells them, "[EOS]" for the
      end and "" as padding; `token_probabilities` float32 (B, T), that of each under the model
      itself, 0 in the padding; `finished` bool (B,), whether the end came; `unknown_share` float32
      (B,), 0: a label is known.
    - `score`: `label` and `text` string (B,) -> `log_probability` float32 (B,), in nats, of the
      text and its end; `num_tokens` int32 (B,), the number of tokens; `perplexity` float32 (B,),
      exp(- log_probability / num_tokens); `num_unknown` int32 (B,), the number of them that are UNK
      and count as that; `unknown_share` float32 (B,), their fraction of the text's tokens;
      `unknown_tokens` string (B, U), the first of them, "" as padding; `truncated` bool (B,),
      whether only the beginning of the text was read.
    - `start`: `label` string (B,) -> the states before the first token: `state_L_N`, the N-th of
      layer L, and `condition` where the model reads the label's vector at each step.
    - `step`: `token` string (B,), first "[BOS]", and the states -> `probabilities` float32 (B, V)
      of what follows, and the states to go on with.
    - `step_ids`: the same with `token_ids` int32 (B,), first 2, in place of `token`, and `logits`
      float32 (B, V) in place of `probabilities`.
    - `tokens`: `ids` int32 (N,) -> `tokens` string (N,): what the V probabilities are of, "" for an
      id without a token.
    - `labels`: `ids` int32 (N,) -> `labels` string (N,), "" for an id without a label.
    - `read`, `draw`, `spell`: `generate` token by token, see `zoo.pipelines.drawing`. `read` takes
      `label`, `spell` takes `token_ids` int32 (B, T) and returns `text`.

    A row's answer depends on its own inputs alone. Options out of their range are set to the
    nearest value in it, see `zoo.decoding.bounds`; how much is read, see `zoo.text.limits`.

    Args:
        model: What `zoo.build("one_to_many", num_classes=..., ...)` returns.
        codec: Strings <-> ids.
        labels: The classes' names, in the order of their ids.

    Raises:
        InputError: The model takes no class, its sizes are not those of codec and labels, or a
            label occurs twice.
    """

    path_names, option_names = ("codec",), ("labels",)
    sized_by = SizedBy(
        {"codec": ("vocabulary_size", ("embedding", "logits"))},
        "labels",
        "num_classes",
        ("condition",),
    )
    rows = 1024

    def __init__(
        self, model: keras.Model, codec: TextCodec | SubwordCodec, labels: Sequence[str]
    ) -> None:
        if not isinstance(model.input, dict) or "class_ids" not in model.input:
            raise InputError(
                f"the model {model.name!r} takes no class: build it with "
                "zoo.build('one_to_many', num_classes=...)"
            )
        if len(set(labels)) < len(labels):
            raise InputError(f"a label is given twice: {', '.join(labels)}; take one out")
        self.model: ConditionalLanguageModel = ConditionalLanguageModel.of(model)
        sizes = (
            ("labels", self.model.num_classes, len(labels)),
            ("tokens", self.model.vocabulary_size, len(codec.vocabulary)),
        )
        for name, expected, size in sizes:
            if size != expected:
                raise InputError(
                    f"the model is for {expected} {name}, but {size} are given: give those that "
                    "it was trained with"
                )
        self.codec, self.labels = codec, list(labels)
        self.losses_of = self.model.with_losses()

    def __call__(self, texts: str | Sequence[str]) -> list[str]:
        """A text to each label, drawn by `generate`'s defaults."""
        return list(self.generate(texts)["text"])

    def generate(
        self,
        labels: str | Sequence[str],
        max_tokens: Any = 100,
        temperature: Any = 1.0,
        top_k: Any = 0,
        top_p: Any = 1.0,
        min_p: Any = 0.0,
        guidance: Any = 0.0,
        seed: Any = 0,
    ) -> Answers:
        """All outputs of the signature `generate`, as arrays; an option may differ by row."""
        return self.answers(
            self._generate,
            label=labels,
            max_tokens=max_tokens,
            temperature=temperature,
            top_k=top_k,
            top_p=top_p,
            min_p=min_p,
            guidance=guidance,
            seed=seed,
        )

    def score(self, labels: str | Sequence[str], texts: str | Sequence[str]) -> Answers:
        """All outputs of the signature `score`, as arrays."""
        return self.answers(self._score, label=labels, text=texts)

    def training_examples(
        self,
        model: keras.Model,
        texts: Sequence[Any],
        targets: Any,
        paths: Mapping[str, Any],
        labels: Sequence[str],
    ) -> Examples:
        """The ids of labels and texts, and the ids that follow."""
        rows, following = [], []
        encoded = paths["codec"].encode(texts)
        for label, ids in zip(ids_of(labels, targets), encoded, strict=True):
            before = np.concatenate([[BOS], ids]).astype(np.int32)
            rows.append({"class_ids": label, "token_ids": before})
            following.append(np.append(ids, EOS).astype(np.int32))
        return Examples(rows, following, TokenCrossentropy())

    def litert_graphs(self, sizes: Sizes) -> dict[str, Graph]:
        """The graphs `start` and `step`; see `zoo.litert.architectures.conditional`."""
        return litert.conditional(self.model, sizes)

    def onnx_graphs(self) -> dict[str, Served]:
        """Whole, `start`s and `step`; see `zoo.onnx.architectures.conditional`."""
        return architectures.conditional(self.model)

    def signatures(self) -> dict[str, Signature]:
        """`generate`, `score`, `start`, `step...`, `tokens`, `labels`, `read`, `draw`, `spell`."""
        labels, rows = self.labels, len(self.labels)
        steps = token_steps(self.model.step, self.codec.vocabulary, TOKENS)
        three = tf.constant([labels[0], labels[-1], labels[0]])
        numbers: dict[str, Any] = {"max_tokens": 20, "temperature": 0.0, "top_k": 0, "top_p": 1.0}
        numbers |= {"min_p": 0.01, "guidance": 0.5, "seed": 7}
        options = {name: tf.fill([rows], value) for name, value in numbers.items()}
        texts = {"label": tf.fill([len(TEXTS)], labels[-1]), "text": tf.constant(TEXTS)}
        return {
            "generate": Signature(self._generate, {"label": tf.constant(labels), **options}),
            "score": Signature(self._score, texts),
            **stream_signatures(self._start, {"label": three}, steps),
            "tokens": names_signature("tokens", self.codec.vocabulary.tokens),
            "labels": names_signature("labels", labels),
            **drawing_signatures(
                self._read, {"label": three}, self._drawing_step, OPTIONS[1:-1], self._spell
            ),
        }

    @traced(strings("label"), *map(bounds.spec, OPTIONS))
    def _generate(
        self,
        label: Any,
        max_tokens: Any,
        temperature: Any,
        top_k: Any,
        top_p: Any,
        min_p: Any,
        guidance: Any,
        seed: Any,
    ) -> dict[str, Any]:
        model, rows = self.model, tf.shape(label)[0]
        class_ids = label_ids(label, self.labels)
        strength, least = bounds.clamped("guidance", guidance), bounds.clamped("min_p", min_p)
        step = guided(self._allowed_step, strength, least)
        states = model.initial_states(class_ids), model.unconditional_states(rows)
        logits, states = step(tf.fill([rows], BOS), states)
        drawn = generate(
            step,
            logits,
            states,
            end=EOS,
            max_tokens=bounds.clamped("max_tokens", max_tokens),
            choose=Filter(
                bounds.clamped("temperature", temperature),
                bounds.clamped("top_k", top_k),
                bounds.clamped("top_p", top_p),
            ),
            seed=bounds.clamped("seed", seed),
        )
        # the model's own probability: the tokens were drawn from another distribution
        token_ids = tf.concat([tf.fill([rows, 1], BOS), drawn.token_ids], axis=1)
        targets = tf.pad(drawn.token_ids, [(0, 0), (0, 1)], constant_values=PAD)
        inputs = {"class_ids": class_ids, "token_ids": token_ids, "target_ids": targets}
        there = tf.sequence_mask(drawn.lengths, tf.shape(targets)[1])
        each = tf.where(there, -self.losses_of(inputs)["losses"], 0.0)
        return {
            "text": self.codec.text(drawn.token_ids),
            "log_probability": tf.reduce_sum(each, axis=1),
            "num_tokens": drawn.lengths,
            **token_answers(self.codec, drawn.token_ids, each[:, :-1]),
            "finished": drawn.finished,
            "unknown_share": tf.zeros([rows]),
        }

    @traced(strings("label"))
    def _read(self, label: Any) -> dict[str, Any]:
        rows = tf.shape(label)[0]
        free = self.model.unconditional_states(rows)
        return {
            "token_ids": tf.fill([rows], BOS),
            **self.model.initial_states(label_ids(label, self.labels)),
            **{f"{FREE}{name}": state for name, state in free.items()},
        }

    def _drawing_step(
        self, token_ids: Any, states: States, options: Options
    ) -> tuple[Any, Any, States]:
        """The guided step of `generate`; the states without a label have names of their own."""
        own = {name: state for name, state in states.items() if not name.startswith(FREE)}
        free = {name[len(FREE) :]: state for name, state in states.items() if name not in own}
        logits = []

        def kept(ids: Any, before: States) -> tuple[Any, States]:
            found, after = self.model.step(ids, before)
            logits.append(found)  # first those with the label
            return _allowed(found), after

        step = guided(kept, options["guidance"], options["min_p"])
        changed, (own, free) = step(token_ids, (own, free))
        after = {**own, **{f"{FREE}{name}": state for name, state in free.items()}}
        return changed, logits[0], after

    @traced(tf.TensorSpec([None, None], tf.int32, name="token_ids"))
    def _spell(self, token_ids: Any) -> dict[str, Any]:
        return {"text": self.codec.text(token_ids)}

    def _allowed_step(self, token_ids: Any, states: States) -> tuple[Any, States]:
        """A step after which tokens that are not generated are ruled out."""
        logits, states = self.model.step(token_ids, states)
        return _allowed(logits), states

    @traced(strings("label"), strings("text"))
    def _score(self, label: tf.Tensor, text: tf.Tensor) -> dict[str, tf.Tensor]:
        tokens, whole = self.codec.tokens_and_ids(shortened(text))
        ids, unknown = whole[:, :TAGGED], self.codec.unknown(whole)
        one = tf.ones([ids.nrows(), 1], tf.int32)
        token_ids = dense(tf.concat([BOS * one, ids], axis=1), PAD)
        targets = dense(tf.concat([ids, EOS * one], axis=1), PAD)
        class_ids = label_ids(label, self.labels)
        inputs = {"class_ids": class_ids, "token_ids": token_ids, "target_ids": targets}
        total = -tf.reduce_sum(self.losses_of(inputs)["losses"], axis=1)
        return {
            **totals(total, tf.cast(ids.row_lengths(), tf.int32) + 1, targets),
            "unknown_share": unknown_share(unknown),
            "unknown_tokens": unknown_tokens(tokens, unknown),
            "truncated": is_long(text) | (ids.row_lengths() < whole.row_lengths()),
        }

    @traced(strings("label"))
    def _start(self, label: tf.Tensor) -> States:
        return self.model.initial_states(label_ids(label, self.labels))


def _allowed(logits: Any) -> Any:
    """Logits (B, V) in which tokens that are not generated are ruled out."""
    never = tf.reduce_any(tf.one_hot(NEVER, logits.shape[-1], True, False), axis=0)
    return tf.where(never, RULED_OUT, logits)


def label_ids(label: tf.Tensor, labels: Sequence[str]) -> tf.Tensor:
    """Looks up the ids int32 (B,) of labels (B,) among the known ones; part of a graph.

    They may have any Unicode normal form; surrounding blanks are ignored. An unknown label raises
    an error that names the known ones.
    """
    label = shortened(label, max([TOKEN, *map(len, labels)]))
    as_given = tf.equal(label[:, None], tf.constant(list(labels)))  # (B, C)
    forms = tf.constant([unicodedata.normalize("NFC", name) for name in labels])
    valid = tf.strings.unicode_transcode(label, "UTF-8", "UTF-8", errors="replace")
    composed = composer()(tf.strings.strip(valid))
    alike = tf.equal(composed[:, None], forms)
    score = 2 * tf.cast(as_given, tf.int32) + tf.cast(alike, tf.int32)
    known = tf.reduce_any(score > 0, axis=1)
    shown = ", ".join(labels[:SHOWN])
    more = f", ... ({len(labels)} in all)" if len(labels) > SHOWN else ""
    unknown = tf.strings.reduce_join(tf.boolean_mask(label, ~known)[:1])
    unknown = tf.strings.substr(unknown, 0, LONGEST, unit="UTF8_CHAR")
    message = tf.strings.join([f"label must be one of {shown}{more}; got ", unknown])
    with tf.control_dependencies([tf.debugging.Assert(tf.reduce_all(known), [message])]):
        return tf.argmax(score, axis=1, output_type=tf.int32)
