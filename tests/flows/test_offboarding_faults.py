"""Letting a tenant go on bad days, under the other answers to what Microsoft leaves open, refused at every call, cancelled in
every act: it ends the same, or says what is wrong and goes on from there.
"""

from pathlib import Path
from typing import Any

import pytest

from shared.running.acts import OFFBOARDING as ACTS
from shared.tenants.record import ActState
from tests.flows.kill_points import seeds
from tests.flows.killing import Undisturbed, bad_day, opened, to_rest
from tests.flows.letting_go import OFFBOARDING, delete, left_behind, let_go, let_go_patiently, states
from tests.flows.pictures import changes, picture
from tests.flows.refusal import Refusal
from tests.flows.scene import Scene
from tests.flows.standing import differences
from tests.flows.stopping import middle
from tests.flows.test_faults import KINDS
from tests.flows.writes import PARTNERS, SYNCHRONIZATION
from tests.sandbox.faults import Faults
from tests.sandbox.graph.errors import synchronization_forbidden
from tests.sandbox.graph.models.cross_tenant import Consent, Partner, Trust
from tests.sandbox.session import Session
from tests.sandbox.switches import SWITCHES

pytestmark = pytest.mark.sampled(2)

_ELIGIBILITIES = "/roleManagement/directory/roleEligibilityScheduleRequests"

WRITES: tuple[tuple[int, str], ...] = (
    (21, f"POST {_ELIGIBILITIES}"),
    (22, "DELETE /servicePrincipals/{id}/appRoleAssignedTo/{id}"),
    (25, f"POST {SYNCHRONIZATION}/jobs/{{id}}/pause"),
    (25, f"DELETE {SYNCHRONIZATION}/jobs/{{id}}"),
    (25, "DELETE /applications/{id}"),
    (26, f"DELETE {PARTNERS}/{{id}}"),
    (27, f"DELETE {PARTNERS}/{{id}}/identitySynchronization"),
    (27, f"DELETE {PARTNERS}/{{id}}"),
)
"""Of a tenant with one analyst, where nothing was there before: act and call."""

READS: tuple[tuple[int, str], ...] = (
    (21, "GET /roleManagement/directory/roleEligibilityScheduleInstances"),
    (22, "GET /servicePrincipals/{id}/appRoleAssignedTo"),
    (24, f"GET {SYNCHRONIZATION}/jobs/{{id}}"),
    (25, "GET /servicePrincipals/{id}"),
    (25, "GET /applications"),
    (26, f"GET {PARTNERS}/{{id}}"),
)

SEEDS = [1, *(pytest.param(seed, marks=pytest.mark.matrix) for seed in seeds(2, 3)[1:])]


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("kind", KINDS)
async def test_one_kind_of_fault_changes_nothing_in_the_end(
    kind: str, seed: int, undisturbed_leave: Undisturbed, session: Session, tmp_path: Path
) -> None:
    faults = Faults(seed, **KINDS[kind])  # type: ignore[arg-type]  # each name with its own type

    assert await _differences(faults, undisturbed_leave, session, tmp_path) == []


@pytest.mark.parametrize("seed", SEEDS)
async def test_a_bad_day_changes_nothing_in_the_end(
    seed: int, undisturbed_leave: Undisturbed, session: Session, tmp_path: Path
) -> None:
    assert await _differences(bad_day(seed), undisturbed_leave, session, tmp_path) == []


@pytest.mark.matrix
@pytest.mark.parametrize("seed", [1, 2, 3])
async def test_a_very_bad_day_changes_nothing_in_the_end(
    seed: int, undisturbed_leave: Undisturbed, session: Session, tmp_path: Path
) -> None:
    assert await _differences(Faults.harsh(seed), undisturbed_leave, session, tmp_path) == []


_OTHERS_STAY = "sync-all-false-means-assigned-only"
"""Under it the synchronization takes every member of the source: nobody's account ever goes."""

_MEETS = ("identity-sync-put-is-upsert", "partial-inbound-trust-merges", "second-job-post", "start-on-running-job")
_FLIPPED = [
    pytest.param(one, marks=() if one in _MEETS else pytest.mark.matrix)
    for one in sorted(SWITCHES.keys() - {_OTHERS_STAY, "eligibility-needs-directory-role"})
]


@pytest.mark.parametrize("switch", _FLIPPED)
async def test_the_other_answer_to_one_question_changes_nothing_in_the_end(
    switch: str, session: Session, tmp_path: Path
) -> None:
    """With settings from before, so that there is something to be put back."""
    async with opened(session, tmp_path / "world", flipped={switch}) as scene:
        contoso, fabrikam = scene.world.contoso, scene.world.fabrikam
        trust = Trust(mfa=False, compliant=True, hybrid=False)
        fabrikam.access.set_partner(Partner(tenant_id=contoso.id, consent=Consent(inbound=False), trust=trust))
        contoso.access.set_partner(Partner(tenant_id=fabrikam.id, consent=Consent(inbound=True, outbound=False)))
        scene.consented()
        before = picture(scene.world)
        await scene.onboarded()

        assert await let_go(scene) == "Offboarded"
        assert changes(before, picture(scene.world)) == {}
        assert (await scene.record())["skipped"] == []


