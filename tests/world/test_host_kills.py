"""Kills, cuts and late deliveries; and that nothing is ever left running."""

import asyncio
import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import httpx
import pytest

from tests.sandbox.faults import Faults
from tests.sandbox.points import Action, Hit, Points, cut
from tests.world.host_scene import APP, Scene, wait_for_death

pytestmark = pytest.mark.sampled(1)

needs_pidfd = pytest.mark.skipif(not hasattr(os, "pidfd_open"), reason="watches processes by Linux's pidfd")


async def test_a_kill_at_any_point_changes_nothing_but_repeats(scene: Scene) -> None:
    """The points come from one run without kills."""
    await scene.run("in_turn", 2, "recorded")
    recorded = list(scene.points.log)
    assert recorded[0] == Hit(kind="episode.before", label="in_turn", nth=0)
    assert len(recorded) == 2 * (3 + 2)

    for number, point in enumerate(recorded):
        scene.points.arm(point.kind, point.label, seen_so_far(scene.points, point), scene.host.kill_and_restart)
        name = f"killed-{number}"
        assert await scene.run("in_turn", 2, name) == [f"{name}-0", f"{name}-1"], point
        works = [line for line in scene.journal if name in line]
        assert len(works) == (3 if point.kind == "activity.after" else 2)

    assert scene.points.armed == frozenset()
    assert scene.host.violations == []


def seen_so_far(points: Points, point: Hit) -> int:
    """The number that this point will have in the next run."""
    passed = points.passed(point.kind, point.label)
    return passed + point.nth


async def test_a_cut_answer_is_asked_for_again(scene: Scene) -> None:
    scene.points.arm("activity.after", "work", 0, cut)

    assert await scene.run("in_turn", 1, "one") == ["one-0"]
    assert scene.journal == ["work one-0", "work one-0"]


async def test_an_activity_can_come_late(scene: Scene) -> None:
    """It runs again after its orchestration has ended, and its result changes nothing."""
    go = asyncio.Event()
    scene.host.deliver_twice("work", go)

    assert await scene.run("in_turn", 1, "one") == ["one-0"]
    await scene.host.idle(5)
    assert scene.journal == ["work one-0"]

    came = asyncio.Event()
    scene.points.arm("activity.after", "work", 1, _setting(came))
    go.set()
    await came.wait()
    await scene.host.idle(5)

    assert scene.journal == ["work one-0", "work one-0"]
    assert [each.status for each in scene.host.orchestrations()] == ["Completed"]


def _setting(event: asyncio.Event) -> Action:
    async def act() -> None:
        event.set()

    return act


async def test_a_duplicate_comes_after_the_first_result_was_read(scene: Scene) -> None:
    scene.host.deliver_twice("work")

    assert await scene.run("in_turn", 2, "one") == ["one-0", "one-1"]
    await scene.host.idle(5)

    assert sorted(scene.journal) == ["work one-0", "work one-0", "work one-1"]
    assert scene.host.violations == []


async def test_random_restarts_repeat_by_seed_and_lose_nothing(scene: Scene) -> None:
    scene.points.faults = Faults(7, restart=0.2)
    scene.points.restart = scene.host.kill_and_restart

    assert await scene.run("in_turn", 6, "one") == [f"one-{n}" for n in range(6)]
    assert len(scene.points.log) > 2 * (7 + 6)


@needs_pidfd
async def test_stop_in_the_middle_leaves_nothing(scene: Scene) -> None:
    reached = asyncio.Event()
    scene.points.arm("http.before", "echo_special", 0, _setting(reached))
    request = asyncio.create_task(scene.client.get(f"{scene.host.url}/api/slow"))
    await reached.wait()
    await scene.host.start_orchestration("in_turn", 30)
    worker = scene.host._runtime.worker
    assert worker is not None
    pid = worker.pid

    await scene.host.stop()

    assert wait_for_death(pid, 0)
    with pytest.raises(httpx.HTTPError):
        await request


_WORLD = """
import asyncio, json, signal, sys
from pathlib import Path
from tests.sandbox.clock import SharedClock
from tests.sandbox.host import Host, Zygote
from tests.sandbox.points import Points

async def main(folder, app):
    zygote = Zygote()
    host = Host(app_directory=app, environment={}, hub=folder / "hub", log=folder / "log",
                clock=SharedClock.create(folder / "clock"), points=Points(), zygote=zygote)
    await host.start()
    print(json.dumps([zygote.pid, host._runtime.worker.pid]), flush=True)
    await asyncio.sleep(60)

signal.signal(signal.SIGINT, signal.default_int_handler)  # also where these tests run in a shell's background
asyncio.run(main(Path(sys.argv[1]), Path(sys.argv[2])))
"""


@needs_pidfd
@pytest.mark.parametrize("blow", [signal.SIGKILL, signal.SIGINT])
def test_nothing_outlives_the_world(tmp_path: Path, blow: signal.Signals) -> None:
    command = [sys.executable, "-c", _WORLD, str(tmp_path), str(APP)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as world:
        assert world.stdout is not None
        pids = json.loads(world.stdout.readline())
        world.send_signal(blow)
        world.wait(10)

    assert all(wait_for_death(pid, 5) for pid in pids)
