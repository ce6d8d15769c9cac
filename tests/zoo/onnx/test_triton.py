"""Triton model repositories: configurations that parse, models that run, states of the server."""

import numpy as np
import pytest
from google.protobuf import descriptor_pb2, descriptor_pool, message_factory, text_format

from tests.zoo.onnx.running import assert_same, run, session
from tests.zoo.onnx.test_models import build
from zoo.onnx import architectures, decoders, series, triton
from zoo.onnx.int8 import quantized

# the parts of Triton's model_config.proto that the files use: message -> field -> type, "*" a list
FIELDS = {
    "ModelTensorReshape": {"shape": "*int64"},
    "ModelInput": {
        "name": "string",
        "data_type": "DataType",
        "dims": "*int64",
        "reshape": "ModelTensorReshape",
    },
    "ModelOutput": {
        "name": "string",
        "data_type": "DataType",
        "dims": "*int64",
        "reshape": "ModelTensorReshape",
    },
    "InitialState": {
        "name": "string",
        "data_type": "DataType",
        "dims": "*int64",
        "data_file": "string",
    },
    "State": {
        "input_name": "string",
        "output_name": "string",
        "data_type": "DataType",
        "dims": "*int64",
        "initial_state": "*InitialState",
    },
    "StrategyOldest": {"max_candidate_sequences": "int32"},
    "ModelSequenceBatching": {
        "max_sequence_idle_microseconds": "uint64",
        "oldest": "StrategyOldest",
        "state": "*State",
    },
    "ModelDynamicBatching": {},
    "ModelConfig": {
        "name": "string",
        "backend": "string",
        "max_batch_size": "int32",
        "input": "*ModelInput",
        "output": "*ModelOutput",
        "sequence_batching": "ModelSequenceBatching",
        "dynamic_batching": "ModelDynamicBatching",
    },
}


def model_config():
    """The message `ModelConfig`: Triton's own where `tritonclient` is installed."""
    try:
        from tritonclient.grpc.model_config_pb2 import ModelConfig
    except ImportError:
        pass
    else:
        return ModelConfig
    file = descriptor_pb2.FileDescriptorProto(name="config.proto", package="tests", syntax="proto3")
    kinds = file.enum_type.add(name="DataType")
    for number, name in enumerate(("TYPE_INVALID", "TYPE_BOOL", "TYPE_INT32", "TYPE_FP32")):
        kinds.value.add(name=name, number=number)
    for message, fields in FIELDS.items():
        made = file.message_type.add(name=message)
        for number, (name, kind) in enumerate(fields.items(), 1):
            field = made.field.add(name=name, number=number, label=3 if kind[0] == "*" else 1)
            kind = kind.strip("*")
            if kind in FIELDS or kind == "DataType":
                field.type_name = f".tests.{kind}"
                field.type = 14 if kind == "DataType" else 11
            else:
                field.type = {"string": 9, "int64": 3, "int32": 5, "uint64": 4}[kind]
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    return message_factory.GetMessageClass(pool.FindMessageTypeByName("tests.ModelConfig"))


def parsed(path):
    return text_format.Parse(path.read_text(), model_config()())


@pytest.fixture(scope="module")
def graphs():
    model = build(
        "language_model",
        vocabulary_size=12,
        units=4,
        embedding_dim=5,
        cell="gru",
        learned_initial_state=True,
        explicit_states=True,
    )
    return architectures.language_model(model)


@pytest.fixture(scope="module")
def folder(graphs, tmp_path_factory):
    return triton.publish(graphs, tmp_path_factory.mktemp("repository"), "poems")


def test_each_graph_is_a_model_whose_tensors_are_declared(graphs, folder):
    assert {each.name for each in folder.iterdir() if each.is_dir()} == {
        f"poems_{name}" for name in ("model", "read", "start", "step")
    }
    config = parsed(folder / "poems_model" / "config.pbtxt")
    assert (config.name, config.backend, config.max_batch_size) == (
        "poems_model",
        "onnxruntime",
        64,
    )
    graph = graphs["model"].file.graph
    assert [each.name for each in config.input] == [each.name for each in graph.input]
    assert [each.name for each in config.output] == [each.name for each in graph.output]
    assert [list(each.dims) for each in config.input] == [[-1], [4]]
    assert [list(each.dims) for each in config.output] == [[-1, 12], [4]]
    start = parsed(folder / "poems_start" / "config.pbtxt")
    assert list(start.input[0].dims) == [1] and list(start.input[0].reshape.shape) == []
    assert start.input[0].HasField("reshape")


def test_the_server_keeps_the_states_of_a_step(graphs, folder):
    config = parsed(folder / "poems_step" / "config.pbtxt")
    assert [each.name for each in config.input] == ["token_ids"]
    assert [each.name for each in config.output] == ["logits"]
    (state,) = config.sequence_batching.state
    assert (state.input_name, state.output_name) == ("state_0_0", "next_state_0_0")
    assert list(state.dims) == [4] and state.initial_state[0].data_file == "state_0_0"
    file = folder / "poems_step" / "initial_state" / "state_0_0"
    learned = graphs["start"].expected["state_0_0"][0]
    np.testing.assert_array_equal(np.frombuffer(file.read_bytes(), np.float32), learned)
    assert np.abs(learned).min() > 0


def test_the_models_run(graphs, folder):
    found = run(session(folder / "poems_step" / "1" / "model.onnx"), **graphs["step"].probe)
    assert_same(graphs["step"].expected["logits"], found["logits"])


def test_states_that_depend_on_an_input_stay_inputs(tmp_path):
    model = build(
        "encoder_decoder",
        source_vocabulary_size=9,
        target_vocabulary_size=9,
        units=4,
        embedding_dim=5,
    )
    graphs = decoders.encoder_decoder(model)
    triton.write(tmp_path, "de", graphs)
    config = parsed(tmp_path / "de_step" / "config.pbtxt")
    assert "state_0_0" in [each.name for each in config.input]
    assert config.HasField("dynamic_batching") and not config.HasField("sequence_batching")


def test_int8_weights_are_small_and_near():
    model = build("many_to_one", vocabulary_size=400, num_classes=3, units=32, embedding_dim=64)
    graphs = architectures.classifier(model)
    small = quantized(graphs)["model"].file
    assert small.ByteSize() < 0.4 * graphs["model"].file.ByteSize()
    kinds = {node.op_type for node in small.graph.node}
    assert "DynamicQuantizeLSTM" in kinds
    found = run(session(small), **graphs["model"].probe)["logits"]
    expected = graphs["model"].expected["logits"]
    assert 0 < np.abs(found - expected).max() < 0.2 * np.abs(expected).max()


def test_int8_leaves_the_spectra_of_sound_as_they_are():
    options = {"features": "log_mel", "sample_rate": 2000, "mel_bands": 5, "units": 16}
    graphs = series.transcriber(build("ctc", input_dim=1, num_labels=3, **options))
    small = quantized(graphs)["model"].file
    kinds = [node.op_type for node in small.graph.node]
    assert "Conv" in kinds and "ConvInteger" not in kinds and "DynamicQuantizeLSTM" in kinds
