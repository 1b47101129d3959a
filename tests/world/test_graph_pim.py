"""Eligibilities: who, how long, extended, renewed, removed, seen (section 6 of the Graph contract)."""

from datetime import timedelta
from pathlib import Path

from tests.sandbox.graph.models.pim_records import PRIVILEGED_ROLE_ADMINISTRATOR
from tests.world.clouds_scene import CONTOSO, FABRIKAM, REQUESTS, TARGET_APP, scene
from tests.world.pim_scene import INSTANCES, PERMANENT, SCHEDULES, account, ask, refusal, until


async def test_assigning_twice_is_refused_and_removing_ends_it(tmp_path: Path) -> None:
    async with scene(tmp_path) as world:
        ana = account(world)
        made = await ask(world, ana)

        assert made["targetScheduleId"] == made["id"]
        assert (await refusal(world, ana))[:2] == (400, "RoleAssignmentExists")
        assert (await ask(world, ana, action="adminRemove"))["status"] == "Revoked"
        assert (await world.made(FABRIKAM, SCHEDULES))["value"] == []
        assert (await refusal(world, ana, action="adminRemove"))[1] == "RoleAssignmentDoesNotExist"


async def test_validation_only_checks_and_stores_nothing(tmp_path: Path) -> None:
    async with scene(tmp_path) as world:
        ana = account(world)

        await ask(world, ana, isValidationOnly=True)

        assert world.fabrikam.pim.of(ana) is None
        assert world.fabrikam.pim.requests == {}


async def test_a_schedule_has_no_end_at_the_top_but_an_instance_has(tmp_path: Path) -> None:
    async with scene(tmp_path) as world:
        ana = account(world)
        await ask(world, ana, scheduleInfo=PERMANENT)

        [schedule] = (await world.made(FABRIKAM, f"{SCHEDULES}?$filter=principalId eq '{ana}'"))["value"]
        [instance] = (await world.made(FABRIKAM, f"{INSTANCES}?$filter=memberType ne 'Group'"))["value"]

        assert "endDateTime" not in schedule
        assert instance["endDateTime"] is None
        assert instance["roleEligibilityScheduleId"] == schedule["id"]


async def test_an_eligibility_ends_by_itself_and_can_be_renewed_for_a_month(tmp_path: Path) -> None:
    async with scene(tmp_path) as world:
        ana = account(world)
        await ask(world, ana, scheduleInfo=until(10))

        world.clock.advance(timedelta(days=11))
        assert (await world.made(FABRIKAM, INSTANCES))["value"] == []
        assert (await refusal(world, ana, action="adminExtend", scheduleInfo=until(10)))[1] == (
            "RoleAssignmentDoesNotExist"
        )
        await ask(world, ana, action="adminRenew", scheduleInfo=until(10))
        world.clock.advance(timedelta(days=41))
        assert (await refusal(world, ana, action="adminRenew", scheduleInfo=until(1)))[1] == (
            "RoleAssignmentDoesNotExist"
        )
        await ask(world, ana, scheduleInfo=until(10))


async def test_extending_moves_the_end_and_readers_see_it_later(tmp_path: Path) -> None:
    async with scene(tmp_path, quick=False) as world:
        ana = account(world)
        end = world.clock.now() + timedelta(days=5)
        world.fabrikam.pim.grant(ana, end=end)
        world.clouds.replication.set((60.0, 600.0))

        await ask(world, ana, action="adminExtend", scheduleInfo=until(100))

        [old] = (await world.made(FABRIKAM, INSTANCES))["value"]
        world.clock.advance(600)
        [new] = (await world.made(FABRIKAM, INSTANCES))["value"]
        assert old["endDateTime"] < new["endDateTime"]
        assert old["startDateTime"] == new["startDateTime"]


async def test_the_portals_window_may_hold_for_the_api(tmp_path: Path) -> None:
    async with scene(tmp_path, flipped=["extend-window-enforced", "renew-needs-expired"]) as world:
        ana = account(world)
        schedule = world.fabrikam.pim.grant(ana, end=world.clock.now() + timedelta(days=20))

        assert (await refusal(world, ana, action="adminExtend", scheduleInfo=until(100)))[0] == 400
        assert (await refusal(world, ana, action="adminRenew", scheduleInfo=until(100)))[1] == "RoleAssignmentExists"
        world.clock.advance(timedelta(days=7))
        await ask(world, ana, action="adminExtend", scheduleInfo=until(100))
        assert schedule.end is not None
        assert schedule.end > world.clock.now() + timedelta(days=90)


