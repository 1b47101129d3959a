"""The SDK's durable client against the driver's API."""

from tests.sandbox.host import Host
from tests.world.host_scene import Scene


async def test_start_and_status_by_the_client(scene: Scene) -> None:
    started = await scene.ask("start", "mine", {"name": "in_turn", "input": 2})
    finished = await scene.host.finished("mine")
    status = (await scene.ask("status", "mine")).json()

    assert started.json() == "mine"
    assert finished.output == ["mine-0", "mine-1"]
    assert status["runtimeStatus"] == "Completed"
    assert status["output"] == ["mine-0", "mine-1"]
    assert status["input"] == "2"
    assert status["customStatus"] == {"done": 2}
    assert status["createdTime"].startswith("2026-11-23T08:30")


async def test_the_status_of_a_missing_instance_is_empty(scene: Scene) -> None:
    assert "runtimeStatus" not in (await scene.ask("status", "nobody")).json()


async def test_a_running_id_cannot_be_started_again(scene: Scene) -> None:
    host = await _without_jumps(scene)
    async with host:
        await scene.ask("start", "mine", {"name": "waits"})
        again = await scene.ask("start", "mine", {"name": "waits"})
        unknown = await scene.ask("start", "other", {"name": "nothing"})

    assert again.status_code == 409
    assert "already exists" in again.json()
    assert "not an orchestrator function" in unknown.json()


async def test_events_suspension_and_termination(scene: Scene) -> None:
    host = await _without_jumps(scene)
    async with host:
        for name in ("a", "b"):
            await scene.ask("start", name, {"name": "waits"})
        await scene.ask("suspend", "a")
        await scene.ask("event", "a", {"name": "go", "data": True})
        await host.idle(5)
        suspended = host.orchestration("a")
        await scene.ask("resume", "a")
        done = await host.finished("a")
        await scene.ask("terminate", "b")
        ended = await host.finished("b")
        late = await scene.ask("event", "b", {"name": "go"})
        lost = await scene.ask("event", "nobody", {"name": "go"})

    assert suspended is not None
    assert suspended.status == "Suspended"
    assert done.output == {"event": "true"}
    assert (ended.status, ended.output) == ("Terminated", "as asked")
    assert "gone" in late.json()
    assert "No instance" in lost.json()


async def test_lists_and_purges(scene: Scene) -> None:
    for name in ("run-1", "run-2", "other"):
        await scene.run("in_turn", 1, name)

    assert (await scene.ask("list", "run-")).json() == ["run-1", "run-2"]
    assert (await scene.ask("purge", "run-1")).json() == 1
    assert (await scene.ask("purge", "run-1")).json() == 0
    assert [each.id for each in scene.host.orchestrations()] == ["run-2", "other"]


async def test_the_raw_api_pages_filters_and_purges_by_time(scene: Scene) -> None:
    for n in range(3):
        await scene.run("in_turn", 1, f"n{n}")
        scene.clock.advance(3600)
    base = f"{scene.host.url}/runtime/webhooks/durabletask/instances"

    first = await scene.client.get(base, params={"top": "2"})
    token = first.headers["x-ms-continuation-token"]
    rest = await scene.client.get(base, params={"top": "2"}, headers={"x-ms-continuation-token": token})
    running = await scene.client.get(base, params={"runtimeStatus": "Running,Failed"})
    window = {"createdTimeFrom": "2026-11-23T09:00:00Z", "createdTimeTo": "2026-11-23T10:00:00Z"}
    purged = await scene.client.delete(base, params=window)

    assert [each["instanceId"] for each in first.json()] == ["n0", "n1"]
    assert [each["instanceId"] for each in rest.json()] == ["n2"]
    assert "x-ms-continuation-token" not in rest.headers
    assert running.json() == []
    assert purged.json() == {"instancesDeleted": 1}
    assert [each.id for each in scene.host.orchestrations()] == ["n0", "n2"]


async def test_an_unknown_call_is_a_violation(scene: Scene) -> None:
    answer = await scene.client.post(f"{scene.host.url}/runtime/webhooks/durabletask/instances/x/rewind")

    assert answer.status_code == 501
    assert len(scene.host.violations) == 1


async def _without_jumps(scene: Scene) -> Host:
    await scene.host.stop()
    scene.host = scene.open_host(auto_advance=False)
    return scene.host
