"""Renewal of Azure roles: what is declared on a subscription is extended before it ends, recovered where it lapsed, told of
where neither may be; and what is not declared is left alone.
"""

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta

import pytest

from shared.azure_permissions import STORAGE_ACCOUNT_CONTRIBUTOR
from tests.conftest import OpenWorld
from tests.flows.declaring import VMS, declared, managed
from tests.flows.renewing import EVENING, midnight, night_after
from tests.flows.scene import Scene
from tests.sandbox.arm.models.roles import OWNER

pytestmark = pytest.mark.sampled(2)


@pytest.fixture
async def scene(open_world: OpenWorld) -> AsyncIterator[Scene]:
    """A world where it is evening."""
    async with Scene(await open_world(start=EVENING)) as opened:
        yield opened


async def test_one_that_ends_soon_is_extended_and_audited_and_nothing_is_written_again_in_that_night(
    scene: Scene,
) -> None:
    found = await declared(scene)
    await night_after(scene, 1)
    await night_after(scene, 90)

    assert found.end() == midnight(scene) + timedelta(days=180)
    assert found.requests() == ["AdminExtend"]
    entry = (await found.entries())[-1]
    assert (entry.subject, entry.deed.act, entry.deed.outcome) == (found.id, 33, "done")
    assert (entry.deed.on_whose_word, entry.deed.run) == (scene.world.people.operator.object_id, 1)
    kept = await found.kept()
    assert [one.end for one in kept.eligibilities.values()] == [found.end()]
    assert kept.record.renewing is None
    assert await found.told() == {found.group.id: ("extended", None)}
    assert await scene.runs.list_open() == []
    scene.world.clock.advance(3 * 3600)
    await scene.settle()
    assert found.requests() == ["AdminExtend"]


async def test_outside_the_window_a_subscription_costs_one_call_and_nothing_is_written(scene: Scene) -> None:
    found = await declared(scene)
    await night_after(scene, 1)
    calls = len(scene.world.clouds.recorder.entries)
    await night_after(scene, 30)

    assert found.calls(calls) == ["GET roleEligibilityScheduleInstances"]
    assert found.requests() == []


async def test_two_and_three_weeks_before_its_end_it_is_updated(scene: Scene) -> None:
    found = await declared(scene)
    await night_after(scene, 1)
    await night_after(scene, 82)

    assert found.requests() == ["AdminUpdate"]
    assert found.end() == midnight(scene) + timedelta(days=180)


async def test_where_extending_is_refused_so_far_from_the_end_it_is_updated(open_world: OpenWorld) -> None:
    settings = {"TENANTRY_RENEWAL_WINDOW_DAYS": "60"}
    world = await open_world(start=EVENING, flipped=["arm-extend-window-enforced"], settings=settings)
    async with Scene(world) as scene:
        found = await declared(scene)
        await night_after(scene, 1)
        await night_after(scene, 50)

        assert found.requests() == ["AdminUpdate"]
        assert found.end() == midnight(scene) + timedelta(days=180)


async def test_one_that_lapsed_while_the_app_was_down_for_twenty_days_is_in_force_again(scene: Scene) -> None:
    found = await declared(scene)
    await night_after(scene, 1)
    await night_after(scene, 119)

    assert found.requests() == ["AdminRenew"]
    assert found.end() == midnight(scene) + timedelta(days=180)
    assert await found.told() == {found.group.id: ("renewed", None)}


async def test_one_that_lapsed_longer_ago_than_pim_renews_is_told_and_alarms_once_a_day(scene: Scene) -> None:
    found = await declared(scene)
    await night_after(scene, 1)
    await night_after(scene, 135)
    for _ in range(2):
        assert (await scene.call("POST", "/api/renewals", {"subscriptionIds": [found.id]})).status_code == 202
        await scene.settle()

    assert (found.requests(), found.held()) == ([], None)
    assert await found.told() == {found.group.id: ("refused", "LapsedLongAgo")}
    assert scene.world.log.read_text().count("renewal.lapsed") == 1


async def test_one_that_a_person_removed_is_never_made_again_not_even_when_its_end_has_passed(scene: Scene) -> None:
    found = await declared(scene)
    await night_after(scene, 1)
    found.subscription.removed_by_a_person(found.group.id)
    await night_after(scene, 60)
    assert await found.told() == {found.group.id: ("refused", "RemovedByHand")}
    await night_after(scene, 50)

    assert (found.requests(), found.held()) == ([], None)
    assert "renewal.lapsed" not in scene.world.log.read_text()


