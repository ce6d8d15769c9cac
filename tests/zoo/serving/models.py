"""Small SavedModels of functions whose answers can be written down."""

import tensorflow as tf

from zoo import export

TEXTS = tf.TensorSpec([None], tf.string, name="text")
ECHOED = {
    "int_tensor": tf.int32,
    "str_tensor": tf.string,
    "float_tensor": tf.float32,
    "dbl_tensor": tf.float64,
}


def traced(*specs):
    return tf.function(input_signature=specs, autograph=False)


def halves(plus=2.0):
    """TensorFlow Serving's example model: half of x and 2; x has any shape."""

    @traced(tf.TensorSpec(None, tf.float32, name="x"))
    def half(x):
        return {"y": x * 0.5 + plus}

    return {"serving_default": half}


def echo():
    """Gives back what it gets, of four types, and the strings as bytes, too."""

    @traced(*[tf.TensorSpec(None, dtype, name=name) for name, dtype in ECHOED.items()])
    def all_of(int_tensor, str_tensor, float_tensor, dbl_tensor):
        return {
            "int_tensor": tf.identity(int_tensor),
            "str_tensor": tf.identity(str_tensor),
            "float_tensor": tf.identity(float_tensor),
            "dbl_tensor": tf.identity(dbl_tensor),
            "str_tensor_bytes": tf.identity(str_tensor),
        }

    def one_of(dtype, output="same"):
        @traced(tf.TensorSpec(None, dtype, name="given"))
        def one(given):
            return {output: tf.identity(given)}

        return one

    singles = {dtype.name: one_of(dtype) for dtype in ECHOED.values()}
    return {"serving_default": all_of, **singles, "bytes": one_of(tf.string, "same_bytes")}


def words():
    """Splits texts: outputs are as wide as the longest row, as those of a tagger are."""

    @traced(TEXTS)
    def split(text):
        tokens = tf.strings.split(text)
        good = tf.reduce_all(tf.not_equal(tokens.flat_values, "bad"))
        check = tf.debugging.Assert(good, ["no text may have the word bad"])
        with tf.control_dependencies([check]):
            padded = tokens.to_tensor("")
        wide = tf.pad(padded, [(0, 0), (0, tf.maximum(1 - tf.shape(padded)[1], 0))])
        return {
            "tokens": wide,
            "lengths": tf.strings.length(wide),
            "count": tf.cast(tokens.row_lengths(), tf.int32),
        }

    @traced(TEXTS, tf.TensorSpec([None], tf.int32, name="max_tokens"))
    def repeat(text, max_tokens):
        return {"long": tf.strings.join([text, tf.strings.as_string(max_tokens)])}

    return {"serving_default": split, "repeat": repeat}


def series():
    """A weighted sum of each series' own steps, whatever is behind them."""
    values = tf.TensorSpec([None, None, 2], tf.float32, name="values")

    @traced(values, tf.TensorSpec([None], tf.int32, name="lengths"))
    def total(values, lengths):
        steps = tf.shape(values)[1]
        there = tf.sequence_mask(tf.minimum(lengths, steps), steps, tf.float32)
        weights = 1.0 + tf.range(tf.cast(steps, tf.float32))
        return {"total": tf.einsum("btf,bt,t->bf", values, there, weights)}

    @traced(values)
    def plain(values):
        return {"mean": tf.reduce_mean(values, axis=1)}

    return {"serving_default": total, "plain": plain}


PIECES = [b"", b"", b"", b"", b"a", b" b", b"\xc3", b"\xa9", b"\xf0\x9f", b"\x91\x8d"]
SEQUENCE = [4, 5, 6, 7, 8, 9, 5, 4, 3]  # what follows; 3 is the end
END = 3


def writer():
    """Writes the tokens of a sequence; where it begins depends on the prompt and the seed."""
    whole = tf.TensorSpec([None], tf.int32)

    def joined(ids):
        text = tf.strings.reduce_join(tf.gather(tf.constant(PIECES), ids), axis=1)
        return tf.strings.unicode_transcode(text, "UTF-8", "UTF-8", errors="replace")

    def token(places):
        return tf.gather(SEQUENCE, places % len(SEQUENCE))

    @traced(*[tf.TensorSpec([None], tf.string, "prompt")], *named(whole, "max_tokens", "seed"))
    def generate(prompt, max_tokens, seed):
        place = tf.range(tf.reduce_max(max_tokens))[None]
        ids = token((tf.strings.length(prompt) + seed)[:, None] + place)
        before = tf.cumsum(tf.cast(ids == END, tf.int32), axis=1, exclusive=True)
        there = (before == 0) & (place < max_tokens[:, None])
        return {
            "text": tf.strings.join([prompt, joined(tf.where(there, ids, 0))]),
            "num_tokens": tf.reduce_sum(tf.cast(there, tf.int32), axis=1),
            "log_probability": -tf.reduce_sum(tf.where(there, tf.cast(ids, tf.float32), 0.0), 1),
        }

    @traced(tf.TensorSpec([None], tf.string, "prompt"))
    def read(prompt):
        return {"token_ids": 0 * tf.strings.length(prompt), "state": tf.strings.length(prompt)}

    @traced(*named(whole, "token_ids", "place", "seed", "state"))
    def draw(token_ids, place, seed, state):
        ids = token(state + seed + place) + 0 * token_ids
        return {
            "token_ids": ids,
            "log_probability": -tf.cast(ids, tf.float32),
            "ended": ids == END,
            "state": tf.identity(state),
        }

    @traced(
        tf.TensorSpec([None], tf.string, "prompt"),
        tf.TensorSpec([None, None], tf.int32, "token_ids"),
    )
    def spell(prompt, token_ids):
        return {"text": tf.strings.join([prompt, joined(token_ids)])}

    return {"generate": generate, "read": read, "draw": draw, "spell": spell}


def named(spec, *names):
    return [tf.TensorSpec(spec.shape, spec.dtype, name) for name in names]


def write(folder, functions, tracked=(), about=None, probes=None):
    """Writes the next version, as an export does, but for the check."""
    folder.mkdir(parents=True, exist_ok=True)
    with export.unfinished(folder) as part:
        export._write(functions, tracked, part)
        (part / "assets.extra").mkdir(exist_ok=True)
        if probes:
            export.warmup.write(part, folder.name, probes)
        if about:
            (part / export.ABOUT).write_text(about)
        return export.numbered(part, folder)
