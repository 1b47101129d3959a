"""The outbox: each alarm once, whatever becomes of receivers, answers and hosts."""

import asyncio
import logging
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest

from shared.identifiers import ObjectId, SubscriptionId
from shared.notify.destinations import Destinations
from shared.notify.notices import ActivationFacts, Destination, Kind, Notice
from shared.notify.outbox import Outbox
from shared.services import new_id
from tests.clients.desk import Desk, desk
from tests.sandbox.azurite import Azurite
from tests.sandbox.points import cut
from tests.sandbox.population import guid
from tests.sandbox.receiver import Mood

_MINUTE, _DAY = timedelta(minutes=1), timedelta(days=1)


@pytest.fixture
async def at(tmp_path: Path, azurite: Azurite) -> AsyncIterator[Desk]:
    """A desk where nothing goes wrong."""
    async with desk(tmp_path, azurite) as opened:
        yield opened


async def test_what_is_told_arrives_at_both_once_however_often_it_is_told(at: Desk) -> None:
    await at.tell()
    await at.tell(host=1)
    await at.courier().deliver()
    await at.tell()
    await at.courier(1).deliver()

    assert [len(at.receiver.came[endpoint]) for endpoint in ("webhook", "teams")] == [1, 1]
    assert at.receiver.came["webhook"][0].body["type"] == "renewal.review_due"
    assert await at.left() == []
    assert await at.left(Destination.TEAMS) == []


async def test_the_same_fact_is_told_again_the_next_day(at: Desk) -> None:
    await at.tell()
    at.clock.advance(_DAY)
    await at.tell()
    await at.courier().deliver()

    assert len(set(at.ids())) == 2


async def test_two_hosts_that_deliver_at_once_send_nothing_twice(at: Desk) -> None:
    await at.tell(*(f"tenant-{number}" for number in range(6)))

    await asyncio.gather(*(at.courier(host).deliver() for host in (0, 1, 0, 1)))

    assert len(at.ids()) == len(set(at.ids())) == 6
    assert len(at.receiver.came["teams"]) == 6
    assert await at.left() == []


async def test_two_hosts_that_tell_at_once_tell_it_once(at: Desk) -> None:
    await asyncio.gather(*(at.tell(host=host) for host in (0, 1, 0, 1)))
    await at.courier().deliver()

    assert len(at.ids()) == 1


async def test_what_is_told_of_one_request_arrives_in_its_order(at: Desk) -> None:
    async def slow() -> None:
        await asyncio.sleep(0.2)

    at.at.points.arm("receiver.before", "webhook", 0, slow)
    for kind in (Kind.PENDING, Kind.DECIDED, Kind.VIOLATION):
        at.clock.advance(timedelta(seconds=1))
        for name in ("one", "two"):
            await told_of(at, name, kind)
    await at.courier().deliver()

    came = [(one.body["data"]["activation"]["requestId"], one.body["type"]) for one in at.receiver.came["webhook"]]
    for name in ("one", "two"):
        told = [kind for request_id, kind in came if request_id == guid(name)]
        assert told == ["activation.pending", "activation.decided", "activation.violation"]


async def test_pairs_of_many_requests_go_in_one_delivery(at: Desk) -> None:
    """The order of each holds up none of the others."""
    for number in range(40):
        for kind in (Kind.PENDING, Kind.DECIDED):
            await told_of(at, f"request-{number}", kind)
    await at.courier().deliver()

    assert len(at.receiver.came["webhook"]) == 80
    assert await at.left() == []


async def told_of(at: Desk, name: str, kind: Kind) -> None:
    """Something of an activation request."""
    facts = ActivationFacts(request_id=guid(name), requester=ObjectId(guid("emil")), state="pending")
    now, of = at.clock.now(), SubscriptionId(guid("subscription"))
    await at.outbox().tell(now.date(), Notice(kind=kind, at=now, subscription_id=of, activation=facts))


async def test_a_receiver_that_is_down_for_two_days_has_everything_within_six_hours(at: Desk) -> None:
    at.receiver.moods["webhook"] = Mood(status=503)
    await at.tell("one", "two")
    await at.deliver_for(2 * _DAY, every=timedelta(minutes=30))
    tried = len(at.ids())
    assert [one.stopped for one in await at.left()] == ["", ""]
    assert len(at.receiver.came["teams"]) == 2

    del at.receiver.moods["webhook"]
    await at.deliver_for(timedelta(hours=6, minutes=30), every=timedelta(minutes=30))

    assert 10 <= tried <= 2 * 13
    assert len(at.receiver.taken("webhook")) == 2
    assert len(set(at.ids())) == 2
    assert await at.left() == []


