"""Who is at a request: a claim on its record, so that the first one acts and the second hears who it was."""

from datetime import datetime

from msgspec.structs import replace

from shared.activation.brokered import is_to_grant
from shared.activation.following import claimed
from shared.activation.record import Claim, Deed, Request, RequestId, State
from shared.identifiers import ObjectId
from shared.privileged import Fence
from shared.services import Services

_MAY = {
    Deed.SUBMIT: State.SUBMITTING,
    Deed.APPROVE: State.PENDING,
    Deed.DENY: State.PENDING,
    Deed.CANCEL: State.PENDING,
    Deed.RELEASE: State.APPROVED,
    Deed.GRANT: State.PENDING,
}
_LOOKS = 20
_PAUSE_SECONDS = 0.25


async def claim(services: Services, request_id: RequestId, deed: Deed, by: ObjectId, reason: str) -> Request | None:
    """Claim a request for a deed. None: it is past that, or somebody else is at it. Never waits.

    Who submits takes over from themselves, and so does the broker: the process that was at it may have died, and the name is
    the same.
    """
    now, nonce = services.clock.now(), services.new_id()
    mine = Claim(deed=deed, by=by, at=now, nonce=nonce, reason=reason)

    def decide(found: Request) -> Request | None:
        may = is_to_grant(found) if deed is Deed.GRANT else found.decision is None or deed is Deed.RELEASE
        holder = claimed(found, now)
        again = (
            holder is not None and (holder.deed, holder.by) == (deed, by) and (deed is Deed.SUBMIT or found.brokered)
        )
        free = found.state is _MAY[deed] and (holder is None or again)
        return replace(found, claim=mine) if may and free else None

    record = (await services.activations.change(request_id, decide)).record
    return record if record.claim is not None and record.claim.nonce == nonce else None


def without_claim(found: Request, nonce: str) -> Request | None:
    """The record without that claim; None where it has another, or none."""
    return replace(found, claim=None) if found.claim is not None and found.claim.nonce == nonce else None


def nonce_of(record: Request) -> str:
    """The nonce of its claim; empty where it has none."""
    return "" if record.claim is None else record.claim.nonce


def fence_of(record: Request) -> Fence:
    """What fences the writes of who claimed it."""
    return Fence(run=record.run, nonce=nonce_of(record))


async def settled(services: Services, request_id: RequestId) -> Request | None:
    """The record once nobody is at it, or after some seconds as it is then. None: it is not there.

    As it was last seen, where nobody was at it then: whoever acts on it claims it.
    """
    found = await services.activations.seen(request_id)
    for _ in range(_LOOKS):
        if found is None or claimed(found.record, services.clock.now()) is None:
            break
        await services.clock.sleep(_PAUSE_SECONDS)
        found = await services.activations.read(request_id)
    return None if found is None else found.record


def is_past(record: Request, now: datetime) -> bool:
    """Whether PIM's time for a decision is over."""
    return now >= record.expires
