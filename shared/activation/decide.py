"""An approver's decision, by their own token: checked, claimed, sent to PIM, read back. The first one wins.

Within one HTTP invocation; the token goes no further. Only the run that follows the request is woken afterwards.
"""

from enum import StrEnum

import msgspec
from msgspec.structs import replace

from shared.activation.acting import claim, fence_of, is_past, settled, without_claim
from shared.activation.entitlement import check_approver, is_senior
from shared.activation.following import Seen, after
from shared.activation.policy import judge
from shared.activation.record import Decision, Deed, Request, RequestId, State
from shared.activation.weighing import facts_of
from shared.arm.activation_shapes import Standing
from shared.arm.approval_shapes import Approval, Stage
from shared.arm.as_person import AsPerson
from shared.callers import Caller
from shared.durable import Orchestrations
from shared.errors import ClaimsChallenge, NotAllowed, RemoteError
from shared.privileged import NotYet
from shared.services import Services
from shared.subscriptions.lockdown import LockDown
from shared.writes.activation import active, deciding


class Fate(StrEnum):
    """What became of a decision."""

    DONE = "done"
    DECIDED_BEFORE = "decidedBefore"
    OVER = "over"
    HELD_BACK = "heldBack"
    BUSY = "busy"
    UNSEEN = "unseen"
    UNKNOWN = "unknown"


class Outcome(msgspec.Struct, frozen=True, kw_only=True):
    """What became of a decision, the record as it is now, and why it was not taken."""

    fate: Fate
    record: Request | None = None
    told: str = ""


class Word(msgspec.Struct, frozen=True, kw_only=True):
    """What an approver says."""

    approve: bool
    reason: str


async def decide(
    services: Services,
    orchestrations: Orchestrations,
    caller: Caller,
    person: AsPerson,
    request_id: RequestId,
    word: Word,
) -> Outcome:
    """Decide a request. Raises NotAllowed for who may not, ClaimsChallenge, and the RemoteErrors.

    Safe twice: what was decided is told, by whom and when, and never decided again.
    """
    record = await settled(services, request_id)
    if record is None:
        return Outcome(fate=Fate.UNKNOWN, told="No such request is known here.")
    lock_down = await check_approver(services, caller, record)
    if (told := await _why_not(services, caller, record, lock_down, word)) is not None:
        return await _with_reviewer(services, person, told)
    deed = Deed.APPROVE if word.approve else Deed.DENY
    mine = await claim(services, request_id, deed, caller.object_id, word.reason)
    if mine is None:
        return await _second(services, request_id)
    try:
        outcome = await _decided(services, caller, person, mine, word)
    finally:
        await _let_go(services, mine)
    if outcome.record is not None and outcome.record.run_id:
        await orchestrations.wake(outcome.record.run_id)
    return outcome


async def _why_not(
    services: Services, caller: Caller, record: Request, lock_down: LockDown, word: Word
) -> Outcome | None:
    """Why it is not to be decided, or not now, or not by this one; None: it is."""
    record = await _fresh(services, record)
    if record.decision is not None or record.state is not State.PENDING:
        return _before(record)
    if is_past(record, services.clock.now()):
        return Outcome(fate=Fate.OVER, record=record, told="Nobody decided within a day: it has to be asked for again.")
    if not word.approve:
        return None
    judgement = judge(lock_down.money, facts_of(record))
    if judgement.demand_finance is not None and not judgement.finance_agreed:
        return Outcome(fate=Fate.HELD_BACK, record=record, told=judgement.demand_finance.reason)
    if judgement.senior_only is not None and not await is_senior(services, caller.object_id, lock_down):
        raise NotAllowed(judgement.senior_only.reason)
    return None


async def _with_reviewer(services: Services, person: AsPerson, told: Outcome) -> Outcome:
    """Who decided it: PIM tells an approver, and no application. It may have been us, in a process that died."""
    record = told.record
    if record is None or record.decision is None or record.decision.by is not None:
        return told
    try:
        stage = (await person.approval(record.asked.approval_id)).decided
    except (ClaimsChallenge, RemoteError):
        return told
    if stage is None:
        return told
    record = await _noted(services, record, stage, through_us=False)
    return _before(record)


async def _noted(services: Services, record: Request, stage: Stage, *, through_us: bool) -> Request:
    """The record with what the stage says. Who is known already stays."""
    decision = Decision(
        approved=stage.approved is True,
        at=stage.reviewed_at or services.clock.now(),
        by=stage.reviewed_by,
        reason=stage.justification,
        through_us=through_us,
    )

    def put(found: Request) -> Request | None:
        known = found.decision is not None and found.decision.by is not None
        return None if known else replace(found, decision=decision)

    return (await services.activations.change(record.request_id, put)).record


async def _fresh(services: Services, record: Request) -> Request:
    """As PIM shows it now: it may have been decided there."""
    asked = await services.azure_activations.read(record.subscription_id, record.asked.below, record.request_id)
    granted = asked is not None and asked.standing is Standing.GRANTED
    seen = Seen(now=services.clock.now(), asked=asked, active=await active(services, record) if granted else None)
    if after(record, seen) == record:
        return record  # nothing is new, and the claim looks at the row again
    return (await services.activations.change(record.request_id, lambda found: after(found, seen))).record


async def _decided(services: Services, caller: Caller, person: AsPerson, mine: Request, word: Word) -> Outcome:
    write = deciding(services, mine, person, approve=word.approve, reason=word.reason)
    result = await services.activation_intents.ensure(mine.request_id, fence_of(mine), write)
    if isinstance(result, NotYet):
        told = "PIM took the decision, and does not show it yet. Look again in a moment."
        return Outcome(fate=Fate.UNSEEN, record=mine, told=told)
    return await _told(services, caller, mine, result.image)


async def _told(services: Services, caller: Caller, mine: Request, shown: Approval) -> Outcome:
    """The stage says who decided it: the caller, or somebody who was faster."""
    stage = shown.decided
    if stage is None:  # nobody is asked any more: it was cancelled, or its time is over
        return _before(await _fresh(services, mine))
    is_mine = stage.reviewed_by == caller.object_id
    record = await _noted(services, mine, stage, through_us=is_mine)
    record = await _fresh(services, record)
    if not is_mine:
        return _before(record)
    return Outcome(fate=Fate.DONE, record=record)


async def _let_go(services: Services, mine: Request) -> None:
    nonce = "" if mine.claim is None else mine.claim.nonce
    await services.activations.change(mine.request_id, lambda found: without_claim(found, nonce))


async def _second(services: Services, request_id: RequestId) -> Outcome:
    """Somebody was faster: who, and what they said."""
    record = await settled(services, request_id)
    if record is not None and (record.decision is not None or record.state is not State.PENDING):
        return _before(record)
    by = record.claim.by if record is not None and record.claim is not None else "somebody"
    return Outcome(fate=Fate.BUSY, record=record, told=f"{by} is deciding it at this moment. Look again in a minute.")


def _before(record: Request) -> Outcome:
    decision = record.decision
    if decision is None:
        return Outcome(fate=Fate.OVER, record=record, told=f"It is {record.state} already.")
    what = "approved" if decision.approved else "denied"
    by = f"by {decision.by}" if decision.by else "in the portal"
    told = f"It was {what} {by} at {decision.at:%Y-%m-%d %H:%M} UTC already."
    return Outcome(fate=Fate.DECIDED_BEFORE, record=record, told=told)