async def test_a_delivery_whose_answer_was_lost_comes_again_under_the_same_id(at: Desk) -> None:
    at.at.points.arm("receiver.after", "webhook", 0, cut)
    await at.tell()
    await at.courier().deliver()
    assert [one.problem for one in await at.left()] == ["RemoteProtocolError"]
    await at.deliver_for(2 * _MINUTE)

    assert len(at.ids()) == 2
    assert len(set(at.ids())) == 1
    assert len(at.receiver.taken("webhook")) == 1
    assert await at.left() == []


async def test_a_receiver_that_takes_too_long_is_not_waited_for(at: Desk) -> None:
    await at.tell("one")
    await at.courier().deliver()
    at.receiver.moods["webhook"], at.answer_seconds = Mood(status=None), 1.0
    await at.tell("two")
    await at.courier().deliver()

    [kept] = await at.left()
    assert (kept.tries, kept.problem) == (1, "TimeoutError")
    assert len(at.ids()) == 2


async def test_a_busy_receiver_is_left_alone_for_as_long_as_it_asks(at: Desk) -> None:
    at.receiver.moods["webhook"] = Mood(status=429, retry_after="1800")
    await at.tell()
    await at.courier().deliver()
    del at.receiver.moods["webhook"]
    await at.deliver_for(timedelta(minutes=28))
    assert len(at.ids()) == 1

    await at.deliver_for(timedelta(minutes=4))

    assert len(at.receiver.taken("webhook")) == 1


async def test_a_receiver_that_is_gone_is_sent_nothing_more_until_it_has_another_address(
    at: Desk, caplog: pytest.LogCaptureFixture
) -> None:
    at.receiver.moods["webhook"] = Mood(status=410)
    await at.tell("one", "two")
    await at.courier().deliver()
    del at.receiver.moods["webhook"]
    came = len(at.ids())
    await at.tell("three")
    await at.deliver_for(timedelta(minutes=20))
    assert len(at.ids()) == came
    assert len(at.receiver.came["teams"]) == 3
    assert await at.outbox().stopped(Destination.WEBHOOK) is not None
    assert caplog.text.count("notice.destination_gone") == 1

    urls = {**at.to.urls, Destination.WEBHOOK: at.receiver.webhook_url.replace("localhost", "127.0.0.1")}
    moved = Destinations(urls=urls, keys=at.to.keys)
    await at.courier(to=moved).deliver()

    assert len(at.receiver.taken("webhook")) == 3
    assert await at.outbox(to=moved).stopped(Destination.WEBHOOK) is None


async def test_a_message_that_is_refused_is_told_and_not_sent_again_and_keeps_no_other(
    at: Desk, caplog: pytest.LogCaptureFixture
) -> None:
    at.receiver.moods["webhook"] = Mood(status=400)
    await at.tell("one")
    await at.courier().deliver()
    del at.receiver.moods["webhook"]
    await at.tell("two")
    await at.deliver_for(3 * _DAY, every=timedelta(hours=3))

    assert len(at.ids()) == 2
    [kept] = await at.left()
    assert (kept.stopped, kept.problem) == ("refused", "HTTP 400")
    assert caplog.text.count("notice.refused") == 1
    assert "POST /api/outbox/retry" in caplog.text


async def test_a_redirect_is_not_followed(at: Desk) -> None:
    at.receiver.moods["webhook"] = Mood(status=307)
    await at.tell()
    await at.courier().deliver()

    assert [one.stopped for one in await at.left()] == ["refused"]


async def test_after_five_days_it_is_given_up_and_told_once(at: Desk, caplog: pytest.LogCaptureFixture) -> None:
    at.receiver.moods["webhook"] = Mood(status=500)
    await at.tell()
    await at.deliver_for(7 * _DAY, every=timedelta(hours=1))

    [kept] = await at.left()
    assert (kept.stopped, kept.problem) == ("given up", "HTTP 500")
    assert caplog.text.count("notice.given_up") == 1
    assert at.receiver.came["webhook"][-1].at - at.receiver.came["webhook"][0].at <= timedelta(days=5, hours=2)


async def test_a_person_has_all_of_it_sent_anew(at: Desk) -> None:
    at.receiver.moods["webhook"] = Mood(status=403)
    await at.tell("one")
    await at.courier().deliver()
    at.receiver.moods["webhook"] = Mood(status=410)
    await at.tell("two")
    await at.courier().deliver()
    del at.receiver.moods["webhook"]

    assert await at.outbox().again(at.clock.now()) == 2
    assert await at.outbox().again(at.clock.now()) == 2
    await at.courier().deliver()

    assert len(at.receiver.taken("webhook")) == 2
    assert await at.left() == []


