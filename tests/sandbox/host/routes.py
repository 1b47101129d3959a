"""Which HTTP function a request belongs to, as the host's routing decides. Pure.

Literal segments beat constrained parameters, those beat free ones, and a rest parameter comes last.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Self
from urllib.parse import unquote

from tests.sandbox.host.bindings import FunctionInfo

_PARAMETER = re.compile(r"\{(?P<rest>\*{0,2})(?P<name>\w+)(?P<constraints>(?::[^{}?]+)*)(?P<optional>\??)\}")
_GUID = r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"
_CONSTRAINTS = {"guid": _GUID, "int": r"-?\d+", "long": r"-?\d+", "alpha": r"[a-z]+", "bool": r"true|false"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """A compiled template."""

    function: FunctionInfo
    methods: frozenset[str]
    pattern: re.Pattern[str]
    rank: tuple[int, ...]

    @classmethod
    def of(cls, function: FunctionInfo, prefix: str) -> Self:
        """Compile the function's route. Raises NotImplementedError for a template that the driver can't read."""
        template = str(function.trigger.get("route") or function.name)
        segments = [segment for segment in f"{prefix}/{template}".split("/") if segment]
        pattern, rank = "", list[int]()
        for segment in segments:
            parameter = _PARAMETER.fullmatch(segment)
            if parameter is None:
                if "{" in segment:
                    raise NotImplementedError(f"{function.name}: the driver can't read {segment!r} in a route")
                pattern += "/" + re.escape(segment)
                rank.append(0)
            elif parameter["rest"]:
                pattern += f"(?:/(?P<{parameter['name']}>.*))?"
                rank.append(3)
            else:
                shape = _shape(function, parameter["constraints"])
                pattern += f"(?:/(?P<{parameter['name']}>{shape}))" + ("?" if parameter["optional"] else "")
                rank.append(1 if parameter["constraints"] else 2)
        methods = frozenset(str(method).upper() for method in function.trigger.get("methods") or ())
        compiled = re.compile(pattern + "/?", re.IGNORECASE)
        return cls(function=function, methods=methods, pattern=compiled, rank=tuple(rank))


def _shape(function: FunctionInfo, constraints: str) -> str:
    names = [name for name in constraints.split(":") if name]
    if not names:
        return "[^/]+"
    if len(names) > 1 or names[0] not in _CONSTRAINTS:
        raise NotImplementedError(f"{function.name}: the driver doesn't know the route constraint {constraints!r}")
    return _CONSTRAINTS[names[0]]


def find(routes: Iterable[Route], method: str, raw_path: str) -> tuple[FunctionInfo, dict[str, str]] | None:
    """The function for a request, with the values of its parameters. The path comes as it was sent, still quoted."""
    for route in sorted(routes, key=lambda each: each.rank):
        if route.methods and method not in route.methods:
            continue
        if (match := route.pattern.fullmatch(raw_path)) is not None:
            return route.function, {name: unquote(text) for name, text in match.groupdict().items() if text is not None}
    return None
