"""Act 11: where hunting is wanted, queries are answered and kept; where there is nothing to hunt in, a warning says so."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from shared.permissions import MULTI_TENANT, Registration
from shared.saved_queries import DEVICES_BY_PLATFORM, PROOF
from tests.app.visitor import Visitor
from tests.flows.killing import opened
from tests.flows.refusal import Refusal
from tests.flows.scene import STANDARD, Scene
from tests.flows.test_twice import as_if_never_done
from tests.flows.writes import onboarding_of, templated
from tests.sandbox.graph.errors import GraphError, throttled
from tests.sandbox.points import then_cut
from tests.sandbox.population import CLIENT_IDS
from tests.sandbox.session import Session

pytestmark = pytest.mark.sampled(2)

_HUNT = "POST /security/microsoft.graph.security.runHuntingQuery"
_AT_HUNT = "POST /v1.0/security/microsoft.graph.security.runHuntingQuery"


async def hunted(scene: Scene) -> dict[str, Any]:
    """Fabrikam with hunting wanted: the record of a tenant that is Ready."""
    return await scene.onboarded(features=["hunting"])


def rows(record: Mapping[str, Any]) -> dict[str, list[list[Any]]]:
    """Query -> the rows that were kept."""
    return {one["name"]: one["rows"] for one in record["proof"]["queries"]}


def asked(scene: Scene) -> list[str]:
    """The queries that were sent, in order."""
    entries = scene.world.clouds.recorder.entries
    sent = [one.request for one in entries if one.path.endswith("runHuntingQuery")]
    return [
        next(query.name for query in PROOF if query.text == body["query"]) for body in sent if isinstance(body, dict)
    ]


async def test_queries_are_answered_and_their_first_rows_kept(scene: Scene) -> None:
    record = await hunted(scene)

    proof = record["proof"]
    assert (proof["feature"], proof["proven"]) == ("hunting", True)
    assert [one["name"] for one in proof["queries"]] == [query.name for query in PROOF] == asked(scene)
    found = rows(record)
    assert found["devicesByPlatform"][0] == ["Windows11", 2]
    assert sorted(found["devicesByPlatform"][1:]) == [["WindowsServer2022", 1], ["macOS", 1]]
    assert found["alertsByTechnique"] == [["Valid Accounts (T1078)", 2], ["Phishing (T1566)", 1]]
    assert found["devicesByDaysSinceScan"][0] == [None, 1]
    assert sum(count for _, count in found["devicesByDaysSinceScan"]) == 4
    assert all(one["tells"] and one["columns"] and one["problem"] is None for one in proof["queries"])
    assert not [one for one in record["warnings"] if "Hunting" in one]
    assert record["wanted"]["features"] == ["hunting"]


async def test_it_only_reads(scene: Scene) -> None:
    """No intent, no audit entry, nothing that an onboarding without hunting does not write."""
    await hunted(scene)

    assert onboarding_of(1) == templated(scene.applied())
    assert not [one for one in await scene.entries() if one.deed.registration == Registration.HUNT.value]
    by = {one.app_id for one in scene.world.clouds.recorder.entries if one.path.endswith("runHuntingQuery")}
    assert by == {CLIENT_IDS[Registration.HUNT]}


async def test_without_the_feature_nothing_is_asked_and_it_is_said_to_be_not_proven(scene: Scene) -> None:
    record = await scene.onboarded()

    assert asked(scene) == []
    assert record["proof"]["proven"] is False
    assert record["proof"]["queries"] == []
    [act] = [one for one in record["acts"] if one["number"] == 11]
    assert (act["state"], "not proven" in act["detail"]) == ("Done", True)
    assert not [one for one in record["warnings"] if "Hunting" in one]
    assert {one["registration"] for one in record["consents"]} == {one.value for one in STANDARD}


async def test_a_second_run_asks_again(scene: Scene) -> None:
    first = await hunted(scene)
    scene.world.fabrikam.defender.add_device("pc-9", "Windows11", Quick=1)
    sent, entries = list(scene.sent()), await scene.entries()
    await as_if_never_done(scene)

    assert await scene.retry() == "Ready"

    second = await scene.record()
    assert (rows(first)["devicesByPlatform"][0], rows(second)["devicesByPlatform"][0]) == (
        ["Windows11", 2],
        ["Windows11", 3],
    )
    assert asked(scene) == 2 * [query.name for query in PROOF]
    assert (sent, entries) == (list(scene.sent()), await scene.entries())


async def test_the_same_body_is_the_same_wish_and_another_feature_another_one(scene: Scene) -> None:
    before = await hunted(scene)
    ana = scene.world.people.ana

    assert (await scene.post(ana, features=["hunting"])).json() == before
    assert (await scene.post(ana)).status_code == 409


async def test_the_consent_to_hunt_is_waited_for_and_then_given(scene: Scene) -> None:
    scene.consented(*STANDARD)
    await scene.post(scene.world.people.ana, features=["hunting"])

    assert await scene.settle() == "WaitingForConsent"
    record = await scene.record()
    assert "Tenantry Hunt" in record["problem"]["what"]
    assert [(one["registration"], one["state"]) for one in record["consents"]] == [
        ("Tenantry Setup", "proved"),
        ("Tenantry Access", "proved"),
        ("Tenantry Hunt", "asked for"),
    ]
    assert list(scene.sent()) == []

    farid = Visitor(scene)
    page = await farid.open(await farid.link(Registration.HUNT))
    assert "ThreatHunting.Read.All" in page.text
    assert "only reads" in page.text
    await farid.consent(Registration.HUNT)

    assert await scene.settle() == "Ready"
    assert (await scene.record())["proof"]["proven"] is True


async def test_a_consent_that_is_withdrawn_before_the_proof_is_asked_for_again(scene: Scene) -> None:
    world = scene.world

    async def withdraw() -> None:
        world.clouds.revoke(CLIENT_IDS[Registration.HUNT], scene.target)
        await world.host.kill_and_restart()

    world.points.arm("vendor.before", _AT_HUNT, 1, then_cut(withdraw))
    scene.consented(*MULTI_TENANT)

    await scene.post(world.people.ana, features=["hunting"])

    assert await scene.settle() == "WaitingForConsent"
    record = await scene.record()
    assert [one["registration"] for one in record["consents"] if one["link"]] == ["Tenantry Hunt"]
    await Visitor(scene).consent(Registration.HUNT)
    assert await scene.settle() == "Ready"
    assert (await scene.record())["proof"]["proven"] is True
    assert onboarding_of(1) == templated(scene.applied())


_WITHOUT_DEFENDER = "hunting-without-defender"
_WITHOUT_DEVICES = "hunting-without-devices"


@pytest.mark.parametrize(
    ("flipped", "licensed", "words"),
    [
        ((), False, "400 BadRequest"),
        ((_WITHOUT_DEFENDER,), False, "403 Forbidden"),
        ((), True, "knows no device"),
        ((_WITHOUT_DEVICES,), True, "400 BadRequest"),
    ],
    ids=["no defender", "no defender, other answer", "no devices", "no devices, other answer"],
)
async def test_a_tenant_without_defender_data_is_ready_with_a_warning(
    flipped: tuple[str, ...], licensed: Any, words: str, session: Session, tmp_path: Path
) -> None:
    async with opened(session, tmp_path / "world", flipped=flipped) as scene:
        defender = scene.world.fabrikam.defender
        defender.licensed, defender.devices, defender.alerts = licensed, [], []

        record = await hunted(scene)

        assert record["proof"]["proven"] is False
        [warning] = [one for one in record["warnings"] if one.startswith("Hunting: not proven")]
        assert words in warning
        assert len(record["proof"]["queries"]) == len(PROOF)
        assert record["problem"] is None


async def test_a_table_that_alone_is_missing_leaves_the_others_their_answers(scene: Scene) -> None:
    missing = GraphError(400, "BadRequest", "'where' operator: Failed to resolve table 'DeviceTvmInfoGathering'.")

    async def refuse() -> None:
        raise missing

    scene.world.points.arm("vendor.before", _AT_HUNT, 2, refuse)

    record = await hunted(scene)

    assert [bool(one["problem"]) for one in record["proof"]["queries"]] == [False, False, True]
    assert rows(record)["devicesByPlatform"]
    [warning] = [one for one in record["warnings"] if "Hunting" in one]
    assert "devicesByDaysSinceScan" in warning
    assert "DeviceTvmInfoGathering" in warning


@pytest.mark.parametrize("flipped", [(), ("hunting-quota-tells-wait",)], ids=["no word of how long", "told how long"])
async def test_a_spent_cpu_quota_is_waited_for(flipped: tuple[str, ...], session: Session, tmp_path: Path) -> None:
    async with opened(session, tmp_path / "world", flipped=flipped) as scene:
        seen: list[str] = []

        async def spend() -> None:
            scene.world.fabrikam.defender.spend_quota()

        async def look() -> None:
            tenant = await scene.tenant()
            seen.append(tenant.acts[11].detail)

        scene.world.points.arm("vendor.before", _AT_HUNT, 1, spend)
        scene.world.points.arm("vendor.before", _AT_HUNT, 2, look)
        began = scene.world.clock.now()

        record = await hunted(scene)

        assert record["proof"]["proven"] is True
        assert "CPU" in seen[0]
        assert scene.world.clock.now() - began < timedelta(minutes=25)
        answered = [one for one in record["proof"]["queries"] if one["name"] == DEVICES_BY_PLATFORM.name]
        assert len(answered) == 1


async def test_a_quota_that_stays_spent_ends_as_a_warning(scene: Scene) -> None:
    Refusal(scene.world.points, _HUNT, throttled(None, message="CPU resource quota exceeded!"), passes=1)

    record = await hunted(scene)

    assert record["proof"]["proven"] is False
    assert [bool(one["problem"]) for one in record["proof"]["queries"]] == [False, True, True]
    [warning] = [one for one in record["warnings"] if "Hunting" in one]
    assert "CPU resource quota exceeded!" in warning
    [act] = [one for one in record["acts"] if one["number"] == 11]
    took = datetime.fromisoformat(act["ended"]) - datetime.fromisoformat(act["since"])
    assert timedelta(minutes=20) <= took < timedelta(minutes=25)


async def test_queries_that_run_into_a_gateway_s_patience_end_as_a_warning(scene: Scene) -> None:
    """Heavy queries are seen to answer 504 each time."""
    refusal = Refusal(scene.world.points, _HUNT, GraphError(504, "UnknownError", ""))

    record = await hunted(scene)

    assert record["proof"]["proven"] is False
    assert "did not answer" in record["proof"]["queries"][0]["problem"]
    assert refusal.hits < 40
