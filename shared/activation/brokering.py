"""A request for the broker: asked for, decided by persons, taken back, given back. It is our own row; no token is exchanged.

Nothing here reaches Azure: who is approved is made active by the run that follows the request (granting.py).
"""

from collections.abc import Callable
from datetime import timedelta

import msgspec
from msgspec.structs import replace

from shared.activation.acting import is_past
from shared.activation.brokered import is_waiting, lacks, ruled, with_voice
from shared.activation.entitlement import check_approver, is_declared, is_senior
from shared.activation.outcomes import Fate, Outcome, Word, before, is_otherwise_priced
from shared.activation.record import Request, State, Voice, moved
from shared.activation.submitting import Fate as Asked
from shared.activation.submitting import Wish, is_same, keep_plan, record_of
from shared.activation.weighing import judged
from shared.callers import Caller
from shared.chain import Deed
from shared.identifiers import ObjectId
from shared.orchestrations import Orchestrations
from shared.permissions import Registration
from shared.services import Services
from shared.subscriptions.lockdown import ApprovalMode, LockDown
from shared.subscriptions.record import Subscription

ASK_ACT, DECIDE_ACT, WITHDRAW_ACT, GIVE_BACK_ACT = 45, 46, 47, 48
NO_BROKER = "there is no mode broker (any more) in this deployment, or on this subscription"
_DECIDED_BEFORE = "not counted: it was decided, or over, before"


def is_there(services: Services, lock_down: LockDown | None) -> bool:
    """Whether the deployment has its broker, and the subscription is of its mode."""
    return services.settings.has_broker and lock_down is not None and lock_down.mode is ApprovalMode.BROKER


async def ask(services: Services, caller: Caller, wish: Wish, subscription: Subscription) -> tuple[Asked, Request]:
    """Put a priced request before the approvers; what is refused is told on the record that is given, and not kept. Safe
    twice: the same ticket is the same request.

    PIM would look whether the engineer is eligible, and whether another request is open. Here we do.
    """
    plain, lock_down = record_of(services, caller, wish), subscription.record.lock_down
    found = await services.activations.read(plain.request_id)
    if found is not None:
        same = found.record.brokered and is_same(found.record, plain)
        return Asked.THERE_ALREADY if same else Asked.OTHERWISE, found.record
    if lock_down is None or not is_there(services, lock_down):
        return Asked.REFUSED, replace(plain, problem=NO_BROKER)
    if why := await _why_not_asked(services, caller, wish, subscription):
        return Asked.REFUSED, replace(plain, problem=why)
    await keep_plan(services, caller, wish)
    record = replace(
        moved(plain, State.PENDING, plain.since),
        asked=replace(plain.asked, status="PendingApproval"),
        expires=plain.since + timedelta(hours=lock_down.window_hours),
        brokered=True,
    )
    deed = _deed(services, record, caller.object_id, ASK_ACT, "ask the broker for an Azure role", record.asked)
    await services.audit.around(record.request_id, deed, lambda: services.activations.create(record))
    kept = await services.activations.read(record.request_id)
    return Asked.ASKED, record if kept is None else kept.record


async def decide(
    services: Services, orchestrations: Orchestrations, caller: Caller, record: Request, word: Word
) -> Outcome:
    """An approver's word, by their own token for Tenantry API. The one that completes the quorum, and any deny, decide it for
    good; whoever comes later hears who it was. Safe twice. Raises NotAllowed for who may not.
    """
    lock_down = await check_approver(services, caller, record)
    now = services.clock.now()
    if not is_waiting(record):
        return before(record)
    if is_past(record, now):
        return Outcome(fate=Fate.OVER, record=record, told="Nobody decided it in time: it has to be asked for again.")
    if not is_there(services, lock_down):
        return Outcome(fate=Fate.HELD_BACK, record=record, told=f"It cannot be decided: {NO_BROKER}.")
    if is_otherwise_priced(record, word):
        told = "The price has changed since it was shown. Look at it again, and decide then."
        return Outcome(fate=Fate.HELD_BACK, record=record, told=told)
    voice = Voice(
        approves=word.approve,
        by=caller.object_id,
        at=now,
        reason=word.reason,
        finance=caller.object_id in lock_down.money.finance,
        senior=await is_senior(services, caller.object_id, lock_down),
    )
    if not _has_said(record, voice):
        record = await _spoken(services, record, voice, lock_down)
        if not _has_said(record, voice):
            return before(record)
    if record.run_id:
        await orchestrations.wake(record.run_id)
    return _outcome(services, record, lock_down)


