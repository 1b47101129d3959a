"""The HTTP side of renewal: run it now, stop it, a day's report, what ends soon."""

import logging
from datetime import date, timedelta

import azure.functions as func

from shared.bodies import date_of, decode
from shared.errors import BadRequest
from shared.identifiers import SubscriptionId, TenantId, as_guid
from shared.orchestrations import Orchestrations
from shared.problems import answer, cursor_of, page_token, problem
from shared.renewal import views
from shared.renewal.answers import EndingPage, RenewalAccepted, RenewalBody
from shared.renewal.messages import KIND, Wish
from shared.renewal.plans import plan
from shared.requests import operator, reader
from shared.run import Run, night_subject
from shared.running import nights
from shared.services import Services
from shared.subscriptions.record import Subscription
from shared.tenants.record import Tenant

_log = logging.getLogger(__name__)

_PAGE = 200
_MOST_DAYS = 366
_USUAL_DAYS = 30
_RETRY_AFTER_SECONDS = "10"


async def post_renewal(
    services: Services, orchestrations: Orchestrations, request: func.HttpRequest
) -> func.HttpResponse:
    """POST /api/renewals: renew now what is due. 202 that points at the day's report; 200 with the plan for `dryRun`; 409
    while another one that was asked for is under way.
    """
    caller = await operator(services, request)
    body = decode(request.get_body(), request.headers.get("Content-Type", ""), RenewalBody)
    tenants = await _tenants(services, body.tenant_ids)
    subscriptions = await _subscriptions(services, body.subscription_ids)
    now = services.clock.now()
    if body.dry_run:
        return answer(200, await plan(services, now, tenants, subscriptions))
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
        Wish(
            date=today,
            tenant_ids=tuple(one.record.tenant_id for one in tenants),
            subscription_ids=tuple(one.record.subscription_id for one in subscriptions),
            asked_by=caller.object_id,
        ),
    )
    location = f"{services.settings.public_url}/api/renewals/{today.isoformat()}"
    headers = {"Location": location, "Retry-After": _RETRY_AFTER_SECONDS}
    if await nights.open_night(services, orchestrations, run) is not None:
        return problem(409, "Conflict", "A renewal that was asked for is under way.", headers={"Location": location})
    return answer(202, RenewalAccepted(date=today, run=run.number, href=location), headers)


async def get_renewal(services: Services, _: Orchestrations, request: func.HttpRequest) -> func.HttpResponse:
    """GET /api/renewals/{date}: what the day's runs came to, one by one; 404 where there was none."""
    await reader(services, request)
    when = date_of("date", request.route_params.get("date", ""))
    runs: list[Run] = [run for one in _subjects(when) if (run := await services.runs.latest(one)) is not None]
    if not runs:
        return problem(404, "Not found", "No renewal ran on that day.")
    return answer(200, views.day(services.settings.public_url, when, runs, await services.renewals.of(when)))


async def cancel_renewal(
    services: Services, orchestrations: Orchestrations, request: func.HttpRequest
) -> func.HttpResponse:
    """POST /api/renewals/{date}/cancel: what runs of that day goes no further. What was written stays, and what is under way
    is read back first. 202 that points at the day's report; 409 where nothing runs. Safe twice.
    """
    caller = await operator(services, request)
    when = date_of("date", request.route_params.get("date", ""))
    asked = [await services.runs.cancel(one, caller.object_id) for one in _subjects(when)]
    runs = [run for run in asked if run is not None]
    location = f"{services.settings.public_url}/api/renewals/{when.isoformat()}"
    if not runs:
        return problem(409, "Conflict", "No renewal of that day is under way.", headers={"Location": location})
    for run in runs:
        _log.info("renewal.cancelled subject=%s on_whose_word=%s", run.subject, caller.object_id)
        await orchestrations.wake(run.orchestration_id)
    accepted = RenewalAccepted(date=when, run=runs[0].number, href=location)
    return answer(202, accepted, {"Location": location, "Retry-After": _RETRY_AFTER_SECONDS})


async def get_eligibilities(services: Services, _: Orchestrations, request: func.HttpRequest) -> func.HttpResponse:
    """GET /api/eligibilities?endingWithinDays=&cursor=: of all tenants and subscriptions, by end."""
    await reader(services, request)
    first = services.clock.now()
    before = first + timedelta(days=_days(request) + 1)
    found, following = await services.ends.list(first, before, size=_PAGE, token=page_token(request))
    shown = tuple(views.ending(services.settings.public_url, one) for one in found)
    return answer(200, EndingPage(value=shown, cursor=cursor_of(following)))


async def _tenants(services: Services, tenant_ids: list[str] | None) -> list[Tenant]:
    """The tenants of a body. Raises BadRequest that names the field."""
    found: dict[TenantId, Tenant] = {}
    for at, text in enumerate(tenant_ids or ()):
        tenant = await services.tenants.read(TenantId(_guid(f"tenantIds[{at}]", text)))
        if tenant is None:
            raise BadRequest(f"tenantIds[{at}]", "is no tenant that is looked after here")
        found[tenant.record.tenant_id] = tenant
    return list(found.values())


async def _subscriptions(services: Services, subscription_ids: list[str] | None) -> list[Subscription]:
    """As above, the subscriptions."""
    found: dict[SubscriptionId, Subscription] = {}
    for at, text in enumerate(subscription_ids or ()):
        field = f"subscriptionIds[{at}]"
        subscription = await services.subscriptions.read(SubscriptionId(_guid(field, text)))
        if subscription is None:
            raise BadRequest(field, "is no subscription that is looked after here")
        found[subscription.record.subscription_id] = subscription
    return list(found.values())


def _guid(field: str, text: str) -> str:
    guid = as_guid(text)
    if guid is None:
        raise BadRequest(field, "is not a GUID")
    return guid


def _subjects(day: date) -> list[str]:
    """A day's night, and what was asked for on it."""
    return [night_subject(KIND, one) for one in (day.isoformat(), _by_hand(day))]


def _by_hand(day: date) -> str:
    """What tells a day's runs that were asked for from its night: they must not keep it from coming."""
    return f"by-hand-{day.isoformat()}"


def _days(request: func.HttpRequest) -> int:
    text = request.params.get("endingWithinDays", str(_USUAL_DAYS))
    if not text.isascii() or not text.isdigit() or not 1 <= int(text[:9]) <= _MOST_DAYS or len(text) > 9:
        raise BadRequest("endingWithinDays", f"is no whole number from 1 to {_MOST_DAYS}")
    return int(text)
