"""Placeholder until the price list is there."""

from collections.abc import Sequence

from shared.activation.budget import BudgetView, view
from shared.activation.cost import Estimate, estimate
from shared.activation.plan import Plan
from shared.activation.sizes import Dearest
from shared.identifiers import SubscriptionId
from shared.services import Services
from shared.subscriptions.lockdown import Budget, ExpectedSizes


async def priced(services: Services, plan: Plan, hours: int, currency: str) -> Estimate:
    return estimate(plan, hours, {}, currency=currency, now=services.clock.now())


async def dearest(services: Services, expected: Sequence[ExpectedSizes], currency: str) -> Dearest | None:
    return None


async def budget_of(
    services: Services, subscription_id: SubscriptionId, budget: Budget, currency: str
) -> BudgetView | None:
    return view(budget, None, currency, services.clock.now())
