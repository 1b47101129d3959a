"""Which handler serves a method and path: templates with `{name}` segments and OData functions with `(name={id})`."""

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property

from tests.sandbox.answers import Answer
from tests.sandbox.graph.call import Call
from tests.sandbox.graph.permissions import APPLICATION
from tests.sandbox.graph.query import NOTHING, Options
from tests.sandbox.routing import PARAMETER, Endpoint, decoded, in_order

type Handler = Callable[[Call], Answer]


@dataclass(frozen=True, kw_only=True)
class Route(Endpoint):
    """One endpoint: what it takes and who serves it. Its path is below the version."""

    handler: Handler
    options: Options = NOTHING
    service: str = "directory"

    @property
    def label(self) -> str:
        """How points and faults name it: the version in front, every parameter as {id}."""
        return f"{self.method} /v1.0{self.plain_path}"

    @property
    def permission_key(self) -> str:
        """Its row in the permission table."""
        return f"{self.method} {self.plain_path}"

    @cached_property
    def pattern(self) -> re.Pattern[str]:
        """Segments match without case; a function's argument stands in quotes."""
        parts = []
        for segment in self.template.strip("/").split("/"):
            found = PARAMETER.search(segment)
            if found is None:
                parts.append(re.escape(segment))
            elif segment == found[0]:
                parts.append(rf"(?P<{found[1]}>[^/()]+)")
            else:
                before, after = segment[: found.start()], segment[found.end() :]
                parts.append(rf"{re.escape(before)}'(?P<{found[1]}>[^/']*)'{re.escape(after)}")
        return re.compile("/".join(parts), re.IGNORECASE)


class Router:
    """All routes."""

    def __init__(self, groups: Iterable[Sequence[Route]]) -> None:
        self.routes = in_order(groups)
        for route in self.routes:
            if route.permission_key not in APPLICATION:
                raise ValueError(f"no permission row for {route.permission_key}")

    def find(self, method: str, raw_path: str) -> tuple[Route, dict[str, str]] | None:
        """The route of a path below the version, with its parameters."""
        path = decoded(raw_path.strip("/"))
        for route in self.routes:
            if route.method == method:
                found = route.pattern.fullmatch(path)
                if found is not None:
                    return route, found.groupdict()
        return None
