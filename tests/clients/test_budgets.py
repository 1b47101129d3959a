"""Budgets of Azure beside a price: read with the one action that it takes, and never taken for nothing spent."""

from collections.abc import AsyncIterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from shared.activation.budgeting import budget_of
from shared.arm.budgets import Budgets
from shared.azure_permissions import READ_AZURE_BUDGET
from shared.errors import Forbidden, NotFound, Unavailable
from shared.identifiers import SubscriptionId
from shared.subscriptions.lockdown import Budget
from tests.clients.bench import Bench
from tests.clients.counter import Counter, counter
from tests.sandbox.arm.models.budgets import Budget as AzureBudget
from tests.sandbox.arm.models.subscription import Subscription
from tests.sandbox.azurite import Azurite
from tests.world.clouds_scene import TARGET_APP

_NAME = "Production-monthly"


@pytest.fixture
async def at(bench: Bench, tmp_path: Path, azurite: Azurite) -> AsyncIterator[Counter]:
    """A counter with nothing kept yet."""
    async with counter(bench, tmp_path, azurite) as opened:
        yield opened


def production(bench: Bench, **budget: Any) -> tuple[Subscription, SubscriptionId]:
    """The subscription, with a budget of 1,000.50 of which 400.25 is spent."""
    made = bench.production()
    made.set_budget(AzureBudget(name=_NAME, amount=1000.5, spent=400.25, forecast=900.0, **budget))
    return made, SubscriptionId(made.id)


async def test_azure_s_budget_is_read_by_its_name(at: Counter) -> None:
    _, subscription_id = production(at.bench)

    found = await budget_of(at.services(), subscription_id, Budget(azure_name=_NAME), "USD")

    assert found is not None
    # 1000.5 - 400.25
    assert (found.amount, found.spent, found.left) == (Decimal("1000.5"), Decimal("400.25"), Decimal("600.25"))
    assert found.as_of <= at.clock.now()


async def test_one_action_is_all_that_it_takes(bench: Bench) -> None:
    subscription, subscription_id = production(bench)
    principal = bench.world.contoso.applications.by_app_id(TARGET_APP)
    assert principal is not None
    subscription.access.assignments.clear()
    bench.world.clouds.azure.give(principal.id, subscription, READ_AZURE_BUDGET.permissions)

    assert await Budgets(lambda: bench.arm).read(subscription_id, _NAME) is not None


async def test_without_a_name_azure_is_not_asked(at: Counter) -> None:
    _, subscription_id = production(at.bench)

    own = await budget_of(at.services(), subscription_id, Budget(amount=Decimal(500)), "USD")
    none = await budget_of(at.services(), subscription_id, Budget(), "USD")

    assert own is not None
    assert (own.amount, own.spent, none) == (Decimal(500), None, None)
    assert [one for one in at.bench.world.clouds.recorder.entries if one.service == "arm"] == []


async def test_a_budget_that_is_not_there_is_said_to_be_missing(at: Counter) -> None:
    _, subscription_id = production(at.bench)

    found = await budget_of(at.services(), subscription_id, Budget(azure_name="Other"), "USD")

    assert found is not None
    assert found.amount is None
    assert "has no Azure budget of the name Other" in found.notes[0]


@pytest.mark.parametrize("name", ["../budgets", "a/b", "..", "a b", "", "x" * 64])
async def test_a_name_that_no_budget_can_have_is_not_asked_for(bench: Bench, name: str) -> None:
    _, subscription_id = production(bench)

    assert await Budgets(lambda: bench.arm).read(subscription_id, name) is None
    assert [one for one in bench.world.clouds.recorder.entries if one.service == "arm"] == []


async def test_what_keeps_us_from_reading_it_is_an_error_and_no_missing_budget(bench: Bench) -> None:
    subscription, subscription_id = production(bench)
    budgets = Budgets(lambda: bench.arm)

    subscription.access.assignments.clear()
    with pytest.raises(Forbidden):
        await budgets.read(subscription_id, _NAME)
    bench.world.clouds.azure.kill(subscription, "broken")
    with pytest.raises(Unavailable):
        await budgets.read(subscription_id, _NAME)
    bench.world.clouds.azure.kill(subscription, "deleted")
    bench.world.clouds.azure.broken.clear()
    with pytest.raises(NotFound):
        await budgets.read(subscription_id, _NAME)


async def test_a_new_subscription_s_budget_has_no_figures_yet(at: Counter) -> None:
    made = at.bench.production()
    made.set_budget(AzureBudget(name=_NAME, amount=100, spent=None))

    found = await budget_of(at.services(), SubscriptionId(made.id), Budget(azure_name=_NAME), "USD")

    assert found is not None
    assert (found.amount, found.spent, found.left) == (Decimal(100), None, None)
