"""What the routes of tenants share: the answers to what starts or stops a run."""

import azure.functions as func

from shared.callers import Caller
from shared.identifiers import TenantId
from shared.onboarding import views
from shared.orchestrations import Orchestrations
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
