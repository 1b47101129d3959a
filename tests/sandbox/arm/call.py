"""One request as a handler sees it, and what a handler gives back."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import quote

from tests.sandbox.answers import Answer, skip_token, skipped
from tests.sandbox.arm.azure import Azure
from tests.sandbox.arm.caller import Caller
from tests.sandbox.arm.errors import bad_request, forbidden
from tests.sandbox.arm.filters import Filter
from tests.sandbox.arm.models.scope import Scope
from tests.sandbox.arm.models.subscription import Subscription
from tests.sandbox.graph.models.ground import Ground
from tests.sandbox.graph.wire import Body, Wire


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """A request that passed routing, authentication, throttling, authorization, query and body checks."""

    azure: Azure
    caller: Caller
    ids: Mapping[str, str]
    filter: Filter | None
    query: Mapping[str, str]
    body: Body
    url: str
    violate: Callable[[str], None]
    at: tuple[Subscription, Scope] | None = None

    @property
    def ground(self) -> Ground:
        """Time, open questions, replication."""
        return self.azure.ground

    @property
    def subscription(self) -> Subscription:
        """The one whose scope the path names."""
        if self.at is None:
            raise LookupError(self.url)
        return self.at[0]

    @property
    def scope(self) -> Scope:
        """The scope that the path names."""
        if self.at is None:
            raise LookupError(self.url)
        return self.at[1]

    def require(self, action: str, *, granted: bool = True) -> None:
        """An action that follows from the body; `granted` False refuses whoever holds it."""
        if not granted or not self.subscription.access.may(self.caller.object_id, action, self.scope):
            raise forbidden(self.caller.app_id, self.caller.object_id, action, self.scope.path)


def page(call: Call, items: Sequence[Wire]) -> Answer:
    """A page of a list; the link to the next one keeps the other options."""
    offset, size = _offset(call.query.get("$skiptoken")), call.azure.page
    answer: Wire = {"value": list(items[offset : offset + size])}
    if offset + size < len(items):
        token = skip_token(offset + size)
        kept = {name: value for name, value in call.query.items() if name != "$skiptoken"}
        pairs = [f"{name}={quote(value)}" for name, value in {**kept, "$skiptoken": token}.items()]
        answer["nextLink"] = f"{call.url}?{'&'.join(pairs)}"
    return Answer(body=answer)


def _offset(token: str | None) -> int:
    offset = 0 if token is None else skipped(token)
    if offset is None:
        raise bad_request("InvalidSkipToken", "The skip token is not valid.")
    return offset
