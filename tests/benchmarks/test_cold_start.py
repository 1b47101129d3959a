"""The cold start, in fresh processes: what importing the app costs beside what every Durable app in Python pays."""

import statistics
import subprocess
import sys
import time

import pytest

from tests.benchmarks.measuring import keep
from tests.conftest import OpenWorld
from tests.flows.scene import Scene

pytestmark = pytest.mark.bench

_IMPORT = "import sys, time; began = time.perf_counter(); {}; print(time.perf_counter() - began, len(sys.modules))"
_BARE = "import azure.functions, azure.durable_functions"
_TIMES = 5


def imported(what: str) -> tuple[float, int]:
    """The median time of an import in a fresh process, and how many modules are loaded then."""
    found = []
    for _ in range(_TIMES):
        told = subprocess.run(
            [sys.executable, "-c", _IMPORT.format(what)], check=True, capture_output=True, text=True
        ).stdout.split()
        found.append((float(told[0]), int(told[1])))
    return statistics.median(seconds for seconds, _ in found), found[0][1]


def test_the_import_is_measured_beside_the_bare_one() -> None:
    bare, bare_modules = imported(_BARE)
    ours, our_modules = imported("import function_app")
    services, service_modules = imported("import function_app, shared.services")

    keep(
        "cold start: imports",
        {
            "bare azure.functions and durable, seconds": round(bare, 3),
            "function_app, seconds": round(ours, 3),
            "times the bare one": round(ours / bare, 2),
            "with services, seconds": round(services, 3),
            "modules: bare, function_app, with services": [bare_modules, our_modules, service_modules],
        },
    )

    assert our_modules > 0


async def test_the_first_request_and_the_first_call_are_measured(open_world: OpenWorld) -> None:
    world = await open_world()
    async with Scene(world) as scene:
        began = time.perf_counter()
        first = await scene.call("GET", "/api/tenants")
        seconds = time.perf_counter() - began
        began = time.perf_counter()
        again = await scene.call("GET", "/api/tenants")
        usual = time.perf_counter() - began
        began = time.perf_counter()
        plan = await scene.post(world.people.ana, dryRun=True)
        graph = time.perf_counter() - began

    assert (first.status_code, again.status_code, plan.status_code) == (200, 200, 200)
    keep(
        "cold start: first answers",
        {
            "first authorized request, seconds": round(seconds, 3),
            "the same again, seconds": round(usual, 3),
            "first request with Graph calls, seconds": round(graph, 3),
        },
    )
