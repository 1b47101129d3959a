"""The money rules: a table of cases, and what always holds."""

from decimal import Decimal
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.activation.budget import BudgetView, Source
from shared.activation.cost import Estimate
from shared.activation.plan import Vm
from shared.activation.policy import judge, violations
from shared.activation.rulings import Channel, Code, Facts, Judgement, Ruling, Verdict, Word
from shared.identifiers import ObjectId
from shared.subscriptions.lockdown import MoneyRules, OverBudget
from tests.unit.pricing import D4, NOW, plan, priced

FIONA, IVAN, EMIL = ObjectId("fiona"), ObjectId("ivan"), ObjectId("emil")
RULES = MoneyRules(finance=(FIONA,), finance_above=Decimal(100), senior_above=Decimal(1000))
WHOLE = priced(plan(vms=(Vm(size=D4),)))


def costing(days: str, monthly: str | None = None, *, unpriced: bool = False, currency: str = "USD") -> Estimate:
    """An estimate of these sums."""
    return msgspec.structs.replace(
        WHOLE,
        for_days=Decimal(days),
        monthly=Decimal(monthly or days),
        unpriced=("1 x Standard_X1",) if unpriced else (),
        currency=currency,
    )


def budget(left: str | None, amount: str | None = "2000", currency: str = "USD") -> BudgetView:
    """A budget with so much left; None: nobody knows what is spent."""
    total = None if amount is None else Decimal(amount)
    rest = None if left is None else Decimal(left)
    return BudgetView(
        source=Source.AZURE,
        currency=currency,
        amount=total,
        spent=None if rest is None or total is None else total - rest,
        forecast=None,
        left=rest,
        as_of=NOW,
        notes=("it is not there",) if amount is None else (),
    )


def facts(estimate: Estimate | None, of: BudgetView | None = None, *words: Verdict, **more: Any) -> Facts:
    return Facts(estimate=estimate, budget=of, verdicts=words, **more)


def rulings(found: Judgement) -> list[Ruling]:
    single = (found.ask_finance, found.demand_finance, found.senior_only, found.cancel)
    return [one for one in (*single, *found.warnings) if one is not None]


def codes(found: Judgement) -> set[str]:
    return {f"{one.code}" for one in rulings(found)}


APPROVED, DENIED = Verdict(by=FIONA, word=Word.APPROVE), Verdict(by=FIONA, word=Word.DENY)

_ABOVE = {"financeAsked", "financeDemanded", "seniorOnly"}


@pytest.mark.parametrize(
    ("known", "expected"),
    [
        (facts(costing("100.00")), set()),
        (facts(costing("100.01")), {"financeAsked"}),
        (facts(costing("1000.00")), {"financeAsked"}),
        (facts(costing("1000.01")), _ABOVE),
        (facts(None), _ABOVE),
        (facts(costing("1", unpriced=True)), _ABOVE),
        (facts(costing("1", currency="EUR")), _ABOVE),
        (facts(costing("90"), budget("90")), set()),
        (facts(costing("90"), budget("89.99")), {"overBudget"}),
        (facts(costing("900", "90"), budget("90")), {"financeAsked"}),  # ten months of 90: a month holds one
        (facts(costing("90", unpriced=True), budget("50")), {*_ABOVE, "overBudget"}),
        (facts(costing("1", unpriced=True), budget("50")), {*_ABOVE, "budgetUnknown"}),
        (facts(None, budget("50")), {*_ABOVE, "budgetUnknown"}),
        (facts(costing("90"), budget(None, "91")), {"budgetUnknown"}),
        (facts(costing("90"), budget(None, "89")), {"overBudget"}),
        (facts(costing("90"), budget(None, None)), {"budgetUnknown"}),
        (facts(costing("90"), budget("10", currency="EUR")), {"budgetUnknown"}),
        (facts(costing("90"), budget("-5")), {"overBudget"}),
        (facts(costing("1"), None, DENIED), {"financeDenied"}),
        (facts(costing("1"), None, Verdict(by=IVAN, word=Word.DENY)), set()),
    ],
)
def test_what_follows(known: Facts, expected: set[str]) -> None:
    assert codes(judge(RULES, known)) == expected


