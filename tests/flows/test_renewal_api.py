"""Renewal at the API: run it now, read what it came to, see what ends soon, say that it is needed."""

from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import pytest

from shared.permissions import Registration
from tests.conftest import OpenWorld
from tests.flows.renewing import EVENING, end_of, midnight, night_after, requests, told
from tests.flows.scene import Scene
from tests.sandbox.population import CLIENT_IDS, OPERATE, READ

pytestmark = pytest.mark.sampled(4)


@pytest.fixture
async def scene(open_world: OpenWorld) -> AsyncIterator[Scene]:
    """A world where it is evening."""
    async with Scene(await open_world(start=EVENING)) as opened:
        yield opened


async def report(scene: Scene) -> dict[str, Any]:
    """Today's."""
    answer = await scene.call("GET", f"/api/renewals/{midnight(scene):%Y-%m-%d}")
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


async def test_a_day_s_report_tells_what_was_extended_and_when_the_next_one_ends(scene: Scene) -> None:
    people = scene.world.people
    await scene.onboarded(people.ana, people.ben)
    before = end_of(scene)
    await night_after(scene, 170)

    found = await report(scene)

    assert found["counts"]["extended"] == 2
    [run] = found["runs"]
    assert (run["byNight"], run["outcome"]) == (True, "1 looked at, 2 renewed, 0 given up")
    [tenant] = found["tenants"]
    assert {one["analyst"] for one in tenant["eligibilities"]} == {people.ana.object_id, people.ben.object_id}
    assert all(one["was"].startswith(f"{before:%Y-%m-%d}") for one in tenant["eligibilities"])
    assert all(one["end"].startswith(f"{end_of(scene):%Y-%m-%d}") for one in tenant["eligibilities"])


async def test_renewed_now_it_is_on_the_word_of_who_asked_and_the_night_still_comes(open_world: OpenWorld) -> None:
    async with Scene(await open_world(start=EVENING, settings={"TENANTRY_RENEWAL_HOUR": "23"})) as scene:
        await scene.onboarded()
        scene.world.clock.advance(timedelta(days=168).total_seconds())
        await scene.settle()
        assert requests(scene) == ["adminAssign"]
        other = scene.world.token(scene.world.people.engineer, OPERATE)

        answer = await scene.call("POST", "/api/renewals", {"tenantIds": [scene.target]}, token=other)
        assert answer.status_code == 202
        await scene.settle()

        assert requests(scene) == ["adminAssign", "adminExtend"]
        entry = (await scene.entries())[-1]
        assert entry.deed.on_whose_word == scene.world.people.engineer.object_id
        assert "a renewal that was asked for" in entry.deed.why
        assert [one["byNight"] for one in (await report(scene))["runs"]] == [False]
        scene.world.clock.advance(3.5 * 3600)
        await scene.settle()
        found = await report(scene)
        assert [one["byNight"] for one in found["runs"]] == [True, False]
        assert found["counts"]["extended"] == 1
        assert requests(scene) == ["adminAssign", "adminExtend"]


async def test_a_plan_tells_what_would_be_done_and_does_nothing(scene: Scene) -> None:
    people = scene.world.people
    await scene.onboarded(people.ana, people.ben)
    assert (await scene.call("POST", "/api/renewals", {"dryRun": True})).json()["value"] == []
    scene.world.clock.advance(timedelta(days=165).total_seconds())
    sent = len(scene.sent())

    plans = [
        (await scene.call("POST", "/api/renewals", body)).json()
        for body in ({"dryRun": True}, {"dryRun": True, "tenantIds": [scene.target]})
    ]

    assert plans[0] == plans[1]
    assert [one["would"] for one in plans[0]["value"]] == ["extend", "extend"]
    assert plans[0]["complete"]
    assert any("PIM policy" in one for one in plans[0]["unknown"])
    assert len(scene.sent()) == sent


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"tenantIds": ["x"]}, "tenantIds[0]"),
        ({"tenantIds": ["aaaaaaaa-0000-4000-8000-00000000000a"]}, "tenantIds[0]"),
        ({"tenantIds": []}, "tenantIds"),
        ({"tenants": []}, "tenants"),
        ({"dryRun": "yes"}, "dryRun"),
    ],
)
async def test_a_wrong_body_is_refused_by_its_field(scene: Scene, body: dict[str, object], field: str) -> None:
    answer = await scene.call("POST", "/api/renewals", body)

    assert (answer.status_code, answer.json()["field"]) == (400, field)


