"""The engineer's side at the API: a locked role is asked for, given a plan, taken back, given back. In their own name."""

import azure.functions as func

from shared.activation import brokering, views
from shared.activation import plan as plans
from shared.activation.answering import as_person, engineer, lock_down_of, no_request, request_id_of, shown
from shared.activation.answers import ActivationPlan
from shared.activation.budgeting import budget_kept
from shared.activation.outcomes import before
from shared.activation.record import Request, State
from shared.activation.releasing import release, why_not_released, why_not_withdrawn, withdraw
from shared.activation.request import ActivationBody, PlanBody, check_hours, role_of, subscription_of
from shared.activation.submitting import Fate, Wish, submit, ticket_of
from shared.activation.taking_up import follow
from shared.activation.weighing import judged_plan, planned, priced_plan
from shared.bodies import decode
from shared.callers import Caller
from shared.errors import BadRequest
from shared.orchestrations import Orchestrations
from shared.problems import answer, problem
from shared.services import Services
from shared.subscriptions.lockdown import ApprovalMode

_RETRY_AFTER = "10"


async def post_activation_request(
    services: Services, orchestrations: Orchestrations, request: func.HttpRequest
) -> func.HttpResponse:
    """POST /api/activation-requests: ask for a locked role, with a plan. It is priced, gets a ticket number, and is put to
    PIM in the engineer's own name. 202 with where it is read; 200 with the price for `dryRun`; 409 where the rules refuse
    it, or PIM does. Safe twice by `Idempotency-Key`.
    """
    caller = await engineer(services, request)
    body = decode(request.get_body(), request.headers.get("Content-Type", ""), ActivationBody)
    plans.check(body.plan)
    subscription_id = subscription_of(body)
    subscription = await services.subscriptions.read(subscription_id)
    lock_down = None if subscription is None else subscription.record.lock_down
    if subscription is None or lock_down is None:
        raise BadRequest("subscriptionId", "is no subscription that is locked down here")
    if lock_down.mode is ApprovalMode.BROKER and not brokering.is_there(services, lock_down):
        raise BadRequest("subscriptionId", f"is of the mode broker, and {brokering.NO_BROKER}")
    role = role_of(body, lock_down)
    check_hours(body, lock_down)
    key = _key(request) or services.new_id()
    budget = await budget_kept(services, subscription_id, lock_down)
    priced = await priced_plan(services, body.plan, body.hours, lock_down, budget)
    judgement = judged_plan(priced, lock_down)
    refused = "" if judgement.cancel is None else judgement.cancel.reason
    if body.dry_run:
        shown = ActivationPlan(
            dry_run=True,
            role=views.role_name(role),
            hours=body.hours,
            money=views.money(priced, (), judgement),
            **({"refused": refused} if refused else {}),
        )
        return answer(200, shown)
    if refused:
        return problem(409, "Over the budget", f"It was not put to PIM: {refused}")
    wish = Wish(
        subscription_id=subscription_id,
        role_definition_id=role,
        hours=body.hours,
        reason=body.reason,
        priced=priced,
        ticket=ticket_of(caller, key),
    )
    if lock_down.mode is ApprovalMode.BROKER:
        fate, record = await brokering.ask(services, caller, wish, subscription)
    else:
        # Before anything is written: a token that is not good enough leaves nothing behind.
        person = await as_person(services, request)
        fate, record = await submit(services, caller, person, wish)
    if fate is Fate.OTHERWISE:
        return problem(409, "Another request", "Another request was made with this Idempotency-Key: take another one.")
    if fate is Fate.REFUSED or record.state is State.FAILED:
        return problem(409, "Refused", record.problem)
    await follow(services, orchestrations, record.request_id)
    headers = {"Location": views.address(services.settings.public_url, record), "Retry-After": _RETRY_AFTER}
    return answer(202, views.view(services.settings.public_url, record, judgement), headers)


