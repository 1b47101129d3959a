"""What all Resource Manager calls share: token, route, version, rights, buckets, faults, headers and the recording."""

import asyncio
import time
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from aiohttp import web

from tests.sandbox.arm.azure import Azure
from tests.sandbox.arm.call import Answer, Call
from tests.sandbox.arm.caller import Caller, authenticated
from tests.sandbox.arm.errors import (
    ArmError,
    forbidden,
    not_found,
    throttled,
    unauthenticated,
    unknown_route,
)
from tests.sandbox.arm.filters import OWN, Filter, parse_filter
from tests.sandbox.arm.intake import as_arm, checked_body, ids, json_or_text, query, refused_list
from tests.sandbox.arm.models.scope import Scope
from tests.sandbox.arm.models.subscription import Subscription
from tests.sandbox.arm.router import Found, Route, Router
from tests.sandbox.arm.routes import (
    activation_requests,
    approvals,
    assignments,
    eligibilities,
    eligibility_requests,
    policies,
    role_definitions,
    subscriptions,
)
from tests.sandbox.faults import Fault, Faults
from tests.sandbox.graph.models.tenant import Tenant
from tests.sandbox.graph.wire import Body
from tests.sandbox.points import Cut, Points
from tests.sandbox.recorder import Recorded, Recorder
from tests.sandbox.switches import Switches

_AREAS = (
    subscriptions,
    role_definitions,
    policies,
    eligibilities,
    eligibility_requests,
    assignments,
    activation_requests,
    approvals,
)


@dataclass(slots=True)
class _Exchange:
    """One request on its way through, and what the recording will say of it."""

    request: web.Request
    raw: bytes
    caller: Caller | None = None
    body: object = None
    headers: dict[str, str] = field(default_factory=dict)


