"""Step functions of the same random chains for the runtime and for the graph."""

import numpy as np
import tensorflow as tf

END = 3


class Chain:
    """Logits that depend on the last two tokens and on a number that the row carries along."""

    def __init__(self, size=12, rows=4, seed=0, scale=2.0):
        draw = np.random.default_rng(seed)
        self.table = draw.normal(size=(rows, size, size, size)).astype("float32") * scale
        self.start = draw.normal(size=(rows, size)).astype("float32")
        self.rows = np.arange(rows, dtype=np.int32)

    def step(self, tokens, states):
        logits = self.table[states["row"], states["before"], tokens]
        return logits, {"before": tokens, "row": states["row"]}

    def states(self):
        return {"before": np.zeros_like(self.rows), "row": self.rows}

    def graph_step(self, tokens, states):
        index = tf.stack([states["row"], states["before"], tokens], axis=-1)
        logits = tf.gather_nd(tf.constant(self.table), index)
        return logits, {"before": tokens, "row": states["row"]}

    def graph_states(self):
        return {name: tf.constant(state) for name, state in self.states().items()}
