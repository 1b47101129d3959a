"""Budgets of the simulated Cost Management: their shape, who may read them, and what is not there."""

from pathlib import Path

from tests.sandbox.arm.models.budgets import Budget
from tests.world.arm_scene import azure_scene

_BUDGETS = "/providers/Microsoft.Consumption/budgets"
_VERSION = "2023-05-01"


async def test_budgets_are_listed_and_read_with_what_is_spent(tmp_path: Path) -> None:
    async with azure_scene(tmp_path) as azure:
        azure.production.set_budget(Budget(name="Monthly", amount=100.5, spent=40.25, forecast=90, currency="EUR"))
        azure.production.set_budget(Budget(name="New", amount=5, spent=None))

        one = (await azure.call(f"GET {_BUDGETS}/monthly", version=_VERSION)).json()
        listed = (await azure.call(f"GET {_BUDGETS}", version=_VERSION)).json()

        assert (one["name"], one["type"]) == ("Monthly", "Microsoft.Consumption/budgets")
        assert one["properties"]["amount"] == 100.5
        assert one["properties"]["currentSpend"] == {"amount": 40.25, "unit": "EUR"}
        assert one["properties"]["forecastSpend"] == {"amount": 90, "unit": "EUR"}
        assert [found["name"] for found in listed["value"]] == ["Monthly", "New"]
        assert "currentSpend" not in listed["value"][1]["properties"]


async def test_another_name_another_version_and_a_caller_without_the_action_are_refused(tmp_path: Path) -> None:
    async with azure_scene(tmp_path) as azure:
        missing = await azure.call(f"GET {_BUDGETS}/none", version=_VERSION)
        assert missing.status_code == 404

        azure.production.access.assignments.clear()
        refused = await azure.call(f"GET {_BUDGETS}", version=_VERSION)
        assert (refused.status_code, refused.json()["error"]["code"]) == (403, "AuthorizationFailed")
        assert azure.world.clouds.violations == []

        other = await azure.call(f"GET {_BUDGETS}", version="2020-10-01")
        assert other.status_code == 400
        assert len(azure.world.clouds.violations) == 1
        azure.world.clouds.violations.clear()