async def test_one_that_a_person_removed_while_nobody_looked_is_not_renewed_after_its_end(scene: Scene) -> None:
    """What is in force tells nothing of it any more; the request that took it away does."""
    found = await declared(scene)
    await night_after(scene, 1)
    scene.world.clock.advance(timedelta(days=95).total_seconds())
    found.subscription.removed_by_a_person(found.group.id)
    await night_after(scene, 12)

    assert (found.requests(), found.held()) == ([], None)


async def test_one_that_a_person_let_end_earlier_is_left_to_end(scene: Scene) -> None:
    found = await declared(scene)
    await night_after(scene, 1)
    held = found.held()
    assert held is not None
    held.window = replace(held.window, end=scene.world.clock.now() + timedelta(days=20))
    await night_after(scene, 15)

    assert found.requests() == []
    assert await found.told() == {found.group.id: ("refused", "ShortenedByHand")}


async def shown(scene: Scene) -> list[tuple[str, str, str]]:
    """What the API shows: the standing and the end of each declared, and the ends of those that end within 30 days."""
    [subscription] = (await scene.call("GET", "/api/subscriptions")).json()["value"]
    record = (await scene.call("GET", f"/api/subscriptions/{subscription['subscriptionId']}")).json()
    soon = (await scene.call("GET", "/api/eligibilities?endingWithinDays=30")).json()["value"]
    listed = [("soon", one["principalId"], one["end"][:10]) for one in soon]
    return [*((one["standing"], one["principalId"], one["end"][:10]) for one in record["eligibilities"]), *listed]


async def test_one_that_a_person_let_end_earlier_is_shown_with_that_end_and_alarms_when_it_is_near(
    scene: Scene,
) -> None:
    found = await declared(scene)
    await night_after(scene, 1)
    held = found.held()
    assert held is not None
    end = scene.world.clock.now() + timedelta(days=20)
    held.window = replace(held.window, end=end)
    await night_after(scene, 1)
    ends = f"{end:%Y-%m-%d}"
    assert await shown(scene) == [("inForce", found.group.id, ends), ("soon", found.group.id, ends)]
    assert "renewal.at_risk" not in scene.world.log.read_text()

    await night_after(scene, 10)

    log = scene.world.log.read_text()
    assert log.count("renewal.at_risk") == 1
    assert f"why=ShortenedByHand until={ends}" in log
    await night_after(scene, 15)
    assert (found.requests(), found.held()) == ([], None)
    assert (await shown(scene))[0][2] == ends
    assert "renewal.lapsed" not in scene.world.log.read_text()


async def test_one_that_a_person_let_end_earlier_raises_no_alarm_where_its_group_is_gone(scene: Scene) -> None:
    found = await declared(scene)
    await night_after(scene, 1)
    held = found.held()
    assert held is not None
    held.window = replace(held.window, end=scene.world.clock.now() + timedelta(days=20))
    del scene.world.contoso.directory.groups[found.group.id]
    await night_after(scene, 15)

    assert await found.told() == {found.group.id: ("refused", "ShortenedByHand")}
    assert "renewal.at_risk" not in scene.world.log.read_text()


async def test_one_that_a_person_removed_and_made_again_is_looked_after_by_its_new_end(scene: Scene) -> None:
    found = await declared(scene)
    await night_after(scene, 1)
    found.subscription.removed_by_a_person(found.group.id)
    await night_after(scene, 1)
    assert await found.told() == {found.group.id: ("refused", "RemovedByHand")}
    end = midnight(scene) + timedelta(days=28)
    found.subscription.eligible(found.group.id, end=end)
    await night_after(scene, 1)
    ends = f"{end:%Y-%m-%d}"
    assert await shown(scene) == [("inForce", found.group.id, ends), ("soon", found.group.id, ends)]
    assert found.requests() == []

    await night_after(scene, 20)

    assert found.requests() == ["AdminExtend"]
    assert found.end() == midnight(scene) + timedelta(days=180)
    assert "renewal.at_risk" not in scene.world.log.read_text()


async def test_one_that_had_no_end_is_looked_after_once_a_person_gave_it_one(scene: Scene) -> None:
    found = managed(scene, days=None)
    held = found.subscription.eligible(found.group.id, end=None)
    await found.declare()
    await night_after(scene, 1)
    held.window = replace(held.window, end=midnight(scene) + timedelta(days=10), kind="AfterDateTime")
    await night_after(scene, 1)

    assert found.requests() == ["AdminExtend"]
    assert found.end() == midnight(scene) + timedelta(days=180)


