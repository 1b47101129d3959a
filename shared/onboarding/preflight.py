"""Preflight: what stands in the way of an onboarding, and what is only worth a warning. Pure.

A finding that an act cannot pass blocks before act 3; the others stand on the record.
"""

import msgspec

from shared.eligibility.policy import asks_for_mfa, role_policy
from shared.eligibility.record import RolePolicy
from shared.graph.shapes import AccessDefault, B2BSetting, Partner, Rule
from shared.running.advice import NO_PIM
from shared.tenants.record import Problem, Wanted, WithoutPim

_PIM_PLANS = frozenset({"AAD_PREMIUM_P2", "Entra_Identity_Governance"})
_SYNC_PLANS = frozenset({"AAD_PREMIUM", "AAD_PREMIUM_P2"})
_FOR_GOOD = (
    "The target has no PIM: its administrator assigns Security Reader for good, so the analysts hold it without an end and "
    "without activating it."
)


class Observed(msgspec.Struct, frozen=True, kw_only=True):
    """What preflight read. Rules None: the tenant has no PIM."""

    invites_from: str
    target_default: AccessDefault
    target_partner: Partner | None
    source_default: AccessDefault
    source_partner: Partner | None
    target_plans: frozenset[str]
    source_plans: frozenset[str]
    rules: tuple[Rule, ...] | None


class Findings(msgspec.Struct, frozen=True, kw_only=True):
    """What blocks, what warns, and the role policy that act 9 keeps to."""

    blocking: tuple[Problem, ...]
    warnings: tuple[str, ...]
    role_policy: RolePolicy
    without_pim: bool = False


def judge(observed: Observed, wanted: Wanted) -> Findings:
    """All findings at once, so that a person puts everything right in one go."""
    policy = role_policy(observed.rules or ())
    without_pim = observed.rules is None or not has_pim(observed.target_plans)
    refused = [NO_PIM] if without_pim and wanted.without_pim is WithoutPim.REFUSE else []
    blocking = [*_blocked_access(observed), *refused, *unmeetable(observed.rules or ())]
    warnings = [*_warnings(observed, policy), *([_FOR_GOOD] if without_pim and not refused else [])]
    return Findings(
        blocking=tuple(blocking), warnings=tuple(warnings), role_policy=policy, without_pim=without_pim and not refused
    )


def _blocked_access(observed: Observed) -> list[Problem]:
    found = []
    if observed.invites_from == "none":
        found.append(
            Problem(
                code="InvitationsOff",
                what="The target tenant lets nobody invite guests, so no analyst's account can be provisioned.",
                do="The target's administrator sets 'Guest invite restrictions' in External collaboration settings to "
                "anything but 'No one'; then POST .../retry.",
            )
        )
    if _inbound(observed).blocks:
        found.append(
            Problem(
                code="InboundBlocked",
                what="The target tenant's cross-tenant access settings block B2B collaboration from the source tenant.",
                do="The target's administrator allows inbound B2B collaboration for the source tenant (Cross-tenant "
                "access settings, organization or default); then POST .../retry.",
            )
        )
    if _outbound(observed).blocks:
        found.append(
            Problem(
                code="OutboundBlocked",
                what="The source tenant's cross-tenant access settings block B2B collaboration to the target tenant.",
                do="An administrator of the source tenant allows outbound B2B collaboration for the target tenant; then "
                "POST .../retry.",
            )
        )
    return found


def has_pim(plans: frozenset[str]) -> bool:
    """Whether a tenant with these service plans may have PIM."""
    return bool(plans & _PIM_PLANS)


def unmeetable(rules: tuple[Rule, ...]) -> list[Problem]:
    """Rules of the role's policy that no application can keep."""
    longest = role_policy(rules).maximum_days
    too_short = [
        Problem(
            code="EligibilityTooShort",
            what="The PIM policy of Security Reader lets an eligibility last less than a day.",
            do="The target's administrator lets eligible assignments of Security Reader last at least a day (PIM, Entra "
            "roles, Settings); then POST .../retry.",
        )
    ]
    return [*_mfa(rules), *(too_short if longest == 0 else [])]


def _mfa(rules: tuple[Rule, ...]) -> list[Problem]:
    if not asks_for_mfa(rules):
        return []
    return [
        Problem(
            code="MfaOnEligibility",
            what="The PIM policy of Security Reader asks for MFA when an eligibility is assigned, which no application "
            "can give. The portal does not show this rule.",
            do="The target's administrator removes MultiFactorAuthentication from the rule "
            "Enablement_Admin_Eligibility of Security Reader by Graph; then POST .../retry.",
        )
    ]


def _warnings(observed: Observed, policy: RolePolicy) -> list[str]:
    found = []
    if not observed.source_plans & _SYNC_PLANS:
        found.append(
            "No Entra ID P1 found in the source tenant: cross-tenant synchronization needs it for each analyst."
        )
    if _inbound(observed).limits:
        found.append(
            "The target lets only some people of the source in, or to some applications: are the analysts among them?"
        )
    if _outbound(observed).limits:
        found.append("The source lets only some of its people out to the target: are the analysts among them?")
    if "approval" in policy.activation_needs:
        found.append("Activating Security Reader waits for an approver of the target tenant.")
    if policy.activation_needs:
        found.append(f"Activating Security Reader asks for: {', '.join(policy.activation_needs)}.")
    return found


def _inbound(observed: Observed) -> B2BSetting:
    """What holds for the source's people in the target: the partner's own setting, else the default's."""
    own = observed.target_partner.b2b_collaboration_inbound if observed.target_partner else None
    return own or observed.target_default.b2b_collaboration_inbound or B2BSetting()


def _outbound(observed: Observed) -> B2BSetting:
    """What holds for our people towards the target."""
    own = observed.source_partner.b2b_collaboration_outbound if observed.source_partner else None
    return own or observed.source_default.b2b_collaboration_outbound or B2BSetting()
