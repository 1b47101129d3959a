"""Several hosts by one clock."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from datetime import timedelta
from pathlib import Path

import pytest

from tests.sandbox.host import Circle, Host, Zygote
from tests.world.host_scene import START, Scene


@pytest.fixture
async def pair(tmp_path: Path, warm_zygote: Zygote) -> AsyncIterator[tuple[Host, Host]]:
    """Two hosts of the fixture app, each with a hub of its own."""
    scene, circle = Scene(tmp_path, warm_zygote), Circle()
    async with AsyncExitStack() as leaving:
        leaving.callback(scene.clock.close)
        await leaving.enter_async_context(scene.client)
        await scene.host.stop()
        one, other = (scene.open_host(hub=f"{name}.sqlite", circle=circle) for name in ("one", "other"))
        yield await leaving.enter_async_context(one), await leaving.enter_async_context(other)


async def test_the_clock_goes_from_timer_to_timer_of_all_of_them_in_turn(pair: tuple[Host, Host]) -> None:
    one, other = pair
    hours = {one: (1, 5), other: (2, 3)}
    for host, waits in hours.items():
        for wait in waits:
            await host.start_orchestration("patient", wait, f"{wait} hours")
    await one.idle(20)

    ended = sorted((each.updated, each.id) for host in pair for each in host.orchestrations())
    assert [each for _, each in ended] == ["1 hours", "2 hours", "3 hours", "5 hours"]
    for moment, name in ended:
        late = moment - (START + timedelta(hours=int(name[0])))
        assert timedelta(0) <= late < timedelta(minutes=1), name


async def test_whom_one_of_them_waits_for_is_waited_for_by_all(pair: tuple[Host, Host]) -> None:
    one, other = pair
    await one.start_orchestration("patient", 1, "person")
    other.be_patient_with("person")
    await other.idle(5)

    assert [each.status for each in one.orchestrations()] == ["Running"]
    assert (one.rests, other.rests) == (False, False)


async def test_one_of_them_can_stop_the_clock_for_all(pair: tuple[Host, Host]) -> None:
    one, other = pair
    other.auto_advance = False
    await one.start_orchestration("patient", 1, "waiting")
    await other.idle(5)
    assert [each.status for each in one.orchestrations()] == ["Running"]

    other.auto_advance = True
    await other.idle(5)

    assert [each.status for each in one.orchestrations()] == ["Completed"]


async def test_one_that_has_stopped_is_waited_for_no_longer(pair: tuple[Host, Host]) -> None:
    one, other = pair
    await other.kill()
    await other.start_orchestration("patient", 1, "never")
    await other.stop()
    await one.start_orchestration("patient", 2, "here")
    await one.idle(5)

    assert [each.status for each in one.orchestrations()] == ["Completed"]
    assert one.rests
