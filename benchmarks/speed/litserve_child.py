"""Serves a SavedModel of texts with LitServe, for `benchmarks/serving.py`; in its own environment.

python benchmarks/speed/litserve_child.py SAVED_MODEL PORT BATCH_SIZE BATCH_SECONDS
"""

import sys

import litserve
import tensorflow as tf


class Texts(litserve.LitAPI):
    """`{"text": ...}` -> the outputs of `serving_default`."""

    def setup(self, device):
        """Loads the model."""
        self.model = tf.saved_model.load(sys.argv[1])
        self.ask = self.model.signatures["serving_default"]
        self.ask(text=tf.constant(["a"]))

    def decode_request(self, request):
        """The text of a request."""
        return request["text"]

    def predict(self, texts):
        """The answers to a batch of texts, or to one."""
        found = self.ask(text=tf.constant([texts] if isinstance(texts, str) else list(texts)))
        rows = {name: value.numpy().tolist() for name, value in found.items()}
        answers = [dict(zip(rows, row, strict=True)) for row in zip(*rows.values(), strict=True)]
        return answers[0] if isinstance(texts, str) else answers

    def unbatch(self, output):
        """One answer for each request."""
        return output

    def encode_response(self, output):
        """Strings in place of bytes."""
        return {name: text(value) for name, value in output.items()}


def text(value):
    """Bytes as a string, in lists, too."""
    if isinstance(value, list):
        return [text(each) for each in value]
    return value.decode() if isinstance(value, bytes) else value


if __name__ == "__main__":
    size, seconds = int(sys.argv[3]), float(sys.argv[4])
    try:
        api = Texts(max_batch_size=size, batch_timeout=seconds)
        server = litserve.LitServer(api, accelerator="cpu")
    except TypeError:  # before 0.2.7 the server had the sizes
        server = litserve.LitServer(
            Texts(), accelerator="cpu", max_batch_size=size, batch_timeout=seconds
        )
    server.run(host="127.0.0.1", port=int(sys.argv[2]), generate_client_file=False)
