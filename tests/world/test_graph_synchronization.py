"""Jobs: credentials, states, cycles, quarantine, and the open questions about them (sections 3.2 and 3.6)."""

import json
from pathlib import Path

import pytest

from tests.sandbox.graph.models.jobs import Problem
from tests.world.clouds_scene import CONTOSO, scene
from tests.world.sync_scene import CREDENTIALS, REDEMPTION, refusal, status, trusted


@pytest.mark.parametrize("missing", ["inbound", "outbound"])
async def test_credentials_fail_while_redemption_is_missing_on_one_side(tmp_path: Path, missing: str) -> None:
    async with scene(tmp_path) as world:
        sync = await world.synchronization()
        trusted(world, **{missing: False})

        assert await refusal(world, f"POST {sync.base}/jobs/validateCredentials", CREDENTIALS) == (400, REDEMPTION)
        trusted(world)
        await world.made(CONTOSO, f"POST {sync.base}/jobs/validateCredentials", CREDENTIALS)


async def test_credentials_fail_before_inbound_synchronization_is_allowed(tmp_path: Path) -> None:
    async with scene(tmp_path) as world:
        sync = await world.synchronization()
        trusted(world, sync=False)

        code = (await refusal(world, f"POST {sync.base}/jobs/validateCredentials", CREDENTIALS))[1]

        assert code == "AzureActiveDirectoryCrossTenantSyncPolicyCheckFailure"


async def test_a_started_job_shows_a_failure_of_the_year_one_until_its_first_cycle_ended(tmp_path: Path) -> None:
    async with scene(tmp_path) as world:
        trusted(world)
        sync = await world.synchronization(assigned=[world.ana.object_id])
        assert (await status(world, sync))["code"] == "Paused"
        await world.made(CONTOSO, f"POST {sync.base}/jobs/{sync.job}/start")
        await world.made(CONTOSO, f"POST {sync.base}/jobs/{sync.job}/start")

        fresh = await status(world, sync)
        assert (fresh["code"], fresh["lastExecution"]["state"]) == ("NotRun", "Failed")
        assert fresh["lastExecution"]["timeBegan"] == fresh["steadyStateFirstAchievedTime"] == "0001-01-01T00:00:00Z"
        world.clock.advance(40 * 60)
        steady = await status(world, sync)
        assert (steady["code"], steady["lastExecution"]["state"]) == ("Active", "Succeeded")
        assert world.fabrikam.directory.counterpart(CONTOSO, world.ana.object_id) is not None
        assert world.contoso.jobs.jobs[sync.job].starts == 1


async def test_a_job_without_secrets_does_not_start(tmp_path: Path) -> None:
    async with scene(tmp_path) as world:
        sync = await world.synchronization()
        world.contoso.applications.principals[sync.principal].secrets.clear()

        assert await refusal(world, f"POST {sync.base}/jobs/{sync.job}/start") == (400, "CredentialsMissing")


async def test_a_lost_policy_leads_to_quarantine_and_after_weeks_to_a_disabled_job(tmp_path: Path) -> None:
    async with scene(tmp_path) as world:
        trusted(world)
        sync = await world.synchronization(assigned=[world.ana.object_id])
        await world.made(CONTOSO, f"POST {sync.base}/jobs/{sync.job}/start")
        trusted(world, inbound=False)

        world.clock.advance(3600)
        held = await status(world, sync)
        assert (held["code"], held["quarantine"]["reason"]) == ("Quarantine", "EncounteredQuarantineException")
        assert held["quarantine"]["error"]["code"] == REDEMPTION
        trusted(world)
        await world.made(CONTOSO, f"POST {sync.base}/jobs/{sync.job}/start")
        assert (await status(world, sync))["quarantine"] is not None
        scope = {"criteria": {"resetScope": "Watermark, Escrows, QuarantineState"}}
        await world.made(CONTOSO, f"POST {sync.base}/jobs/{sync.job}/restart", scope)
        assert (await status(world, sync))["quarantine"] is None

        world.contoso.jobs.quarantine(world.contoso.jobs.jobs[sync.job], Problem(code="Broken", message="It is."))
        world.clock.advance(30 * 86400)
        job = await world.made(CONTOSO, f"GET {sync.base}/jobs/{sync.job}")
        assert job["schedule"]["state"] == "Disabled"


async def test_the_other_answers_to_the_open_questions(tmp_path: Path) -> None:
    flipped = [
        "second-job-post",
        "start-on-running-job",
        "on-demand-needs-started-job",
        "on-demand-value-is-object",
        "provisioning-log-filter-jobid-refused",
        "app-role-value-is-null",
        "policy-check-code",
    ]
    async with scene(tmp_path, flipped=flipped) as world:
        sync = await world.synchronization(assigned=[world.ana.object_id])
        job = f"{sync.base}/jobs/{sync.job}"
        trusted(world, inbound=False)
        assert (
            "CrossTenantSyncPolicy"
            in (await refusal(world, f"POST {sync.base}/jobs/validateCredentials", CREDENTIALS))[1]
        )
        trusted(world)

        assert (await refusal(world, f"POST {sync.base}/jobs", {"templateId": "Azure2Azure"}))[0] == 409
        subject = world.subject(sync, world.ana.object_id)
        assert (await refusal(world, f"POST {job}/provisionOnDemand", subject))[0] == 400
        await world.made(CONTOSO, f"POST {job}/start")
        assert (await refusal(world, f"POST {job}/start"))[0] == 409
        told = await world.made(CONTOSO, f"POST {job}/provisionOnDemand", subject)
        assert isinstance(json.loads(told["value"]), dict)
        assert (await refusal(world, f"GET /auditLogs/provisioning?$filter=jobId eq '{sync.job}'"))[0] == 400
        principal = await world.made(CONTOSO, f"GET /servicePrincipals/{sync.principal}")
        assert [(role["value"], role["displayName"]) for role in principal["appRoles"]] == [(None, "msiam_access")]
        assert world.clouds.violations == []
