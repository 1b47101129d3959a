"""Three apps in one world: they share clock, store and clouds, and nothing that proves who they are."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta
from pathlib import Path

import httpx
import pytest

from shared.permissions import Registration
from shared.roles import Role
from tests.conftest import MORNING, OpenWorld
from tests.sandbox.apps import APART
from tests.sandbox.population import CLIENT_IDS
from tests.sandbox.world import World

APP = Path(__file__).parent / "fixture_apart"
TWO_HOURS = timedelta(hours=2)

type OpenApart = Callable[..., Awaitable[World]]


@pytest.fixture
def open_apart(open_world: OpenWorld, tmp_path: Path) -> OpenApart:
    """Opens worlds with the fixture app in three roles."""

    async def opened(**settings: str) -> World:
        settings = {"APART_JOURNAL": str(tmp_path / "journal"), **settings}
        return await open_world(apart=True, app_directory=APP, settings=settings)

    return opened


@pytest.fixture
async def apart(open_apart: OpenApart) -> World:
    """One of them."""
    return await open_apart()


async def asked(world: World) -> int:
    """POST /api/ask at the front; the status."""
    async with httpx.AsyncClient(trust_env=False) as client:
        return (await client.post(f"{world.host.url}/api/ask")).status_code


async def signed_in(world: World, registration: Registration) -> list[int]:
    """The front signs in: the identity's status, Entra's, and Entra's code."""
    async with httpx.AsyncClient(trust_env=False) as client:
        answer = await client.get(f"{world.host.url}/api/act-as/{CLIENT_IDS[registration]}")
    found: list[int] = answer.json()
    return found


def journal(world: World) -> list[str]:
    """What the apps did."""
    path = Path(world.host.environment["APART_JOURNAL"])
    return path.read_text().splitlines() if path.exists() else []


async def test_what_the_front_is_asked_for_the_workers_timer_carries_out(apart: World) -> None:
    assert await asked(apart) == 202
    await apart.host.idle(10)
    assert journal(apart) == ["asked"]

    apart.clock.advance(60)
    await apart.host.idle(10)

    assert [each for each in journal(apart) if "served" not in each] == ["asked", "did asked-0"]
    assert apart.clock.now() >= MORNING + TWO_HOURS
    assert [each.status for each in apart.worker.orchestrations()] == ["Completed"]
    assert [*apart.host.orchestrations(), *apart.broker.orchestrations()] == []


async def test_a_jump_for_one_apps_timer_fires_what_is_due_in_the_others(apart: World) -> None:
    apart.clock.advance(25)
    await apart.host.idle(10)
    await apart.worker.start_orchestration("carry_out", "it")
    await apart.host.idle(10)

    assert journal(apart)[0] == "served past_due=False"
    assert sorted(journal(apart)[1:]) == ["did it", "served past_due=True"]


async def test_the_clock_waits_for_an_app_that_is_at_work(apart: World) -> None:
    reached, go = asyncio.Event(), asyncio.Event()

    async def hold() -> None:
        reached.set()
        await go.wait()

    apart.points.arm("timer.before", "serve", 0, hold)
    apart.clock.advance(25)
    await reached.wait()
    await apart.worker.start_orchestration("carry_out", "it")
    for _ in range(2):
        with pytest.raises(TimeoutError, match="carry_out"):
            await apart.host.idle(0.3)
        apart.clock.advance(1)
    assert apart.clock.now() < MORNING + TWO_HOURS

    go.set()
    await apart.host.idle(10)

    assert apart.clock.now() >= MORNING + TWO_HOURS
    assert "did it" in journal(apart)


async def test_who_only_looks_holds_all_apps_also_where_one_is_down(apart: World) -> None:
    await apart.host.kill()
    await apart.worker.start_orchestration("carry_out", "it")

    async with apart.host.still() as rests:
        with pytest.raises(TimeoutError):
            await apart.broker.idle(0.3)
        assert not rests
        assert apart.clock.now() < MORNING + TWO_HOURS

    await apart.host.idle(10)
    assert "did it" in journal(apart)


