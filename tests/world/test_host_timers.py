"""Timer functions and schedules."""

from datetime import UTC, datetime

import pytest

from tests.sandbox.host.cron import Schedule
from tests.world.host_scene import Scene


@pytest.mark.parametrize(
    ("expression", "after", "following"),
    [
        ("0 * * * * *", "2026-11-23T08:30:00", "2026-11-23T08:31:00"),
        ("*/15 * * * * *", "2026-11-23T08:30:14.9", "2026-11-23T08:30:15"),
        ("0 0 2 * * *", "2026-12-31T02:00:00", "2027-01-01T02:00:00"),
        ("0 30 9 * * Mon-Fri", "2026-11-27T09:30:00", "2026-11-30T09:30:00"),
        ("0 0 0 1 Jan,Jul *", "2026-01-01T00:00:00", "2026-07-01T00:00:00"),
        ("0 0 0 29 2 *", "2026-11-23T00:00:00", "2028-02-29T00:00:00"),
        ("0 5/20 8-10 * * 7", "2026-11-22T10:45:00", "2026-11-29T08:05:00"),
        ("30 4 * * *", "2026-11-23T08:30:00", "2026-11-24T04:30:00"),
    ],
)
def test_the_next_occurrence(expression: str, after: str, following: str) -> None:
    moment = datetime.fromisoformat(after).replace(tzinfo=UTC)

    assert Schedule.parse(expression).after(moment) == datetime.fromisoformat(following).replace(tzinfo=UTC)


@pytest.mark.parametrize("expression", ["* * * *", "60 * * * * *", "0 0 24 * * *", "x * * * * *", "0 0 0 31 2 *"])
def test_nonsense_is_refused(expression: str) -> None:
    with pytest.raises(ValueError):
        Schedule.parse(expression).after(datetime(2026, 1, 1, tzinfo=UTC))


async def test_a_timer_function_runs_when_the_clock_passes_its_time(scene: Scene) -> None:
    scene.clock.advance(20 * 60)
    await scene.host.idle(5)
    assert scene.journal == []

    scene.clock.advance(10 * 60 + 5)
    await scene.host.idle(5)

    assert scene.journal == ["every_hour past_due=False"]


async def test_a_jump_over_several_occurrences_runs_it_once_past_due(scene: Scene) -> None:
    scene.clock.advance(5 * 3600)
    await scene.host.idle(5)

    assert scene.journal == ["every_hour past_due=True"]


async def test_a_jump_to_a_durable_timer_passes_timer_functions(scene: Scene) -> None:
    await scene.run("patient", 2)
    await scene.host.idle(5)

    assert scene.journal == ["every_hour past_due=True"]


async def test_timer_functions_never_move_the_clock(scene: Scene) -> None:
    await scene.host.idle(5)

    assert scene.clock.now() < datetime(2026, 11, 23, 8, 35, tzinfo=UTC)


async def test_a_sleep_of_the_app_moves_time_for_everybody(scene: Scene) -> None:
    answer = await scene.client.get(f"{scene.host.url}/api/nap/7200")
    await scene.host.idle(5)

    begun, ended = (datetime.fromisoformat(text) for text in answer.json())
    assert (ended - begun).total_seconds() >= 7200
    assert scene.clock.now() >= ended
    assert scene.journal == ["every_hour past_due=True"]


async def test_a_timer_function_can_be_run_by_hand(scene: Scene) -> None:
    await scene.host.run_timer("every_hour")

    assert scene.journal == ["every_hour past_due=False"]


async def test_timer_state_survives_the_host(scene: Scene) -> None:
    await scene.host.stop()
    scene.clock.advance(3600)

    async with scene.open_host() as host:
        await host.idle(5)

    assert scene.journal == ["every_hour past_due=True"]
