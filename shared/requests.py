"""What the routes share: who calls, and which tenant the path names."""

import azure.functions as func

from shared.callers import AppRole, Caller
from shared.errors import BadRequest
from shared.identifiers import SubscriptionId, TenantId, as_guid
from shared.problems import problem
from shared.services import Services


async def operator(services: Services, request: func.HttpRequest) -> Caller:
    """Who calls; raises NotAllowed unless they operate tenants."""
    caller = await services.callers.identify(request.headers)
    caller.allow(AppRole.OPERATE)
    return caller


async def reader(services: Services, request: func.HttpRequest) -> Caller:
    """Who calls; raises NotAllowed unless they may read tenants."""
    caller = await services.callers.identify(request.headers)
    caller.allow(AppRole.READ, AppRole.OPERATE)
    return caller


def person_token(request: func.HttpRequest) -> str:
    """The bearer token of a request whose caller was identified by it."""
    header: str = request.headers.get("Authorization", "")
    return header.partition(" ")[2].strip()


def tenant_id_of(request: func.HttpRequest) -> TenantId:
    """The tenant of the path. Raises BadRequest."""
    guid = as_guid(request.route_params.get("tenantId", ""))
    if guid is None:
        raise BadRequest("tenantId", "is not a GUID")
    return TenantId(guid)


def subscription_id_of(request: func.HttpRequest) -> SubscriptionId:
    """The subscription of the path. Raises BadRequest."""
    guid = as_guid(request.route_params.get("subscriptionId", ""))
    if guid is None:
        raise BadRequest("subscriptionId", "is not a GUID")
    return SubscriptionId(guid)


def no_subscription() -> func.HttpResponse:
    """404."""
    return problem(404, "Not found", "No such subscription is looked after here.")


def not_found() -> func.HttpResponse:
    """404."""
    return problem(404, "Not found", "No such tenant is looked after here.")
