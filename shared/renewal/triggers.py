"""The HTTP side of renewal: run it now, a day's report, what ends soon, and a person's word that it is needed."""

from datetime import UTC, date, datetime, time, timedelta

import azure.functions as func
import msgspec
from msgspec.structs import replace

from shared.bodies import decode
from shared.callers import Caller
from shared.chain import Deed
from shared.durable import Orchestrations
from shared.errors import BadRequest, NotAllowed, StoreConflict
from shared.identifiers import TenantId, as_guid
from shared.permissions import Registration
from shared.problems import answer, cursor_of, page_token, problem
from shared.renewal import views
from shared.renewal.answers import EndingPage, PlannedRenewal, RenewalAccepted, RenewalBody, RenewalPlan, ReviewBody
from shared.renewal.messages import KIND, Wish
from shared.requests import not_found, operator, reader, tenant_id_of
from shared.run import Run, night_subject
from shared.running import nights
from shared.services import Services
from shared.subjects import REVIEW_PERIOD, Review
from shared.tenants.change import Change
from shared.tenants.record import Record, Tenant

REVIEW_ACT = 32

_PAGE = 200
_MOST_PLANNED = 500
_MOST_DAYS = 366
_USUAL_DAYS = 30
_LAPSED_DAYS = 31
_AUDIT_TRIES = 5
_RETRY_AFTER_SECONDS = "10"


async def post_renewal(
    services: Services, orchestrations: Orchestrations, request: func.HttpRequest
) -> func.HttpResponse:
    """POST /api/renewals: renew now what is due. 202 that points at the day's report; 200 with the plan for `dryRun`; 409
    while another one that was asked for is under way.
    """
    caller = await operator(services, request)
    body = decode(request.get_body(), request.headers.get("Content-Type", ""), RenewalBody)
    tenants = await _named(services, body.tenant_ids)
    now = services.clock.now()
    if body.dry_run:
        return answer(200, await _plan(services, now, tenants))
    today = now.date()
    named = _by_hand(today)
    known = await services.runs.latest(night_subject(KIND, named))
    run = nights.night(
        services,
        KIND,
        named,
        known.number + 1 if known else 1,
        caller.object_id,
        now,
        Wish(date=today, tenant_ids=tuple(one.record.tenant_id for one in tenants), asked_by=caller.object_id),
    )
    location = f"{services.settings.public_url}/api/renewals/{today.isoformat()}"
    headers = {"Location": location, "Retry-After": _RETRY_AFTER_SECONDS}
    if await nights.open_night(services, orchestrations, run) is not None:
        return problem(409, "Conflict", "A renewal that was asked for is under way.", headers={"Location": location})
    return answer(202, RenewalAccepted(date=today, run=run.number, href=location), headers)


async def get_renewal(services: Services, _: Orchestrations, request: func.HttpRequest) -> func.HttpResponse:
    """GET /api/renewals/{date}: what the day's runs came to, tenant by tenant; 404 where there was none."""
    await reader(services, request)
    when = _date("date", request.route_params.get("date", ""))
    subjects = [night_subject(KIND, day) for day in (when.isoformat(), _by_hand(when))]
    runs: list[Run] = [run for one in subjects if (run := await services.runs.latest(one)) is not None]
    if not runs:
        return problem(404, "Not found", "No renewal ran on that day.")
    return answer(200, views.day(services.settings.public_url, when, runs, await services.renewals.of(when)))


async def get_eligibilities(services: Services, _: Orchestrations, request: func.HttpRequest) -> func.HttpResponse:
    """GET /api/eligibilities?endingWithinDays=&cursor=: of all tenants, by end."""
    await reader(services, request)
    first = services.clock.now()
    before = first + timedelta(days=_days(request) + 1)
    found, following = await services.tenants.list_by_end(first, before, size=_PAGE, token=page_token(request))
    url = services.settings.public_url
    shown = tuple(views.ending(url, tenant_id, row, row.end) for tenant_id, row in found if row.end is not None)
    return answer(200, EndingPage(value=shown, cursor=cursor_of(following)))


async def review_tenant(services: Services, _: Orchestrations, request: func.HttpRequest) -> func.HttpResponse:
    """POST /api/tenants/{tenantId}/review: a person who is no analyst there says that it is needed."""
    caller = await operator(services, request)
    tenant_id = tenant_id_of(request)
    body = decode(request.get_body(), request.headers.get("Content-Type", ""), ReviewBody)
    now = services.clock.now()
    until = _until(body, now)
    tenant = await services.tenants.read(tenant_id)
    if tenant is None:
        return not_found()
    _check_reviewer(caller, tenant)
    word = Review(by=caller.object_id, at=now, until=until)
    await _audit(services, tenant.record, word)

    def decide(found: Tenant) -> Change:
        _check_reviewer(caller, found)
        return Change(record=replace(found.record, review=word))

    return answer(200, views.review((await services.tenants.update(tenant_id, decide)).record))


