"""Holds answers of the app against its API document: what it answers and does not describe fails the test that got it.

Stricter than the document itself: no property may be there that it does not name.
"""

import re
from functools import cache
from typing import Any

import httpx
import jsonschema_rs

from shared.api import OPERATIONS
from shared.document import document

type Json = dict[str, Any]

_HEADERS = ("Location", "Retry-After", "WWW-Authenticate", "Content-Disposition", "Set-Cookie")


def hold(answer: httpx.Response) -> None:
    """Raise AssertionError unless the document has this answer: path, method, status, media type, headers, body."""
    method, path, status = answer.request.method, answer.request.url.path, answer.status_code
    label = f"{method} {path} {status}"
    if status == 503 and not answer.content:
        # The host's own: no app is behind it at this moment. To whoever asks it is a connection that broke.
        raise httpx.RemoteProtocolError("the host has no app just now")
    template = _template(path)
    assert template is not None, f"{label}: the path is not described"
    responses = _document()["paths"][template].get(method.lower(), {}).get("responses", {})
    assert str(status) in responses, f"{label}: the status is not described: {answer.text}"
    told = _resolved(responses[str(status)])
    missing = [name for name in _HEADERS if name in answer.headers and name not in told.get("headers", {})]
    assert not missing, f"{label}: {missing} is not described"
    if "content" not in told:
        assert answer.content == b"", f"{label}: no content is described"
        return
    media = str(answer.headers.get("Content-Type", "")).partition(";")[0]
    assert media in told["content"], f"{label}: {media} is not described"
    if media.endswith("json"):
        validator = _validator(template, method.lower(), str(status), media)
        wrong = [told for error in validator.iter_errors(answer.json()) for told in _said(error)]
        assert not wrong, f"{label}: {wrong[:5]}"


def _said(error: jsonschema_rs.ValidationError) -> list[str]:
    """What is wrong; where none of several types fits, by the one that is nearest."""
    branches: list[list[jsonschema_rs.ValidationError]] = getattr(error.kind, "context", None) or []
    if branches:
        return [told for inner in min(branches, key=len) for told in _said(inner)]
    return [f"{'/'.join(str(part) for part in error.instance_path)}: {error.message}"]


@cache
def _document() -> Json:
    """As this process makes it; that the app serves the same has a test of its own."""
    made = document(OPERATIONS, "https://app.example")
    schemas: Any = made["components"]
    for schema in schemas["schemas"].values():
        if "properties" in schema:
            schema["additionalProperties"] = False
    return made


@cache
def _templates() -> list[tuple[re.Pattern[str], str]]:
    return [(re.compile("/api" + re.sub(r"\{\w+\}", "[^/]+", path)), path) for path in _document()["paths"]]


def _template(path: str) -> str | None:
    return next((template for pattern, template in _templates() if pattern.fullmatch(path)), None)


def _resolved(response: Json) -> Json:
    name = str(response.get("$ref", "")).removeprefix("#/components/responses/")
    found: Json = _document()["components"]["responses"][name] if name else response
    return found


@cache
def _validator(template: str, method: str, status: str, media: str) -> jsonschema_rs.Draft202012Validator:
    response = _resolved(_document()["paths"][template][method]["responses"][status])
    schema = {**response["content"][media]["schema"], "components": _document()["components"]}
    return jsonschema_rs.Draft202012Validator(schema, validate_formats=True)
