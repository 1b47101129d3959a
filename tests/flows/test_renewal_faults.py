"""Renewal when things go wrong: killed, answers lost, twice at once, a tenant that fails, one that is busy."""

import asyncio
from collections.abc import AsyncIterator, Callable
from datetime import datetime, timedelta

import msgspec
import pytest

from shared.open_intents import UNSEEN
from shared.permissions import Registration
from shared.tenants.change import Change
from shared.tenants.record import Tenant
from shared.tenants.states import State
from tests.app.seeds import seed
from tests.conftest import OpenWorld
from tests.flows.refusal import Refusal
from tests.flows.renewing import EVENING, end_of, held, midnight, night_after, requests, stands_ready, told
from tests.flows.scene import Scene
from tests.flows.writes import REQUEST_ELIGIBILITY
from tests.sandbox.graph.errors import GraphError, throttled
from tests.sandbox.points import Cut, cut, then_cut
from tests.sandbox.population import CLIENT_IDS

pytestmark = [pytest.mark.sampled(1), pytest.mark.timeout(300)]

_RENEW = "renew_eligibilities_of_tenant"
_KILLS = [
    ("activity.before", "plan_renewals"),
    ("activity.after", "plan_renewals"),
    ("activity.before", _RENEW),
    ("activity.after", _RENEW),
    ("activity.after", "end_renewals"),
    ("vendor.before", REQUEST_ELIGIBILITY),
    ("vendor.after", REQUEST_ELIGIBILITY),
]


@pytest.fixture
async def scene(open_world: OpenWorld) -> AsyncIterator[Scene]:
    """A world where it is evening."""
    async with Scene(await open_world(start=EVENING)) as opened:
        yield opened


async def renewed_once(scene: Scene) -> None:
    """Both are extended, each by one request and one audit entry, and nothing is left open."""
    people = scene.world.people
    for person in (people.ana, people.ben):
        assert end_of(scene, person) == midnight(scene) + timedelta(days=180)
    outcomes = [one.deed.outcome for one in await scene.entries() if one.deed.act == 31]
    assert [one for one in outcomes if one != UNSEEN] == ["done", "done"]
    assert requests(scene) == ["adminAssign", "adminAssign", "adminExtend", "adminExtend"]
    tenant = await scene.tenant()
    assert tenant.record.renewing is None
    assert {one.state.value for one in tenant.intents.values()} == {"closed"}
    assert {outcome for outcome, _ in (await told(scene)).values()} == {"extended"}
    assert await scene.runs.list_open() == []


@pytest.mark.parametrize(("kind", "label"), _KILLS, ids=[f"{kind} {label.split('/')[-1]}" for kind, label in _KILLS])
async def test_killed_in_the_middle_it_comes_to_its_end_and_writes_nothing_twice(
    kind: str, label: str, scene: Scene
) -> None:
    people = scene.world.people
    await scene.onboarded(people.ana, people.ben)
    kill = then_cut(scene.world.host.kill_and_restart)
    scene.world.points.arm(kind, label, scene.world.points.passed(kind, label), kill)

    await night_after(scene, 170)

    assert scene.world.points.armed == frozenset()
    await renewed_once(scene)


async def test_an_answer_that_got_lost_is_found_by_looking(scene: Scene) -> None:
    people = scene.world.people
    await scene.onboarded(people.ana, people.ben)
    scene.world.points.arm(
        "vendor.after", REQUEST_ELIGIBILITY, scene.world.points.passed("vendor.after", REQUEST_ELIGIBILITY), cut
    )

    await night_after(scene, 170)

    await renewed_once(scene)


@pytest.mark.parametrize("activity", ["plan_renewals", _RENEW, "end_renewals"])
async def test_two_hosts_at_once_write_it_once(activity: str, scene: Scene) -> None:
    people = scene.world.people
    await scene.onboarded(people.ana, people.ben)
    scene.world.host.deliver_twice(activity)

    await night_after(scene, 170)

    await renewed_once(scene)


async def test_two_renewals_at_once_share_the_tenants(scene: Scene) -> None:
    people = scene.world.people
    await scene.onboarded(people.ana, people.ben)
    answers: list[int] = []

    async def ask() -> None:
        asked = await asyncio.gather(*(scene.call("POST", "/api/renewals", {}) for _ in range(2)))
        answers.extend(one.status_code for one in asked)

    scene.world.points.arm(
        "vendor.before", REQUEST_ELIGIBILITY, scene.world.points.passed("vendor.before", REQUEST_ELIGIBILITY), ask
    )

    await night_after(scene, 170)

    assert sorted(answers) == [202, 409]
    await renewed_once(scene)


