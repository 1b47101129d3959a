"""Each shape of orchestration, run by the real SDK."""

import pytest

from tests.sandbox.host.orchestrations import AlreadyRunning
from tests.world.host_scene import Scene


async def test_activities_run_in_turn_and_the_custom_status_shows(scene: Scene) -> None:
    assert await scene.run("in_turn", 3, "one") == ["one-0", "one-1", "one-2"]

    [seen] = scene.host.orchestrations()
    assert (seen.id, seen.name, seen.input, seen.custom_status) == ("one", "in_turn", 3, {"done": 3})
    assert seen.created <= seen.updated
    assert scene.journal == ["work one-0", "work one-1", "work one-2"]


async def test_a_fan_out_keeps_the_order(scene: Scene) -> None:
    words = [f"w{n}" for n in range(25)]

    assert await scene.run("fan_out", words) == [word.upper() for word in words]


@pytest.mark.parametrize("hours", [5, 20 * 24])
async def test_a_durable_timer_costs_no_real_time(scene: Scene, hours: int) -> None:
    """Twenty days go by in the SDK's steps of three days."""
    begun = scene.clock.now()

    waited = await scene.run("patient", hours)

    assert waited == pytest.approx(hours * 3600, abs=1)
    assert (scene.clock.now() - begun).total_seconds() == pytest.approx(hours * 3600, abs=60)


async def test_an_event_wins_against_its_deadline(scene: Scene) -> None:
    host = scene.open_host(auto_advance=False)
    await scene.host.stop()
    async with host:
        started = await host.start_orchestration("waits")
        await host.raise_event(started, "go", {"word": "now"})
        finished = await host.finished(started)

    # Encoded twice by the SDK's client: the orchestrator reads text, as in Azure.
    assert finished.output == {"event": '{"word": "now"}'}


async def test_a_deadline_wins_when_no_event_comes(scene: Scene) -> None:
    assert await scene.run("waits") == {"event": None}


async def test_without_auto_advance_timers_follow_the_clock(scene: Scene) -> None:
    host = scene.open_host(auto_advance=False)
    await scene.host.stop()
    async with host:
        started = await host.start_orchestration("waits")
        await host.idle(5)
        scene.clock.advance(29 * 60)
        await host.idle(5)
        before = host.orchestration(started)
        scene.clock.advance(2 * 60)
        finished = await host.finished(started)

    assert before is not None
    assert before.status == "Running"
    assert finished.output == {"event": None}


async def test_sub_orchestrations_answer_and_fail(scene: Scene) -> None:
    assert await scene.run("parent", None, "top") == ["C1", "C2", "C3", "it says: no zero"]

    statuses = {each.id: (each.status, each.parent) for each in scene.host.orchestrations()}
    assert statuses["child-1"] == ("Completed", "top")
    assert statuses["child-0"] == ("Failed", "top")


async def test_retries_wait_and_keep_the_numbers_in_step(scene: Scene) -> None:
    begun = scene.clock.now()

    assert await scene.run("tries", 2) == ["at last", "BESIDE", "AFTER"]
    assert (scene.clock.now() - begun).total_seconds() >= 120
    assert scene.journal.count("flaky") == 3


async def test_retries_end(scene: Scene) -> None:
    started = await scene.host.start_orchestration("tries", 9)
    finished = await scene.host.finished(started)

    assert finished.status == "Failed"
    assert "ValueError: not yet" in finished.output
    assert scene.journal.count("flaky") == 3


async def test_many_retries_beside_each_other_keep_the_numbers_in_step(scene: Scene) -> None:
    output = await scene.run("many_tries")

    assert output == ["AFTER QUICK", "f0", "f1", "f2", "f3", True]
    assert [scene.journal.count(f"flaky f{n}") for n in range(4)] == [2, 3, 4, 5]


async def test_activities_at_once_are_limited_by_host_json(scene: Scene) -> None:
    await scene.run("fan_out", [f"w{n}" for n in range(12)])

    under_way = most = 0
    for hit in scene.points.log:
        if hit.kind.startswith("activity."):
            under_way += 1 if hit.kind == "activity.before" else -1
            most = max(most, under_way)
    assert most == 3


async def test_continue_as_new_starts_a_fresh_history(scene: Scene) -> None:
    assert await scene.run("again", 3, "loop") == "LEFT 1"

    assert scene.journal == ["sync_work left 3", "sync_work left 2", "sync_work left 1"]
    assert len([e for e in scene.host.history("loop") if e["EventType"] == 4]) == 1


async def test_events_that_nobody_took_are_handed_on_to_the_next_life(scene: Scene) -> None:
    await scene.host.kill()
    await scene.host.start_orchestration("collects", [], "three")
    for word in ("one", "two", "three"):
        await scene.host.raise_event("three", "word", word)
    await scene.host.restart()

    assert (await scene.host.finished("three")).output == ['"one"', '"two"', '"three"']


async def test_a_replay_that_differs_is_caught(scene: Scene) -> None:
    started = await scene.host.start_orchestration("moody")
    finished = await scene.host.finished(started)

    assert finished.status == "Failed"
    [violation] = scene.host.violations
    assert violation.startswith("NonDeterministic: moody")
    assert scene.journal == []


async def test_entities_are_refused_loudly(scene: Scene) -> None:
    started = await scene.host.start_orchestration("entity")

    assert (await scene.host.finished(started)).status == "Failed"
    assert "the driver runs no entities" in scene.host.violations[0]


async def test_an_unknown_orchestrator_is_refused(scene: Scene) -> None:
    with pytest.raises(LookupError):
        await scene.host.start_orchestration("nothing")


async def test_an_id_that_runs_is_a_conflict_and_one_that_ended_is_overwritten(scene: Scene) -> None:
    await scene.host.kill()
    await scene.host.start_orchestration("in_turn", 1, "same")
    with pytest.raises(AlreadyRunning):
        await scene.host.start_orchestration("in_turn", 2, "same")

    await scene.host.restart()
    first = await scene.host.finished("same")
    assert await scene.run("in_turn", 2, "same") == ["same-0", "same-1"]

    assert first.output == ["same-0"]
    assert [each.id for each in scene.host.orchestrations()] == ["same"]


async def test_another_host_goes_on_with_the_same_hub(scene: Scene) -> None:
    await scene.host.kill()
    started = await scene.host.start_orchestration("in_turn", 2, "kept")
    await scene.host.stop()

    async with scene.open_host() as host:
        assert (await host.finished(started)).output == ["kept-0", "kept-1"]
