"""A translator -> a SavedModel that takes strings and gives strings."""

from pathlib import Path
from typing import Any

import tensorflow as tf

from zoo.decoding import bounds
from zoo.export import ODD_TEXTS, publish
from zoo.pipelines.translator import Translator
from zoo.text import PAD

TEXTS = (*ODD_TEXTS, b"A dog runs.", b"abc " * 12)

Functions = dict[str, Any]


def functions_of(translator: Translator) -> Functions:
    """The functions of a translator, of named tensors, each with its signature.

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

    All report `unknown_share` float32 (B,), the share of the source's tokens that its vocabulary
    lacks, and `truncated` bool (B,), whether a text was too long and its beginning alone was read.
    A row's answer depends on its own inputs alone, but for the padding. Options out of their range
    are set to the nearest value in it, see `zoo.decoding.bounds`; how much is read, see
    `zoo.text.limits`.

    Args:
        translator: Model, codecs and search.
    """

    def spec(name: str) -> tf.TensorSpec:
        return tf.TensorSpec([None], tf.string, name=name)

    asked = [bounds.spec(name) for name in ("beam_size", "length_penalty", "max_tokens")]

    @tf.function(input_signature=[spec("text")], autograph=False)
    def best(text: Any) -> Any:
        return translator.best(text)

    def how(beam_size: Any, length_penalty: Any, max_tokens: Any) -> dict[str, Any]:
        beams = bounds.clamped("beam_size", beam_size)
        most = bounds.clamped("max_tokens", max_tokens)
        return {
            "beam_size": beams,
            "n_best": beams,
            "alpha": bounds.clamped("length_penalty", length_penalty),
            "max_tokens": tf.where(most > 0, most, tf.int32.max),
        }

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
    numbers = {"beam_size": 2, "length_penalty": 0.5, "max_tokens": 12}
    asked = {name: tf.fill([len(TEXTS)], value) for name, value in numbers.items()}
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
