"""What the lists of eligibilities and requests show, of which scope, and when (section 3.1 of the Azure contract)."""

from datetime import timedelta
from pathlib import Path

import pytest

from tests.sandbox.arm.models.roles import VM_CONTRIBUTOR
from tests.sandbox.arm.models.scope import management_group
from tests.world.arm_scene import INSTANCES, PIM, REQUESTS, SCHEDULES, azure_scene, moment, named


async def test_lapsed_ones_stay_listed_as_schedules_where_the_switch_says_so(tmp_path: Path) -> None:
    async with azure_scene(tmp_path, flipped=["arm-lapsed-schedules-stay-listed"]) as azure:
        await azure.ask("first", days=10)

        azure.world.clock.advance(timedelta(days=11))
        [lapsed] = await azure.listed(SCHEDULES)
        assert lapsed["properties"]["endDateTime"][:10] == "2026-03-12"
        assert await azure.listed(INSTANCES) == []
        azure.world.clock.advance(timedelta(days=30))
        assert await azure.listed(SCHEDULES) == []


async def test_requests_are_forgotten_and_schedules_are_not(tmp_path: Path) -> None:
    async with azure_scene(tmp_path) as azure:
        await azure.ask("first")

        azure.world.clock.advance(timedelta(days=46))

        assert (await azure.call(f"GET {REQUESTS}/{named('first')}")).status_code == 404
        assert await azure.listed(REQUESTS) == []
        assert len(await azure.listed(SCHEDULES)) == 1


@pytest.mark.parametrize("role", [VM_CONTRIBUTOR, f"{PIM}/roleDefinitions/{VM_CONTRIBUTOR}"])
async def test_a_role_of_the_wrong_form_is_accepted_and_never_shows_up(tmp_path: Path, role: str) -> None:
    async with azure_scene(tmp_path) as azure:
        made = await azure.ask("first", roleDefinitionId=role)

        assert made["status"] == "Provisioned"
        assert (await azure.listed(SCHEDULES), await azure.listed(REQUESTS)) == ([], [])
        assert len(azure.world.clouds.violations) == 1


async def test_an_eligibility_below_is_listed_without_a_filter_and_ruled_by_its_own_policy(tmp_path: Path) -> None:
    async with azure_scene(tmp_path) as azure:
        below = azure.production.add_resource_group("rg-web")
        azure.production.pim.policy().longest("P15D")
        answer = await azure.call(f"PUT {below.path}{REQUESTS}/{named('below')}", azure.body())

        assert answer.status_code == 201, answer.text
        [found] = await azure.listed(SCHEDULES)
        assert found["properties"]["scope"] == below.path
        assert await azure.listed(SCHEDULES, filter="atScope()") == []
        assert len(await azure.listed(f"{below.path}{SCHEDULES}", filter="atScope()")) == 1
        assert (
            await azure.call(f"GET {azure.production.scope.path}/resourceGroups/none{SCHEDULES}")
        ).status_code == 404


async def test_what_a_management_group_holds_is_inherited_and_not_listed_without_a_filter(tmp_path: Path) -> None:
    async with azure_scene(tmp_path) as azure:
        until, above = azure.world.clock.now() + timedelta(days=9), management_group("contoso-root")
        azure.production.eligible(azure.engineers.id, end=until, scope=above)

        [found] = await azure.listed(INSTANCES, filter="atScope()")
        [same] = await azure.listed(INSTANCES, filter=f"principalId eq '{azure.engineers.id}'")

        assert found == same
        assert (found["properties"]["memberType"], found["properties"]["scope"]) == ("Inherited", above.path)
        assert found["properties"]["roleDefinitionId"] == f"{PIM}/roleDefinitions/{VM_CONTRIBUTOR}"
        assert await azure.listed(INSTANCES) == []
        assert await azure.refusal("a", requestType="AdminExtend") == (400, "RoleAssignmentDoesNotExist")
        assert (await azure.ask("b"))["status"] == "Provisioned"


async def test_filters_choose_by_principal_group_or_caller(tmp_path: Path) -> None:
    async with azure_scene(tmp_path) as azure:
        ana, group = azure.world.ana.object_id, azure.engineers.id
        await azure.ask("first")

        assert await azure.listed(SCHEDULES, filter=f"principalId eq '{ana}'") == []
        [mine] = await azure.listed(INSTANCES, filter=f"assignedTo('{ana}')")
        assert (mine["properties"]["memberType"], mine["properties"]["principalId"]) == ("Group", ana)
        assert len(await azure.listed(SCHEDULES, filter=f"principalId eq '{group}'")) == 1
        assert await azure.listed(SCHEDULES, filter="asTarget()") == []
        assert len(await azure.listed(REQUESTS, filter="asRequestor()")) == 1
        assert await azure.listed(REQUESTS, filter="asApprover()") == []


