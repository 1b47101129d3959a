"""Provisioning on demand and its log (sections 3.5 and 3.7)."""

from pathlib import Path
from typing import Any

import pytest

from tests.world.clouds_scene import CONTOSO, scene
from tests.world.sync_scene import on_demand, refusal, status, trusted


async def test_on_demand_creates_once_and_then_finds_nothing_to_do(tmp_path: Path) -> None:
    async with scene(tmp_path) as world:
        trusted(world)
        sync = await world.synchronization(assigned=[world.ana.object_id])

        first, second = [await on_demand(world, sync, world.ana.object_id) for _ in range(2)]

        assert (first["statusInfo"]["status"], second["statusInfo"]["status"]) == ("Success", "Skipped")
        assert second["provisioningSteps"][-1]["details"]["SkipReason"] == "RedundantExport"
        assert first["targetIdentity"]["id"] == second["targetIdentity"]["id"]


async def test_those_out_of_scope_are_skipped_with_the_reason(tmp_path: Path) -> None:
    async with scene(tmp_path) as world:
        trusted(world)
        sync = await world.synchronization(assigned=[world.gina.object_id])

        unassigned = await on_demand(world, sync, world.ana.object_id)
        guest = await on_demand(world, sync, world.gina.object_id)

        assert unassigned["statusInfo"]["errorCode"] == "NotEffectivelyEntitled"
        assert guest["statusInfo"]["errorCode"] == "NotInScope"
        assert all(user.source is None for user in world.fabrikam.directory.users.values())


async def test_a_tenant_that_allows_no_invitations_gets_no_account(tmp_path: Path) -> None:
    async with scene(tmp_path) as world:
        trusted(world)
        world.fabrikam.policies.allow_invites_from = "none"
        sync = await world.synchronization(assigned=[world.ana.object_id])

        told = await on_demand(world, sync, world.ana.object_id)

        assert told["statusInfo"]["errorCode"] == "AzureActiveDirectoryForbidden"
        assert "Guest invitations not allowed" in told["statusInfo"]["reason"]


async def test_a_guest_stays_a_guest_and_an_open_invitation_is_repaired(tmp_path: Path) -> None:
    async with scene(tmp_path) as world:
        trusted(world)
        ana = world.contoso.directory.users[world.ana.object_id]
        guest = world.fabrikam.directory.add_external(
            ana, CONTOSO, kind="Guest", made_at=None, state="PendingAcceptance"
        )
        sync = await world.synchronization(assigned=[ana.id])

        told = await on_demand(world, sync, ana.id)

        assert told["targetIdentity"]["id"] == guest.id
        assert (guest.user_type, guest.external_user_state) == ("Guest", "Accepted")


async def test_on_demand_answers_five_in_ten_seconds(tmp_path: Path) -> None:
    async with scene(tmp_path) as world:
        trusted(world)
        sync = await world.synchronization(assigned=[world.ana.object_id])
        for _ in range(5):
            await on_demand(world, sync, world.ana.object_id)

        line = f"POST {sync.base}/jobs/{sync.job}/provisionOnDemand"
        refused = await world.graph(CONTOSO, line, world.subject(sync, world.ana.object_id))
        assert refused.status_code == 429
        world.clock.advance(int(refused.headers["Retry-After"]))
        await on_demand(world, sync, world.ana.object_id)


async def test_a_wrong_rule_is_named(tmp_path: Path) -> None:
    async with scene(tmp_path) as world:
        sync = await world.synchronization()
        sync.rule = "no-such-rule"
        line = f"POST {sync.base}/jobs/{sync.job}/provisionOnDemand"

        assert await refusal(world, line, world.subject(sync, world.ana.object_id)) == (400, "RequestParameterInvalid")


async def test_losing_scope_deletes_the_account_at_the_next_cycle(tmp_path: Path) -> None:
    async with scene(tmp_path) as world:
        trusted(world)
        sync = await world.synchronization(assigned=[world.ana.object_id])
        await world.made(CONTOSO, f"POST {sync.base}/jobs/{sync.job}/start")
        account = (await on_demand(world, sync, world.ana.object_id))["targetIdentity"]["id"]
        world.clock.advance(3600)
        await status(world, sync)
        [held] = world.contoso.applications.assigned_to(sync.principal)
        world.contoso.applications.unassign(held.id)

        world.clock.advance(3600)
        await status(world, sync)

        assert account in world.fabrikam.directory.deleted_users


async def test_the_log_comes_late_is_filtered_and_may_be_asked_five_times(tmp_path: Path) -> None:
    async with scene(tmp_path) as world:
        trusted(world)
        sync = await world.synchronization(assigned=[world.ana.object_id])
        account = (await on_demand(world, sync, world.ana.object_id))["targetIdentity"]["id"]
        line = f"GET /auditLogs/provisioning?$filter=jobId eq '{sync.job}'"

        assert (await world.made(CONTOSO, line))["value"] == []
        world.clock.advance(180)
        [entry] = (await world.made(CONTOSO, line))["value"]
        assert (entry["targetIdentity"]["id"], entry["provisioningStatusInfo"]["status"]) == (account, "success")
        other = f"GET /auditLogs/provisioning?$filter=tolower(servicePrincipal/id) eq '{sync.principal}'&$top=5"
        for _ in range(3):
            assert len((await world.made(CONTOSO, other))["value"]) == 1
            world.clock.advance(1)
        assert (await world.made(CONTOSO, other))["value"]
        assert (await refusal(world, other))[0] == 429


async def test_the_log_is_filtered_by_case(tmp_path: Path) -> None:
    async with scene(tmp_path) as world:
        trusted(world)
        sync = await world.synchronization(assigned=[world.ana.object_id])
        await on_demand(world, sync, world.ana.object_id)
        world.clock.advance(180)
        shouted = sync.principal.upper()

        for condition in (f"servicePrincipal/id eq '{shouted}'", f"tolower(servicePrincipal/id) eq '{shouted}'"):
            assert (await world.made(CONTOSO, f"GET /auditLogs/provisioning?$filter={condition}"))["value"] == []


@pytest.mark.parametrize(
    ("flipped", "check"),
    [
        ("on-demand-result-has-target-id", lambda told: told["targetIdentity"]["id"] is None),
        ("synced-user-accepted", lambda told: told["statusInfo"]["status"] == "Success"),
    ],
)
async def test_the_open_questions_of_on_demand(tmp_path: Path, flipped: str, check: Any) -> None:
    async with scene(tmp_path, flipped=[flipped]) as world:
        trusted(world)
        sync = await world.synchronization(assigned=[world.ana.object_id])

        assert check(await on_demand(world, sync, world.ana.object_id))
