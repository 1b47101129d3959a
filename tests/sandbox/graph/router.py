"""Which handler serves a method and path: templates with `{name}` segments and OData functions with `(name={id})`."""

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from urllib.parse import unquote

from tests.sandbox.graph.call import Answer, Call
from tests.sandbox.graph.permissions import APPLICATION
from tests.sandbox.graph.query import NOTHING, Options
from tests.sandbox.graph.wire import Check

type Handler = Callable[[Call], Answer]

_PARAMETER = re.compile(r"\{(\w+)\}")


@dataclass(frozen=True, kw_only=True)
class Route:
    """One endpoint: what it takes and who serves it. `body` None means that no body may come."""

    call: str
    handler: Handler
    options: Options = NOTHING
    body: Check | None = None
    service: str = "directory"

    @property
    def method(self) -> str:
        """GET, POST, ..."""
        return self.call.partition(" ")[0]

    @property
    def template(self) -> str:
        """The path below the version."""
        return self.call.partition(" ")[2]

    @property
    def label(self) -> str:
        """How points and faults name it: the version in front, every parameter as {id}."""
        return f"{self.method} /v1.0{_PARAMETER.sub('{id}', self.template)}"

    @property
    def permission_key(self) -> str:
        """Its row in the permission table."""
        return f"{self.method} {_PARAMETER.sub('{id}', self.template)}"

    @property
    def writes(self) -> bool:
        """Everything but GET, as the recording and the points count."""
        return self.method != "GET"

    @cached_property
    def pattern(self) -> re.Pattern[str]:
        """Segments match without case; a function's argument stands in quotes."""
        parts = []
        for segment in self.template.strip("/").split("/"):
            found = _PARAMETER.search(segment)
            if found is None:
                parts.append(re.escape(segment))
            elif segment == found[0]:
                parts.append(rf"(?P<{found[1]}>[^/()]+)")
            else:
                before, after = segment[: found.start()], segment[found.end() :]
                parts.append(rf"{re.escape(before)}'(?P<{found[1]}>[^/']*)'{re.escape(after)}")
        return re.compile("/".join(parts), re.IGNORECASE)


class Router:
    """All routes; literal segments go before parameters."""

    def __init__(self, groups: Iterable[Sequence[Route]]) -> None:
        self.routes = sorted((route for group in groups for route in group), key=lambda one: one.template.count("{"))
        for route in self.routes:
            if route.permission_key not in APPLICATION:
                raise ValueError(f"no permission row for {route.permission_key}")

    def find(self, method: str, raw_path: str) -> tuple[Route, dict[str, str]] | None:
        """The route of a path below the version, with its parameters."""
        path = "/".join(unquote(segment) for segment in raw_path.strip("/").split("/"))
        for route in self.routes:
            if route.method == method:
                found = route.pattern.fullmatch(path)
                if found is not None:
                    return route, found.groupdict()
        return None
