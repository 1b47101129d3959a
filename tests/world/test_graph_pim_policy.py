"""What a tenant's policy and licence refuse (sections 6.4, 6.5 and 6.7 of the Graph contract)."""

from pathlib import Path
from typing import Any

import pytest

from tests.world.clouds_scene import FABRIKAM, scene
from tests.world.pim_scene import PERMANENT, POLICY, account, ask, refusal


@pytest.mark.parametrize(
    ("rule", "fields", "named"),
    [
        ({"expiration_required": True}, {"scheduleInfo": PERMANENT}, '["ExpirationRule"]'),
        ({"expiration_required": True, "maximum_duration": "P90D"}, {}, '["ExpirationRule"]'),
        ({"eligibility_rules": ["MultiFactorAuthentication"]}, {}, '["MfaRule"]'),
        ({"eligibility_rules": ["Justification"]}, {"justification": " "}, '["JustificationRule"]'),
        ({"eligibility_rules": ["Ticketing"]}, {"ticketInfo": {"ticketNumber": "1"}}, '["TicketingRule"]'),
    ],
)
async def test_policy_rules_refuse_by_name(
    tmp_path: Path, rule: dict[str, Any], fields: dict[str, Any], named: str
) -> None:
    async with scene(tmp_path) as world:
        ana = account(world)
        for name, value in rule.items():
            setattr(world.fabrikam.pim.security_reader, name, value)

        status, code, message = await refusal(world, ana, **fields)

        assert (status, code) == (400, "RoleAssignmentRequestPolicyValidationFailed")
        assert message.endswith(named)


async def test_a_request_that_meets_every_rule_passes(tmp_path: Path) -> None:
    async with scene(tmp_path) as world:
        ana = account(world)
        policy = world.fabrikam.pim.security_reader
        policy.expiration_required, policy.maximum_duration = True, "P6M"
        policy.eligibility_rules = ["Justification", "Ticketing"]

        await ask(world, ana, ticketInfo={"ticketNumber": "1", "ticketSystem": "Tenantry"})


async def test_the_policy_has_seventeen_rules_and_its_scope_must_be_asked_for(tmp_path: Path) -> None:
    async with scene(tmp_path) as world:
        account(world)
        world.fabrikam.pim.security_reader.eligibility_rules = ["MultiFactorAuthentication"]

        [found] = (await world.made(FABRIKAM, POLICY))["value"]
        without = await world.graph(FABRIKAM, POLICY.replace("scopeId eq '/' and ", ""))

        rules = {rule["id"]: rule for rule in found["policy"]["rules"]}
        assert len(rules) == 17
        assert rules["Expiration_Admin_Eligibility"]["maximumDuration"] == "P365D"
        assert rules["Enablement_Admin_Eligibility"]["enabledRules"] == ["MultiFactorAuthentication"]
        assert without.status_code == 400
        assert len(world.clouds.violations) == 1


async def test_a_tenant_without_p2_has_no_pim(tmp_path: Path) -> None:
    async with scene(tmp_path) as world:
        ana = account(world)
        world.fabrikam.licences.p2 = False

        assert (await refusal(world, ana))[:2] == (400, "AadPremiumLicenseRequired")
        assert (await world.graph(FABRIKAM, POLICY)).json()["error"]["code"] == "AadPremiumLicenseRequired"
        [sku] = (await world.made(FABRIKAM, "GET /subscribedSkus"))["value"]
        assert [plan["servicePlanName"] for plan in sku["servicePlans"]] == ["AAD_PREMIUM"]


async def test_impossible_windows_are_refused(tmp_path: Path) -> None:
    async with scene(tmp_path) as world:
        ana = account(world)
        past = {"expiration": {"type": "afterDateTime", "endDateTime": "2026-01-01T00:00:00Z"}}
        brief = {"expiration": {"type": "afterDuration", "duration": "PT4M"}}

        assert (await refusal(world, ana, scheduleInfo=past))[1] == "InvalidRoleAssignmentRequestSchedule"
        assert (await refusal(world, ana, scheduleInfo=brief))[1] == "ActiveDurationTooShort"
        assert world.clouds.violations == []
        windows: tuple[dict[str, object], ...] = (
            {"expiration": {"type": "afterDuration", "duration": "180 days, 0:00:00"}},
            {"expiration": {"type": "noExpiration", "duration": "P1D"}},
            {"expiration": {"type": "forever"}},
            {"expiration": {}},
            {"startDateTime": "2026-03-02T08:00:00", "expiration": {"type": "noExpiration"}},
        )
        for bad in windows:
            assert (await refusal(world, ana, scheduleInfo=bad))[0] == 400
        assert len(world.clouds.violations) == 5
