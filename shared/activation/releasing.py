"""An engineer gives an active role back before its end, or takes a request back, by their own token, at once."""

from collections.abc import Awaitable, Callable
from typing import Any

from msgspec.structs import replace

from shared.activation.acting import claim, fence_of, without_claim
from shared.activation.record import Deed, Request, State
from shared.activation.seeing import seen_now
from shared.arm.as_person import AsPerson
from shared.callers import Caller
from shared.errors import Rejected
from shared.privileged import PrivilegedWrite
from shared.services import Services
from shared.writes.activation import cancelling, releasing
from shared.writes.sight import OfEngineer

type Begun = Callable[[], Awaitable[None]]


def why_not_released(record: Request) -> str:
    """Why it cannot be given back here; empty where it can."""
    if record.state is not State.APPROVED:
        return f"it is {record.state}"
    if not record.in_force:
        return "PIM does not show it in force yet, so try again in a minute"
    return "its scope is below the subscription, so that is done in the portal" if record.asked.below else ""


def why_not_withdrawn(record: Request) -> str:
    """Why it cannot be taken back here; empty where it can."""
    if record.state is not State.PENDING or record.decision is not None:
        return f"it is {record.state}"
    return "its scope is below the subscription, so that is done in the portal" if record.asked.below else ""


async def release(
    services: Services, caller: Caller, person: AsPerson, record: Request, begun: Begun
) -> Request | None:
    """End the activation. None: somebody else is at it. What PIM refuses stands as the problem of the record that is given.
    `begun`: lets a run follow it, which sees what this process may not live to see.

    Safe twice. Raises ClaimsChallenge and the RemoteErrors of a failure.
    """
    found = await _done(
        services, caller, person, record, Deed.RELEASE, lambda mine: releasing(services, mine, person), begun
    )
    if found is None or found.problem or not found.is_open:
        return found
    now = services.clock.now()
    return (await services.activations.change(found.request_id, lambda one: replace(one, released=now))).record


async def withdraw(services: Services, caller: Caller, person: AsPerson, record: Request) -> Request | None:
    """Take a pending request back, as `release` does."""
    return await _done(services, caller, person, record, Deed.CANCEL, lambda mine: cancelling(services, mine, person))


async def _done(
    services: Services,
    caller: Caller,
    person: AsPerson,
    record: Request,
    deed: Deed,
    write: Callable[[Request], PrivilegedWrite[Any]],
    begun: Begun | None = None,
) -> Request | None:
    mine = await claim(services, record.request_id, deed, caller.object_id, "")
    if mine is None or mine.claim is None:
        return None
    nonce, refused = mine.claim.nonce, ""
    try:
        if begun is not None:
            await begun()
            # The run's number stands on the record now, and is what fences the write.
            mine = (await services.activations.change(mine.request_id, lambda _: None)).record
        await services.activation_intents.ensure(mine.request_id, fence_of(mine), write(mine))
    except Rejected as error:
        refused = f"PIM refused it: {error.call.code}. {error.call.message}"[:500]
    finally:
        let_go = await services.activations.change(mine.request_id, lambda found: without_claim(found, nonce))
    if refused:
        return replace(mine, problem=refused)
    return await seen_now(services, let_go.record, OfEngineer(person))
