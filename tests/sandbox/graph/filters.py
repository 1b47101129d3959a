"""A small $filter: conditions joined by `and`, with the operators that the Graph contract names.

Anything it can't read, and any property or operator that the endpoint doesn't offer, is loud: a filter that the real
service refuses must not pass here.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from tests.sandbox.graph.errors import unsupported_query

type Value = str | bool | tuple[str, ...] | None
type Offer = Mapping[str, frozenset[str]]

EQUAL = frozenset({"eq"})
ADVANCED = frozenset({"ne", "endswith", "not"})
"""Operators that need ConsistencyLevel: eventual and $count=true on directory objects (section 4)."""

_LITERAL = r"(?P<value>'(?:[^']|'')*'|true|false|null|[0-9][0-9A-Za-z:.+-]*|[0-9a-fA-F-]{36})"
_PATH = r"[A-Za-z][A-Za-z0-9]*(?:/[A-Za-z][A-Za-z0-9]*)*"
_COMPARE = re.compile(rf"(?P<path>{_PATH})\s+(?P<operator>eq|ne|gt|lt|ge|le)\s+{_LITERAL}")
_LOWER = re.compile(rf"tolower\((?P<path>{_PATH})\)\s+(?P<operator>eq)\s+{_LITERAL}")
_FUNCTION = re.compile(
    rf"(?P<operator>startswith|endswith|contains)\((?:tolower\()?(?P<path>{_PATH})\)?\s*,\s*{_LITERAL}\)", re.IGNORECASE
)
_IN = re.compile(rf"(?P<path>{_PATH})\s+(?P<operator>in)\s+\((?P<value>'[^']*'(?:\s*,\s*'[^']*')*)\)")
_MOST_IN = 15
_ANY = re.compile(rf"(?P<path>{_PATH})/any\((?P<variable>[a-z]+):(?P=variable)\s+(?P<operator>eq)\s+{_LITERAL}\)")


@dataclass(frozen=True, slots=True)
class Condition:
    """One comparison; `any` is the operator of a lambda over a collection of strings."""

    path: str
    operator: str
    value: Value
    lowered: bool = False

    def holds(self, found: object, *, exact: bool = False) -> bool:
        """Whether it holds for the value found at the path. Strings compare without case, as in the directory, unless
        `exact`.
        """
        if exact:
            return self._holds_exactly(found)
        if self.operator == "any":
            return isinstance(found, list) and any(_same(one, self.value) for one in found)
        if isinstance(self.value, tuple):
            return any(_same(found, one) for one in self.value)
        if self.operator == "eq":
            return _same(found, self.value)
        if self.operator == "ne":
            return not _same(found, self.value)
        if not isinstance(found, str) or not isinstance(self.value, str):
            return False
        if self.operator in ("gt", "lt"):
            mine, other = _date(found), _date(self.value)
            return mine > other if self.operator == "gt" else mine < other
        has, wanted = found.lower(), self.value.lower()
        if self.operator == "startswith":
            return has.startswith(wanted)
        return has.endswith(wanted) if self.operator == "endswith" else wanted in has

    def _holds_exactly(self, found: object) -> bool:
        if isinstance(found, str) and isinstance(self.value, str) and self.operator in ("eq", "contains"):
            has = found.lower() if self.lowered else found
            return has == self.value if self.operator == "eq" else self.value in has
        return self.holds(found)


def parse_filter(text: str, offer: Offer) -> tuple[Condition, ...]:
    """The conditions, all of which must hold."""
    conditions = []
    rest = text.strip()
    while rest:
        condition, rest = _next(rest, text)
        offered = offer.get(condition.path)
        if offered is None:
            raise unsupported_query(f"Unsupported or invalid query filter clause: property '{condition.path}'.")
        if condition.operator not in offered:
            raise unsupported_query(f"Operator '{condition.operator}' is not supported on '{condition.path}'.")
        conditions.append(condition)
        if rest:
            joined = re.match(r"\s+and\s+", rest)
            if joined is None:
                raise unsupported_query(f"Invalid filter clause: '{text}'.")
            rest = rest[joined.end() :]
    if not conditions:
        raise unsupported_query("Invalid filter clause: it is empty.")
    return tuple(conditions)


def look_up(value: object, path: str) -> object:
    """The value at a path such as servicePrincipal/id of an object on the wire."""
    for name in path.split("/"):
        if not isinstance(value, dict):
            return None
        value = value.get(name)
    return value


def _next(rest: str, whole: str) -> tuple[Condition, str]:
    one_of = _IN.match(rest)
    if one_of is not None:
        values = tuple(text.strip()[1:-1] for text in one_of["value"].split(","))
        if len(values) > _MOST_IN:
            raise unsupported_query(
                "Too many child clauses specified in search filter expression containing 'OR' operators: "
                f"{len(values)}. Max allowed: {_MOST_IN}."
            )
        return Condition(one_of["path"], "in", values), rest[one_of.end() :]
    for pattern, operator in ((_ANY, "any"), (_FUNCTION, None), (_LOWER, None), (_COMPARE, None)):
        found = pattern.match(rest)
        if found is not None:
            named = operator or found["operator"].lower()
            lowered = "tolower(" in found[0].lower().partition("'")[0]
            return Condition(found["path"], named, _literal(found["value"]), lowered), rest[found.end() :]
    raise unsupported_query(f"Invalid filter clause: '{whole}'.")


def _literal(text: str) -> Value:
    if text.startswith("'"):
        return text[1:-1].replace("''", "'")
    return {"true": True, "false": False, "null": None}.get(text, text)


def _same(found: object, value: Value) -> bool:
    if isinstance(found, str) and isinstance(value, str):
        return found.lower() == value.lower()
    return found == value


def _date(text: str) -> datetime:
    try:
        parsed = datetime.fromisoformat(text)
    except ValueError:
        raise unsupported_query(f"Invalid filter clause: '{text}' is no date.") from None
    return parsed if parsed.tzinfo is not None else parsed.replace(tzinfo=UTC)
