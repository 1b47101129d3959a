"""One Graph request as a handler sees it, and what a handler gives back."""

from collections.abc import Mapping
from dataclasses import dataclass

from tests.sandbox.answers import Answer
from tests.sandbox.graph.errors import forbidden
from tests.sandbox.graph.models.ground import Ground
from tests.sandbox.graph.models.provisioning import Provisioning
from tests.sandbox.graph.models.tenant import Tenant
from tests.sandbox.graph.query import Query
from tests.sandbox.graph.quota import Quotas
from tests.sandbox.graph.wire import Body, Wire


@dataclass(frozen=True, slots=True, kw_only=True)
class Estate:
    """All that handlers may touch: every tenant, and the services that work across tenants."""

    ground: Ground
    tenants: Mapping[str, Tenant]
    provisioning: Provisioning
    quotas: Quotas


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """A request that passed routing, authentication, permission, query and body checks."""

    estate: Estate
    tenant: Tenant
    app_id: str
    roles: frozenset[str]
    ids: Mapping[str, str]
    query: Query
    body: Body
    base: str
    path: str

    def id(self, name: str = "id") -> str:
        """A path parameter; object ids are kept in lower case."""
        return self.ids[name].lower()

    def context(self, fragment: str) -> str:
        """The value of @odata.context."""
        return f"{self.base}/$metadata#{fragment}"

    def holds_any(self, *names: str) -> bool:
        """Property rules on top of the permission of the call."""
        return not self.roles.isdisjoint(names)

    def require_any(self, *names: str) -> None:
        """403 unless the token has one of them."""
        if not self.holds_any(*names):
            raise forbidden()


NO_CONTENT = Answer(status=204)


def entity(
    call: Call, fragment: str, wire: Wire, *, status: int = 200, default: frozenset[str] | None = None
) -> Answer:
    """One entity, reduced to $select."""
    return Answer(status=status, body={"@odata.context": call.context(fragment), **call.query.pick(wire, default)})


def collection(call: Call, fragment: str, items: list[Wire], *, default: frozenset[str] | None = None) -> Answer:
    """A page of those that match $filter, each reduced to $select."""
    matching = [call.query.pick(item, default) for item in items if call.query.matches(item)]
    page = call.query.pages(matching, f"{call.base}{call.path}")
    return Answer(body={"@odata.context": call.context(fragment), **page})
