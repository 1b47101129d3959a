"""An engineer gives an active role back before its end, by their own token, within one invocation."""

from msgspec.structs import replace

from shared.activation.acting import claim, fence_of, without_claim
from shared.activation.following import Seen, after
from shared.activation.record import Deed, Request, State
from shared.arm.as_person import AsPerson
from shared.callers import Caller
from shared.errors import Rejected
from shared.services import Services
from shared.writes.activation import active, releasing


def why_not_released(record: Request) -> str:
    """Why it cannot be given back here; empty where it can."""
    if record.state is not State.APPROVED:
        return f"it is {record.state}"
    return "its scope is below the subscription, so that is done in the portal" if record.asked.below else ""


async def release(services: Services, caller: Caller, person: AsPerson, record: Request) -> Request | None:
    """End the activation. None: somebody else is at it. What PIM refuses stands as the problem of the record that is given.

    Safe twice. Raises ClaimsChallenge and the RemoteErrors of a failure.
    """
    mine = await claim(services, record.request_id, Deed.RELEASE, caller.object_id, "")
    if mine is None or mine.claim is None:
        return None
    nonce, refused = mine.claim.nonce, ""
    try:
        write = releasing(services, mine, person)
        await services.activation_intents.ensure(mine.request_id, fence_of(mine), write)
    except Rejected as error:
        refused = f"PIM refused it: {error.call.code}. {error.call.message}"[:500]
    finally:
        await services.activations.change(mine.request_id, lambda found: without_claim(found, nonce))
    if refused:
        return replace(mine, problem=refused)
    seen = Seen(now=services.clock.now(), asked=record.asked, active=await active(services, record))
    return (await services.activations.change(record.request_id, lambda found: after(found, seen))).record
