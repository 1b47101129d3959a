"""What money says of a request: whom it asks, who alone may decide, and whether it is cancelled. Pure.

Every ruling is a value with its reason and the figures that it rests on. What has no whole price counts as above every
limit; what a budget cannot be compared with is told, and never cancelled for that.
"""

from collections.abc import Iterator
from decimal import Decimal

from shared.activation.budget import BudgetView
from shared.activation.cost import Estimate
from shared.activation.rulings import Channel, Code, Facts, Figure, Judgement, Ruling, Verdict, Word
from shared.identifiers import ObjectId
from shared.subscriptions.lockdown import MoneyRules, OverBudget


def judge(rules: MoneyRules, facts: Facts) -> Judgement:
    """What a request's cost asks for, by what is known now."""
    words = _words(rules, facts)
    asked = _above(rules, facts, rules.finance_above, Code.FINANCE_ASKED, "finance is asked")
    demanded = _above(rules, facts, rules.senior_above, Code.FINANCE_DEMANDED, "finance's verdict is demanded")
    over, unknown = _over_budget(rules, facts), _unknown_budget(rules, facts)
    cancels = over is not None and rules.over_budget is OverBudget.CANCEL
    return Judgement(
        ask_finance=asked or demanded,
        demand_finance=demanded,
        senior_only=_above(rules, facts, rules.senior_above, Code.SENIOR_ONLY, "only a senior decides"),
        cancel=_denied(words) or (over if cancels else None),
        warnings=tuple(one for one in (None if cancels else over, unknown) if one is not None),
        finance_agreed=bool(words) and all(one.word is Word.APPROVE for one in words),
    )


def violations(
    rules: MoneyRules, facts: Facts, *, decided_by: ObjectId, senior: bool, requested_by: ObjectId
) -> tuple[Ruling, ...]:
    """What an approval went against. `facts`: as they were when it was given. `senior`: whether its giver is one."""
    judged = judge(rules, facts)
    return tuple(_violations(judged, _over_budget(rules, facts), rules, facts, decided_by, requested_by, senior=senior))


def _violations(
    judged: Judgement,
    over: Ruling | None,
    rules: MoneyRules,
    facts: Facts,
    decided_by: ObjectId,
    requested_by: ObjectId,
    *,
    senior: bool,
) -> Iterator[Ruling]:
    by = Figure(name="approved by", value=decided_by)
    denied = _denied(_words(rules, facts))
    if decided_by == requested_by:
        yield Ruling(code=Code.OWN_REQUEST, reason="it was approved by who asked for it", evidence=(by,))
    if denied is not None:
        yield _against(denied, "it was approved though finance denied it", by)
    elif judged.demand_finance is not None and not judged.finance_agreed:
        yield _against(judged.demand_finance, "it was approved without finance's verdict, which was demanded", by)
    if judged.senior_only is not None and not senior:
        yield _against(
            judged.senior_only, "it was approved by somebody who is no senior, and only a senior decides", by
        )
    if over is not None and rules.over_budget is OverBudget.CANCEL:
        yield _against(over, "it was approved though the budget does not hold it", by)


def _against(ruling: Ruling, reason: str, by: Figure) -> Ruling:
    return Ruling(code=ruling.code, reason=f"{reason}: {ruling.reason}", evidence=(*ruling.evidence, by))


def _words(rules: MoneyRules, facts: Facts) -> tuple[Verdict, ...]:
    """The verdicts that count: of those whom the rules name."""
    return tuple(one for one in facts.verdicts if one.by in rules.finance)


def _denied(words: tuple[Verdict, ...]) -> Ruling | None:
    by = tuple(one.by for one in words if one.word is Word.DENY)
    if not by:
        return None
    evidence = tuple(Figure(name="denied by", value=one) for one in by)
    return Ruling(code=Code.FINANCE_DENIED, reason="finance denied it", evidence=evidence)


