"""An approver's decision, by their own token: checked, claimed, sent to PIM, read back. The first one wins.

Within one HTTP invocation; the token goes no further. PIM shows an approver the approval, and not the request: what came of
it sees the run that follows it, which is woken afterwards.
"""

from shared.activation import brokering
from shared.activation.acting import claim, fence_of, is_past, nonce_of, settled, without_claim
from shared.activation.budgeting import budget_kept, with_budget
from shared.activation.entitlement import check_approver, is_senior
from shared.activation.outcomes import Fate, Outcome, Word, before, is_otherwise_priced, why_not_at_pim
from shared.activation.policy import judge
from shared.activation.record import Deed, Request, RequestId, State, with_violations
from shared.activation.seeing import reviewed_now
from shared.activation.weighing import facts_of, violations_of
from shared.arm.approval_shapes import Approval, Stage
from shared.arm.as_person import AsPerson
from shared.callers import Caller
from shared.errors import ClaimsChallenge, Conflict, NotAllowed, NotFound, Rejected, RemoteError
from shared.orchestrations import Orchestrations
from shared.privileged import Ensured, NotYet
from shared.services import Services
from shared.subscriptions.lockdown import LockDown
from shared.writes.activation import deciding

_NOT_ASKED = "PIM does not ask this person to decide: its policy differs from what is declared, or it is over"


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
    try:
        return await _decided(services, caller, person, lock_down, record, word)
    finally:
        # Whatever came of it, or is in the way, the run sees by itself.
        if record.run_id:
            await orchestrations.wake(record.run_id)


async def _decided(
    services: Services, caller: Caller, person: AsPerson, lock_down: LockDown, record: Request, word: Word
) -> Outcome:
    if (over := _over(services, record)) is not None:
        return await _with_reviewer(services, person, lock_down, over)
    approval = await _asks(person, record)
    if isinstance(approval, Outcome):
        return approval
    if approval.decided is not None:
        return before(await _reviewed(services, lock_down, record, approval.decided))
    if not any(one.is_open for one in approval.stages):
        return _nobody_asked(record)
    record = await with_budget(services, record, await budget_kept(services, record.subscription_id, lock_down))
    if (held_back := await _held_back_for(services, caller, record, lock_down, word)) is not None:
        return held_back
    deed = Deed.APPROVE if word.approve else Deed.DENY
    mine = await claim(services, record.request_id, deed, caller.object_id, word.reason)
    if mine is None:
        return await _second(services, record.request_id)
    outcome = None
    try:
        # Once more, of what is claimed: until then a plan or a verdict may have come.
        held_back = _held_back(mine, lock_down, word)
        outcome = held_back or await _sent(services, caller, person, lock_down, mine, word, approval)
    finally:
        if outcome is None or outcome.record is None or outcome.record.claim is not None:
            await _let_go(services, mine)
    return outcome


def _over(services: Services, record: Request) -> Outcome | None:
    """Why it is not to be decided any more, as far as we know; None: it may be."""
    if record.decision is not None or record.state is not State.PENDING:
        return before(record)
    if is_past(record, services.clock.now()):
        return Outcome(fate=Fate.OVER, record=record, told="Nobody decided within a day: it has to be asked for again.")
    if not record.asked.status or not record.asked.approval_id:
        return Outcome(
            fate=Fate.OVER, record=record, told="PIM does not show the request (any more). Look again in a while."
        )
    return None


def _nobody_asked(record: Request) -> Outcome:
    told = "PIM asks nobody about it any more: it was taken back, or its time is over. Look again in a while."
    return Outcome(fate=Fate.OVER, record=record, told=told)


async def _asks(person: AsPerson, record: Request) -> Approval | Outcome:
    """The approval, as its approver sees it. Raises NotAllowed for whom PIM does not ask."""
    try:
        return await person.approval(record.asked.approval_id)
    except NotFound as error:
        raise NotAllowed(_NOT_ASKED) from error
    except Rejected as error:
        return _not_taken(record, error)


