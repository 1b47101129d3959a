"""Who decides an activation, how, and what comes of it (section 5 of the Azure contract)."""

from datetime import timedelta
from pathlib import Path

import pytest

from tests.world.arm_locked_scene import APPROVALS, APPROVE, DENY, PREVIEW, REQUESTS, SCHEDULES, locked
from tests.world.arm_scene import moment, named


async def test_an_approved_activation_begins_with_the_approval(tmp_path: Path) -> None:
    async with locked(tmp_path) as scene:
        asked = await scene.activate("a")
        assert (asked.status_code, asked.json()["properties"]["status"]) == (201, "PendingApproval")
        assert asked.json()["properties"]["approvalId"] == f"{APPROVALS}/{named('a')}"
        scene.azure.world.clock.advance(timedelta(hours=2))

        decided = await scene.decide(scene.fay, "a")

        stage = decided.json()["properties"]
        assert (decided.status_code, stage["status"], stage["reviewResult"]) == (200, "Completed", "Approve")
        assert stage["reviewedBy"]["principalId"] == scene.fay.object_id
        assert await scene.status("a") == "Provisioned"
        [schedule] = await scene.azure.listed(SCHEDULES)
        assert schedule["properties"]["endDateTime"] == moment(scene.azure.world.clock.now() + timedelta(hours=4))


async def test_the_first_decision_ends_it(tmp_path: Path) -> None:
    async with locked(tmp_path) as scene:
        await scene.activate("a")
        denied = await scene.decide(scene.fay, "a", DENY)
        second = await scene.decide(scene.finn, "a", APPROVE)

        assert (denied.status_code, second.status_code) == (200, 409)
        assert await scene.status("a") == "Denied"
        assert await scene.azure.listed(SCHEDULES) == []
        assert (await scene.by(scene.finn, f"GET {APPROVALS}", filter="asApprover()")).json()["value"] == []


async def test_what_waits_is_shown_to_those_who_are_asked_and_to_nobody_else(tmp_path: Path) -> None:
    async with locked(tmp_path) as scene:
        await scene.activate("a")
        world = scene.azure.world
        olga = world.clouds.person(world.contoso, "olga@contoso.com", "Olga")

        waiting = (await scene.by(scene.fay, f"GET {APPROVALS}", filter="asApprover()")).json()["value"]
        requests = (await scene.by(scene.fay, f"GET {REQUESTS}", filter="asApprover()")).json()["value"]
        others = (await scene.by(olga, f"GET {APPROVALS}", filter="asApprover()")).json()["value"]

        assert [one["name"] for one in waiting] == [one["name"] for one in requests] == [named("a")]
        assert waiting[0]["properties"]["stages"][0]["properties"]["assignedToMe"] is True
        assert others == []
        assert (await scene.by(olga, f"GET {APPROVALS}/{named('a')}")).status_code == 404
        own = await scene.by(scene.ana, f"GET {APPROVALS}/{named('a')}")
        assert "Self-Approval" in own.json()["error"]["message"]
        by_app = await scene.azure.call(f"GET {APPROVALS}/{named('a')}", version=PREVIEW)
        assert by_app.status_code == 404


async def test_an_approver_who_left_the_group_is_not_asked_any_more(tmp_path: Path) -> None:
    async with locked(tmp_path) as scene:
        await scene.activate("a")
        stage = await scene.stage(scene.fay, "a")
        scene.azure.world.contoso.directory.groups[scene.finance].members.remove(scene.fay.object_id)

        assert (await scene.by(scene.fay, f"PATCH {stage}", APPROVE)).status_code == 404
        assert await scene.status("a") == "PendingApproval"


@pytest.mark.parametrize("flipped", [False, True])
async def test_nested_groups_count_where_the_switch_says_so(tmp_path: Path, *, flipped: bool) -> None:
    async with locked(tmp_path, flipped=["arm-nested-groups-approve"] if flipped else []) as scene:
        outer = scene.azure.world.contoso.directory.add_group("Approvers", [scene.finance])
        scene.azure.production.pim.policy().approve_by(groups=[outer.id])
        await scene.activate("a")

        assert (await scene.by(scene.fay, f"GET {APPROVALS}/{named('a')}")).is_success is flipped


