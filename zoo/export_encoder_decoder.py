"""A translator -> a SavedModel that takes strings and gives strings."""

from pathlib import Path
from typing import Any

import tensorflow as tf

from zoo.export import ODD_TEXTS, publish
from zoo.text import PAD
from zoo.translator import Translator

TEXTS = (*ODD_TEXTS, b"A dog runs.", b"abc " * 12)

Functions = dict[str, Any]


def functions_of(translator: Translator) -> Functions:
    """The functions of a translator, of named tensors, each with its signature.

    - `serving_default`: `text` string (B,) -> `translation` string (B,), `log_probability` float32
      (B,), in nats, of its tokens and its end.
    - `translate`: `text`, `beam_size` int32, `length_penalty` float32 (alpha), `max_tokens` int32
      (0 = as many as the source's length allows) -> `translations` string (B, n) with n =
      `beam_size`, best first, "" where there are fewer; `log_probabilities` float32 (B, n);
      `source_tokens` string (B, T_x) and `target_tokens` string (B, n, T_y), "" as padding;
      `attention` float32 (B, n, T_y, T_x), for each target token the shares of what it looked at.
    - `complete`: the same with `prefix` string (B,): the translations begin with it.
    - `score`: `text` and `translation` string (B,) -> `log_probability` float32 (B,), in nats;
      `num_tokens` int32 (B,), the end counted; `perplexity` float32 (B,).

    Args:
        translator: Model, codecs and search.
    """

    def spec(name: str, dtype: Any = tf.string, shape: Any = (None,)) -> tf.TensorSpec:
        return tf.TensorSpec(shape, dtype, name=name)

    asked = [
        spec("beam_size", tf.int32, ()),
        spec("length_penalty", tf.float32, ()),
        spec("max_tokens", tf.int32, ()),
    ]

    @tf.function(input_signature=[spec("text")], autograph=False)
    def best(text: Any) -> Any:
        return translator.best(text)

    def how(beam_size: Any, length_penalty: Any, max_tokens: Any) -> dict[str, Any]:
        most = tf.where(max_tokens > 0, max_tokens, tf.int32.max)
        sizes = {"beam_size": beam_size, "n_best": beam_size}
        return {**sizes, "alpha": length_penalty, "max_tokens": most}

    @tf.function(input_signature=[spec("text"), *asked], autograph=False)
    def translate(text: Any, beam_size: Any, length_penalty: Any, max_tokens: Any) -> Any:
        return translator.translate(text, **how(beam_size, length_penalty, max_tokens))

    @tf.function(input_signature=[spec("text"), spec("prefix"), *asked], autograph=False)
    def complete(
        text: Any, prefix: Any, beam_size: Any, length_penalty: Any, max_tokens: Any
    ) -> Any:
        ids = translator.target_ids(prefix).to_tensor(PAD)
        asked = how(beam_size, length_penalty, max_tokens)
        return translator.translate(text, prefix=ids, **asked)

    @tf.function(input_signature=[spec("text"), spec("translation")], autograph=False)
    def score(text: Any, translation: Any) -> Any:
        return translator.score(text, translation)

    return {
        "serving_default": best,
        "translate": translate,
        "complete": complete,
        "score": score,
    }


def export_encoder_decoder(translator: Translator, directory: Path) -> Path:
    """Writes the next version of a served model, checked as `zoo.export.publish` does.

    Its signatures are `serving_default`, `translate`, `complete` and `score`; see `functions_of`.

    Args:
        translator: Model, codecs and search.
        directory: `saved_models/NAME`; the version becomes a folder `1`, `2`, ... in it.

    Returns:
        The version's folder.

    Raises:
        ExportError: The written model does not load or answers otherwise; nothing is left behind.
    """
    texts = tf.constant(TEXTS)
    asked = {"beam_size": 2, "length_penalty": 0.5, "max_tokens": 12}
    probes: dict[str, dict[str, Any]] = {
        "serving_default": {"text": texts},
        "translate": {"text": texts, **asked},
        "complete": {"text": texts, "prefix": tf.fill([len(TEXTS)], "a b"), **asked},
        "score": {"text": texts, "translation": texts[::-1]},
    }
    tracked = [
        translator.source,
        translator.target,
        *(weight.value for weight in translator.model.weights),
    ]
    return publish(functions_of(translator), tracked, probes, directory)
