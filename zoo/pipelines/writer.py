"""Codec + language model + decoding -> a SavedModel that writes text and scores it."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import keras
import tensorflow as tf

from zoo.architectures.language_model import LanguageModel
from zoo.decoding import Filter, bounds, generate
from zoo.errors import InputError
from zoo.export import ODD_TEXTS, publish
from zoo.text import BOS, EOS, PAD, UNK, TextCodec, unknown_share, unknown_tokens
from zoo.text.labels import names_of
from zoo.text.limits import SCORED, TEXT, is_long, shortened

TEXTS = (*ODD_TEXTS, b"The quick brown fox.\nIt ran", b"abc " * 300)
WIDEST = 2**22  # logits of a row that are held at once when a text is scored
NEVER = (PAD, UNK, BOS)  # what is not written
OPTIONS = ("max_tokens", "temperature", "top_k", "top_p", "seed")

Functions = dict[str, Any]


def writer(model: keras.Model, codec: TextCodec, ends: bool = True) -> Functions:
    """Joins text path, model and decoding.

    A row of text is read from BOS and the initial state on. The functions, of named tensors, all
    with the batch first:

    - `generate`: `prompt` string (B,), `max_tokens` int32 (B,), `temperature` float32 (B,) (0 takes
      the best token), `top_k` int32 (B,) (0 = all), `top_p` float32 (B,) (1 = all), `seed` int32
      (B,) -> `text` string (B,), the prompt as it was given and what follows; `log_probability`
      float32 (B,), in nats, of what follows under the model itself; `num_tokens` int32 (B,), the
      number of tokens drawn, the end counted; of the prompt: `unknown_share` float32 (B,),
      `unknown_tokens` string (B, U), the first tokens that the vocabulary lacks, "" as padding, and
      `truncated` bool (B,), whether it was too long: its end is read then.
    - `score`: `text` string (B,) -> `log_probability` float32 (B,), in nats; `num_tokens` int32
      (B,), the number of tokens; `perplexity` float32 (B,), exp(- log_probability / num_tokens);
      `num_unknown` int32 (B,), the number of them that are UNK and count as that; `unknown_share`
      and `unknown_tokens` as above; `truncated` bool (B,), whether only the beginning was read.
    - `start`: `streams` int32 (B,), a number a row, of any value -> the states before a text.
    - `step`: `token` string (B,), first "[BOS]", and the states -> `probabilities` float32 (B, V)
      of what follows, and the states to go on with: `state_L_N`, the N-th of layer L.
    - `tokens`: `ids` int32 (N,) -> `tokens` string (N,): what the V probabilities are of, "" for an
      id that no token has.

    A row's answer depends on its own inputs alone. Options out of their range are set to the
    nearest value in it, see `zoo.decoding.bounds`; how much is read, see `zoo.text.limits`.

    Args:
        model: What `zoo.build("language_model", explicit_states=True, ...)` gives.
        codec: Strings <-> ids.
        ends: Whether a scored text ends where it ends: EOS is one of its tokens then.

    Returns:
        Name -> a `tf.function` with an input signature.

    Raises:
        InputError: The model does not take its states, or its V is not the codec's.
    """
    _check(model, codec)
    model = LanguageModel.of(model)
    return {
        "generate": _generate(model, codec),
        "score": _score(model, codec, ends),
        **_stream(model, codec),
    }


def _check(model: keras.Model, codec: TextCodec) -> None:
    if not isinstance(model.output, dict) or "logits" not in model.output:
        raise InputError(
            "the language model must take and give its states: build it with explicit_states=True"
        )
    size = model.output["logits"].shape[-1]
    if size != len(codec.vocabulary):
        raise InputError(
            f"the model gives {size} logits a token, but the vocabulary has "
            f"{len(codec.vocabulary)} tokens: give the one that it was trained with"
        )


def _generate(model: LanguageModel, codec: TextCodec) -> Any:
    read = model.states_only()

    def prompted(ids: tf.RaggedTensor) -> tuple[Any, Any]:
        """The logits after BOS and the prompts' ids, and the states with which they were given."""
        rows = ids.nrows(tf.int32)
        begun = _begun(ids, rows)
        # all but the last token are read at once, the last by a step, which gives the logits
        lengths = tf.cast(ids.row_lengths(), tf.int32) + 1
        here = tf.range(tf.shape(begun)[1])[None] < lengths[:, None] - 1
        last = tf.gather(begun, lengths - 1, batch_dims=1)
        start = model.initial_states(rows)
        return model.step(last, read({"token_ids": tf.where(here, begun, PAD), **start}))

    signature = [tf.TensorSpec([None], tf.string, name="prompt"), *map(bounds.spec, OPTIONS)]

    @tf.function(input_signature=signature, autograph=False)
    def write(
        prompt: Any, max_tokens: Any, temperature: Any, top_k: Any, top_p: Any, seed: Any
    ) -> dict[str, Any]:
        tokens, ids = codec.tokens_and_ids(shortened(prompt, TEXT, "tail"))
        kept = ids[:, -SCORED:]
        logits, states = prompted(kept)
        drawn = generate(
            model.step,
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
        unknown = codec.unknown(ids)
        return {
            "text": codec.continued(prompt, drawn.token_ids),
            "log_probability": drawn.log_probability,
            "num_tokens": drawn.lengths,
            "unknown_share": unknown_share(unknown),
            "unknown_tokens": unknown_tokens(tokens, unknown),
            "truncated": is_long(prompt) | (kept.row_lengths() < ids.row_lengths()),
        }

    return write


def _begun(ids: tf.RaggedTensor, rows: Any) -> tf.Tensor:
    """BOS and a text's ids, int32 (B, T), 0 = PAD on the right; T is at least 1."""
    return tf.concat([tf.fill([rows, 1], BOS), ids.to_tensor()], axis=1)


def _score(model: LanguageModel, codec: TextCodec, ends: bool) -> Any:
    losses_of = model.with_losses()
    width = max(16, WIDEST // len(codec.vocabulary))

    @tf.function(input_signature=[tf.TensorSpec([None], tf.string, name="text")], autograph=False)
    def score(text: tf.Tensor) -> dict[str, Any]:
        tokens, whole = codec.tokens_and_ids(shortened(text))
        ids = whole[:, :SCORED]
        truncated = is_long(text) | (ids.row_lengths() < whole.row_lengths())
        unknown = codec.unknown(whole)
        rows = ids.nrows(tf.int32)
        token_ids = _begun(ids, rows)
        counts = tf.cast(ids.row_lengths(), tf.int32) + int(ends)
        following = tf.pad(token_ids[:, 1:], [(0, 0), (0, 1)])
        places = tf.range(tf.shape(token_ids)[1])[None]
        last = places == tf.cast(ids.row_lengths(), tf.int32)[:, None]
        target_ids = tf.where(last, EOS, following) if ends else following
        counted = places < counts[:, None]
        token_ids = tf.where(counted, token_ids, PAD)
        target_ids = tf.where(counted, target_ids, PAD)

        def body(place: Any, total: Any, states: Any) -> Any:
            part = {
                "token_ids": token_ids[:, place : place + width],
                "target_ids": target_ids[:, place : place + width],
            }
            outputs = losses_of({**part, **states})
            total = total - tf.reduce_sum(outputs["losses"], axis=1)
            return place + width, total, {name: outputs[name] for name in states}

        first = (tf.constant(0), tf.zeros([rows]), model.initial_states(rows))
        end = tf.shape(token_ids)[1]
        _, total, _ = tf.while_loop(lambda place, *_: place < end, body, first)
        return {
            "log_probability": total,
            "num_tokens": counts,
            "perplexity": tf.exp(-total / tf.cast(tf.maximum(counts, 1), tf.float32)),
            "num_unknown": tf.reduce_sum(tf.cast(target_ids == UNK, tf.int32), axis=1),
            "unknown_share": unknown_share(unknown),
            "unknown_tokens": unknown_tokens(tokens, unknown),
            "truncated": truncated,
        }

    return score


def _stream(model: LanguageModel, codec: TextCodec) -> Functions:
    """The functions `start`, `step` and `tokens`: the caller keeps the states."""
    one_a_row = tf.TensorSpec([None], tf.int32, name="streams")

    @tf.function(input_signature=[one_a_row], autograph=False)
    def start(streams: tf.Tensor) -> dict[str, tf.Tensor]:
        return model.initial_states(tf.shape(streams)[0])

    @tf.function(autograph=False)
    def step(token: tf.Tensor, **states: tf.Tensor) -> dict[str, tf.Tensor]:
        logits, after = model.step(codec.vocabulary.ids(token), states)
        return {"probabilities": tf.nn.softmax(logits), **after}

    @tf.function(input_signature=[tf.TensorSpec([None], tf.int32, name="ids")], autograph=False)
    def tokens(ids: tf.Tensor) -> dict[str, tf.Tensor]:
        return {"tokens": names_of(codec.vocabulary.tokens, ids)}

    specs = {
        name: tf.TensorSpec([None, *tensor.shape[1:]], tensor.dtype, name=name)
        for name, tensor in start.get_concrete_function().structured_outputs.items()
    }
    token = tf.TensorSpec([None], tf.string, name="token")
    return {
        "start": start,
        "step": step.get_concrete_function(token=token, **specs),
        "tokens": tokens,
    }


def export_language_model(
    model: keras.Model, codec: TextCodec, directory: Path, ends: bool = True
) -> Path:
    """Writes the next version of a served language model, checked as `zoo.export.publish` does.

    Its signatures are `generate`, `score`, `start`, `step` and `tokens`; see `writer`.

    Args:
        model: What `zoo.build("language_model", explicit_states=True, ...)` gives.
        codec: Strings <-> ids.
        directory: `saved_models/NAME`; the version becomes a folder `1`, `2`, ... in it.
        ends: Whether a scored text ends where it ends.

    Returns:
        The version's folder.

    Raises:
        ExportError: The written model does not load or answers otherwise; nothing is left behind.
        InputError: The model does not take its states, or its V is not the codec's.
    """
    functions = writer(model, codec, ends)
    first = functions["start"](tf.range(3))
    rows = len(TEXTS)
    asked: Mapping[str, Any] = {
        "max_tokens": tf.fill([rows], 20),
        "temperature": tf.zeros([rows]),
        "top_k": tf.range(rows),
        "top_p": tf.ones([rows]),
        "seed": tf.fill([rows], 7),
    }
    probes: dict[str, dict[str, Any]] = {
        "generate": {"prompt": tf.constant(TEXTS), **asked},
        "score": {"text": tf.constant(TEXTS)},
        "start": {"streams": tf.range(3)},
        "step": {"token": tf.constant([b"[BOS]", b"a", b"\xff"]), **first},
        "tokens": {"ids": tf.range(-1, len(codec.vocabulary) + 1)},
    }
    tracked = [codec, *(weight.value for weight in model.weights)]
    return publish(functions, tracked, probes, directory)