async def withdraw(services: Services, caller: Caller, record: Request) -> Request:
    """The engineer takes a request back that nobody decided yet. Safe twice. Gives it as it is now."""

    def put(found: Request) -> Request | None:
        if not is_waiting(found):
            return None
        stopped = moved(found, State.CANCELLED, services.clock.now())
        return replace(stopped, stopped_for="taken back by whose it is")

    return await _changed(
        services,
        caller,
        record,
        WITHDRAW_ACT,
        "take back a request for the broker",
        put,
        lambda found: found.state is State.CANCELLED,
    )


async def give_back(services: Services, caller: Caller, record: Request) -> Request:
    """The engineer gives an active role back before its end: the broker takes it. Safe twice. Gives it as it is now."""

    def put(found: Request) -> Request | None:
        gives = found.state is State.APPROVED and found.wants_back is None
        return replace(found, wants_back=services.clock.now()) if gives else None

    return await _changed(
        services,
        caller,
        record,
        GIVE_BACK_ACT,
        "give an active Azure role back early",
        put,
        lambda found: found.wants_back is not None,
    )


async def _why_not_asked(services: Services, caller: Caller, wish: Wish, subscription: Subscription) -> str:
    if wish.role_definition_id not in services.settings.allowed_azure_roles:
        return "The deployment does not allow the role."
    if not await is_declared(services, caller.object_id, subscription, wish.role_definition_id):
        return "You are not declared for the role on this subscription, by yourself or by a group that you are directly in."
    for one in await services.activations.open_of(wish.subscription_id):
        mine = one.asked.principal_id == caller.object_id
        if mine and one.asked.role_definition_id == wish.role_definition_id:
            return f"Request {one.request_id} of yours for this role is {one.state}: one at a time."
    return ""


async def _spoken(services: Services, record: Request, voice: Voice, lock_down: LockDown) -> Request:
    ceiling = services.settings.webhook_ceiling

    def put(found: Request) -> Request | None:
        if not is_waiting(found) or voice.at >= found.expires:
            return None
        spoken = with_voice(found, voice)
        return ruled(spoken, lock_down, judged(spoken, lock_down), ceiling, voice.at)

    what = f"{'approve' if voice.approves else 'deny'} a request for the broker"
    deed = _deed(services, record, voice.by, DECIDE_ACT, what, voice)
    changed = await services.audit.around(
        record.request_id, deed, lambda: services.activations.change(record.request_id, put)
    )
    if not _has_said(changed.record, voice):
        await services.audit.add(record.request_id, msgspec.structs.replace(deed, outcome=_DECIDED_BEFORE))
    return changed.record


async def _changed(
    services: Services,
    caller: Caller,
    record: Request,
    act: int,
    what: str,
    put: Callable[[Request], Request | None],
    is_done: Callable[[Request], bool],
) -> Request:
    """`is_done`: what the record must be afterwards; where it is not, somebody was faster, and the audit says so."""
    if put(record) is None:
        return record
    deed = _deed(services, record, caller.object_id, act, what, None)
    changed = await services.audit.around(
        record.request_id, deed, lambda: services.activations.change(record.request_id, put)
    )
    if not is_done(changed.record):
        await services.audit.add(record.request_id, replace(deed, outcome=_DECIDED_BEFORE))
    return changed.record


def _outcome(services: Services, record: Request, lock_down: LockDown) -> Outcome:
    decision = record.decision
    if decision is None and is_waiting(record):
        still = lacks(record, lock_down, judged(record, lock_down), services.settings.webhook_ceiling)
        return Outcome(fate=Fate.COUNTED, record=record, told=f"Your word counts. Still missing: {still}.")
    if decision is None:
        return before(record)
    told = "The broker makes it so within a minute." if decision.approved else "Nothing is given."
    return Outcome(fate=Fate.DONE, record=record, told=told)


def _has_said(record: Request, voice: Voice) -> bool:
    mine = [one for one in record.voices if one.by == voice.by]
    return bool(mine) and (mine[-1].approves, mine[-1].reason) == (voice.approves, voice.reason)


def _deed(services: Services, record: Request, by: ObjectId, act: int, what: str, wanted: object) -> Deed:
    return Deed(
        at=services.clock.now(),
        registration=Registration.API.value,
        on_whose_word=by,
        tenant_id=services.settings.source_tenant_id,
        act=act,
        run=record.run,
        what=what,
        why="by their own token",
        object_name=f"activation request {record.request_id}",
        wanted=msgspec.Raw(msgspec.json.encode(wanted)),
        before=msgspec.Raw(msgspec.json.encode(record.voices)),
        outcome="done",
        request_id="",
    )