async def test_what_a_look_could_not_say_is_told_no_more_once_a_later_look_that_day_finds_all_well(
    scene: Scene,
) -> None:
    found = await declared(scene, days=None)
    await night_after(scene, 1)
    assert await found.told() == {found.group.id: ("missing", None)}
    found.subscription.eligible(found.group.id, end=midnight(scene) + timedelta(days=100))
    assert (await scene.call("POST", "/api/renewals", {})).status_code == 202
    await scene.settle()

    assert await found.told() == {}


async def test_a_permanent_one_is_told_and_not_touched(scene: Scene) -> None:
    found = managed(scene, days=None)
    found.subscription.eligible(found.group.id, end=None)
    await found.declare()
    await night_after(scene, 1)

    assert found.requests() == []
    assert await found.told() == {found.group.id: ("permanent", None)}
    await night_after(scene, 200)
    assert found.requests() == []
    assert "renewal.lapsed" not in scene.world.log.read_text()


async def test_one_that_was_never_there_is_told_and_never_made_until_a_person_makes_it(scene: Scene) -> None:
    found = await declared(scene, days=None)
    await night_after(scene, 1)

    assert (found.requests(), found.held()) == ([], None)
    assert await found.told() == {found.group.id: ("missing", None)}

    found.subscription.eligible(found.group.id, end=midnight(scene) + timedelta(days=10))
    await night_after(scene, 1)
    assert found.requests() == ["AdminExtend"]


async def test_what_is_not_declared_is_told_when_it_ends_soon_and_left_to_end(scene: Scene) -> None:
    """Another's, a role that nobody may declare, and one of a resource group below, where another policy holds."""
    found = await declared(scene)
    people, soon = scene.world.people, midnight(scene) + timedelta(days=12)
    below = found.subscription.add_resource_group("vms")
    found.subscription.eligible(people.ana.object_id, end=soon)
    found.subscription.eligible(people.ben.object_id, end=soon, role_id=OWNER)
    found.subscription.eligible(people.cleo.object_id, end=soon, scope=below)
    await night_after(scene, 1)

    assert await found.told() == {
        people.ana.object_id: ("notOurs", None),
        people.ben.object_id: ("notOurs", None),
    }
    await night_after(scene, 14)
    assert found.requests() == []
    assert found.held(people.ana.object_id) is None
    assert found.held(people.ben.object_id, OWNER) is None


async def test_one_that_is_not_declared_any_more_is_left_to_end(scene: Scene) -> None:
    found = await declared(scene, days=10)
    assert (await found.declare({"role": VMS, "users": [scene.world.people.ana.object_id]})).status_code == 200
    await night_after(scene, 1)

    assert found.requests() == []
    assert (await found.told())[found.group.id] == ("notOurs", None)


async def test_a_policy_that_allows_less_by_now_is_kept_to_and_written_for_only_every_ten_days(scene: Scene) -> None:
    found = await declared(scene)
    await night_after(scene, 1)
    policy = found.subscription.pim.policy()
    policy.longest("P15D")
    await night_after(scene, 82)
    assert found.requests() == []
    assert await found.told() == {found.group.id: ("kept", "PolicyWouldShorten")}

    for _ in range(16):
        await night_after(scene, 1)

    assert found.requests() == ["AdminExtend"]
    assert found.end() <= scene.world.clock.now() + timedelta(days=15)
    policy.longest("P90D")
    for _ in range(9):
        await night_after(scene, 1)
    assert found.requests() == ["AdminExtend", "AdminExtend"]
    assert found.end() > scene.world.clock.now() + timedelta(days=80)


async def test_a_hidden_rule_that_asks_for_mfa_is_told_and_alarms_when_it_gets_near(scene: Scene) -> None:
    found = await declared(scene)
    await night_after(scene, 1)
    rules = found.subscription.pim.policy()
    rules.demand("MultiFactorAuthentication")
    await night_after(scene, 82)
    assert await found.told() == {found.group.id: ("refused", "MfaOnEligibility")}
    assert "renewal.at_risk" not in scene.world.log.read_text()

    await night_after(scene, 5)

    assert found.requests() == []
    assert scene.world.log.read_text().count("renewal.at_risk") == 1
    rules.demand()
    await night_after(scene, 1)
    assert found.requests() == ["AdminExtend"]


async def test_a_ticket_rule_is_answered(scene: Scene) -> None:
    found = await declared(scene, days=10)
    found.subscription.pim.policy().demand("Ticketing", "Justification")
    await night_after(scene, 1)

    assert found.requests() == ["AdminExtend"]