@pytest.mark.parametrize(("flipped", "status"), [([], "TimedOut"), (["arm-undecided-becomes-failed"], "Failed")])
async def test_nobody_deciding_for_a_day_ends_it(tmp_path: Path, flipped: list[str], status: str) -> None:
    async with locked(tmp_path, flipped=flipped) as scene:
        await scene.activate("a")
        scene.azure.world.clock.advance(timedelta(hours=24))

        assert await scene.status("a") == status
        assert (await scene.decide(scene.fay, "a")).status_code == 409
        assert (await scene.activate("b")).status_code == 201


async def test_the_other_answers_about_decisions(tmp_path: Path) -> None:
    flipped = (
        "arm-decision-is-flat",
        "arm-decision-answers-nothing",
        "arm-second-decision-is-400",
        "arm-approval-id-is-bare",
    )
    async with locked(tmp_path, flipped=flipped) as scene:
        assert (await scene.activate("a")).json()["properties"]["approvalId"] == named("a")

        assert (await scene.decide(scene.fay, "a", APPROVE)).status_code == 400
        assert (await scene.decide(scene.fay, "a", APPROVE["properties"])).status_code == 204
        assert (await scene.decide(scene.finn, "a", APPROVE["properties"])).status_code == 400
        assert await scene.status("a") == "Provisioned"


async def test_the_flat_body_is_refused_and_a_reason_is_wanted(tmp_path: Path) -> None:
    async with locked(tmp_path) as scene:
        await scene.activate("a")

        assert (await scene.decide(scene.fay, "a", APPROVE["properties"])).status_code == 400
        silent = await scene.decide(scene.fay, "a", {"properties": {"reviewResult": "Approve", "justification": " "}})
        assert (silent.status_code, silent.json()["error"]["code"]) == (400, "JustificationRequired")
        assert await scene.status("a") == "PendingApproval"


async def test_a_decision_can_be_made_at_the_scope_too(tmp_path: Path) -> None:
    async with locked(tmp_path) as scene:
        await scene.activate("a")
        path = scene.azure.production.scope.path + await scene.stage(scene.fay, "a")

        assert (await scene.by(scene.fay, f"PUT {path}", APPROVE)).status_code == 200
        assert await scene.status("a") == "Provisioned"


async def test_conditional_access_challenges_the_approver(tmp_path: Path) -> None:
    async with locked(tmp_path) as scene:
        await scene.activate("a")
        scene.azure.world.clouds.azure.challenged[scene.fay.object_id] = "c1"

        challenged = await scene.decide(scene.fay, "a")

        assert challenged.status_code == 401
        assert 'error="insufficient_claims", claims="' in challenged.headers["WWW-Authenticate"]
        assert (await scene.decide(scene.fay, "a", contexts=["c1"])).status_code == 200


async def test_a_pending_request_is_cancelled_and_one_in_force_is_not(tmp_path: Path) -> None:
    async with locked(tmp_path) as scene:
        await scene.activate("a")
        assert (await scene.activate("b")).json()["error"]["code"] == "PendingRoleAssignmentRequest"

        cancelled = await scene.azure.call(f"POST {REQUESTS}/{named('a')}/cancel")

        assert cancelled.json()["properties"]["status"] == "Canceled"
        assert (await scene.decide(scene.fay, "a")).status_code == 409
        await scene.activate("b")
        await scene.decide(scene.fay, "b")
        assert (await scene.azure.call(f"POST {REQUESTS}/{named('b')}/cancel")).status_code == 400


async def test_an_application_may_not_be_able_to_cancel_but_one_may_cancel_ones_own(tmp_path: Path) -> None:
    async with locked(tmp_path, flipped=["arm-applications-cannot-cancel"]) as scene:
        await scene.activate("a")

        assert (await scene.azure.call(f"POST {REQUESTS}/{named('a')}/cancel")).status_code == 403
        assert (await scene.by(scene.finn, f"POST {REQUESTS}/{named('a')}/cancel")).status_code == 403
        assert (await scene.by(scene.ana, f"POST {REQUESTS}/{named('a')}/cancel")).status_code == 200


async def test_a_grant_may_fail_after_it_was_accepted(tmp_path: Path) -> None:
    async with locked(tmp_path) as scene:
        await scene.activate("a")
        scene.activations.fails_with = "Failed"

        assert (await scene.decide(scene.fay, "a")).status_code == 200
        assert await scene.status("a") == "Failed"
        assert await scene.azure.listed(SCHEDULES) == []
