"""Activations, and what administrators assign for a time (section 4 of the Azure contract)."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.sandbox.arm.models.policy import END_USER_ASSIGNMENT, MFA, TICKET
from tests.sandbox.arm.models.roles import BUILT_IN, OWNER, READER
from tests.sandbox.arm.models.scope import management_group
from tests.world.arm_locked_scene import INSTANCES, REQUESTS, SCHEDULES, locked
from tests.world.arm_scene import PIM, named


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