async def test_a_fresh_account_reaches_pim_last(tmp_path: Path) -> None:
    for flipped, status in (((), 404), (("subject-not-found-is-400",), 400)):
        async with scene(tmp_path / str(status), quick=False, flipped=flipped) as world:
            ana = account(world)
            world.fabrikam.directory.users[ana].made_at = world.clock.now()
            world.clouds.replication.set((60.0, 600.0))

            world.clock.advance(601)
            assert (await world.graph(FABRIKAM, f"GET /users/{ana}")).is_success
            world.fabrikam.directory.users[ana].made_at = world.clock.now()
            assert (await refusal(world, ana))[:2] == (status, "SubjectNotFound")
            world.clock.advance(661)
            await ask(world, ana)


async def test_only_users_and_role_assignable_groups_can_be_eligible(tmp_path: Path) -> None:
    async with scene(tmp_path) as world:
        ana = account(world)
        group = world.fabrikam.directory.add_group("SOC", [ana])
        principal = world.fabrikam.applications.by_app_id(TARGET_APP)
        assert principal is not None

        assert (await refusal(world, group.id))[1] == "InvalidRoleAssignmentRequest"
        assert (await refusal(world, principal.id))[1] == "InvalidRoleAssignmentRequest"
        assert (await refusal(world, ana, roleDefinitionId=CONTOSO))[1] == "RoleNotFound"
        group.is_assignable_to_role = True
        await ask(world, group.id)

        rows = (await world.made(FABRIKAM, INSTANCES))["value"]
        assert {(row["principalId"], row["memberType"]) for row in rows} == {(group.id, "Direct"), (ana, "Group")}


async def test_the_directory_role_may_be_needed(tmp_path: Path) -> None:
    async with scene(tmp_path, flipped=["eligibility-needs-directory-role"]) as world:
        ana = account(world)
        assert (await refusal(world, ana))[0] == 403

        principal = world.fabrikam.applications.by_app_id(TARGET_APP)
        assert principal is not None
        world.fabrikam.pim.directory_roles.add((principal.id, PRIVILEGED_ROLE_ADMINISTRATOR))
        await ask(world, ana)


async def test_an_answer_may_be_pending_and_then_blocks_the_next_request(tmp_path: Path) -> None:
    async with scene(tmp_path, quick=False, flipped=["eligibility-answers-pending"]) as world:
        ana = account(world)
        world.clouds.replication.set((60.0, 600.0))
        made = await ask(world, ana)

        assert made["status"] == "PendingProvisioning"
        assert (await refusal(world, ana, action="adminUpdate"))[1] == "PendingRoleAssignmentRequest"
        world.clock.advance(600)
        assert (await world.made(FABRIKAM, f"GET {REQUESTS}/{made['id']}"))["status"] == "Provisioned"


async def test_a_future_start_waits_can_be_cancelled_and_old_requests_are_gone(tmp_path: Path) -> None:
    async with scene(tmp_path) as world:
        ana = account(world)
        later = {"startDateTime": "2026-03-20T00:00:00Z", "expiration": {"type": "noExpiration"}}
        made = await ask(world, ana, scheduleInfo=later)

        assert made["status"] == "Granted"
        assert (await world.made(FABRIKAM, INSTANCES))["value"] == []
        await world.made(FABRIKAM, f"POST {REQUESTS}/{made['id']}/cancel")
        assert world.fabrikam.pim.of(ana) is None
        kept = await ask(world, ana)
        assert (await world.graph(FABRIKAM, f"POST {REQUESTS}/{kept['id']}/cancel")).status_code == 400
        world.clock.advance(timedelta(days=46))
        assert (await world.graph(FABRIKAM, f"GET {REQUESTS}/{kept['id']}")).status_code == 404
        assert (await world.made(FABRIKAM, f"{SCHEDULES}/{kept['id']}"))["status"] == "Provisioned"
