"""Alarms go out: once a day, signed, whatever dies in between, and nobody is told what the alarm does not say."""

from collections.abc import AsyncIterator
from datetime import timedelta

import pytest

from shared.azure_permissions import VM_CONTRIBUTOR
from shared.permissions import SECURITY_READER, Registration
from tests.conftest import OpenWorld
from tests.flows.declaring import declared
from tests.flows.refusal import Refusal
from tests.flows.renewing import EVENING, end_of, midnight, night_after
from tests.flows.scene import Scene
from tests.sandbox.faults import Faults
from tests.sandbox.graph.errors import GraphError
from tests.sandbox.points import then_cut
from tests.sandbox.population import CLIENT_IDS
from tests.sandbox.receiver import Mood

pytestmark = [pytest.mark.sampled(1), pytest.mark.timeout(300)]

_DELIVER = "deliver_notices"


@pytest.fixture
async def scene(open_world: OpenWorld) -> AsyncIterator[Scene]:
    """A world where it is evening, and somebody is told."""
    async with Scene(await open_world(start=EVENING, receiving=True)) as opened:
        yield opened


async def at_risk(scene: Scene) -> None:
    """Ana's eligibility ends in ten days, and the policy keeps it from being renewed."""
    await scene.onboarded()
    scene.world.fabrikam.pim.security_reader.eligibility_rules.append("MultiFactorAuthentication")


async def shown(scene: Scene) -> dict[str, tuple[int, int]]:
    """Of each destination how much is undelivered, and how much of it is not tried any more."""
    answer = await scene.call("GET", "/api/outbox", token=scene.world.reader_token())
    assert answer.status_code == 200, answer.text
    return {one["destination"]: (one["undelivered"], one["stopped"]) for one in answer.json()["value"]}


async def test_an_alarm_arrives_once_a_day_signed_and_as_a_card(scene: Scene) -> None:
    await at_risk(scene)
    await night_after(scene, 170)
    assert (await scene.call("POST", "/api/renewals", {})).status_code == 202
    await scene.settle()
    await scene.world.host.run_timer(_DELIVER)

    receiver, ends = scene.world.receiver, end_of(scene)
    [came] = receiver.came["webhook"]
    assert came.body["type"] == "renewal.at_risk"
    assert came.body["data"] == {
        "tenantId": scene.target,
        "what": "An eligibility ends soon and could not be renewed.",
        "do": "Look at the day's renewals for the reason, and at the PIM settings for the role there.",
        "href": f"{scene.world.host.url}/api/tenants/{scene.target}",
        "principalId": scene.account(scene.world.people.ana).id,
        "roleDefinitionId": SECURITY_READER,
        "why": "MfaOnEligibility",
        "end": ends.isoformat().replace("+00:00", "Z"),
    }
    assert len(receiver.came["teams"]) == 1
    assert scene.world.log.read_text().count("renewal.at_risk") == 1
    assert await shown(scene) == {"webhook": (0, 0), "teams": (0, 0)}

    await night_after(scene, 1)
    assert len({one.id for one in receiver.came["webhook"]}) == 2


async def test_the_minute_s_timer_delivers_by_itself(scene: Scene) -> None:
    await at_risk(scene)
    await night_after(scene, 170)
    scene.world.clock.advance(timedelta(minutes=2))
    await scene.settle()

    assert len(scene.world.receiver.taken("webhook")) == 1


async def test_a_loss_that_night_and_renewal_both_see_is_told_once(scene: Scene) -> None:
    await scene.onboarded()
    scene.world.clouds.revoke(CLIENT_IDS[Registration.ACCESS], scene.target)
    await scene.world.host.kill_and_restart()
    await night_after(scene, 170)
    await scene.world.host.run_timer(_DELIVER)

    log = scene.world.log.read_text()
    assert (log.count("tenant.access_lost"), log.count("renewal.access_lost")) == (1, 1)
    told = [one for one in scene.world.receiver.taken("webhook") if one["type"] == "tenant.access_lost"]
    assert [one["data"]["registration"] for one in told] == ["Tenantry Access"]


