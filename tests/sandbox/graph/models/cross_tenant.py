"""Cross-tenant access policy of one tenant: the default, the partners and what each may synchronize (sections 1, 2)."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from tests.sandbox.graph.errors import GraphError, bad_request, not_found
from tests.sandbox.graph.models.ground import Ground, Replicated

type Flags = Mapping[str, bool | None]

SOFT_DELETED = timedelta(days=30)


@dataclass(frozen=True, slots=True, kw_only=True)
class Consent:
    """automaticUserConsentSettings: whether invitations are redeemed by themselves; None inherits."""

    inbound: bool | None = None
    outbound: bool | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Trust:
    """inboundTrust: which claims of the other tenant count here."""

    mfa: bool | None = None
    compliant: bool | None = None
    hybrid: bool | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Partner:
    """The settings for one other tenant; `b2b` holds the four access settings by their wire names, `others` what no call
    of the sandbox sets (tenantRestrictions, isServiceProvider, isInMultiTenantOrganization).
    """

    tenant_id: str
    consent: Consent = Consent()
    trust: Trust | None = None
    b2b: Mapping[str, object] = field(default_factory=dict)
    others: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class IdentitySync:
    """identitySynchronization of a partner."""

    display_name: str | None
    is_sync_allowed: bool


@dataclass(slots=True, kw_only=True)
class AccessDefault:
    """The default for tenants without a setting of their own; accessType is allowed or blocked."""

    b2b_inbound: str = "allowed"
    b2b_outbound: str = "allowed"
    consent: Consent = field(default_factory=lambda: Consent(inbound=False, outbound=False))
    trust: Trust = field(default_factory=lambda: Trust(mfa=False, compliant=False, hybrid=False))

    @property
    def is_service_default(self) -> bool:
        """True while nobody changed it."""
        return self == AccessDefault()


class CrossTenantAccess:
    """The policy of one tenant."""

    def __init__(self, ground: Ground, tenant_id: str) -> None:
        self._ground = ground
        self._tenant_id = tenant_id
        self.default = AccessDefault()
        self._partners: dict[str, Replicated[Partner | None]] = {}
        self._syncs: dict[str, Replicated[IdentitySync | None]] = {}
        self._deleted: dict[str, datetime] = {}

    def set_partner(self, partner: Partner, sync: IdentitySync | None = None) -> None:
        """As somebody did it by hand, long ago; for tests."""
        self._partner_cell(partner.tenant_id).write(partner, at_once=True)
        if sync is not None:
            self._sync_cell(partner.tenant_id).write(sync, at_once=True)

    def partner(self, tenant_id: str) -> Partner | None:
        """The truth."""
        cell = self._partners.get(tenant_id)
        return cell.latest if cell else None

    def identity_sync(self, tenant_id: str) -> IdentitySync | None:
        """The truth."""
        cell = self._syncs.get(tenant_id)
        return cell.latest if cell else None

    def read_partner(self, tenant_id: str) -> Partner:
        """What a reader gets; absent, or not heard of yet, is 404."""
        cell = self._partners.get(tenant_id)
        if cell is None or cell.seen is None:
            raise not_found(tenant_id)
        return cell.seen

    def read_partners(self) -> list[Partner]:
        """What a reader of the list gets."""
        return [cell.seen for cell in self._partners.values() if cell.seen is not None]

    def read_identity_sync(self, tenant_id: str) -> IdentitySync:
        """What a reader gets; absent is 404."""
        cell = self._syncs.get(tenant_id)
        if cell is None or cell.seen is None:
            raise not_found(tenant_id)
        return cell.seen

    def create_partner(self, partner: Partner) -> None:
        """Section 1.1."""
        deleted_at = self._deleted.get(partner.tenant_id)
        blocked = (
            deleted_at is not None
            and self._ground.now() < deleted_at + SOFT_DELETED
            and self._ground.switches.is_flipped("soft-deleted-partner-blocks-create")
        )
        if blocked or self.partner(partner.tenant_id) is not None:
            raise GraphError(
                409,
                "Request_MultipleObjectsWithSameKeyValue",
                "Another object with the same value for property tenantId already exists.",
            )
        self._partner_cell(partner.tenant_id).write(partner)

    def update_partner(
        self,
        tenant_id: str,
        *,
        consent: Flags | None,
        trust: Flags | None,
        cleared: frozenset[str],
        b2b: Mapping[str, object],
    ) -> None:
        """Section 1.2: the flags that were sent, None where the value was not; `cleared` names (consent, trust) what was
        sent as null. Whether a partial complex value keeps the rest, and what a null does, are open questions.
        """
        partner = self._to_be_written(tenant_id)
        merges = not self._ground.switches.is_flipped("partial-inbound-trust-merges")
        clears = not self._ground.switches.is_flipped("partner-nulls-are-ignored")
        if consent is not None:
            old = partner.consent if merges else Consent()
            partner = replace(partner, consent=replace(old, **self._taken(consent)))
        if trust is not None:
            kept = (partner.trust if merges else None) or Trust()
            partner = replace(partner, trust=replace(kept, **self._taken(trust)))
        if clears and "consent" in cleared:
            partner = replace(partner, consent=Consent())
        if clears and "trust" in cleared:
            partner = replace(partner, trust=None)
        self._partner_cell(tenant_id).write(replace(partner, b2b={**partner.b2b, **b2b}))

    def _taken(self, flags: Flags) -> Flags:
        """The flags that count. What a flag sent as null does is an open question (section 1.2)."""
        if not self._ground.switches.is_flipped("partner-nulls-are-ignored"):
            return flags
        return {name: value for name, value in flags.items() if value is not None}

    def delete_partner(self, tenant_id: str) -> None:
        """The page of the call says that a user synchronization policy must be deleted first."""
        self._to_be_written(tenant_id)
        if self.identity_sync(tenant_id) is not None:
            raise bad_request(
                "The partner configuration has a user synchronization policy, which must be deleted first."
            )
        self._partner_cell(tenant_id).write(None)
        self._deleted[tenant_id] = self._ground.now()

    def put_identity_sync(self, tenant_id: str, sync: IdentitySync) -> None:
        """Section 1.3. Documents disagree on a second PUT."""
        self._to_be_written(tenant_id)
        if self.identity_sync(tenant_id) is not None and not self._ground.switches.is_flipped(
            "identity-sync-put-is-upsert"
        ):
            text = "A conflicting object with one or more of the specified property values is present in the directory."
            raise GraphError(
                409,
                "Request_MultipleObjectsWithSameKeyValue",
                text,
                details=[{"code": "ConflictingObjects", "message": text}],
            )
        self._sync_cell(tenant_id).write(sync)

    def patch_identity_sync(self, tenant_id: str, *, display_name: str | None, is_sync_allowed: bool | None) -> None:
        """Section 1.3."""
        old = self.identity_sync(tenant_id)
        if old is None:
            raise GraphError(
                404, "Directory_ObjectNotFound", "Unable to read the company information from the directory."
            )
        self._sync_cell(tenant_id).write(
            IdentitySync(
                display_name=old.display_name if display_name is None else display_name,
                is_sync_allowed=old.is_sync_allowed if is_sync_allowed is None else is_sync_allowed,
            )
        )

    def delete_identity_sync(self, tenant_id: str) -> None:
        """Section 1.3."""
        if self.identity_sync(tenant_id) is None:
            raise not_found(tenant_id)
        self._sync_cell(tenant_id).write(None)

    def redeems_inbound(self, tenant_id: str) -> bool:
        """Whether invitations from that tenant are redeemed by themselves, as services see it by now."""
        cell = self._partners.get(tenant_id)
        own = cell.seen.consent.inbound if cell and cell.seen else None
        return bool(self.default.consent.inbound if own is None else own)

    def redeems_outbound(self, tenant_id: str) -> bool:
        """The same for invitations to that tenant."""
        cell = self._partners.get(tenant_id)
        own = cell.seen.consent.outbound if cell and cell.seen else None
        return bool(self.default.consent.outbound if own is None else own)

    def allows_sync_from(self, tenant_id: str) -> bool:
        """Whether users may be synchronized in from that tenant, as services see it by now."""
        cell = self._syncs.get(tenant_id)
        return bool(cell and cell.seen and cell.seen.is_sync_allowed)

    def _to_be_written(self, tenant_id: str) -> Partner:
        """The partner a write goes to. On a slow day the write meets a replica that has not heard of it."""
        partner = self.partner(tenant_id)
        if partner is None or (self._ground.replication.slow and self._partners[tenant_id].seen is None):
            raise not_found(tenant_id)
        return partner

    def _partner_cell(self, tenant_id: str) -> Replicated[Partner | None]:
        label = f"{self._tenant_id}/partners/{tenant_id}"
        return self._partners.setdefault(tenant_id, Replicated(self._ground, label, None))

    def _sync_cell(self, tenant_id: str) -> Replicated[IdentitySync | None]:
        label = f"{self._tenant_id}/identitySynchronization/{tenant_id}"
        return self._syncs.setdefault(tenant_id, Replicated(self._ground, label, None))
