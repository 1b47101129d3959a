"""Activations: from an approver's decision to the grant that PIM confirms, at several at once, beside a script that makes
only the calls that must be; and what the watcher costs where nothing waits, over many subscriptions.

`REQUESTS=1,50 make bench` and `SUBSCRIPTIONS=100 make bench` measure those numbers alone.
"""

import asyncio
import os
import statistics
import time
from collections.abc import Awaitable, Callable, Sequence
from functools import partial

import httpx
import pytest

from shared.activation.record import RequestId
from tests.benchmarks.measuring import Spent, keep, spent
from tests.conftest import OpenWorld
from tests.flows.activating import Locked, locked
from tests.flows.crowding import crowd, locked_like
from tests.flows.scene import Scene
from tests.sandbox.arm.tokens import person_token
from tests.sandbox.personas import Person

pytestmark = [pytest.mark.bench, pytest.mark.timeout(3600)]

_REQUESTS = [int(one) for one in os.environ.get("REQUESTS", "1,50,200").split(",")]
_SUBSCRIPTIONS = [int(one) for one in os.environ.get("SUBSCRIPTIONS", "100,1000").split(",")]
_ON_ONE = 50
"""Requests on one subscription: an identity's reads there are 250 at once, and 25 more a second."""

_LATENCY = 0.1
"""Seconds that each simulated call to Azure takes in the watcher's cycles. Not a figure of Microsoft's."""

_LONGEST_SECONDS = 1800.0
_WATCH = "watch_activations"
_APPROVAL = "/providers/Microsoft.Authorization/roleAssignmentApprovals"
_VERSION = {"api-version": "2021-01-01-preview"}

type Waiting = tuple[Locked, RequestId]


async def test_from_the_decision_to_the_grant(open_world: OpenWorld) -> None:
    for count in _REQUESTS:
        async with Scene(await open_world(auto_advance=False)) as scene:
            world, first = scene.world, await locked(scene)
            world.clouds.replication.off()
            on = [first, *await locked_like(first, (count - 1) // _ON_ONE)]
            ours = _crowds(on, count + 1, "ours")
            await world.host.run_timer(_WATCH)
            await first.rest(_LONGEST_SECONDS)
            async with spent(world) as known:
                await world.host.run_timer(_WATCH)
            await _by_us(*ours.pop(), first.fiona)  # warm: the cold start is measured apart
            await first.rest(_LONGEST_SECONDS)
            world.clock.advance(60)  # what ARM gives is there again
            async with spent(world) as until_rest:
                async with spent(world) as until_answered:
                    took = await _at_once(ours, _by_us)
                await first.rest(_LONGEST_SECONDS)
            refused = sum(world.clouds.azure.buckets.refusals.values())
            world.clock.advance(60)
            theirs = _crowds(on, count, "theirs")
            context = world.certificates.client_context()
            async with httpx.AsyncClient(base_url=world.clouds.arm, verify=context, timeout=60) as azure:
                azure.params = azure.params.merge(_VERSION)
                by_script = await _at_once(theirs, partial(_by_script, azure=azure))
            assert all(one.status(request_id) == "Provisioned" for one, request_id in (*ours, *theirs))

        _keep_decisions(took, by_script, until_answered[0], until_rest[0], refused)
        keep(f"a cycle of the watcher while {count + 1} wait, and are known", _cycle(known[0], len(on)))


async def test_the_watcher_where_nothing_waits(open_world: OpenWorld) -> None:
    per_subscription: dict[int, float] = {}
    for count in _SUBSCRIPTIONS:
        async with Scene(await open_world(auto_advance=False)) as scene:
            await locked_like(await locked(scene), count - 1)
            await scene.world.host.run_timer(_WATCH)  # warm
            scene.world.clouds.arm_server.latency = _LATENCY
            async with spent(scene.world) as found:
                await scene.world.host.run_timer(_WATCH)
            refusals = sum(scene.world.clouds.azure.buckets.refusals.values())
        [used] = found
        per_subscription[count] = used.app_cpu / count

        keep(
            f"a cycle of the watcher over {count} subscriptions, nothing waits",
            {**_cycle(used, count), "refused by ARM's buckets": refusals},
        )

        assert used.calls["arm"] == count
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


async def _at_once(
    waiting: Sequence[Waiting], decide: Callable[[Locked, RequestId, Person], Awaitable[None]]
) -> list[float]:
    """Seconds of each decision; three approvers share them, for Azure gives each so many calls."""

    async def one(number: int, found: Locked, request_id: RequestId) -> float:
        approver = (found.fiona, found.frank, found.ivan)[number % 3]
        began = time.perf_counter()
        await decide(found, request_id, approver)
        return time.perf_counter() - began

    return list(await asyncio.gather(*(one(number, *each) for number, each in enumerate(waiting))))


async def _by_us(found: Locked, request_id: RequestId, approver: Person) -> None:
    answer = await found.decide(request_id, approver)
    assert answer.status_code == 200, answer.text


async def _by_script(found: Locked, request_id: RequestId, approver: Person, azure: httpx.AsyncClient) -> None:
    """With a token for Azure at hand: which stage, the decision, and whether it stands. Nothing is checked or noted."""
    headers = {"Authorization": f"Bearer {person_token(found.scene.world.clouds, approver)}"}
    asked = (await azure.get(f"{_APPROVAL}/{request_id}", headers=headers)).raise_for_status().json()
    [stage] = asked["properties"]["stages"]
    body = {"properties": {"reviewResult": "Approve", "justification": "By script"}}
    (await azure.patch(stage["id"], json=body, headers=headers)).raise_for_status()
    shown = (await azure.get(stage["id"], headers=headers)).raise_for_status().json()
    assert shown["properties"]["reviewResult"] == "Approve"


def _keep_decisions(
    took: Sequence[float], by_script: Sequence[float], answered: Spent, rest: Spent, refused: int
) -> None:
    count = len(took)
    in_services = answered.in_services / count
    ours = [max(one - in_services, 0.0) for one in took]
    keep(
        f"{count} decisions at once, each from the POST to the answer that PIM has granted it",
        {
            "answered after, milliseconds (median, p95)": _milliseconds(took),
            "of it in simulated services (mean)": round(1000 * in_services),
            "left: ours, and waiting for a core (median, p95)": _milliseconds(ours),
            "the app's CPU per decision, milliseconds": round(1000 * answered.app_cpu / count, 1),
            "with the look that follows": round(1000 * rest.app_cpu / count, 1),
            "calls per decision until the answer": _each(answered, count),
            "with the look that follows: calls": _each(rest, count),
            "refused by ARM's buckets": refused,
            "a script's bare three calls (median, p95)": _milliseconds(by_script),
            "times the script's median": round(statistics.median(took) / statistics.median(by_script), 1),
        },
    )


def _each(used: Spent, count: int) -> dict[str, float]:
    return {name: round(number / count, 1) for name, number in sorted(used.calls.items()) if number}


def _cycle(used: Spent, subscriptions: int) -> dict[str, object]:
    return {
        "ARM reads per subscription": round(used.calls["arm"] / subscriptions, 2),
        "store calls": used.calls["store"],
        "other calls": {name: count for name, count in used.calls.items() if name not in ("arm", "store") and count},
        "the app's CPU per subscription, milliseconds": round(1000 * used.app_cpu / subscriptions, 2),
        "real seconds": round(used.seconds, 2),
    }


def _milliseconds(seconds: Sequence[float]) -> list[int]:
    """Median and p95."""
    ordered = sorted(seconds)
    return [round(1000 * statistics.median(ordered)), round(1000 * ordered[(len(ordered) - 1) * 95 // 100])]
