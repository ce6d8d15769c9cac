"""Writer: a language model continues a text and scores texts."""

from collections.abc import Mapping, Sequence
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from zoo.architectures.language_model import LanguageModel
from zoo.decoding import Filter, bounds, generate
from zoo.errors import InputError
from zoo.export import ODD_TEXTS
from zoo.fine_tuning.fitting import Examples
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
    integers,
    names_of,
    names_signature,
    strings,
    traced,
)
from zoo.pipelines.streaming import stream_signatures, token_steps
from zoo.text import BOS, EOS, PAD, UNK, SubwordCodec, TextCodec
from zoo.text.limits import SCORED, TEXT, is_long, shortened
from zoo.text.text_path import unknown_share, unknown_tokens

TEXTS = (*ODD_TEXTS, b"The quick brown fox.\nIt ran", b"abc " * 300)
TOKENS = (b"[BOS]", b"a", b"\xff")
WINDOW = 256  # tokens of a text that are trained on at once
WIDEST = 2**22  # logits of a row that are held at once when a text is scored
NEVER = (PAD, UNK, BOS)  # tokens that are not generated
OPTIONS = ("max_tokens", "temperature", "top_k", "top_p", "seed")


class Writer(Pipeline):
    """Continues a text, and scores texts.

    A row of text is read from BOS and the initial state on. The signatures, of named tensors, all
    with the batch first:

    - `generate`: `prompt` string (B,), `max_tokens` int32 (B,), `temperature` float32 (B,) (0 takes
      the most likely token), `top_k` int32 (B,) (0 = all), `top_p` float32 (B,) (1 = all), `seed`
      int32 (B,) -> `text` string (B,), the prompt and what follows; `log_probability` float32 (B,),
      in nats, of what follows under the model itself; `num_tokens` int32 (B,), the number of tokens
      drawn, the end counted; `tokens` string (B, T), these as the vocabulary spells them, "[EOS]"
      for the end and "" as padding; `token_probabilities` float32 (B, T), that of each under the
      model itself, 0 in the padding; of the prompt: `unknown_share` float32 (B,),
      `unknown_tokens` string (B, U), its first out-of-vocabulary tokens, "" as padding, and
      `truncated` bool (B,), whether it was too long: its end is read then.
    - `score`: `text` string (B,) -> `log_probability` float32 (B,), in nats; `num_tokens` int32
      (B,), the number of tokens; `perplexity` float32 (B,), exp(- log_probability / num_tokens);
      `num_unknown` int32 (B,), the number of them that are UNK and count as that; `unknown_share`
      and `unknown_tokens` as above; `truncated` bool (B,), whether only the beginning was read.
    - `start`: `streams` int32 (B,), a number a row, of any value -> the states before a text.
    - `step`: `token` string (B,), first "[BOS]", and the states -> `probabilities` float32 (B, V)
      of what follows, and the states to go on with: `state_L_N`, the N-th of layer L.
    - `step_ids`: the same with `token_ids` int32 (B,), first 2, in place of `token`, and `logits`
      float32 (B, V) in place of `probabilities`.
    - `tokens`: `ids` int32 (N,) -> `tokens` string (N,): what the V probabilities are of, "" for an
      id without a token.
    - `read`, `draw`, `spell`: `generate` token by token, see `zoo.pipelines.drawing`. `read` takes
      `prompt`, `spell` takes `prompt` and `token_ids` int32 (B, T) and returns `text`, the prompt
      and what follows.

    A row's answer depends on its own inputs alone. Options out of their range are set to the
    nearest value in it, see `zoo.decoding.bounds`; how much is read, see `zoo.text.limits`.

    Args:
        model: What `zoo.build("language_model", explicit_states=True, ...)` returns.
        codec: Strings <-> ids.
        ends: Whether a scored text ends where it ends: EOS is one of its tokens then.

    Raises:
        InputError: The model does not take its states, or its V is not the codec's.
    """

    path_names, option_names = ("codec",), ("ends",)
    sized_by = SizedBy({"codec": ("vocabulary_size", ("embedding", "logits"))})
    has_targets = False

    def __init__(
        self, model: keras.Model, codec: TextCodec | SubwordCodec, ends: bool = True
    ) -> None:
        if not isinstance(model.output, dict) or "logits" not in model.output:
            raise InputError(
                "the language model must take and give its states: build it with "
                "explicit_states=True"
            )
        size = model.output["logits"].shape[-1]
        if size != len(codec.vocabulary):
            raise InputError(
                f"the model gives {size} logits a token, but the vocabulary has "
                f"{len(codec.vocabulary)} tokens: give the one that it was trained with"
            )
        self.model: LanguageModel = LanguageModel.of(model)
        self.codec, self.ends = codec, ends
        self.reader, self.losses_of = self.model.states_only(), self.model.with_losses()

    def __call__(self, texts: str | Sequence[str]) -> list[str]:
        """Each prompt with what follows it, drawn by `generate`'s defaults."""
        return list(self.generate(texts)["text"])

    def generate(
        self,
        prompts: str | Sequence[str],
        max_tokens: Any = 100,
        temperature: Any = 1.0,
        top_k: Any = 0,
        top_p: Any = 1.0,
        seed: Any = 0,
    ) -> Answers:
        """All outputs of the signature `generate`, as arrays; an option may differ by row."""
        return self.answers(
            self._generate,
            prompt=prompts,
            max_tokens=max_tokens,
            temperature=temperature,
            top_k=top_k,
            top_p=top_p,
            seed=seed,
        )

    def score(self, texts: str | Sequence[str]) -> Answers:
        """All outputs of the signature `score`, as arrays."""
        return self.answers(self._score, text=texts)

    def training_examples(
        self,
        model: keras.Model,
        texts: Sequence[Any],
        targets: Any,
        paths: Mapping[str, Any],
        labels: Sequence[str],
    ) -> Examples:
        """Windows of the texts' ids, each from the initial states, and the ids that follow."""
        rows, following = [], []
        for ids in paths["codec"].encode(texts):
            whole = np.concatenate([[BOS], ids, [EOS][: self.ends]]).astype(np.int32)
            for first in range(0, len(whole) - 1, WINDOW):
                rows.append({"token_ids": whole[first : first + WINDOW][: len(whole) - 1 - first]})
                following.append(whole[first + 1 : first + 1 + WINDOW])

        def outputs(model: Any, token_ids: Any) -> Any:
            states = LanguageModel.of(model).initial_states(tf.shape(token_ids)[0])
            return model({"token_ids": token_ids, **states}, training=True)["logits"]

        return Examples(rows, following, TokenCrossentropy(), outputs)

    def litert_graphs(self, sizes: Sizes) -> dict[str, Graph]:
        """The graphs `model`, `start` and `step`; see `zoo.litert.architectures.language_model`."""
        return litert.language_model(self.model, sizes)

    def onnx_graphs(self) -> dict[str, Served]:
        """`model`, `read`, `start` and `step`; see `zoo.onnx.architectures.language_model`."""
        return architectures.language_model(self.model)

    def signatures(self) -> dict[str, Signature]:
        """`generate`, `score`, `start`, `step`, `step_ids`, `tokens`, `read`, `draw`, `spell`."""
        rows, texts = len(TEXTS), tf.constant(TEXTS)
        products = self.model.input_products()
        steps = token_steps(self.model.step, self.codec.vocabulary, TOKENS, products)
        options = {
            "max_tokens": tf.fill([rows], 20),
            "temperature": tf.zeros([rows]),
            "top_k": tf.range(rows),
            "top_p": tf.ones([rows]),
            "seed": tf.fill([rows], 7),
        }
        return {
            "generate": Signature(self._generate, {"prompt": texts, **options}),
            "score": Signature(self._score, {"text": texts}),
            **stream_signatures(self._start, {"streams": tf.range(3)}, steps),
            "tokens": names_signature("tokens", self.codec.vocabulary.tokens),
            **drawing_signatures(
                self._read,
                {"prompt": texts[:3]},
                self._drawing_step,
                OPTIONS[1:-1],
                self._spell,
                forbidden=NEVER,
            ),
        }

    @traced(strings("prompt"), *map(bounds.spec, OPTIONS))
    def _generate(
        self, prompt: Any, max_tokens: Any, temperature: Any, top_k: Any, top_p: Any, seed: Any
    ) -> dict[str, Any]:
        tokens, ids = self.codec.tokens_and_ids(shortened(prompt, TEXT, "tail"))
        read = ids[:, -SCORED:]
        logits, states = self._prompted(read)
        drawn = generate(
            self.model.step,
            logits,
            states,
            end=EOS,
            max_tokens=bounds.clamped("max_tokens", max_tokens),
            choose=Filter(
                bounds.clamped("temperature", temperature),
                bounds.clamped("top_k", top_k),
                bounds.clamped("top_p", top_p),
                forbidden=NEVER,
            ),
            seed=bounds.clamped("seed", seed),
        )
        unknown = self.codec.unknown(ids)
        return {
            "text": self.codec.continued(prompt, drawn.token_ids),
            "log_probability": drawn.log_probability,
            "num_tokens": drawn.lengths,
            **token_answers(self.codec, drawn.token_ids, drawn.log_probabilities),
            "unknown_share": unknown_share(unknown),
            "unknown_tokens": unknown_tokens(tokens, unknown),
            "truncated": is_long(prompt) | (read.row_lengths() < ids.row_lengths()),
        }

    @traced(strings("prompt"))
    def _read(self, prompt: Any) -> dict[str, Any]:
        ids = self.codec.ids(shortened(prompt, TEXT, "tail"))
        last, states = self._before_last(ids[:, -SCORED:])
        return {"token_ids": last, **states}

    def _drawing_step(self, token_ids: Any, states: States, _: Options) -> tuple[Any, Any, States]:
        logits, after = self.model.step(token_ids, states)
        return logits, logits, after

    @traced(strings("prompt"), tf.TensorSpec([None, None], tf.int32, name="token_ids"))
    def _spell(self, prompt: Any, token_ids: Any) -> dict[str, Any]:
        return {"text": self.codec.continued(prompt, token_ids)}

    def _prompted(self, ids: tf.RaggedTensor) -> tuple[Any, States]:
        """The logits after BOS and the prompts' ids, and the states with which they came."""
        return self.model.step(*self._before_last(ids))

    def _before_last(self, ids: tf.RaggedTensor) -> tuple[Any, States]:
        """The last of BOS and the prompts' ids, (B,), and the states before it."""
        rows = ids.nrows(tf.int32)
        read = _after_bos(ids, rows)
        # all but the last token are read at once, the last by a step, which gives the logits
        lengths = tf.cast(ids.row_lengths(), tf.int32) + 1
        here = tf.range(tf.shape(read)[1])[None] < lengths[:, None] - 1
        last = tf.gather(read, lengths - 1, batch_dims=1)
        inputs = {"token_ids": tf.where(here, read, PAD), **self.model.initial_states(rows)}
        return last, self.reader(inputs)

    @traced(strings("text"))
    def _score(self, text: tf.Tensor) -> dict[str, tf.Tensor]:
        tokens, whole = self.codec.tokens_and_ids(shortened(text))
        ids = whole[:, :SCORED]
        rows = ids.nrows(tf.int32)
        token_ids = _after_bos(ids, rows)
        counts = tf.cast(ids.row_lengths(), tf.int32) + int(self.ends)
        following = tf.pad(token_ids[:, 1:], [(0, 0), (0, 1)])
        places = tf.range(tf.shape(token_ids)[1])[None]
        last = places == tf.cast(ids.row_lengths(), tf.int32)[:, None]
        target_ids = tf.where(last, EOS, following) if self.ends else following
        counted = places < counts[:, None]
        token_ids, target_ids = (tf.where(counted, each, PAD) for each in (token_ids, target_ids))
        return {
            **totals(self._log_probability(token_ids, target_ids, rows), counts, target_ids),
            "unknown_share": unknown_share(self.codec.unknown(whole)),
            "unknown_tokens": unknown_tokens(tokens, self.codec.unknown(whole)),
            "truncated": is_long(text) | (ids.row_lengths() < whole.row_lengths()),
        }

    def _log_probability(self, token_ids: Any, target_ids: Any, rows: Any) -> Any:
        """The sum over a row's targets, (B,), in windows that bound the logits held at once."""
        width = max(16, WIDEST // len(self.codec.vocabulary))

        def body(place: Any, total: Any, states: Any) -> Any:
            part = {
                "token_ids": token_ids[:, place : place + width],
                "target_ids": target_ids[:, place : place + width],
            }
            outputs = self.losses_of({**part, **states})
            total = total - tf.reduce_sum(outputs["losses"], axis=1)
            return place + width, total, {name: outputs[name] for name in states}

        first = (tf.constant(0), tf.zeros([rows]), self.model.initial_states(rows))
        end = tf.shape(token_ids)[1]
        return tf.while_loop(lambda place, *_: place < end, body, first)[1]

    @traced(integers("streams"))
    def _start(self, streams: tf.Tensor) -> States:
        return self.model.initial_states(tf.shape(streams)[0])


def _after_bos(ids: tf.RaggedTensor, rows: Any) -> tf.Tensor:
    """BOS and a text's ids, int32 (B, T), 0 = PAD on the right; T is at least 1."""
    return tf.concat([tf.fill([rows, 1], BOS), ids.to_tensor()], axis=1)


def token_answers(codec: Any, token_ids: Any, log_probabilities: Any) -> dict[str, tf.Tensor]:
    """The outputs of a signature `generate` about each token drawn, (B, T) each; T is at least 1.

    `token_ids` and `log_probabilities` are (B, T), 0 as padding.
    """
    missing = [(0, 0), (0, tf.maximum(1 - tf.shape(token_ids)[1], 0))]
    ids, each = tf.pad(token_ids, missing), tf.pad(log_probabilities, missing)
    return {
        "tokens": names_of(["", *codec.vocabulary.tokens[1:]], ids),
        "token_probabilities": tf.where(ids == PAD, 0.0, tf.exp(each)),
    }


def totals(log_probability: Any, num_tokens: Any, target_ids: Any) -> dict[str, tf.Tensor]:
    """The outputs of a signature `score` that count tokens, (B,) each; `target_ids` is (B, T)."""
    counts = tf.cast(tf.maximum(num_tokens, 1), tf.float32)
    return {
        "log_probability": log_probability,
        "num_tokens": num_tokens,
        "perplexity": tf.exp(-log_probability / counts),
        "num_unknown": tf.reduce_sum(tf.cast(target_ids == UNK, tf.int32), axis=1),
    }
