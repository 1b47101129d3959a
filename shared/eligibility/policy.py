"""What a role's PIM policy asks, of an eligibility and of an activation: read from its rules. Pure."""

from shared.durations import days_of
from shared.eligibility.record import RolePolicy
from shared.graph.shapes import Rule

_MFA = "MultiFactorAuthentication"
_WORDS = {_MFA: "MFA", "Justification": "a justification", "Ticketing": "a ticket number"}


def role_policy(rules: tuple[Rule, ...]) -> RolePolicy:
    """What the role's policy asks, of an eligibility and of an activation."""
    expiration = _rule(rules, "Expiration_Admin_Eligibility")
    enablement = _rule(rules, "Enablement_Admin_Eligibility")
    activation = _rule(rules, "Expiration_EndUser_Assignment")
    asked = _rule(rules, "Enablement_EndUser_Assignment")
    approval = _rule(rules, "Approval_EndUser_Assignment")
    context = _rule(rules, "AuthenticationContext_EndUser_Assignment")
    longest = days_of(expiration.maximum_duration or "") if expiration and expiration.is_expiration_required else None
    active = days_of(activation.maximum_duration or "") if activation else None
    needs = [_WORDS.get(rule, rule) for rule in asked.enabled_rules] if asked else []
    if approval is not None and approval.setting is not None and approval.setting.is_approval_required:
        needs.append("approval")
    if context is not None and context.is_enabled:
        needs.append("an authentication context")
    return RolePolicy(
        maximum_days=int(longest) if longest is not None else None,
        ticketing=enablement is not None and "Ticketing" in enablement.enabled_rules,
        activation_hours=active * 24 if active else None,
        activation_needs=tuple(needs),
    )


def asks_for_mfa(rules: tuple[Rule, ...]) -> bool:
    """Whether MFA is asked of whoever makes somebody eligible: no application can give it, and no portal shows the rule."""
    rule = _rule(rules, "Enablement_Admin_Eligibility")
    return rule is not None and _MFA in rule.enabled_rules


def _rule(rules: tuple[Rule, ...], rule_id: str) -> Rule | None:
    return next((rule for rule in rules if rule.id == rule_id), None)
