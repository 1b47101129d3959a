"""Which handler serves a method, path and version."""

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property

from tests.sandbox.answers import Answer
from tests.sandbox.arm.call import Call
from tests.sandbox.arm.models.scope import Scope, parse_scope
from tests.sandbox.routing import PARAMETER, Endpoint, decoded, in_order

type Handler = Callable[[Call], Answer]

STABLE = ("2020-10-01",)
"""PIM's version (section 0)."""
AUTHORIZATION = "Microsoft.Authorization"
_PROVIDER = re.compile(rf"/providers/{re.escape(AUTHORIZATION)}(?=/)", re.IGNORECASE)


@dataclass(frozen=True, kw_only=True)
class Route(Endpoint):
    """One endpoint. The path of `call` is below the provider where `scoped`, else below the address.

    `action` is what the caller must be allowed at the scope.
    """

    handler: Handler
    versions: tuple[str, ...]
    action: str | None = None
    filters: frozenset[str] = frozenset()
    lists: bool = False
    scoped: bool = True

    @cached_property
    def pattern(self) -> re.Pattern[str]:
        """Segments match without case."""
        parts = []
        for segment in self.template.strip("/").split("/"):
            found = PARAMETER.fullmatch(segment)
            parts.append(rf"(?P<{found[1]}>[^/]+)" if found else re.escape(segment))
        return re.compile("/" + "/".join(parts), re.IGNORECASE)

    def label(self, scope: Scope | None) -> str:
        """How points and faults name it: every parameter as {id}."""
        if not self.scoped:
            return f"{self.method} {self.plain_path}"
        return f"{self.method} {scope.pattern if scope else ''}/providers/{AUTHORIZATION}{self.plain_path}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """A route, its parameters and the scope that the path names."""

    route: Route
    ids: dict[str, str]
    scope: Scope | None

    @property
    def label(self) -> str:
        """How points and faults name it."""
        return self.route.label(self.scope)


class Router:
    """All routes."""

    def __init__(self, groups: Iterable[Sequence[Route]]) -> None:
        self.routes = in_order(groups)

    def find(self, method: str, raw_path: str) -> Found | None:
        """The route of a path."""
        path = decoded(raw_path.rstrip("/"))
        split = list(_PROVIDER.finditer(path))
        scope, below = (path[: split[-1].start()], path[split[-1].end() :]) if split else ("", path)
        if not scope:
            below = path
        at = parse_scope(scope) if scope else None
        if scope and at is None:
            return None
        for route in self.routes:
            if route.method == method and route.scoped == bool(scope):
                found = route.pattern.fullmatch(below)
                if found is not None:
                    ids = found.groupdict()
                    if not route.scoped and "subscription" in ids:
                        at = parse_scope(f"/subscriptions/{ids['subscription']}")
                        if at is None:
                            return None
                    return Found(route=route, ids=ids, scope=at)
        return None
