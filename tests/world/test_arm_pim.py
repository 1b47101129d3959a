"""Eligibilities for Azure roles: who, how long, extended, renewed, removed, seen (section 3 of the Azure contract)."""

from datetime import timedelta
from pathlib import Path

import pytest

from tests.sandbox.arm.models.roles import OWNER
from tests.world.arm_scene import INSTANCES, REQUESTS, SCHEDULES, azure_scene, moment, named


async def test_a_group_is_made_eligible_and_listed_with_its_end(tmp_path: Path) -> None:
    async with azure_scene(tmp_path) as azure:
        made = await azure.ask("first")
        [schedule] = await azure.listed(SCHEDULES)
        [instance] = await azure.listed(INSTANCES)

        assert (made["status"], made["principalType"]) == ("Provisioned", "Group")
        assert schedule["name"] == made["targetRoleEligibilityScheduleId"]
        assert schedule["properties"]["roleDefinitionId"] == azure.role()
        assert schedule["properties"]["endDateTime"][:10] == "2026-08-29"
        assert instance["properties"]["roleEligibilityScheduleId"] == schedule["id"]
        assert instance["properties"]["memberType"] == "Direct"
        assert (await azure.refusal("second")) == (400, "RoleAssignmentExists")
        assert azure.world.clouds.violations == []


async def test_the_same_name_again_is_a_conflict_and_can_be_read(tmp_path: Path) -> None:
    async with azure_scene(tmp_path) as azure:
        await azure.ask("first")

        assert (await azure.refusal("first"))[0] == 409
        found = await azure.call(f"GET {REQUESTS}/{named('first')}")
        assert found.json()["properties"]["requestorId"] == azure.principal_id
        assert (await azure.call(f"GET {REQUESTS}/{named('never')}")).status_code == 404


async def test_an_extension_puts_a_new_schedule_in_the_old_ones_place(tmp_path: Path) -> None:
    async with azure_scene(tmp_path) as azure:
        before = await azure.ask("first", days=10)
        azure.world.clock.advance(timedelta(days=5))
        after = await azure.ask("second", days=175, requestType="AdminExtend")

        [schedule] = await azure.listed(SCHEDULES)
        assert schedule["name"] == after["targetRoleEligibilityScheduleId"]
        assert schedule["name"] != before["targetRoleEligibilityScheduleId"]
        assert schedule["properties"]["startDateTime"][:10] == "2026-03-02"
        assert schedule["properties"]["endDateTime"][:10] == "2026-08-29"


async def test_the_schedule_stays_where_the_switch_says_so(tmp_path: Path) -> None:
    async with azure_scene(tmp_path, flipped=["arm-extension-keeps-schedule"]) as azure:
        before = await azure.ask("first", days=10)
        after = await azure.ask("second", requestType="AdminExtend")

        assert after["targetRoleEligibilityScheduleId"] == before["targetRoleEligibilityScheduleId"]
        [schedule] = await azure.listed(SCHEDULES)
        assert schedule["properties"]["endDateTime"][:10] == "2026-08-29"


async def test_what_an_extension_names_must_be_what_it_extends(tmp_path: Path) -> None:
    async with azure_scene(tmp_path, flipped=["arm-extend-names-schedule"]) as azure:
        made = await azure.ask("first", days=10)
        held = made["targetRoleEligibilityScheduleId"]
        path = f"{azure.production.scope.path}{SCHEDULES}/{held}"

        assert (await azure.refusal("a", requestType="AdminExtend"))[1] == "InvalidRoleAssignmentRequest"
        wrong = await azure.refusal("b", requestType="AdminExtend", targetRoleEligibilityScheduleId=named("x"))
        assert wrong == (400, "RoleAssignmentDoesNotExist")
        await azure.ask("c", requestType="AdminExtend", targetRoleEligibilityScheduleId=path)


async def test_an_eligibility_ends_by_itself_and_can_be_renewed_for_a_month(tmp_path: Path) -> None:
    async with azure_scene(tmp_path) as azure:
        await azure.ask("first", days=10)

        azure.world.clock.advance(timedelta(days=11))
        assert (await azure.listed(INSTANCES), await azure.listed(SCHEDULES)) == ([], [])
        assert await azure.refusal("a", requestType="AdminExtend") == (400, "RoleAssignmentDoesNotExist")
        await azure.ask("b", days=10, requestType="AdminRenew")

        azure.world.clock.advance(timedelta(days=41))
        assert await azure.refusal("c", requestType="AdminRenew") == (400, "RoleAssignmentDoesNotExist")
        await azure.ask("d")


async def test_renewing_an_active_one_and_extending_early_may_be_refused(tmp_path: Path) -> None:
    flipped = ["arm-renew-needs-expired", "arm-extend-window-enforced"]
    async with azure_scene(tmp_path, flipped=flipped) as azure:
        await azure.ask("first", days=20)

        assert await azure.refusal("a", requestType="AdminRenew") == (400, "RoleAssignmentExists")
        assert await azure.refusal("b", requestType="AdminExtend") == (400, "InvalidRoleAssignmentRequest")
        await azure.ask("c", days=13, requestType="AdminUpdate")
        await azure.ask("d", requestType="AdminExtend")


