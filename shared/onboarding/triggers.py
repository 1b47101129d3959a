"""The HTTP side of onboarding: who may, what they ask, the run row, the answer. Order: 401, 403, 400, then the work."""

import azure.functions as func
import msgspec

from shared.callers import AppRole, Caller
from shared.durable import Orchestrations
from shared.errors import BadRequest
from shared.identifiers import TenantId, as_guid
from shared.onboarding import views
from shared.onboarding.answers import TenantPage
from shared.onboarding.intake import look_up
from shared.onboarding.request import Intake, parse
from shared.problems import answer, cursor_of, page_token, problem
from shared.running import starting
from shared.running.lifecycle import begin, continued, open_run, stopped_acts
from shared.running.starting import Onboarding, Verdict
from shared.services import Services
from shared.tenants.change import Change
from shared.tenants.record import Tenant
from shared.tenants.states import RESTING, State

_RETRY_AFTER_SECONDS = "5"
_PAGE = 100


async def post_tenant(
    services: Services, orchestrations: Orchestrations, request: func.HttpRequest
) -> func.HttpResponse:
    """POST /api/tenants: onboard a tenant, or go on with one. 202, 200 when nothing is to be done, 409 when it may
    not.
    """
    caller = await _operator(services, request)
    asked = parse(request.get_body(), request.headers.get("Content-Type", ""), services.settings.source_tenant_id)
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
            return _conflict(services, intake.tenant_id, verdict.reason)


async def get_tenants(services: Services, _: Orchestrations, request: func.HttpRequest) -> func.HttpResponse:
    """GET /api/tenants?state=&cursor=: records, by state, paged."""
    await _reader(services, request)
    wanted = request.params.get("state")
    if wanted is not None and wanted not in set(State):
        raise BadRequest("state", f"is none of {', '.join(State)}")
    state = State(wanted) if wanted else None
    records, following = await services.tenants.list_by_state(state, size=_PAGE, token=page_token(request))
    shown = tuple(views.summary(services.settings, record) for record in records)
    return answer(200, TenantPage(value=shown, cursor=cursor_of(following)))


async def get_tenant(services: Services, _: Orchestrations, request: func.HttpRequest) -> func.HttpResponse:
    """GET /api/tenants/{tenantId}: the record, with what a person should do."""
    await _reader(services, request)
    tenant_id = _tenant_id(request)
    tenant = await services.tenants.read(tenant_id)
    if tenant is not None:
        return answer(200, views.record(services.settings, tenant))
    run = await services.runs.open_run(tenant_id)
    if run is not None:
        return answer(200, views.opening(services.settings, run))
    return problem(404, "Not found", "No such tenant is looked after here.")


async def cancel_tenant(
    services: Services, orchestrations: Orchestrations, request: func.HttpRequest
) -> func.HttpResponse:
    """POST /api/tenants/{tenantId}/cancel: stop what runs or waits. What is written stays; offboarding undoes it."""
    caller = await _operator(services, request)
    tenant_id = _tenant_id(request)
    if await services.tenants.read(tenant_id) is None and not await _begun(services, tenant_id):
        return problem(404, "Not found", "No such tenant is looked after here.")
    now = services.clock.now()

    def decide(found: Tenant) -> Change | None:
        record = msgspec.structs.replace(found.record, cancelled_by=caller.object_id)
        if record.state is State.ONBOARDING:
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
        return _conflict(services, tenant_id, f"The tenant is {state}: nothing runs that could be cancelled.")
    if state is State.CANCELLING and (run := await services.runs.open_run(tenant_id)):
        await orchestrations.wake(run.orchestration_id)
    return _accepted(services, tenant)


async def retry_tenant(
    services: Services, orchestrations: Orchestrations, request: func.HttpRequest
) -> func.HttpResponse:
    """POST /api/tenants/{tenantId}/retry: go on from the act that failed, or look again after a person acted."""
    caller = await _operator(services, request)
    tenant = await services.tenants.read(_tenant_id(request))
    if tenant is None:
        return problem(404, "Not found", "No such tenant is looked after here.")
    verdict = starting.on_retry(tenant)
    if verdict.verdict is not Verdict.CONTINUE:
        return _conflict(services, tenant.record.tenant_id, verdict.reason)
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
    return await _open(services, orchestrations, caller, intake.tenant_id, tenant, payload)


async def _continue(
    services: Services, orchestrations: Orchestrations, caller: Caller, tenant: Tenant
) -> func.HttpResponse:
    return await _open(services, orchestrations, caller, tenant.record.tenant_id, tenant, continued(tenant.record))


async def _open(
    services: Services,
    orchestrations: Orchestrations,
    caller: Caller,
    tenant_id: TenantId,
    tenant: Tenant | None,
    payload: Onboarding,
) -> func.HttpResponse:
    number = tenant.record.run + 1 if tenant else 1
    holder = await open_run(services, orchestrations.start, tenant_id, number, caller.object_id, payload)
    if holder is not None:
        return _conflict(services, tenant_id, f"Run {holder.number} of the tenant is under way.")
    begun = await services.tenants.read(tenant_id)
    if begun is None:
        raise LookupError("a run that was opened shows on the record")
    return _accepted(services, begun)


async def _begun(services: Services, tenant_id: TenantId) -> bool:
    """Whether there is a run that the record does not show yet; now it does."""
    run = await services.runs.open_run(tenant_id)
    return run is not None and await begin(services, run)


def _accepted(services: Services, tenant: Tenant) -> func.HttpResponse:
    headers = {"Location": _location(services, tenant.record.tenant_id), "Retry-After": _RETRY_AFTER_SECONDS}
    return answer(202, views.accepted(services.settings, tenant), headers)


def _conflict(services: Services, tenant_id: TenantId, reason: str) -> func.HttpResponse:
    location = _location(services, tenant_id)
    return problem(409, "Conflict", reason, headers={"Location": location}, tenant=location)


def _location(services: Services, tenant_id: TenantId) -> str:
    return f"{services.settings.public_url}/api/tenants/{tenant_id}"


async def _operator(services: Services, request: func.HttpRequest) -> Caller:
    caller = await services.callers.identify(request.headers)
    caller.allow(AppRole.OPERATE)
    return caller


async def _reader(services: Services, request: func.HttpRequest) -> Caller:
    caller = await services.callers.identify(request.headers)
    caller.allow(AppRole.READ, AppRole.OPERATE)
    return caller


def _tenant_id(request: func.HttpRequest) -> TenantId:
    guid = as_guid(request.route_params.get("tenantId", ""))
    if guid is None:
        raise BadRequest("tenantId", "is not a GUID")
    return TenantId(guid)
