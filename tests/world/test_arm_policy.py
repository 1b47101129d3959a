"""Role management policies: found, changed in part, and what they refuse (section 2 of the Azure contract)."""

from pathlib import Path
from typing import Any

import pytest

from tests.sandbox.arm.models.policy import JUSTIFICATION, MFA, TICKET
from tests.sandbox.arm.models.roles import OWNER, VM_CONTRIBUTOR
from tests.world.arm_scene import PIM, POLICIES, STABLE, AzureScene, azure_scene, named

ONE_ROLE = f"GET {POLICIES}"


def rule(rule_id: str, kind: str, **fields: object) -> dict[str, Any]:
    """One rule of a change, with the target that belongs to it."""
    caller, level = rule_id.split("_")[-2:]
    target = {
        "caller": caller,
        "operations": ["All"],
        "level": level,
        "targetObjects": None,
        "inheritableSettings": None,
        "enforcedSettings": None,
    }
    return {"id": rule_id, "ruleType": f"RoleManagementPolicy{kind}Rule", "target": target, **fields}


def approval(*approvers: str, kind: str = "Group", **setting: object) -> dict[str, Any]:
    """The approval rule of the lock-down."""
    stage = {
        "approvalStageTimeOutInDays": 1,
        "isApproverJustificationRequired": True,
        "escalationTimeInMinutes": 0,
        "isEscalationEnabled": False,
        "escalationApprovers": None,
        "primaryApprovers": [{"id": one, "description": "", "isBackup": False, "userType": kind} for one in approvers],
    }
    chosen = {
        "isApprovalRequired": True,
        "isApprovalRequiredForExtension": False,
        "isRequestorJustificationRequired": True,
        "approvalMode": "SingleStage",
        "approvalStages": [stage],
        **setting,
    }
    return rule("Approval_EndUser_Assignment", "Approval", setting=chosen)


def expiration(level: str, maximum: str, *, required: bool = True) -> dict[str, Any]:
    return rule(f"Expiration_{level}", "Expiration", isExpirationRequired=required, maximumDuration=maximum)


def enablement(level: str, *enabled: str) -> dict[str, Any]:
    return rule(f"Enablement_{level}", "Enablement", enabledRules=list(enabled))


async def policy(azure: AzureScene, role: str = VM_CONTRIBUTOR) -> dict[str, Any]:
    """The assignment of the policy to the role."""
    [found] = await azure.listed(POLICIES, filter=f"roleDefinitionId eq '{azure.role(role)}'")
    return found


async def change(azure: AzureScene, *rules: dict[str, Any], version: str = STABLE) -> tuple[int, dict[str, Any]]:
    path = (await policy(azure))["properties"]["policyId"]
    answer = await azure.call(f"PATCH {path}", {"properties": {"rules": list(rules)}}, version=version)
    decoded: dict[str, Any] = answer.json()
    return answer.status_code, decoded