async def test_removing_ends_it_and_a_second_time_there_is_nothing_to_remove(tmp_path: Path) -> None:
    async with azure_scene(tmp_path) as azure:
        await azure.ask("first")
        assert await azure.refusal("early", requestType="AdminRemove") == (400, "ActiveDurationTooShort")

        azure.world.clock.advance(timedelta(minutes=6))
        assert (await azure.ask("second", requestType="AdminRemove", scheduleInfo=None))["status"] == "Revoked"
        assert await azure.listed(SCHEDULES) == []
        assert await azure.refusal("third", requestType="AdminRemove") == (400, "RoleAssignmentDoesNotExist")
        assert await azure.refusal("fourth", requestType="AdminRenew") == (400, "RoleAssignmentDoesNotExist")


async def test_a_permanent_one_has_no_end_and_cannot_be_extended(tmp_path: Path) -> None:
    async with azure_scene(tmp_path) as azure:
        azure.production.eligible(azure.engineers.id, end=None)

        [schedule] = await azure.listed(SCHEDULES)
        assert "endDateTime" not in schedule["properties"]
        assert await azure.refusal("a", requestType="AdminExtend") == (400, "InvalidRoleAssignmentRequest")


async def test_what_a_person_removed_or_asked_for_is_told_by_requests(tmp_path: Path) -> None:
    async with azure_scene(tmp_path) as azure:
        ana, until = azure.world.ana.object_id, azure.world.clock.now() + timedelta(days=90)
        azure.production.eligible(ana, end=until)
        azure.production.removed_by_a_person(ana)
        waiting = azure.production.asked_by_a_person(azure.engineers.id, end=until)

        told = {one["properties"]["requestType"]: one["properties"] for one in await azure.listed(REQUESTS)}
        assert (told["AdminRemove"]["status"], told["AdminRemove"]["principalId"]) == ("Revoked", ana)
        assert told["SelfExtend"]["status"] == "PendingAdminDecision"
        assert await azure.listed(SCHEDULES) == []
        assert await azure.refusal("a") == (400, "PendingRoleAssignmentRequest")
        azure.production.decide(waiting)
        await azure.ask("b")


async def test_an_approved_request_of_a_person_takes_effect(tmp_path: Path) -> None:
    async with azure_scene(tmp_path) as azure:
        now = azure.world.clock.now()
        azure.production.eligible(azure.engineers.id, end=now + timedelta(days=5))
        waiting = azure.production.asked_by_a_person(azure.engineers.id, end=now + timedelta(days=50))

        azure.production.decide(waiting, "Provisioned")

        [schedule] = await azure.listed(SCHEDULES)
        assert schedule["properties"]["endDateTime"] == moment(now + timedelta(days=50))


async def test_who_cannot_be_eligible_is_refused(tmp_path: Path) -> None:
    async with azure_scene(tmp_path) as azure:
        assert await azure.refusal("a", principalId=named("nobody")) == (400, "PrincipalNotFound")
        assert await azure.refusal("b", principalId=azure.principal_id) == (400, "InvalidRoleAssignmentRequest")
        assert await azure.refusal("c", roleDefinitionId=azure.role(named("role"))) == (400, "RoleNotFound")
        assert await azure.refusal("d", requestType="SelfExtend") == (400, "InvalidRoleAssignmentRequest")
        await azure.ask("e", roleDefinitionId=azure.role(OWNER), principalId=azure.world.ana.object_id)


async def test_validating_checks_and_stores_nothing(tmp_path: Path) -> None:
    async with azure_scene(tmp_path) as azure:
        answer = await azure.call(f"POST {REQUESTS}/{named('first')}/validate", azure.body())

        assert answer.status_code == 200
        assert (azure.production.pim.requests, azure.production.pim.schedules) == ({}, {})


@pytest.mark.parametrize("flipped", [False, True])
async def test_a_lock_refuses_at_once_or_fails_the_request(tmp_path: Path, *, flipped: bool) -> None:
    async with azure_scene(tmp_path, flipped=["arm-lock-fails-the-request"] if flipped else []) as azure:
        azure.production.pim.locked = True

        if flipped:
            assert (await azure.ask("first"))["status"] == "FailedAsResourceIsLocked"
        else:
            assert await azure.refusal("first") == (409, "ResourceIsLocked")
        assert await azure.listed(SCHEDULES) == []


async def test_impossible_windows_are_refused(tmp_path: Path) -> None:
    async with azure_scene(tmp_path) as azure:
        past = {"expiration": {"type": "AfterDateTime", "endDateTime": "2026-01-01T00:00:00Z"}}
        brief = {"expiration": {"type": "AfterDuration", "duration": "PT4M"}}

        assert (await azure.refusal("a", scheduleInfo=past))[1] == "InvalidRoleAssignmentRequestSchedule"
        assert (await azure.refusal("b", scheduleInfo=brief))[1] == "ActiveDurationTooShort"
        assert azure.world.clouds.violations == []
        windows: tuple[dict[str, object], ...] = (
            {"expiration": {"type": "AfterDuration", "duration": "180 days, 0:00:00"}},
            {"expiration": {"type": "NoExpiration", "duration": "P1D"}},
            {"expiration": {"type": "afterDuration", "duration": "P1D"}},
            {"expiration": {}},
            {"startDateTime": "2026-03-02T08:00:00", "expiration": {"type": "NoExpiration"}},
        )
        for bad in windows:
            assert (await azure.refusal("c", scheduleInfo=bad))[0] == 400
        assert len(azure.world.clouds.violations) == 5


async def test_a_condition_is_kept(tmp_path: Path) -> None:
    async with azure_scene(tmp_path) as azure:
        await azure.ask("first", condition="@Resource[x] StringEquals 'y'", conditionVersion="2.0")

        [found] = await azure.listed(SCHEDULES)
        assert found["properties"]["conditionVersion"] == "2.0"