@pytest.mark.parametrize("error", [throttled(60), GraphError(503, "ServiceUnavailable", "")], ids=["429", "503"])
async def test_a_tenant_that_fails_is_tried_again_in_the_same_night_then_told_and_done_in_the_next(
    error: GraphError, scene: Scene
) -> None:
    await scene.onboarded()
    refusal = Refusal(scene.world.points, "POST /roleManagement/directory/roleEligibilityScheduleRequests", error)

    await night_after(scene, 170)

    assert requests(scene) == ["adminAssign"]
    log = scene.world.log.read_text()
    assert (log.count("renewal.given_up"), log.count("renewal.at_risk")) == (1, 1)
    assert await scene.runs.list_open() == []
    refusal.lift()
    await night_after(scene, 1)
    assert requests(scene) == ["adminAssign", "adminExtend"]


async def test_what_was_written_before_the_vendor_stopped_answering_is_told_all_the_same(scene: Scene) -> None:
    people = scene.world.people
    await scene.onboarded(people.ana, people.ben)
    call = "POST /roleManagement/directory/roleEligibilityScheduleRequests"
    refusal = Refusal(scene.world.points, call, throttled(60), passes=1)

    await night_after(scene, 170)

    assert requests(scene) == ["adminAssign", "adminAssign", "adminExtend"]
    assert [outcome for outcome, _ in (await told(scene)).values()] == ["extended"]
    refusal.lift()
    await night_after(scene, 1)
    assert requests(scene).count("adminExtend") == 2


async def test_a_refusal_is_told_with_its_code_and_asked_for_again_only_in_the_next_night(scene: Scene) -> None:
    await scene.onboarded()
    error = GraphError(
        400, "RoleAssignmentRequestPolicyValidationFailed", 'The following rules failed: ["EligibilityRule"]'
    )
    refusal = Refusal(scene.world.points, "POST /roleManagement/directory/roleEligibilityScheduleRequests", error)
    sent = scene.sent().count(REQUEST_ELIGIBILITY)

    await night_after(scene, 170)

    assert scene.sent().count(REQUEST_ELIGIBILITY) == sent + 1
    [(outcome, why)] = (await told(scene)).values()
    assert (outcome, why) == ("refused", "RoleAssignmentRequestPolicyValidationFailed")
    assert "renewal.at_risk" in scene.world.log.read_text()
    refusal.lift()
    await night_after(scene, 1)
    assert requests(scene) == ["adminAssign", "adminExtend"]


async def test_a_tenant_whose_own_run_is_under_way_is_looked_at_later_that_night(scene: Scene) -> None:
    """A PATCH comes in just before, and its run waits for the directory."""
    await scene.onboarded()
    busy: list[str] = []

    async def begin() -> None:
        record = (await scene.tenant()).record
        await scene.tenants.update(scene.target, _in_state(State.ONBOARDING))
        busy.append(record.state.value)
        raise Cut

    async def end() -> None:
        await scene.tenants.update(scene.target, _in_state(State.READY))

    scene.world.points.arm("activity.before", "plan_renewals", 0, begin)
    scene.world.points.arm("activity.after", "plan_renewals", 0, end)

    await night_after(scene, 170)

    assert busy == ["Ready"]
    assert scene.world.points.passed("activity.after", "plan_renewals") >= 2
    assert requests(scene) == ["adminAssign", "adminExtend"]


async def test_no_more_than_the_cap_is_renewed_in_one_night_and_the_rest_in_the_next(open_world: OpenWorld) -> None:
    settings = {"TENANTRY_RENEWAL_MOST_CHANGES": "1"}
    async with Scene(await open_world(start=EVENING, settings=settings)) as scene:
        people = scene.world.people
        await scene.onboarded(people.ana, people.ben)
        await night_after(scene, 170)
        assert requests(scene).count("adminExtend") == 1
        assert sorted(why or "" for _, why in (await told(scene)).values()) == ["", "CapReached"]

        await night_after(scene, 1)

        assert requests(scene).count("adminExtend") == 2