def _check_reviewer(caller: Caller, tenant: Tenant) -> None:
    """Raise NotAllowed for who has the benefit of it, and for an application, which reviews nothing."""
    if not caller.person or caller.guest:
        raise NotAllowed("only a member of the source tenant may say so, in person")
    if caller.object_id in tenant.analysts:
        raise NotAllowed("an analyst of the tenant may not say so: it is their own access")


async def _audit(services: Services, record: Record, word: Review) -> None:
    """The audit entry comes before the word counts. A repeat leaves a second one, which says the same."""
    deed = Deed(
        at=word.at,
        registration=Registration.API.value,
        on_whose_word=word.by,
        tenant_id=services.settings.source_tenant_id,
        act=REVIEW_ACT,
        run=record.run,
        what="say that the tenant's eligibilities are still needed",
        why="a review by an operator",
        object_name=f"review of {record.tenant_id}",
        wanted=msgspec.Raw(msgspec.json.encode({"reviewBy": word.until})),
        before=msgspec.Raw(msgspec.json.encode({"reviewBy": record.reviewed.until})),
        outcome="done",
        request_id="",
    )
    for _ in range(_AUDIT_TRIES):
        if await services.audit.append(await services.audit.next_entry(record.tenant_id, deed)):
            return
    raise StoreConflict(f"audit of {record.tenant_id} kept moving")


async def _plan(services: Services, now: datetime, tenants: list[Tenant]) -> RenewalPlan:
    window_days = services.settings.renewal.window_days
    found = [
        line
        for one in tenants
        for row in one.eligibilities.values()
        if (line := views.planned(one, row, now, window_days)) is not None
    ]
    complete = True
    if not tenants:
        found, complete = await _all(services, now)
    found.sort(key=lambda one: (one.end, one.tenant_id, one.principal_id))
    return RenewalPlan(
        dry_run=True, date=now.date(), value=tuple(found[:_MOST_PLANNED]), complete=complete, unknown=views.UNKNOWN
    )


async def _all(services: Services, now: datetime) -> tuple[list[PlannedRenewal], bool]:
    """Of all tenants, what ends soon or has lapsed, by the index of ends; and whether that is all."""
    window_days = services.settings.renewal.window_days
    first, before = now - timedelta(days=_LAPSED_DAYS), now + timedelta(days=window_days + 2)
    known: dict[TenantId, Tenant | None] = {}
    found: list[PlannedRenewal] = []
    token = None
    while len(found) <= _MOST_PLANNED:
        rows, token = await services.tenants.list_by_end(first, before, size=_PAGE, token=token)
        for tenant_id, row in rows:
            if tenant_id not in known:
                known[tenant_id] = await services.tenants.read(tenant_id)
            tenant = known[tenant_id]
            line = None if tenant is None else views.planned(tenant, row, now, window_days)
            found += [] if line is None else [line]
        if token is None:
            return found, len(found) <= _MOST_PLANNED
    return found, False


async def _named(services: Services, tenant_ids: list[str] | None) -> list[Tenant]:
    """The tenants of a body. Raises BadRequest that names the field."""
    found: dict[TenantId, Tenant] = {}
    for at, text in enumerate(tenant_ids or ()):
        guid = as_guid(text)
        if guid is None:
            raise BadRequest(f"tenantIds[{at}]", "is not a GUID")
        tenant = await services.tenants.read(TenantId(guid))
        if tenant is None:
            raise BadRequest(f"tenantIds[{at}]", "is no tenant that is looked after here")
        found[tenant.record.tenant_id] = tenant
    return list(found.values())


def _by_hand(day: date) -> str:
    """What tells a day's runs that were asked for from its night: they must not keep it from coming."""
    return f"by-hand-{day.isoformat()}"


def _days(request: func.HttpRequest) -> int:
    text = request.params.get("endingWithinDays", str(_USUAL_DAYS))
    if not text.isascii() or not text.isdigit() or not 1 <= int(text[:9]) <= _MOST_DAYS or len(text) > 9:
        raise BadRequest("endingWithinDays", f"is no whole number from 1 to {_MOST_DAYS}")
    return int(text)


def _until(body: ReviewBody, now: datetime) -> datetime:
    longest = now + REVIEW_PERIOD
    if body.review_by is None:
        return longest
    until = datetime.combine(_date("reviewBy", body.review_by), time(), tzinfo=UTC)
    if not now < until <= longest:
        raise BadRequest("reviewBy", "is no day within the coming year")
    return until


def _date(field: str, text: str) -> date:
    try:
        found = date.fromisoformat(text)
    except ValueError as error:
        raise BadRequest(field, "is no date such as 2026-03-02") from error
    if found.isoformat() != text:
        raise BadRequest(field, "is no date such as 2026-03-02")
    return found
