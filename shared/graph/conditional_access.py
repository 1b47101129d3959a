"""Conditional access of a target tenant, read as Tenantry Setup. One request a second for a tenant, over all apps."""

import msgspec

from shared.graph.access_shapes import AccessPolicy, NamedLocation
from shared.graph.client import Graph
from shared.identifiers import TenantId
from shared.permissions import LIST_ACCESS_POLICIES, LIST_NAMED_LOCATIONS, Registration


class ConditionalAccess:
    """Policies and named locations of any target tenant."""

    def __init__(self, graph: Graph) -> None:
        self._graph = graph

    async def policies(self, tenant_id: TenantId) -> list[AccessPolicy]:
        """GET /identity/conditionalAccess/policies, all pages (Policy.Read.All)."""
        found = await self._graph.pages(
            LIST_ACCESS_POLICIES,
            Registration.SETUP,
            tenant_id,
            lambda c: c.identity.conditional_access.policies.to_get_request_information(),
        )
        return [msgspec.json.decode(item, type=AccessPolicy) for item in found]

    async def named_locations(self, tenant_id: TenantId) -> list[NamedLocation]:
        """GET /identity/conditionalAccess/namedLocations, all pages (Policy.Read.All)."""
        found = await self._graph.pages(
            LIST_NAMED_LOCATIONS,
            Registration.SETUP,
            tenant_id,
            lambda c: c.identity.conditional_access.named_locations.to_get_request_information(),
        )
        return [msgspec.json.decode(item, type=NamedLocation) for item in found]
