"""What is Graph's own in serving a call: the token, the route, permissions, throttling and the shape of errors."""

from collections.abc import Callable, Sequence
from typing import override
from urllib.parse import parse_qsl
from uuid import uuid4

from aiohttp import web

from tests.sandbox.answers import Answer, VendorError
from tests.sandbox.faults import Faults
from tests.sandbox.graph.call import Call, Estate
from tests.sandbox.graph.caller import Caller, authenticated
from tests.sandbox.graph.errors import (
    GraphError,
    forbidden,
    malformed,
    synchronization_forbidden,
    throttled,
    unknown_route,
)
from tests.sandbox.graph.permissions import allowed
from tests.sandbox.graph.query import parse_query
from tests.sandbox.graph.router import Route, Router
from tests.sandbox.graph.routes import (
    administration,
    applications,
    cross_tenant,
    eligibilities,
    eligibility_requests,
    organization,
    policies,
    provisioning_log,
    role_policies,
    security,
    synchronization,
    users,
)
from tests.sandbox.graph.wire import Body, moment
from tests.sandbox.points import Points
from tests.sandbox.recorder import Recorder
from tests.sandbox.serving import Accepted, Exchange, VendorServer, Who, json_or_text

VERSION = "v1.0"
_AREAS = (
    administration,
    organization,
    users,
    policies,
    cross_tenant,
    applications,
    synchronization,
    provisioning_log,
    role_policies,
    eligibilities,
    eligibility_requests,
    security,
)


class GraphServer(VendorServer):
    """Microsoft Graph."""

    service = "graph"
    gateway_timeout = GraphError(504, "UnknownError", "")

    def __init__(
        self,
        *,
        estate: Estate,
        points: Points,
        faults: Faults,
        recorder: Recorder,
        violate: Callable[[str], None],
    ) -> None:
        super().__init__(now=estate.ground.now, points=points, faults=faults, recorder=recorder, violate=violate)
        self._estate = estate
        self.router = Router(area.ROUTES for area in _AREAS)
        self.disregarded: set[tuple[str, str, str]] = set()

    @override
    def _ids(self, request: web.Request) -> dict[str, str]:
        request_id = str(uuid4())
        return {
            "request-id": request_id,
            "client-request-id": request.headers.get("client-request-id", request_id),
        }

    @override
    def _envelope(self, exchange: Exchange, error: VendorError) -> dict[str, object]:
        """Section 0.1: the same pair of ids as in the headers."""
        inner = {"date": moment(self._now()).rstrip("Z"), **exchange.headers}
        told: dict[str, object] = {"code": error.code, "message": error.message, "innerError": inner}
        if error.details:
            told["details"] = list(error.details)
        return {"error": told}

    @override
    def _accepted(self, exchange: Exchange) -> Accepted:
        path = exchange.request.rel_url.raw_path
        version, _, rest = path.strip("/").partition("/")
        token = exchange.request.headers.get("Authorization", "")
        caller = authenticated(token, self.url, self._estate.tenants)
        exchange.who = Who(
            tenant_id=caller.tenant.id,
            app_id=caller.app_id,
            roles=tuple(sorted(caller.roles)),
            on_behalf_of=caller.person_id,
        )
        exchange.body = json_or_text(exchange.raw)
        found = self.router.find(exchange.request.method, rest) if version == VERSION else None
        if found is None:
            raise unknown_route(exchange.request.method, path)
        route, ids = found
        return Accepted(
            label=route.label,
            writes=route.writes,
            throttling=lambda: _throttling(route),
            admit=lambda: self._admit(caller),
            serve=lambda: self._served(exchange, route, ids, caller),
        )

    def _admit(self, caller: Caller) -> None:
        self._estate.quotas.crawl(caller.tenant.id)
        self._estate.provisioning.settle()

    def _served(self, exchange: Exchange, route: Route, ids: dict[str, str], caller: Caller) -> Answer:
        roles = self._honoured(caller)
        if not allowed(route.permission_key, roles, self._estate.ground.switches):
            raise synchronization_forbidden() if route.service == "synchronization" else forbidden()
        request = exchange.request
        eventual = request.headers.get("ConsistencyLevel", "").lower() == "eventual"
        given: Sequence[tuple[str, str]] = parse_qsl(request.rel_url.raw_query_string, keep_blank_values=True)
        query = parse_query(given, route.options, eventual=eventual)
        call = Call(
            estate=self._estate,
            tenant=caller.tenant,
            app_id=caller.app_id,
            roles=roles,
            ids=ids,
            query=query,
            body=Body(_checked_body(request, exchange, route)),
            base=f"{self.url}/{VERSION}",
            path=request.rel_url.raw_path.removeprefix(f"/{VERSION}"),
        )
        return route.handler(call)

    def _honoured(self, caller: Caller) -> frozenset[str]:
        """What the token says, without what a proof of need has taken out of force."""
        there = (caller.app_id, caller.tenant.id)
        return frozenset(role for role in caller.roles if (*there, role) not in self.disregarded)


def _throttling(route: Route) -> GraphError:
    told = None if route.service == "conditionalAccess" else 3
    return throttled(told, "UnknownError" if route.service == "pim" else "TooManyRequests")


def _checked_body(request: web.Request, exchange: Exchange, route: Route) -> object:
    if route.body is None:
        if exchange.raw:
            raise malformed(f"{route.label} takes no body.")
        return None
    if request.content_type != "application/json":
        raise malformed(f"The content type '{request.content_type}' is not supported.")
    route.body(exchange.body, "")
    return exchange.body
