"""The HTTP side of activation requests: who may, what they ask, in whose name, the answer."""

import azure.functions as func

from shared.activation import plan as plans
from shared.activation import views
from shared.activation.answers import ActivationPlan, DecisionAnswer
from shared.activation.decide import Fate, Outcome, Word, decide
from shared.activation.record import Request, RequestId, State
from shared.activation.releasing import release, why_not_released
from shared.activation.request import (
    ActivationBody,
    Answer,
    DecisionBody,
    PlanBody,
    check_hours,
    role_of,
    subscription_of,
)
from shared.activation.submitting import Fate as Asked
from shared.activation.submitting import Wish, submit, ticket_of
from shared.activation.watching import follow
from shared.activation.weighing import judged, judged_plan, planned, priced_plan
from shared.arm.as_person import AsPerson
from shared.bodies import decode
from shared.callers import AppRole, Caller
from shared.durable import Orchestrations
from shared.errors import BadRequest, NotAllowed
from shared.identifiers import SubscriptionId, as_guid
from shared.problems import answer, problem
from shared.requests import person_token
from shared.services import Services
from shared.subscriptions.lockdown import LockDown

_RETRY_AFTER = "10"


async def post_activation_request(
    services: Services, orchestrations: Orchestrations, request: func.HttpRequest
) -> func.HttpResponse:
    """POST /api/activation-requests: ask for a locked role, with a plan. It is priced, gets a ticket number, and is put to
    PIM in the engineer's own name. 202 with where it is read; 200 with the price for `dryRun`; 409 where the rules refuse
    it, or PIM does. Safe twice by `Idempotency-Key`.
    """
    caller = await _engineer(services, request)
    body = decode(request.get_body(), request.headers.get("Content-Type", ""), ActivationBody)
    plans.check(body.plan)
    subscription_id = subscription_of(body)
    lock_down = await _lock_down(services, subscription_id)
    if lock_down is None:
        raise BadRequest("subscriptionId", "is no subscription that is locked down here")
    role = role_of(body, lock_down)
    check_hours(body, lock_down)
    key = _key(request) or services.new_id()
    priced = await priced_plan(services, subscription_id, body.plan, body.hours, lock_down)
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
    # Before anything is written: a token that is not good enough leaves nothing behind.
    person = await _as_person(services, request)
    wish = Wish(
        subscription_id=subscription_id,
        role_definition_id=role,
        hours=body.hours,
        reason=body.reason,
        priced=priced,
        ticket=ticket_of(caller, key),
    )
    fate, record = await submit(services, caller, person, wish)
    if fate is Asked.REFUSED:
        return problem(409, "Refused", record.problem)
    await follow(services, orchestrations, record.request_id)
    headers = {"Location": views.address(services.settings.public_url, record), "Retry-After": _RETRY_AFTER}
    return answer(202, views.view(services.settings.public_url, record, judgement), headers)


async def get_activation_requests(
    services: Services, _: Orchestrations, request: func.HttpRequest
) -> func.HttpResponse:
    """GET /api/activation-requests?subscriptionId=: what is open, the oldest first."""
    caller = await services.callers.identify(request.headers)
    caller.allow(AppRole.READ, AppRole.OPERATE, AppRole.APPROVE)
    return answer(200, views.listed(services.settings.public_url, await services.activations.open_of(_chosen(request))))


async def get_activation_request(services: Services, _: Orchestrations, request: func.HttpRequest) -> func.HttpResponse:
    """GET /api/activation-requests/{id}: a request, its price, and how it was decided."""
    caller = await services.callers.identify(request.headers)
    caller.allow(AppRole.READ, AppRole.OPERATE, AppRole.APPROVE, AppRole.REQUEST)
    found = await services.activations.read(request_id_of(request))
    if found is None or not _may_see(caller, found.record):
        return no_request()
    return await _shown(services, found.record)


async def post_decision(
    services: Services, orchestrations: Orchestrations, request: func.HttpRequest
) -> func.HttpResponse:
    """POST /api/activation-requests/{id}/decision: an approver decides, by their own token. 200; 409 where it was decided, is
    over, or lacks what the rules demand; 401 with claims where conditional access wants more. Safe twice.
    """
    caller = await services.callers.identify(request.headers)
    caller.allow(AppRole.APPROVE)
    request_id = request_id_of(request)
    body = decode(request.get_body(), request.headers.get("Content-Type", ""), DecisionBody)
    _check_in_person(caller)
    person = await _as_person(services, request)
    word = Word(approve=body.decision is Answer.APPROVE, reason=body.reason)
    outcome = await decide(services, orchestrations, caller, person, request_id, word)
    return await _answered(services, outcome)


