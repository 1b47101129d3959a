"""What an onboarding costs: measured and printed, never asserted. Compare ratios within one run: machines are noisy."""

import subprocess
import sys
import time

import pytest

from tests.conftest import OpenWorld
from tests.flows.scene import Scene

pytestmark = pytest.mark.bench

_COLD = """
import sys, time
began = time.perf_counter()
import function_app
print(time.perf_counter() - began, len(sys.modules))
"""


async def test_an_onboarding_is_measured_for_one_analyst_and_for_ten(open_world: OpenWorld) -> None:
    for count in (1, 10):
        world = await open_world()
        people = [world.people.ana] + [
            world.clouds.person(world.contoso, f"analyst{number}@contoso.com", f"Analyst {number}")
            for number in range(1, count)
        ]
        async with Scene(world) as scene:
            began, business = time.perf_counter(), world.clock.now()
            await scene.onboarded(*people)
            real = time.perf_counter() - began
        vendor = len([one for one in world.clouds.recorder.entries if one.service == "graph"])
        store = len([hit for hit in world.points.log if hit.kind.startswith("store") and hit.kind.endswith("before")])
        episodes = len([hit for hit in world.points.log if hit.kind == "episode.before"])
        took = (world.clock.now() - business).total_seconds()

        print(
            f"\n{count:3} analysts: {real:6.2f} s real, {took:7.1f} s sandbox time, {vendor} Graph calls, "
            f"{store} store calls, {episodes} episodes"
        )

        assert vendor > 0


def test_the_cold_start_is_measured_in_a_fresh_process() -> None:
    told = subprocess.run([sys.executable, "-c", _COLD], check=True, capture_output=True, text=True).stdout.split()

    print(f"\ncold import of function_app: {float(told[0]):.2f} s, {told[1]} modules")

    assert int(told[1]) > 0