async def test_the_cap_holds_for_the_night_also_where_a_tenant_is_looked_at_again(open_world: OpenWorld) -> None:
    """The first of three is renewed, then PIM stops answering until the tenant was let go, and comes back."""
    settings = {"TENANTRY_RENEWAL_MOST_CHANGES": "2"}
    async with Scene(await open_world(start=EVENING, settings=settings)) as scene:
        people, points = scene.world.people, scene.world.points
        await scene.onboarded(people.ana, people.ben, people.cleo)
        call = "POST /roleManagement/directory/roleEligibilityScheduleRequests"
        refusal = Refusal(points, call, throttled(60), passes=1)

        async def come_back() -> None:
            refusal.lift()

        looks = sum((one.kind, one.label) == ("activity.before", "plan_renewals") for one in points.log)
        points.arm("activity.before", "plan_renewals", looks + 1, come_back)

        await night_after(scene, 170)

        assert requests(scene).count("adminExtend") == 2
        assert sorted(why or "" for _, why in (await told(scene)).values()) == ["", "", "CapReached"]


async def test_a_tenant_that_withdrew_its_consent_is_told_and_alarms_once(scene: Scene) -> None:
    world = scene.world
    await scene.onboarded()
    world.clouds.revoke(CLIENT_IDS[Registration.ACCESS], scene.target)
    await world.host.kill_and_restart()

    await night_after(scene, 170)
    world.clock.advance(4 * 3600)
    await scene.settle()

    log = world.log.read_text()
    assert (log.count("renewal.access_lost"), log.count("renewal.at_risk")) == (1, 1)
    day = f"{midnight(scene):%Y-%m-%d}"
    [tenant] = (await scene.call("GET", f"/api/renewals/{day}")).json()["tenants"]
    assert "Tenantry Access" in tenant["problem"]


async def test_the_group_that_was_made_eligible_is_extended(scene: Scene) -> None:
    world = scene.world
    group = world.fabrikam.directory.add_group("Contoso's analysts")
    group.is_assignable_to_role = True
    scene.consented()
    await scene.post(world.people.ana, access={"mode": "group", "groupId": group.id})
    assert await scene.settle() == "WaitingForPerson"
    group.members.append(scene.account(world.people.ana).id)
    assert await scene.retry() == "Ready"

    await night_after(scene, 170)

    found = world.fabrikam.pim.of(group.id)
    assert found is not None
    assert found.end == midnight(scene) + timedelta(days=180)
    assert held(scene) is None


async def test_a_tenant_that_waits_for_a_person_has_its_eligibilities_renewed_all_the_same(scene: Scene) -> None:
    await scene.onboarded()
    await scene.tenants.update(scene.target, _in_state(State.WAITING_FOR_PERSON))

    await night_after(scene, 170)

    assert requests(scene) == ["adminAssign", "adminExtend"]
    assert (await scene.tenant()).record.state is State.WAITING_FOR_PERSON


async def test_an_offboarding_after_a_renewal_takes_everything_back(scene: Scene) -> None:
    await scene.onboarded()
    await night_after(scene, 170)
    assert requests(scene) == ["adminAssign", "adminExtend"]

    answer = await scene.call("DELETE", f"/api/tenants/{scene.target}")
    assert answer.status_code == 202, answer.text
    assert await scene.settle() in ("Offboarded", "WaitingForConsent")

    assert scene.world.fabrikam.pim.active() == []


def _in_state(state: State) -> Callable[[Tenant], Change]:
    def decide(found: Tenant) -> Change:
        return Change(record=msgspec.structs.replace(found.record, state=state))

    return decide


async def test_a_tenant_that_is_only_being_onboarded_is_not_told_as_one_whose_renewal_failed(scene: Scene) -> None:
    await seed(scene, "newcomer", State.ONBOARDING)

    await night_after(scene, 1)

    log = scene.world.log.read_text()
    assert "renewal.given_up" not in log
    answer = await scene.call("GET", f"/api/renewals/{midnight(scene):%Y-%m-%d}")
    [run] = answer.json()["runs"]
    assert datetime.fromisoformat(run["ended"]) < midnight(scene) + timedelta(hours=2, minutes=45)


async def test_a_tenant_that_cannot_be_read_takes_nobody_else_s_alarm(scene: Scene) -> None:
    bad, _ = await stands_ready(scene, "bad", days=6)
    other, _ = await stands_ready(scene, "other", days=6)
    scene.world.clouds.tenants[other].pim.security_reader.eligibility_rules.append("MultiFactorAuthentication")
    scene.world.clouds.quotas.crawling[other] = timedelta(hours=1)
    await scene.spoil("Tenants", bad, key="elig|0")

    await night_after(scene, 1)

    log = scene.world.log.read_text()
    assert f"renewal.given_up tenant_id={bad}" in log
    assert f"renewal.given_up tenant_id={other}" in log
    assert f"renewal.at_risk tenant_id={other}" in log
    assert await scene.runs.list_open() == []
