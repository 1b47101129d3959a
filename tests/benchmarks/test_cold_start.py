"""The cold start, in fresh processes: what importing the app costs beside what every Durable app in Python pays."""

import re
import statistics
import subprocess
import sys
import time
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

from shared.roles import Role
from tests.benchmarks.measuring import keep
from tests.conftest import OpenWorld
from tests.flows.scene import Scene

pytestmark = [pytest.mark.bench, pytest.mark.timeout(600)]

_ROOT = Path(__file__).parents[2]
_IMPORT = """
import sys, time
sys.modules.update(dict.fromkeys({!r}))
began = time.perf_counter()
{}
print(time.perf_counter() - began, len(sys.modules))
"""
_WHAT = {
    "bare azure.functions and durable": "import azure.functions, azure.durable_functions",
    "function_app": "import function_app",
}
_PART = "import os; os.environ['TENANTRY_ROLE'] = '{}'; import function_app"
_PARTS = {f"the {role} apart": _PART.format(role) for role in Role if role is not Role.ALL}
_TIMES = 11


def only_here() -> list[str]:
    """What is here for development and not deployed. Some of it would be loaded for being there: httpx has a command line."""
    deployed = {
        _plain(name) for name in re.findall(r"^([\w.-]+)==", (_ROOT / "requirements.txt").read_text(), re.MULTILINE)
    }
    found = packages_distributions()
    return sorted(name for name, of in found.items() if not deployed.intersection(map(_plain, of)))


def _plain(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def imported(what: str, without: list[str]) -> tuple[float, int]:
    """The time of an import in a fresh process, and how many modules are loaded then."""
    told = subprocess.run(
        [sys.executable, "-c", _IMPORT.format(without, what)], check=True, capture_output=True, text=True
    ).stdout.split()
    return float(told[0]), int(told[1])


def test_the_import_is_measured_beside_the_bare_one() -> None:
    """In turn, so that a machine that is busy for a moment is so for each of them."""
    without = only_here()
    whats = {**_WHAT, **_PARTS}
    for what in whats.values():  # what is compiled at the first import is compiled in a deployed package
        imported(what, without)
    found = [{name: imported(what, without) for name, what in whats.items()} for _ in range(_TIMES)]
    seconds = {name: statistics.median(one[name][0] for one in found) for name in whats}
    bare, ours, *_ = seconds.values()

    keep(
        "cold start: imports",
        {
            **{f"{name}, seconds": round(value, 3) for name, value in seconds.items()},
            "function_app, times the bare one": round(ours / bare, 2),
            **{f"{name}, times the bare one": round(seconds[name] / bare, 2) for name in _PARTS},
            "modules: bare, function_app, and its parts": [modules for _, modules in found[0].values()],
        },
    )

    assert ours > bare


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
