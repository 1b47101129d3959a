"""The HTTP side of offboarding: who may, what they ask, the run row, the answer."""

import azure.functions as func

from shared.errors import BadRequest
from shared.offboarding import plans
from shared.onboarding import views
from shared.onboarding.answering import conflict, opened
from shared.orchestrations import Orchestrations
from shared.problems import answer
from shared.requests import not_found, operator, tenant_id_of
from shared.running.starting import Offboarding, Verdict, on_delete
from shared.services import Services

_KIT = "kit"


async def delete_tenant(
    services: Services, orchestrations: Orchestrations, request: func.HttpRequest
) -> func.HttpResponse:
    """DELETE /api/tenants/{tenantId}?dryRun=&target=: let a tenant go, or go on with that. 202; 200 with the plan, or when
    it was let go already; 409 while a run is open. `target=kit`: what lacks a consent is left to the kit.
    """
    caller = await operator(services, request)
    tenant_id = tenant_id_of(request)
    dry_run, by_kit = _is_dry_run(request), _is_by_kit(request)
    tenant = await services.tenants.read(tenant_id)
    if tenant is None:
        run = await services.runs.open_run(tenant_id)
        return (
            not_found()
            if run is None
            else conflict(services, tenant_id, f"Run {run.number} of the tenant is under way.")
        )
    if dry_run:
        return answer(200, plans.plan(tenant, services.settings.source_tenant_id))
    verdict = on_delete(tenant)
    match verdict.verdict:
        case Verdict.UNCHANGED:
            return answer(200, views.record(services.settings, tenant))
        case Verdict.START:
            return await opened(services, orchestrations, caller, tenant_id, tenant, Offboarding(by_kit=by_kit))
        case _:
            return conflict(services, tenant_id, verdict.reason)


def _is_dry_run(request: func.HttpRequest) -> bool:
    given: str = request.params.get("dryRun", "false")
    if given not in ("true", "false"):
        raise BadRequest("dryRun", "is neither true nor false")
    return given == "true"


def _is_by_kit(request: func.HttpRequest) -> bool:
    given: str | None = request.params.get("target")
    if given not in (None, _KIT):
        raise BadRequest("target", f"is not {_KIT}")
    return given == _KIT
