"""The HTTP side of managed subscriptions: what is declared there, and how it stands."""

import azure.functions as func
from msgspec import UNSET, UnsetType
from msgspec.structs import replace

from shared.bodies import decode
from shared.callers import Caller
from shared.errors import Overtaken
from shared.identifiers import SubscriptionId
from shared.lockdown.messages import KIND, LockWish
from shared.lockdown.opening import BY_HAND, begin, open_lock_run
from shared.orchestrations import Orchestrations
from shared.problems import answer, cursor_of, page_token, problem
from shared.requests import no_subscription, operator, reader, subscription_id_of
from shared.services import Services
from shared.subscriptions import views
from shared.subscriptions.answers import SubscriptionPage
from shared.subscriptions.beneficiaries import check_named, check_principals, check_stranger
from shared.subscriptions.declaring import Wish, audited, declare
from shared.subscriptions.lock_request import lock_down_in
from shared.subscriptions.lock_views import needs_run
from shared.subscriptions.lockdown import LockDown
from shared.subscriptions.record import Change, Subscription
from shared.subscriptions.request import SubscriptionRequest, declared_in

_PAGE = 100
_RETRY_AFTER_SECONDS = "5"


async def put_subscription(
    services: Services, orchestrations: Orchestrations, request: func.HttpRequest
) -> func.HttpResponse:
    """PUT /api/subscriptions/{subscriptionId}: which eligibilities renewal looks after there, and which roles need an
    approval. 202 when a run makes it so; 201 when it is new here and needs none; 200 when nothing is left to be done, and
    with the plan for `dryRun`; 409 while a run or a renewal holds the subscription. Only a person declares something new,
    and nobody what they would hold themselves. Safe twice.
    """
    caller = await operator(services, request)
    subscription_id = subscription_id_of(request)
    body = decode(request.get_body(), request.headers.get("Content-Type", ""), SubscriptionRequest)
    wish, runs = await _wished(services, subscription_id, body)
    await _check_caller(services, caller, wish, runs=runs)
    if body.dry_run:
        return answer(200, views.plan(wish.known, wish.declared, wish.lock_down))
    if wish.known is not None and wish.known.record.under_way:
        if not wish.differs:
            return _accepted(services, wish.known)
        return _conflict(services, subscription_id, "A lock-down is under way: wait for its end, or POST .../cancel.")
    if runs:
        return await _locked(services, orchestrations, caller, wish)
    found = wish.known
    if found is None or wish.differs:
        found = await declare(services, caller, wish)
    shown = views.view(services.settings.public_url, found, services.clock.now())
    return answer(201 if wish.known is None else 200, shown)


async def get_subscriptions(services: Services, _: Orchestrations, request: func.HttpRequest) -> func.HttpResponse:
    """GET /api/subscriptions?cursor=: those on which something is declared."""
    await reader(services, request)
    records, following = await services.subscriptions.list(size=_PAGE, token=page_token(request))
    shown = tuple(views.summary(services.settings.public_url, one) for one in records)
    return answer(200, SubscriptionPage(value=shown, cursor=cursor_of(following)))


async def get_subscription(services: Services, _: Orchestrations, request: func.HttpRequest) -> func.HttpResponse:
    """GET /api/subscriptions/{subscriptionId}: what is declared there, and how it stood when it was last looked at."""
    await reader(services, request)
    found = await services.subscriptions.read(subscription_id_of(request))
    if found is None:
        return no_subscription()
    return answer(200, views.view(services.settings.public_url, found, services.clock.now()))


async def cancel_subscription(
    services: Services, orchestrations: Orchestrations, request: func.HttpRequest
) -> func.HttpResponse:
    """POST /api/subscriptions/{subscriptionId}/cancel: a lock-down that runs goes no further. What was written stays, what is
    under way is read back first. 202; 409 where nothing runs. Safe twice.
    """
    await operator(services, request)
    subscription_id = subscription_id_of(request)
    if not await _shown(services, subscription_id):
        return no_subscription()

    def decide(found: Subscription) -> Change | None:
        stops = found.record.under_way and not found.record.cancel
        return Change(record=replace(found.record, cancel=True)) if stops else None

    found = await services.subscriptions.update(subscription_id, decide)
    if not found.record.under_way:
        return _conflict(services, subscription_id, "No lock-down is under way that could be cancelled.")
    if run := await services.runs.open_run(subscription_id):
        await orchestrations.wake(run.orchestration_id)
    return _accepted(services, found)


