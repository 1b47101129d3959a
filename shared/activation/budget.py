"""A subscription's budget as an approver sees it: the figure that was declared, or Azure's, and what is spent of it. Pure.

What is not known is None, and never 0: nobody shall read an unknown sum as money that is left.
"""

from collections.abc import Iterator
from datetime import datetime
from decimal import Decimal
from enum import StrEnum

import msgspec
from msgspec.structs import replace

from shared.arm.budget_shapes import AzureBudget
from shared.subscriptions.lockdown import Budget

_MONTHLY = frozenset({"Monthly", "BillingMonth"})
_COST = frozenset({"", "Cost"})
_LAG = "Azure's figures of cost lag behind by hours, and those of a new subscription by up to two days"


class Source(StrEnum):
    """Whose figure the amount is."""

    OWN = "own"
    AZURE = "azure"


class BudgetView(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """A budget: what may be spent, what is spent, and what is left, in `currency`. None: not known; `notes` say why.

    `as_of`: when it was read.
    """

    source: Source
    currency: str
    amount: Decimal | None
    spent: Decimal | None
    forecast: Decimal | None
    left: Decimal | None
    as_of: datetime
    azure_name: str = ""
    notes: tuple[str, ...] = ()

    @property
    def most_left(self) -> Decimal | None:
        """What is left, or, where nobody knows what is spent, the whole amount."""
        return self.amount if self.left is None else self.left


def view(
    declared: Budget, found: AzureBudget | None, currency: str, now: datetime, *, unread: str = ""
) -> BudgetView | None:
    """The budget that is declared, with Azure's of the declared name, if it is there. `currency`: that of our own figures.

    `unread`: why Azure could not be asked, where that is so. None where none is declared, and only there: without a view
    nothing would be said of a budget.
    """
    name = declared.azure_name
    if declared.amount is None and not name:
        return None
    why_not = unread or (_unusable(name, found, currency, now) if name else "no Azure budget is named that would tell")
    if declared.amount is not None:
        return _own(declared.amount, name, found, currency, now, why_not)
    return _azure(name, found, currency, now, why_not)


def is_news(one: BudgetView, known: BudgetView | None) -> bool:
    """Whether it says more than what is known: an earlier look does not, nor the same. Another budget's is always news."""
    if known is None or (one.azure_name, one.currency, one.source) != (known.azure_name, known.currency, known.source):
        return True
    return one.as_of >= known.as_of and replace(one, as_of=known.as_of) != known


def _own(
    amount: Decimal, name: str, found: AzureBudget | None, currency: str, now: datetime, why_not: str
) -> BudgetView:
    if not why_not and found is not None:
        # What is spent of a part, or in another time, is not what is spent of our figure.
        why_not = _of_a_part(found) or _other_grain(found)
    if why_not or found is None:
        spent = forecast = None
        notes: tuple[str, ...] = (f"what is spent in the month is not known: {why_not}",)
    else:
        spent, forecast, notes = found.spent, found.forecast, tuple(_notes(found))
    return BudgetView(
        source=Source.OWN,
        currency=currency,
        amount=amount,
        spent=spent,
        forecast=forecast,
        left=_left(amount, spent),
        as_of=now,
        azure_name=name,
        notes=notes,
    )


def _azure(name: str, found: AzureBudget | None, currency: str, now: datetime, why_not: str) -> BudgetView:
    if found is None or found.category not in _COST or _ended(found, now):
        return BudgetView(
            source=Source.AZURE,
            currency=currency,
            amount=None,
            spent=None,
            forecast=None,
            left=None,
            as_of=now,
            azure_name=name,
            notes=(why_not,),
        )
    notes = (why_not, _of_a_part(found), _other_grain(found), *_notes(found))
    return BudgetView(
        source=Source.AZURE,
        # One that tells no currency may be of any: it is not taken for ours.
        currency=found.currency,
        amount=found.amount,
        spent=found.spent,
        forecast=found.forecast,
        left=_left(found.amount, found.spent),
        as_of=now,
        azure_name=name,
        notes=tuple(one for one in notes if one),
    )


def _unusable(name: str, found: AzureBudget | None, currency: str, now: datetime) -> str:
    """Why an Azure budget says nothing beside sums in that currency; empty where it does."""
    if found is None:
        return f"the subscription has no Azure budget of the name {name}: make it, or name another"
    if found.category not in _COST:
        return f"the Azure budget {name} is not of cost, but of {found.category}: name another"
    if _ended(found, now):
        return f"the Azure budget {name} has ended, and counts no more: let it go on, or name another"
    if not found.currency:
        return f"the Azure budget {name} does not tell its currency yet"
    if found.currency != currency:
        return f"the Azure budget {name} is in {found.currency}, and prices are in {currency}: they cannot be compared"
    return ""


def _ended(found: AzureBudget, now: datetime) -> bool:
    return found.ends is not None and found.ends <= now


def _of_a_part(found: AzureBudget) -> str:
    if not found.is_of_a_part:
        return ""
    return f"the Azure budget {found.name} counts a part of the subscription only: it has a filter"


def _other_grain(found: AzureBudget) -> str:
    if found.grain in _MONTHLY:
        return ""
    return f"the Azure budget {found.name} is not of a month: it is {found.grain.lower() or 'of no grain'}"


def _notes(found: AzureBudget) -> Iterator[str]:
    if found.spent is None:
        yield f"Azure does not tell yet what is spent of the budget {found.name}"
    yield _LAG


def _left(amount: Decimal | None, spent: Decimal | None) -> Decimal | None:
    return None if amount is None or spent is None else amount - spent
