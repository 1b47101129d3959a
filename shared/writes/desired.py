"""What must be so, and what differs: the comparisons of acts 3 to 5. Pure."""

from typing import Any

import msgspec

from shared.graph.shapes import AutomaticRedemption, InboundTrust, Partner
from shared.tenants.record import Trust


def trusts_source(partner: Partner | None, trust: Trust) -> bool:
    """Act 3: inbound automatic redemption, and at least the trust that was asked for."""
    return partner is not None and not changes_to_trust_source(partner, trust)


def changes_to_trust_source(partner: Partner, trust: Trust, default: InboundTrust | None = None) -> dict[str, Any]:
    """The PATCH for act 3: only what differs. What is trusted already stays trusted, whoever asked for it.

    All three flags are sent: whether a partial inboundTrust is merged is unconfirmed. A flag that the partner does
    not set is inherited, and is sent as the default has it: once sent, it is inherited no more.
    """
    changes: dict[str, Any] = {}
    if (partner.automatic_user_consent_settings or AutomaticRedemption()).inbound_allowed is not True:
        changes["automaticUserConsentSettings"] = {"inboundAllowed": True, **_kept_outbound(partner)}
    now = partner.inbound_trust or InboundTrust()
    wanted = (
        trust.mfa or now.is_mfa_accepted is True,
        trust.compliant_device or now.is_compliant_device_accepted is True,
        trust.hybrid_joined or now.is_hybrid_joined is True,
    )
    held = (
        now.is_mfa_accepted is True,
        now.is_compliant_device_accepted is True,
        now.is_hybrid_joined is True,
    )
    if wanted != held:
        mfa, compliant, hybrid = wanted
        kept = _over(now, default or InboundTrust())
        changes["inboundTrust"] = {
            "isMfaAccepted": mfa or kept.is_mfa_accepted is True,
            "isCompliantDeviceAccepted": compliant or kept.is_compliant_device_accepted is True,
            "isHybridAzureADJoinedDeviceAccepted": hybrid or kept.is_hybrid_joined is True,
        }
    return changes


def trusts_target(partner: Partner | None) -> bool:
    """Act 5: outbound automatic redemption."""
    return partner is not None and not changes_to_trust_target(partner)


def changes_to_trust_target(partner: Partner) -> dict[str, Any]:
    """The PATCH for act 5: only what differs."""
    settings = partner.automatic_user_consent_settings or AutomaticRedemption()
    if settings.outbound_allowed is True:
        return {}
    kept = {} if settings.inbound_allowed is None else {"inboundAllowed": settings.inbound_allowed}
    return {"automaticUserConsentSettings": {"outboundAllowed": True, **kept}}


def _over(own: InboundTrust, default: InboundTrust) -> InboundTrust:
    """What holds: each flag as the partner sets it, else as the default does."""
    ours = {name: value for name, value in msgspec.structs.asdict(own).items() if value is not None}
    return msgspec.structs.replace(default, **ours)


def _kept_outbound(partner: Partner) -> dict[str, bool]:
    settings = partner.automatic_user_consent_settings
    if settings is None or settings.outbound_allowed is None:
        return {}
    return {"outboundAllowed": settings.outbound_allowed}
