"""Activations and their approval (sections 4 and 5 of the Azure contract)."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.sandbox.arm.models.policy import END_USER_ASSIGNMENT, MFA, TICKET
from tests.sandbox.arm.models.roles import BUILT_IN, OWNER, READER
from tests.sandbox.arm.models.scope import management_group
from tests.sandbox.arm.tokens import person_token
from tests.sandbox.personas import Person
from tests.world.arm_scene import PIM, AzureScene, azure_scene, moment, named

REQUESTS = f"{PIM}/roleAssignmentScheduleRequests"
SCHEDULES, INSTANCES = f"{PIM}/roleAssignmentSchedules", f"{PIM}/roleAssignmentScheduleInstances"
APPROVALS = f"{PIM}/roleAssignmentApprovals"
PREVIEW = "2021-01-01-preview"
_ACTIONS = (
    "roleAssignmentScheduleRequests/read",
    "roleAssignmentScheduleRequests/write",
    "roleAssignmentScheduleRequests/cancel/action",
    "roleAssignmentSchedules/read",
    "roleAssignmentScheduleInstances/read",
    "roleAssignments/read",
)
APPROVE = {"properties": {"reviewResult": "Approve", "justification": "Within budget"}}
DENY = {"properties": {"reviewResult": "Deny", "justification": "Too dear"}}


class Locked:
    """Ana is eligible through the engineers; Fay and Finn, of finance, approve."""

    def __init__(self, azure: AzureScene, fay: Person, finn: Person, finance: str) -> None:
        self.azure, self.fay, self.finn, self.finance = azure, fay, finn, finance
        self.ana, self.activations = azure.world.ana, azure.production.activations

    async def by(
        self,
        person: Person,
        line: str,
        body: object = None,
        *,
        mfa: bool = True,
        contexts: Sequence[str] = (),
        **query: str,
    ) -> httpx.Response:
        """A call with the person's own token."""
        token = person_token(self.azure.world.clouds, person, mfa=mfa, contexts=contexts)
        version = PREVIEW if "Approvals" in line else "2020-10-01"
        at_tenant = line.partition(" ")[2].startswith(APPROVALS)
        if at_tenant:
            method, path = line.split(" ", 1)
            return await self.azure.world.client.request(
                method,
                f"{self.azure.world.clouds.arm}{path}",
                json=body,
                params={"api-version": version, **{f"${name}": value for name, value in query.items()}},
                headers={"Authorization": f"Bearer {token}"},
            )
        return await self.azure.call(line, body, version=version, token=token, **query)

    def body(self, **fields: object) -> dict[str, Any]:
        """Four hours of Virtual Machine Contributor for Ana."""
        window = {"startDateTime": None, "expiration": {"type": "AfterDuration", "duration": "PT4H"}}
        properties = {
            "principalId": self.ana.object_id,
            "roleDefinitionId": self.azure.role(),
            "requestType": "SelfActivate",
            "justification": "A build machine",
            "ticketInfo": {"ticketNumber": "CHG1", "ticketSystem": "Tenantry"},
            "scheduleInfo": window,
            **fields,
        }
        return {"properties": properties}

    async def activate(self, name: str, **fields: object) -> httpx.Response:
        """By Ana."""
        return await self.by(self.ana, f"PUT {REQUESTS}/{named(name)}", self.body(**fields))

    async def stage(self, person: Person, name: str) -> str:
        """The address of the stage, as the person finds it."""
        answer = await self.by(person, f"GET {APPROVALS}/{named(name)}")
        assert answer.status_code == 200, answer.text
        found: str = answer.json()["properties"]["stages"][0]["id"]
        return found

    async def decide(self, person: Person, name: str, body: object = APPROVE, **how: Any) -> httpx.Response:
        """At the stage that the person is asked at."""
        return await self.by(person, f"PATCH {await self.stage(person, name)}", body, **how)

    async def status(self, name: str) -> str:
        """As the app reads it."""
        answer = await self.azure.call(f"GET {REQUESTS}/{named(name)}")
        found: str = answer.json()["properties"]["status"]
        return found


@asynccontextmanager
async def locked(folder: Path, *, flipped: Sequence[str] = (), approval: bool = True) -> AsyncIterator[Locked]:
    async with azure_scene(
        folder, flipped=flipped, actions=[f"Microsoft.Authorization/{action}" for action in _ACTIONS]
    ) as azure:
        contoso, clouds = azure.world.contoso, azure.world.clouds
        fay = clouds.person(contoso, "fay@contoso.com", "Fay Finance")
        finn = clouds.person(contoso, "finn@contoso.com", "Finn Finance")
        finance = contoso.directory.add_group("Finance", [fay.object_id, finn.object_id]).id
        azure.production.eligible(azure.engineers.id, end=azure.world.clock.now() + timedelta(days=100))
        if approval:
            azure.production.pim.policy().approve_by(groups=[finance])
        yield Locked(azure, fay, finn, finance)


