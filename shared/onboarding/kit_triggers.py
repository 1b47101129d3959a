"""The kit of a tenant, for an operator to send on."""

import azure.functions as func

from shared.callers import AppRole
from shared.errors import BadRequest
from shared.identifiers import TenantId, as_guid
from shared.onboarding.kit_making import kit_text
from shared.orchestrations import Orchestrations
from shared.problems import problem
from shared.services import Services

_HEADERS = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}


async def get_kit(services: Services, _: Orchestrations, request: func.HttpRequest) -> func.HttpResponse:
    """GET /api/tenants/{tenantId}/kit: Markdown for the target's administrator. App role Tenants.Read."""
    caller = await services.callers.identify(request.headers)
    caller.allow(AppRole.READ, AppRole.OPERATE)
    guid = as_guid(request.route_params.get("tenantId", ""))
    if guid is None:
        raise BadRequest("tenantId", "is not a GUID")
    tenant = await services.tenants.read(TenantId(guid))
    if tenant is None:
        return problem(404, "Not found", "No such tenant is looked after here.")
    return func.HttpResponse(
        body=await kit_text(services, tenant), status_code=200, headers=_HEADERS, mimetype="text/markdown"
    )
