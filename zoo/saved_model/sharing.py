"""Makes the graph of a SavedModel smaller: equal nodes become one, and so do equal functions.

TensorFlow writes a node for each constant of each line, and traces a function again wherever it is
used; half of an exported translator is that. A loaded model builds all of it in Python, and a
server optimises all of it at the first request.
"""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from tensorflow.core.protobuf import saved_model_pb2
from tensorflow.python.framework import op_def_registry
from tensorflow.python.saved_model import fingerprinting_utils

GRAPH = "saved_model.pb"


def share(path: Path) -> None:
    """Rewrites the graph of the SavedModel in a folder; each function computes what it did."""
    model = saved_model_pb2.SavedModel.FromString((path / GRAPH).read_bytes())
    for graph in model.meta_graphs:
        library = graph.graph_def.library
        own = {function.signature.name for function in library.function}
        named = _named_nodes(graph.object_graph_def)
        for function in library.function:
            share_nodes(function, own, named.get(function.signature.name, ()))
        share_functions(graph)
    (path / GRAPH).write_bytes(model.SerializeToString(deterministic=True))
    fingerprinting_utils.write_fingerprint(str(path))


def share_nodes(function: Any, own: Iterable[str] = (), named: Iterable[str] = ()) -> None:
    """Merges the nodes of a `FunctionDef` that have the same op, attributes and inputs.

    Ops with a state and calls of functions stay as they are, and the nodes `named`. `own` are the
    names of functions that are called like an op.
    """
    kept: dict[bytes, str] = {}  # a node without its name -> its name
    names: dict[str, str] = {}  # of a merged node -> of the one that stays
    fixed, nodes = {*function.control_ret.values(), *named}, []

    for node in _in_order(function.node_def):
        sources = [_renamed(source, names) for source in node.input]
        data = [source for source in sources if not source.startswith("^")]
        control = sorted({source for source in sources if source.startswith("^")})
        del node.input[:]
        node.input.extend([*data, *control])
        if node.name not in fixed and _may_merge(node, own):
            same = kept.setdefault(_content(node), node.name)
            if same != node.name:
                names[node.name] = same
                continue
        nodes.append(_copy(node))
    for output, source in list(function.ret.items()):
        function.ret[output] = _renamed(source, names)
    del function.node_def[:]
    function.node_def.extend(nodes)


def share_functions(graph: Any) -> None:
    """Merges the equal functions of a `MetaGraphDef` that only its own nodes call."""
    library = graph.graph_def.library
    fixed = {*graph.object_graph_def.concrete_functions}
    fixed |= {each.gradient_func for each in library.gradient}
    fixed |= {each.gradient_func for each in library.registered_gradients}
    names: dict[str, str] = {"": ""}
    while names:
        kept: dict[bytes, str] = {}
        names = {}
        for function in library.function:
            name = function.signature.name
            if name not in fixed:
                same = kept.setdefault(_body(function), name)
                names |= {name: same} if same != name else {}
        left = [_copy(each) for each in library.function if each.signature.name not in names]
        del library.function[:]
        library.function.extend(left)
        for nodes in (graph.graph_def.node, *(each.node_def for each in library.function)):
            for call in _calls(nodes):
                call.name = names.get(call.name, call.name)


def _named_nodes(objects: Any) -> dict[str, set[str]]:
    """The nodes of functions that the object graph names: function -> nodes."""
    found: dict[str, set[str]] = {}
    for each in objects.nodes:
        if each.HasField("captured_tensor"):
            captured = each.captured_tensor
            head = captured.name.partition(":")[0]
            found.setdefault(captured.concrete_function, set()).add(head)
    return found


def _may_merge(node: Any, own: Iterable[str]) -> bool:
    known = None if node.op in own else op_def_registry.get(node.op)
    is_pure = known is not None and not known.is_stateful and node.op != "Placeholder"
    return is_pure and not list(_calls([node]))


def _calls(nodes: Iterable[Any]) -> Iterator[Any]:
    """The functions that nodes name in their attributes."""
    for node in nodes:
        for value in node.attr.values():
            if value.HasField("func"):
                yield value.func
            yield from value.list.func


def _in_order(nodes: Iterable[Any]) -> list[Any]:
    """Nodes, each after its inputs."""
    by_name = {node.name: node for node in nodes}
    done: set[str] = set()
    ordered = []
    waiting = list(reversed(by_name.values()))
    while waiting:
        node = waiting[-1]
        heads = (source.lstrip("^").partition(":")[0] for source in node.input)
        missing = [head for head in heads if head in by_name and head not in done]
        if node.name in done or not missing:
            waiting.pop()
            if node.name not in done:
                done.add(node.name)
                ordered.append(node)
        waiting += [by_name[head] for head in missing] if node.name not in done else []
    return ordered


def _copy(message: Any) -> Any:
    """A copy that lives on when the list that holds the message is emptied."""
    return type(message).FromString(message.SerializeToString())


def _content(node: Any) -> bytes:
    same = _copy(node)
    same.name = ""
    same.ClearField("experimental_debug_info")
    return bytes(same.SerializeToString(deterministic=True))


def _body(function: Any) -> bytes:
    """A function without its name, its inputs, nodes and outputs named by their places."""
    same = _copy(function)
    same.signature.name = ""
    arguments, outputs = same.signature.input_arg, same.signature.output_arg
    names = {each.name: f"input_{place}" for place, each in enumerate(arguments)}
    names |= {each.name: f"node_{place}" for place, each in enumerate(same.node_def)}
    results = [same.ret[each.name] for each in outputs]
    controls = [same.control_ret[each] for each in same.signature.control_output]
    for place, each in enumerate([*arguments, *outputs]):
        each.name = str(place)
    for attributes in same.arg_attr.values():
        attributes.attr.pop("_user_specified_name", None)
    for node in same.node_def:
        node.name = names[node.name]
        node.ClearField("experimental_debug_info")
        sources = [_renamed(source, names) for source in node.input]
        del node.input[:]
        node.input.extend(sources)
    for field in ("ret", "control_ret"):
        same.ClearField(field)
    del same.signature.control_output[:]
    ends = [_renamed(source, names) for source in (*results, *controls)]
    return bytes(same.SerializeToString(deterministic=True)) + repr(ends).encode()


def _renamed(source: str, names: dict[str, str]) -> str:
    """An input of a node, `name:output:0` or `^name`, with the name replaced."""
    sign = "^" if source.startswith("^") else ""
    head, colon, rest = source[len(sign) :].partition(":")
    return f"{sign}{names.get(head, head)}{colon}{rest}"
