"""The doctor against the sandbox: on either side of each open question it says which, and leaves everything as it was."""

from collections.abc import Mapping
from pathlib import Path

import pytest

from shared.doctor.examining import Wanted
from shared.doctor.facts import LIVES_WITH_BOTH, Way
from shared.doctor.findings import AS_PERSON, FACTS, Answer, Report
from tests.conftest import OpenWorld
from tests.flows import doctoring
from tests.flows.azure_cli import AzureCli
from tests.flows.doctoring import Story, answers, examined
from tests.flows.financing import SETTINGS
from tests.flows.scene import Scene

pytestmark = pytest.mark.sampled(3)

APART: Mapping[str, Story] = {
    "policy-check-code": doctoring.without_redemption,
    "no-p2-policy-readable": doctoring.without_pim,
    "hunting-without-defender": doctoring.without_defender,
    "hunting-without-devices": doctoring.without_devices,
    "hunting-quota-tells-wait": doctoring.with_spent_quota,
    "arm-mfa-spares-applications": doctoring.with_mfa,
    "arm-lock-fails-the-request": doctoring.with_lock,
    "arm-applications-cannot-cancel": doctoring.denied,
}
"""Facts that what usually stands tells nothing of."""

SETTLED = sorted(fact.id for fact in FACTS.values() if fact.way is not Way.CHANGE)
USUAL = frozenset(SETTLED) - APART.keys()
BY_HAND = frozenset(FACTS) - frozenset(SETTLED)


async def told(
    fact: str, open_world: OpenWorld, folder: Path, monkeypatch: pytest.MonkeyPatch, *flipped: str
) -> list[Report]:
    """What the doctor says in the story that has something to tell the fact by: to the app, and, where they can settle it,
    to a person who may look at everything.
    """
    story = APART.get(fact, doctoring.standing)
    waits = story is not doctoring.denied
    world = await open_world(flipped=flipped, receiving=True, auto_advance=waits, settings=SETTINGS)
    async with Scene(world) as scene, AzureCli(scene, folder / "bin", world.people.ana) as cli:
        wanted = await story(scene)
        with monkeypatch.context() as patch:
            reports = [await examined(scene, wanted, patch)]
        if fact in AS_PERSON:
            cli.may_decide_access(*wanted.subscriptions)
            reports.append(await examined(scene, wanted, monkeypatch, cli=cli))
        return reports


async def test_what_usually_stands_tells_the_likelier_answers_and_nobody_has_to_do_anything(
    open_world: OpenWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with Scene(await open_world(receiving=True)) as scene:
        wanted = await doctoring.standing(scene)

        report = await examined(scene, wanted, monkeypatch)

        found = answers(report)
        assert {one: found[one] for one in USUAL if found[one] is not Answer.LIKELY} == {}
        assert {one: found[one] for one in APART} == dict.fromkeys(APART, Answer.OPEN)
        assert {one: found[one] for one in BY_HAND} == dict.fromkeys(BY_HAND, Answer.BY_HAND)
        assert (report.to_do, report.exit_code) == ((), 0)


@pytest.mark.parametrize("fact", SETTLED)
async def test_the_other_answer_is_told_and_what_a_person_has_to_set_then(
    fact: str, open_world: OpenWorld, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    reports = await told(fact, open_world, tmp_path, monkeypatch, fact)

    assert {answers(one)[fact] for one in reports} == {Answer.OTHER}
    if then := FACTS[fact].then:
        assert reports[0].exit_code == 1
        assert then in reports[0].to_do


@pytest.mark.parametrize("fact", sorted(APART))
async def test_the_likelier_answer_is_told_where_something_tells_it(
    fact: str, open_world: OpenWorld, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    reports = await told(fact, open_world, tmp_path, monkeypatch)

    assert {answers(one)[fact] for one in reports} == {Answer.LIKELY}


@pytest.mark.parametrize("flipped", [frozenset(), BY_HAND], ids=["likely", "other"])
async def test_what_only_a_change_settles_is_said_to_be_so_on_either_side(
    flipped: frozenset[str], open_world: OpenWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with Scene(await open_world(flipped=flipped)) as scene:
        await scene.onboarded()

        report = await examined(scene, Wanted(tenants=(scene.target,)), monkeypatch)

        judged = {one.id: one for one in report.facts if one.id in BY_HAND}
        assert judged.keys() == BY_HAND
        assert {(one.answer, one.do) for one in judged.values()} == {(Answer.BY_HAND, "")}
        assert all(one.told.startswith(LIVES_WITH_BOTH) for one in judged.values())
        assert [name for name, one in judged.items() if FACTS[name].look not in one.told] == []


async def test_reads_only_leaves_what_is_validated_open(open_world: OpenWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    async with Scene(await open_world()) as scene:
        await scene.onboarded()
        mark = len(scene.world.clouds.recorder.entries)

        report = await examined(scene, Wanted(tenants=(scene.target,), validates=False), monkeypatch)

        validated = [fact.id for fact in FACTS.values() if fact.way is Way.VALIDATION]
        assert {answers(report)[one] for one in validated} == {Answer.OPEN}
        sent = list(scene.world.clouds.recorder.entries)[mark:]
        assert not [one for one in sent if one.method == "POST" and "roleEligibility" in one.path]
