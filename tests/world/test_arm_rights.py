"""Who may do what on a subscription, and what a missing right looks like (the RBAC part of the Azure contract)."""

from datetime import timedelta
from pathlib import Path

import pytest

from tests.sandbox.arm.models.roles import (
    BUILT_IN,
    CONTRIBUTOR,
    OWNER,
    RBAC_ADMINISTRATOR,
    READER,
    USER_ACCESS_ADMINISTRATOR,
    VM_CONTRIBUTOR,
)
from tests.sandbox.population import managed_subscription
from tests.sandbox.world import World
from tests.world.arm_scene import INSTANCES, PIM, POLICIES, REQUESTS, SCHEDULES, azure_scene, named
from tests.world.clouds_scene import CONTOSO


async def test_a_right_that_is_taken_back_is_missed_by_name(tmp_path: Path) -> None:
    async with azure_scene(tmp_path) as azure:
        azure.production.access.take_back(azure.principal_id)

        answer = await azure.call(f"GET {SCHEDULES}")

        assert (answer.status_code, answer.json()["error"]["code"]) == (403, "AuthorizationFailed")
        assert "'Microsoft.Authorization/roleEligibilitySchedules/read'" in answer.json()["error"]["message"]
        assert azure.production.scope.path in answer.json()["error"]["message"]
        assert (await azure.call(f"GET {SCHEDULES}", filter="asTarget()")).status_code == 200
        assert await azure.refusal("a") == (403, "AuthorizationFailed")
        assert azure.world.clouds.violations == []


async def test_a_list_may_refuse_in_words_of_its_own(tmp_path: Path) -> None:
    async with azure_scene(tmp_path, flipped=["arm-lists-refuse-with-400"]) as azure:
        azure.production.access.take_back(azure.principal_id)

        answer = await azure.call(f"GET {INSTANCES}")

        assert (answer.status_code, answer.json()["error"]["code"]) == (400, "InsufficientPermissions")
        assert "$filter=asTarget()" in answer.json()["error"]["message"]
        assert (await azure.call(f"GET {INSTANCES}", filter="asTarget()")).status_code == 200
        assert (await azure.call(f"GET {PIM}/roleAssignmentSchedules")).status_code == 500
        assert (await azure.call(f"GET {POLICIES}")).status_code == 403


@pytest.mark.parametrize(
    ("role", "may"),
    [
        (OWNER, True),
        (USER_ACCESS_ADMINISTRATOR, True),
        (CONTRIBUTOR, False),
        (RBAC_ADMINISTRATOR, False),
        (READER, False),
        (VM_CONTRIBUTOR, False),
    ],
)
async def test_which_built_in_roles_may_make_eligible(tmp_path: Path, role: str, *, may: bool) -> None:
    async with azure_scene(tmp_path) as azure:
        access = azure.production.access
        access.take_back(azure.principal_id)
        access.assign(azure.principal_id, BUILT_IN[role], azure.production.scope)

        assert (await azure.call(f"PUT {REQUESTS}/{named('a')}", azure.body())).is_success is may


async def test_a_custom_role_may_not_be_enough(tmp_path: Path) -> None:
    async with azure_scene(tmp_path, flipped=["arm-pim-needs-owner"]) as azure:
        assert await azure.refusal("a") == (403, "AuthorizationFailed")
        azure.production.access.assign(azure.principal_id, BUILT_IN[USER_ACCESS_ADMINISTRATOR], azure.production.scope)
        await azure.ask("a")


async def test_a_role_held_through_a_group_or_below_counts_there_only(tmp_path: Path) -> None:
    async with azure_scene(tmp_path) as azure:
        access, below = azure.production.access, azure.production.add_resource_group("rg-web")
        access.take_back(azure.principal_id)
        group = azure.world.contoso.directory.add_group("Automation", [azure.principal_id])
        access.assign(group.id, BUILT_IN[OWNER], below)

        answer = await azure.call(f"PUT {below.path}{REQUESTS}/{named('a')}", azure.body())
        assert answer.status_code == 201
        assert await azure.refusal("b") == (403, "AuthorizationFailed")


async def test_a_new_right_works_after_a_while(tmp_path: Path) -> None:
    async with azure_scene(tmp_path, quick=False) as azure:
        azure.world.clouds.replication.set((60, 600))
        access = azure.production.access
        access.take_back(azure.principal_id)
        access.assign(azure.principal_id, BUILT_IN[OWNER], azure.production.scope, fresh=True)

        assert (await azure.call(f"GET {SCHEDULES}")).status_code == 403
        azure.world.clock.advance(timedelta(minutes=10))
        assert (await azure.call(f"GET {SCHEDULES}")).status_code == 200


async def test_subscriptions_are_those_on_which_one_holds_a_role(tmp_path: Path) -> None:
    async with azure_scene(tmp_path) as azure:
        other = azure.world.clouds.azure.add_subscription(azure.world.contoso, "Nobody's")
        azure.production.add_resource_group("rg-web")
        azure.production.access.assign(azure.principal_id, BUILT_IN[READER], azure.production.scope)
        [listed] = (await azure.call("GET /subscriptions", version="2022-12-01")).json()["value"]
        read = await azure.call(f"GET {azure.production.scope.path}", version="2022-12-01")
        [group] = (await azure.call(f"GET {azure.production.scope.path}/resourceGroups", version="2021-04-01")).json()[
            "value"
        ]

        assert listed == read.json()
        assert (listed["state"], listed["tenantId"]) == ("Enabled", CONTOSO)
        assert group["name"] == "rg-web"
        assert (await azure.call(f"GET {other.scope.path}", version="2022-12-01")).status_code == 403
        missing = await azure.call(f"GET /subscriptions/{named('none')}", version="2022-12-01")
        assert (missing.status_code, missing.json()["error"]["code"]) == (404, "SubscriptionNotFound")


async def test_role_definitions_have_their_actions(tmp_path: Path) -> None:
    async with azure_scene(tmp_path) as azure:
        chosen = await azure.call(
            f"GET {PIM}/roleDefinitions", version="2022-04-01", filter="roleName eq 'Virtual Machine Contributor'"
        )
        [role] = chosen.json()["value"]
        read = await azure.call(f"GET {azure.role()}", version="2022-04-01")
        custom = await azure.call(f"GET {PIM}/roleDefinitions", version="2022-04-01", filter="type eq 'CustomRole'")

        assert role == read.json()
        assert role["id"] == azure.role()
        assert "Microsoft.Compute/virtualMachines/*" in role["properties"]["permissions"][0]["actions"]
        assert [one["properties"]["roleName"] for one in custom.json()["value"]] == ["Tenantry"]


async def test_the_world_tells_the_app_where_azure_is_and_gives_it_its_role(world: World) -> None:
    subscription = managed_subscription(world.clouds, world.contoso, "Production")

    values = world.core_tools_settings()["Values"]
    assert isinstance(values, dict)
    assert values["TENANTRY_ARM_ENDPOINT"] == world.clouds.arm
    [assignment] = subscription.access.assignments.values()
    assert "Microsoft.Authorization/roleEligibilityScheduleRequests/write" in assignment.role.actions
    assert assignment.principal_type == "ServicePrincipal"