def by_id(rules: list[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    return {one["id"]: one for one in rules}


async def test_every_role_has_a_policy_of_seventeen_rules_at_every_scope(tmp_path: Path) -> None:
    async with azure_scene(tmp_path) as azure:
        below = azure.production.add_resource_group("rg-web")
        found = await policy(azure)
        listed = await azure.listed(POLICIES)
        elsewhere = await azure.listed(f"{below.path}{POLICIES}")
        read = await azure.call(f"GET {found['properties']['policyId']}")

        rules = by_id(found["properties"]["effectiveRules"])
        assert len(rules) == 17
        assert rules["Expiration_Admin_Eligibility"]["maximumDuration"] == "P365D"
        assert rules["Expiration_Admin_Eligibility"]["target"]["level"] == "Eligibility"
        assert found["name"] == f"{found['properties']['policyId'].rpartition('/')[2]}_{VM_CONTRIBUTOR}"
        assert {one["properties"]["roleDefinitionId"] for one in listed} >= {azure.role(), azure.role(OWNER)}
        assert {one["name"] for one in elsewhere}.isdisjoint(one["name"] for one in listed)
        assert by_id(read.json()["properties"]["rules"]) == rules


async def test_the_filter_on_the_role_is_ignored_where_the_switch_says_so(tmp_path: Path) -> None:
    async with azure_scene(tmp_path, flipped=["arm-policy-filter-ignored"]) as azure:
        assert len(await azure.listed(POLICIES, filter=f"roleDefinitionId eq '{azure.role()}'")) > 1


@pytest.mark.parametrize(
    ("maximum", "demanded", "fields", "named_rule"),
    [
        ("P90D", (), {}, "ExpirationRule"),
        ("P365D", (), {"scheduleInfo": {"expiration": {"type": "NoExpiration"}}}, "ExpirationRule"),
        ("P365D", (MFA,), {}, "MfaRule"),
        ("P365D", (JUSTIFICATION,), {"justification": " "}, "JustificationRule"),
        ("P365D", (TICKET,), {"ticketInfo": {"ticketNumber": "1"}}, "TicketingRule"),
    ],
)
async def test_policy_rules_refuse_by_name(
    tmp_path: Path, maximum: str, demanded: tuple[str, ...], fields: dict[str, Any], named_rule: str
) -> None:
    async with azure_scene(tmp_path) as azure:
        azure.production.pim.policy().longest(maximum)
        azure.production.pim.policy().demand(*demanded)

        answer = await azure.call(f"PUT {PIM}/roleEligibilityScheduleRequests/{named('a')}", azure.body(**fields))

        error = answer.json()["error"]
        assert (answer.status_code, error["code"]) == (400, "RoleAssignmentRequestPolicyValidationFailed")
        assert error["message"].endswith(f'["{named_rule}"]')


async def test_a_request_that_meets_every_rule_passes(tmp_path: Path) -> None:
    async with azure_scene(tmp_path, flipped=["arm-mfa-spares-applications"]) as azure:
        azure.production.pim.policy().longest("P6M")
        azure.production.pim.policy().demand(MFA, JUSTIFICATION, TICKET)

        await azure.ask("a", ticketInfo={"ticketNumber": "1", "ticketSystem": "Tenantry"})


async def test_a_year_is_the_most_where_the_switch_says_so(tmp_path: Path) -> None:
    async with azure_scene(tmp_path, flipped=["arm-eligibility-capped-at-a-year"]) as azure:
        azure.production.pim.policy().longest("P730D")

        assert await azure.refusal("a", days=366) == (400, "RoleAssignmentRequestPolicyValidationFailed")
        await azure.ask("b", days=365)


async def test_a_change_touches_the_rules_sent_and_no_others(tmp_path: Path) -> None:
    async with azure_scene(tmp_path) as azure:
        before = by_id((await policy(azure))["properties"]["effectiveRules"])
        approvers = (azure.engineers.id, azure.world.contoso.directory.add_group("Finance").id)

        status, changed = await change(
            azure, approval(*approvers), expiration("Admin_Eligibility", "P180D"), enablement("EndUser_Assignment", MFA)
        )
        again, _ = await change(azure, expiration("Admin_Eligibility", "P180D"))

        after = by_id((await policy(azure))["properties"]["effectiveRules"])
        assert (status, again) == (200, 200)
        assert changed["properties"]["lastModifiedBy"]["id"] == azure.principal_id
        assert {name for name in after if after[name] != before[name]} == {
            "Approval_EndUser_Assignment",
            "Expiration_Admin_Eligibility",
            "Enablement_EndUser_Assignment",
        }
        assert await azure.refusal("a", days=181) == (400, "RoleAssignmentRequestPolicyValidationFailed")
        assert azure.world.clouds.violations == []


@pytest.mark.parametrize(
    ("rules", "code"),
    [
        ([approval()], "InvalidPolicyRule"),
        ([approval(named("nobody"))], "InvalidPolicyRule"),
        ([approval(approvalMode="Serial")], "InvalidPolicyRule"),
        ([expiration("EndUser_Assignment", "PT25H")], "InvalidPolicyRule"),
        ([expiration("EndUser_Assignment", "PT8H", required=False)], "InvalidPolicyRule"),
        (
            [
                enablement("EndUser_Assignment", MFA),
                rule(
                    "AuthenticationContext_EndUser_Assignment", "AuthenticationContext", isEnabled=True, claimValue="c1"
                ),
            ],
            "MfaAndAcrsConflict",
        ),
    ],
)
async def test_a_policy_that_makes_no_sense_is_refused_and_nothing_changes(
    tmp_path: Path, rules: list[dict[str, Any]], code: str
) -> None:
    async with azure_scene(tmp_path) as azure:
        before = (await policy(azure))["properties"]["effectiveRules"]

        status, answer = await change(azure, expiration("Admin_Eligibility", "P30D"), *rules)

        assert (status, answer["error"]["code"]) == (400, code)
        assert (await policy(azure))["properties"]["effectiveRules"] == before


async def test_a_rule_of_the_wrong_form_is_loud(tmp_path: Path) -> None:
    async with azure_scene(tmp_path) as azure:
        group = azure.engineers.id
        wrong = (
            approval(group, kind="group"),
            {**approval(group), "ruleType": "RoleManagementPolicyExpirationRule"},
            {**expiration("Admin_Eligibility", "P30D"), "target": approval(group)["target"]},
            {**expiration("Admin_Eligibility", "P30D"), "minimumDuration": "P1D"},
            rule("Expiration_Nobody_Eligibility", "Expiration", isExpirationRequired=True, maximumDuration="P1D"),
            enablement("Admin_Eligibility", "Mfa"),
        )
        for one in wrong:
            assert (await change(azure, one))[0] == 400
        assert len(azure.world.clouds.violations) == len(wrong)


async def test_the_approval_rule_wants_an_action_of_its_own(tmp_path: Path) -> None:
    async with azure_scene(tmp_path) as azure:
        azure.production.access.take_back(azure.principal_id)
        actions = ("roleManagementPolicies/write", "roleManagementPolicyAssignments/read")
        azure.world.clouds.azure.give(
            azure.principal_id, azure.production, [f"Microsoft.Authorization/{action}" for action in actions]
        )

        assert (await change(azure, expiration("Admin_Eligibility", "P30D")))[0] == 200
        status, answer = await change(azure, approval(azure.engineers.id))
        assert (status, answer["error"]["code"]) == (403, "AuthorizationFailed")
        assert "approvalRule/action" in answer["error"]["message"]


async def test_a_tenant_without_p2_has_no_pim(tmp_path: Path) -> None:
    async with azure_scene(tmp_path) as azure:
        azure.world.contoso.licences.p2 = False

        assert await azure.refusal("a") == (400, "AadPremiumLicenseRequired")
        assert (await azure.call(ONE_ROLE)).json()["error"]["code"] == "AadPremiumLicenseRequired"


@pytest.mark.parametrize("flipped", [False, True])
async def test_pim_only_mode_is_of_a_preview_and_not_everywhere(tmp_path: Path, *, flipped: bool) -> None:
    async with azure_scene(tmp_path, flipped=["arm-pim-only-mode-available"] if flipped else []) as azure:
        preview, settings = "2024-09-01-preview", {"mode": "ReportOnly", "excludes": [], "excludedAssignmentTypes": []}
        mode = rule("PIMOnlyMode_Admin_Assignment", "PimOnlyMode", pimOnlyModeSettings=settings)

        status, answer = await change(azure, mode, version=preview)

        assert azure.world.clouds.violations == []
        if flipped:
            assert by_id(answer["properties"]["rules"])[mode["id"]]["pimOnlyModeSettings"] == settings
        else:
            assert (status, answer["error"]["code"]) == (400, "InvalidPolicyRule")
        assert len((await policy(azure))["properties"]["effectiveRules"]) == 17
        assert (await change(azure, mode))[0] == 400
        assert len(azure.world.clouds.violations) == 1
