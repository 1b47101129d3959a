"""What is Resource Manager's own in serving a call: token, route, version, rights, buckets and the shape of errors."""

from collections.abc import Callable, Mapping
from typing import override

from aiohttp import web

from tests.sandbox.answers import Answer, VendorError
from tests.sandbox.arm.azure import Azure
from tests.sandbox.arm.call import Call
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
from tests.sandbox.arm.intake import as_arm, checked_body, ids, query, refused_list
from tests.sandbox.arm.models.scope import Scope
from tests.sandbox.arm.models.subscription import Subscription
from tests.sandbox.arm.router import Found, Route, Router
from tests.sandbox.arm.routes import (
    activation_requests,
    approvals,
    assignments,
    budgets,
    eligibilities,
    eligibility_requests,
    policies,
    role_definitions,
    subscriptions,
)
from tests.sandbox.faults import Faults
from tests.sandbox.graph.models.tenant import Tenant
from tests.sandbox.graph.wire import Body
from tests.sandbox.points import Points
from tests.sandbox.recorder import Recorder
from tests.sandbox.serving import Accepted, Exchange, VendorServer, Who, json_or_text
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
    budgets,
)


class ArmServer(VendorServer):
    """Resource Manager."""

    service = "arm"
    gateway_timeout = ArmError(504, "GatewayTimeout", "The gateway did not answer in time.")

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
        super().__init__(now=azure.ground.now, points=points, faults=faults, recorder=recorder, violate=violate)
        self._azure = azure
        self._tenants = tenants
        self.router = Router(area.ROUTES for area in _AREAS)

    @override
    def _ids(self, request: web.Request) -> dict[str, str]:
        return ids(request)

    @override
    def _envelope(self, exchange: Exchange, error: VendorError) -> dict[str, object]:
        return {"error": {"code": error.code, "message": error.message}}

    @override
    def _accepted(self, exchange: Exchange) -> Accepted:
        request = exchange.request
        exchange.body = json_or_text(exchange.raw)
        caller = authenticated(request.headers.get("Authorization", ""), self.url, self._tenants)
        on_behalf_of = None if caller.is_application else caller.object_id
        exchange.who = Who(tenant_id=caller.tenant.id, app_id=caller.app_id, on_behalf_of=on_behalf_of)
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
        writes = found.route.writes
        return Accepted(
            label=found.label,
            writes=writes,
            throttling=lambda: throttled(3, "write" if writes else "read"),
            serve=lambda: self._served(exchange, found, caller),
        )

    def _served(self, exchange: Exchange, found: Found, caller: Caller) -> Answer:
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
