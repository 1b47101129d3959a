"""The API document says what is registered, and README's table what the document says."""

import json
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import openapi_spec_validator

from shared import api
from shared.document import VERSION, document
from tests.unit.test_functions import registered

_ROOT = Path(__file__).parents[2]
_DOCUMENT: dict[str, Any] = msgspec.to_builtins(document(api.OPERATIONS, "https://app.example"))


def operations() -> Iterator[tuple[str, str, dict[str, Any]]]:
    for path, methods in _DOCUMENT["paths"].items():
        for method, operation in methods.items():
            yield method.upper(), path, operation


def references(part: object) -> Iterator[str]:
    """Every component that a part leads to, also by way of others."""
    waiting, seen = [part], set()
    while waiting:
        for name in re.findall(r'"#/components/([^"]+)"', json.dumps(waiting.pop())):
            if name not in seen:
                seen.add(name)
                kind, _, key = name.partition("/")
                waiting.append(_DOCUMENT["components"][kind][key])
                yield name


def test_it_is_a_document_by_the_rules_of_openapi() -> None:
    openapi_spec_validator.validate(_DOCUMENT)


def test_every_function_that_answers_http_is_in_it_and_nothing_else() -> None:
    found = registered("httpTrigger")

    assert {(operation["operationId"], method, path) for method, path, operation in operations()} == {
        (name, str(getattr(method, "value", method)), f"/{trigger['route']}")
        for name, trigger in found.items()
        for method in trigger["methods"]
    }


def test_every_component_is_used() -> None:
    used = set(references(_DOCUMENT["paths"]))
    there = {f"{kind}/{name}" for kind, parts in _DOCUMENT["components"].items() for name in parts}

    assert there - {"securitySchemes/entra", "securitySchemes/session"} == used
    assert any(operation["security"] == [{"entra": ["Audit.Read"]}] for _, _, operation in operations())
    assert any(operation["security"] == [{"session": []}] for _, _, operation in operations())


def test_every_type_and_every_parameter_is_told_in_words() -> None:
    schemas = _DOCUMENT["components"]["schemas"]

    assert [name for name, schema in schemas.items() if not schema.get("description")] == []
    assert [
        (path, parameter["name"])
        for _, path, operation in operations()
        for parameter in operation["parameters"]
        if not parameter["description"]
    ] == []


def test_its_version_is_the_app_s() -> None:
    project = tomllib.loads((_ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]

    assert project["version"] == VERSION == _DOCUMENT["info"]["version"]


def test_it_is_not_made_before_somebody_asks() -> None:
    """Describing every type takes a while, and a cold start must not wait for it."""
    assert api._made == {}


def test_readme_tells_the_same_routes_with_the_same_callers() -> None:
    text = (_ROOT / "README.md").read_text(encoding="utf-8")
    told = re.findall(r"^\| `([A-Z]+) /api(/[^?`]*)\??([^`]*)` \| ([^|]+) \| ([^|]+) \|$", text, re.MULTILINE)

    assert {(method, path, query, who, does) for method, path, query, who, does in told} == {
        (method, path, query(operation), who(operation), operation["summary"])
        for method, path, operation in operations()
    }


def query(operation: dict[str, Any]) -> str:
    return "&".join(f"{one['name']}=" for one in operation["parameters"] if one["in"] == "query")


def who(operation: dict[str, Any]) -> str:
    if operation["security"] == [{"session": []}]:
        return "an approver, signed in"
    roles = [role for one in operation["security"] for role in one["entra"]]
    if roles:
        return " or ".join(f"`{role}`" for role in roles)
    return "the analyst, in person" if operation["security"] else "open"