async def post_release(services: Services, _: Orchestrations, request: func.HttpRequest) -> func.HttpResponse:
    """POST /api/activation-requests/{id}/release: the engineer gives the role back before its end. 200; 409 where it is not
    active, or is too young for PIM to take it back. Safe twice.
    """
    caller = await _engineer(services, request)
    found = await services.activations.read(request_id_of(request))
    if found is None or found.record.asked.principal_id != caller.object_id:
        return no_request()
    if found.record.state is State.ENDED:
        return await _shown(services, found.record)
    if told := why_not_released(found.record):
        return problem(409, "Not active", f"It cannot be given back here: {told}.")
    record = await release(services, caller, await _as_person(services, request), found.record)
    if record is None:
        return problem(409, "Busy", "Somebody is at it just now. Try again in a minute.")
    if record.problem:
        return problem(409, "Refused", record.problem)
    return await _shown(services, record)


async def post_plan(services: Services, orchestrations: Orchestrations, request: func.HttpRequest) -> func.HttpResponse:
    """POST /api/activation-requests/{id}/plan: a plan for a request of the engineer's own that was made without one. 200 once
    it is priced; 409 where it has one, or nobody decides it any more. The same plan again is safe.
    """
    caller = await _engineer(services, request)
    found = await services.activations.read(request_id_of(request))
    if found is None or found.record.asked.principal_id != caller.object_id:
        return no_request()
    body = decode(request.get_body(), request.headers.get("Content-Type", ""), PlanBody)
    plans.check(body.plan)
    lock_down = await _lock_down(services, found.record.subscription_id)
    record = None if lock_down is None else await planned(services, found.record, body.plan, lock_down)
    if record is None:
        return problem(409, "Not pending", "It has another plan already, or nobody decides it any more.")
    if record.run_id:
        await orchestrations.wake(record.run_id)
    return await _shown(services, record)


def request_id_of(request: func.HttpRequest) -> RequestId:
    """The request of the path. Raises BadRequest."""
    guid = as_guid(request.route_params.get("id", ""))
    if guid is None:
        raise BadRequest("id", "is not a GUID")
    return RequestId(guid)


def no_request() -> func.HttpResponse:
    """404."""
    return problem(404, "Not found", "No such request is known here.")


async def _answered(services: Services, outcome: Outcome) -> func.HttpResponse:
    if outcome.record is None:
        return no_request()
    lock_down = await _lock_down(services, outcome.record.subscription_id)
    judgement = None if lock_down is None else judged(outcome.record, lock_down)
    shown = views.view(services.settings.public_url, outcome.record, judgement)
    if outcome.fate is Fate.DONE:
        return answer(200, DecisionAnswer(outcome=outcome.fate, told=outcome.told, request=shown))
    if outcome.fate is Fate.UNSEEN:
        return answer(202, DecisionAnswer(outcome=outcome.fate, told=outcome.told, request=shown))
    return problem(409, "Not decided", outcome.told)


async def _shown(services: Services, record: Request) -> func.HttpResponse:
    lock_down = await _lock_down(services, record.subscription_id)
    judgement = None if lock_down is None else judged(record, lock_down)
    return answer(200, views.view(services.settings.public_url, record, judgement))


async def _engineer(services: Services, request: func.HttpRequest) -> Caller:
    caller = await services.callers.identify(request.headers)
    caller.allow(AppRole.REQUEST)
    _check_in_person(caller)
    return caller


def _check_in_person(caller: Caller) -> None:
    if not caller.person or caller.guest:
        raise NotAllowed("only a member of the source tenant may do this, in person")


async def _as_person(services: Services, request: func.HttpRequest) -> AsPerson:
    """The caller's own token, exchanged for one for Azure. Neither outlives the invocation."""
    return services.persons.by(await services.on_behalf.azure_token(person_token(request)))


async def _lock_down(services: Services, subscription_id: SubscriptionId) -> LockDown | None:
    found = await services.subscriptions.read(subscription_id)
    return None if found is None else found.record.lock_down


def _may_see(caller: Caller, record: Request) -> bool:
    """Engineers see their own."""
    others = {role.value for role in (AppRole.READ, AppRole.OPERATE, AppRole.APPROVE)}
    return bool(others & caller.roles) or caller.object_id == record.asked.principal_id


def _chosen(request: func.HttpRequest) -> SubscriptionId | None:
    text = request.params.get("subscriptionId")
    if text is None:
        return None
    guid = as_guid(text)
    if guid is None:
        raise BadRequest("subscriptionId", "is not a GUID")
    return SubscriptionId(guid)


def _key(request: func.HttpRequest) -> str:
    """The caller's word for one request of theirs."""
    key: str = request.headers.get("Idempotency-Key", "").strip()
    if len(key) > 128:
        raise BadRequest("Idempotency-Key", "is longer than 128 characters")
    return key
