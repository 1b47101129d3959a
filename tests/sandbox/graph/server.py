"""What all Graph calls share: the token, the route, permissions, faults, throttling, headers and the recording."""

import asyncio
import json
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from urllib.parse import parse_qsl
from uuid import uuid4

from aiohttp import web

from tests.sandbox.faults import Fault, Faults
from tests.sandbox.graph.call import Answer, Call, Estate
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
from tests.sandbox.points import Cut, Points
from tests.sandbox.recorder import Recorded, Recorder

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


@dataclass(slots=True)
class Exchange:
    """One request on its way through, and what the recording will say of it."""

    request: web.Request
    raw: bytes
    caller: Caller | None = None
    body: object = None
    request_id: str = field(default_factory=lambda: str(uuid4()))

    def ids(self) -> dict[str, str]:
        """The same pair in the headers and in an error's envelope."""
        given = self.request.headers.get("client-request-id", self.request_id)
        return {"request-id": self.request_id, "client-request-id": given}


class GraphServer:
    """One handler for every path."""

    def __init__(
        self,
        *,
        estate: Estate,
        points: Points,
        faults: Faults,
        recorder: Recorder,
        violate: Callable[[str], None],
    ) -> None:
        self._estate = estate
        self._points = points
        self._faults = faults
        self._recorder = recorder
        self._violate = violate
        self.router = Router(area.ROUTES for area in _AREAS)
        self.url = ""
        self.disregarded: set[tuple[str, str, str]] = set()
        self._losses: Counter[str] = Counter()
        self.latency = 0.0
        """Seconds of machine time that each call takes, as a far service would; for benchmarks."""
        self.busy = 0.0
        """Seconds of machine time that calls have taken so far, this one's own work among them."""

    async def handle(self, request: web.Request) -> web.StreamResponse:
        """Answer, or drop the connection where a fault or a test wants that."""
        began = time.perf_counter()
        try:
            if self.latency:
                await asyncio.sleep(self.latency)
            return await self._handled(request)
        finally:
            self.busy += time.perf_counter() - began

    async def _handled(self, request: web.Request) -> web.StreamResponse:
        exchange = Exchange(request, await request.read())
        lost = False
        try:
            answer = self._checked(exchange)
            if isinstance(answer, tuple):
                answer, lost = await self._answered(exchange, *answer)
        except GraphError as error:
            answer = self._refusal(exchange, error)
        except Cut:
            self._record(exchange, 0, None)
            raise
        self._record(exchange, answer.status, answer.body)
        if lost:
            raise Cut
        headers = {**exchange.ids(), **answer.headers}
        if answer.body is None:
            return web.Response(status=answer.status, headers=headers)
        return web.json_response(answer.body, status=answer.status, headers=headers)

    def _checked(self, exchange: Exchange) -> Answer | tuple[Route, dict[str, str], Caller]:
        """Version, route and token, before anything can go wrong on purpose."""
        path = exchange.request.rel_url.raw_path
        version, _, rest = path.strip("/").partition("/")
        token = exchange.request.headers.get("Authorization", "")
        exchange.caller = caller = authenticated(token, self.url, self._estate.tenants)
        exchange.body = _json_or_text(exchange.raw)
        found = self.router.find(exchange.request.method, rest) if version == VERSION else None
        if found is None:
            raise unknown_route(exchange.request.method, path)
        return *found, caller

    async def _answered(
        self, exchange: Exchange, route: Route, ids: dict[str, str], caller: Caller
    ) -> tuple[Answer, bool]:
        """The answer, and whether it is to be lost. Between the two points nothing waits: the state is consistent."""
        await self._points.hit("vendor.before" if route.writes else "vendor-read.before", route.label)
        fault = self._faults.next("vendor", route.label)
        if fault is Fault.THROTTLE:
            told = None if route.service == "conditionalAccess" else 3
            raise throttled(told, "UnknownError" if route.service == "pim" else "TooManyRequests")
        if fault is Fault.SERVER_ERROR:
            raise GraphError(503, "ServiceUnavailable", "The service is temporarily unavailable.")
        self._estate.quotas.crawl(caller.tenant.id)
        self._estate.provisioning.settle()
        try:
            answer = self._served(exchange, route, ids, caller)
        except GraphError as error:
            answer = self._refusal(exchange, error)
        if route.writes:
            try:
                await self._points.hit("vendor.after", route.label)
            except Cut:
                return answer, True
        if fault is Fault.LOST_ANSWER:
            # What was done is not told: every other time by a 504, which looks as if nothing had happened.
            self._losses[route.label] += 1
            if self._losses[route.label] % 2 == 0:
                return self._refusal(exchange, GraphError(504, "UnknownError", "")), False
            return answer, True
        return answer, False

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

    def _refusal(self, exchange: Exchange, error: GraphError) -> Answer:
        request = exchange.request
        if error.violation:
            self._violate(f"graph: {request.method} {request.rel_url}: {error.code}: {error.message}")
        ids = exchange.ids()
        body = error.wire(ids["request-id"], ids["client-request-id"], moment(self._now()).rstrip("Z"))
        return Answer(status=error.status, body=body, headers=error.headers)

    def _now(self) -> datetime:
        return self._estate.ground.now()

    def _record(self, exchange: Exchange, status: int, response: object) -> None:
        request, caller = exchange.request, exchange.caller
        self._recorder.add(
            Recorded(
                at=self._now(),
                service="graph",
                tenant_id=caller.tenant.id if caller else None,
                app_id=caller.app_id if caller else None,
                roles=tuple(sorted(caller.roles)) if caller else (),
                on_behalf_of=None,
                method=request.method,
                path=request.path,
                query=dict(request.query),
                request=exchange.body,
                status=status,
                response=response,
            )
        )


def _json_or_text(raw: bytes) -> object:
    """A body for the recording; one that is no JSON is refused later, where the route is known."""
    if not raw:
        return None
    try:
        return json.loads(raw)
    except ValueError:
        return raw.decode("utf-8", "replace")


def _checked_body(request: web.Request, exchange: Exchange, route: Route) -> object:
    if route.body is None:
        if exchange.raw:
            raise malformed(f"{route.label} takes no body.")
        return None
    if request.content_type != "application/json":
        raise malformed(f"The content type '{request.content_type}' is not supported.")
    route.body(exchange.body, "")
    return exchange.body