def test_without_limits_nobody_is_asked_whatever_it_costs_or_does_not_tell() -> None:
    for estimate in (None, costing("1000000"), costing("1", unpriced=True)):
        assert codes(judge(MoneyRules(), facts(estimate))) == set()


def test_a_limit_for_seniors_alone_has_finance_asked_too() -> None:
    rules = MoneyRules(finance=(FIONA,), senior_above=Decimal(10))

    found = judge(rules, facts(costing("11")))

    assert found.ask_finance is not None
    assert found.ask_finance.code is Code.FINANCE_DEMANDED


def test_above_the_budget_it_is_cancelled_or_warned_of() -> None:
    known = facts(costing("90"), budget("10"))
    warning = judge(msgspec.structs.replace(RULES, over_budget=OverBudget.WARN), known)
    cancelling = judge(RULES, known)

    assert cancelling.cancel is not None
    assert (cancelling.cancel.code, cancelling.warnings) == (Code.OVER_BUDGET, ())
    assert warning.cancel is None
    assert [one.code for one in warning.warnings] == [Code.OVER_BUDGET]


def test_a_ruling_says_why_with_its_figures() -> None:
    found = judge(RULES, facts(costing("1500", "300"), budget("250")))

    assert found.senior_only is not None
    assert found.senior_only.reason == "only a senior decides: it costs 1500 USD in 30 days"
    assert {one.name: one.value for one in found.senior_only.evidence} == {
        "cost of 30 days": "1500 USD",
        "limit": "1000 USD",
    }
    assert found.cancel is not None
    assert found.cancel.reason == "it costs 300 USD within a month, and 250 USD is left of the budget"
    assert {one.name: one.value for one in found.cancel.evidence} == {
        "cost of 30 days": "1500 USD",
        "within a month": "300 USD",
        "budget": "2000 USD",
        "spent": "1750 USD",
        "forecast": "not known",
        "left": "250 USD",
    }


def test_a_sum_with_parts_missing_is_said_to_be_at_least() -> None:
    found = judge(RULES, facts(costing("1500", unpriced=True)))

    assert found.ask_finance is not None
    assert "at least 1500 USD" in found.ask_finance.reason


def test_a_request_of_the_portal_is_said_to_be_one() -> None:
    found = judge(RULES, facts(None, channel=Channel.PORTAL))

    assert found.ask_finance is not None
    assert "made in the portal" in found.ask_finance.reason


def test_finance_has_agreed_once_one_approved_and_none_denied() -> None:
    other = ObjectId("other")
    rules = msgspec.structs.replace(RULES, finance=(FIONA, other))

    def agreed(*words: Verdict) -> bool:
        return judge(rules, facts(costing("1"), None, *words)).finance_agreed

    assert agreed(APPROVED)
    assert not agreed()
    assert not agreed(APPROVED, Verdict(by=other, word=Word.DENY))
    assert not agreed(Verdict(by=IVAN, word=Word.APPROVE))


@pytest.mark.parametrize(
    ("known", "senior", "by", "expected"),
    [
        (facts(costing("1")), False, IVAN, []),
        (facts(costing("1500"), None, APPROVED), True, IVAN, []),
        (facts(costing("1500"), None, APPROVED), False, IVAN, ["seniorOnly"]),
        (facts(costing("1500")), True, IVAN, ["financeDemanded"]),
        (facts(None), False, IVAN, ["financeDemanded", "seniorOnly"]),
        (facts(costing("1500"), None, DENIED), True, IVAN, ["financeDenied"]),
        (facts(costing("1"), None, DENIED), False, IVAN, ["financeDenied"]),
        (facts(costing("500")), False, IVAN, []),  # finance was asked, and not waited for
        (facts(costing("50"), budget("10")), False, IVAN, ["overBudget"]),
        (facts(costing("50"), budget(None)), False, IVAN, []),
        (facts(costing("1")), False, EMIL, ["ownRequest"]),
    ],
)
def test_an_approval_against_the_rules_is_a_violation(
    known: Facts, *, senior: bool, by: ObjectId, expected: list[str]
) -> None:
    found = violations(RULES, known, decided_by=by, senior=senior, requested_by=EMIL)

    assert [f"{one.code}" for one in found] == expected
    assert all(one.evidence[-1].value == by for one in found)


