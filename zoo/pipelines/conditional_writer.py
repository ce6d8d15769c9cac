"""Labels + one to many + decoding + codec -> a SavedModel that writes a text to a label."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import keras
import tensorflow as tf

from zoo.architectures.one_to_many import ConditionalLanguageModel
from zoo.decoding import Filter, bounds, generate, guided
from zoo.decoding.filtering import RULED_OUT
from zoo.errors import InputError
from zoo.export import ODD_TEXTS, publish
from zoo.text import BOS, EOS, PAD, UNK, TextCodec, unknown_share, unknown_tokens
from zoo.text.dense import dense
from zoo.text.labels import label_ids, names_of
from zoo.text.limits import TAGGED, is_long, shortened

TEXTS = (*ODD_TEXTS, b"Smith", b"abc " * 300)
NEVER = (PAD, UNK, BOS)  # what is not written
OPTIONS = ("max_tokens", "temperature", "top_k", "top_p", "min_p", "guidance", "seed")

Functions = dict[str, Any]


def writer(model: keras.Model, codec: TextCodec, labels: Sequence[str]) -> Functions:
    """Joins labels, model, decoding and text path.

    A text begins behind BOS, and EOS is its last token. The functions, of named tensors, all with
    the batch first; where a label is unknown they fail and name those that are known:

    - `generate`: `label` string (B,), `max_tokens` int32 (B,), `temperature` float32 (B,) (0 takes
      the best token), `top_k` int32 (B,) (0 = all), `top_p` float32 (B,) (1 = all), `min_p` float32
      (B,) (0 = all) and `guidance` float32 (B,) (0 = as the model predicts; for both see
      `zoo.decoding.guided`), `seed` int32 (B,) -> `text` string (B,); `log_probability` float32
      (B,), in nats, under the model itself; `num_tokens` int32 (B,), the number of tokens drawn,
      the end counted; `finished` bool (B,), whether the end came; `unknown_share` float32 (B,), 0:
      a label is known.
    - `score`: `label` and `text` string (B,) -> `log_probability` float32 (B,), in nats, of the
      text and its end; `num_tokens` int32 (B,), the number of tokens; `perplexity` float32 (B,),
      exp(- log_probability / num_tokens); `num_unknown` int32 (B,), the number of them that are UNK
      and count as that; `unknown_share` float32 (B,), their share of the text's tokens;
      `unknown_tokens` string (B, U), the first of them, "" as padding; `truncated` bool (B,),
      whether only the beginning of the text was read.
    - `start`: `label` string (B,) -> the states before the first token: `state_L_N`, the N-th of
      layer L, and `condition` where the model reads the label's vector at each step.
    - `step`: `token` string (B,), first "[BOS]", and the states -> `probabilities` float32 (B, V)
      of what follows, and the states to go on with.
    - `tokens`: `ids` int32 (N,) -> `tokens` string (N,): what the V probabilities are of, "" for an
      id that no token has.
    - `labels`: `ids` int32 (N,) -> `labels` string (N,), "" for an id that no label has.

    A row's answer depends on its own inputs alone. Options out of their range are set to the
    nearest value in it, see `zoo.decoding.bounds`; how much is read, see `zoo.text.limits`.

    Args:
        model: What `zoo.build("one_to_many", num_classes=..., ...)` gives.
        codec: Strings <-> ids.
        labels: The classes' names, in the order of their ids.

    Returns:
        Name -> a `tf.function` with an input signature.

    Raises:
        InputError: The model takes no class, its sizes are not those of codec and labels, or a
            label is given twice.
    """
    _check(model, codec, labels)
    model = ConditionalLanguageModel.of(model)
    return {
        "generate": _generate(model, codec, labels),
        "score": _score(model, codec, labels),
        **_stream(model, codec, labels),
        **_names(codec, labels),
    }


def _check(model: keras.Model, codec: TextCodec, labels: Sequence[str]) -> None:
    if not isinstance(model.input, dict) or "class_ids" not in model.input:
        raise InputError(
            f"the model {model.name!r} takes no class: build it with "
            "zoo.build('one_to_many', num_classes=...)"
        )
    if len(set(labels)) < len(labels):
        raise InputError(f"a label is given twice: {', '.join(labels)}; take one out")
    sizes = (
        ("labels", ConditionalLanguageModel.of(model).num_classes, labels),
        ("tokens", model.output.shape[-1], codec.vocabulary),
    )
    for name, size, given in sizes:
        if size != len(given):
            raise InputError(
                f"the model is for {size} {name}, but {len(given)} are given: give those that it "
                "was trained with"
            )


def _label() -> tf.TensorSpec:
    return tf.TensorSpec([None], tf.string, name="label")


def _generate(model: ConditionalLanguageModel, codec: TextCodec, labels: Sequence[str]) -> Any:
    losses_of = model.with_losses()
    signature = [_label(), *map(bounds.spec, OPTIONS)]

    def plain(token_ids: Any, states: Any) -> Any:
        logits, states = model.step(token_ids, states)
        never = tf.reduce_any(tf.one_hot(NEVER, logits.shape[-1], True, False), axis=0)
        return tf.where(never, RULED_OUT, logits), states

    @tf.function(input_signature=signature, autograph=False)
    def write(
        label: Any,
        max_tokens: Any,
        temperature: Any,
        top_k: Any,
        top_p: Any,
        min_p: Any,
        guidance: Any,
        seed: Any,
    ) -> dict[str, Any]:
        class_ids, rows = label_ids(label, labels), tf.shape(label)[0]
        strength, least = bounds.clamped("guidance", guidance), bounds.clamped("min_p", min_p)
        step = guided(plain, strength, least)
        before = model.initial_states(class_ids), model.unconditional_states(rows)
        logits, states = step(tf.fill([rows], BOS), before)
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
        # the model's own word on it: what was drawn from is another distribution
        read = tf.concat([tf.fill([rows, 1], BOS), drawn.token_ids], axis=1)
        told = tf.pad(drawn.token_ids, [(0, 0), (0, 1)], constant_values=PAD)
        losses = losses_of({"class_ids": class_ids, "token_ids": read, "target_ids": told})
        there = tf.sequence_mask(drawn.lengths, tf.shape(told)[1])
        total = -tf.reduce_sum(tf.where(there, losses["losses"], 0.0), axis=1)
        return {
            "text": codec.text(drawn.token_ids),
            "log_probability": total,
            "num_tokens": drawn.lengths,
            "finished": drawn.finished,
            "unknown_share": tf.zeros([rows]),
        }

    return write


def _score(model: ConditionalLanguageModel, codec: TextCodec, labels: Sequence[str]) -> Any:
    losses_of = model.with_losses()
    signature = [_label(), tf.TensorSpec([None], tf.string, name="text")]

    @tf.function(input_signature=signature, autograph=False)
    def score(label: tf.Tensor, text: tf.Tensor) -> dict[str, Any]:
        tokens, whole = codec.tokens_and_ids(shortened(text))
        ids, unknown = whole[:, :TAGGED], codec.unknown(whole)
        ends = tf.ones([ids.nrows(), 1], tf.int32)
        read = dense(tf.concat([BOS * ends, ids], axis=1), PAD)
        told = dense(tf.concat([ids, EOS * ends], axis=1), PAD)
        inputs = {"class_ids": label_ids(label, labels), "token_ids": read, "target_ids": told}
        total = -tf.reduce_sum(losses_of(inputs)["losses"], axis=1)
        counts = tf.cast(ids.row_lengths(), tf.int32) + 1
        return {
            "log_probability": total,
            "num_tokens": counts,
            "perplexity": tf.exp(-total / tf.cast(counts, tf.float32)),
            "num_unknown": tf.reduce_sum(tf.cast(told == UNK, tf.int32), axis=1),
            "unknown_share": unknown_share(unknown),
            "unknown_tokens": unknown_tokens(tokens, unknown),
            "truncated": is_long(text) | (ids.row_lengths() < whole.row_lengths()),
        }

    return score


def _stream(model: ConditionalLanguageModel, codec: TextCodec, labels: Sequence[str]) -> Functions:
    """The functions `start` and `step`: the caller keeps the states."""

    @tf.function(input_signature=[_label()], autograph=False)
    def start(label: tf.Tensor) -> dict[str, tf.Tensor]:
        return model.initial_states(label_ids(label, labels))

    @tf.function(autograph=False)
    def step(token: tf.Tensor, **states: tf.Tensor) -> dict[str, tf.Tensor]:
        logits, after = model.step(codec.vocabulary.ids(token), states)
        return {"probabilities": tf.nn.softmax(logits), **after}

    specs = {
        name: tf.TensorSpec([None, *tensor.shape[1:]], tensor.dtype, name=name)
        for name, tensor in start.get_concrete_function().structured_outputs.items()
    }
    token = tf.TensorSpec([None], tf.string, name="token")
    return {"start": start, "step": step.get_concrete_function(token=token, **specs)}


def _names(codec: TextCodec, labels: Sequence[str]) -> Functions:
    """The functions `tokens` and `labels`: what ids stand for."""
    signature = [tf.TensorSpec([None], tf.int32, name="ids")]

    @tf.function(input_signature=signature, autograph=False)
    def tokens(ids: tf.Tensor) -> dict[str, tf.Tensor]:
        return {"tokens": names_of(codec.vocabulary.tokens, ids)}

    @tf.function(input_signature=signature, autograph=False)
    def names(ids: tf.Tensor) -> dict[str, tf.Tensor]:
        return {"labels": names_of(labels, ids)}

    return {"tokens": tokens, "labels": names}


def export_one_to_many(
    model: keras.Model, codec: TextCodec, labels: Sequence[str], directory: Path
) -> Path:
    """Writes the next version of a served model, checked as `zoo.export.publish` does.

    Its signatures are `generate`, `score`, `start`, `step`, `tokens` and `labels`; see `writer`.

    Args:
        model: What `zoo.build("one_to_many", num_classes=..., ...)` gives.
        codec: Strings <-> ids.
        labels: The classes' names, in the order of their ids.
        directory: `saved_models/NAME`; the version becomes a folder `1`, `2`, ... in it.

    Returns:
        The version's folder.

    Raises:
        ExportError: The written model does not load or answers otherwise; nothing is left behind.
        InputError: The model takes no class, its sizes are not those of codec and labels, or a
            label is given twice.
    """
    functions = writer(model, codec, labels)
    label = tf.constant([labels[0], labels[-1], labels[0]])
    numbers: dict[str, Any] = {"max_tokens": 20, "temperature": 0.0, "top_k": 0, "top_p": 1.0}
    numbers |= {"min_p": 0.01, "guidance": 0.5, "seed": 7}
    asked = {name: tf.fill([len(labels)], value) for name, value in numbers.items()}
    probes: dict[str, dict[str, Any]] = {
        "generate": {"label": tf.constant(labels), **asked},
        "score": {"label": tf.fill([len(TEXTS)], labels[-1]), "text": tf.constant(TEXTS)},
        "start": {"label": label},
        "step": {"token": tf.constant([b"[BOS]", b"a", b"\xff"]), **functions["start"](label)},
        "tokens": {"ids": tf.range(-1, len(codec.vocabulary) + 1)},
        "labels": {"ids": tf.range(len(labels) + 1)},
    }
    tracked = [codec, *(weight.value for weight in model.weights)]
    return publish(functions, tracked, probes, directory)
