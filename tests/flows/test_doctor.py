"""The doctor against the sandbox: on either side of each open question it says which, and leaves everything as it was."""

from collections.abc import Mapping

import pytest

from shared.doctor.examining import Wanted
from shared.doctor.facts import LIVES_WITH_BOTH, Way
from shared.doctor.findings import FACTS, Answer
from tests.conftest import OpenWorld
from tests.flows import doctoring
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
A_PERSON_S = sorted(fact.id for fact in FACTS.values() if fact.then)


async def told(fact: str, open_world: OpenWorld, monkeypatch: pytest.MonkeyPatch, *flipped: str) -> Answer:
    """What the doctor says of a fact in the story that has something to tell it by."""
    story = APART.get(fact, doctoring.standing)
    waits = story is not doctoring.denied
    async with Scene(await open_world(flipped=flipped, receiving=True, auto_advance=waits, settings=SETTINGS)) as scene:
        wanted = await story(scene)
        report = await examined(scene, wanted, monkeypatch)
        return answers(report)[fact]


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
async def test_the_other_answer_is_told(fact: str, open_world: OpenWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    assert await told(fact, open_world, monkeypatch, fact) is Answer.OTHER


@pytest.mark.parametrize("fact", sorted(APART))
async def test_the_likelier_answer_is_told_where_something_tells_it(
    fact: str, open_world: OpenWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert await told(fact, open_world, monkeypatch) is Answer.LIKELY


@pytest.mark.parametrize("fact", sorted(BY_HAND))
async def test_what_only_a_change_settles_is_said_to_be_so_on_either_side(
    fact: str, open_world: OpenWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with Scene(await open_world(flipped=(fact,))) as scene:
        await scene.onboarded()

        report = await examined(scene, Wanted(tenants=(scene.target,)), monkeypatch)

        [judged] = [one for one in report.facts if one.id == fact]
        assert (judged.answer, judged.do) == (Answer.BY_HAND, "")
        assert judged.told.startswith(LIVES_WITH_BOTH)
        assert FACTS[fact].look in judged.told


@pytest.mark.parametrize("fact", A_PERSON_S)
async def test_where_the_other_answer_takes_a_person_they_are_told_what_to_set(
    fact: str, open_world: OpenWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with Scene(await open_world(flipped=(fact,), receiving=True)) as scene:
        report = await examined(scene, await doctoring.standing(scene), monkeypatch)

        assert report.exit_code == 1
        assert FACTS[fact].then in report.to_do


async def test_reads_only_leaves_what_is_validated_open(open_world: OpenWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    async with Scene(await open_world()) as scene:
        await scene.onboarded()
        mark = len(scene.world.clouds.recorder.entries)

        report = await examined(scene, Wanted(tenants=(scene.target,), validates=False), monkeypatch)

        validated = [fact.id for fact in FACTS.values() if fact.way is Way.VALIDATION]
        assert {answers(report)[one] for one in validated} == {Answer.OPEN}
        sent = list(scene.world.clouds.recorder.entries)[mark:]
        assert not [one for one in sent if one.method == "POST" and "roleEligibility" in one.path]
