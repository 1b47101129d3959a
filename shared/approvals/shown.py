"""What an approver is shown of a request, made of its record and of what the rules say. Pure."""

from collections.abc import Mapping, Sequence

from shared.activation.record import Decision, Priced, Request, State, Voice
from shared.activation.rulings import Judgement
from shared.activation.views import role_name, rulings
from shared.approvals.views import Budget, Earlier, Outcome, Shown, Verdict, Waiting, length, moment, money
from shared.identifiers import ObjectId

HOME = "/api/approvals"
_FINANCE, _SENIOR = "Finance", "Senior IT"

type Names = Mapping[ObjectId, str]
"""What people are called, by object id; who is missing is shown by their id."""


def path_of(request_id: str) -> str:
    """The page of a request."""
    return f"{HOME}/{request_id}"


def people_of(record: Request) -> set[ObjectId]:
    """Whose names the page says."""
    said = {one.by for one in record.verdicts} | {one.by for one in record.voices}
    by = record.decision.by if record.decision is not None else None
    return {record.asked.principal_id, *said, *([by] if by else [])}


def waiting(record: Request, names: Names) -> Waiting:
    """A request in the list."""
    asked = record.asked
    return Waiting(
        link=path_of(record.request_id),
        who=_who(record, names),
        role=role_name(asked.role_definition_id),
        where=where(record),
        hours=length(asked.minutes),
        reason=asked.justification,
        asked_at=asked.created,
        until=record.expires,
        cost=_cost(record.priced),
    )


def shown(
    record: Request,
    judgement: Judgement | None,
    earlier: Sequence[Request],
    names: Names,
    *,
    hindrance: str,
    held_back: str,
    missing: str = "",
) -> Shown:
    """A request whole."""
    asked, priced = record.asked, record.priced
    return Shown(
        path=path_of(record.request_id),
        who=_who(record, names),
        role=role_name(asked.role_definition_id),
        where=where(record),
        subscription_id=asked.subscription_id,
        hours=length(asked.minutes),
        reason=asked.justification,
        ticket=" ".join(one for one in (asked.ticket_system, asked.ticket) if one),
        asked_at=asked.created,
        until=record.expires,
        price=None if priced is None else priced.estimate,
        dearest=None if priced is None else priced.dearest,
        budget=None if priced is None else _budget(priced),
        rules=tuple(_sentence(one.reason) for one in rulings(judgement)),
        verdicts=_verdicts(record, names),
        earlier=tuple(_earlier(one) for one in earlier if one.request_id != record.request_id),
        outcome=outcome(record, names),
        priced_at="" if priced is None else priced.at.isoformat(),
        hindrance=hindrance,
        held_back=held_back,
        missing=missing,
    )


def _verdicts(record: Request, names: Names) -> tuple[Verdict, ...]:
    """What finance's webhook brought, and what approvers said for the broker, the oldest first."""
    said = [(_FINANCE, one) for one in record.verdicts] + [(_part(one), one) for one in record.voices]
    return tuple(
        Verdict(whose=whose, by=names.get(one.by, one.by), approve=one.approves, reason=one.reason, at=one.at)
        for whose, one in sorted(said, key=lambda each: each[1].at)
    )


def _part(voice: Voice) -> str:
    parts = [*([_FINANCE] if voice.finance else []), *([_SENIOR] if voice.senior else [])]
    return " and ".join(parts) or "An approver"


def where(record: Request) -> str:
    """What it is for, by its name where PIM told one."""
    asked = record.asked
    return asked.scope_name or asked.below.rpartition("/")[2] or f"subscription {asked.subscription_id}"


def outcome(record: Request, names: Names) -> Outcome | None:
    """How it ended; None while it waits."""
    decision = record.decision
    match record.state:
        case State.SUBMITTING | State.PENDING:
            return _decided(decision, names, "") if decision is not None else None
        case State.APPROVED:
            ends = f" In force until {moment(record.end)}." if record.end is not None else ""
            return _decided(decision, names, ends)
        case State.DENIED:
            return _decided(decision, names, "")
        case State.ENDED:
            return _decided(decision, names, f" It has ended. {record.problem}".rstrip())
        case State.CANCELLED:
            return Outcome(words="It was taken back.", at=record.since, reason=record.stopped_for or record.problem)
        case State.EXPIRED:
            return Outcome(words="Nobody decided it within 24 hours.", at=record.since)
        case State.FAILED:
            return Outcome(words="It failed.", at=record.since, reason=record.problem)


def _decided(decision: Decision | None, names: Names, further: str) -> Outcome:
    if decision is None:
        return Outcome(words=f"It is decided.{further}")
    by = f"by {names.get(decision.by, decision.by)}" if decision.by else "in the Azure portal"
    what = "Approved" if decision.approved else "Denied"
    return Outcome(words=f"{what} {by}.{further}", at=decision.at, reason=decision.reason)


def _budget(priced: Priced) -> Budget | None:
    """The budget, with what falls into a month of what is asked: as the rules compare it."""
    found, price = priced.budget, priced.estimate
    if found is None:
        return None
    comparable = price is not None and price.currency == found.currency
    return Budget(
        amount=found.amount,
        currency=found.currency,
        spent=found.spent,
        forecast=found.forecast,
        left=found.left,
        asked=min(price.for_days, price.monthly) if price is not None and comparable else None,
        notes=tuple(_sentence(one) for one in found.notes),
    )


def _sentence(words: str) -> str:
    return f"{words[:1].upper()}{words[1:]}."


def _earlier(record: Request) -> Earlier:
    return Earlier(
        asked_at=record.asked.created,
        hours=length(record.asked.minutes),
        reason=record.asked.justification,
        outcome=record.state.value,
        cost=_cost(record.priced),
    )


def _cost(priced: Priced | None) -> str:
    """What it will cost, in a few words."""
    price = None if priced is None else priced.estimate
    if price is None:
        return "unpriced"
    return f"{'' if price.is_whole else 'at least '}{money(price.for_days, price.currency)}"


def _who(record: Request, names: Names) -> str:
    asked = record.asked
    return asked.principal_name or names.get(asked.principal_id, asked.principal_id)