def _above(rules: MoneyRules, facts: Facts, limit: Decimal | None, code: Code, what: str) -> Ruling | None:
    """A ruling where the cost is above a limit, or might be."""
    if limit is None:
        return None
    threshold = Figure(name="limit", value=f"{limit} {rules.currency}")
    found = _comparable(rules, facts)
    if found is not None and found.for_days > limit:
        reason = f"{what}: it costs {_at_least(found)}{found.for_days} {found.currency} in {found.days} days"
        return Ruling(code=code, reason=reason, evidence=(_cost(found), threshold))
    if found is None or not found.is_whole:
        reason = f"{what}: {_why_unpriced(rules, facts)}, so it counts as above the limit"
        return Ruling(code=code, reason=reason, evidence=(*_unpriced(facts), threshold))
    return None


def _over_budget(rules: MoneyRules, facts: Facts) -> Ruling | None:
    """A ruling where what falls into a month is surely more than what is left.

    The budget is of a month, so of a longer plan no more than a month is compared.
    """
    found, most = _comparable(rules, facts), _most_left(rules, facts)
    if found is None or facts.budget is None or most is None:
        return None
    share = min(found.for_days, found.monthly)
    if share <= most:
        return None
    known = facts.budget.left is not None
    held = "is left of the budget" if known else "is the whole budget, whatever is spent of it"
    return Ruling(
        code=Code.OVER_BUDGET,
        reason=f"it costs {_at_least(found)}{share} {found.currency} within a month, and {most} {found.currency} {held}",
        evidence=(_cost(found), Figure(name="within a month", value=f"{share} {found.currency}"), *_of(facts.budget)),
    )


def _unknown_budget(rules: MoneyRules, facts: Facts) -> Ruling | None:
    """A ruling where nobody can tell whether the budget holds it."""
    if facts.budget is None or _over_budget(rules, facts) is not None:
        return None
    found, most = _comparable(rules, facts), _most_left(rules, facts)
    if found is None or not found.is_whole:
        reason = _why_unpriced(rules, facts)
    elif most is None:
        reason = "; ".join(facts.budget.notes) or "the budget's amount is not known"
    elif facts.budget.left is None:
        reason = "it is not known what is spent of the budget"
    else:
        return None
    return Ruling(
        code=Code.BUDGET_UNKNOWN,
        reason=f"whether the budget holds it cannot be told: {reason}",
        evidence=(*_unpriced(facts), *_of(facts.budget)),
    )


def _comparable(rules: MoneyRules, facts: Facts) -> Estimate | None:
    """The estimate, in the currency of the rules."""
    found = facts.estimate
    return found if found is not None and found.currency == rules.currency and found.lines else None


def _most_left(rules: MoneyRules, facts: Facts) -> Decimal | None:
    budget = facts.budget
    return budget.most_left if budget is not None and budget.currency == rules.currency else None


def _why_unpriced(rules: MoneyRules, facts: Facts) -> str:
    found = facts.estimate
    if found is None:
        made = "was made in the portal, and" if facts.channel is Channel.PORTAL else "has no plan that was priced, and"
        return f"the request {made} names nothing that has a price"
    if found.currency != rules.currency:
        return f"its price is in {found.currency}, and the rules are in {rules.currency}"
    return f"{len(found.unpriced)} of its parts have no price"


def _unpriced(facts: Facts) -> Iterator[Figure]:
    yield Figure(name="made in the", value=facts.channel.value)
    for one in facts.estimate.unpriced if facts.estimate else ():
        yield Figure(name="without a price", value=one)


def _cost(found: Estimate) -> Figure:
    return Figure(name=f"cost of {found.days} days", value=f"{_at_least(found)}{found.for_days} {found.currency}")


def _at_least(found: Estimate) -> str:
    return "" if found.is_whole else "at least "


def _of(budget: BudgetView) -> Iterator[Figure]:
    figures = {"budget": budget.amount, "spent": budget.spent, "forecast": budget.forecast, "left": budget.left}
    for name, amount in figures.items():
        yield Figure(name=name, value="not known" if amount is None else f"{amount} {budget.currency}")
