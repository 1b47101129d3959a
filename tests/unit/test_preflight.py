"""Preflight: every finding that stands in the way is told at once, and nothing else blocks."""

from typing import Any

import msgspec
import pytest
from msgspec.structs import replace

from shared.eligibility.record import RolePolicy
from shared.graph.shapes import AccessDefault, ApprovalSetting, B2BSetting, Partner, Rule
from shared.onboarding.preflight import Findings, Observed, judge
from tests.unit.making import SOURCE, TARGET, WANTED

_OPEN = msgspec.convert({"usersAndGroups": {"accessType": "allowed"}}, type=B2BSetting)
_USERS = msgspec.convert({"usersAndGroups": {"accessType": "blocked"}}, type=B2BSetting)
_APPS = msgspec.convert({"applications": {"accessType": "blocked"}}, type=B2BSetting)
_RULES = (Rule(id="Expiration_Admin_Eligibility", is_expiration_required=True, maximum_duration="P180D"),)

_CLEAR = Observed(
    invites_from="adminsAndGuestInviters",
    target_default=AccessDefault(),
    target_partner=None,
    source_default=AccessDefault(),
    source_partner=None,
    target_plans=frozenset({"AAD_PREMIUM", "AAD_PREMIUM_P2"}),
    source_plans=frozenset({"AAD_PREMIUM"}),
    rules=_RULES,
)


def judged(**changes: Any) -> Findings:
    return judge(replace(_CLEAR, **changes), WANTED)


def codes(**changes: Any) -> list[str]:
    return [problem.code for problem in judged(**changes).blocking]


def test_a_tenant_where_nothing_stands_in_the_way_has_no_findings() -> None:
    findings = judged()

    assert (findings.blocking, findings.warnings) == ((), ())
    assert RolePolicy(maximum_days=180) == findings.role_policy


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"invites_from": "none"}, "InvitationsOff"),
        ({"target_default": AccessDefault(b2b_collaboration_inbound=_USERS)}, "InboundBlocked"),
        ({"target_default": AccessDefault(b2b_collaboration_inbound=_APPS)}, "InboundBlocked"),
        ({"target_partner": Partner(tenant_id=SOURCE, b2b_collaboration_inbound=_USERS)}, "InboundBlocked"),
        ({"source_default": AccessDefault(b2b_collaboration_outbound=_USERS)}, "OutboundBlocked"),
        ({"source_partner": Partner(tenant_id=TARGET, b2b_collaboration_outbound=_APPS)}, "OutboundBlocked"),
        ({"rules": None}, "NoPim"),
        ({"target_plans": frozenset({"AAD_PREMIUM"})}, "NoPim"),
        (
            {
                "rules": (
                    Rule(id="Enablement_Admin_Eligibility", enabled_rules=["MultiFactorAuthentication"]),
                    *_RULES,
                )
            },
            "MfaOnEligibility",
        ),
    ],
)
def test_what_an_act_cannot_pass_blocks_with_what_and_what_to_do(changes: dict[str, Any], code: str) -> None:
    [problem] = judged(**changes).blocking

    assert code == problem.code
    assert problem.what
    assert "retry" in problem.do


@pytest.mark.parametrize(("longest", "blocks"), [("PT12H", True), ("P0D", True), ("P1D", False), ("PT36H", False)])
def test_an_eligibility_must_be_able_to_last_a_day(longest: str, *, blocks: bool) -> None:
    rule = Rule(id="Expiration_Admin_Eligibility", is_expiration_required=True, maximum_duration=longest)

    assert codes(rules=(rule,)) == (["EligibilityTooShort"] if blocks else [])


def test_everything_that_blocks_is_told_in_one_go() -> None:
    found = codes(
        invites_from="none",
        target_default=AccessDefault(b2b_collaboration_inbound=_USERS),
        source_default=AccessDefault(b2b_collaboration_outbound=_USERS),
        rules=None,
    )

    assert found == ["InvitationsOff", "InboundBlocked", "OutboundBlocked", "NoPim"]


@pytest.mark.parametrize(
    "changes",
    [
        {"invites_from": "everyone"},
        {"invites_from": ""},
        {"target_plans": frozenset({"Entra_Identity_Governance"})},
        {
            # A partner's own setting goes before the default.
            "target_default": AccessDefault(b2b_collaboration_inbound=_USERS),
            "target_partner": Partner(tenant_id=SOURCE, b2b_collaboration_inbound=_OPEN),
        },
        {
            "source_default": AccessDefault(b2b_collaboration_outbound=_APPS),
            "source_partner": Partner(tenant_id=TARGET, b2b_collaboration_outbound=_OPEN),
        },
        {"target_default": AccessDefault(b2b_collaboration_outbound=_USERS)},
        {"source_default": AccessDefault(b2b_collaboration_inbound=_USERS)},
        {"rules": (Rule(id="Enablement_EndUser_Assignment", enabled_rules=["MultiFactorAuthentication"]), *_RULES)},
        {"source_plans": frozenset()},
    ],
)
def test_what_the_acts_can_pass_does_not_block(changes: dict[str, Any]) -> None:
    assert codes(**changes) == []


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"source_plans": frozenset()}, "P1"),
        (
            {
                "rules": (
                    Rule(id="Approval_EndUser_Assignment", setting=ApprovalSetting(is_approval_required=True)),
                    *_RULES,
                )
            },
            "approver",
        ),
    ],
)
def test_what_is_only_worth_knowing_is_a_warning(changes: dict[str, Any], said: str) -> None:
    findings = judged(**changes)

    assert findings.blocking == ()
    assert any(said in warning for warning in findings.warnings)


def test_the_role_policy_is_read_from_its_rules() -> None:
    policy = judged(
        rules=(
            Rule(id="Expiration_Admin_Eligibility", is_expiration_required=True, maximum_duration="P1Y"),
            Rule(id="Enablement_Admin_Eligibility", enabled_rules=["Justification", "Ticketing"]),
            Rule(id="Expiration_EndUser_Assignment", maximum_duration="PT8H"),
            Rule(id="Enablement_EndUser_Assignment", enabled_rules=["MultiFactorAuthentication"]),
            Rule(id="Approval_EndUser_Assignment", setting=ApprovalSetting(is_approval_required=True)),
            Rule(id="AuthenticationContext_EndUser_Assignment", is_enabled=True),
        )
    ).role_policy

    assert (
        policy.maximum_days,
        policy.ticketing,
        policy.activation_hours,
    ) == (365, True, 8.0)
    assert policy.activation_needs == ("MFA", "approval", "an authentication context")


def test_without_a_required_end_there_is_no_longest_eligibility() -> None:
    lax = Rule(id="Expiration_Admin_Eligibility", is_expiration_required=False, maximum_duration="P180D")

    assert judged(rules=(lax,)).role_policy.maximum_days is None