async def _shown(services: Services, subscription_id: SubscriptionId) -> bool:
    """Whether there is a record, once it shows the lock-down that is open.

    One whose process died before its record showed it begins later all the same: a cancel has to reach it.
    """
    run = await services.runs.open_run(subscription_id)
    found = await services.subscriptions.read(subscription_id)
    if run is None or run.kind != KIND or (found is not None and found.record.run_nonce == run.nonce):
        return found is not None
    return await begin(services, run) is not None or found is not None


async def _wished(services: Services, subscription_id: SubscriptionId, body: SubscriptionRequest) -> tuple[Wish, bool]:
    """What a body declares, and whether a run has to make it so. Raises BadRequest that names the field."""
    allowed = services.settings.allowed_azure_roles
    declared = declared_in(body, allowed)
    asked: LockDown | UnsetType | None = UNSET
    if isinstance(body.lock_down, UnsetType) or body.lock_down is None:
        asked = body.lock_down
    else:
        asked = lock_down_in(body.lock_down, allowed, has_broker=services.settings.has_broker)
        await check_named(services, body.lock_down)
    await check_principals(services, body, declared)
    known = await services.subscriptions.read(subscription_id)
    wish = Wish(subscription_id=subscription_id, known=known, declared=declared, asked=asked)
    return wish, needs_run(known, declared, wish.lock_down)


async def _check_caller(services: Services, caller: Caller, wish: Wish, *, runs: bool) -> None:
    """A run makes those eligible who are declared: whoever has it run is not among them, nor chooses who approves."""
    added = views.added(wish.before, wish.declared)
    of_lock = runs or wish.lock_down != wish.lock_before
    if added or of_lock:
        caller.be_member("may say so")
    await check_stranger(services, caller, (*wish.before, *added) if of_lock else added)


async def _locked(services: Services, orchestrations: Orchestrations, caller: Caller, wish: Wish) -> func.HttpResponse:
    subscription_id, lock = wish.subscription_id, wish.lock_down
    if (holder := await services.runs.open_run(subscription_id)) is not None:
        return _conflict(services, subscription_id, f"Run {holder.number} ({holder.kind}) is at work there: repeat it.")
    lock_wish = LockWish(
        declared=wish.declared,
        lock_down=lock,
        before=wish.before,
        lock_before=wish.lock_before,
        makes=True,
        reason=BY_HAND,
    )
    number = wish.known.record.run + 1 if wish.known else 1

    async def begun() -> None:
        holder = await open_lock_run(
            services, orchestrations.start, subscription_id, number, caller.object_id, lock_wish
        )
        if holder is not None:
            raise Overtaken(f"Run {holder.number} ({holder.kind}) was faster")

    try:
        await audited(services, caller, wish, begun)
    except Overtaken as error:  # and the audit says so
        return _conflict(services, subscription_id, f"{error}: repeat it.")
    found = await services.subscriptions.read(subscription_id)
    if found is None:
        raise LookupError("a run that was opened shows on the record")
    return _accepted(services, found)


def _accepted(services: Services, found: Subscription) -> func.HttpResponse:
    """202 that points at the record."""
    url = services.settings.public_url
    location = views.address(url, found.record.subscription_id)
    headers = {"Location": location, "Retry-After": _RETRY_AFTER_SECONDS}
    return answer(202, views.view(url, found, services.clock.now()), headers)


def _conflict(services: Services, subscription_id: SubscriptionId, reason: str) -> func.HttpResponse:
    """409 that says why and points at the record."""
    location = views.address(services.settings.public_url, subscription_id)
    return problem(409, "Conflict", reason, headers={"Location": location})
