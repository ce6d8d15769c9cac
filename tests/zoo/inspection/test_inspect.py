"""`inspect`: what it reports of each kind of file, and its one sentence for all others."""

import json

import numpy as np
import pytest
import tensorflow as tf

import zoo
from zoo.__main__ import main
from zoo.inspection.command import inspect
from zoo.pipelines import Writer
from zoo.saved_model import warmup
from zoo.system import checksums
from zoo.text import TextCodec, Vocabulary

TOKENS = ["[PAD]", "[UNK]", "[BOS]", "[EOS]", *"abc"]


def tensors(side):
    return [str(tensor) for tensor in side]


@pytest.fixture(scope="module")
def served(tmp_path_factory):
    """A folder of versions with a SavedModel of one table and one matrix in it."""
    folder = tmp_path_factory.mktemp("models")
    module = tf.Module()
    module.vocabulary, module.kernel = Vocabulary(TOKENS), tf.Variable(tf.ones([7, 4]))

    @tf.function(input_signature=[tf.TensorSpec([None], tf.string, name="token")], autograph=False)
    def look_up(token):
        return {"vector": tf.gather(module.kernel, module.vocabulary.ids(token))}

    for version in ("2", "10"):
        path = folder / version
        tf.saved_model.save(module, str(path), signatures={"serving_default": look_up})
        warmup.write(path, "m", {"serving_default": {"token": tf.constant(["a"])}})
        (path / "assets.extra" / "provenance.json").write_text('{"recipe": "words", "run": "r/1"}')
        sums = checksums.as_text(checksums.of_tree(path))
        (path / checksums.NAME).write_text(sums)
    return folder


def test_a_saved_model_of_the_newest_version(served):
    found = inspect(served)
    assert found.kind == "SavedModel" and found.path == served / "10"
    assert list(found.signatures) == ["serving_default"]
    signature = found.signatures["serving_default"]
    assert tensors(signature.inputs) == ["token: string (?)"]
    assert tensors(signature.outputs) == ["vector: float32 (?, 4)"]
    assert found.parameters == 28
    assert found.vocabularies == {"vocabulary": 7}
    assert found.provenance == {"recipe": "words", "run": "r/1"}
    assert found.checksums == "verified" and found.details["warm-up requests"]
    assert found.size == sum(p.stat().st_size for p in (served / "10").rglob("*") if p.is_file())


