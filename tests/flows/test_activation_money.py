"""A request's money through the API: prices of the list, and a budget of Azure that can be read or not."""

from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import pytest
from msgspec.structs import replace

from shared.azure_permissions import READ_AZURE_BUDGET, azure_actions
from shared.subscriptions.lockdown import Budget
from shared.subscriptions.record import Change
from tests.conftest import OpenWorld
from tests.flows.activating import Locked, locked
from tests.flows.scene import Scene
from tests.sandbox.arm.models.budgets import Budget as AzureBudget

pytestmark = pytest.mark.sampled(3)

_NAME = "Production-monthly"


@pytest.fixture
async def found(open_world: OpenWorld) -> AsyncIterator[Locked]:
    """A locked subscription whose budget is Azure's: 1,000 a month, of which 900 are spent."""
    async with Scene(await open_world(receiving=True, auto_advance=False)) as scene:
        made = await locked(scene)
        made.subscription.set_budget(AzureBudget(name=_NAME, amount=1000, spent=900))

        def declare(one: Any) -> Change:
            lock_down = replace(one.record.lock_down, budget=Budget(azure_name=_NAME))
            return Change(record=replace(one.record, lock_down=lock_down))

        await scene.subscriptions.update(made.id, declare)
        yield made


async def money(found: Locked) -> dict[str, Any]:
    """What a dry run tells of the plan's money."""
    answer = await found.ask(dryRun=True)
    assert answer.status_code == 200, answer.text
    told: dict[str, Any] = answer.json()["money"]
    return told


async def look(found: Locked) -> None:
    """The hourly look at the budgets, whatever the hour."""
    await found.scene.world.host.run_timer("read_budgets")


def codes(told: dict[str, Any]) -> list[str]:
    return [one["code"] for one in told["rulings"]]


async def test_the_lines_add_up_and_the_budget_holds_no_more_than_is_left(found: Locked) -> None:
    await look(found)

    told = await money(found)

    # 2 x 0.20 x 240 h = 96.00; 2 x 128 x 0.15 = 38.40 a month, x 240 / 730 = 12.624... : 108.62 in 10 days
    assert [one["forDays"] for one in told["estimate"]["lines"]] == ["96.00", "12.62"]
    assert told["estimate"]["forDays"] == "108.62"
    # 1000 - 900 = 100
    assert told["budget"]["left"] == "100"
    assert codes(told) == ["overBudget"]


async def test_a_budget_that_may_not_be_read_is_told_and_not_passed_over(found: Locked) -> None:
    [principal] = {one.principal_id for one in found.subscription.access.assignments.values()}
    less = set(azure_actions()) - set(READ_AZURE_BUDGET.permissions)
    found.subscription.access.assignments.clear()
    found.scene.world.clouds.azure.give(principal, found.subscription, less, name="Less")
    await look(found)

    told = await money(found)

    assert (told["budget"]["amount"], told["budget"]["left"]) == (None, None)
    assert told["budget"]["notes"] == ["Azure's budgets cannot be read now (Forbidden)"]
    assert codes(told) == ["budgetUnknown"]


async def test_a_budget_that_was_read_is_told_for_a_day_while_no_newer_can_be(found: Locked) -> None:
    await look(found)
    read = (await money(found))["budget"]
    found.subscription.access.assignments.clear()
    found.scene.world.clock.advance(timedelta(hours=20))
    await look(found)
    within = (await money(found))["budget"]
    found.scene.world.clock.advance(timedelta(hours=5))
    await look(found)
    after = (await money(found))["budget"]

    assert (read["left"], within) == ("100", read)
    assert (after["left"], after["notes"]) == (None, ["Azure's budgets cannot be read now (Forbidden)"])


async def test_a_budget_that_nobody_has_read_yet_is_unknown_and_not_passed_over(found: Locked) -> None:
    told = await money(found)

    assert told["budget"]["notes"] == ["Azure's budget was not read yet, which is done every hour"]
    assert codes(told) == ["budgetUnknown"]


async def test_a_decision_is_held_back_by_what_was_spent_since_the_request_was_priced(found: Locked) -> None:
    found.subscription.set_budget(AzureBudget(name=_NAME, amount=1000, spent=100))
    await look(found)
    answer = await found.ask()
    await found.rest()
    found.subscription.set_budget(AzureBudget(name=_NAME, amount=1000, spent=990))
    await look(found)

    decided = await found.decide(answer.json()["id"])

    assert (answer.status_code, decided.status_code) == (202, 409), decided.text
    assert "it is to be cancelled" in decided.json()["detail"]
    assert not found.holds()


async def test_a_price_list_that_does_not_answer_is_told_until_a_price_is_kept(found: Locked) -> None:
    retail = found.scene.world.clouds.retail
    retail.down = True
    answer = await found.ask(dryRun=True)
    assert answer.status_code == 503, answer.text

    retail.down = False
    await money(found)
    retail.down = True
    found.scene.world.clock.advance(timedelta(days=2))
    told = await money(found)

    assert told["estimate"]["forDays"] == "108.62"
    assert told["estimate"]["pricedAt"][:10] > told["estimate"]["oldestPrice"][:10]
