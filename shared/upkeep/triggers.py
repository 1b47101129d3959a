"""The HTTP side of upkeep: other analysts, other wishes. Who may, what they ask, the run row, the answer."""

import azure.functions as func
from msgspec.structs import replace

from shared.callers import Caller
from shared.onboarding import views
from shared.onboarding.answering import conflict, opened
from shared.onboarding.intake import look_up_analysts
from shared.orchestrations import Orchestrations
from shared.problems import answer
from shared.requests import not_found, operator, tenant_id_of
from shared.running.starting import Onboarding
from shared.services import Services
from shared.tenants.record import Analyst, Tenant, Wanted
from shared.upkeep import wishes
from shared.upkeep.comparing import confirmed

_CONFIRMED = "the confirmed leavers of the nightly comparison"


async def put_analysts(
    services: Services, orchestrations: Orchestrations, request: func.HttpRequest
) -> func.HttpResponse:
    """PUT /api/tenants/{tenantId}/analysts: these are the analysts from now on. Joiners go through acts 7 to 9, leavers
    lose eligibility and assignment. 202; 200 when they are the analysts already; 409 when it may not be now.
    """
    caller = await operator(services, request)
    tenant_id = tenant_id_of(request)
    asked = wishes.parse_analysts(request.get_body(), request.headers.get("Content-Type", ""))
    tenant = await services.tenants.read(tenant_id)
    if tenant is None:
        return not_found()
    analysts = await look_up_analysts(services, "", asked.group_id, asked.user_ids)
    wanted = replace(tenant.record.wanted, group_id=asked.group_id, user_ids=asked.user_ids)
    return await _change(services, orchestrations, caller, tenant, wanted, analysts, dry_run=asked.dry_run)


async def patch_tenant(
    services: Services, orchestrations: Orchestrations, request: func.HttpRequest
) -> func.HttpResponse:
    """PATCH /api/tenants/{tenantId}: other duration, trust or name. 202, with Setup's consent link where trust changes;
    200 when all is wanted so already; 409 when it may not be now.
    """
    caller = await operator(services, request)
    tenant_id = tenant_id_of(request)
    wish = wishes.parse_wish(request.get_body(), request.headers.get("Content-Type", ""))
    tenant = await services.tenants.read(tenant_id)
    if tenant is None:
        return not_found()
    wanted = wishes.wished(tenant.record.wanted, wish)
    analysts = tuple(tenant.staying.values())
    return await _change(services, orchestrations, caller, tenant, wanted, analysts, dry_run=wish.dry_run)


async def confirm_leavers(
    services: Services, orchestrations: Orchestrations, request: func.HttpRequest
) -> func.HttpResponse:
    """POST /api/tenants/{tenantId}/analysts/confirm: let those go whom the nightly comparison asked about. 202, or 409
    when it did not ask.
    """
    caller = await operator(services, request)
    tenant = await services.tenants.read(tenant_id_of(request))
    if tenant is None:
        return not_found()
    if not tenant.record.leavers_asked or (reason := wishes.refusal(tenant.record)):
        detail = reason if tenant.record.leavers_asked else "Nobody's leave waits for a confirmation."
        return conflict(services, tenant.record.tenant_id, detail)
    payload = _payload(tenant, tenant.record.wanted, confirmed(tenant), _CONFIRMED)
    return await opened(services, orchestrations, caller, tenant.record.tenant_id, tenant, payload)


async def _change(
    services: Services,
    orchestrations: Orchestrations,
    caller: Caller,
    tenant: Tenant,
    wanted: Wanted,
    analysts: tuple[Analyst, ...],
    *,
    dry_run: bool,
) -> func.HttpResponse:
    if dry_run:
        return answer(200, wishes.plan(tenant, wanted, analysts))
    if reason := wishes.refusal(tenant.record):
        return conflict(services, tenant.record.tenant_id, reason)
    same = {one.object_id for one in analysts} == set(tenant.staying)
    if same and wanted == tenant.record.wanted:
        return answer(200, views.record(services.settings, tenant))
    payload = _payload(tenant, wanted, analysts, "")
    return await opened(services, orchestrations, caller, tenant.record.tenant_id, tenant, payload)


def _payload(tenant: Tenant, wanted: Wanted, analysts: tuple[Analyst, ...], reason: str) -> Onboarding:
    return Onboarding(
        domain=tenant.record.domain, wanted=wanted, analysts=analysts, replace=False, change=True, reason=reason
    )