class ArmServer:
    """One handler for every path."""

    def __init__(
        self,
        *,
        azure: Azure,
        tenants: Mapping[str, Tenant],
        points: Points,
        faults: Faults,
        recorder: Recorder,
        violate: Callable[[str], None],
    ) -> None:
        self._azure = azure
        self._tenants = tenants
        self._points = points
        self._faults = faults
        self._recorder = recorder
        self._violate = violate
        self.router = Router(area.ROUTES for area in _AREAS)
        self.url = ""
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
        exchange = _Exchange(request, await request.read())
        exchange.body = json_or_text(exchange.raw)
        lost = False
        try:
            found, caller = self._recognised(exchange)
            answer, lost = await self._answered(exchange, found, caller)
        except ArmError as error:
            answer = self._refusal(exchange, error)
        except Cut:
            self._record(exchange, 0, None)
            raise
        self._record(exchange, answer.status, answer.body)
        if lost:
            raise Cut
        headers = {**ids(request), **exchange.headers, **answer.headers}
        if answer.body is None:
            return web.Response(status=answer.status, headers=headers)
        return web.json_response(answer.body, status=answer.status, headers=headers)

    def _recognised(self, exchange: _Exchange) -> tuple[Found, Caller]:
        """Token, route and version, before anything can go wrong on purpose."""
        request = exchange.request
        exchange.caller = caller = authenticated(request.headers.get("Authorization", ""), self.url, self._tenants)
        found = self.router.find(request.method, request.rel_url.raw_path)
        if found is None:
            raise unknown_route(request.method, request.path)
        version = request.query.get("api-version")
        if version is None:
            text = "The api-version query parameter (?api-version=) is required for all requests."
            raise ArmError(400, "MissingApiVersionParameter", text, violation=True)
        if version not in found.route.versions:
            text = f"No registered resource provider found for API version '{version}' and {found.label}."
            raise ArmError(400, "NoRegisteredProviderFound", text, violation=True)
        return found, caller

    async def _answered(self, exchange: _Exchange, found: Found, caller: Caller) -> tuple[Answer, bool]:
        """The answer, and whether it is to be lost. Between the two points nothing waits: the state is consistent."""
        writes, label = found.route.writes, found.label
        await self._points.hit("vendor.before" if writes else "vendor-read.before", label)
        fault = self._faults.next("vendor", label)
        if fault is Fault.THROTTLE:
            raise throttled(3, "write" if writes else "read")
        if fault is Fault.SERVER_ERROR:
            raise ArmError(503, "ServiceUnavailable", "The service is temporarily unavailable.")
        try:
            answer = self._served(exchange, found, caller)
        except ArmError as error:
            answer = self._refusal(exchange, error)
        if writes:
            try:
                await self._points.hit("vendor.after", label)
            except Cut:
                return answer, True
        if fault is Fault.LOST_ANSWER:
            # What was done is not told: every other time by a 504, which looks as if nothing had happened.
            self._losses[label] += 1
            if self._losses[label] % 2 == 0:
                return self._refusal(
                    exchange, ArmError(504, "GatewayTimeout", "The gateway did not answer in time.")
                ), False
            return answer, True
        return answer, False

    def _served(self, exchange: _Exchange, found: Found, caller: Caller) -> Answer:
        request, route = exchange.request, found.route
        at = self._at(found, caller)
        where = at[0].id if at else caller.tenant.id
        exchange.headers.update(self._azure.buckets.take(where, caller.object_id, request.method))
        if where in self._azure.broken:
            raise ArmError(503, "ServerUnavailable", "The service is unavailable now, please retry later.")
        given = query(request, route)
        wanted = parse_filter(given["$filter"], route.filters) if "$filter" in given else None
        if at is not None:
            _authorize(route, at, caller, wanted, self._azure.ground.switches)
            at[0].require(at[1], writes=route.writes)
        call = Call(
            azure=self._azure,
            caller=caller,
            ids=found.ids,
            filter=wanted,
            query=given,
            body=Body(checked_body(request, exchange.raw, exchange.body, route)),
            url=f"{self.url}{request.rel_url.raw_path}",
            violate=self._violate,
            at=at,
        )
        return as_arm(lambda: route.handler(call))

    def _at(self, found: Found, caller: Caller) -> tuple[Subscription, Scope] | None:
        """The subscription that the path names, if the token is of its directory."""
        if found.scope is None:
            return None
        subscription = self._azure.find(found.scope.subscription_id)
        if subscription is None:
            text = f"The subscription '{found.scope.subscription_id}' could not be found."
            raise not_found("SubscriptionNotFound", text)
        if subscription.tenant.id != caller.tenant.id:
            text = f"The access token is from the wrong issuer. It must match the tenant '{subscription.tenant.id}'."
            raise unauthenticated(text, "InvalidAuthenticationTokenTenant")
        return subscription, found.scope

    def _refusal(self, exchange: _Exchange, error: ArmError) -> Answer:
        if error.violation:
            request = exchange.request
            self._violate(f"arm: {request.method} {request.rel_url}: {error.code}: {error.message}")
        return Answer(status=error.status, body=error.wire(), headers=error.headers)

    def _record(self, exchange: _Exchange, status: int, response: object) -> None:
        request, caller = exchange.request, exchange.caller
        self._recorder.add(
            Recorded(
                at=self._azure.ground.now(),
                service="arm",
                tenant_id=caller.tenant.id if caller else None,
                app_id=caller.app_id if caller else None,
                roles=(),
                on_behalf_of=None if caller is None or caller.is_application else caller.object_id,
                method=request.method,
                path=request.path,
                query=dict(request.query),
                request=exchange.body,
                status=status,
                response=response,
            )
        )


def _authorize(
    route: Route, at: tuple[Subscription, Scope], caller: Caller, wanted: Filter | None, switches: Switches
) -> None:
    """Section 11: an action that is missing is a 403; what concerns the caller alone needs none."""
    subscription, scope = at
    if route.action is None or (wanted is not None and wanted.name in OWN):
        return
    if not subscription.access.may(caller.object_id, route.action, scope):
        raise refused_list(caller.object_id, route, switches) or forbidden(
            caller.app_id, caller.object_id, route.action, scope.path
        )
