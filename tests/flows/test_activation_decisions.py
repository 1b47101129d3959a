"""Who decides a request, and what of two decisions, of tokens that are not good enough, of answers that get lost."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from decimal import Decimal

import httpx
import pytest
from msgspec.structs import replace

from shared.permissions import Registration
from shared.writes.activation import DECIDE_ACT
from tests.conftest import OpenWorld
from tests.flows.activating import Locked, locked
from tests.flows.scene import Scene
from tests.sandbox.arm.errors import ArmError, throttled
from tests.sandbox.entra.sign_ins import Demand
from tests.sandbox.entra.tokens import Signer
from tests.sandbox.points import cut, then_cut
from tests.sandbox.population import APPROVE, CLIENT_IDS

pytestmark = pytest.mark.sampled(5)

READ = "GET /providers/Microsoft.Authorization/roleAssignmentApprovals/{id}"
PATCH = "PATCH /providers/Microsoft.Authorization/roleAssignmentApprovals/{id}/stages/{id}"


@pytest.fixture
async def found(open_world: OpenWorld) -> AsyncIterator[Locked]:
    """A locked subscription."""
    async with Scene(await open_world(receiving=True, auto_advance=False)) as scene:
        yield await locked(scene)


def decisions(found: Locked) -> list[int]:
    """The answers that Azure gave to decisions; none where the connection broke before."""
    entries = found.scene.world.clouds.recorder.entries
    sent = [one.status for one in entries if one.service == "arm" and one.method == "PATCH" and "/stages/" in one.path]
    return [status for status in sent if status]


async def test_of_two_approvers_within_the_same_millisecond_one_decides_and_the_other_hears_who(found: Locked) -> None:
    request_id = await found.asked()

    answers = await asyncio.gather(
        found.decide(request_id, found.fiona, "approve"), found.decide(request_id, found.ivan, "deny")
    )

    assert sorted(one.status_code for one in answers) == [200, 409]
    [lost] = [one for one in answers if one.status_code == 409]
    winner = found.at_pim(request_id).approval
    assert winner is not None
    assert winner.reviewer_id is not None
    assert winner.reviewer_id in lost.json()["detail"]
    assert decisions(found) == [200]


async def test_who_left_the_approvers_between_notice_and_click_may_not_decide(found: Locked) -> None:
    request_id = await found.asked()
    found.scene.world.people.finance.members.remove(found.fiona.object_id)

    answer = await found.decide(request_id)

    assert (answer.status_code, "approver" in answer.json()["detail"]) == (403, True)
    assert decisions(found) == []


async def test_nobody_decides_on_their_own_request(found: Locked) -> None:
    world = found.scene.world
    world.people.finance.members.append(found.emil.object_id)
    request_id = await found.asked()

    answer = await found.decide(request_id, found.emil)

    assert (answer.status_code, "their own" in answer.json()["detail"]) == (403, True)
    assert decisions(found) == []


async def test_who_comes_after_the_portal_hears_by_whom_it_was_decided(found: Locked) -> None:
    request_id = await found.asked()
    await found.decide_in_portal(request_id, found.frank, "Deny")

    answer = await found.decide(request_id)

    assert (answer.status_code, "denied" in answer.json()["detail"]) == (409, True)
    assert not found.holds()


async def test_the_same_decision_again_is_told_and_not_sent_again(found: Locked) -> None:
    request_id = await found.asked()
    await found.decide(request_id)

    again = await found.decide(request_id)

    assert (again.status_code, found.fiona.object_id in again.json()["detail"]) == (409, True)
    assert len(decisions(found)) == 1


@pytest.mark.parametrize(
    "flipped",
    [
        ("arm-decision-is-flat",),
        ("arm-decision-answers-nothing",),
        ("arm-approval-id-is-bare",),
        ("arm-second-decision-is-400",),
    ],
)
async def test_a_decision_lands_on_either_side_of_what_is_not_settled(
    open_world: OpenWorld, flipped: tuple[str, ...]
) -> None:
    async with Scene(await open_world(flipped=flipped, auto_advance=False)) as scene:
        found = await locked(scene)
        request_id = await found.asked()

        answer = await found.decide(request_id)

        assert answer.status_code == 200, answer.text
        assert found.holds()


@pytest.mark.parametrize("place", ["vendor.before", "vendor.after"])
async def test_a_decision_whose_answer_is_lost_is_never_made_twice(found: Locked, place: str) -> None:
    request_id = await found.asked()
    found.scene.world.points.arm(place, PATCH, 0, cut)

    first = await found.decide(request_id)
    second = await found.decide(request_id) if first.status_code >= 500 else first

    assert 200 in (first.status_code, second.status_code), (first.text, second.text)
    assert found.holds()
    assert decisions(found) == [200]
    assert [one.deed.act for one in await found.trail(request_id)].count(41) == 1


@pytest.mark.parametrize("place", ["vendor.before", "vendor.after"])
async def test_an_app_that_dies_while_somebody_decides_knows_afterwards_who_did(found: Locked, place: str) -> None:
    request_id, host = await found.asked(), found.scene.world.host
    found.scene.world.points.arm(place, PATCH, 0, then_cut(host.kill))
    with pytest.raises(httpx.HTTPError):
        await found.decide(request_id)
    await host.restart()

    await found.after(timedelta(minutes=10))
    again = await found.decide(request_id)
    await found.after()

    assert (again.status_code == 200) == (place == "vendor.before"), again.text
    assert found.holds()
    shown = await found.shown(request_id)
    assert (shown["state"], shown["decision"]["by"]) == ("approved", found.fiona.object_id)
    assert decisions(found) == [200]
    assert [one.deed.act for one in await found.trail(request_id)].count(41) == 1


async def test_a_token_that_is_not_an_approvers_own_is_refused(found: Locked) -> None:
    world, request_id = found.scene.world, await found.asked()
    clouds, api = world.clouds, CLIENT_IDS[Registration.API]
    elsewhere = world.clouds.person(world.fabrikam, "fay@fabrikam.com", "Fay Elsewhere")
    tokens = {
        "app": (clouds.app_token(world.contoso, api, [APPROVE]), 403),
        "expired": (clouds.user_token(found.fiona, api, [APPROVE], issued_seconds_ago=7200), 401),
        "guest": (clouds.user_token(world.people.guest, api, [APPROVE]), 403),
        "another tenant's": (clouds.user_token(elsewhere, api, [APPROVE]), 401),
        "forged": (clouds.user_token(found.fiona, api, [APPROVE], signer=Signer.STRANGER), 401),
        "an engineer's": (clouds.user_token(world.people.ben, api, [APPROVE]), 403),
    }

    answers = {name: (await found.decide(request_id, token=token)).status_code for name, (token, _) in tokens.items()}

    assert answers == {name: status for name, (_, status) in tokens.items()}
    assert decisions(found) == []
    assert found.status(request_id) == "PendingApproval"


async def test_what_conditional_access_wants_goes_back_to_the_caller(found: Locked) -> None:
    world, request_id = found.scene.world, await found.asked()
    world.clouds.azure.challenged[found.fiona.object_id] = "c2"

    answer = await found.decide(request_id)

    assert answer.status_code == 401
    assert 'error="insufficient_claims"' in answer.headers["WWW-Authenticate"]
    assert (await found.record(request_id)).record.claim is None
    api = CLIENT_IDS[Registration.API]
    better = world.clouds.user_token(found.fiona, api, [APPROVE], contexts=["c2"])
    assert (await found.decide(request_id, token=better)).status_code == 200


async def test_a_person_who_must_use_a_second_factor_is_told_so(found: Locked) -> None:
    world, request_id = found.scene.world, await found.asked()
    world.clouds.demands[found.fiona.object_id] = Demand.MFA
    weak = world.clouds.user_token(found.fiona, CLIENT_IDS[Registration.API], [APPROVE], mfa=False)

    answer = await found.decide(request_id, token=weak)

    assert (answer.status_code, "claims=" in answer.headers["WWW-Authenticate"]) == (401, True)
    assert decisions(found) == []


async def test_above_the_limit_finance_comes_first_and_a_senior_decides(found: Locked) -> None:
    await found.rule(senior_above=Decimal(1))
    request_id = await found.asked()

    early = await found.decide(request_id, found.ivan)
    assert (early.status_code, "finance" in early.json()["detail"]) == (409, True)
    deny = await found.decide(request_id, found.fiona, "deny")
    assert deny.status_code == 200


async def test_an_approval_in_the_portal_without_the_demanded_verdict_is_a_violation(found: Locked) -> None:
    await found.rule(senior_above=Decimal(1))
    request_id = await found.asked()

    await found.decide_in_portal(request_id, found.frank)
    await found.after()

    shown = await found.shown(request_id)
    assert (shown["state"], [one["code"] for one in shown["violations"]]) == ("approved", ["financeDemanded"])
    await found.after()
    assert "activation.violation" in found.sent()


async def test_two_locked_subscriptions_do_not_know_each_others_approvers(found: Locked) -> None:
    world = found.scene.world
    other = await locked(found.scene, "Staging", approvers=[world.people.senior.id])
    request_id = await other.asked()

    answer = await other.decide(request_id, found.fiona)

    assert answer.status_code == 403
    assert (await other.decide(request_id, found.ivan)).status_code == 200


async def test_reminders_grow_apart_and_stop_with_the_decision(found: Locked) -> None:
    request_id = await found.asked()
    for _ in range(8):
        await found.after(timedelta(hours=1))
    await found.after()
    before = found.sent().count("activation.pending")

    await found.decide_in_portal(request_id, found.fiona)
    for _ in range(12):
        await found.after(timedelta(hours=1))

    assert before == 4  # at once, after one hour, after two more, after four more
    assert found.sent().count("activation.pending") == before
    assert found.sent().count("activation.decided") == 1


async def test_an_approval_that_pim_refuses_to_show_is_told_and_decides_nothing(found: Locked) -> None:
    request_id = await found.asked()

    async def refuse() -> None:
        raise ArmError(400, "SelfApprovalNotAllowed", "Not by this one.")

    found.scene.world.points.arm("vendor-read.before", READ, 0, refuse)

    answer = await found.decide(request_id)

    assert (answer.status_code, found.status(request_id)) == (409, "PendingApproval")
    assert "PIM did not take the decision: SelfApprovalNotAllowed" in answer.json()["detail"]


async def test_a_decision_that_is_taken_and_cannot_be_read_back_is_not_told_as_a_failure(found: Locked) -> None:
    request_id = await found.asked()

    async def throttle() -> None:
        raise throttled(300, "read")

    # The first read is before the decision.
    found.scene.world.points.arm("vendor-read.before", READ, 1, throttle)

    answer = await found.decide(request_id)

    assert (answer.status_code, found.holds()) == (202, True), answer.text
    await found.after(timedelta(minutes=10))
    [entry] = [one.deed for one in await found.trail(request_id) if one.deed.act == DECIDE_ACT]
    assert (entry.on_whose_word, entry.outcome) == (found.fiona.object_id, "done")


async def test_what_has_no_approval_at_pim_is_decided_by_nobody(found: Locked) -> None:
    request_id = await found.asked()
    await found.store.change(request_id, lambda one: replace(one, asked=replace(one.asked, approval_id="")))

    answer = await found.decide(request_id)

    assert answer.status_code == 409
    assert "PIM does not show the request" in answer.json()["detail"]
    assert not [one for one in found.scene.world.points.log if one.label == READ]
