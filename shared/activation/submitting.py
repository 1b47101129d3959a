"""An engineer's request with a priced plan gets a ticket number, and is put to PIM in their name, within one invocation."""

import hashlib
from enum import StrEnum
from uuid import NAMESPACE_URL, uuid5

import msgspec

from shared.activation.acting import claim, fence_of, nonce_of, without_claim
from shared.activation.record import (
    TICKETS,
    UNDECIDED_FOR,
    Deed,
    KeptPlan,
    Priced,
    Request,
    RequestId,
    State,
    moved,
)
from shared.activation.seeing import seen_as
from shared.arm.activation_shapes import AskedActivation
from shared.arm.as_person import AsPerson
from shared.callers import Caller
from shared.errors import Conflict, Rejected, RoleNotAllowed
from shared.identifiers import SubscriptionId
from shared.privileged import Ensured, RunStopped
from shared.services import Services
from shared.writes.activation import submitting
from shared.writes.sight import OfEngineer


class Fate(StrEnum):
    """What became of a request."""

    ASKED = "asked"
    THERE_ALREADY = "there already"
    OTHERWISE = "there otherwise"
    REFUSED = "refused"


class Wish(msgspec.Struct, frozen=True, kw_only=True):
    """What an engineer asks for, checked. `ticket`: the same for the same request of theirs, so that a repeat asks once."""

    subscription_id: SubscriptionId
    role_definition_id: str
    hours: int
    reason: str
    priced: Priced
    ticket: str


def ticket_of(caller: Caller, key: str) -> str:
    """The ticket number of a request; `key` tells one request of a person from another."""
    return f"TN{hashlib.sha256(f'{caller.object_id}|{key}'.encode()).hexdigest()[:14].upper()}"


def request_id_of(ticket: str) -> RequestId:
    """The name of the request at PIM: the same for the same ticket, so that nothing is asked for twice."""
    return RequestId(str(uuid5(NAMESPACE_URL, f"tenantry:activation|{ticket}")))


async def submit(services: Services, caller: Caller, person: AsPerson, wish: Wish) -> tuple[Fate, Request]:
    """Ask PIM for an activation on the engineer's behalf. Safe twice: the same ticket is the same request.

    Raises ClaimsChallenge and the RemoteErrors of a failure; what PIM refuses is told on the record.
    """
    record = record_of(services, caller, wish)
    await keep_plan(services, caller, wish)
    await services.activations.create(record)
    mine = await claim(services, record.request_id, Deed.SUBMIT, caller.object_id, wish.reason)
    if mine is None:
        found = await services.activations.read(record.request_id)
        there = record if found is None else found.record
        return Fate.THERE_ALREADY if is_same(there, record) else Fate.OTHERWISE, there
    return await _asked(services, person, mine)


async def keep_plan(services: Services, caller: Caller, wish: Wish) -> None:
    """Keep the plan under its ticket. Safe twice."""
    plan = wish.priced.plan
    if plan is not None:
        await services.activations.keep_plan(
            KeptPlan(
                ticket=wish.ticket,
                by=caller.object_id,
                subscription_id=wish.subscription_id,
                plan=plan,
                at=services.clock.now(),
            )
        )


def is_same(there: Request, wanted: Request) -> bool:
    """Whether the request that has this name is for the same."""
    of = [(one.subscription_id, one.asked.role_definition_id, one.asked.minutes) for one in (there, wanted)]
    plans = [None if one.priced is None else one.priced.plan for one in (there, wanted)]
    return of[0] == of[1] and plans[0] == plans[1]


async def _asked(services: Services, person: AsPerson, mine: Request) -> tuple[Fate, Request]:
    refused, shown, nonce = "", None, nonce_of(mine)
    try:
        write = submitting(services, mine, person)
        made = await services.activation_intents.ensure(mine.request_id, fence_of(mine), write)
        shown = made.image if isinstance(made, Ensured) else None
    except RunStopped:  # the same request came once more, and took over
        found = await services.activations.read(mine.request_id)
        return Fate.THERE_ALREADY, mine if found is None else found.record
    except (Rejected, Conflict) as error:
        refused = f"{error.call.code}: {error.call.message}".strip(": ")[:500]
    except RoleNotAllowed as error:
        refused = f"the deployment does not allow the role {error}"
    finally:
        record = await _over(services, mine, nonce, refused)
    if refused:
        return Fate.REFUSED, record
    return Fate.ASKED, await seen_as(services, record, shown, OfEngineer(person))


async def _over(services: Services, mine: Request, nonce: str, refused: str) -> Request:
    now = services.clock.now()

    def decide(found: Request) -> Request | None:
        record = without_claim(found, nonce)
        if record is None or not refused:
            return record
        return moved(record, State.FAILED, now, problem=f"PIM refused it. {refused}")

    return (await services.activations.change(mine.request_id, decide)).record


def record_of(services: Services, caller: Caller, wish: Wish) -> Request:
    """The row of a request that is not made yet."""
    now = services.clock.now()
    request_id = request_id_of(wish.ticket)
    asked = AskedActivation(
        request_id=request_id,
        subscription_id=wish.subscription_id,
        below="",
        role_definition_id=wish.role_definition_id,
        principal_id=caller.object_id,
        requestor_id=caller.object_id,
        status="",
        approval_id="",
        justification=wish.reason,
        ticket=wish.ticket,
        ticket_system=TICKETS,
        created=now,
        minutes=wish.hours * 60,
    )
    return Request(
        request_id=request_id,
        asked=asked,
        ours=True,
        state=State.SUBMITTING,
        since=now,
        expires=now + UNDECIDED_FOR,
        priced=wish.priced,
    )