def _not_taken(record: Request, error: Conflict | NotFound | Rejected) -> Outcome:
    told = f"PIM did not take the decision: {error.call.code}. Look at the request again."
    return Outcome(fate=Fate.BUSY, record=record, told=told)


async def _held_back_for(
    services: Services, caller: Caller, record: Request, lock_down: LockDown, word: Word
) -> Outcome | None:
    """Why it is not to be decided now; None: it is. Raises NotAllowed where it is not for this one to approve."""
    if (held_back := _held_back(record, lock_down, word)) is not None:
        return held_back
    senior = judge(lock_down.money, facts_of(record)).senior_only
    if word.approve and senior is not None and not await is_senior(services, caller.object_id, lock_down):
        raise NotAllowed(senior.reason)
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
    stage = await _stage(person, record)
    return told if stage is None else before(await _reviewed(services, lock_down, record, stage))


async def _stage(person: AsPerson, record: Request) -> Stage | None:
    """The stage that somebody decided, if it can be read now."""
    try:
        return (await person.approval(record.asked.approval_id)).decided
    except (ClaimsChallenge, RemoteError):
        return None


async def _reviewed(services: Services, lock_down: LockDown, record: Request, stage: Stage, nonce: str = "") -> Request:
    """As the stage says. Whose approval it was may be against a rule: that is known only now."""
    record = await reviewed_now(services, record, stage, nonce)
    found = await violations_of(services, record, lock_down)
    return (await services.activations.change(record.request_id, lambda one: with_violations(one, found))).record


async def _sent(
    services: Services,
    caller: Caller,
    person: AsPerson,
    lock_down: LockDown,
    mine: Request,
    word: Word,
    approval: Approval,
) -> Outcome:
    write = deciding(services, mine, person, approve=word.approve, reason=word.reason)
    seen = Ensured(image=approval, changed=False)
    try:
        result = await services.activation_intents.ensure(mine.request_id, fence_of(mine), write, just_read=seen)
    except (Conflict, NotFound, Rejected) as error:
        return await _refused(services, person, lock_down, mine, error)
    if isinstance(result, NotYet) and not result.sent:
        told = "Another try of the same decision is under way. Look again in a minute."
        return Outcome(fate=Fate.BUSY, record=mine, told=told)
    if isinstance(result, NotYet):
        told = "PIM took the decision, and does not show it yet. Look again in a moment."
        return Outcome(fate=Fate.UNSEEN, record=mine, told=told)
    stage = result.image.decided
    if stage is None:
        return _nobody_asked(mine)
    if not stage.was_decided_by(caller.object_id, approve=word.approve):
        return before(await _reviewed(services, lock_down, mine, stage, nonce_of(mine)))
    return Outcome(fate=Fate.DONE, record=await reviewed_now(services, mine, stage, nonce_of(mine)))


async def _refused(
    services: Services,
    person: AsPerson,
    lock_down: LockDown,
    mine: Request,
    error: Conflict | NotFound | Rejected,
) -> Outcome:
    """PIM did not take it: somebody was faster there, or it is over; or PIM does not ask this person. Raises NotAllowed."""
    stage = await _stage(person, mine)
    if stage is not None:
        return before(await _reviewed(services, lock_down, mine, stage, nonce_of(mine)))
    if isinstance(error, NotFound):
        raise NotAllowed(_NOT_ASKED) from error
    return _not_taken(mine, error)


async def _let_go(services: Services, mine: Request) -> None:
    await services.activations.change(mine.request_id, lambda found: without_claim(found, nonce_of(mine)))


async def _second(services: Services, request_id: RequestId) -> Outcome:
    """Somebody was faster: who, and what they said."""
    record = await settled(services, request_id)
    if record is not None and (record.decision is not None or record.state is not State.PENDING):
        return before(record)
    by = record.claim.by if record is not None and record.claim is not None else "somebody"
    return Outcome(fate=Fate.BUSY, record=record, told=f"{by} is deciding it at this moment. Look again in a minute.")
