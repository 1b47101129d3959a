"""What is to be told of a request: to the approvers, to finance, to whoever asked. Pure."""

from collections.abc import Iterator
from datetime import datetime

import msgspec
from msgspec.structs import replace

from shared.activation.following import is_to_remind
from shared.activation.record import Request, State
from shared.activation.rulings import Judgement
from shared.arm.activation_shapes import Standing
from shared.notify.notices import ActivationFacts, Kind, Notice

_LONGEST_REASON = 500
PRICED = "priced"
"""That there is a price now, where the approvers were told before there was one."""


class News(msgspec.Struct, frozen=True, kw_only=True):
    """One thing to tell, once. `key`: by which the record remembers it."""

    key: str
    notice: Notice


def news(record: Request, judgement: Judgement | None, url: str, now: datetime) -> Iterator[News]:
    """What there is to tell of a request, whether it was told before or not. `url`: where the app is reached."""
    add_plan = f"{url}/api/activation-requests/{record.request_id}/plan"
    lacks_plan = record.state is State.PENDING and (record.priced is None or record.priced.plan is None)
    for one in _news_of(record, judgement, now):
        facts = one.notice.activation
        if facts is not None and lacks_plan:
            yield replace(one, notice=replace(one.notice, activation=replace(facts, add_plan=add_plan)))
        else:
            yield one


def _news_of(record: Request, judgement: Judgement | None, now: datetime) -> Iterator[News]:
    finance = _finance(record, judgement)
    if record.state is State.PENDING and record.asked.standing is Standing.WAITING and now < record.expires:
        yield _news(record, now, Kind.PENDING, "pending", finance)
        if "pending" in record.told and record.priced is not None and record.priced.estimate is not None:
            yield _news(record, now, Kind.PENDING, PRICED, finance)
        if any(one.approves for one in record.verdicts):
            yield _news(record, now, Kind.PENDING, "agreed", finance)
        if is_to_remind(record, now):
            yield _news(record, now, Kind.PENDING, f"reminder-{record.reminded + 1}", finance)
    elif (
        record.state in (State.APPROVED, State.DENIED, State.CANCELLED, State.FAILED, State.ENDED)
        and record.asked.status
    ):
        # What never reached PIM is nobody's business but its requestor's, who was told at once.
        yield _news(record, now, Kind.DECIDED, "decided", finance)
    elif record.state is State.EXPIRED:
        yield _news(record, now, Kind.EXPIRED, "expired", finance)
    for one in record.violations:
        yield _news(record, now, Kind.VIOLATION, f"violation-{one.code}", finance, violation=one.what)


def _finance(record: Request, judgement: Judgement | None) -> str:
    """Where finance's verdict stands."""
    if record.verdicts:
        return "approved" if record.verdicts[-1].approves else "denied"
    if judgement is None:
        return ""
    if judgement.demand_finance is not None:
        return "demanded"
    return "asked" if judgement.ask_finance is not None else ""


def _news(record: Request, now: datetime, kind: Kind, key: str, finance: str, *, violation: str = "") -> News:
    notice = Notice(
        kind=kind,
        at=now,
        subscription_id=record.subscription_id,
        role_definition_id=record.asked.role_definition_id,
        activation=_facts(record, finance, violation),
        about=key,
    )
    return News(key=key, notice=notice)


def _facts(record: Request, finance: str, violation: str) -> ActivationFacts:
    asked, decision, priced = record.asked, record.decision, record.priced
    estimate = None if priced is None else priced.estimate
    budget = None if priced is None else priced.budget
    dearest = None if priced is None else priced.dearest
    return ActivationFacts(
        request_id=record.request_id,
        requester=asked.principal_id,
        state=record.state,
        minutes=asked.minutes,
        reason=asked.justification[:_LONGEST_REASON],
        ticket=asked.ticket[:64],
        created=asked.created,
        expires=record.expires if record.state is State.PENDING else None,
        currency="" if estimate is None else estimate.currency,
        for_hours="" if estimate is None else str(estimate.for_hours),
        for_days="" if estimate is None else str(estimate.for_days),
        monthly="" if estimate is None else str(estimate.monthly),
        unpriced=estimate is None or not estimate.is_whole,
        dearest=""
        if dearest is None
        else f"{dearest.hourly} {dearest.currency} an hour: {dearest.size} in {dearest.region}",
        budget_left="" if budget is None or budget.left is None else str(budget.left),
        finance=finance,
        approved=None if decision is None else decision.approved,
        decided_by="" if decision is None or decision.by is None else decision.by,
        end=record.end if record.state is State.APPROVED else None,
        violation=violation,
        reminder=record.reminded,
    )
