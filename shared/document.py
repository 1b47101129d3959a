"""The OpenAPI 3.1 document of operations. Nothing of it is made before somebody asks for it, and nothing is sent for it."""

from collections.abc import Iterable, Iterator

import msgspec

from shared.operations import FORM, HTML, JSON, Access, Answer, Operation, Parameter
from shared.problems import PROBLEM_JSON, ProblemDetails

type Json = dict[str, object]

VERSION = "0.1.0"
"""The version of the API, which is the app's."""

_SCHEMA = "#/components/schemas/{name}"
_TOKEN = "entra"  # noqa: S105 - the scheme's name
_SESSION = "session"
_GUARDED = {401: "Not signed in: no bearer token, or one that does not verify.", 403: "The token does not allow this."}
_BEHIND = {503: "A service behind the app did not answer, or refuses it. Nothing is lost: repeat the request."}
_PROBLEMS = {
    400: "A part of the request is wrong: `field` and `reason` name it.",
    404: "There is no such thing here.",
    409: "The state that `detail` tells does not allow it now.",
    413: "The body is larger than what is taken.",
    **_GUARDED,
    **_BEHIND,
}
_HEADERS = {
    "Content-Disposition": {"description": "A name for the file.", "schema": {"type": "string"}},
    "Location": {
        "description": "The record; or where a browser goes on.",
        "schema": {"type": "string", "format": "uri"},
    },
    "Set-Cookie": {"description": "The session, or what binds a sign-in to its browser.", "schema": {"type": "string"}},
    "Retry-After": {"description": "Seconds to wait.", "schema": {"type": "integer", "minimum": 0}},
    "WWW-Authenticate": {"description": "The scheme that is asked for.", "schema": {"type": "string"}},
}
_PROBLEM_HEADERS: dict[int, tuple[str, ...]] = {401: ("WWW-Authenticate",), 409: ("Location",), 503: ("Retry-After",)}


def document(operations: Iterable[Operation], public_url: str) -> Json:
    """The whole document."""
    listed = tuple(operations)
    schemas = _Schemas(listed)
    paths: dict[str, Json] = {}
    for one in listed:
        paths.setdefault(f"/{one.path}", {})[one.method.lower()] = _operation(one, schemas)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Tenantry",
            "version": VERSION,
            "description": "Onboards Entra target tenants for Defender multi-tenant management, and looks after them.",
        },
        "servers": [{"url": f"{public_url}/api"}],
        "paths": paths,
        "components": {
            "schemas": schemas.components,
            "responses": {
                **{
                    f"Problem{status}": _problem(status, PROBLEM_JSON, schemas.of(ProblemDetails))
                    for status in _PROBLEMS
                },
                **{f"Page{status}": _problem(status, HTML, {"type": "string"}) for status in _BEHIND},
            },
            "headers": _HEADERS,
            "securitySchemes": {
                _TOKEN: {
                    "type": "http",
                    "scheme": "bearer",
                    "bearerFormat": "JWT",
                    "description": "A v2.0 access token of the source tenant for Tenantry API. Where roles are named, one "
                    "of them must be among the token's app roles.",
                },
                _SESSION: {
                    "type": "apiKey",
                    "in": "cookie",
                    "name": "__Host-tenantry",
                    "description": "The session of a person who signed in at the pages, for half an hour. A browser "
                    "without one is sent to sign in.",
                },
            },
        },
    }


class _Schemas:
    """The schema of every type that an operation names, and the components that they share."""

    def __init__(self, operations: Iterable[Operation]) -> None:
        kinds = list(dict.fromkeys(kind for one in operations for kind in _kinds(one)))
        schemas, components = msgspec.json.schema_components(kinds, ref_template=_SCHEMA)
        self._schemas = dict(zip(kinds, schemas, strict=True))
        found = {name: _unwrapped(schema) for name, schema in sorted(components.items())}
        # Defaults are values of Python: as JSON has them, a tuple is an array.
        self.components: dict[str, Json] = msgspec.json.decode(msgspec.json.encode(found))

    def of(self, *kinds: object) -> Json:
        """The schema of a value of one of these types."""
        found = [self._schemas[kind] for kind in kinds]
        return found[0] if len(found) == 1 else {"anyOf": found}


def _kinds(operation: Operation) -> Iterator[object]:
    yield from (one.kind for one in operation.parameters)
    if operation.body is not None:
        yield operation.body
    for told in operation.answers.values():
        for kinds in told.content.values():
            yield from kinds
    yield ProblemDetails


def _unwrapped(schema: Json) -> Json:
    """A docstring is wrapped for the code's sake, not the reader's."""
    told = schema.get("description")
    return {**schema, "description": " ".join(told.split())} if isinstance(told, str) else schema


def _operation(operation: Operation, schemas: _Schemas) -> Json:
    responses = {status: _answer(told, schemas) for status, told in operation.answers.items()}
    for status in _statuses(operation):
        kind = "Page" if status in _BEHIND and operation.pages is not None else "Problem"
        responses[status] = {"$ref": f"#/components/responses/{kind}{status}"}
    body: Json = {}
    if operation.body is not None:
        media = FORM if operation.form else JSON
        body["requestBody"] = {"required": True, "content": {media: {"schema": schemas.of(operation.body)}}}
    return {
        "operationId": operation.name,
        "summary": operation.told,
        "security": _security(operation),
        "parameters": [_parameter(one, operation, schemas) for one in operation.parameters],
        **body,
        "responses": {str(status): responses[status] for status in sorted(responses)},
    }


def _statuses(operation: Operation) -> Iterator[int]:
    yield from operation.problems
    if operation.who not in (Access.OPEN, Access.SESSION):
        yield from _GUARDED
    if operation.behind:
        yield from _BEHIND


def _security(operation: Operation) -> list[Json]:
    """Alternatives. Beside a scheme that is no OAuth flow, OpenAPI 3.1 has room for the names of roles."""
    if isinstance(operation.who, tuple):
        return [{_TOKEN: [role.value]} for role in operation.who]
    if operation.who is Access.SESSION:
        return [{_SESSION: []}]
    return [] if operation.who is Access.OPEN else [{_TOKEN: []}]


def _parameter(parameter: Parameter, operation: Operation, schemas: _Schemas) -> Json:
    in_path = parameter not in operation.query
    return {
        "name": parameter.name,
        "in": "path" if in_path else "query",
        "required": in_path,
        "description": parameter.told,
        "schema": schemas.of(parameter.kind),
    }


def _answer(told: Answer, schemas: _Schemas) -> Json:
    content = {media: {"schema": schemas.of(*kinds)} for media, kinds in told.content.items()}
    return {
        "description": told.told,
        **({"headers": _named(told.headers)} if told.headers else {}),
        **({"content": content} if content else {}),
    }


def _problem(status: int, media: str, schema: Json) -> Json:
    headers = _PROBLEM_HEADERS.get(status, ())
    return {
        "description": _PROBLEMS[status],
        **({"headers": _named(headers)} if headers else {}),
        "content": {media: {"schema": schema}},
    }


def _named(headers: Iterable[str]) -> Json:
    return {name: {"$ref": f"#/components/headers/{name}"} for name in headers}
