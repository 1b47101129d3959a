"""What must be so, and what differs: the comparisons of acts 3 to 5. Pure."""

from typing import Any

from msgspec import structs

from shared.graph.shapes import AutomaticRedemption, InboundTrust, Partner
from shared.tenants.record import NO_TRUST, Trust

_FIELDS = Trust.__struct_fields__
_NAMES = ("isMfaAccepted", "isCompliantDeviceAccepted", "isHybridAzureADJoinedDeviceAccepted")


def trusts_source(partner: Partner | None, trust: Trust, ours: Trust = NO_TRUST) -> bool:
    """Act 3: inbound automatic redemption, and at least the trust that was asked for."""
    return partner is not None and not changes_to_trust_source(partner, trust, ours=ours)


def changes_to_trust_source(
    partner: Partner, trust: Trust, default: InboundTrust | None = None, *, ours: Trust = NO_TRUST
) -> dict[str, Any]:
    """The PATCH for act 3: only what differs. What is trusted already stays trusted, whoever asked for it, but for what
    is `ours`: we asked for it, and it is not wanted any more.

    All three flags are sent: whether a partial inboundTrust is merged is unconfirmed. A flag that the partner does
    not set is inherited, and is sent as the default has it: once sent, it is inherited no more.
    """
    changes: dict[str, Any] = {}
    if (partner.automatic_user_consent_settings or AutomaticRedemption()).inbound_allowed is not True:
        changes["automaticUserConsentSettings"] = {"inboundAllowed": True, **_kept_outbound(partner)}
    now = partner.inbound_trust or InboundTrust()
    held = _flags(now)
    asked, mine = structs.astuple(trust), structs.astuple(ours)
    wanted = tuple(ask or (has and not my) for ask, has, my in zip(asked, held, mine, strict=True))
    if wanted != held:
        kept = _flags(_over(now, default or InboundTrust()))
        flags = (ask or (has and not my) for ask, has, my in zip(asked, kept, mine, strict=True))
        changes["inboundTrust"] = dict(zip(_NAMES, flags, strict=True))
    return changes


def raised(before: Partner | None, after: Partner | None) -> Trust:
    """The trust that came with our writes: not there before the first, but after the latest."""
    then, now = (_flags((one.inbound_trust if one else None) or InboundTrust()) for one in (before, after))
    return Trust(**{name: is_so and not was_so for name, is_so, was_so in zip(_FIELDS, now, then, strict=True)})


def _flags(trust: InboundTrust) -> tuple[bool, ...]:
    return tuple(value is True for value in structs.astuple(trust))


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
    ours = {name: value for name, value in structs.asdict(own).items() if value is not None}
    return structs.replace(default, **ours)


def _kept_outbound(partner: Partner) -> dict[str, bool]:
    settings = partner.automatic_user_consent_settings
    if settings is None or settings.outbound_allowed is None:
        return {}
    return {"outboundAllowed": settings.outbound_allowed}
