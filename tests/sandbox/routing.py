"""What the routes of all vendors have in common: a method and a path whose parameters stand in braces."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from urllib.parse import unquote

from tests.sandbox.graph.wire import Check

PARAMETER = re.compile(r"\{(\w+)\}")


@dataclass(frozen=True, kw_only=True)
class Endpoint:
    """One endpoint: `call` is its method and path; `body` None means that no body may come."""

    call: str
    body: Check | None = None

    @property
    def method(self) -> str:
        """GET, PUT, ..."""
        return self.call.partition(" ")[0]

    @property
    def template(self) -> str:
        """The path, with named parameters."""
        return self.call.partition(" ")[2]

    @property
    def plain_path(self) -> str:
        """The path with every parameter as {id}."""
        return PARAMETER.sub("{id}", self.template)

    @property
    def writes(self) -> bool:
        """Everything but GET, as the recording and the points count."""
        return self.method != "GET"


def in_order[E: Endpoint](groups: Iterable[Sequence[E]]) -> list[E]:
    """All of them, as they are tried: literal segments go before parameters."""
    return sorted((one for group in groups for one in group), key=lambda one: one.template.count("{"))


def decoded(raw_path: str) -> str:
    """The path as routes are matched with it: each segment decoded by itself."""
    return "/".join(unquote(segment) for segment in raw_path.split("/"))
