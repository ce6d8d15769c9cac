"""Codec + language model + decoding -> a SavedModel that writes text and scores it."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import keras
import tensorflow as tf

from zoo.architectures import language_model
from zoo.decoding import Filter, generate
from zoo.errors import InputError
from zoo.export import ODD_TEXTS, publish
from zoo.layers import named_states, nested_states
from zoo.text import BOS, EOS, PAD, UNK, TextCodec, unknown_share

TEXTS = (*ODD_TEXTS, b"The quick brown fox.\nIt ran", b"abc " * 300)
WIDEST = 2**22  # logits of a row that are held at once when a text is scored
NEVER = (PAD, UNK, BOS)  # what is not written

Functions = dict[str, Any]


def writer(model: keras.Model, codec: TextCodec, ends: bool = True) -> Functions:
    """Joins text path, model and decoding.

    A row of text is read from BOS and the initial state on. The functions, of named tensors:

    - `generate`: `prompt` string (B,), `max_tokens` int32, `temperature` float32 (0 takes the best
      token), `top_k` int32 (0 = all), `top_p` float32 (1 = all), `seed` int32 -> `text` string
      (B,), the prompt and what follows; `log_probability` float32 (B,), in nats, of what follows
      under the model itself; `num_tokens` int32 (B,), how many were drawn, the end counted.
    - `score`: `text` string (B,) -> `log_probability` float32 (B,), in nats; `num_tokens` int32
      (B,), how many tokens that is of; `perplexity` float32 (B,), exp(- log_probability /
      num_tokens); `num_unknown` int32 (B,), how many of them are UNK and count as that.
    - `start`: `streams` int32, rows -> the states before a text.
    - `step`: `token` string (B,), first "[BOS]", and the states -> `probabilities` float32 (B, V)
      of what follows, and the states to go on with: `state_L_N`, the N-th of layer L.
    - `tokens`: `ids` int32 (N,) -> `tokens` string (N,): what the V probabilities are of.

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


def _start(model: keras.Model, rows: Any) -> list[Any]:
    states: list[Any] = model.get_layer("body").get_initial_states(rows)
    return states


def _generate(model: keras.Model, codec: TextCodec) -> Any:
    read = language_model.states_only(model)

    def step(token_ids: Any, states: Any) -> Any:
        return language_model.step(model, token_ids, states)

    signature = [
        tf.TensorSpec([None], tf.string, name="prompt"),
        tf.TensorSpec([], tf.int32, name="max_tokens"),
        tf.TensorSpec([], tf.float32, name="temperature"),
        tf.TensorSpec([], tf.int32, name="top_k"),
        tf.TensorSpec([], tf.float32, name="top_p"),
        tf.TensorSpec([], tf.int32, name="seed"),
    ]

    @tf.function(input_signature=signature, autograph=False)
    def write(
        prompt: Any, max_tokens: Any, temperature: Any, top_k: Any, top_p: Any, seed: Any
    ) -> dict[str, Any]:
        ids = codec.ids(prompt)
        rows = ids.nrows(tf.int32)
        begun = _begun(ids, rows)
        # all but the last token are read at once, the last by a step, which gives the logits
        before = tf.concat([begun[:, :-1], tf.zeros([tf.shape(begun)[0], 1], tf.int32)], axis=1)
        lengths = tf.reduce_sum(tf.cast(begun != PAD, tf.int32), axis=1)
        here = tf.range(tf.shape(begun)[1])[None] < lengths[:, None] - 1
        before = tf.where(here, begun, PAD)
        last = tf.gather(begun, lengths - 1, batch_dims=1)
        states = read({"token_ids": before, **named_states(_start(model, rows))})
        logits, nested = step(last, nested_states(states))
        drawn = generate(
            step,
            logits,
            nested,
            end=EOS,
            max_tokens=max_tokens,
            choose=Filter(temperature, top_k, top_p, forbidden=NEVER),
            seed=seed,
        )
        new = tf.RaggedTensor.from_tensor(drawn.token_ids, lengths=drawn.lengths)
        return {
            "text": codec.text(tf.concat([ids, new], axis=1).to_tensor()),
            "log_probability": drawn.log_probability,
            "num_tokens": drawn.lengths,
            "unknown_share": unknown_share(codec.unknown(ids)),
        }

    return write


def _begun(ids: tf.RaggedTensor, rows: Any) -> tf.Tensor:
    """BOS and a text's ids, int32 (B, T), 0 = PAD on the right."""
    bos = tf.RaggedTensor.from_tensor(tf.fill([rows, 1], BOS))
    return tf.concat([bos, ids], axis=1).to_tensor()


def _score(model: keras.Model, codec: TextCodec, ends: bool) -> Any:
    losses_of = language_model.with_losses(model)
    width = max(16, WIDEST // len(codec.vocabulary))

    @tf.function(input_signature=[tf.TensorSpec([None], tf.string, name="text")], autograph=False)
    def score(text: tf.Tensor) -> dict[str, Any]:
        ids = codec.ids(text)
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

        first = (tf.constant(0), tf.zeros([rows]), named_states(_start(model, rows)))
        end = tf.shape(token_ids)[1]
        _, total, _ = tf.while_loop(lambda place, *_: place < end, body, first)
        tokens = tf.cast(tf.maximum(counts, 1), tf.float32)
        return {
            "log_probability": total,
            "num_tokens": counts,
            "perplexity": tf.exp(-total / tokens),
            "num_unknown": tf.reduce_sum(tf.cast(target_ids == UNK, tf.int32), axis=1),
            "unknown_share": unknown_share(codec.unknown(ids)),
        }

    return score


def _stream(model: keras.Model, codec: TextCodec) -> Functions:
    """The functions `start`, `step` and `tokens`: the caller keeps the states."""

    @tf.function(input_signature=[tf.TensorSpec([], tf.int32, name="streams")], autograph=False)
    def start(streams: tf.Tensor) -> dict[str, tf.Tensor]:
        return named_states(_start(model, streams))

    @tf.function(autograph=False)
    def step(token: tf.Tensor, **states: tf.Tensor) -> dict[str, tf.Tensor]:
        ids = codec.vocabulary.ids(token)
        logits, after = language_model.step(model, ids, nested_states(states))
        return {"probabilities": tf.nn.softmax(logits), **named_states(after)}

    @tf.function(input_signature=[tf.TensorSpec([None], tf.int32, name="ids")], autograph=False)
    def tokens(ids: tf.Tensor) -> dict[str, tf.Tensor]:
        return {"tokens": tf.gather(tf.constant(codec.vocabulary.tokens), ids)}

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
    first = functions["start"](tf.constant(3))
    asked: Mapping[str, Any] = {"max_tokens": 20, "temperature": 0.0, "top_k": 0, "top_p": 1.0}
    probes: dict[str, dict[str, Any]] = {
        "generate": {"prompt": tf.constant(TEXTS), **asked, "seed": 7},
        "score": {"text": tf.constant(TEXTS)},
        "start": {"streams": tf.constant(3)},
        "step": {"token": tf.constant([b"[BOS]", b"a", b"\xff"]), **first},
        "tokens": {"ids": tf.range(len(codec.vocabulary))},
    }
    tracked = [codec, *(weight.value for weight in model.weights)]
    return publish(functions, tracked, probes, directory)
