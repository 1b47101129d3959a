"""What the API shows of lock-downs, made of what is kept. Pure."""

from collections.abc import Iterator
from decimal import Decimal

from msgspec.structs import asdict

from shared.azure_permissions import AZURE_ROLES
from shared.subscriptions.findings import Drift, Finding, in_words
from shared.subscriptions.lock_answers import (
    ApproverView,
    DriftView,
    FindingView,
    LockProblem,
    LockView,
    PlannedLock,
    RoleView,
    RuleDifference,
)
from shared.subscriptions.lock_request import (
    BudgetRequest,
    LockDownRequest,
    MoneyRequest,
    NamedPrincipals,
    SizesRequest,
)
from shared.subscriptions.lockdown import LockDown, MoneyRules, Principals
from shared.subscriptions.record import Declaration, Lock, LockState, Record, Subscription
from shared.subscriptions.roles import MFA, TICKET, RoleInForce, differences, wanted_of

UNKNOWN = (
    "which rules of the policies differ by now: the run reads them first",
    "which of those who are declared for the roles are not eligible yet: the run makes them so",
)


def lock_view(found: Subscription) -> LockView | None:
    """How a lock-down stands; None where none is declared."""
    record = found.record
    if record.lock_down is None:
        return None
    lock = record.lock or Lock(state=LockState.LOCKING, since=record.changed)
    seen = found.approvers
    return LockView(
        state=lock.state,
        since=lock.since,
        problems=tuple(LockProblem(code=one.code, what=one.what, do=one.do) for one in lock.problems),
        declared=as_body(record.lock_down),
        in_force=tuple(_role(found, role, record.lock_down) for role in record.lock_down.roles),
        approvers=tuple(
            ApproverView(
                principal_id=one.principal_id,
                groups=one.groups,
                can_approve=one.can_approve,
                reach=one.reach,
                why=one.why,
            )
            for one in (seen.approvers if seen else ())
        ),
        approvers_looked=seen.looked if seen else None,
        approvers_more=seen.more if seen else 0,
        drift=None if found.drift is None else _drift(found.drift),
    )


def needs_run(known: Subscription | None, declared: tuple[Declaration, ...], lock: LockDown | None) -> bool:
    """Whether a run has to make it so: what is declared is another, the latest run did not come to a good end, or a night
    found a policy changed.
    """
    if lock is None:
        return False
    record = known.record if known else None
    if record is None or (record.declared, record.lock_down) != (declared, lock):
        return True
    if known is None or record.lock is None or record.lock.state is not LockState.LOCKED:
        return True
    return any(
        differences(one.settings, wanted_of(lock, record.longest_days(role)))
        for role, one in known.roles.items()
        if role in lock.roles
    )


def planned_lock(
    known: Subscription | None, declared: tuple[Declaration, ...], lock: LockDown | None
) -> PlannedLock | None:
    """What a lock-down would do; None where there is none, and was none."""
    if lock is None and (known is None or known.record.lock_down is None):
        return None
    rules: tuple[RuleDifference, ...] = ()
    if lock is not None and known is not None:
        days = {one.role_definition_id: 0 for one in declared}
        for one in declared:
            days[one.role_definition_id] = max(days[one.role_definition_id], one.duration_days)
        seen = [known.roles[role] for role in lock.roles if role in known.roles]
        rules = tuple(told for one in seen for told in _differences(one, lock, days.get(one.role_definition_id, 0)))
    return PlannedLock(
        runs=needs_run(known, declared, lock), declared=None if lock is None else as_body(lock), rules=rules
    )


def as_body(lock: LockDown) -> LockDownRequest:
    """A lock-down as it would be sent."""
    return LockDownRequest(
        roles=[AZURE_ROLES.get(role, role) for role in lock.roles],
        approvers=_named(lock.approvers),
        longest_activation=f"PT{lock.hours}H",
        mfa=lock.mfa,
        authentication_context=lock.context or None,
        ticket=lock.ticket,
        budget=BudgetRequest(amount=_sum(lock.budget.amount), azure_name=lock.budget.azure_name or None),
        expected_sizes=[SizesRequest(region=one.region, sizes=list(one.sizes)) for one in lock.expected],
        mode=lock.mode,
        money=_money(lock.money),
        repair=lock.repair,
        quorum=lock.quorum,
        window="P1D" if lock.window_hours == 24 else f"PT{lock.window_hours}H",
    )


def state_of(record: Record) -> LockState | None:
    """How the lock-down stands, where one is declared."""
    if record.lock_down is None:
        return None
    return record.lock.state if record.lock is not None else LockState.LOCKING


def _role(found: Subscription, role: str, lock: LockDown) -> RoleView:
    name, seen = AZURE_ROLES.get(role, role), found.roles.get(role)
    if seen is None:
        return RoleView(role=name, role_definition_id=role, looked=None, differences=())
    settings = seen.settings
    return RoleView(
        role=name,
        role_definition_id=role,
        looked=seen.looked,
        approval=settings.approval,
        approvers=_named(settings.approvers),
        longest_activation=settings.longest or None,
        mfa=MFA in settings.enabled,
        authentication_context=settings.context or None,
        ticket=TICKET in settings.enabled,
        longest_eligibility=settings.longest_eligibility or None,
        differences=tuple(_differences(seen, lock, found.record.longest_days(role))),
    )


def _differences(seen: RoleInForce, lock: LockDown, longest_days: int) -> Iterator[RuleDifference]:
    name = AZURE_ROLES.get(seen.role_definition_id, seen.role_definition_id)
    for one in differences(seen.settings, wanted_of(lock, longest_days)):
        yield RuleDifference(role=name, rule=one.rule, found=one.found, wanted=one.wanted)


def _drift(drift: Drift) -> DriftView:
    return DriftView(
        looked=drift.looked,
        findings=tuple(_finding(one) for one in drift.findings),
        more=drift.more,
        unread=drift.unread,
    )


def _finding(one: Finding) -> FindingView:
    return FindingView(what=in_words(one), **asdict(one))


def _named(principals: Principals) -> NamedPrincipals:
    return NamedPrincipals(groups=list(principals.groups), users=list(principals.users))


def _money(rules: MoneyRules) -> MoneyRequest:
    return MoneyRequest(
        currency=rules.currency,
        finance=list(rules.finance),
        finance_above=_sum(rules.finance_above),
        senior_above=_sum(rules.senior_above),
        senior=_named(rules.senior),
        over_budget=rules.over_budget,
    )


def _sum(value: Decimal | None) -> str | None:
    return None if value is None else format(value, "f")
