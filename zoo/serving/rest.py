"""TensorFlow Serving's REST API: predict, status, metadata.

Source of paths, statuses and wording: tensorflow_serving/model_servers/http_rest_api_util.cc,
http_rest_api_handler.cc and get_model_status_impl.cc (the code here is our own).
"""

import re
from typing import Any
from urllib.parse import unquote

from zoo.serving.json_text import shown
from zoo.serving.refusals import Refused, wrong
from zoo.serving.repository import Model, Repository
from zoo.serving.served import DEFAULT, Function, Version

_WHICH = r"(?:/versions/(?P<version>\d+)|/labels/(?P<label>[^/:]+))?"
PREDICT = re.compile(rf"(?i)/v1/models/(?P<name>[^/:]+){_WHICH}:(?P<verb>classify|regress|predict)")
STATUS = re.compile(rf"(?i)/v1/models(?:/(?P<name>[^/:]+))?{_WHICH}(?P<metadata>/metadata)?")
_MOST = 2**63 - 1  # of a version


def wanted_of(match: re.Match[str]) -> tuple[str, int | None, str | None]:
    """The name, version and label in a path.

    Raises:
        Refused: The version is out of range.
    """
    fields = match.groupdict()
    label, number = fields.get("label"), fields.get("version")
    if number is not None and int(number[:20]) > _MOST:
        raise wrong(f"Failed to convert version: {number[:40]} to numeric.")
    return (
        unquote(fields["name"] or ""),
        None if number is None else int(number),
        None if label is None else unquote(label),
    )


def malformed(method: str, path: str) -> Refused:
    """The error for a path that no request has."""
    return wrong(f"Malformed request: {method} {path[:200]}")


def require_object(document: Any) -> None:
    """Refuses a document that is no object."""
    if not isinstance(document, dict):
        raise wrong(f"JSON Value: {shown(document)} Is not object")


def function_of(document: Any, repository: Repository, wanted: Any) -> tuple[Version, Function]:
    """The version and the signature that a predict request names.

    Raises:
        Refused: The document is no object, or names what is not there.
    """
    require_object(document)
    name = document.get("signature_name", "")
    if not isinstance(name, str):
        raise wrong(
            f"JSON Value: {shown(document)} not formatted correctly. 'signature_name' key must be "
            "a string value."
        )
    version = repository.find(*wanted)
    name = name or DEFAULT
    if name not in version.functions:
        raise wrong(f'Serving signature name: "{shown(name)[1:-1]}" not found in signature def')
    return version, version.functions[name]


def status(repository: Repository, name: str, number: int | None, label: str | None) -> Any:
    """The answer to `GET /v1/models/NAME`.

    Raises:
        Refused: The model or version is not known.
    """
    model = repository.models.get(name)
    if model is None:
        raise Refused(404, f"Could not find any versions of model {name}")
    if label is not None:
        number = repository.find(name, label=label).number
    states = _states(model)
    if number is not None:
        if number not in states:
            raise Refused(404, f"Could not find version {number} of model {name}")
        states = {number: states[number]}
    return {"model_version_status": [states[each] for each in sorted(states, reverse=True)]}


def _states(model: Model) -> dict[int, Any]:
    states = {number: _state(number, "AVAILABLE", "OK", "") for number in model.versions}
    for number, (reason, _) in model.broken.items():
        states[number] = _state(number, "END", "FAILED_PRECONDITION", reason)
    return states


def _state(number: int, state: str, code: str, message: str) -> Any:
    return {
        "version": str(number),
        "state": state,
        "status": {"error_code": code, "error_message": message},
    }


def metadata(version: Version) -> Any:
    """The answer to `GET /v1/models/NAME/metadata`."""
    return {
        "model_spec": {
            "name": version.name,
            "signature_name": "",
            "version": str(version.number),
        },
        "metadata": {"signature_def": {"signature_def": version.definitions}},
    }