async def test_without_approval_an_activation_is_in_force_at_once_and_ends_by_itself(tmp_path: Path) -> None:
    async with locked(tmp_path, approval=False) as scene:
        answer = await scene.activate("a")
        [instance] = await scene.azure.listed(INSTANCES)

        made = answer.json()["properties"]
        assert (answer.status_code, made["status"], made["approvalId"]) == (201, "Provisioned", None)
        assert (instance["properties"]["principalId"], instance["properties"]["assignmentType"]) == (
            scene.ana.object_id,
            "Activated",
        )
        held = scene.azure.production.access.held(scene.ana.object_id, scene.azure.production.scope)
        assert [role.name for role in held] == ["Virtual Machine Contributor"]
        scene.azure.world.clock.advance(timedelta(hours=4))
        assert (await scene.azure.listed(INSTANCES), await scene.azure.listed(SCHEDULES)) == ([], [])
        assert scene.azure.production.access.held(scene.ana.object_id, scene.azure.production.scope) == []
        assert scene.azure.world.clouds.violations == []


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
        [app] = [await scene.azure.call(f"GET {APPROVALS}/{named('a')}", version=PREVIEW)]
        assert app.status_code == 404


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


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"requestType": "SelfExtend"}, "InvalidRoleAssignmentRequest"),
        ({"principalId": named("somebody")}, "InvalidRoleAssignmentRequest"),
        ({"scheduleInfo": {"expiration": {"type": "AfterDuration", "duration": "PT9H"}}}, "ExpirationRule"),
        ({"scheduleInfo": {"expiration": {"type": "AfterDuration", "duration": "PT4M"}}}, "ActiveDurationTooShort"),
        ({"justification": ""}, "JustificationRule"),
        ({"ticketInfo": None}, "TicketingRule"),
        ({"linkedRoleEligibilityScheduleId": named("other")}, "EligibilityRule"),
        (
            {
                "scheduleInfo": {
                    "startDateTime": "2026-03-02T07:59:00Z",
                    "expiration": {"type": "AfterDuration", "duration": "PT4H"},
                }
            },
            "InvalidRoleAssignmentRequestSchedule",
        ),
    ],
)
async def test_an_activation_is_refused_by_name(tmp_path: Path, fields: dict[str, Any], code: str) -> None:
    async with locked(tmp_path, approval=False) as scene:
        scene.azure.production.pim.policy().demand("Justification", TICKET, level=END_USER_ASSIGNMENT)

        answer = await scene.activate("a", **fields)

        assert answer.status_code == 400
        assert code in answer.text


async def test_who_is_not_eligible_or_not_a_person_cannot_activate(tmp_path: Path) -> None:
    async with locked(tmp_path, approval=False) as scene:
        body = scene.body(principalId=scene.fay.object_id)
        assert "EligibilityRule" in (await scene.by(scene.fay, f"PUT {REQUESTS}/{named('a')}", body)).text
        by_app = await scene.azure.call(f"PUT {REQUESTS}/{named('b')}", scene.body())
        assert by_app.json()["error"]["code"] == "InvalidRoleAssignmentRequest"
        own = scene.body(principalId=scene.azure.principal_id)
        for_itself = await scene.azure.call(f"PUT {REQUESTS}/{named('b')}", own)
        assert for_itself.json()["error"]["code"] == "InvalidRoleAssignmentRequest"
        assert (await scene.activate("c")).status_code == 201
        assert (await scene.activate("d")).json()["error"]["code"] == "RoleAssignmentExists"


async def test_a_second_factor_or_an_authentication_context_may_be_wanted(tmp_path: Path) -> None:
    async with locked(tmp_path, approval=False) as scene:
        policy, line = scene.azure.production.pim.policy(), f"PUT {REQUESTS}/{named('a')}"
        policy.demand(MFA, level=END_USER_ASSIGNMENT)
        assert "MfaRule" in (await scene.by(scene.ana, line, scene.body(), mfa=False)).text
        policy.demand(level=END_USER_ASSIGNMENT)
        policy.rules["AuthenticationContext_EndUser_Assignment"].update(isEnabled=True, claimValue="c1")

        refused = await scene.by(scene.ana, line, scene.body())

        assert refused.json()["error"]["code"] == "RoleAssignmentRequestAcrsValidationFailed"
        assert '"value":"c1"' in refused.json()["error"]["message"]
        assert (await scene.by(scene.ana, line, scene.body(), contexts=["c1"])).status_code == 201


