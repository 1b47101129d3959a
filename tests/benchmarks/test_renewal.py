"""A night of renewal over many tenants, of which one in sixty has something due: calls, CPU, memory, history, growth.

`TENANTS=20,200,2000 make bench` measures growth over those numbers; 20 and 200 unless told.
"""

import os

import pytest

from tests.benchmarks.measuring import history_of, keep, measured
from tests.conftest import OpenWorld
from tests.flows.renewing import EVENING, midnight, night_after, stands_ready
from tests.flows.scene import Scene

pytestmark = [pytest.mark.bench, pytest.mark.timeout(7200)]

_COUNTS = [int(one) for one in os.environ.get("TENANTS", "20,200").split(",")]
_ONE_IN = 60


async def test_a_night_grows_with_the_number_of_tenants(open_world: OpenWorld) -> None:
    per_tenant: dict[int, float] = {}
    for count in _COUNTS:
        # The comparison comes later that day: only renewal is measured.
        async with Scene(await open_world(start=EVENING, settings={"TENANTRY_NIGHTLY_HOUR": "23"})) as scene:
            world = scene.world
            stands = [
                await stands_ready(scene, f"target{number}", days=100 if number % _ONE_IN else 10)
                for number in range(count)
            ]
            await scene.call("GET", "/api/tenants")
            async with measured(world) as found:
                await night_after(scene, 1)
            renewed = sum(one.end is not None and (one.end - midnight(scene)).days == 180 for _, one in stands)
        [used] = found
        actions, size = history_of(world, "renewal")
        per_tenant[count] = used.app_cpu_seconds / count

        keep(
            f"a night of renewal over {count} tenants",
            {
                "due, and renewed": renewed,
                "vendor calls per tenant": round(used.vendor_calls / count, 2),
                "store calls per tenant": round(used.store_calls / count, 1),
                "real seconds": round(used.real_seconds, 1),
                "the app's CPU per tenant, milliseconds": round(1000 * per_tenant[count], 1),
                "the app's peak memory, MB": round(used.peak_megabytes),
                "Durable actions": actions,
                "history, bytes": size,
            },
        )

        assert renewed == -(-count // _ONE_IN)
    first = per_tenant[_COUNTS[0]]
    keep(
        "growth of a night of renewal",
        {f"CPU per tenant at {n}, times that at {_COUNTS[0]}": round(v / first, 2) for n, v in per_tenant.items()},
    )
