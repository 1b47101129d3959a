"""Many tenants at once: throughput, memory, our CPU for each, growth, and the floor that the source's limits set.

`TENANTS=10,100,1000 make bench` measures growth over those numbers; 10 and 100 unless told.
"""

import os

import pytest

from shared.slots import SPACING
from tests.benchmarks.measuring import history_of, keep, measured, post, states, targets
from tests.conftest import OpenWorld
from tests.flows.scene import Scene

pytestmark = [pytest.mark.bench, pytest.mark.timeout(7200)]

_COUNTS = [int(one) for one in os.environ.get("TENANTS", "10,100").split(",")]
_IDLE_SECONDS = 5400.0


async def test_growth_with_the_number_of_tenants(open_world: OpenWorld) -> None:
    per_tenant: dict[int, float] = {}
    for count in _COUNTS:
        world = await open_world()
        world.clouds.replication.off()
        async with Scene(world) as scene:
            wanted = targets(scene, count)
            await scene.call("GET", "/api/tenants")
            async with measured(world) as found:
                for target in wanted:
                    await post(scene, target, world.people.ana)
                await world.host.idle(_IDLE_SECONDS)
            came = await states(scene, wanted)
        [used] = found
        actions, size = history_of(world)
        floor = count * SPACING.total_seconds()
        per_tenant[count] = used.app_cpu_seconds / count

        keep(
            f"{count} tenants at once, one analyst each",
            {
                "states": dict(came),
                "sandbox seconds until all were at rest": round(used.sandbox_seconds, 1),
                "floor by the source's limit (5 provisionings in 10 s)": round(count * 2.0, 1),
                "floor by our spacing of slots": round(floor, 1),
                "times our floor": round(used.sandbox_seconds / floor, 2),
                "real seconds": round(used.real_seconds, 1),
                "tenants per real second": round(count / used.real_seconds, 2),
                "the app's CPU per tenant, seconds": round(per_tenant[count], 3),
                "the app's peak memory, MB": round(used.peak_megabytes),
                "vendor calls per tenant": round(used.vendor_calls / count, 1),
                "Durable actions per tenant": round(actions / count, 1),
                "history per tenant, bytes": round(size / count),
            },
        )

        assert came == {"Ready": count}
    first = per_tenant[_COUNTS[0]]
    keep(
        "growth",
        {f"CPU per tenant at {n}, times that at {_COUNTS[0]}": round(v / first, 2) for n, v in per_tenant.items()},
    )
