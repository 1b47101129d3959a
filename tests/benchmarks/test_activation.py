"""Activations: from an approver's decision to the answer that PIM shows it, at several at once, beside a script that makes
only the calls that must be; and what the watcher costs where nothing waits, over many subscriptions.

`REQUESTS=1,50 make bench` and `SUBSCRIPTIONS=100 make bench` measure those numbers alone.
"""

import asyncio
import os
import statistics
import time
from collections.abc import Sequence
from functools import partial
from itertools import batched

import httpx
import pytest

from shared.activation.record import RequestId
from tests.benchmarks.measuring import Spent, keep, spent
from tests.conftest import OpenWorld
from tests.flows.activating import REQUESTS, Locked, locked
from tests.flows.crowding import crowd, locked_like
from tests.flows.scene import Scene
from tests.sandbox.arm.tokens import person_token
from tests.sandbox.population import APPROVE

pytestmark = [pytest.mark.bench, pytest.mark.timeout(3600)]

AN_INSTANCE_TAKES = 4
"""HTTP requests at once, as it is deployed (infra): more of them begin another instance."""

_REQUESTS = [int(one) for one in os.environ.get("REQUESTS", f"1,{AN_INSTANCE_TAKES},50,200").split(",")]
_SUBSCRIPTIONS = [int(one) for one in os.environ.get("SUBSCRIPTIONS", "100,1000").split(",")]
_ON_ONE = 50
"""Requests on one subscription: an identity's reads there are 250 at once, and 25 more a second."""

_WARM, _AT_LEAST = 3, 20
_FOUND = 500
_CYCLES = 3
_LATENCY, _STORE_LATENCY = 0.1, 0.01
"""Seconds that each simulated call to ARM, and to the store, takes in the watcher's cycles. Not figures of Microsoft's."""

_SLOW = "100 ms a call to ARM, 10 ms to the store"

_LONGEST_SECONDS = 1800.0
_WATCH = "watch_activations"
_APPROVAL = "/providers/Microsoft.Authorization/roleAssignmentApprovals"
_VERSION = {"api-version": "2021-01-01-preview"}

type Waiting = tuple[Locked, RequestId]


class _Approvers:
    """Three persons who decide by turns, for Azure gives each so many calls; with us, or by a script of the calls alone."""

    def __init__(self, found: Locked, http: httpx.AsyncClient) -> None:
        world = found.scene.world
        people = (found.fiona, found.frank, found.ivan)
        self._http = http
        self._us, self._azure = f"{world.host.url}{REQUESTS}", f"{world.clouds.arm}"
        self._ours = [_bearer(world.token(one, APPROVE)) for one in people]
        self._theirs = [_bearer(person_token(world.clouds, one)) for one in people]

    async def at_once(self, waiting: Sequence[Waiting], *, script: bool = False) -> list[float]:
        """Seconds of each decision."""
        decide = self._by_script if script else self._by_us

        async def one(number: int, request_id: RequestId) -> float:
            began = time.perf_counter()
            await decide(number % len(self._ours), request_id)
            return time.perf_counter() - began

        return list(await asyncio.gather(*(one(number, each) for number, (_, each) in enumerate(waiting))))

    async def _by_us(self, approver: int, request_id: RequestId) -> None:
        body = {"decision": "approve", "reason": "Within the budget"}
        answer = await self._http.post(f"{self._us}/{request_id}/decision", json=body, headers=self._ours[approver])
        assert answer.status_code == 200, answer.text

    async def _by_script(self, approver: int, request_id: RequestId) -> None:
        """With a token for Azure at hand: which stage, the decision, whether it stands. Nothing is checked or noted."""
        ask = partial(self._http.request, params=_VERSION, headers=self._theirs[approver])
        asked = (await ask("GET", f"{self._azure}{_APPROVAL}/{request_id}")).raise_for_status().json()
        [stage] = asked["properties"]["stages"]
        body = {"properties": {"reviewResult": "Approve", "justification": "By script"}}
        (await ask("PATCH", f"{self._azure}{stage['id']}", json=body)).raise_for_status()
        shown = (await ask("GET", f"{self._azure}{stage['id']}")).raise_for_status().json()
        assert shown["properties"]["reviewResult"] == "Approve"