async def test_a_consent_that_a_change_finds_withdrawn_is_told(scene: Scene) -> None:
    await scene.onboarded()
    scene.world.clouds.revoke(CLIENT_IDS[Registration.ACCESS], scene.target)
    await scene.world.host.kill_and_restart()
    answer = await scene.call("PATCH", f"/api/tenants/{scene.target}", {"duration": "P90D"})
    assert answer.status_code == 202, answer.text
    assert await scene.settle() == "WaitingForConsent"
    await scene.world.host.run_timer(_DELIVER)

    [told] = scene.world.receiver.taken("webhook")
    assert (told["type"], told["data"]["registration"]) == ("tenant.access_lost", "Tenantry Access")


async def test_a_review_that_is_due_is_told_every_day_once(scene: Scene) -> None:
    await scene.onboarded()
    for _ in range(2):
        await night_after(scene, 170)
    scene.world.host.deliver_twice("plan_renewals")
    await night_after(scene, 1)
    await scene.world.host.run_timer(_DELIVER)

    told = [one["type"] for one in scene.world.receiver.taken("webhook")]
    assert told.count("renewal.review_due") == 2


async def test_a_tenant_that_failed_all_night_is_told_with_what_ends_soon(scene: Scene) -> None:
    await scene.onboarded()
    error = GraphError(503, "ServiceUnavailable", "")
    Refusal(scene.world.points, "POST /roleManagement/directory/roleEligibilityScheduleRequests", error)
    await night_after(scene, 170)
    await scene.world.host.run_timer(_DELIVER)

    told = {one["type"] for one in scene.world.receiver.taken("webhook")}
    assert told == {"renewal.given_up", "renewal.at_risk"}


async def test_one_that_lapsed_long_ago_is_told(scene: Scene) -> None:
    await scene.onboarded()
    await night_after(scene, 215)
    await scene.world.host.run_timer(_DELIVER)

    [told] = scene.world.receiver.taken("webhook")
    assert (told["type"], told["data"]["why"]) == ("renewal.lapsed", "LapsedLongAgo")


@pytest.mark.parametrize(
    ("kind", "label"),
    [
        ("store.before", "BATCH Outbox"),
        ("store.after", "BATCH Outbox"),
        ("store.before", "POST Renewals"),
        ("store.before", "PUT Outbox"),
        ("receiver.before", "webhook"),
        ("receiver.after", "webhook"),
        ("store.before", "DELETE Outbox"),
        ("store.after", "DELETE Outbox"),
    ],
)
async def test_killed_between_telling_and_sending_nothing_is_lost_or_told_twice(
    kind: str, label: str, scene: Scene
) -> None:
    await at_risk(scene)
    kill = then_cut(scene.world.host.kill_and_restart)
    scene.world.points.arm(kind, label, scene.world.points.passed(kind, label), kill)
    await night_after(scene, 170)
    for _ in range(3):
        scene.world.clock.advance(timedelta(minutes=2))
        await scene.settle()

    receiver = scene.world.receiver
    assert scene.world.points.armed == frozenset()
    assert len({one.id for one in receiver.came["webhook"]}) == 1
    assert [one["type"] for one in receiver.taken("webhook")] == ["renewal.at_risk"]
    assert len(receiver.came["webhook"]) <= 2
    assert 1 <= len(receiver.came["teams"]) <= 2
    assert await shown(scene) == {"webhook": (0, 0), "teams": (0, 0)}


async def test_a_receiver_that_is_down_for_two_days_is_told_afterwards_and_meanwhile_it_is_shown(scene: Scene) -> None:
    await at_risk(scene)
    receiver = scene.world.receiver
    receiver.moods["webhook"] = Mood(status=503)
    await night_after(scene, 170)
    scene.world.clock.advance(timedelta(minutes=2))
    await scene.settle()
    answer = (await scene.call("GET", "/api/outbox")).json()["value"][0]
    assert (answer["configured"], answer["goneSince"], answer["lastProblem"]) == (True, None, "HTTP 503")
    assert answer["since"] > midnight(scene).isoformat()
    for _ in range(8):
        scene.world.clock.advance(timedelta(hours=6))
        await scene.settle()
    undelivered, stopped = (await shown(scene))["webhook"]
    assert (undelivered >= 2, stopped) == (True, 0)
    assert receiver.taken("webhook") == []

    del receiver.moods["webhook"]
    for _ in range(3):
        scene.world.clock.advance(timedelta(hours=3))
        await scene.settle()
    await scene.world.host.run_timer(_DELIVER)

    assert len(receiver.taken("webhook")) >= undelivered
    assert await shown(scene) == {"webhook": (0, 0), "teams": (0, 0)}