async def test_a_destination_that_fails_is_not_asked_for_every_message_and_holds_up_no_other(at: Desk) -> None:
    at.receiver.moods["webhook"] = Mood(status=503)
    await at.tell(*(f"tenant-{number}" for number in range(12)))
    await at.courier().deliver()

    assert len(at.ids()) == 8
    assert len(at.receiver.came["teams"]) == 12


async def test_more_than_one_delivery_takes_goes_with_the_next_ones(at: Desk) -> None:
    await at.tell(*(f"tenant-{number}" for number in range(100)))
    await at.courier().deliver()
    assert len(at.ids()) == 96
    await at.courier().deliver()

    assert len(at.ids()) == len(set(at.ids())) == 100


async def test_without_destinations_nothing_is_kept(at: Desk) -> None:
    nowhere = Destinations(urls={}, keys=())
    made = at.outbox(to=nowhere)
    at.to = nowhere
    await at.tell()
    await at.courier().deliver()

    assert at.at.writes() == []
    assert [found async for found in made.undelivered(Destination.WEBHOOK)] == []


async def test_what_a_deployment_took_away_waits_for_its_days_and_is_given_up(
    at: Desk, caplog: pytest.LogCaptureFixture
) -> None:
    await at.tell()
    at.to = Destinations(urls={Destination.TEAMS: at.receiver.teams_url}, keys=())
    await at.deliver_for(6 * _DAY, every=timedelta(hours=12))

    assert at.ids() == []
    assert [one.stopped for one in await at.left()] == ["given up"]
    assert caplog.text.count("notice.given_up") == 1


@pytest.mark.parametrize("nth", [0, 1])
async def test_a_lost_answer_of_the_store_makes_no_second_message(at: Desk, nth: int) -> None:
    await at.tell("to make the table")
    passed = at.at.points.passed("store.after", "BATCH Outbox")
    at.at.points.arm("store.after", "BATCH Outbox", passed + nth, cut)
    await at.tell("one")
    await at.courier().deliver()

    assert at.at.points.armed == frozenset()
    assert len(at.ids()) == len(set(at.ids())) == 2


async def test_while_one_host_sends_a_message_another_leaves_it_alone(at: Desk) -> None:
    await at.tell()
    at.at.points.arm("receiver.before", "webhook", 0, at.courier(1).deliver)
    await at.courier().deliver()

    assert at.at.points.armed == frozenset()
    assert len(at.ids()) == 1


async def test_a_host_that_died_after_its_claim_is_followed_by_another_under_the_same_id(at: Desk) -> None:
    await at.tell()
    are_there, never = asyncio.Barrier(3), asyncio.Event()

    async def hold() -> None:
        await are_there.wait()
        await never.wait()

    for endpoint in ("webhook", "teams"):
        at.at.points.arm("receiver.after", endpoint, 0, hold)
    dying = asyncio.create_task(at.courier().deliver())
    await are_there.wait()  # both: a handshake that is cancelled would leave its socket open
    dying.cancel()
    await asyncio.wait([dying])
    await at.courier(1).deliver()
    assert len(at.ids()) == 1
    at.clock.advance(2 * _MINUTE)
    await at.courier(1).deliver()

    assert len(at.ids()) == 2
    assert len(set(at.ids())) == 1
    assert await at.left() == []


async def test_what_is_older_than_a_month_is_forgotten(at: Desk) -> None:
    at.receiver.moods["webhook"] = Mood(status=400)
    await at.tell("one")
    await at.courier().deliver()
    at.clock.advance(timedelta(days=31))
    await at.tell("two")

    await at.courier().purge()

    [kept] = await at.left()
    assert kept.told.date() == at.clock.now().date()
    rows = await at.at.table("Outbox").partition("outbox")
    assert len([row for row in rows if row.key.startswith("told|")]) == 2


async def test_the_log_tells_what_became_of_a_message_and_never_where_it_went(
    at: Desk, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "shared")
    at.receiver.moods["teams"] = Mood(status=500)
    await at.tell()
    await at.courier().deliver()
    await at.receiver.stop()
    await at.tell("another")
    await at.deliver_for(3 * _MINUTE)

    assert "notice.delivered" in caplog.text
    assert "reason=HTTP 500" in caplog.text
    assert "reason=ConnectError" in caplog.text
    assert at.receiver.sig not in caplog.text
    assert "/workflows/" not in caplog.text


async def test_an_app_that_knows_no_destination_loses_nothing_in_silence(at: Desk) -> None:
    """What it told would be kept for nobody."""
    now = at.clock.now()
    outbox = Outbox(at.at.table("Outbox"), Destinations(urls={}, keys=()), "https://app.example", new_id, tells=False)

    with pytest.raises(RuntimeError, match="only the app that delivers"):
        await outbox.tell(now.date(), Notice(kind=Kind.FAILED, at=now, day=now.date()))
