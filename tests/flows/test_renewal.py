"""Renewal: eligibilities are extended before they end, recovered where they lapsed, and told of where neither may be."""

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from tests.conftest import OpenWorld
from tests.flows.renewing import EVENING, end_of, held, midnight, night_after, requests, stands_ready, told
from tests.flows.scene import Scene
from tests.sandbox.graph.models.pim_records import SECURITY_READER, Wanted

pytestmark = pytest.mark.sampled(3)


@pytest.fixture
async def scene(open_world: OpenWorld) -> AsyncIterator[Scene]:
    """A world where it is evening."""
    async with Scene(await open_world(start=EVENING)) as opened:
        yield opened


async def test_one_that_ends_soon_is_extended_and_audited_and_nothing_is_written_again_in_that_night(
    scene: Scene,
) -> None:
    await scene.onboarded()
    before = held(scene)
    await night_after(scene, 170)

    assert end_of(scene) == midnight(scene) + timedelta(days=180)
    assert held(scene) is before
    assert requests(scene) == ["adminAssign", "adminExtend"]
    entry = (await scene.entries())[-1]
    assert (entry.deed.act, entry.deed.outcome) == (31, "done")
    assert "the nightly renewal" in entry.deed.why
    tenant = await scene.tenant()
    assert [one.end for one in tenant.eligibilities.values()] == [end_of(scene)]
    assert (tenant.record.state, tenant.record.renewing) == ("Ready", None)
    assert await scene.runs.list_open() == []
    scene.world.clock.advance(3 * 3600)
    await scene.settle()
    assert requests(scene) == ["adminAssign", "adminExtend"]


async def test_outside_the_window_a_tenant_costs_one_call_and_nothing_is_written(scene: Scene) -> None:
    await scene.onboarded()
    calls = len(scene.world.clouds.recorder.entries)
    await night_after(scene, 100)

    entries = [one for one in list(scene.world.clouds.recorder.entries)[calls:] if one.service == "graph"]
    paths = [one.path for one in entries]
    assert requests(scene) == ["adminAssign"]
    assert not any("roleManagementPolicyAssignments" in path for path in paths)
    assert all(one.method == "GET" or "validateCredentials" in one.path for one in entries)


async def test_two_and_three_weeks_before_its_end_it_is_updated(scene: Scene) -> None:
    await scene.onboarded()
    await night_after(scene, 163)

    assert requests(scene) == ["adminAssign", "adminUpdate"]
    assert end_of(scene) == midnight(scene) + timedelta(days=180)
    # What is in force begins no later for it, not by a second of two clocks that differ.
    assert [*scene.world.fabrikam.pim.requests.values()][-1].wanted.window.start == midnight(scene)


async def test_where_extending_is_refused_so_far_from_the_end_it_is_updated_and_the_other_way_round(
    open_world: OpenWorld,
) -> None:
    settings = {"TENANTRY_RENEWAL_WINDOW_DAYS": "60"}
    world = await open_world(start=EVENING, flipped=["extend-window-enforced"], settings=settings)
    async with Scene(world) as scene:
        await scene.onboarded()
        await night_after(scene, 130)

        assert requests(scene) == ["adminAssign", "adminUpdate"]
        assert end_of(scene) == midnight(scene) + timedelta(days=180)


async def test_one_that_lapsed_while_the_app_was_down_for_twenty_days_is_in_force_again(scene: Scene) -> None:
    await scene.onboarded()
    await night_after(scene, 200)

    assert requests(scene)[-1] == "adminRenew"
    assert end_of(scene) == midnight(scene) + timedelta(days=180)
    assert [one.end for one in (await scene.tenant()).eligibilities.values()] == [end_of(scene)]


async def test_one_that_lapsed_longer_ago_than_pim_renews_is_told_and_alarms_once_a_day(scene: Scene) -> None:
    await scene.onboarded()
    await night_after(scene, 215)
    for _ in range(2):
        assert (await scene.call("POST", "/api/renewals", {})).status_code == 202
        await scene.settle()

    assert requests(scene) == ["adminAssign"]
    assert held(scene) is None
    assert scene.world.log.read_text().count("renewal.lapsed") == 1
    await night_after(scene, 1)
    assert scene.world.log.read_text().count("renewal.lapsed") == 2


async def test_one_that_a_person_removed_is_never_made_again_not_even_when_its_end_has_passed(scene: Scene) -> None:
    await scene.onboarded()
    found = held(scene)
    assert found is not None
    found.removed_at = scene.world.clock.now()
    await night_after(scene, 170)
    await night_after(scene, 20)

    assert held(scene) is None
    assert "adminRenew" not in requests(scene)
    [row] = (await scene.tenant()).eligibilities.values()
    assert row.removed is not None
    assert "renewal.lapsed" not in scene.world.log.read_text()


