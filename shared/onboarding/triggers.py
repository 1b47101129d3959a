"""The HTTP side of onboarding: who may, what they ask, the run row, the answer. Order: 401, 403, 400, then the work."""

import azure.functions as func
import msgspec

from shared.callers import Caller
from shared.errors import BadRequest
from shared.identifiers import TenantId
from shared.onboarding import views
from shared.onboarding.answering import accepted, conflict, opened
from shared.onboarding.answers import TenantPage
from shared.onboarding.intake import look_up
from shared.onboarding.request import Intake, parse
from shared.orchestrations import Orchestrations
from shared.problems import answer, cursor_of, page_token
from shared.requests import not_found, operator, reader, tenant_id_of
from shared.running import starting
from shared.running.lifecycle import begin, stopped_acts
from shared.running.starting import Onboarding, Verdict, continued
from shared.services import Services
from shared.tenants.change import Change
from shared.tenants.record import Goal, Tenant
from shared.tenants.states import RESTING, UNDER_WAY, State

_PAGE = 100


async def post_tenant(
    services: Services, orchestrations: Orchestrations, request: func.HttpRequest
) -> func.HttpResponse:
    """POST /api/tenants: onboard a tenant, or go on with one. 202, 200 when nothing is to be done, 409 when it may
    not.
    """
    caller = await operator(services, request)
    settings, content_type = services.settings, request.headers.get("Content-Type", "")
    asked = parse(request.get_body(), content_type, settings.source_tenant_id, settings.source_mode)
    intake = await look_up(services, asked)
    tenant = await services.tenants.read(intake.tenant_id)
    if asked.dry_run:
        return answer(200, views.plan(intake, tenant))
    verdict = starting.on_post(tenant, intake.wanted)
    match verdict.verdict:
        case Verdict.UNCHANGED if tenant is not None:
            return answer(200, views.record(services.settings, tenant))
        case Verdict.START:
            return await _start(services, orchestrations, caller, intake, tenant)
        case Verdict.CONTINUE if tenant is not None:
            return await _continue(services, orchestrations, caller, tenant)
        case _:
            return conflict(services, intake.tenant_id, verdict.reason)


async def get_tenants(services: Services, _: Orchestrations, request: func.HttpRequest) -> func.HttpResponse:
    """GET /api/tenants?state=&cursor=: records, by state, paged."""
    await reader(services, request)
    wanted = request.params.get("state")
    if wanted is not None and wanted not in set(State):
        raise BadRequest("state", f"is none of {', '.join(State)}")
    state = State(wanted) if wanted else None
    records, following = await services.tenants.list_by_state(state, size=_PAGE, token=page_token(request))
    shown = tuple(views.summary(services.settings, record) for record in records)
    return answer(200, TenantPage(value=shown, cursor=cursor_of(following)))


async def get_tenant(services: Services, _: Orchestrations, request: func.HttpRequest) -> func.HttpResponse:
    """GET /api/tenants/{tenantId}: the record, with what a person should do."""
    await reader(services, request)
    tenant_id = tenant_id_of(request)
    tenant = await services.tenants.read(tenant_id)
    if tenant is not None:
        return answer(200, views.record(services.settings, tenant))
    run = await services.runs.open_run(tenant_id)
    if run is not None:
        return answer(200, views.opening(services.settings, run))
    return not_found()


async def cancel_tenant(
    services: Services, orchestrations: Orchestrations, request: func.HttpRequest
) -> func.HttpResponse:
    """POST /api/tenants/{tenantId}/cancel: stop what runs or waits. What is written stays; offboarding undoes it."""
    caller = await operator(services, request)
    tenant_id = tenant_id_of(request)
    if not await _shown(services, tenant_id):
        return not_found()
    now = services.clock.now()

    def decide(found: Tenant) -> Change | None:
        record = msgspec.structs.replace(found.record, cancelled_by=caller.object_id)
        if record.state in UNDER_WAY:
            return Change(record=msgspec.structs.replace(record, state=State.CANCELLING, cancel=True, since=now))
        if record.state in RESTING and record.state is not State.CANCELLED:
            rest = msgspec.structs.replace(
                record, state=State.CANCELLED, since=now, deadline=None, problem=None, what_to_do=()
            )
            return Change(record=rest, acts=stopped_acts(found, State.CANCELLED, now))
        return None

    tenant = await services.tenants.update(tenant_id, decide)
    state = tenant.record.state
    if state not in (State.CANCELLING, State.CANCELLED):
        return conflict(services, tenant_id, f"The tenant is {state}: nothing runs that could be cancelled.")
    if state is State.CANCELLING and (run := await services.runs.open_run(tenant_id)):
        await orchestrations.wake(run.orchestration_id)
    return accepted(services, tenant)


async def retry_tenant(
    services: Services, orchestrations: Orchestrations, request: func.HttpRequest
) -> func.HttpResponse:
    """POST /api/tenants/{tenantId}/retry: go on from the act that failed, or look again after a person acted."""
    caller = await operator(services, request)
    tenant = await services.tenants.read(tenant_id_of(request))
    if tenant is None:
        return not_found()
    verdict = starting.on_retry(tenant)
    if verdict.verdict is not Verdict.CONTINUE:
        return conflict(services, tenant.record.tenant_id, verdict.reason)
    return await _continue(services, orchestrations, caller, tenant)


async def get_health(services: Services, _: Orchestrations, __: func.HttpRequest) -> func.HttpResponse:
    """GET /api/health: 204 when the store and the managed identity answer. Says nothing else to nobody."""
    await services.health.get("health", "health")
    await services.credentials.check_identity()
    return func.HttpResponse(status_code=204, headers={"Cache-Control": "no-store"})


async def _start(
    services: Services, orchestrations: Orchestrations, caller: Caller, intake: Intake, tenant: Tenant | None
) -> func.HttpResponse:
    payload = Onboarding(domain=intake.domain, wanted=intake.wanted, analysts=intake.analysts, replace=True)
    return await opened(services, orchestrations, caller, intake.tenant_id, tenant, payload)


async def _continue(
    services: Services, orchestrations: Orchestrations, caller: Caller, tenant: Tenant
) -> func.HttpResponse:
    return await opened(services, orchestrations, caller, tenant.record.tenant_id, tenant, continued(tenant.record))


async def _shown(services: Services, tenant_id: TenantId) -> bool:
    """Whether there is a record, once it shows the run that is open.

    A run whose process died before its record showed it begins later all the same: a cancel has to reach it.
    """
    run = await services.runs.open_run(tenant_id)
    tenant = await services.tenants.read(tenant_id)
    if run is None or run.kind not in Goal or (tenant is not None and tenant.record.run_nonce == run.nonce):
        return tenant is not None
    return await begin(services, run) or tenant is not None
