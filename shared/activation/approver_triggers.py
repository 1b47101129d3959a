"""The approver's side at the API, and whoever may read: what is open, one request, a decision by the approver's own token."""

import azure.functions as func

from shared.activation import views
from shared.activation.answering import as_person, lock_down_of, no_request, request_id_of, shown
from shared.activation.answers import DecisionAnswer
from shared.activation.decide import decide
from shared.activation.outcomes import Fate, Outcome, Word
from shared.activation.record import Request
from shared.activation.request import Answer, DecisionBody
from shared.activation.weighing import judged
from shared.bodies import decode
from shared.callers import AppRole, Caller
from shared.errors import BadRequest
from shared.identifiers import SubscriptionId, as_guid
from shared.orchestrations import Orchestrations
from shared.problems import answer, problem
from shared.services import Services


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
    return await shown(services, found.record)


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
    caller.be_member("may do this")
    found = await services.activations.read(request_id)
    # The broker grants by our own approval: nothing is done in Azure in the approver's name.
    person = None if found is not None and found.record.brokered else await as_person(services, request)
    word = Word(approve=body.decision is Answer.APPROVE, reason=body.reason, priced_at=body.priced_at)
    outcome = await decide(services, orchestrations, caller, person, request_id, word)
    return await _answered(services, outcome)


async def _answered(services: Services, outcome: Outcome) -> func.HttpResponse:
    if outcome.record is None:
        return no_request()
    lock_down = await lock_down_of(services, outcome.record.subscription_id)
    judgement = None if lock_down is None else judged(outcome.record, lock_down)
    shown = views.view(services.settings.public_url, outcome.record, judgement)
    if outcome.fate is Fate.DONE:
        return answer(200, DecisionAnswer(outcome=outcome.fate, told=outcome.told, request=shown))
    if outcome.fate in (Fate.UNSEEN, Fate.COUNTED):
        return answer(202, DecisionAnswer(outcome=outcome.fate, told=outcome.told, request=shown))
    return problem(409, "Not decided", outcome.told)


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
