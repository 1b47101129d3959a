"""What a request costs, and what the subscription's money rules say of it."""

import logging
from datetime import timedelta

from msgspec.structs import replace

from shared.activation import pricing
from shared.activation.budget import BudgetView
from shared.activation.budgeting import budget_now
from shared.activation.cancelling import Order
from shared.activation.entitlement import is_senior
from shared.activation.following import claimed
from shared.activation.plan import Plan
from shared.activation.policy import judge, violations
from shared.activation.record import TICKETS, Decision, Priced, Request, State, Violation
from shared.activation.rulings import Channel, Code, Facts, Judgement, Word
from shared.activation.rulings import Verdict as Said
from shared.errors import RemoteError
from shared.identifiers import ObjectId
from shared.services import Services
from shared.subscriptions.lockdown import LockDown, Quorum

_log = logging.getLogger(__name__)

_ROUNDED = timedelta(seconds=2)
"""Azure tells when it was decided in whole seconds, by its own clock."""


async def priced_plan(
    services: Services, plan: Plan, hours: int, lock_down: LockDown, budget: BudgetView | None
) -> Priced:
    """A plan with its estimate and the budget beside it. Raises the RemoteErrors of the price list."""
    currency = lock_down.money.currency
    return Priced(
        at=services.clock.now(),
        plan=plan,
        estimate=await pricing.priced(services, plan, hours, currency),
        budget=budget,
    )


async def with_price(services: Services, record: Request, lock_down: LockDown | None) -> Request:
    """The request with its price: of the plan that its ticket names, or of the dearest size that is expected.

    A price list that does not answer keeps nobody waiting: the next look tries again.
    """
    if record.priced is not None and (record.priced.estimate is not None or record.priced.plan is None):
        return record
    if lock_down is None:
        return record
    try:
        priced = await _priced(services, record, lock_down)
    except RemoteError as error:
        _log.warning("activation.not_priced request_id=%s reason=%s", record.request_id, error)
        return record

    def put(found: Request) -> Request | None:
        known = found.priced is not None and found.priced.estimate is not None
        return None if known else replace(found, priced=priced)

    return (await services.activations.change(record.request_id, put)).record


async def planned(
    services: Services, record: Request, plan: Plan, lock_down: LockDown, budget: BudgetView | None
) -> Request | None:
    """The request with that plan, priced. None where it has another, or is not pending. Safe twice."""
    priced = await priced_plan(services, plan, hours_of(record, lock_down), lock_down, budget)

    def has_other(found: Request) -> bool:
        return found.priced is not None and found.priced.plan not in (None, plan)

    def put(found: Request) -> Request | None:
        now = services.clock.now()
        if found.state is not State.PENDING or found.decision is not None or has_other(found):
            return None
        if claimed(found, now) is not None or (found.priced is not None and found.priced.plan == plan):
            return None
        return replace(found, priced=priced)

    found = (await services.activations.change(record.request_id, put)).record
    return found if found.priced is not None and found.priced.plan == plan else None


async def _priced(services: Services, record: Request, lock_down: LockDown) -> Priced:
    budget = await budget_now(services, record.subscription_id, lock_down)
    plan = record.priced.plan if record.priced is not None else await plan_of(services, record)
    if plan is not None:
        return await priced_plan(services, plan, hours_of(record, lock_down), lock_down, budget)
    return Priced(
        at=services.clock.now(),
        dearest=await pricing.dearest(services, lock_down.expected, lock_down.money.currency),
        budget=budget,
    )


async def plan_of(services: Services, record: Request) -> Plan | None:
    """The plan that the request's ticket names, if it is the requestor's own, for this subscription."""
    if record.asked.ticket_system.strip().lower() != TICKETS.lower():
        return None
    kept = await services.activations.plan(record.asked.ticket.strip())
    if kept is None or (kept.by, kept.subscription_id) != (record.asked.principal_id, record.subscription_id):
        return None
    return kept.plan


def hours_of(record: Request, lock_down: LockDown) -> int:
    """How many hours are asked for, begun ones counted; as long as may be, where the request does not say."""
    minutes = record.asked.minutes
    return lock_down.hours if minutes is None else max(1, -(-minutes // 60))


def facts_of(record: Request) -> Facts:
    """What is known of a request, for the rules."""
    priced = record.priced or Priced(at=record.since)
    # Of each person, what they said last. Who agreed to another price, or to none, has not agreed to this one.
    counts = [one for one in record.verdicts if not one.approves or priced.estimate is None or one.at >= priced.at]
    said = {one.by: Word.APPROVE if one.approves else Word.DENY for one in counts}
    said.update({one.by: Word.APPROVE if one.approves else Word.DENY for one in record.voices if one.finance})
    return Facts(
        estimate=priced.estimate,
        budget=priced.budget,
        verdicts=tuple(Said(by=by, word=word) for by, word in said.items()),
        channel=Channel.API if record.ours else Channel.PORTAL,
    )


def order_of(record: Request, judgement: Judgement) -> Order | None:
    """Whether it is to be cancelled, on whose word, and why."""
    if judgement.cancel is None:
        return None
    deniers = [one.by for one in record.verdicts if not one.approves]
    by = deniers[-1] if judgement.cancel.code is Code.FINANCE_DENIED and deniers else BY_RULE
    return Order(by=by, reason=judgement.cancel.reason)


SOMEBODY = ObjectId("somebody, in the portal")
BY_RULE = ObjectId("the subscription's money rules")
"""On whose word a request is cancelled that no person refused: who declared the rules stands on the subscription."""


def judged_plan(priced: Priced, lock_down: LockDown) -> Judgement:
    """What the rules say of a plan, before anything was asked for."""
    return judge(lock_down.money, Facts(estimate=priced.estimate, budget=priced.budget))


def judged(record: Request, lock_down: LockDown) -> Judgement:
    """What the rules say of a request."""
    return judge(lock_down.money, facts_of(record))


async def violations_of(services: Services, record: Request, lock_down: LockDown) -> tuple[Violation, ...]:
    """Rules that an approval passed over."""
    decision = record.decision
    if decision is None or not decision.approved or record.brokered:
        return ()  # of what the broker grants the rules were kept before
    heard = tuple(one for one in record.verdicts if one.at <= decision.at + _ROUNDED)
    facts = facts_of(replace(record, verdicts=heard))
    # Of whom PIM does not tell, nobody says that they are none.
    asks = decision.by is not None and judge(lock_down.money, facts).senior_only is not None
    senior = decision.by is None or not asks or await is_senior(services, decision.by, lock_down)
    found = violations(
        lock_down.money,
        facts,
        decided_by=decision.by or SOMEBODY,
        senior=senior,
        requested_by=record.asked.principal_id,
    )
    beside = () if lock_down.quorum is Quorum.ANY else (_beside_quorum(decision),)
    return (*beside, *(Violation(code=one.code, what=one.reason, at=decision.at) for one in found))


def _beside_quorum(decision: Decision) -> Violation:
    told = "It was approved at PIM by one person, and it takes finance and senior IT both."
    return Violation(code="besideQuorum", what=told, at=decision.at)