@pytest.mark.parametrize("dead", ["host", "broker"])
async def test_an_app_that_was_killed_leaves_the_others_running(apart: World, dead: str) -> None:
    killed = apart.host if dead == "host" else apart.broker
    await killed.kill()
    await apart.worker.start_orchestration("carry_out", "it")
    await apart.worker.idle(10)

    # Two processes: which of them notes it first, nobody says.
    assert sorted(journal(apart)) == (["did it", "served past_due=True"] if dead == "host" else ["did it"])
    assert await asked(apart) == (503 if dead == "host" else 202)

    await killed.restart()
    await apart.host.idle(10)

    assert await asked(apart) == 202
    assert [each for each in journal(apart) if "served" in each] == ["served past_due=True"]
    assert [host.starts for host in apart.hosts] == [1 + (host is killed) for host in apart.hosts]


async def test_the_worker_that_is_killed_finds_its_work_again(apart: World) -> None:
    apart.points.arm("activity.before", "work", 0, apart.worker.kill)
    await apart.worker.start_orchestration("carry_out", "it")
    await apart.host.idle(10)
    assert "did it" not in journal(apart)

    await apart.worker.restart()
    await apart.host.idle(10)

    assert "did it" in journal(apart)


async def test_an_app_acts_only_as_those_that_trust_its_identity(apart: World) -> None:
    for app_id in CLIENT_IDS.values():
        apart.clouds.grant(app_id, apart.contoso.id)
    answers = {one: await signed_in(apart, one) for one in CLIENT_IDS}

    trusted = {one for one, answer in answers.items() if answer == [200, 200, 0]}
    assert trusted == {Registration.API, Registration.LOOKUP}
    refused = {tuple(answer) for one, answer in answers.items() if one not in trusted}
    assert refused == {(200, 401, 700213)}


async def test_the_recording_tells_which_identity_asked_also_where_it_was_refused(apart: World) -> None:
    for registration in (Registration.LOOKUP, Registration.SOURCE):
        await signed_in(apart, registration)

    front = apart.identities[Role.FRONT].client_id
    asked_for = [(one.app_id, one.status, one.wire()["assertedBy"]) for one in apart.clouds.recorder.entries]
    assert asked_for == [
        (CLIENT_IDS[Registration.LOOKUP], 200, front),
        (CLIENT_IDS[Registration.SOURCE], 401, front),
    ]


@pytest.mark.parametrize("taken", ["TENANTRY_IDENTITY_CLIENT_ID", "IDENTITY_HEADER"])
async def test_one_apps_header_does_not_open_anothers_identity(apart: World, taken: str) -> None:
    apart.host.environment[taken] = apart.worker.environment[taken]
    await apart.host.restart()

    assert await signed_in(apart, Registration.LOOKUP) == [400, 0, 0]
    [violation] = apart.violations()
    assert "No User Assigned" in violation
    apart.clouds.violations.clear()


async def test_each_app_has_its_own_identity_and_the_secrets_that_it_needs(open_apart: OpenApart) -> None:
    secret = {"TENANTRY_FINANCE_KEY": "finance", "TENANTRY_TEAMS_URL": "teams"}
    world = await open_apart(**secret)

    given = {host.environment["TENANTRY_ROLE"]: host.environment for host in world.hosts}
    assert list(given) == list(APART)
    assert {role: sorted(set(secret) & set(one)) for role, one in given.items()} == {
        "front": ["TENANTRY_FINANCE_KEY"],
        "worker": ["TENANTRY_TEAMS_URL"],
        "broker": [],
    }
    assert {one["TENANTRY_PUBLIC_URL"] for one in given.values()} == {world.host.url}
    for name in ("TENANTRY_IDENTITY_CLIENT_ID", "IDENTITY_HEADER"):
        assert len({one[name] for one in given.values()}) == len(APART)


async def test_a_crash_is_one_of_the_machine(apart: World) -> None:
    restart = apart.points.restart
    assert restart is not None
    await restart()

    assert [host.starts for host in apart.hosts] == [2, 2, 2]
    assert await asked(apart) == 202


async def test_one_app_is_all_of_them_where_they_are_together(world: World) -> None:
    assert world.hosts == (world.host,)
    assert world.worker is world.broker is world.host
