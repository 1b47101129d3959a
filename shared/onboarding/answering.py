"""What the routes of tenants share: who may, which tenant, and the answers to what starts or stops a run."""

import azure.functions as func

from shared.callers import AppRole, Caller
from shared.durable import Orchestrations
from shared.errors import BadRequest
from shared.identifiers import TenantId, as_guid
from shared.onboarding import views
from shared.problems import answer, problem
from shared.running.lifecycle import open_run
from shared.running.starting import Payload
from shared.services import Services
from shared.tenants.record import Tenant

_RETRY_AFTER_SECONDS = "5"


async def opened(
    services: Services,
    orchestrations: Orchestrations,
    caller: Caller,
    tenant_id: TenantId,
    tenant: Tenant | None,
    payload: Payload,
) -> func.HttpResponse:
    """Open a run with this payload: 202, or 409 where another run holds the tenant."""
    number = tenant.record.run + 1 if tenant else 1
    holder = await open_run(services, orchestrations.start, tenant_id, number, caller.object_id, payload)
    if holder is not None:
        return conflict(services, tenant_id, f"Run {holder.number} of the tenant is under way.")
    begun = await services.tenants.read(tenant_id)
    if begun is None:
        raise LookupError("a run that was opened shows on the record")
    return accepted(services, begun)


def accepted(services: Services, tenant: Tenant) -> func.HttpResponse:
    """202 that points at the record."""
    headers = {"Location": _location(services, tenant.record.tenant_id), "Retry-After": _RETRY_AFTER_SECONDS}
    return answer(202, views.accepted(services.settings, tenant), headers)


def conflict(services: Services, tenant_id: TenantId, reason: str) -> func.HttpResponse:
    """409 that says why and points at the record."""
    location = _location(services, tenant_id)
    return problem(409, "Conflict", reason, headers={"Location": location}, tenant=location)


def _location(services: Services, tenant_id: TenantId) -> str:
    return f"{services.settings.public_url}/api/tenants/{tenant_id}"


def not_found() -> func.HttpResponse:
    """404."""
    return problem(404, "Not found", "No such tenant is looked after here.")


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


def tenant_id_of(request: func.HttpRequest) -> TenantId:
    """The tenant of the path. Raises BadRequest."""
    guid = as_guid(request.route_params.get("tenantId", ""))
    if guid is None:
        raise BadRequest("tenantId", "is not a GUID")
    return TenantId(guid)
