"""Advanced hunting in a target tenant, as Tenantry Hunt. A read by POST: it needs no intent and changes nothing.

A tenant's hunting has quotas (calls, and CPU in windows of 15 minutes); a 429 says which was spent.
"""

import msgspec

from shared.graph.body import Body
from shared.graph.client import Graph
from shared.identifiers import TenantId
from shared.permissions import RUN_HUNTING_QUERY, Registration
from shared.saved_queries import MOST_ROWS, SavedQuery
from shared.tenants.findings import Cell

LONGEST_SECONDS = 190.0
"""A query may take three minutes (graph, security-api-overview)."""


class _Results(msgspec.Struct, frozen=True):
    results: list[dict[str, msgspec.Raw]] | None = None


class Hunting:
    """Saved queries in any target tenant."""

    def __init__(self, graph: Graph) -> None:
        self._graph = graph

    async def run(self, tenant_id: TenantId, query: SavedQuery) -> tuple[tuple[Cell, ...], ...]:
        """The first rows of a query, in the order of its columns; a column that is not there is None.

        POST /security/microsoft.graph.security.runHuntingQuery (ThreatHunting.Read.All). A table that the tenant does not
        have is refused: Rejected.
        """
        answer = await self._graph.send(
            RUN_HUNTING_QUERY,
            Registration.HUNT,
            tenant_id,
            lambda c: c.security.microsoft_graph_security_run_hunting_query.to_post_request_information(
                Body({"query": query.text, "timespan": query.timespan})
            ),
        )
        rows = answer.decode(_Results).results or []
        return tuple(tuple(_cell(row.get(name)) for name in query.columns) for row in rows[:MOST_ROWS])


def _cell(raw: msgspec.Raw | None) -> Cell:
    """Numbers, text, truth values and null as they are; anything else as its JSON text."""
    if raw is None:
        return None
    try:
        cell: Cell = msgspec.json.decode(raw, type=str | int | float | bool | None)
    except msgspec.ValidationError:
        return bytes(raw).decode()
    return cell
