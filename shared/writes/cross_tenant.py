"""The privileged writes of acts 3 to 5: partners, trust and identity synchronization on both sides."""

from collections.abc import Mapping

import msgspec

from shared.errors import Conflict
from shared.graph.cross_tenant import CrossTenantAccess
from shared.graph.shapes import IdentitySynchronization, Partner
from shared.identifiers import TenantId
from shared.permissions import Registration
from shared.privileged import OpenIntent, PrivilegedWrite
from shared.services import Services
from shared.subjects import intent_key
from shared.tenants.record import NO_TRUST, Tenant, Trust
from shared.writes import desired

type Arguments = Mapping[str, str]


def partner_in_target(services: Services, tenant: Tenant, _: Arguments) -> PrivilegedWrite[Partner | None]:
    """Act 3: the target knows the source as a partner."""
    target, source = tenant.record.tenant_id, services.settings.source_tenant_id
    return _partner(services.cross_tenant(Registration.SETUP, target), Registration.SETUP, target, source, 3)


def partner_in_source(services: Services, tenant: Tenant, _: Arguments) -> PrivilegedWrite[Partner | None]:
    """Act 5: the source knows the target as a partner."""
    target, source = tenant.record.tenant_id, services.settings.source_tenant_id
    return _partner(services.cross_tenant(Registration.SOURCE, source), Registration.SOURCE, source, target, 5)


def trust_source(services: Services, tenant: Tenant, _: Arguments) -> PrivilegedWrite[Partner | None]:
    """Act 3: inbound automatic redemption and MFA trust in the target."""
    target, source = tenant.record.tenant_id, services.settings.source_tenant_id
    access = services.cross_tenant(Registration.SETUP, target)
    trust = tenant.record.wanted.trust
    object_name = f"partner settings {source}"
    ours = _ours(tenant, target, object_name)

    async def send(image: Partner | None, intent: OpenIntent) -> str:
        found = image or Partner(tenant_id=source)
        default = (await access.default()).inbound_trust
        changes = desired.changes_to_trust_source(found, trust, default, ours=ours)
        return await access.update_partner(source, changes, intent)

    return PrivilegedWrite(
        kind="trust_source",
        arguments={},
        registration=Registration.SETUP,
        where=target,
        object_name=object_name,
        what="allow automatic redemption and trust MFA for the source tenant",
        act=3,
        wanted={"automaticUserConsentSettings": {"inboundAllowed": True}, "inboundTrust": msgspec.to_builtins(trust)},
        read=lambda: access.partner(source),
        satisfied=lambda image: desired.trusts_source(image, trust, ours),
        send=send,
        picture=msgspec.to_builtins,
    )


def trust_target(services: Services, tenant: Tenant, _: Arguments) -> PrivilegedWrite[Partner | None]:
    """Act 5: outbound automatic redemption in the source."""
    target, source = tenant.record.tenant_id, services.settings.source_tenant_id
    access = services.cross_tenant(Registration.SOURCE, source)

    async def send(image: Partner | None, intent: OpenIntent) -> str:
        found = image or Partner(tenant_id=target)
        return await access.update_partner(target, desired.changes_to_trust_target(found), intent)

    return PrivilegedWrite(
        kind="trust_target",
        arguments={},
        registration=Registration.SOURCE,
        where=source,
        object_name=f"partner settings {target}",
        what="allow automatic redemption for the target tenant",
        act=5,
        wanted={"automaticUserConsentSettings": {"outboundAllowed": True}},
        read=lambda: access.partner(target),
        satisfied=desired.trusts_target,
        send=send,
        picture=msgspec.to_builtins,
    )


def identity_sync(
    services: Services, tenant: Tenant, arguments: Arguments
) -> PrivilegedWrite[IdentitySynchronization | None]:
    """Act 4: users may be synchronized in from the source."""
    target, source = tenant.record.tenant_id, services.settings.source_tenant_id
    access = services.cross_tenant(Registration.SETUP, target)

    async def send(image: IdentitySynchronization | None, intent: OpenIntent) -> str:
        if image is not None:
            return await access.patch_identity_synchronization(source, intent)
        try:
            return await access.put_identity_synchronization(source, arguments["source_name"], intent)
        except Conflict:
            # The object is there, only not to be seen: what a second PUT does is told differently.
            return await access.patch_identity_synchronization(source, intent)

    return PrivilegedWrite(
        kind="identity_sync",
        arguments=arguments,
        registration=Registration.SETUP,
        where=target,
        object_name=f"identity synchronization {source}",
        what="allow users to be synchronized in from the source tenant",
        act=4,
        wanted={"userSyncInbound": {"isSyncAllowed": True}},
        read=lambda: access.identity_synchronization(source),
        satisfied=lambda image: image is not None and image.allowed,
        send=send,
        picture=msgspec.to_builtins,
    )


def _partner(
    access: CrossTenantAccess, registration: Registration, where: TenantId, partner_id: TenantId, act: int
) -> PrivilegedWrite[Partner | None]:
    async def send(_: Partner | None, intent: OpenIntent) -> str:
        return await access.create_partner(partner_id, intent)

    return PrivilegedWrite(
        kind="partner_in_target" if registration is Registration.SETUP else "partner_in_source",
        arguments={},
        registration=registration,
        where=where,
        object_name=f"partner {partner_id}",
        what="add the other tenant as a cross-tenant access partner",
        act=act,
        wanted={"tenantId": partner_id},
        read=lambda: access.partner(partner_id),
        satisfied=lambda image: image is not None,
        send=send,
        picture=msgspec.to_builtins,
    )


def _ours(tenant: Tenant, where: TenantId, object_name: str) -> Trust:
    """The trust that an earlier write of ours brought in."""
    intent = tenant.intents.get(intent_key(where, object_name))
    if intent is None:
        return NO_TRUST
    before, after = (msgspec.json.decode(one, type=Partner | None) for one in (intent.before, intent.after))
    return desired.raised(before, after) & tenant.record.trust_asked
