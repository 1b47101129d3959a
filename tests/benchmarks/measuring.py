"""What the benchmarks share: what the app's process used, tenants by the hundred, and where the figures are kept."""

import json
import os
import time
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from shared.identifiers import TenantId
from shared.permissions import MULTI_TENANT, Registration
from tests.flows.scene import Scene
from tests.sandbox.personas import Person
from tests.sandbox.population import CLIENT_IDS, guid
from tests.sandbox.world import World

REPORT = Path("build/bench.json")

_POLLS = ("/auditLogs/provisioning", "roleEligibilityScheduleInstances", "roleEligibilitySchedules")
"""Reads that are repeated until something shows."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Used:
    """What a stretch of work used."""

    real_seconds: float
    sandbox_seconds: float
    app_cpu_seconds: float
    peak_megabytes: float
    vendor_calls: int
    vendor_seconds: float
    store_calls: int


def keep(name: str, figures: dict[str, object]) -> None:
    """Add figures to the report, and print them."""
    REPORT.parent.mkdir(parents=True, exist_ok=True)
    known = json.loads(REPORT.read_text(encoding="utf-8")) if REPORT.exists() else {}
    REPORT.write_text(json.dumps({**known, name: figures}, indent=2) + "\n", encoding="utf-8")
    print(f"\n{name}")
    for key, value in figures.items():
        print(f"  {key:44} {value}")


@asynccontextmanager
async def measured(world: World) -> AsyncIterator[list[Used]]:
    """Measure what is done within; the list then holds the one result."""
    found: list[Used] = []
    process, began, business = world.host.app_process, time.perf_counter(), world.clock.now()
    cpu, busy, calls, stored = _cpu(process), world.clouds.graph_server.busy, _calls(world), _stored(world)
    yield found
    found.append(
        Used(
            real_seconds=time.perf_counter() - began,
            sandbox_seconds=(world.clock.now() - business).total_seconds(),
            app_cpu_seconds=_cpu(process) - cpu,
            peak_megabytes=_peak(process),
            vendor_calls=_calls(world) - calls,
            vendor_seconds=world.clouds.graph_server.busy - busy,
            store_calls=_stored(world) - stored,
        )
    )


def calls_of(world: World) -> Counter[str]:
    """Graph's calls by what they are: writes, reads, and reads that were repeated until something showed."""
    found: Counter[str] = Counter()
    for one in world.clouds.recorder.entries:
        if one.service != "graph":
            found["login"] += one.service == "login"
        elif one.method == "GET" and any(part in one.path for part in _POLLS):
            found["polls"] += 1
        else:
            found["writes" if one.method != "GET" else "reads"] += 1
    return found


@dataclass(frozen=True, slots=True, kw_only=True)
class Spent:
    """What a stretch of work asked of all simulated services, and what it took of the machine.

    `calls`: arm, graph, login, prices, and store; every try counts.
    """

    calls: Counter[str]
    seconds: float
    app_cpu: float
    peak_megabytes: float

    @property
    def ours(self) -> float:
        """The part of the time in which the app, which has one thread, was at work. The rest went to the sandbox, to the
        network between them, and to waiting for a core.
        """
        return min(1.0, self.app_cpu / self.seconds)


@asynccontextmanager
async def spent(world: World) -> AsyncIterator[list[Spent]]:
    """As `measured`, over all services."""
    found: list[Spent] = []
    app, began, first = world.host.app_process, time.perf_counter(), len(world.clouds.recorder.entries)
    cpu, stored = _cpu(app), _stored(world)
    yield found
    calls = Counter(one.service for one in world.clouds.recorder.entries[first:])
    calls["store"] = _stored(world) - stored
    seconds = time.perf_counter() - began
    found.append(Spent(calls=calls, seconds=seconds, app_cpu=_cpu(app) - cpu, peak_megabytes=_peak(app)))


def history_of(world: World, kind: str = "onboarding") -> tuple[int, int]:
    """Actions and bytes of all histories of a kind of run."""
    histories = [world.host.history(one.id) for one in world.host.orchestrations() if one.id.startswith(f"{kind}-")]
    actions = sum(each["EventType"] in (4, 10) for history in histories for each in history)
    return actions, sum(len(json.dumps(history)) for history in histories)


def targets(scene: Scene, count: int) -> list[TenantId]:
    """That many target tenants whose administrators consented before."""
    clouds = scene.world.clouds
    found = []
    for number in range(count):
        tenant = clouds.add_tenant(guid(f"target-{number}"), f"Target {number}", f"target{number}.example")
        for registration in MULTI_TENANT:
            if registration is not Registration.HUNT:
                clouds.grant(CLIENT_IDS[registration], tenant.id)
        found.append(TenantId(tenant.id))
    return found


async def post(scene: Scene, target: TenantId, *analysts: Person) -> None:
    """POST one of them. A service behind the app that was busy is asked again, as the answer says."""
    body = {
        "tenantId": target,
        "displayName": "Target",
        "analysts": {"userIds": [one.object_id for one in analysts]},
    }
    for _ in range(20):
        answer = await scene.call("POST", "/api/tenants", body)
        if answer.status_code != 503:
            break
        scene.world.clock.advance(10)
    assert answer.status_code == 202, answer.text


async def states(scene: Scene, wanted: list[TenantId]) -> Counter[str]:
    """How many of them are in which state."""
    found: Counter[str] = Counter()
    for target in wanted:
        tenant = await scene.tenants.read(target)
        found[tenant.record.state.value if tenant else "none"] += 1
    return found


def _calls(world: World) -> int:
    return sum(one.service == "graph" for one in world.clouds.recorder.entries)


def _stored(world: World) -> int:
    return sum(hit.kind in {"store.before", "store-read.before"} for hit in world.points.log)


def _cpu(process: int) -> float:
    fields = Path(f"/proc/{process}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _peak(process: int) -> float:
    lines = Path(f"/proc/{process}/status").read_text(encoding="utf-8").splitlines()
    return next(int(line.split()[1]) / 1024 for line in lines if line.startswith("VmHWM"))
