"""An approver's decision, by their own token: checked, claimed, sent to PIM, read back. The first one wins.

Within one HTTP invocation; the token goes no further. Only the run that follows the request is woken afterwards.
"""

from msgspec.structs import replace

from shared.activation import brokering
from shared.activation.acting import claim, fence_of, is_past, settled, without_claim
from shared.activation.entitlement import check_approver, is_senior
from shared.activation.outcomes import Fate, Outcome, Word, before, is_otherwise_priced, why_not_at_pim
from shared.activation.policy import judge
from shared.activation.record import Decision, Deed, Request, RequestId, State, with_violations
from shared.activation.seeing import seen_now
from shared.activation.weighing import facts_of, violations_of, with_budget
from shared.arm.approval_shapes import Approval, Stage
from shared.arm.as_person import AsPerson
from shared.callers import Caller
from shared.durable import Orchestrations
from shared.errors import ClaimsChallenge, Conflict, NotAllowed, NotFound, Rejected, RemoteError
from shared.privileged import NotYet
from shared.services import Services
from shared.subscriptions.lockdown import LockDown
from shared.writes.activation import deciding


async def decide(
    services: Services,
    orchestrations: Orchestrations,
    caller: Caller,
    person: AsPerson | None,
    request_id: RequestId,
    word: Word,
) -> Outcome:
    """Decide a request. `person`: not needed for one that is the broker's. Raises NotAllowed for who may not,
    ClaimsChallenge, and the RemoteErrors.

    Safe twice: what was decided is told, by whom and when, and never decided again.
    """
    record = await settled(services, request_id)
    if record is None:
        return Outcome(fate=Fate.UNKNOWN, told="No such request is known here.")
    if record.brokered:
        return await brokering.decide(services, orchestrations, caller, record, word)
    if person is None:
        raise LookupError("PIM is told by the approver's own token alone")
    lock_down = await check_approver(services, caller, record)
    if (told := await _why_not(services, caller, record, lock_down, word)) is not None:
        if record.run_id:
            await orchestrations.wake(record.run_id)
        return await _with_reviewer(services, person, lock_down, told)
    deed = Deed.APPROVE if word.approve else Deed.DENY
    mine = await claim(services, request_id, deed, caller.object_id, word.reason)
    if mine is None:
        return await _second(services, request_id)
    outcome = None
    try:
        # Once more, of what is claimed: until then a plan or a verdict may have come.
        held_back = _held_back(mine, lock_down, word)
        outcome = held_back or await _decided(services, caller, person, mine, word)
    finally:
        if outcome is None or outcome.record is None or outcome.record.claim is not None:
            await _let_go(services, mine)
    if outcome.record is not None and outcome.record.run_id:
        await orchestrations.wake(outcome.record.run_id)
    return outcome


async def _why_not(
    services: Services, caller: Caller, record: Request, lock_down: LockDown, word: Word
) -> Outcome | None:
    """Why it is not to be decided, or not now, or not by this one; None: it is."""
    record = await seen_now(services, record)
    if record.decision is not None or record.state is not State.PENDING:
        return before(record)
    if is_past(record, services.clock.now()):
        return Outcome(fate=Fate.OVER, record=record, told="Nobody decided within a day: it has to be asked for again.")
    if not record.asked.status:
        return Outcome(
            fate=Fate.OVER, record=record, told="PIM does not show the request (any more). Look again in a while."
        )
    record = await with_budget(services, record, lock_down)
    if (held_back := _held_back(record, lock_down, word)) is not None:
        return held_back
    judgement = judge(lock_down.money, facts_of(record))
    if (
        word.approve
        and judgement.senior_only is not None
        and not await is_senior(services, caller.object_id, lock_down)
    ):
        raise NotAllowed(judgement.senior_only.reason)
    return None


def _held_back(record: Request, lock_down: LockDown, word: Word) -> Outcome | None:
    """Why it is not to be approved by us, whatever PIM would say; None: it may be."""
    if is_otherwise_priced(record, word):
        told = "The price has changed since it was shown. Look at it again, and decide then."
        return Outcome(fate=Fate.HELD_BACK, record=record, told=told)
    if not word.approve:
        return None
    if why := why_not_at_pim(judge(lock_down.money, facts_of(record)), lock_down.quorum):
        return Outcome(fate=Fate.HELD_BACK, record=record, told=f"It cannot be approved here: {why}.")
    return None


