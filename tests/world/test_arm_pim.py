"""Eligibilities for Azure roles: who, how long, extended, renewed, removed, seen (section 3 of the Azure contract)."""

from pathlib import Path

from tests.world.arm_scene import INSTANCES, SCHEDULES, azure_scene


async def test_a_group_is_made_eligible_and_listed_with_its_end(tmp_path: Path) -> None:
    async with azure_scene(tmp_path) as azure:
        made = await azure.ask("first")
        [schedule] = await azure.listed(SCHEDULES)
        [instance] = await azure.listed(INSTANCES)

        assert (made["status"], made["principalType"]) == ("Provisioned", "Group")
        assert schedule["name"] == made["targetRoleEligibilityScheduleId"]
        assert schedule["properties"]["roleDefinitionId"] == azure.role()
        assert schedule["properties"]["endDateTime"] == "2026-08-29T08:00:00Z"
        assert instance["properties"]["roleEligibilityScheduleId"] == schedule["id"]
        assert instance["properties"]["memberType"] == "Direct"
        assert (await azure.refusal("second")) == (400, "RoleAssignmentExists")
        assert azure.world.clouds.violations == []
