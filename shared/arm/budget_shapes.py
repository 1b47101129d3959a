"""A budget of Azure Cost Management, with only the fields that we read, and what they say in our terms. Pure."""

from datetime import datetime
from decimal import Decimal

import msgspec


class AzureBudget(msgspec.Struct, frozen=True, kw_only=True):
    """A budget of a subscription. `grain`: Monthly, Quarterly, and so on. `currency`: of what was spent, empty if untold.

    `spent`, `forecast`: None where Azure does not tell: a new subscription has no figures for up to two days.
    """

    name: str
    amount: Decimal | None
    currency: str = ""
    spent: Decimal | None = None
    forecast: Decimal | None = None
    grain: str = ""
    category: str = ""
    is_of_a_part: bool = False
    ends: datetime | None = None


class _Spend(msgspec.Struct, frozen=True):
    amount: Decimal
    unit: str = ""


class _Period(msgspec.Struct, frozen=True, rename="camel", kw_only=True):
    end_date: datetime | None = None


class _Properties(msgspec.Struct, frozen=True, rename="camel", kw_only=True):
    amount: Decimal | None = None
    category: str = ""
    time_grain: str = ""
    time_period: _Period | None = None
    current_spend: _Spend | None = None
    forecast_spend: _Spend | None = None
    filter: dict[str, msgspec.Raw] | None = None


class BudgetItem(msgspec.Struct, frozen=True):
    """A budget's envelope."""

    name: str
    properties: _Properties

    @property
    def budget(self) -> AzureBudget:
        """In our terms."""
        told, spend, forecast = self.properties, self.properties.current_spend, self.properties.forecast_spend
        currency = spend.unit if spend else forecast.unit if forecast else ""
        return AzureBudget(
            name=self.name,
            amount=told.amount,
            currency=currency,
            spent=spend.amount if spend else None,
            # A forecast of another currency than what was spent could not stand beside it.
            forecast=forecast.amount if forecast and forecast.unit == currency else None,
            grain=told.time_grain,
            category=told.category,
            is_of_a_part=bool(told.filter),
            ends=told.time_period.end_date if told.time_period else None,
        )