async def test_from_the_decision_to_the_grant(open_world: OpenWorld) -> None:
    for count in _REQUESTS:
        async with Scene(await open_world(auto_advance=False)) as scene:
            world, first = scene.world, await locked(scene)
            world.clouds.replication.off()
            on = [first, *await locked_like(first, (count - 1) // _ON_ONE)]
            rounds = max(1, _AT_LEAST // count)
            ours = _crowds(on, count * rounds + _WARM, "ours")
            await world.host.run_timer(_WATCH)
            await first.rest(_LONGEST_SECONDS)
            context, limits = world.certificates.client_context(), httpx.Limits(max_connections=None)
            async with httpx.AsyncClient(verify=context, limits=limits, timeout=600) as http:
                approvers, took, by_script = _Approvers(first, http), list[float](), list[float]()
                await approvers.at_once([ours.pop() for _ in range(_WARM)])  # the cold start is measured apart
                await _refill(first)
                async with spent(world) as followed:
                    async with spent(world) as answered:
                        for some in batched(ours, count, strict=True):
                            took += await approvers.at_once(some)
                    await first.rest(_LONGEST_SECONDS)
                confirmed = await _until_in_force(approvers, _crowds(on, count * rounds, "again"), count)
                refused = sum(world.clouds.azure.buckets.refusals.values())
                await _refill(first)
                theirs = _crowds(on, count * rounds, "theirs")
                for some in batched(theirs, count, strict=True):
                    by_script += await approvers.at_once(some, script=True)
            assert all(one.status(request_id) == "Provisioned" for one, request_id in (*ours, *theirs))

        _keep_decisions(count, took, confirmed, by_script, answered[0], followed[0], refused)


async def test_a_cycle_that_finds_many(open_world: OpenWorld) -> None:
    """And the next one, which knows them."""
    async with Scene(await open_world(auto_advance=False)) as scene:
        world, found = scene.world, await locked(scene)
        world.clouds.replication.off()
        await world.host.run_timer(_WATCH)  # warm
        crowd(found, _FOUND)
        world.clouds.arm_server.latency, world.store.latency = _LATENCY, _STORE_LATENCY
        async with spent(world) as finds:
            await world.host.run_timer(_WATCH)
        await found.rest(_LONGEST_SECONDS)
        async with spent(world) as knows:
            await world.host.run_timer(_WATCH)
    [first], [second] = finds, knows

    keep(
        f"a cycle of the watcher that finds {_FOUND} requests on one subscription, {_SLOW}",
        {
            "ARM reads, in pages of 100": first.calls["arm"],
            "store calls per request": round(first.calls["store"] / _FOUND, 1),
            "the app's CPU per request, milliseconds": round(1000 * first.app_cpu / _FOUND, 1),
            "real seconds": round(first.seconds, 1),
            "the next cycle: ARM reads, store calls, real seconds": [
                second.calls["arm"],
                second.calls["store"],
                round(second.seconds, 2),
            ],
        },
    )

    assert second.calls["arm"] == -(-_FOUND // 100)


async def test_a_cycle_in_which_nothing_waits(open_world: OpenWorld) -> None:
    per_subscription: dict[int, float] = {}
    for count in _SUBSCRIPTIONS:
        async with Scene(await open_world(auto_advance=False)) as scene:
            world = scene.world
            await locked_like(await locked(scene), count - 1)
            await world.host.run_timer(_WATCH)  # warm
            world.clouds.arm_server.latency, world.store.latency = _LATENCY, _STORE_LATENCY
            async with spent(world) as found:
                for _ in range(_CYCLES):
                    await world.host.run_timer(_WATCH)
            refused = sum(world.clouds.azure.buckets.refusals.values())
        [used] = found
        per_subscription[count] = used.app_cpu / count / _CYCLES

        keep(
            f"a cycle of the watcher over {count} subscriptions, nothing waits, {_SLOW}",
            {
                "ARM reads per subscription": used.calls["arm"] / count / _CYCLES,
                "refused by ARM's buckets": refused,
                "store calls": used.calls["store"] / _CYCLES,
                "the app's CPU per subscription, milliseconds": round(1000 * per_subscription[count], 2),
                "the app's peak memory, MB": round(used.peak_megabytes),
                "real seconds": round(used.seconds / _CYCLES, 2),
                "of the two minutes until the next": f"{used.seconds / _CYCLES / 120:.1%}",
            },
        )

        assert used.calls["arm"] == count * _CYCLES
        assert refused == 0
    first = per_subscription[_SUBSCRIPTIONS[0]]
    keep(
        "growth of a cycle of the watcher",
        {
            f"CPU per subscription at {n}, times that at {_SUBSCRIPTIONS[0]}": round(v / first, 2)
            for n, v in per_subscription.items()
        },
    )


def _crowds(on: Sequence[Locked], count: int, name: str) -> list[Waiting]:
    found: list[Waiting] = []
    for number, one in enumerate(on):
        share = len(range(number, count, len(on)))
        found += [(one, request_id) for request_id in crowd(one, share, f"{name}-{number}-")]
    return found


def _bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


async def _until_in_force(approvers: _Approvers, waiting: Sequence[Waiting], count: int) -> list[float]:
    """Seconds of our own from some decisions at once until the runs that follow them have seen all of the grants in force."""
    first, _ = waiting[0]
    world = first.scene.world
    await _refill(first)
    await world.host.run_timer(_WATCH)
    await first.rest(_LONGEST_SECONDS)
    took = []
    async with spent(world) as found:
        for some in batched(waiting, count, strict=True):
            began = time.perf_counter()
            await approvers.at_once(some)
            await first.rest(_LONGEST_SECONDS)
            took.append(time.perf_counter() - began)
    [used] = found
    assert all([(await one.record(request_id)).record.in_force for one, request_id in waiting])
    return [one * used.ours for one in took]


async def _refill(found: Locked) -> None:
    """What ARM gives is there again."""
    found.scene.world.clock.advance(60)
    await found.rest(_LONGEST_SECONDS)


def _keep_decisions(
    at_once: int,
    took: Sequence[float],
    confirmed: Sequence[float],
    by_script: Sequence[float],
    answered: Spent,
    followed: Spent,
    refused: int,
) -> None:
    count = len(took)
    keep(
        f"decisions, {at_once} at once: from the POST to the answer that PIM shows it",
        {
            "decisions": count,
            "answered after, milliseconds (median, p95)": _milliseconds(took),
            "the part of it in which the app was at work": f"{answered.ours:.0%}",
            "that is ours, milliseconds (median, p95)": _milliseconds([one * answered.ours for one in took]),
            "ours until all of them are seen in force (median, p95)": _milliseconds(confirmed),
            "the app's CPU per decision, milliseconds": round(1000 * answered.app_cpu / count, 1),
            "the same with the look that follows": round(1000 * followed.app_cpu / count, 1),
            "calls per decision until all are answered": _each(answered, count),
            "the same with the look that follows each": _each(followed, count),
            "refused by ARM's buckets": refused,
            "decisions a second, of one worker": round(count / followed.app_cpu, 1),
            "a script's bare three calls, milliseconds (median, p95)": _milliseconds(by_script),
            "times the script's median": round(statistics.median(took) / statistics.median(by_script), 1),
        },
    )


def _each(used: Spent, count: int) -> dict[str, float]:
    return {name: round(number / count, 1) for name, number in sorted(used.calls.items()) if number}


def _milliseconds(seconds: Sequence[float]) -> list[int]:
    """Median and p95."""
    ordered = sorted(seconds)
    return [round(1000 * statistics.median(ordered)), round(1000 * ordered[(len(ordered) - 1) * 95 // 100])]
