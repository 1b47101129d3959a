"""What the API shows of activation requests, made of what is kept. Pure."""

from collections.abc import Iterable, Iterator

from shared.activation.answers import (
    ActivationList,
    ActivationSummary,
    ActivationView,
    DecisionView,
    MoneyView,
    RulingView,
    VerdictView,
    ViolationView,
)
from shared.activation.record import Decision, Priced, Request, State, Verdict
from shared.activation.rulings import Judgement, Ruling
from shared.azure_permissions import AZURE_ROLES


def view(url: str, record: Request, judgement: Judgement | None) -> ActivationView:
    """A request."""
    asked, priced = record.asked, record.priced
    return ActivationView(
        id=record.request_id,
        subscription_id=record.subscription_id,
        below=asked.below,
        role=role_name(asked.role_definition_id),
        role_definition_id=asked.role_definition_id,
        requester=asked.principal_id,
        minutes=asked.minutes,
        reason=asked.justification,
        ticket=asked.ticket,
        state=record.state,
        since=record.since,
        created=asked.created,
        expires=record.expires,
        end=record.end,
        plan=None if priced is None else priced.plan,
        money=money(priced, record.verdicts, judgement),
        decision=None if record.decision is None else _decision(record.decision),
        violations=tuple(ViolationView(code=one.code, what=one.what, at=one.at) for one in record.violations),
        problem=record.problem or (record.stopped_for if record.state is State.CANCELLED else ""),
        href=address(url, record),
        page=f"{url}/api/approvals/{record.request_id}",
    )


def listed(url: str, records: Iterable[Request]) -> ActivationList:
    """The list."""
    return ActivationList(value=tuple(_summary(url, one) for one in records))


def money(priced: Priced | None, verdicts: Iterable[Verdict], judgement: Judgement | None) -> MoneyView:
    """What it costs, and what follows."""
    return MoneyView(
        priced_at=None if priced is None else priced.at,
        estimate=None if priced is None else priced.estimate,
        dearest=None if priced is None else priced.dearest,
        budget=None if priced is None else priced.budget,
        rulings=tuple(_ruling(one) for one in rulings(judgement)),
        verdicts=tuple(
            VerdictView(verdict="approve" if one.approves else "deny", by=one.by, at=one.at, reason=one.reason)
            for one in verdicts
        ),
    )


def rulings(judgement: Judgement | None) -> Iterator[Ruling]:
    """All that follows from the rules, the gravest first."""
    if judgement is not None:
        found = (judgement.cancel, judgement.demand_finance, judgement.senior_only, judgement.ask_finance)
        yield from (one for one in (*found, *judgement.warnings) if one is not None)


def address(url: str, record: Request) -> str:
    """Where a request is read."""
    return f"{url}/api/activation-requests/{record.request_id}"


def role_name(role_definition_id: str) -> str:
    """A role as people know it."""
    return AZURE_ROLES.get(role_definition_id, role_definition_id)


def _summary(url: str, record: Request) -> ActivationSummary:
    estimate = None if record.priced is None else record.priced.estimate
    return ActivationSummary(
        id=record.request_id,
        subscription_id=record.subscription_id,
        role=role_name(record.asked.role_definition_id),
        requester=record.asked.principal_id,
        minutes=record.asked.minutes,
        state=record.state,
        created=record.asked.created,
        expires=record.expires,
        for_days=None if estimate is None else f"{estimate.for_days} {estimate.currency}",
        href=address(url, record),
    )


def _ruling(one: Ruling) -> RulingView:
    return RulingView(code=one.code, reason=one.reason, evidence={each.name: each.value for each in one.evidence})


def _decision(found: Decision) -> DecisionView:
    return DecisionView(approved=found.approved, at=found.at, by=found.by, reason=found.reason)
