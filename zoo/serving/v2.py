"""Open Inference Protocol V2 over REST: health, metadata, infer.

Source: github.com/kserve/open-inference-protocol, specification/protocol/inference_rest.md. A model
has several signatures, which the protocol does not know: `parameters.signature_name` names one.
"""

import math
import re
from typing import Any
from urllib.parse import unquote

import numpy as np

from zoo.errors import nearest
from zoo.saved_model.session import Arrays, Spec
from zoo.serving import answers
from zoo.serving.json_text import shown
from zoo.serving.refusals import Refused, wrong
from zoo.serving.repository import Repository
from zoo.serving.served import DEFAULT, Function, Version
from zoo.serving.tensors import check_shape, tensor
from zoo.version import VERSION

_MODEL = r"/v2/models/(?P<name>[^/]+)(?:/versions/(?P<version>[^/]+))?"
SERVER = re.compile("/v2/?")
LIVE, READY = re.compile("/v2/health/live"), re.compile("/v2/health/ready")
MODEL, MODEL_READY = re.compile(_MODEL), re.compile(f"{_MODEL}/ready")
INFER = re.compile(f"{_MODEL}/infer")
GENERATE = re.compile(f"{_MODEL}/generate(?P<stream>_stream)?")
EXTENSIONS = ["generate"]
PLATFORM = "tensorflow_savedmodel"
TYPES = {
    "string": "BYTES",
    "bool": "BOOL",
    "half": "FP16",
    "float": "FP32",
    "double": "FP64",
    **{name: name.upper() for name in ("int8", "int16", "int32", "int64")},
    **{name: name.upper() for name in ("uint8", "uint16", "uint32", "uint64")},
}


def find(repository: Repository, match: re.Match[str]) -> Version:
    """The version that a path names.

    Raises:
        Refused: It is not served.
    """
    number = match["version"]
    if number is not None and not re.fullmatch(r"\d{1,18}", number):
        raise wrong(f"a version is a number, got {shown(unquote(number))}")
    return repository.find(unquote(match["name"]), None if number is None else int(number))


def server() -> Any:
    """The answer to `GET /v2`."""
    return {"name": "rnn-zoo", "version": VERSION, "extensions": EXTENSIONS}


def model(version: Version, versions: list[int]) -> Any:
    """The answer to `GET /v2/models/M`: inputs and outputs of the default signature."""
    function = function_of(version, {})
    return {
        "name": version.name,
        "versions": [str(number) for number in versions],
        "platform": PLATFORM,
        "inputs": [_described(spec) for spec in function.inputs.values()],
        "outputs": [_described(spec) for spec in function.outputs.values()],
    }


def function_of(version: Version, parameters: Any) -> Function:
    """The signature that a request names.

    By default that is `serving_default`, `generate`, or the first.

    Raises:
        Refused: There is none of this name.
    """
    if not isinstance(parameters, dict):
        raise wrong(f"parameters must be an object, got {shown(parameters)}")
    functions = version.functions
    default = next((each for each in (DEFAULT, "generate") if each in functions), min(functions))
    name = parameters.get("signature_name", default)
    if not isinstance(name, str) or name not in functions:
        hint = nearest(str(name), functions)
        raise wrong(f"{version.name} has no signature {shown(name)}: {hint}")
    return functions[name]


def inputs_of(document: Any, function: Function) -> Arrays:
    """The tensors of an infer request.

    Raises:
        Refused: They do not fit the signature.
    """
    listed = document.get("inputs")
    if not isinstance(listed, list) or not all(isinstance(each, dict) for each in listed):
        raise wrong('inputs must be a list of objects, such as {"name": ..., "shape": ..., ...}')
    found: Arrays = {}
    for given in listed:
        name = given.get("name")
        if not isinstance(name, str) or name not in function.inputs:
            hint = nearest(str(name), function.inputs)
            raise wrong(f"the signature {function.name} has no input {shown(name)}: {hint}")
        if name in found:
            raise wrong(f"the input {name!r} is given twice")
        found[name] = _tensor(given, function.inputs[name])
    missing = sorted(set(function.inputs) - set(found))
    if missing:
        raise wrong(f"the signature {function.name} also needs {', '.join(missing)}")
    return found


def _tensor(given: dict[str, Any], spec: Spec) -> np.ndarray:
    """An input: its data, flat or nested, in its shape."""
    kind = TYPES[spec.type]
    if given.get("datatype") != kind:
        raise wrong(
            f"input {spec.name!r} has the datatype {kind}, got {shown(given.get('datatype'))}"
        )
    shape = given.get("shape")
    if not isinstance(shape, list) or not all(type(n) is int and 0 <= n < 2**31 for n in shape):
        raise wrong(f"the shape of input {spec.name!r} must be a list of sizes, got {shown(shape)}")
    if not isinstance(given.get("data"), list):
        raise wrong(f"the data of input {spec.name!r} must be a list: binary data is not offered")
    try:
        array = tensor(given["data"], spec)
    except Refused as error:
        raise wrong(f"input {spec.name!r}: {error.sentence}") from None
    if array.size != math.prod(shape):
        raise wrong(
            f"input {spec.name!r} has {array.size:,} values, but its shape {shape} has "
            f"{math.prod(shape):,}"
        )
    check_shape(spec, shape)
    return array.reshape(shape)


def outputs_of(document: Any, function: Function) -> list[str]:
    """The outputs that a request asks for, by default all.

    Raises:
        Refused: The signature lacks one of them.
    """
    listed = document.get("outputs")
    if not listed and listed in (None, []):
        return list(function.outputs)
    names = []
    for each in listed if isinstance(listed, list) else [listed]:
        name = each.get("name") if isinstance(each, dict) else each
        if not isinstance(name, str) or name not in function.outputs:
            hint = nearest(str(name), function.outputs)
            raise wrong(f"the signature {function.name} has no output {shown(name)}: {hint}")
        names.append(name)
    return names


def answer(version: Version, function: Function, document: Any, found: Arrays) -> Any:
    """The answer to an infer request; NaN and infinite numbers are null, as JSON has none."""
    given = {"id": document["id"]} if isinstance(document.get("id"), str) else {}
    return {
        "model_name": version.name,
        "model_version": str(version.number),
        **given,
        "outputs": [
            {
                "name": name,
                "shape": list(found[name].shape),
                "datatype": TYPES[function.outputs[name].type],
                "data": answers.plain(found[name].reshape(-1)),
            }
            for name in outputs_of(document, function)
        ],
    }


def _described(spec: Spec) -> Any:
    axes = [-1 if size is None else size for size in spec.shape or ()]
    return {"name": spec.name, "datatype": TYPES[spec.type], "shape": axes}
