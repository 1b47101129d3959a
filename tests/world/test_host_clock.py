"""Clock, points and faults."""

import asyncio
import subprocess
import sys
import time
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.sandbox.clock import SharedClock
from tests.sandbox.faults import Fault, Faults
from tests.sandbox.points import Cut, Hit, Points, cut, then_cut

START = datetime(2026, 11, 23, 8, 30, tzinfo=UTC)


async def test_a_long_sleep_costs_no_real_time(tmp_path: Path) -> None:
    clock = SharedClock.create(tmp_path / "clock", START)
    begun = time.monotonic()

    await clock.sleep(86_400)

    assert time.monotonic() - begun < 1
    assert (clock.now() - START).total_seconds() >= 86_400
    clock.close()


async def test_sleeps_beside_each_other_do_not_add_up(tmp_path: Path) -> None:
    clock = SharedClock.create(tmp_path / "clock", START)

    await asyncio.gather(*(clock.sleep(3600) for _ in range(10)))

    assert 3600 <= (clock.now() - START).total_seconds() < 3700
    clock.close()


def test_another_process_sees_a_jump_at_once(tmp_path: Path) -> None:
    path = tmp_path / "clock"
    clock = SharedClock.create(path, START)
    moves: list[datetime] = []
    clock.on_move(lambda: moves.append(clock.now()))
    clock.advance(3600)
    program = (
        "import sys, pathlib\n"
        "from tests.sandbox.clock import SharedClock\n"
        "clock = SharedClock(pathlib.Path(sys.argv[1])); clock.advance(3600); print(clock.now().isoformat())"
    )
    shown = subprocess.run([sys.executable, "-c", program, str(path)], check=True, capture_output=True, text=True)

    assert 7200 <= (datetime.fromisoformat(shown.stdout.strip()) - START).total_seconds() < 7260
    assert 7200 <= (clock.now() - START).total_seconds() < 7260
    assert len(moves) == 1
    clock.close()


def test_time_never_goes_back(tmp_path: Path) -> None:
    clock = SharedClock.create(tmp_path / "clock", START)

    clock.advance(-60)
    clock.advance_to(datetime(2020, 1, 1, tzinfo=UTC))

    assert clock.now() >= START
    clock.close()


async def test_points_count_by_kind_and_label_and_run_what_is_armed_once() -> None:
    points = Points()
    seen: list[str] = []

    async def act() -> None:
        seen.append("acted")

    points.arm("vendor.before", "PATCH /a/{id}", 1, act)
    for label in ("PATCH /a/{id}", "POST /b", "PATCH /a/{id}", "PATCH /a/{id}"):
        await points.hit("vendor.before", label)

    assert seen == ["acted"]
    assert points.log[2] == Hit(kind="vendor.before", label="PATCH /a/{id}", nth=1)
    assert points.armed == frozenset()


async def test_an_action_can_cut_the_connection() -> None:
    points = Points()
    seen: list[str] = []

    async def act() -> None:
        seen.append("acted")

    points.arm("store.after", "POST Runs", 0, cut)
    points.arm("store.after", "POST Runs", 1, then_cut(act))

    for _ in range(2):
        with pytest.raises(Cut):
            await points.hit("store.after", "POST Runs")
    await points.hit("store.after", "POST Runs")
    assert seen == ["acted"]


@given(st.integers(), st.text(), st.integers(min_value=0, max_value=1000))
def test_a_fault_is_a_function_of_its_seed(seed: int, label: str, nth: int) -> None:
    assert Faults.harsh(seed).decide("vendor", label, nth) is Faults.harsh(seed).decide("vendor", label, nth)


@given(st.integers(), st.text())
def test_at_most_two_faults_come_in_a_row(seed: int, label: str) -> None:
    faults = Faults(seed, throttle=1.0)

    decided = [faults.next("vendor", label) for _ in range(12)]

    assert decided == [Fault.THROTTLE, Fault.THROTTLE, None] * 4


def test_rates_come_true() -> None:
    faults = Faults(1, throttle=0.3, lost_answer=0.3)

    counts = Counter(faults.decide("vendor", f"GET /{n}", 0) for n in range(2000))

    assert 500 < counts[Fault.THROTTLE] < 700
    assert 500 < counts[Fault.LOST_ANSWER] < 700
    assert counts[Fault.SERVER_ERROR] == 0


def test_replication_stays_within_its_bounds() -> None:
    faults = Faults(1, replication_seconds=(20, 600))

    delays = [faults.replication("POST /users") for _ in range(100)]

    assert all(20 <= delay <= 600 for delay in delays)
    assert len(set(delays)) == 100
