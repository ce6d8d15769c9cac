"""The description of the server's interfaces, OpenAPI 3.1: `GET /openapi.json`."""

from typing import Any

from zoo.serving.settings import Settings
from zoo.version import VERSION

ERROR = {"$ref": "#/components/schemas/Error"}
# statuses of errors -> when
ERRORS = {
    "400": "The request is wrong; the sentence says what was expected",
    "404": "The model or version is not served",
    "408": "The body took too long",
    "413": "The body, the number of rows or a text is too large",
    "415": "The body is compressed",
    "429": "Too many requests wait, or there is too little memory",
    "500": "A fault of the server",
    "501": "`classify` and `regress` are not offered",
    "504": "The answer took too long",
}
LOOK = ("400", "404")
WORK = ("400", "404", "408", "413", "415", "429", "500", "504")


def description(settings: Settings) -> dict[str, Any]:
    """The document."""
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "rnn-zoo",
            "version": VERSION,
            "description": (
                "Exported models over TensorFlow Serving's REST API and the Open Inference "
                "Protocol V2. `GET /zoo/models` lists the models with their signatures."
            ),
        },
        "paths": {**_v1(), **_v2(settings), **_others()},
        "components": {"schemas": _schemas(settings)},
    }


def _v1() -> dict[str, Any]:
    paths: dict[str, Any] = {}
    for which, names in (
        ("", ["model"]),
        ("/versions/{version}", ["model", "version"]),
        ("/labels/{label}", ["model", "label"]),
    ):
        base, parameters = f"/v1/models/{{model}}{which}", [_parameter(name) for name in names]
        paths[f"{base}:predict"] = {
            "parameters": parameters,
            "post": _operation(
                "Answers of a signature", "Predicted", WORK, body=_ref("PredictRequest")
            ),
        }
        paths[base] = {
            "parameters": parameters,
            "get": _operation("Which versions are served", "ModelStatus", LOOK),
        }
        paths[f"{base}/metadata"] = {
            "parameters": parameters,
            "get": _operation("The signatures", "Object", LOOK),
        }
    return paths


def _v2(settings: Settings) -> dict[str, Any]:
    paths: dict[str, Any] = {
        "/v2": {"get": _operation("The server", "Object", ())},
        "/v2/health/live": {"get": _operation("Whether the server answers", "Object", ())},
        "/v2/health/ready": {
            "get": _operation("Whether all models answer", "Object", (), {"503": "Object"})
        },
    }
    for which, names in (("", ["model"]), ("/versions/{version}", ["model", "version"])):
        base, parameters = f"/v2/models/{{model}}{which}", [_parameter(name) for name in names]
        paths[base] = {
            "parameters": parameters,
            "get": _operation("Inputs and outputs of the default signature", "Object", LOOK),
        }
        paths[f"{base}/ready"] = {
            "parameters": parameters,
            "get": _operation("Whether the model answers", "Object", LOOK),
        }
        paths[f"{base}/infer"] = {
            "parameters": parameters,
            "post": _operation(
                "Answers of a signature", "InferAnswer", WORK, body=_ref("InferRequest")
            ),
        }
        paths[f"{base}/generate"] = {
            "parameters": parameters,
            "post": _operation("A text at once", "Generated", WORK, body=_ref("GenerateRequest")),
        }
        stream = _operation(
            "A text, token by token", "Generated", WORK, body=_ref("GenerateRequest")
        )
        stream["responses"]["200"] = {
            "description": (
                "Server-sent events, each a `Generated` or, if it fails midway, an `Error`"
            ),
            "content": {"text/event-stream": {"schema": {"type": "string"}}},
        }
        paths[f"{base}/generate_stream"] = {"parameters": parameters, "post": stream}
    return paths


def _others() -> dict[str, Any]:
    metrics = _operation("Metrics in Prometheus' format", "Object", ())
    metrics["responses"]["200"]["content"] = {"text/plain": {"schema": {"type": "string"}}}
    return {
        "/zoo/models": {"get": _operation("All models, with what is known of them", "Models", ())},
        "/metrics": {"get": metrics},
        "/openapi.json": {"get": _operation("This description", "Object", ())},
    }