async def test_a_setting_that_the_service_does_not_let_go_is_named(session: Session, tmp_path: Path) -> None:
    """It was inherited before, and a null changes nothing: what could not be put back does not fail the rest."""
    async with opened(session, tmp_path / "world", flipped={"partner-nulls-are-ignored"}) as scene:
        contoso, fabrikam = scene.world.contoso, scene.world.fabrikam
        fabrikam.access.set_partner(Partner(tenant_id=contoso.id, trust=Trust(mfa=False, compliant=None, hybrid=True)))
        await scene.onboarded()

        assert await let_go(scene) == "Offboarded"

        found = fabrikam.access.partner(contoso.id)
        assert found is not None
        assert found.trust == Trust(mfa=False, compliant=False, hybrid=True)
        assert found.consent.inbound is True
        named = {one["what"]: (one["before"], one["now"], one["why"]) for one in (await scene.record())["skipped"]}
        why = "it was put back, but the service still shows it as we left it"
        assert named == {
            "partner automaticUserConsentSettings.inboundAllowed": ("null", "true", why),
            "partner inboundTrust.isCompliantDeviceAccepted": ("null", "false", why),
        }
        outcomes = [one.deed.outcome for one in await scene.entries() if one.deed.what.startswith("put the settings")]
        assert outcomes == ["sent, but not to be seen"]


async def test_where_everybody_is_synchronized_the_analysts_accounts_are_left_to_the_kit(
    session: Session, tmp_path: Path
) -> None:
    async with opened(session, tmp_path / "world", flipped={_OTHERS_STAY}) as scene:
        await scene.onboarded()

        assert await let_go(scene) == "Offboarded"

        assert [(one["act"], "after a day" in one["why"]) for one in (await scene.record())["leftToKit"]] == [
            (24, True)
        ]


@pytest.mark.parametrize(("act", "call"), WRITES, ids=lambda value: str(value).rpartition("/")[2])
async def test_a_refused_write_ends_the_run_and_a_retry_goes_on_from_it(scene: Scene, act: int, call: str) -> None:
    scene.consented()
    before = picture(scene.world)
    await scene.onboarded()
    passes = 1 if (act, call) == (27, f"DELETE {PARTNERS}/{{id}}") else 0
    refusal = Refusal(scene.world.points, call, _error(call), passes=passes)

    assert await let_go(scene) == "Failed"

    record = await scene.record()
    assert (states(record)[act], record["problem"]["do"]) == ("Failed", record["whatToDo"][0])
    assert all(states(record)[one.number] == "Pending" for one in ACTS if one.number > act)
    refused = (await scene.entries())[-1].deed
    assert (refused.act, refused.outcome.startswith("refused")) == (act, True)
    refusal.lift()
    assert await scene.retry() == "Offboarded"
    assert changes(before, picture(scene.world)) == {}


@pytest.mark.parametrize(("act", "call"), READS, ids=lambda value: str(value).rpartition("/")[2])
async def test_a_refused_read_ends_the_run_and_a_retry_goes_on_from_it(scene: Scene, act: int, call: str) -> None:
    scene.consented()
    before = picture(scene.world)
    await scene.onboarded()
    refusals: list[Refusal] = []

    async def refuse() -> None:
        refusals.append(Refusal(scene.world.points, call, _error(call), reads=True))

    [step] = next(one.steps for one in ACTS if one.number == act)
    scene.world.points.arm("activity.before", step.activity.name, 0, refuse)

    assert await let_go(scene) == "Failed"

    assert states(await scene.record())[act] == "Failed"
    refusals[0].lift()
    assert await scene.retry() == "Offboarded"
    assert changes(before, picture(scene.world)) == {}


ACTIVITIES = [step.activity.name for act in ACTS for step in act.steps]


@pytest.mark.parametrize("activity", ACTIVITIES)
async def test_a_cancel_while_an_activity_is_at_work(
    activity: str, undisturbed_leave: Undisturbed, session: Session, tmp_path: Path
) -> None:
    """What is sent by then is carried out, read back and audited; a retry ends as if nobody had cancelled."""
    async with opened(session, tmp_path / "world") as scene:
        await OFFBOARDING.before(scene)
        hit = middle(undisturbed_leave.log, activity, "vendor.before") or middle(
            undisturbed_leave.log, activity, "vendor-read.before", "store-read.before"
        )
        assert hit is not None
        passed = sum((one.kind, one.label) == (hit.kind, hit.label) for one in scene.world.points.log)
        answers: list[tuple[int, Any]] = []

        async def cancel() -> None:
            told = await scene.call("POST", f"/api/tenants/{scene.target}/cancel")
            answers.append((told.status_code, told.json()["state"]))
            answers.append(((await delete(scene)).status_code, None))

        scene.world.points.arm(hit.kind, hit.label, passed + hit.nth, cancel)

        assert await let_go_patiently(scene) == "Cancelled"

        assert answers == [(202, "Cancelling"), (409, None)]
        tenant = await scene.tenant()
        assert {one.state for one in tenant.acts.values()} <= {ActState.DONE, ActState.PENDING}
        assert {one.state.value for one in tenant.intents.values()} <= {"closed"}
        assert (await scene.call("POST", f"/api/tenants/{scene.target}/retry")).status_code == 202
        assert await to_rest(scene) == "Offboarded"
        assert differences(undisturbed_leave.standing, await left_behind(scene)) == []


def _error(call: str) -> Any:
    return synchronization_forbidden() if SYNCHRONIZATION in call else None


async def _differences(faults: Faults, undisturbed: Undisturbed, session: Session, tmp_path: Path) -> list[str]:
    async with opened(session, tmp_path / "world", faults=faults) as scene:
        scene.world.faults.paused = scene.world.points.paused = True
        await OFFBOARDING.before(scene)
        scene.world.faults.paused = scene.world.points.paused = False
        await let_go_patiently(scene)
        return differences(undisturbed.standing, await left_behind(scene))