async def test_what_ends_soon_is_listed_by_end_and_what_ends_later_is_not(scene: Scene) -> None:
    people = scene.world.people
    await scene.onboarded(people.ana, people.ben)
    listed = await scene.call("GET", "/api/eligibilities?endingWithinDays=30", token=scene.world.reader_token())
    assert listed.json() == {"value": []}
    later = (await scene.call("GET", "/api/eligibilities?endingWithinDays=190")).json()["value"]

    scene.world.clock.advance(timedelta(days=155).total_seconds())

    soon = (await scene.call("GET", "/api/eligibilities")).json()["value"]
    assert soon == later
    assert {one["analyst"] for one in soon} == {people.ana.object_id, people.ben.object_id}
    assert [one["end"] for one in soon] == sorted(one["end"] for one in soon)
    await night_after(scene, 8)
    assert (await scene.call("GET", "/api/eligibilities")).json()["value"] == []


@pytest.mark.parametrize("text", ["0", "367", "-1", "x", "1.5", "٣"])
async def test_days_that_are_none_are_refused(scene: Scene, text: str) -> None:
    answer = await scene.call("GET", f"/api/eligibilities?endingWithinDays={text}")

    assert (answer.status_code, answer.json()["field"]) == (400, "endingWithinDays")


@pytest.mark.parametrize(("day", "status"), [("2026-03-02", 404), ("2026-13-02", 400), ("20260302", 400), ("x", 400)])
async def test_a_day_without_a_renewal_is_not_found_and_what_is_no_day_is_refused(
    scene: Scene, day: str, status: int
) -> None:
    assert (await scene.call("GET", f"/api/renewals/{day}")).status_code == status


async def test_an_operator_says_that_it_is_needed_and_it_is_audited(scene: Scene) -> None:
    await scene.onboarded()

    answer = await scene.call("POST", f"/api/tenants/{scene.target}/review", {"reviewBy": "2026-12-01"})

    assert answer.status_code == 200
    assert answer.json()["reviewBy"] == "2026-12-01T00:00:00Z"
    assert answer.json()["reviewedBy"] == scene.world.people.operator.object_id
    entry = (await scene.entries())[-1]
    assert (entry.deed.act, entry.deed.on_whose_word) == (32, scene.world.people.operator.object_id)


async def test_an_analyst_of_the_tenant_may_not_say_it_nor_may_who_only_reads_a_guest_or_an_application(
    scene: Scene,
) -> None:
    people, path = scene.world.people, f"/api/tenants/{scene.target}/review"
    await scene.onboarded()

    world = scene.world
    tokens = {
        "an analyst": world.token(people.ana, OPERATE, READ),
        "a reader": world.reader_token(),
        "a guest": world.token(people.guest, OPERATE, READ),
        "an application": world.clouds.app_token(world.contoso, CLIENT_IDS[Registration.API], (OPERATE, READ)),
    }
    for who, token in tokens.items():
        assert (await scene.call("POST", path, {}, token=token)).status_code == 403, who

    assert (await scene.tenant()).record.review is None
    assert not [one for one in await scene.entries() if one.deed.act == 32]


@pytest.mark.parametrize("day", ["2026-03-02", "2027-06-01", "soon"])
async def test_a_review_holds_for_a_day_within_the_coming_year(scene: Scene, day: str) -> None:
    await scene.onboarded()

    answer = await scene.call("POST", f"/api/tenants/{scene.target}/review", {"reviewBy": day})

    assert (answer.status_code, answer.json()["field"]) == (400, "reviewBy")


async def test_a_review_of_an_unknown_tenant_is_not_found(scene: Scene) -> None:
    assert (await scene.call("POST", f"/api/tenants/{scene.target}/review", {})).status_code == 404


async def test_what_is_not_ours_is_told_and_left_to_end(scene: Scene) -> None:
    world = scene.world
    await scene.onboarded()
    other = world.fabrikam.pim.grant(world.people.administrator.object_id, end=midnight(scene) + timedelta(days=175))
    ends = other.end
    await night_after(scene, 170)

    assert other.end == ends
    assert (await told(scene))[other.principal_id] == ("notOurs", None)
