"""An engineer gives an active role back before its end, or takes a request back, by their own token, at once."""

from collections.abc import Callable
from typing import Any

import msgspec
from msgspec.structs import replace

from shared.activation.acting import claim, fence_of, without_claim
from shared.activation.record import Deed, Request, State
from shared.activation.seeing import seen_now
from shared.activation.taking_up import follow
from shared.arm.as_person import AsPerson
from shared.callers import Caller
from shared.errors import Rejected
from shared.orchestrations import Orchestrations
from shared.privileged import Ensured, PrivilegedWrite, RunStopped
from shared.services import Services
from shared.writes.activation import cancelling, releasing
from shared.writes.sight import OfEngineer


def why_not_released(record: Request) -> str:
    """Why it cannot be given back here; empty where it can."""
    if record.state is not State.APPROVED:
        return f"it is {record.state}"
    if not record.in_force:
        return "PIM does not show it in force yet, so try again in a minute"
    return "its scope is below the subscription, so that is done in the portal" if record.asked.below else ""


def why_not_withdrawn(record: Request) -> str:
    """Why it cannot be taken back here; empty where it can."""
    if record.decision is not None:
        return "it was approved" if record.decision.approved else "it was denied"
    if record.state is not State.PENDING:
        return f"it is {record.state}"
    return "its scope is below the subscription, so that is done in the portal" if record.asked.below else ""


async def release(
    services: Services, orchestrations: Orchestrations, caller: Caller, person: AsPerson, record: Request
) -> Request | None:
    """End the activation. None: somebody else is at it. What PIM refuses stands as the problem of the record that is given.

    Safe twice. Raises ClaimsChallenge and the RemoteErrors of a failure.
    """

    def released(found: Request) -> Request:
        return replace(found, released=services.clock.now()) if found.is_open else found

    deed = _Deed(kind=Deed.RELEASE, write=lambda mine: releasing(services, mine, person), over=released)
    return await _done(services, orchestrations, caller, person, record, deed)


async def withdraw(
    services: Services, orchestrations: Orchestrations, caller: Caller, person: AsPerson, record: Request
) -> Request | None:
    """Take a pending request back, as `release` does."""
    deed = _Deed(kind=Deed.CANCEL, write=lambda mine: cancelling(services, mine, person), over=lambda found: found)
    return await _done(services, orchestrations, caller, person, record, deed)


class _Deed(msgspec.Struct, frozen=True, kw_only=True):
    """What is done, and what the record says once PIM took it."""

    kind: Deed
    write: Callable[[Request], PrivilegedWrite[Any]]
    over: Callable[[Request], Request]


async def _done(
    services: Services,
    orchestrations: Orchestrations,
    caller: Caller,
    person: AsPerson,
    record: Request,
    deed: _Deed,
) -> Request | None:
    mine = await claim(services, record.request_id, deed.kind, caller.object_id, "")
    if mine is None or mine.claim is None:
        return None
    nonce, refused, taken = mine.claim.nonce, "", False

    def let_go(found: Request) -> Request | None:
        free = without_claim(found, nonce)
        return deed.over(free or found) if taken else free

    try:
        # A run sees what this process may not live to see. Its number stands on the record then, and fences the write.
        await follow(services, orchestrations, mine.request_id)
        found = await services.activations.read(mine.request_id)
        mine = mine if found is None else found.record
        result = await services.activation_intents.ensure(mine.request_id, fence_of(mine), deed.write(mine))
        taken = isinstance(result, Ensured) or result.sent
    except RunStopped:  # another run begun at this moment
        return None
    except Rejected as error:
        refused = f"PIM refused it: {error.call.code}. {error.call.message}"[:500]
    finally:
        left = (await services.activations.change(mine.request_id, let_go)).record
    if not taken and not refused:
        return None
    return replace(mine, problem=refused) if refused else await seen_now(services, left, OfEngineer(person))
