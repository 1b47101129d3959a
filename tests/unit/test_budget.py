"""The budget that an approver sees: unknown is never nothing spent, and money of two kinds is never compared."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

import msgspec
import pytest
from msgspec.structs import replace

from shared.activation.budget import BudgetView, Source, is_news, view
from shared.arm.budget_shapes import AzureBudget, BudgetItem
from shared.subscriptions.lockdown import Budget
from tests.unit.pricing import NOW


def read(**properties: Any) -> AzureBudget:
    """A budget from the wire."""
    told = {
        "category": "Cost",
        "amount": 1000.5,
        "timeGrain": "Monthly",
        "timePeriod": {"startDate": "2026-01-01T00:00:00Z", "endDate": "2027-01-01T00:00:00Z"},
        "currentSpend": {"amount": 400.25, "unit": "USD"},
        "forecastSpend": {"amount": 900, "unit": "USD"},
        "notifications": {},
    }
    body = {"name": "Production", "properties": {**told, **properties}}
    return msgspec.json.decode(msgspec.json.encode(body), type=BudgetItem).budget


def seen(declared: Budget, found: AzureBudget | None = None, currency: str = "USD") -> BudgetView:
    made = view(declared, found, currency, NOW)
    assert made is not None
    return made


AZURE, OWN = Budget(azure_name="Production"), Budget(amount=Decimal(500))
BOTH = Budget(amount=Decimal(500), azure_name="Production")


def figures(found: BudgetView) -> tuple[str, ...]:
    return tuple(str(one) for one in (found.amount, found.spent, found.forecast, found.left))


def test_no_budget_is_none() -> None:
    assert view(Budget(), None, "USD", NOW) is None


def test_azure_s_figure_less_what_is_spent_is_what_is_left() -> None:
    found = seen(AZURE, read())

    # 1000.5 - 400.25
    assert figures(found) == ("1000.5", "400.25", "900", "600.25")
    assert (found.source, found.currency, found.most_left) == (Source.AZURE, "USD", Decimal("600.25"))
    assert any("lag behind" in one for one in found.notes)


def test_our_own_figure_takes_what_is_spent_from_azure_s() -> None:
    found = seen(BOTH, read())

    # 500 - 400.25
    assert figures(found) == ("500", "400.25", "900", "99.75")
    assert found.source is Source.OWN


@pytest.mark.parametrize(
    ("declared", "found", "why"),
    [
        (OWN, None, "no Azure budget is named"),
        (BOTH, None, "has no Azure budget of the name Production"),
        (BOTH, read(currentSpend={"amount": 1, "unit": "EUR"}), "is in EUR, and prices are in USD"),
        (BOTH, read(currentSpend=None, forecastSpend=None), "does not tell its currency"),
        (BOTH, read(timeGrain="Quarterly"), "is not of a month: it is quarterly"),
        (BOTH, read(filter={"tags": {}}), "counts a part of the subscription only"),
        (BOTH, read(timePeriod={"endDate": NOW}), "has ended"),
        (BOTH, read(category="ReservationUtilization", amount=None), "is not of cost"),
    ],
)
def test_what_is_not_known_to_be_spent_of_our_own_figure_is_unknown_and_never_nothing(
    declared: Budget, found: AzureBudget | None, why: str
) -> None:
    made = seen(declared, found)

    assert figures(made) == ("500", "None", "None", "None")
    assert made.most_left == Decimal(500)
    assert any(why in one for one in made.notes)


@pytest.mark.parametrize(("declared", "amount"), [(BOTH, "500"), (AZURE, "None")])
def test_an_azure_that_cannot_be_asked_leaves_an_unknown_budget_and_not_none(declared: Budget, amount: str) -> None:
    made = view(declared, None, "USD", NOW, unread="Azure did not answer")

    assert made is not None
    assert figures(made) == (amount, "None", "None", "None")
    assert "Azure did not answer" in made.notes[0]


def test_an_azure_budget_that_is_not_there_is_one_of_unknown_amount() -> None:
    made = seen(AZURE)

    assert figures(made) == ("None",) * 4
    assert made.most_left is None
    assert "make it, or name another" in made.notes[0]


@pytest.mark.parametrize(
    ("properties", "why"),
    [
        ({"category": "ReservationUtilization"}, "is not of cost"),
        ({"timePeriod": {"endDate": NOW - timedelta(days=1)}}, "has ended"),
    ],
)
def test_a_budget_that_is_of_no_money_or_counts_no_more_is_none(properties: dict[str, Any], why: str) -> None:
    made = seen(AZURE, read(**properties))

    assert (made.amount, made.most_left) == (None, None)
    assert why in made.notes[0]


def test_an_azure_budget_in_another_currency_keeps_its_own() -> None:
    made = seen(AZURE, read(), "EUR")

    assert (made.currency, made.left) == ("USD", Decimal("600.25"))
    assert "cannot be compared" in made.notes[0]


def test_an_azure_budget_that_tells_no_currency_is_taken_for_none() -> None:
    assert seen(AZURE, read(currentSpend=None, forecastSpend=None)).currency == ""


@pytest.mark.parametrize(
    ("properties", "note"),
    [
        ({"filter": {"dimensions": {"name": "ResourceGroupName"}}}, "counts a part of the subscription only"),
        ({"currentSpend": None}, "does not tell yet what is spent"),
        ({"timeGrain": "Annually"}, "is annually"),
    ],
)
def test_what_an_approver_must_know_of_it_is_noted(properties: dict[str, Any], note: str) -> None:
    assert any(note in one for one in seen(AZURE, read(**properties)).notes)
    assert not any(note in one for one in seen(AZURE, read(filter={})).notes)


def test_a_forecast_in_another_currency_is_none() -> None:
    assert seen(AZURE, read(forecastSpend={"amount": 1, "unit": "EUR"})).forecast is None


def test_a_later_look_is_news_where_it_says_something_else() -> None:
    known = seen(AZURE, read())
    later = replace(known, as_of=NOW + timedelta(hours=1))
    spent = replace(later, spent=Decimal(500), left=Decimal("500.5"))

    assert is_news(known, None)
    assert not is_news(later, known)
    assert is_news(spent, known)
    assert not is_news(known, spent)


def test_another_budget_is_news_however_old_the_look_at_it_is() -> None:
    known = replace(seen(AZURE, read()), as_of=NOW + timedelta(hours=1))

    for other in ({"azure_name": "Staging"}, {"currency": "EUR"}, {"source": Source.OWN}):
        assert is_news(msgspec.structs.replace(known, as_of=NOW, **other), known)