async def post_plan(services: Services, orchestrations: Orchestrations, request: func.HttpRequest) -> func.HttpResponse:
    """POST /api/activation-requests/{id}/plan: a plan for a request of the engineer's own that was made without one. 200 once
    it is priced; 409 where it has one, or nobody decides it any more. The same plan again is safe.
    """
    _, found = await _own(services, request)
    if found is None:
        return no_request()
    body = decode(request.get_body(), request.headers.get("Content-Type", ""), PlanBody)
    plans.check(body.plan)
    lock_down = await lock_down_of(services, found.subscription_id)
    if lock_down is None:
        return problem(
            409, "Not locked down", "The subscription is not locked down here (any more): nothing is priced."
        )
    budget = await budget_kept(services, found.subscription_id, lock_down)
    record = await planned(services, found, body.plan, lock_down, budget)
    if record is None:
        return problem(409, "Not pending", "It has another plan already, or is being decided, or over.")
    if record.run_id:
        await orchestrations.wake(record.run_id)
    return await shown(services, record)


async def post_cancel(
    services: Services, orchestrations: Orchestrations, request: func.HttpRequest
) -> func.HttpResponse:
    """POST /api/activation-requests/{id}/cancel: the engineer takes a pending request back. 200; 202 where PIM does not show
    it yet; 409 where it is not pending, or was decided meanwhile. Safe twice.
    """
    caller, record = await _own(services, request)
    if record is None:
        return no_request()
    if record.state is State.CANCELLED:
        return await shown(services, record)
    if told := why_not_withdrawn(record):
        return problem(409, "Not pending", f"It cannot be taken back here: {told}.")
    if record.brokered:
        found: Request | None = await brokering.withdraw(services, caller, record)
    else:
        found = await withdraw(services, orchestrations, caller, await as_person(services, request), record)
    if record.run_id:
        await orchestrations.wake(record.run_id)
    if found is not None and not found.problem and not _may_be_cancelled(found):
        return problem(409, "Not pending", before(found).told)
    return await _taken_back(services, found)


async def post_release(
    services: Services, orchestrations: Orchestrations, request: func.HttpRequest
) -> func.HttpResponse:
    """POST /api/activation-requests/{id}/release: the engineer gives the role back before its end. 200; 409 where it is not
    active, or is too young for PIM to take it back; 202 where the broker takes it back. Safe twice.
    """
    caller, record = await _own(services, request)
    if record is None:
        return no_request()
    if record.state is State.ENDED:
        return await shown(services, record)
    if told := why_not_released(record):
        return problem(409, "Not active", f"It cannot be given back here: {told}.")
    if record.brokered:
        return await _given_back(services, orchestrations, caller, record)
    found = await release(services, orchestrations, caller, await as_person(services, request), record)
    return await _taken_back(services, found)


async def _given_back(
    services: Services, orchestrations: Orchestrations, caller: Caller, record: Request
) -> func.HttpResponse:
    """202: the run that follows it takes it back, as the broker."""
    if not services.settings.has_broker:
        return problem(409, "Not released", f"It ends by itself: {brokering.NO_BROKER}.")
    found = await brokering.give_back(services, caller, record)
    await follow(services, orchestrations, found.request_id)
    if found.run_id:
        await orchestrations.wake(found.run_id)
    return await shown(services, found, status=202)


async def _own(services: Services, request: func.HttpRequest) -> tuple[Caller, Request | None]:
    """Who calls, and the request of theirs that the path names."""
    caller = await engineer(services, request)
    found = await services.activations.read(request_id_of(request))
    return caller, None if found is None or found.record.asked.principal_id != caller.object_id else found.record


async def _taken_back(services: Services, record: Request | None) -> func.HttpResponse:
    if record is None:
        return problem(409, "Busy", "Somebody is at it just now. Try again in a minute.")
    if record.problem:
        return problem(409, "Refused", record.problem)
    # PIM took it, and does not show it yet: the run that follows it sees it.
    return await shown(services, record, status=202 if record.state is State.PENDING else 200)


def _may_be_cancelled(record: Request) -> bool:
    """Whether it is, or nobody decided it: PIM shows late what it took."""
    return record.state is State.CANCELLED or (record.state is State.PENDING and record.decision is None)


def _key(request: func.HttpRequest) -> str:
    """The caller's word for one request of theirs."""
    key: str = request.headers.get("Idempotency-Key", "").strip()
    if len(key) > 128:
        raise BadRequest("Idempotency-Key", "is longer than 128 characters")
    return key