async def test_a_receiver_that_is_gone_is_shown_and_an_operator_has_it_sent_again(scene: Scene) -> None:
    await at_risk(scene)
    receiver = scene.world.receiver
    receiver.moods["webhook"] = Mood(status=410)
    await night_after(scene, 170)
    await scene.world.host.run_timer(_DELIVER)
    came = len(receiver.came["webhook"])
    del receiver.moods["webhook"]
    scene.world.clock.advance(timedelta(hours=7))
    await scene.settle()
    assert len(receiver.came["webhook"]) == came
    answer = (await scene.call("GET", "/api/outbox")).json()["value"][0]
    assert answer["goneSince"]

    path, reader = "/api/outbox/retry", scene.world.reader_token()
    assert (await scene.call("POST", path, token=reader)).status_code == 403
    assert (await scene.call("POST", path, token=None)).status_code == 401
    assert (await scene.call("POST", path)).json()["value"][0]["goneSince"] is None
    await scene.world.host.run_timer(_DELIVER)

    assert len(receiver.taken("webhook")) == 1
    assert await shown(scene) == {"webhook": (0, 0), "teams": (0, 0)}


async def test_on_a_bad_day_every_alarm_arrives_all_the_same(open_world: OpenWorld) -> None:
    world = await open_world(
        start=EVENING, receiving=True, faults=Faults(7, throttle=0.2, server_error=0.2, lost_answer=0.2)
    )
    async with Scene(world) as scene:
        await at_risk(scene)
        await night_after(scene, 170)
        for _ in range(12):
            world.clock.advance(timedelta(minutes=30))
            await scene.settle()

        kinds = {one["type"] for one in world.receiver.taken("webhook")}
        assert "renewal.at_risk" in kinds
        assert len(world.receiver.came["teams"]) >= 1
        assert await shown(scene) == {"webhook": (0, 0), "teams": (0, 0)}


async def test_without_destinations_alarms_stay_in_the_log(open_world: OpenWorld) -> None:
    async with Scene(await open_world(start=EVENING)) as scene:
        await at_risk(scene)
        await night_after(scene, 170)
        await scene.world.host.run_timer(_DELIVER)

        assert "renewal.at_risk" in scene.world.log.read_text()
        assert await shown(scene) == {"webhook": (0, 0), "teams": (0, 0)}
        assert not any(hit.label.endswith("Outbox") and hit.kind == "store.before" for hit in scene.world.points.log)


async def test_an_alarm_of_a_subscription_names_it_and_its_role(scene: Scene) -> None:
    found = await declared(scene, days=40)
    await night_after(scene, 1)
    found.subscription.access.assignments.clear()

    await night_after(scene, 34)
    await scene.world.host.run_timer(_DELIVER)

    told = {one["type"]: one["data"] for one in scene.world.receiver.taken("webhook")}
    assert told.keys() == {"subscription.access_lost", "renewal.at_risk"}
    assert {one["subscriptionId"] for one in told.values()} == {found.id}
    assert {one["href"] for one in told.values()} == {f"{scene.world.host.url}{found.path}"}
    assert told["renewal.at_risk"]["roleDefinitionId"] == VM_CONTRIBUTOR
    assert told["renewal.at_risk"]["principalId"] == found.group.id
    assert not [one for one in told.values() if "tenantId" in one]
    cards = [one["attachments"][0]["content"]["body"][1]["facts"] for one in scene.world.receiver.taken("teams")]
    assert {"Subscription", "Role"} <= {fact["title"] for facts in cards for fact in facts}