async def test_members_of_a_group_are_listed_where_the_switch_says_so(tmp_path: Path) -> None:
    async with azure_scene(tmp_path, flipped=["arm-lists-show-group-members"]) as azure:
        await azure.ask("first")

        kinds = [one["properties"]["memberType"] for one in await azure.listed(INSTANCES)]
        assert kinds == ["Direct", "Group"]


async def test_a_list_has_pages(tmp_path: Path) -> None:
    async with azure_scene(tmp_path) as azure:
        for _ in range(5):
            person = azure.world.contoso.directory.add_user("x@contoso.com", "X")
            azure.production.eligible(person.id, end=azure.world.clock.now() + timedelta(days=1))
        azure.world.clouds.azure.page = 2

        seen, link, headers = 0, "", {"Authorization": f"Bearer {await azure.token()}"}
        answer = (await azure.call(f"GET {SCHEDULES}")).json()
        for _ in range(5):
            seen += len(answer["value"])
            link = answer.get("nextLink", "")
            if not link:
                break
            answer = (await azure.world.client.get(link, headers=headers)).json()

        assert (seen, link) == (5, "")


async def test_a_fresh_group_is_unknown_to_pim_for_a_while(tmp_path: Path) -> None:
    async with azure_scene(tmp_path, quick=False, flipped=["arm-unknown-principal-is-subject"]) as azure:
        azure.engineers.made_at = azure.world.clock.now()

        assert await azure.refusal("a") == (400, "SubjectNotFound")
        azure.world.clock.advance(timedelta(minutes=2))
        await azure.ask("a")


async def test_new_ones_are_listed_later_and_the_old_one_until_then(tmp_path: Path) -> None:
    async with azure_scene(tmp_path, quick=False) as azure:
        azure.world.clouds.replication.set((60, 600))
        first = azure.production.eligible(azure.engineers.id, end=azure.world.clock.now() + timedelta(days=5))

        made = await azure.ask("first", requestType="AdminExtend")
        assert [one["name"] for one in await azure.listed(SCHEDULES)] == [first.id]
        azure.world.clock.advance(timedelta(minutes=11))
        assert [one["name"] for one in await azure.listed(SCHEDULES)] == [made["targetRoleEligibilityScheduleId"]]


async def test_an_answer_may_come_before_its_effect(tmp_path: Path) -> None:
    async with azure_scene(tmp_path, quick=False, flipped=["arm-requests-answer-pending"]) as azure:
        azure.world.clouds.replication.set((60, 600))

        assert (await azure.ask("first"))["status"] == "PendingProvisioning"
        assert await azure.refusal("second", requestType="AdminUpdate") == (400, "PendingRoleAssignmentRequest")
        azure.world.clock.advance(timedelta(minutes=11))
        found = await azure.call(f"GET {REQUESTS}/{named('first')}")
        assert found.json()["properties"]["status"] == "Provisioned"
        assert len(await azure.listed(SCHEDULES)) == 1


async def test_one_that_is_to_come_is_scheduled_not_in_force_and_can_be_cancelled(tmp_path: Path) -> None:
    async with azure_scene(tmp_path) as azure:
        start = moment(azure.world.clock.now() + timedelta(days=3))
        later = {"startDateTime": start, "expiration": {"type": "AfterDuration", "duration": "P30D"}}
        made = await azure.ask("first", scheduleInfo=later)

        assert made["status"] == "Granted"
        assert made["scheduleInfo"]["expiration"] == {"type": "AfterDuration", "endDateTime": None, "duration": "P30D"}
        assert (len(await azure.listed(SCHEDULES)), await azure.listed(INSTANCES)) == (1, [])
        cancelled = await azure.call(f"POST {REQUESTS}/{named('first')}/cancel")
        assert (cancelled.status_code, cancelled.json()["properties"]["status"]) == (200, "Canceled")
        assert await azure.listed(SCHEDULES) == []
        again = await azure.call(f"POST {REQUESTS}/{named('first')}/cancel")
        assert again.json()["error"]["code"] == "InvalidRoleAssignmentRequest"