def test_an_approval_above_a_budget_that_only_warns_is_none() -> None:
    rules = msgspec.structs.replace(RULES, over_budget=OverBudget.WARN)

    assert violations(rules, facts(costing("50"), budget("10")), decided_by=IVAN, senior=False, requested_by=EMIL) == ()


money = st.decimals(min_value=0, max_value=100_000, places=2)
limits = st.none() | money
rules = st.builds(
    MoneyRules,
    finance=st.just((FIONA,)),
    finance_above=limits,
    senior_above=limits,
    over_budget=st.sampled_from(OverBudget),
)
estimates = st.builds(
    lambda days, monthly, unpriced: costing(str(days), str(monthly), unpriced=unpriced), money, money, st.booleans()
)
budgets = st.builds(lambda left, amount: budget(None if left is None else str(left), str(amount)), limits, money)
words = st.lists(st.builds(Verdict, by=st.sampled_from([FIONA, IVAN]), word=st.sampled_from(Word)), max_size=3)
everything = st.builds(
    lambda estimate, of, said: facts(estimate, of, *said), st.none() | estimates, st.none() | budgets, words
)


@given(rules, everything)
def test_every_ruling_has_a_reason_and_figures(of: MoneyRules, known: Facts) -> None:
    for one in rulings(judge(of, known)):
        assert one.reason
        assert one.evidence


@given(rules, everything, money)
def test_what_costs_more_is_never_asked_less(of: MoneyRules, known: Facts, more: Decimal) -> None:
    if known.estimate is None:
        return
    dearer = msgspec.structs.replace(
        known.estimate, for_days=known.estimate.for_days + more, monthly=known.estimate.monthly + more
    )
    before, after = judge(of, known), judge(of, msgspec.structs.replace(known, estimate=dearer))

    for name in ("ask_finance", "demand_finance", "senior_only", "cancel"):
        assert getattr(before, name) is None or getattr(after, name) is not None


@given(rules, everything)
def test_what_has_no_price_is_asked_no_less_than_what_costs_everything(of: MoneyRules, known: Facts) -> None:
    nothing = msgspec.structs.replace(known, estimate=None)
    dearest = msgspec.structs.replace(known, estimate=costing("100000000"), budget=None)
    unpriced, above = judge(of, nothing), judge(of, dearest)

    for name in ("ask_finance", "demand_finance", "senior_only"):
        assert (getattr(unpriced, name) is None) == (getattr(above, name) is None)


@given(rules, everything)
def test_only_a_denial_or_a_known_sum_above_a_known_amount_cancels(of: MoneyRules, known: Facts) -> None:
    found = judge(of, known).cancel
    if found is None or found.code is Code.FINANCE_DENIED:
        return
    assert known.estimate is not None
    assert known.budget is not None
    assert known.budget.most_left is not None
    assert known.estimate.monthly > known.budget.most_left
    assert of.over_budget is OverBudget.CANCEL


@given(rules, everything)
def test_a_denial_of_finance_always_cancels_and_the_word_of_others_never_counts(of: MoneyRules, known: Facts) -> None:
    denied = judge(of, msgspec.structs.replace(known, verdicts=(*known.verdicts, DENIED))).cancel
    ours = tuple(one for one in known.verdicts if one.by == FIONA)

    assert denied is not None
    assert denied.code is Code.FINANCE_DENIED
    assert judge(of, msgspec.structs.replace(known, verdicts=ours)) == judge(of, known)


@given(rules, everything)
def test_a_senior_who_approves_with_finance_what_the_budget_holds_violates_nothing(
    of: MoneyRules, known: Facts
) -> None:
    agreed = msgspec.structs.replace(known, verdicts=(APPROVED,), budget=None)

    assert violations(of, agreed, decided_by=IVAN, senior=True, requested_by=EMIL) == ()


@given(of=rules, known=everything, senior=st.booleans())
def test_a_violation_is_never_of_what_nobody_asked_for(of: MoneyRules, known: Facts, *, senior: bool) -> None:
    judged = judge(of, known)
    asked = {one.code for one in rulings(judged)}

    found = violations(of, known, decided_by=IVAN, senior=senior, requested_by=EMIL)

    assert {one.code for one in found} <= asked | {Code.FINANCE_DENIED, Code.OVER_BUDGET}