async def test_one_that_a_person_removed_while_nobody_looked_is_not_renewed_after_its_end(scene: Scene) -> None:
    """What is in force tells nothing of it any more; the request that took it away does."""
    await scene.onboarded()
    scene.world.clock.advance(timedelta(days=175).total_seconds())
    world, account = scene.world, scene.account(scene.world.people.ana).id
    found = world.fabrikam.pim.of(account)
    assert found is not None
    removal = Wanted(
        action="adminRemove",
        principal_id=account,
        role_id=SECURITY_READER,
        scope="/",
        window=found.window.latest,
        justification="not needed",
        ticket=None,
        validation_only=False,
    )
    world.fabrikam.pim.request(removal, None)
    await night_after(scene, 12)

    assert held(scene) is None
    assert "adminRenew" not in requests(scene)


async def test_one_that_a_person_let_end_earlier_is_left_to_end(scene: Scene) -> None:
    await scene.onboarded()
    found = held(scene)
    assert found is not None
    earlier = replace(found.window.latest, end=scene.world.clock.now() + timedelta(days=20))
    found.window.write(earlier)
    await night_after(scene, 15)

    assert found.end == earlier.end
    assert requests(scene) == ["adminAssign"]


async def test_one_that_a_person_let_end_earlier_is_shown_with_that_end_and_alarms_when_it_is_near(
    scene: Scene,
) -> None:
    await scene.onboarded()
    found = held(scene)
    assert found is not None
    earlier = replace(found.window.latest, end=scene.world.clock.now() + timedelta(days=20))
    found.window.write(earlier)
    await night_after(scene, 1)
    assert earlier.end is not None
    ends = f"{earlier.end:%Y-%m-%d}"
    soon = (await scene.call("GET", "/api/eligibilities?endingWithinDays=30")).json()["value"]
    shown = (await scene.record())["eligibilities"]
    assert [one["end"][:10] for one in soon] == [one["endDateTime"][:10] for one in shown] == [ends]
    assert "renewal.at_risk" not in scene.world.log.read_text()

    await night_after(scene, 10)

    log = scene.world.log.read_text()
    assert log.count("renewal.at_risk") == 1
    assert f"why=ShortenedByHand until={ends}" in log
    assert requests(scene) == ["adminAssign"]


async def test_one_that_a_person_removed_and_made_again_is_looked_after_by_its_new_end(scene: Scene) -> None:
    await scene.onboarded()
    found = held(scene)
    assert found is not None
    found.removed_at = scene.world.clock.now()
    await night_after(scene, 1)
    assert (await told(scene))[found.principal_id] == ("refused", "RemovedByHand")
    scene.world.fabrikam.pim.grant(found.principal_id, end=midnight(scene) + timedelta(days=10))
    await night_after(scene, 1)

    assert requests(scene) == ["adminAssign", "adminExtend"]
    assert end_of(scene) == midnight(scene) + timedelta(days=180)
    [row] = (await scene.tenant()).eligibilities.values()
    assert (row.end, row.removed) == (end_of(scene), None)


async def test_one_that_a_person_removed_is_made_again_when_the_tenant_is_given_another_duration(scene: Scene) -> None:
    """As the report advises; a retry has nothing to go on with."""
    await scene.onboarded()
    found = held(scene)
    assert found is not None
    found.removed_at = scene.world.clock.now()
    await night_after(scene, 1)
    assert (await scene.call("POST", f"/api/tenants/{scene.target}/retry")).status_code == 409
    assert (await scene.call("PATCH", f"/api/tenants/{scene.target}", {"duration": "P90D"})).status_code == 202
    await scene.settle()

    assert held(scene) is not None
    [row] = (await scene.tenant()).eligibilities.values()
    assert (row.end, row.removed) == (end_of(scene), None)


async def test_a_permanent_one_is_not_touched(scene: Scene) -> None:
    await scene.onboarded()
    found = held(scene)
    assert found is not None
    found.window.write(replace(found.window.latest, end=None, end_type="noExpiration"))
    await night_after(scene, 200)

    assert (found.end, requests(scene)) == (None, ["adminAssign"])
    assert "renewal.lapsed" not in scene.world.log.read_text()


async def test_a_policy_that_allows_less_by_now_is_kept_to_and_written_for_only_every_ten_days(scene: Scene) -> None:
    await scene.onboarded()
    policy = scene.world.fabrikam.pim.security_reader
    policy.expiration_required, policy.maximum_duration = True, "P15D"
    await night_after(scene, 163)
    assert requests(scene) == ["adminAssign"]

    for _ in range(16):
        await night_after(scene, 1)

    assert requests(scene).count("adminExtend") == 1
    assert end_of(scene) <= scene.world.clock.now() + timedelta(days=15)
    policy.maximum_duration = "P90D"
    for _ in range(7):
        await night_after(scene, 1)
    assert requests(scene).count("adminExtend") == 2
    assert end_of(scene) > scene.world.clock.now() + timedelta(days=80)


