"""Recorded Graph traffic against Microsoft's published types: every path, property, value and enum member.

The published file stands beside the project where the project is developed; elsewhere the checks are skipped.
"""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any
from uuid import UUID

PUBLISHED = Path(__file__).parents[3] / "shared" / "contracts" / "graph-types.json"
_COLLECTION = re.compile(r"Collection\((.+)\)")
_FUNCTION = re.compile(r"(\w+)\(.*\)")
_NAMESPACE = "microsoft.graph."


@dataclass(frozen=True, slots=True)
class Place:
    """Where a path leads: a type, whether it is a collection, and the parameters when it is an operation."""

    type: str | None
    many: bool
    parameters: Mapping[str, str] | None = None


class PublishedTypes:
    """The types, and the differences of one recorded request and answer from them."""

    def __init__(self, path: Path = PUBLISHED) -> None:
        published = json.loads(path.read_text())
        self._container: dict[str, dict[str, Any]] = published["container"]
        self._operations: list[dict[str, Any]] = published["operations"]
        self._types: dict[str, dict[str, Any]] = published["types"]

    def differences(self, record: Mapping[str, Any]) -> list[str]:
        """What a line of the recording has that the types don't; the line's names are those of the recording."""
        if record["service"] != "graph" or not 200 <= record["status"] < 300:
            return []
        line = f"{record['method']} {record['path']}"
        place = self._place(record["path"].removeprefix("/v1.0"))
        if place is None:
            return [f"{line}: no such path"]
        found: list[str] = []
        if record["request"] is not None:
            found += self._request(record["method"], place, record["request"])
        if record["response"] is not None:
            found += self._response(record["method"], place, record["response"])
        return [f"{line}: {one}" for one in found]

    def _request(self, method: str, place: Place, body: dict[str, Any]) -> Iterator[str]:
        if place.parameters is not None:
            for name, value in body.items():
                if name not in place.parameters:
                    yield f"request has no parameter {name}"
                else:
                    yield from self._value(place.parameters[name], value, f"request.{name}")
        elif method == "PUT" and place.many:
            yield from self._value(f"Collection({place.type})", body.get("value"), "request.value")
        else:
            yield from self._value(place.type or "", body, "request")

    def _response(self, method: str, place: Place, body: dict[str, Any]) -> Iterator[str]:
        if place.many and method == "GET":
            yield from self._value(f"Collection({place.type})", body.get("value"), "response.value")
        else:
            yield from self._value(place.type or "", body, "response")

    def _place(self, path: str) -> Place | None:
        first, *rest = path.strip("/").split("/")
        named = _FUNCTION.fullmatch(first)
        root = self._container.get(named[1] if named else first)
        if root is None:
            return None
        at = Place(root["type"], bool(root["set"]) and named is None)
        for segment in rest:
            following = self._step(at, segment)
            if following is None:
                return None
            at = following
        return at

    def _step(self, at: Place, segment: str) -> Place | None:
        called = _FUNCTION.fullmatch(segment)
        name = called[1] if called else segment
        bound = f"Collection({at.type})" if at.many else at.type
        for operation in self._operations:
            # By its full name, too: OData allows both, and the SDK writes the full one.
            names = (operation["name"], f"{operation['namespace']}.{operation['name']}")
            if name in names and operation["boundTo"] == bound:
                returns = _absolute(operation["returns"], operation["namespace"])
                return Place(returns, many=False, parameters=operation["parameters"])
        if at.many:
            return Place(at.type, many=False)
        members = self._members(at.type or "")
        if name not in members:
            return None
        many = _COLLECTION.fullmatch(members[name])
        return Place(many[1] if many else members[name], many is not None)

    def _members(self, name: str) -> dict[str, str]:
        """Properties and navigation of a type and its bases."""
        members: dict[str, str] = {}
        at: str | None = name
        while at is not None and at in self._types:
            described = self._types[at]
            own = {**described.get("properties", {}), **described.get("navigation", {})}
            namespace = at.rpartition(".")[0]
            members = {**{member: _absolute(kind, namespace) for member, kind in own.items()}, **members}
            at = described.get("base")
        return members

    def _value(self, type_name: str, value: object, at: str) -> Iterator[str]:
        many = _COLLECTION.fullmatch(type_name)
        if value is None:
            return
        if many:
            if not isinstance(value, list):
                yield f"{at} is no collection"
                return
            for number, one in enumerate(value):
                yield from self._value(many[1], one, f"{at}[{number}]")
        elif type_name.startswith("Edm."):
            if not _is_primitive(type_name, value):
                yield f"{at} is no {type_name}: {value!r}"
        elif type_name in self._types:
            yield from self._described(type_name, value, at)

    def _described(self, type_name: str, value: object, at: str) -> Iterator[str]:
        described = self._types[type_name]
        if described["kind"] == "EnumType":
            parts = str(value).split(",") if described["flags"] else [str(value)]
            for part in parts:
                if part.strip() not in described["members"]:
                    yield f"{at} is no {type_name}: {part.strip()!r}"
            return
        if not isinstance(value, dict):
            yield f"{at} is no object"
            return
        told = value.get("@odata.type")
        exact = told.removeprefix("#") if isinstance(told, str) else type_name
        members = self._members(exact)
        for name, given in value.items():
            if name.startswith("@") or not members:
                continue
            if name not in members:
                yield f"{at}.{name} is no property of {exact.removeprefix(_NAMESPACE)}"
            else:
                yield from self._value(members[name], given, f"{at}.{name}")


def _absolute(type_name: str, namespace: str) -> str:
    """In a namespace, `self.` stands for it."""
    return re.sub(r"\bself\.", f"{namespace}.", type_name) if type_name else type_name


def _is_primitive(type_name: str, value: object) -> bool:
    match type_name:
        case "Edm.Boolean":
            return isinstance(value, bool)
        case "Edm.Int16" | "Edm.Int32" | "Edm.Int64":
            return isinstance(value, int) and not isinstance(value, bool)
        case "Edm.Double" | "Edm.Single" | "Edm.Decimal":
            return isinstance(value, int | float) and not isinstance(value, bool)
        case "Edm.Guid" | "Edm.DateTimeOffset" | "Edm.Duration":
            return isinstance(value, str) and _parses(type_name, value)
        case _:
            return isinstance(value, str)


def _parses(type_name: str, value: str) -> bool:
    if type_name == "Edm.Duration":
        return re.fullmatch(r"-?P[0-9YMWDTHS.]+", value) is not None
    try:
        if type_name == "Edm.Guid":
            UUID(value)
        else:
            return datetime.fromisoformat(value).tzinfo is not None
    except ValueError:
        return False
    return True