def _operation(
    summary: str,
    answer: str,
    errors: tuple[str, ...],
    more: dict[str, str] | None = None,
    body: Any = None,
) -> dict[str, Any]:
    responses = {"200": {"description": summary, "content": _content(_ref(answer))}}
    for status in errors:
        responses[status] = {"description": ERRORS[status], "content": _content(ERROR)}
    for status, name in (more or {}).items():
        responses[status] = {"description": summary, "content": _content(_ref(name))}
    found: dict[str, Any] = {"summary": summary, "responses": responses}
    if body:
        found["requestBody"] = {"required": True, "content": _content(body)}
    return found


def _parameter(name: str) -> dict[str, Any]:
    schema: dict[str, Any] = {"type": "string", "minLength": 1, "pattern": "^[^/:]+$"}
    if name == "version":
        schema = {"type": "integer", "minimum": 0, "maximum": 2**53}
    return {"name": name, "in": "path", "required": True, "schema": schema}


def _content(schema: Any) -> dict[str, Any]:
    return {"application/json": {"schema": schema}}


def _ref(name: str) -> dict[str, str]:
    return {"$ref": f"#/components/schemas/{name}"}


def _object(required: tuple[str, ...] = (), **properties: Any) -> dict[str, Any]:
    return {"type": "object", "required": list(required), "properties": properties}


def _schemas(settings: Settings) -> dict[str, Any]:
    text, number = {"type": "string"}, {"type": "number"}
    anything: dict[str, Any] = {}
    tensor = _object(
        ("name", "shape", "datatype", "data"),
        name=text,
        shape={"type": "array", "items": {"type": "integer", "minimum": 0}},
        datatype={"type": "string", "examples": ["BYTES", "FP32", "INT32", "BOOL"]},
        data={"type": "array"},
    )
    options = _object(
        max_tokens={"type": "integer", "minimum": 0, "maximum": settings.max_tokens},
        temperature={"type": "number", "minimum": 0, "maximum": 100},
        top_k={"type": "integer", "minimum": 0, "maximum": 2**31 - 1},
        top_p={"type": "number", "exclusiveMinimum": 0, "maximum": 1},
        seed={"type": "integer", "minimum": 0, "maximum": 2**31 - 1},
    )
    return {
        "Error": _object(("error",), error=text),
        "Object": {"type": "object"},
        "PredictRequest": {
            **_object(
                signature_name={**text, "default": "serving_default"},
                instances={
                    "type": "array",
                    "minItems": 1,
                    "maxItems": settings.max_rows,
                    "description": "Rows: values, or objects of all inputs",
                },
                inputs={"description": "Columns: a list, or an object of all inputs"},
            ),
            "oneOf": [{"required": ["instances"]}, {"required": ["inputs"]}],
        },
        "Predicted": {
            "type": "object",
            "oneOf": [
                _object(("predictions",), predictions={"type": "array"}),
                _object(("outputs",), outputs=anything),
            ],
        },
        "ModelStatus": _object(
            ("model_version_status",),
            model_version_status={
                "type": "array",
                "items": _object(
                    ("version", "state", "status"),
                    version=text,
                    state={"enum": ["AVAILABLE", "END"]},
                    status=_object(("error_code", "error_message"), error_code=text),
                ),
            },
        ),
        "InferRequest": _object(
            ("inputs",),
            id=text,
            parameters=_object(signature_name=text),
            inputs={"type": "array", "items": tensor},
            outputs={"type": "array", "items": _object(("name",), name=text)},
        ),
        "InferAnswer": _object(
            ("model_name", "model_version", "outputs"),
            model_name=text,
            model_version=text,
            id=text,
            outputs={"type": "array", "items": tensor},
        ),
        "GenerateRequest": _object(
            ("text_input",),
            text_input={**text, "maxLength": settings.max_text},
            parameters=options,
        ),
        "Generated": _object(
            ("model_name", "model_version", "text_output"),
            model_name=text,
            model_version=text,
            text_output=text,
            log_probability=number,
            num_tokens={"type": "integer"},
            finish_reason={"enum": ["stop", "length"]},
        ),
        "Models": _object(
            ("models",),
            models={
                "type": "array",
                "items": _object(("name", "version", "versions", "signatures"), name=text),
            },
        ),
    }
