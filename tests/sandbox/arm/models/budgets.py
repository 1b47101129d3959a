"""Budgets of a subscription, made by people in Cost Management, with what was spent of them (section 10.2)."""

from dataclasses import dataclass, field
from datetime import UTC, datetime


@dataclass(slots=True, kw_only=True)
class Budget:
    """One budget. `spent` and `forecast` are None as long as Azure has no figures."""

    name: str
    amount: float
    spent: float | None = 0.0
    forecast: float | None = None
    currency: str = "USD"
    grain: str = "Monthly"
    category: str = "Cost"
    filter: dict[str, object] = field(default_factory=dict)
    start: datetime = datetime(2026, 1, 1, tzinfo=UTC)
    end: datetime = datetime(2035, 12, 31, tzinfo=UTC)
