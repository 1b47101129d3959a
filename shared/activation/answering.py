"""What the routes of activation requests share: which request, who calls, in whose name, the answer."""

import azure.functions as func

from shared.activation import views
from shared.activation.record import Request, RequestId
from shared.activation.weighing import judged
from shared.arm.as_person import AsPerson
from shared.callers import AppRole, Caller
from shared.errors import BadRequest
from shared.identifiers import SubscriptionId, as_guid
from shared.problems import answer, problem
from shared.requests import person_token
from shared.services import Services
from shared.subscriptions.lockdown import LockDown


def request_id_of(request: func.HttpRequest) -> RequestId:
    """The request of the path. Raises BadRequest."""
    guid = as_guid(request.route_params.get("id", ""))
    if guid is None:
        raise BadRequest("id", "is not a GUID")
    return RequestId(guid)


def no_request() -> func.HttpResponse:
    """404."""
    return problem(404, "Not found", "No such request is known here.")


async def engineer(services: Services, request: func.HttpRequest) -> Caller:
    """Who calls: somebody who may ask for roles, in person. Raises NotAllowed."""
    caller = await services.callers.identify(request.headers)
    caller.allow(AppRole.REQUEST)
    caller.be_member("may do this")
    return caller


async def as_person(services: Services, request: func.HttpRequest) -> AsPerson:
    """The caller's own token, exchanged for one for Azure. Neither outlives the invocation."""
    return services.persons.by(await services.on_behalf.azure_token(person_token(request)))


async def lock_down_of(services: Services, subscription_id: SubscriptionId) -> LockDown | None:
    """How the subscription is locked down, as it was last seen; None where it is not."""
    found = await services.subscriptions.seen(subscription_id)
    return None if found is None else found.record.lock_down


async def shown(services: Services, record: Request, *, status: int = 200) -> func.HttpResponse:
    """200, or another status, with the request as it is."""
    lock_down = await lock_down_of(services, record.subscription_id)
    judgement = None if lock_down is None else judged(record, lock_down)
    return answer(status, views.view(services.settings.public_url, record, judgement))