async def test_below_the_subscription_one_must_see_the_resource_group(tmp_path: Path) -> None:
    async with locked(tmp_path, approval=False) as scene:
        below = scene.azure.production.add_resource_group("rg-web")
        line = f"PUT {below.path}{REQUESTS}/{named('a')}"

        assert (await scene.by(scene.ana, line, scene.body())).status_code == 403
        scene.azure.production.access.assign(scene.ana.object_id, BUILT_IN[READER], below)
        assert (await scene.by(scene.ana, line, scene.body())).status_code == 201
        [found] = await scene.azure.listed(INSTANCES)
        assert found["properties"]["scope"] == below.path


async def test_early_release_works_after_five_minutes(tmp_path: Path) -> None:
    async with locked(tmp_path, approval=False) as scene:
        await scene.activate("a")
        release = {"requestType": "SelfDeactivate", "scheduleInfo": None}

        assert (await scene.activate("b", **release)).json()["error"]["code"] == "ActiveDurationTooShort"
        scene.azure.world.clock.advance(timedelta(minutes=6))
        assert (await scene.activate("b", **release)).json()["properties"]["status"] == "Revoked"
        assert await scene.azure.listed(INSTANCES) == []
        assert (await scene.activate("c", **release)).json()["error"]["code"] == "RoleAssignmentDoesNotExist"


async def test_an_application_assigns_for_a_time_and_can_take_it_back(tmp_path: Path) -> None:
    async with locked(tmp_path) as scene:
        line, azure = f"PUT {REQUESTS}/{named('a')}", scene.azure
        made = await azure.call(line, scene.body(requestType="AdminAssign"))
        [instance] = await azure.listed(INSTANCES, filter=f"principalId eq '{scene.ana.object_id}'")

        assert made.json()["properties"]["status"] == "Provisioned"
        assert instance["properties"]["assignmentType"] == "Assigned"
        azure.world.clock.advance(timedelta(minutes=6))
        body = scene.body(requestType="AdminRemove", scheduleInfo=None)
        assert (await azure.call(f"PUT {REQUESTS}/{named('b')}", body)).status_code == 201
        assert await azure.listed(INSTANCES) == []


async def test_who_may_not_assign_is_refused_and_policy_binds_who_may(tmp_path: Path) -> None:
    async with locked(tmp_path) as scene:
        line, body = f"PUT {REQUESTS}/{named('a')}", scene.body(requestType="AdminAssign")
        assert (await scene.by(scene.finn, line, body)).status_code == 403

        scene.azure.production.pim.policy().longest("PT2H", level="Admin_Assignment")
        assert "ExpirationRule" in (await scene.azure.call(line, body)).text


async def test_a_grant_may_fail_after_it_was_accepted(tmp_path: Path) -> None:
    async with locked(tmp_path) as scene:
        await scene.activate("a")
        scene.activations.fails_with = "Failed"

        assert (await scene.decide(scene.fay, "a")).status_code == 200
        assert await scene.status("a") == "Failed"
        assert await scene.azure.listed(SCHEDULES) == []


async def test_role_assignments_show_plain_ones_and_those_of_pim(tmp_path: Path) -> None:
    async with locked(tmp_path, approval=False) as scene:
        azure = scene.azure
        azure.production.access.assign(scene.finance, BUILT_IN[READER], azure.production.add_resource_group("rg"))
        azure.production.access.assign(scene.finance, BUILT_IN[OWNER], management_group("contoso-root"))
        await scene.activate("a")
        assignments = f"{PIM}/roleAssignments"
        scopes = {
            azure.production.scope.path: "here",
            f"{azure.production.scope.path}/resourceGroups/rg": "below",
            management_group("contoso-root").path: "above",
        }

        everywhere = (await azure.call(f"GET {assignments}", version="2022-04-01")).json()["value"]
        here = (await azure.call(f"GET {assignments}", version="2022-04-01", filter="atScope()")).json()["value"]
        [instance] = await azure.listed(INSTANCES)

        def held(found: list[dict[str, Any]]) -> list[tuple[str, str]]:
            return sorted((one["properties"]["principalType"], scopes[one["properties"]["scope"]]) for one in found)

        assert held(everywhere) == [("Group", "below"), ("ServicePrincipal", "here"), ("User", "here")]
        assert held(here) == [("Group", "above"), ("ServicePrincipal", "here"), ("User", "here")]
        assert instance["properties"]["originRoleAssignmentId"] in {one["id"] for one in here}


async def test_validating_an_activation_stores_nothing(tmp_path: Path) -> None:
    async with locked(tmp_path) as scene:
        answer = await scene.by(scene.ana, f"POST {REQUESTS}/{named('a')}/validate", scene.body())

        assert (answer.status_code, answer.json()["properties"]["status"]) == (200, "PendingEvaluation")
        assert scene.activations.requests == {}


async def test_a_persons_call_is_recorded_as_made_for_them(tmp_path: Path) -> None:
    async with locked(tmp_path) as scene:
        await scene.activate("a")

        assert scene.azure.world.clouds.recorder.entries[-1].on_behalf_of == scene.ana.object_id