def test_the_command_prints_a_page_or_json(served, capsys):
    assert main(["inspect", str(served / "2")]) == 0
    page = capsys.readouterr().out
    for line in ("parameters: 28", "  in   token: string (?)", "vocabulary: 7", "  run: r/1"):
        assert line in page.splitlines()
    assert main(["inspect", str(served), "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    outputs = found["signatures"]["serving_default"]["outputs"]
    assert outputs == [{"name": "vector", "dtype": "float32", "shape": [None, 4]}]
    assert found["bytes"] > 1000 and found["path"] == str(served / "10")


def test_a_damaged_file_is_named(served, capsys):
    path = served / "2" / "assets.extra" / "provenance.json"
    before = path.read_bytes()
    path.write_text("{}")
    try:
        assert main(["inspect", str(served / "2")]) == 2
    finally:
        path.write_bytes(before)
    assert "provenance.json is damaged or was edited" in capsys.readouterr().err


@pytest.fixture(scope="module")
def model():
    sizes = {"vocabulary_size": 7, "embedding_dim": 3, "units": 2}
    return zoo.build("language_model", cell="simple_rnn", explicit_states=True, **sizes)


def test_a_keras_file(model, tmp_path):
    model.save(tmp_path / "own.keras")
    found = inspect(tmp_path / "own.keras")
    assert found.kind == "Keras file" and found.parameters == model.count_params()
    assert found.vocabularies["vocabulary of embedding"] == 7
    signature = found.signatures["model"]
    inputs = ["token_ids: int32 (?, ?)", "state_0_0: float32 (?, 2)"]
    assert sorted(tensors(signature.inputs)) == sorted(inputs)
    assert "logits: float32 (?, ?, 7)" in tensors(signature.outputs)
    assert found.checksums == "none"


def test_a_saved_pipeline(model, tmp_path):
    folder = Writer(model, TextCodec(Vocabulary(TOKENS))).save(tmp_path / "writer")
    found = inspect(folder)
    assert found.kind == "saved pipeline" and found.details["pipeline"] == "Writer"
    assert found.vocabularies == {"vocabulary of codec": 7}
    assert found.parameters == model.count_params() and found.checksums == "verified"


def test_an_onnx_file_and_a_bundle(tmp_path):
    onnx = pytest.importorskip("onnx")
    helper, proto = onnx.helper, onnx.TensorProto
    weights = onnx.numpy_helper.from_array(np.ones((5, 3), "float32"), "w")
    graph = helper.make_graph(
        [helper.make_node("MatMul", ["x", "w"], ["y"])],
        "g",
        [helper.make_tensor_value_info("x", proto.FLOAT, ["batch", 5])],
        [helper.make_tensor_value_info("y", proto.FLOAT, ["batch", 3])],
        [weights],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)])
    helper.set_model_props(model, {"states": '["state_0_0"]'})
    onnx.save(model, str(tmp_path / "step.onnx"))
    found = inspect(tmp_path / "step.onnx")
    assert tensors(found.signatures["step"].inputs) == ["x: float32 (batch, 5)"]
    assert tensors(found.signatures["step"].outputs) == ["y: float32 (batch, 3)"]
    assert found.parameters == 15 and found.details["opset"] == 18
    assert found.details["states"] == '["state_0_0"]'
    content = {"pipeline": "Writer", "graphs": {"step": "step.onnx"}, "text_paths": {"codec": {}}}
    (tmp_path / "runtime.json").write_text(json.dumps(content))
    Vocabulary(TOKENS).save(tmp_path / "codec.txt")
    bundle = inspect(tmp_path)
    assert bundle.kind == "ONNX bundle" and bundle.parameters == 15
    assert bundle.vocabularies == {"vocabulary of codec": 7}
    assert bundle.details["pipeline"] == "Writer" and list(bundle.signatures) == ["step"]


def test_a_litert_file(tmp_path):
    pytest.importorskip("ai_edge_litert")

    @tf.function(input_signature=[tf.TensorSpec([2, 3], name="x")], autograph=False)
    def double(x):
        return {"y": x * 2.0}

    tf.saved_model.save(tf.Module(), str(tmp_path / "1"), signatures={"double": double})
    file = tf.lite.TFLiteConverter.from_saved_model(str(tmp_path / "1")).convert()
    (tmp_path / "double.tflite").write_bytes(file)
    found = inspect(tmp_path / "double.tflite")
    signature = found.signatures["double"]
    assert tensors(signature.inputs) == ["x: float32 (2, 3)"]
    assert tensors(signature.outputs) == ["y: float32 (2, 3)"]
    assert found.details["ops"] == ["MUL"]


@pytest.mark.parametrize("name", ["nothing", "notes.txt", "empty", "bad.onnx", "bad.tflite"])
def test_anything_else_is_one_sentence(tmp_path, capsys, name):
    (tmp_path / "empty").mkdir()
    for file in ("notes.txt", "bad.onnx", "bad.tflite"):
        (tmp_path / file).write_text("no model")
    assert main(["inspect", str(tmp_path / name)]) == 2
    error = capsys.readouterr().err
    assert error.count("\n") == 1 and str(tmp_path / name) in error


@pytest.mark.parametrize(("name", "extra"), [("x.onnx", "onnx"), ("x.tflite", "litert")])
def test_a_missing_package_is_named_with_its_extra(tmp_path, capsys, monkeypatch, name, extra):
    monkeypatch.setitem(__import__("sys").modules, "onnx", None)
    monkeypatch.setitem(__import__("sys").modules, "ai_edge_litert.interpreter", None)
    (tmp_path / name).write_bytes(b"x")
    assert main(["inspect", str(tmp_path / name)]) == 2
    assert f"pip install 'rnn-zoo[{extra}]'" in capsys.readouterr().err
