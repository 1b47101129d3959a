"""Analysts confirm, step by step, that what was set up works for them. By their own token: nobody can do it for them."""

from typing import Annotated

import azure.functions as func
import msgspec

from shared.bodies import decode
from shared.identifiers import ObjectId, TenantId, as_guid
from shared.onboarding import checklist
from shared.onboarding.checklist import Item
from shared.orchestrations import Orchestrations
from shared.problems import answer, problem
from shared.services import Services
from shared.tenants.change import Change
from shared.tenants.record import Tenant
from shared.tenants.states import State


class Confirmation(msgspec.Struct, forbid_unknown_fields=True):
    """A step that the analyst confirms."""

    item: Item
    confirmed: Annotated[bool, msgspec.Meta(description="false takes it back.")] = True


async def confirm_checklist_item(services: Services, _: Orchestrations, request: func.HttpRequest) -> func.HttpResponse:
    """POST /api/tenants/{tenantId}/checklist/{analyst}: the analyst confirms a step, or takes it back. Safe twice.

    200 with the analyst's list; 409 while the tenant is not Ready.
    """
    caller = await services.callers.identify(request.headers)
    analyst = ObjectId(request.route_params.get("analyst", "").lower())
    caller.be(analyst)
    body = decode(request.get_body(), request.headers.get("Content-Type", ""), Confirmation)
    tenant_id = as_guid(request.route_params.get("tenantId", ""))
    tenant = await services.tenants.read(TenantId(tenant_id)) if tenant_id else None
    if tenant is None or analyst not in tenant.staying:
        return _unknown()
    if tenant.record.state is not State.READY:
        return problem(409, "Conflict", f"The tenant is {tenant.record.state}: there is no checklist yet.")
    now = services.clock.now()

    def decide(found: Tenant) -> Change | None:
        row = found.analysts.get(analyst)
        if row is None:
            return None
        changed = checklist.confirm(row, body.item, done=body.confirmed, now=now)
        return None if changed == row else Change(record=found.record, analysts=[changed])

    tenant = await services.tenants.update(tenant.record.tenant_id, decide)
    if analyst not in tenant.staying:
        return _unknown()
    return answer(200, checklist.for_analyst(services.settings.portals, tenant, tenant.staying[analyst]))


def _unknown() -> func.HttpResponse:
    return problem(404, "Not found", "You are no analyst of such a tenant.")
