"""Many at once: hundreds of requests on one subscription, and subscriptions of which some are ill."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from datetime import timedelta

import pytest

from shared.activation.record import RUN_KIND, RequestId, State
from tests.conftest import OpenWorld
from tests.flows.activating import Locked, locked
from tests.flows.crowding import HOURS, ask, crowd, decide_past_the_app, locked_like
from tests.flows.scene import Scene

pytestmark = pytest.mark.sampled(2)

_PAGES = 5
_AT_ONCE = 10
_LIST = "roleAssignmentScheduleRequests"
_LONGEST_SECONDS = 900.0
_MINUTE = timedelta(minutes=1)


@pytest.fixture
async def found(open_world: OpenWorld) -> AsyncIterator[Locked]:
    """A locked subscription."""
    async with Scene(await open_world(receiving=True, auto_advance=False)) as scene:
        yield await locked(scene)


def lists(found: Locked, since: int = 0) -> Counter[str]:
    """How often the list of requests of each subscription was read, every page and every try counted."""
    entries = found.scene.world.clouds.recorder.entries[since:]
    return Counter(one.path.split("/")[2] for one in entries if one.method == "GET" and one.path.endswith(f"/{_LIST}"))


async def minutes(found: Locked, count: int) -> None:
    """Minute by minute, so that every timer has its turn."""
    for _ in range(count):
        found.scene.world.clock.advance(_MINUTE)
        await found.rest(_LONGEST_SECONDS)


async def states(found: Locked, asked: Sequence[RequestId]) -> Counter[State]:
    """How many of them are in which state."""
    return Counter([(await found.record(one)).record.state for one in asked])


def told(found: Locked, kind: str) -> Counter[str]:
    """How often each request was told of at the webhook."""
    taken = found.scene.world.receiver.taken("webhook")
    return Counter(str(one["data"]["activation"]["requestId"]) for one in taken if one.get("type") == kind)


@pytest.mark.timeout(1500)
@pytest.mark.parametrize("count", [12, pytest.param(500, marks=pytest.mark.long)])
async def test_many_that_wait_at_once_have_one_row_one_run_and_one_notice_each_and_end(
    found: Locked, count: int
) -> None:
    world = found.scene.world
    world.clouds.azure.page = count // _PAGES
    asked = list(crowd(found, count))
    once = Counter(asked)

    await minutes(found, 3 + count // 60)

    assert Counter(one.request_id for one in await found.store.open_hints()) == once
    assert Counter(one.subject for one in await found.scene.runs.list_open() if one.kind == RUN_KIND) == once
    assert {(await found.record(one)).record.run for one in asked} == {1}
    assert len([one for one in world.host.orchestrations() if one.name == "follow_activation"]) == count
    assert told(found, "activation.pending") == once

    in_person, approved, denied = asked[: count // 2], asked[count // 2 : -count // 4], asked[-count // 4 :]
    gate, approvers = asyncio.Semaphore(_AT_ONCE), (found.fiona, found.frank, found.ivan)

    async def decide(number: int, request_id: RequestId) -> int:
        async with gate:
            return (await found.decide(request_id, approvers[number % len(approvers)])).status_code

    answers = await asyncio.gather(*(decide(*one) for one in enumerate(in_person)))
    for one in (*approved, *denied):
        decide_past_the_app(found, one, found.frank, approve=one in approved)
    await minutes(found, 4 + count // 60)

    assert set(answers) == {200}
    assert await states(found, asked) == {State.APPROVED: count - len(denied), State.DENIED: len(denied)}
    assert len(found.subscription.activations.schedules) == count - len(denied)
    assert told(found, "activation.decided") == once

    world.clock.advance(timedelta(hours=HOURS))
    await minutes(found, 5)

    assert await states(found, asked) == {State.ENDED: count - len(denied), State.DENIED: len(denied)}
    assert await found.scene.runs.list_open() == []
    assert await found.store.open_hints() == []
    assert (told(found, "activation.pending"), told(found, "activation.violation")) == (once, Counter())


async def test_a_cycle_in_which_nothing_waits_reads_each_subscription_once(found: Locked) -> None:
    others = await locked_like(found, 29)
    before = len(found.scene.world.clouds.recorder.entries)

    await found.scene.world.host.run_timer("watch_activations")

    assert lists(found, before) == Counter([found.id, *(one.id for one in others)])
    azure = [one for one in found.scene.world.clouds.recorder.entries[before:] if one.service == "arm"]
    assert len(azure) == 30


async def test_what_waits_is_read_page_by_page_and_no_other_subscription_is_read_twice(found: Locked) -> None:
    [other] = await locked_like(found, 1)
    found.scene.world.clouds.azure.page = 3
    found.scene.world.clouds.replication.off()
    asked = crowd(found, 8)
    before = len(found.scene.world.clouds.recorder.entries)

    await found.scene.world.host.run_timer("watch_activations")

    assert lists(found, before) == {found.id: 3, other.id: 1}
    assert {one.request_id for one in await found.store.open_hints()} == set(asked)


@pytest.mark.parametrize("count", [6, pytest.param(30, marks=pytest.mark.long)])
async def test_subscriptions_that_are_dead_throttled_or_forbidden_keep_no_other_request_waiting(
    found: Locked, count: int
) -> None:
    azure, host = found.scene.world.clouds.azure, found.scene.world.host
    found.scene.world.clouds.replication.off()
    dead, slow, lost, *well = await locked_like(found, count - 1)
    azure.kill(dead.subscription)
    azure.crawl(slow.subscription, size=1, seconds=90)
    azure.kill(lost.subscription, "forbidden")
    who = found.scene.world.people.engineer
    asked = {one.id: ask(one, who) for one in (found, dead, slow, lost, *well)}
    before = len(found.scene.world.clouds.recorder.entries)

    await host.run_timer("watch_activations")

    waiting = {one.subscription_id for one in await found.store.open_hints()}
    assert waiting == set(asked) - {dead.id, lost.id}
    read = lists(found, before)
    assert {read[one.id] for one in (found, slow, *well)} == {1}
    assert max(read.values()) <= 4
    log = found.scene.world.log.read_text()
    assert log.count("watch.postponed") == 2
    await minutes(found, 6)
    assert azure.buckets.refusals.get(slow.id, 0) <= 6  # the watcher's and the look's, each asked to wait

    for one in (dead, slow, lost):
        azure.recover(one.subscription)
    await minutes(found, 6)

    for one in (found, dead, slow, lost, *well):
        record = (await one.record(asked[one.id])).record
        assert (record.state, record.run, record.told) == (State.PENDING, 1, ("pending",))


async def test_a_row_that_cannot_be_read_keeps_no_other_request_waiting(found: Locked) -> None:
    found.scene.world.clouds.replication.off()
    [bad, *asked] = crowd(found, 5)
    await found.scene.spoil("Requests", bad)

    await found.scene.world.host.run_timer("watch_activations")
    await found.rest()

    assert await states(found, asked) == {State.PENDING: 4}
    assert f"watch.postponed request_id={bad}" in found.scene.world.log.read_text()


@pytest.mark.long
@pytest.mark.timeout(240)
async def test_a_subscription_that_never_answers_is_left_for_the_next_cycle(found: Locked) -> None:
    world, others = found.scene.world, await locked_like(found, 2)
    world.clouds.replication.off()
    asked = {one.id: ask(one, found.emil) for one in (found, *others)}
    label = f"GET /subscriptions/{{id}}/providers/Microsoft.Authorization/{_LIST}"
    silent = asyncio.Event()
    passed = world.points.passed("vendor-read.before", label)
    world.points.arm("vendor-read.before", label, passed, silent.wait)

    await world.host.run_timer("watch_activations")

    assert len(await found.store.open_hints()) == 2
    assert world.log.read_text().count("watch.postponed subscription_id=") == 1
    silent.set()
    await minutes(found, 2)
    assert {one.request_id for one in await found.store.open_hints()} == set(asked.values())
