"""The local driver's own share: orchestrations of empty activities, so that it can be told from the app's."""

import time
from pathlib import Path

import pytest

from tests.benchmarks.measuring import keep
from tests.conftest import OpenWorld

pytestmark = pytest.mark.bench

_FIXTURE = Path(__file__).parents[1] / "world" / "fixture_app"
_CALLS = 50


async def test_the_driver_with_empty_activities(open_world: OpenWorld) -> None:
    world = await open_world(app_directory=_FIXTURE)
    began = time.perf_counter()
    for number in range(_CALLS):
        started = await world.host.start_orchestration("fan_out", ["a", "b", "c"], f"empty-{number}")
        await world.host.finished(started)
    seconds = time.perf_counter() - began

    keep(
        "the local driver alone",
        {
            "orchestrations": _CALLS,
            "activities each": 3,
            "milliseconds per orchestration": round(seconds / _CALLS * 1000, 1),
        },
    )

    assert seconds > 0
