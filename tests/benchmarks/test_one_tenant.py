"""What the onboarding of one tenant with five analysts costs: calls, history, and what we add to the services' own time."""

import pytest

from tests.benchmarks.measuring import calls_of, history_of, keep, measured
from tests.conftest import OpenWorld
from tests.flows.scene import Scene

pytestmark = pytest.mark.bench

_ANALYSTS = 5
_LATENCY = 0.2
"""Seconds that each simulated Graph call takes: what a near region needs. Not a figure of Microsoft's."""


async def test_five_analysts(open_world: OpenWorld) -> None:
    world = await open_world()
    world.clouds.replication.off()
    people = [world.people.ana] + [
        world.clouds.person(world.contoso, f"analyst{number}@contoso.com", f"Analyst {number}")
        for number in range(1, _ANALYSTS)
    ]
    async with Scene(world) as scene:
        await scene.call("GET", "/api/tenants")  # warm: the cold start is measured apart
        world.clouds.graph_server.latency = _LATENCY
        async with measured(world) as found:
            await scene.onboarded(*people)
    [used] = found
    calls, (actions, size) = calls_of(world), history_of(world)
    slots = max(0.0, used.sandbox_seconds - used.real_seconds)

    keep(
        "one tenant, five analysts",
        {
            "vendor calls without polls and login": calls["reads"] + calls["writes"],
            "reads, writes, polls, login": [calls["reads"], calls["writes"], calls["polls"], calls["login"]],
            "store calls": used.store_calls,
            "Durable actions": actions,
            "history, bytes": size,
            "real seconds": round(used.real_seconds, 2),
            "of these in the simulated services": round(used.vendor_seconds, 2),
            "overhead (real / in services)": round(used.real_seconds / used.vendor_seconds, 2),
            "sandbox seconds passed on timers and slots": round(slots, 1),
            "the app's CPU, seconds": round(used.app_cpu_seconds, 2),
        },
    )

    assert used.vendor_calls > 0
