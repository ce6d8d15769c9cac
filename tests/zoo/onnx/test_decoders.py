"""Encoder and decoder in ONNX Runtime against Keras: a source, then a target step by step."""

import numpy as np
import pytest

from tests.sweeps import swept
from tests.zoo.onnx.running import assert_same, run, session
from tests.zoo.onnx.test_models import assert_served, build
from zoo.onnx import decoders

FORMS = {
    "general": {"cell": "lstm", "num_layers": 2},
    "additive": {"attention": "additive", "input_feeding": True, "tied": False},
    "coverage": {
        "attention": "general",
        "coverage": True,
        "bridge": "copy",
        "bidirectional": False,
    },
    "first": {"num_layers": 2, "queries": "first", "bridge": "zero", "cell": "slstm"},
    "reversed": {
        "attention": "none",
        "bridge": "copy",
        "reverse_source": True,
        "bidirectional": False,
        "tied": False,
    },
    "dot": {"attention": "dot", "bidirectional": False, "reverse_source": True},
}


def graphs_of(form):
    model = build(
        "encoder_decoder",
        source_vocabulary_size=12,
        target_vocabulary_size=14,
        units=4,
        embedding_dim=5,
        **FORMS[form],
    )
    return model, decoders.encoder_decoder(model)


@pytest.mark.parametrize(
    "form", swept(FORMS, lambda form: form in ("general", "coverage", "first"))
)
def test_start_and_step_are_those_of_the_model(form):
    model, graphs = graphs_of(form)
    assert_served(graphs, "start", "step")
    source, target = np.array([[3, 4, 5], [6, 2, 0]], "int32"), np.array([[2, 7, 9], [2, 5, 4]])
    target = target.astype("int32")
    expected = model({"source_ids": source, "target_ids": target}, training=False)
    found = run(session(graphs["start"].file), token_ids=source)
    memory = {name: each for name, each in found.items() if name.startswith("memory_")}
    states = {name: each for name, each in found.items() if name not in memory}
    step = session(graphs["step"].file)
    for time in range(3):
        after = run(step, token_ids=target[:, time], **states, **memory)
        assert_same(expected[:, time], after["logits"])
        states = {name: after[f"next_{name}"] for name in states}