async def test_a_hidden_rule_that_asks_for_mfa_is_told_and_alarms_when_it_gets_near(scene: Scene) -> None:
    await scene.onboarded()
    scene.world.fabrikam.pim.security_reader.eligibility_rules.append("MultiFactorAuthentication")
    await night_after(scene, 163)
    assert "renewal.at_risk" not in scene.world.log.read_text()

    await night_after(scene, 5)

    assert requests(scene) == ["adminAssign"]
    assert scene.world.log.read_text().count("renewal.at_risk") == 1
    scene.world.fabrikam.pim.security_reader.eligibility_rules.clear()
    await night_after(scene, 1)
    assert requests(scene) == ["adminAssign", "adminExtend"]


async def test_a_ticket_rule_is_answered(scene: Scene) -> None:
    await scene.onboarded()
    scene.world.fabrikam.pim.security_reader.eligibility_rules.append("Ticketing")
    await night_after(scene, 170)

    assert requests(scene) == ["adminAssign", "adminExtend"]


async def test_a_change_that_pim_leaves_pending_for_a_while_is_waited_for(open_world: OpenWorld) -> None:
    world = await open_world(start=EVENING, flipped=["eligibility-answers-pending"])
    async with Scene(world) as scene:
        await scene.onboarded()
        await night_after(scene, 170)

        assert requests(scene) == ["adminAssign", "adminExtend"]
        assert (await scene.tenant()).record.renewing is None


@pytest.mark.parametrize("where", ["source", "target"])
@pytest.mark.parametrize("fate", ["disabled", "deleted"])
async def test_one_whose_account_is_disabled_or_gone_is_left_to_end_and_told(
    fate: str, where: str, open_world: OpenWorld
) -> None:
    """The nightly comparison would see to it first, so it comes later that day; and the synchronization is paused."""
    world = await open_world(start=EVENING, settings={"TENANTRY_NIGHTLY_HOUR": "23"})
    async with Scene(world) as scene:
        ana, ben = world.people.ana, world.people.ben
        await scene.onboarded(ana, ben)
        await scene.settle()
        [application] = scene.synchronizations()
        [job] = world.contoso.jobs.of(application.id)
        world.contoso.jobs.pause(job)
        account, ends = scene.account(ana).id, end_of(scene)
        directory, who = (world.contoso, ana.object_id) if where == "source" else (world.fabrikam, account)
        if fate == "disabled":
            directory.directory.users[who].account_enabled = False
        else:
            directory.directory.delete_user(who)
        await night_after(scene, 170)

        assert [one.end for one in world.fabrikam.pim.active() if one.principal_id == account] == [ends]
        assert end_of(scene, ben) > ends
        code = "PrincipalDisabled" if fate == "disabled" else "PrincipalGone"
        assert {account: code} == {key: why for key, (_, why) in (await told(scene)).items() if why}
        assert "renewal.at_risk" not in world.log.read_text()


@pytest.mark.parametrize("days", [161, 170])
async def test_where_pim_takes_no_start_in_the_past_it_is_asked_for_from_now_on(
    days: int, open_world: OpenWorld
) -> None:
    async with Scene(await open_world(start=EVENING, flipped=["past-start-refused"])) as scene:
        await scene.onboarded()

        await night_after(scene, days)

        assert end_of(scene) == midnight(scene) + timedelta(days=180)


@pytest.mark.parametrize(
    "evening",
    [
        datetime(2028, 2, 28, 20, 0, 20, tzinfo=UTC),  # the night is that of a leap day
        datetime(2028, 2, 29, 20, 0, 20, tzinfo=UTC),
        datetime(2026, 8, 31, 20, 0, 20, tzinfo=UTC),  # 180 days on is the end of a shorter month
        datetime(2026, 12, 31, 20, 0, 20, tzinfo=UTC),
        datetime(2026, 3, 28, 20, 0, 20, tzinfo=UTC),  # daylight changes in Europe
        datetime(2026, 10, 24, 20, 0, 20, tzinfo=UTC),
    ],
    ids=lambda one: f"{one:%Y-%m-%d}",
)
async def test_whatever_day_it_is_an_end_is_180_days_of_24_hours_on_from_midnight_in_utc(
    evening: datetime, open_world: OpenWorld
) -> None:
    async with Scene(await open_world(start=evening, settings={"TENANTRY_NIGHTLY_HOUR": "23"})) as scene:
        _, found = await stands_ready(scene, "target")

        await night_after(scene, 1)

        assert found.end == midnight(scene) + timedelta(days=180)
        assert midnight(scene).date() == (evening + timedelta(days=1)).date()
