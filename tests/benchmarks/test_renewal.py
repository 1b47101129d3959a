"""A night of renewal over many tenants with five eligibilities each, one in sixty of which is due: calls, CPU, memory,
history, growth; and beside it what a script does that goes from tenant to tenant, in the same time.

`TENANTS=20,200 make bench` measures growth over those numbers; 20, 200 and 2,000 unless told.
"""

import os
import time
from datetime import timedelta

import httpx
import pytest

from shared.identifiers import TenantId
from shared.permissions import Registration
from tests.benchmarks.measuring import history_of, keep, measured
from tests.conftest import OpenWorld
from tests.flows.renewing import EVENING, midnight, night_after, stands_with
from tests.flows.scene import Scene
from tests.sandbox.entra.tokens import graph_claims, sign
from tests.sandbox.graph.models.pim_records import SECURITY_READER, Schedule
from tests.sandbox.population import CLIENT_IDS

pytestmark = [pytest.mark.bench, pytest.mark.timeout(7200)]

_COUNTS = [int(one) for one in os.environ.get("TENANTS", "20,200,2000").split(",")]
_EACH = 5
_ONE_IN = 60
_LATENCY = 0.05
"""Seconds that each simulated Graph call takes. Not a figure of Microsoft's."""

_LONGEST_SECONDS = 3600.0
_FAR, _NEAR = 100, 10
_IN_FORCE = "roleManagement/directory/roleEligibilityScheduleInstances"
_PERMISSIONS = ["RoleEligibilitySchedule.ReadWrite.Directory", "RoleManagement.Read.Directory", "User.Read.All"]


async def test_a_night_grows_with_the_number_of_tenants(open_world: OpenWorld) -> None:
    per_tenant: dict[int, float] = {}
    for count in _COUNTS:
        # The comparison comes later that day: only renewal is measured.
        async with Scene(await open_world(start=EVENING, settings={"TENANTRY_NIGHTLY_HOUR": "23"})) as scene:
            stands = await _stands(scene, count)
            await scene.call("GET", "/api/tenants")
            scene.world.clouds.graph_server.latency = _LATENCY
            async with measured(scene.world) as found:
                await night_after(scene, 1, seconds=_LONGEST_SECONDS)
            [used] = found
            renewed, due = _renewed(scene, stands), -(-count * _EACH // _ONE_IN)
            actions, size = history_of(scene.world, "renewal")
            per_tenant[count] = used.app_cpu_seconds / count
            by_script = await _by_script(scene, stands, used.real_seconds)

        keep(
            f"a night of renewal over {count} tenants with {_EACH} eligibilities each",
            {
                "due, and renewed": [due, renewed],
                "vendor calls per tenant": round(used.vendor_calls / count, 2),
                "store calls per tenant": round(used.store_calls / count, 1),
                "real seconds": round(used.real_seconds, 1),
                "the app's CPU per tenant, milliseconds": round(1000 * per_tenant[count], 1),
                "the app's peak memory, MB": round(used.peak_megabytes),
                "Durable actions": actions,
                "history, bytes": size,
                "tenants of a script in the same time, one after another": by_script,
                "times as many": round(count / max(by_script, 1), 1),
            },
        )

        assert renewed == due
    first = per_tenant[_COUNTS[0]]
    keep(
        "growth of a night of renewal",
        {f"CPU per tenant at {n}, times that at {_COUNTS[0]}": round(v / first, 2) for n, v in per_tenant.items()},
    )


async def _stands(scene: Scene, count: int) -> list[tuple[TenantId, list[Schedule]]]:
    contoso, world = scene.world.contoso, scene.world
    people = [world.clouds.person(contoso, f"analyst{n}@contoso.com", f"Analyst {n}") for n in range(_EACH)]
    return [
        await stands_with(
            scene,
            f"target{number}",
            {one: _FAR if (number * _EACH + place) % _ONE_IN else _NEAR for place, one in enumerate(people)},
        )
        for number in range(count)
    ]


def _renewed(scene: Scene, stands: list[tuple[TenantId, list[Schedule]]]) -> int:
    wanted = midnight(scene) + timedelta(days=180)
    return sum(one.end == wanted for _, schedules in stands for one in schedules)


async def _by_script(scene: Scene, stands: list[tuple[TenantId, list[Schedule]]], seconds: float) -> int:
    """How many tenants a script looks at in that time, one after another: one list each, with a token that is there already;
    nothing is due any more, and nothing is noted.
    """
    world, ended = scene.world, time.perf_counter() + seconds
    done = 0
    async with httpx.AsyncClient(verify=world.certificates.client_context(), timeout=60) as client:
        while time.perf_counter() < ended:
            tenant_id, _ = stands[done % len(stands)]
            claims = graph_claims(
                authority=world.clouds.authority,
                tenant_id=tenant_id,
                audience=world.clouds.graph,
                app_id=CLIENT_IDS[Registration.ACCESS],
                principal_id=CLIENT_IDS[Registration.ACCESS],
                roles=_PERMISSIONS,
            )
            answer = await client.get(
                f"{world.clouds.graph}/v1.0/{_IN_FORCE}",
                params={"$filter": f"roleDefinitionId eq '{SECURITY_READER}'"},
                headers={"Authorization": f"Bearer {sign(claims)}"},
            )
            answer.raise_for_status()
            assert len(answer.json()["value"]) == _EACH
            done += 1
    return done
