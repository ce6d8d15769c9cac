"""Equal nodes and functions of a SavedModel become one; what it computes stays the same."""

import numpy as np
import pytest
import tensorflow as tf
from tensorflow.core.protobuf import saved_model_pb2

from zoo.saved_model import sharing

INPUTS = {"x": tf.constant([[1.0, -2.0, 3.0], [4.0, 0.5, -6.0]]), "n": tf.constant([3, 5])}


def written(path):
    """A model with what occurs twice: constants, products, loops, branches, draws, variables."""
    module = tf.Module()
    module.total = tf.Variable(1.0)

    def grown(x, n):
        def body(count, value):
            return count + 1, value * 1.5 + 0.25

        return tf.while_loop(lambda count, _: count < n, body, (tf.constant(0), x))[1]

    @tf.function(
        input_signature=[
            tf.TensorSpec([None, 3], name="x"),
            tf.TensorSpec([None], tf.int32, name="n"),
        ],
        autograph=False,
    )
    def answer(x, n):
        weights = [tf.reshape(tf.range(9.0), (3, 3)) for _ in range(2)]
        first, second = (x[:, :2] + 2.0 * x[:, 1:] for _ in range(2))
        loops = [grown(x, tf.reduce_max(n)) for _ in range(2)]
        small = [tf.cond(tf.reduce_sum(x) > 0, lambda: x * 2, lambda: -x) for _ in range(2)]
        drawn = [tf.random.uniform([1000]) for _ in range(2)]
        module.total.assign_add(1.0)
        module.total.assign_add(1.0)
        return {
            "product": x @ weights[0] + x @ weights[1],
            "parts": first * second,
            "grown": loops[0] + loops[1] + small[0] - small[1],
            "apart": tf.reduce_max(tf.abs(drawn[0] - drawn[1]))[None],
            "total": module.total.read_value()[None],
            "same": second,
            **{f"copy_{number}": x + 1.0 for number in range(40)},
        }

    tf.saved_model.save(module, str(path), signatures={"answer": answer})
    return answer


def test_a_gradient_of_ones_own_finds_the_tensors_that_it_captures(tmp_path):
    """The object graph names tensors within functions: those of custom gradients."""

    @tf.custom_gradient
    def doubled(x):
        return x * 2.0, lambda upstream: upstream * inner

    @tf.function(input_signature=[tf.TensorSpec([None], name="x")], autograph=False)
    def answer(x):
        nonlocal inner
        first, inner = x + 1.0, x + 1.0
        return {"y": doubled(first) * inner}

    inner = None
    options = tf.saved_model.SaveOptions(experimental_custom_gradients=True)
    tf.saved_model.save(tf.Module(), str(tmp_path), signatures={"answer": answer}, options=options)
    objects = graph_of(tmp_path).object_graph_def.nodes
    assert any(each.HasField("captured_tensor") for each in objects)
    sharing.share(tmp_path)
    found = tf.saved_model.load(str(tmp_path)).signatures["answer"](x=tf.constant([2.0]))
    assert found["y"].numpy().tolist() == [18.0]


def graph_of(path):
    model = saved_model_pb2.SavedModel.FromString((path / "saved_model.pb").read_bytes())
    return model.meta_graphs[0]


def sizes(path):
    functions = graph_of(path).graph_def.library.function
    return len(functions), sum(len(function.node_def) for function in functions)


@pytest.fixture(scope="module")
def shared(tmp_path_factory):
    """The answers and sizes before and after."""
    path = tmp_path_factory.mktemp("shared")
    answer = written(path)
    expected, before = answer(**INPUTS), sizes(path)
    sharing.share(path)
    return path, expected, before


def test_what_it_computes_stays_the_same(shared):
    path, expected, _ = shared
    found = tf.saved_model.load(str(path)).signatures["answer"](**INPUTS)
    assert set(found) == set(expected)
    for name in set(expected) - {"apart"}:
        np.testing.assert_array_equal(found[name], expected[name], err_msg=name)


def test_draws_and_assignments_are_not_merged(shared):
    path, expected, _ = shared
    assert expected["total"].numpy().tolist() == [3.0]
    found = tf.saved_model.load(str(path)).signatures["answer"](**INPUTS)
    assert found["total"].numpy().tolist() == [3.0]
    assert found["apart"].numpy()[0] > 0.5


def test_equal_nodes_and_functions_are_one(shared):
    path, _, (functions, nodes) = shared
    fewer, less = sizes(path)
    assert fewer <= functions - 4, "a loop and a branch have two functions each"
    assert less < 0.8 * nodes
    for function in graph_of(path).graph_def.library.function:
        seen = [sharing._content(each) for each in function.node_def if each.op == "Const"]
        assert len(set(seen)) == len(seen)


def test_no_node_lacks_an_input(shared):
    path, _, _ = shared
    for function in graph_of(path).graph_def.library.function:
        known = {each.name for each in function.signature.input_arg}
        for node in function.node_def:
            heads = {source.lstrip("^").partition(":")[0] for source in node.input}
            assert heads <= known, f"{node.name} comes after its inputs"
            known.add(node.name)
        assert {source.partition(":")[0] for source in function.ret.values()} <= known
        assert set(function.control_ret.values()) <= known


def test_sharing_again_changes_nothing(shared):
    path, _, _ = shared
    before = (path / "saved_model.pb").read_bytes()
    sharing.share(path)
    assert (path / "saved_model.pb").read_bytes() == before