async def _with_reviewer(services: Services, person: AsPerson, lock_down: LockDown, told: Outcome) -> Outcome:
    """Who decided it: PIM tells an approver, and no application. It may have been us, in a process that died."""
    record = told.record
    if record is None or record.decision is None or record.decision.by is not None or not record.asked.approval_id:
        return told
    try:
        stage = (await person.approval(record.asked.approval_id)).decided
    except (ClaimsChallenge, RemoteError):
        return told
    if stage is None:
        return told
    record = await _noted(services, record, stage)
    # Whose approval it was may be against a rule: that is known only now.
    found = await violations_of(services, record, lock_down)
    record = (await services.activations.change(record.request_id, lambda one: with_violations(one, found))).record
    return before(record)


async def _noted(services: Services, record: Request, stage: Stage, nonce: str = "") -> Request:
    """The record with what the stage says, and without that claim. Who is known already stays."""
    decision = Decision(
        approved=stage.approved is True,
        at=stage.reviewed_at or services.clock.now(),
        by=stage.reviewed_by,
        reason=stage.justification,
    )

    def put(found: Request) -> Request | None:
        known = found.decision is not None and found.decision.by is not None
        noted = found if known else replace(found, decision=decision)
        return without_claim(noted, nonce) or noted

    return (await services.activations.change(record.request_id, put)).record


async def _decided(services: Services, caller: Caller, person: AsPerson, mine: Request, word: Word) -> Outcome:
    write = deciding(services, mine, person, approve=word.approve, reason=word.reason)
    try:
        result = await services.activation_intents.ensure(mine.request_id, fence_of(mine), write)
    except (Conflict, NotFound, Rejected) as error:
        return await _refused(services, mine, error)
    if isinstance(result, NotYet):
        told = "PIM took the decision, and does not show it yet. Look again in a moment."
        return Outcome(fate=Fate.UNSEEN, record=mine, told=told)
    return await _told(services, caller, mine, word, result.image)


async def _refused(services: Services, mine: Request, error: Conflict | NotFound | Rejected) -> Outcome:
    """PIM did not take it: somebody was faster there, or it is over; or PIM does not ask this person. Raises NotAllowed."""
    record = await seen_now(services, mine)
    if record.decision is not None or record.state is not State.PENDING or not record.asked.status:
        return before(record)
    if isinstance(error, NotFound):
        raise NotAllowed("PIM does not ask this person to decide: its policy differs from what is declared, or changed")
    told = f"PIM did not take the decision: {error.call.code}. Look at the request again."
    return Outcome(fate=Fate.BUSY, record=record, told=told)


async def _told(services: Services, caller: Caller, mine: Request, word: Word, shown: Approval) -> Outcome:
    """The stage says who decided it: the caller, or somebody who was faster."""
    stage = shown.decided
    if stage is None:  # nobody is asked any more: it was cancelled, or its time is over
        return before(await seen_now(services, mine))
    record = await seen_now(services, await _noted(services, mine, stage, _nonce(mine)))
    if not stage.was_decided_by(caller.object_id, approve=word.approve):
        return before(record)
    return Outcome(fate=Fate.DONE, record=record)


async def _let_go(services: Services, mine: Request) -> None:
    await services.activations.change(mine.request_id, lambda found: without_claim(found, _nonce(mine)))


def _nonce(mine: Request) -> str:
    return "" if mine.claim is None else mine.claim.nonce


async def _second(services: Services, request_id: RequestId) -> Outcome:
    """Somebody was faster: who, and what they said."""
    record = await settled(services, request_id)
    if record is not None and (record.decision is not None or record.state is not State.PENDING):
        return before(record)
    by = record.claim.by if record is not None and record.claim is not None else "somebody"
    return Outcome(fate=Fate.BUSY, record=record, told=f"{by} is deciding it at this moment. Look again in a minute.")