async def test_the_condition_that_it_is_held_under_goes_along_also_when_it_had_lapsed(scene: Scene) -> None:
    """Without it what is renewed would allow more than what was given."""
    found = await declared(scene)
    held, condition = found.held(), ("@Resource[name] StringEquals 'blobs'", "2.0")
    assert held is not None
    held.condition = condition
    await night_after(scene, 1)
    await night_after(scene, 90)
    extended = found.held()
    assert extended is not None
    assert (extended.condition, found.requests()) == (condition, ["AdminExtend"])

    await night_after(scene, 190)
    renewed = found.held()
    assert renewed is not None
    assert (renewed.condition, found.requests()) == (condition, ["AdminExtend", "AdminRenew"])


@pytest.mark.parametrize(
    "flipped",
    [
        ["arm-requests-answer-pending"],
        ["arm-extend-names-schedule"],
        ["arm-extension-keeps-schedule"],
        ["arm-policy-filter-ignored"],
        ["arm-lists-show-group-members"],
        ["arm-lapsed-schedules-stay-listed"],
        ["arm-unknown-principal-is-subject"],
        ["arm-renew-needs-expired"],
        ["arm-past-start-refused"],
    ],
    ids=lambda one: one[0],
)
async def test_whatever_is_true_of_what_no_source_settles_it_is_extended_and_recovered(
    flipped: list[str], open_world: OpenWorld
) -> None:
    async with Scene(await open_world(start=EVENING, flipped=flipped)) as scene:
        found = await declared(scene, days=10)
        await night_after(scene, 1)
        assert found.end() == midnight(scene) + timedelta(days=180)
        await night_after(scene, 195)

        assert found.end() == midnight(scene) + timedelta(days=180)
        assert found.requests() == ["AdminExtend", "AdminRenew"]
        assert (await found.kept()).record.renewing is None


async def test_a_request_that_waits_for_an_administrator_is_waited_for_and_told(scene: Scene) -> None:
    found = await declared(scene, days=10)
    asked = found.subscription.asked_by_a_person(found.group.id, end=midnight(scene) + timedelta(days=40))
    await night_after(scene, 1)
    scene.world.clock.advance(4 * 3600)
    await scene.settle()

    assert await found.told() == {found.group.id: ("refused", "Pending")}
    assert "AdminExtend" not in found.requests()
    found.subscription.decide(asked)
    await night_after(scene, 1)
    assert found.requests()[-1] == "AdminExtend"


@pytest.mark.parametrize("fate", ["disabled", "deleted", "group"])
async def test_one_whose_principal_is_disabled_or_gone_is_left_to_end_and_told(fate: str, scene: Scene) -> None:
    found = managed(scene)
    ana, directory = scene.world.people.ana.object_id, scene.world.contoso.directory
    found.subscription.eligible(ana, end=midnight(scene) + timedelta(days=100))
    await found.declare({"role": VMS, "users": [ana], "groups": [found.group.id]})
    await night_after(scene, 1)
    gone = found.group.id if fate == "group" else ana
    if fate == "disabled":
        directory.users[ana].account_enabled = False
    elif fate == "deleted":
        directory.delete_user(ana)
    else:
        del directory.groups[found.group.id]
    await night_after(scene, 90)

    code = "PrincipalDisabled" if fate == "disabled" else "PrincipalGone"
    assert (await found.told())[gone] == ("refused", code)
    assert found.requests() == ["AdminExtend"]
    assert "renewal.at_risk" not in scene.world.log.read_text()


async def test_each_role_has_its_own_policy_and_its_own_end(open_world: OpenWorld) -> None:
    both = f"9980e02c-c2be-4d73-94e8-173b1dc7cf3c,{STORAGE_ACCOUNT_CONTRIBUTOR}"
    world = await open_world(start=EVENING, settings={"TENANTRY_AZURE_ROLES": both})
    async with Scene(world) as scene:
        found = managed(scene, days=5)
        found.subscription.eligible(
            found.group.id, end=midnight(scene) + timedelta(days=5), role_id=STORAGE_ACCOUNT_CONTRIBUTOR
        )
        found.subscription.pim.policy(STORAGE_ACCOUNT_CONTRIBUTOR).longest("P60D")
        await found.declare(
            {"role": VMS, "groups": [found.group.id], "durationDays": 90},
            {"role": "storage account contributor", "groups": [found.group.id]},
        )
        await night_after(scene, 1)

        assert found.end() == midnight(scene) + timedelta(days=90)
        assert found.end(role_id=STORAGE_ACCOUNT_CONTRIBUTOR) == midnight(scene) + timedelta(days=60)
