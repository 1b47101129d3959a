"""Graph's wire shapes that decisions are made on, with only the fields that we read. Pure.

Unknown fields are ignored; None means that the tenant inherits, or that Graph did not say.
"""

import msgspec

from shared.identifiers import TenantId

_EVERYTHING = frozenset({"AllUsers", "AllApplications"})


class InboundTrust(msgspec.Struct, frozen=True, rename="camel", kw_only=True):
    """Which claims of another tenant count. None inherits from the default."""

    is_mfa_accepted: bool | None = None
    is_compliant_device_accepted: bool | None = None
    is_hybrid_joined: bool | None = msgspec.field(name="isHybridAzureADJoinedDeviceAccepted", default=None)


class AutomaticRedemption(msgspec.Struct, frozen=True, rename="camel", kw_only=True):
    """automaticUserConsentSettings: no consent prompt, when both sides say so."""

    inbound_allowed: bool | None = None
    outbound_allowed: bool | None = None


class _Target(msgspec.Struct, frozen=True, rename="camel"):
    target: str | None = None
    target_type: str | None = None


class _Access(msgspec.Struct, frozen=True, rename="camel"):
    access_type: str | None = None
    targets: list[_Target] = []

    @property
    def names_all(self) -> bool:
        """Whether it is about everybody; without targets it says nothing narrower."""
        return not self.targets or any(one.target in _EVERYTHING for one in self.targets)


class B2BSetting(msgspec.Struct, frozen=True, rename="camel"):
    """One B2B collaboration setting, as far as it can block everyone."""

    users_and_groups: _Access | None = None
    applications: _Access | None = None

    @property
    def blocks(self) -> bool:
        """Whether it blocks all users, or all applications."""
        return any(part.access_type == "blocked" and part.names_all for part in self._parts)

    @property
    def limits(self) -> bool:
        """Whether it lets only some users in, or to some applications, or keeps some out."""
        return any((part.access_type == "allowed") is not part.names_all for part in self._parts) and not self.blocks

    @property
    def _parts(self) -> list[_Access]:
        return [part for part in (self.users_and_groups, self.applications) if part is not None]


class _Devices(msgspec.Struct, frozen=True, rename="camel"):
    mode: str | None = None
    rule: str | None = None


class _TenantRestrictions(msgspec.Struct, frozen=True, rename="camel"):
    users_and_groups: _Access | None = None
    applications: _Access | None = None
    devices: _Devices | None = None


class _Microsoft365(msgspec.Struct, frozen=True, rename="camel"):
    users: _Access | None = None
    users_and_groups: _Access | None = None


class Partner(msgspec.Struct, frozen=True, rename="camel", kw_only=True):
    """crossTenantAccessPolicyConfigurationPartner, with every property that could carry somebody's settings: whether one
    that we made may be deleted is decided on all of them.
    """

    tenant_id: TenantId
    inbound_trust: InboundTrust | None = None
    automatic_user_consent_settings: AutomaticRedemption | None = None
    b2b_collaboration_inbound: B2BSetting | None = None
    b2b_collaboration_outbound: B2BSetting | None = None
    b2b_direct_connect_inbound: B2BSetting | None = None
    b2b_direct_connect_outbound: B2BSetting | None = None
    tenant_restrictions: _TenantRestrictions | None = None
    app_service_connect_inbound: B2BSetting | None = None
    m365_collaboration_inbound: _Microsoft365 | None = None
    m365_collaboration_outbound: _Microsoft365 | None = None
    is_service_provider: bool | None = None
    is_in_multi_tenant_organization: bool | None = None


class AccessDefault(msgspec.Struct, frozen=True, rename="camel", kw_only=True):
    """crossTenantAccessPolicyConfigurationDefault, as far as we read it."""

    inbound_trust: InboundTrust | None = None
    b2b_collaboration_inbound: B2BSetting | None = None
    b2b_collaboration_outbound: B2BSetting | None = None


class _SyncInbound(msgspec.Struct, frozen=True, rename="camel"):
    is_sync_allowed: bool | None = None


class IdentitySynchronization(msgspec.Struct, frozen=True, rename="camel"):
    """crossTenantIdentitySyncPolicyPartner, as far as we read it."""

    display_name: str | None = None
    user_sync_inbound: _SyncInbound | None = None

    @property
    def allowed(self) -> bool:
        """Whether users may be synchronized in."""
        return self.user_sync_inbound is not None and self.user_sync_inbound.is_sync_allowed is True


class Rule(msgspec.Struct, frozen=True, rename="camel", kw_only=True):
    """One rule of a role management policy, with the fields of every kind of rule that we read."""

    id: str
    is_expiration_required: bool = False
    maximum_duration: str | None = None
    enabled_rules: list[str] = []
    is_enabled: bool = False
    setting: "ApprovalSetting | None" = None


class ApprovalSetting(msgspec.Struct, frozen=True, rename="camel"):
    """Whether an activation waits for an approver."""

    is_approval_required: bool = False
