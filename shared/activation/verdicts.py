"""Finance's verdict on a request, as its webhook brings it: recorded and audited. A deny stops the request, an approve is
told to the approvers; neither decides at PIM.
"""

from datetime import datetime
from enum import StrEnum

import msgspec
from msgspec.structs import replace

from shared.activation.following import claimed
from shared.activation.record import Request, RequestId, State, Verdict
from shared.activation.seeing import seen_now
from shared.chain import Deed
from shared.errors import Overtaken
from shared.identifiers import ObjectId
from shared.orchestrations import Orchestrations
from shared.permissions import Registration
from shared.services import Services
from shared.writes.sight import OfAccess

VERDICT_ACT = 44


class Fate(StrEnum):
    """What became of a verdict."""

    RECORDED = "recorded"
    UNKNOWN_REQUEST = "unknown request"
    NOT_PENDING = "not pending"
    STRANGER = "unknown approver"
    OWN_REQUEST = "own request"
    BEING_DECIDED = "being decided"
    OLDER = "older word"


class Given(msgspec.Struct, frozen=True, kw_only=True):
    """A verdict as it came."""

    request_id: RequestId
    approves: bool
    by: ObjectId
    reason: str
    said: datetime


async def take(services: Services, orchestrations: Orchestrations, given: Given) -> tuple[Fate, Request | None]:
    """Record a verdict, if it may be. Safe twice: the same verdict of the same person is recorded once.

    Whether it was decided at PIM a moment ago is looked at where this app may: whoever sends a webhook has no token. In the
    front it is seen by its run, which is woken, and a verdict that came after the decision counts for nothing.
    """
    found = await services.activations.read(given.request_id)
    if found is None:
        return Fate.UNKNOWN_REQUEST, None
    record = found.record
    if services.settings.role.works:
        record = await seen_now(services, record, OfAccess(services))
    if (why := await _why_not(services, record, given)) is not None:
        if record.run_id and record.state is not found.record.state:
            await orchestrations.wake(record.run_id)  # it was decided there, and this was the first to see so
        return why, record
    verdict = Verdict(
        approves=given.approves, by=given.by, at=services.clock.now(), said=given.said, reason=given.reason
    )
    if not _is_known(record, verdict):
        try:
            record = await services.audit.around(
                record.request_id, _deed(services, record, verdict), lambda: _put(services, record, verdict, given.said)
            )
        except Overtaken as error:  # the audit says so, too
            return Fate(str(error)), record
    if record.run_id:
        await orchestrations.wake(record.run_id)
    return Fate.RECORDED, record


async def _why_not(services: Services, record: Request, given: Given) -> Fate | None:
    subscription = await services.subscriptions.read(record.subscription_id)
    lock_down = None if subscription is None else subscription.record.lock_down
    if lock_down is None or given.by not in lock_down.money.finance:
        return Fate.STRANGER
    if given.by in (record.asked.principal_id, record.asked.requestor_id):
        return Fate.OWN_REQUEST
    user = await services.directory.source_user(given.by)
    if user is None or user.account_enabled is False:
        return Fate.STRANGER
    return _why_not_now(record, given.by, given.said, services.clock.now())


def _why_not_now(record: Request, by: ObjectId, said: datetime, now: datetime) -> Fate | None:
    if record.state is not State.PENDING or record.decision is not None or now >= record.expires:
        return Fate.NOT_PENDING
    if any(one.by == by and one.said is not None and one.said > said for one in record.verdicts):
        return Fate.OLDER
    return Fate.BEING_DECIDED if claimed(record, now) is not None else None


async def _put(services: Services, record: Request, verdict: Verdict, said: datetime) -> Request:
    """Record it, if the record as it is now still allows that: the last word in the list is the one that counts. Raises
    Overtaken with the fate that it has instead.
    """

    def decide(found: Request) -> Request | None:
        if _is_known(found, verdict):
            return None
        if (why := _why_not_now(found, verdict.by, said, services.clock.now())) is not None:
            raise Overtaken(why.value)
        return replace(found, verdicts=(*found.verdicts, verdict))

    return (await services.activations.change(record.request_id, decide)).record


def _is_known(record: Request, verdict: Verdict) -> bool:
    """Whether it is the latest that this person said."""
    said = [one for one in record.verdicts if one.by == verdict.by]
    return bool(said) and (said[-1].approves, said[-1].reason) == (verdict.approves, verdict.reason)


def _deed(services: Services, record: Request, verdict: Verdict) -> Deed:
    return Deed(
        at=verdict.at,
        registration=Registration.API.value,
        on_whose_word=verdict.by,
        tenant_id=services.settings.source_tenant_id,
        act=VERDICT_ACT,
        run=record.run,
        what="record finance's verdict on an activation request",
        why="a signed webhook",
        object_name=f"finance's verdict on activation request {record.request_id}",
        wanted=msgspec.Raw(msgspec.json.encode({"approves": verdict.approves, "reason": verdict.reason})),
        before=msgspec.Raw(msgspec.json.encode(record.verdicts)),
        outcome="done",
        request_id="",
    )
