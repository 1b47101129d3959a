"""What is said of a request while another word is on its way, and what is sent again after its answer got lost."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta

import httpx
import pytest

from shared.activation.record import RequestId, State, moved
from tests.conftest import OpenWorld
from tests.flows.activating import REQUESTS, Locked, locked
from tests.flows.brokering import PUT, SETTINGS, brokered
from tests.flows.financing import SETTINGS as FINANCE
from tests.flows.financing import Finance
from tests.flows.scene import Scene
from tests.sandbox.points import Action, cut
from tests.sandbox.population import REQUEST

pytestmark = pytest.mark.sampled(6)

AUDIT = "POST Audit"
"""Whoever says something has read the record by then, and is about to write their entry."""
LOOK = "look_at_activation"

EARLY, LATE = "2026-03-02T10:00:00Z", "2026-03-02T10:00:05Z"


@pytest.fixture
async def at_pim(open_world: OpenWorld) -> AsyncIterator[Locked]:
    """A locked subscription of the mode pim."""
    async with Scene(await open_world(receiving=True, auto_advance=False, settings=FINANCE)) as scene:
        yield await locked(scene)


@pytest.fixture
async def at_broker(open_world: OpenWorld) -> AsyncIterator[Locked]:
    """One of the mode broker, where any approver, finance's webhook too, is enough."""
    settings = {**SETTINGS, **FINANCE, "TENANTRY_BROKER_WEBHOOK_CEILING": "100000"}
    async with Scene(await open_world(receiving=True, auto_advance=False, settings=settings)) as scene:
        yield await brokered(scene)


def meanwhile(found: Locked, action: Action, kind: str = "store.before", label: str = AUDIT) -> None:
    """Do something at the next passing of a place."""
    points = found.scene.world.points
    passed = points.passed(kind, label)
    points.arm(kind, label, passed, action)


async def engineer_posts(found: Locked, request_id: RequestId, what: str) -> httpx.Response:
    """The engineer's own word on their request."""
    token = found.scene.world.token(found.emil, REQUEST)
    return await found.scene.call("POST", f"{REQUESTS}/{request_id}/{what}", token=token)


async def outcomes(found: Locked, request_id: RequestId, act: int) -> list[str]:
    """What the audit says became of an act."""
    return [one.deed.outcome for one in await found.trail(request_id) if one.deed.act == act]


async def finance_says(finance: Finance, request_id: RequestId, verdict: str, said: str) -> httpx.Response:
    """A webhook with the moment at which it was said."""
    body = finance.body(request_id, verdict).replace(b"2026-03-02T09:00:00Z", said.encode())
    return await finance.send(body, said, finance.signed(body, said))


async def test_a_slow_approve_does_not_override_the_deny_that_the_same_approver_said_later(at_pim: Locked) -> None:
    finance, request_id = Finance(at_pim), await at_pim.asked()
    answers: list[httpx.Response] = []
    both_are_said = asyncio.Event()

    async def denies() -> None:
        answers.append(await finance_says(finance, request_id, "deny", LATE))

    meanwhile(at_pim, denies)
    meanwhile(at_pim, both_are_said.wait, "activity.before", LOOK)
    slow = await finance_says(finance, request_id, "approve", EARLY)

    assert [(one.status_code, one.json()["verdict"]) for one in answers] == [(202, "deny")]
    assert (slow.status_code, slow.json()["title"]) == (409, "Older"), slow.text
    assert [one.approves for one in (await at_pim.record(request_id)).record.verdicts] == [False]
    assert await outcomes(at_pim, request_id, 44) == ["done", "done", "not done: older word"]
    both_are_said.set()
    await at_pim.rest()
    assert at_pim.status(request_id) == "Canceled"


async def test_a_verdict_that_is_recorded_too_late_counts_for_nothing(at_pim: Locked) -> None:
    finance, request_id = Finance(at_pim), await at_pim.asked()

    async def a_day_goes_by() -> None:
        at_pim.scene.world.clock.advance(timedelta(days=1).total_seconds())

    meanwhile(at_pim, a_day_goes_by)
    slow = await finance_says(finance, request_id, "approve", EARLY)

    assert (slow.status_code, slow.json()["title"]) == (409, "Not pending"), slow.text
    assert (await at_pim.record(request_id)).record.verdicts == ()
    assert await outcomes(at_pim, request_id, 44) == ["done", "not done: not pending"]


async def test_who_takes_a_request_back_as_it_is_approved_hears_by_whom_it_was(at_broker: Locked) -> None:
    request_id = await at_broker.asked()
    answers: list[httpx.Response] = []

    async def approves() -> None:
        answers.append(await at_broker.decide(request_id))

    meanwhile(at_broker, approves)
    answer = await engineer_posts(at_broker, request_id, "cancel")
    await at_broker.rest()

    assert [one.status_code for one in answers] == [200]
    assert (answer.status_code, answer.json()["title"]) == (409, "Not pending"), answer.text
    assert f"approved by {at_broker.fiona.object_id}" in answer.json()["detail"]
    assert at_broker.holds()
    assert await outcomes(at_broker, request_id, 47) == ["done", "not counted: it was decided, or over, before"]


async def test_who_gives_a_role_back_as_it_ends_has_given_nothing_back_in_the_audit(at_broker: Locked) -> None:
    request_id = await at_broker.asked()
    await at_broker.decide(request_id)
    await at_broker.rest()
    await at_broker.after(timedelta(minutes=1))

    async def it_ends() -> None:  # as a look of its run would find, which nobody can wait for in here
        now = at_broker.scene.world.clock.now()
        await at_broker.store.change(request_id, lambda one: moved(one, State.ENDED, now))

    meanwhile(at_broker, it_ends)
    await engineer_posts(at_broker, request_id, "release")

    record = (await at_broker.record(request_id)).record
    assert (record.state, record.wants_back) == (State.ENDED, None)
    assert await outcomes(at_broker, request_id, 48) == ["done", "not counted: it was decided, or over, before"]


@pytest.mark.parametrize(("said", "is_now"), [("Approve", "approved"), ("Deny", "denied")])
async def test_who_takes_back_what_was_decided_in_the_portal_a_moment_ago_is_told_so(
    at_pim: Locked, said: str, is_now: str
) -> None:
    request_id = await at_pim.asked()
    await at_pim.decide_in_portal(request_id, at_pim.frank, said)

    answer = await engineer_posts(at_pim, request_id, "cancel")

    assert (answer.status_code, answer.json()["title"]) == (409, "Not pending"), answer.text
    assert f"{is_now} in the portal" in answer.json()["detail"]
    assert (await at_pim.shown(request_id))["state"] == is_now


async def test_a_release_whose_answer_is_lost_is_done_on_the_repeat_though_a_list_still_shows_it(
    at_pim: Locked,
) -> None:
    request_id = await at_pim.asked()
    await at_pim.decide(request_id)
    await at_pim.after(timedelta(minutes=10))
    at_pim.scene.world.clouds.replication.set((60.0, 60.0))
    meanwhile(at_pim, cut, "vendor.after", PUT)

    lost = await engineer_posts(at_pim, request_id, "release")
    assert (lost.status_code, at_pim.holds()) == (503, False), lost.text
    again = await engineer_posts(at_pim, request_id, "release")

    assert again.status_code == 200, again.text
    assert set(await outcomes(at_pim, request_id, 43)) <= {"done"}
    for _ in range(3):
        await at_pim.after()
    assert await outcomes(at_pim, request_id, 43) == ["done"]
    assert (await at_pim.record(request_id)).record.state is State.ENDED
