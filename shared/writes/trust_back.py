"""The privileged writes of acts 26 and 27: partners, trust and identity synchronization as they were before us."""

from collections.abc import Callable, Mapping

import msgspec

from shared.graph.cross_tenant import CrossTenantAccess
from shared.graph.shapes import IdentitySynchronization, Partner
from shared.identifiers import TenantId
from shared.permissions import Registration
from shared.privileged import OpenIntent, PrivilegedWrite
from shared.services import Services
from shared.tenants.record import Tenant
from shared.writes import restoring
from shared.writes.restoring import Images

type Arguments = Mapping[str, str]
type PartnerWrite = Callable[[Services, Tenant, Arguments], PrivilegedWrite[Partner | None]]


class Side(msgspec.Struct, frozen=True, kw_only=True):
    """One of the two tenants, with its partner entry for the other and the writes that put it back."""

    act: int
    registration: Registration
    where: TenantId
    other: TenantId
    settings: PartnerWrite
    removal: PartnerWrite

    @property
    def partner(self) -> str:
        """The object of the write that made the entry, if one did."""
        return f"partner {self.other}"

    @property
    def partner_settings(self) -> str:
        """The object of the writes that changed its settings."""
        return f"partner settings {self.other}"

    @property
    def synchronization(self) -> str:
        """The object of the write that let users in."""
        return f"identity synchronization {self.other}"


def in_source(services: Services, tenant: Tenant) -> Side:
    """The source, where the target was made a partner."""
    return Side(
        act=26,
        registration=Registration.SOURCE,
        where=services.settings.source_tenant_id,
        other=tenant.record.tenant_id,
        settings=settings_back_in_source,
        removal=partner_removal_in_source,
    )


def in_target(services: Services, tenant: Tenant) -> Side:
    """The target, where the source was."""
    return Side(
        act=27,
        registration=Registration.SETUP,
        where=tenant.record.tenant_id,
        other=services.settings.source_tenant_id,
        settings=settings_back_in_target,
        removal=partner_removal_in_target,
    )


def access_of(services: Services, side: Side) -> CrossTenantAccess:
    """The cross-tenant access policy of a side."""
    return services.cross_tenant(side.registration, side.where)


def settings_back_in_source(services: Services, tenant: Tenant, _: Arguments) -> PrivilegedWrite[Partner | None]:
    """Act 26: our settings of the source's partner go back to what they were."""
    return _settings_back(services, tenant, in_source(services, tenant), "settings_back_in_source")


def settings_back_in_target(services: Services, tenant: Tenant, _: Arguments) -> PrivilegedWrite[Partner | None]:
    """Act 27: our settings of the target's partner go back to what they were."""
    return _settings_back(services, tenant, in_target(services, tenant), "settings_back_in_target")


def partner_removal_in_source(services: Services, tenant: Tenant, _: Arguments) -> PrivilegedWrite[Partner | None]:
    """Act 26: the source's partner goes that we made, and nobody changed since."""
    return _removal(services, in_source(services, tenant), "partner_removal_in_source")


def partner_removal_in_target(services: Services, tenant: Tenant, _: Arguments) -> PrivilegedWrite[Partner | None]:
    """Act 27: the same in the target."""
    return _removal(services, in_target(services, tenant), "partner_removal_in_target")


def identity_sync_back(
    services: Services, tenant: Tenant, _: Arguments
) -> PrivilegedWrite[IdentitySynchronization | None]:
    """Act 27: users may be synchronized in as they might before us."""
    side = in_target(services, tenant)
    access = access_of(services, side)
    kept = restoring.images(tenant, side.where, side.synchronization, IdentitySynchronization) or Images(
        before=None, left=None
    )

    async def send(image: IdentitySynchronization | None, intent: OpenIntent) -> str:
        back = restoring.sync_back(kept, image)
        if back.delete:
            return await access.delete_identity_synchronization(side.other, intent)
        return await access.patch_identity_synchronization(side.other, intent, allowed=bool(back.allowed))

    return PrivilegedWrite(
        kind="identity_sync_back",
        arguments={},
        registration=side.registration,
        where=side.where,
        object_name=side.synchronization,
        what="let users be synchronized in only as before",
        act=side.act,
        wanted=msgspec.to_builtins(kept.before),
        read=lambda: access.identity_synchronization(side.other),
        satisfied=lambda image: restoring.sync_back(kept, image).is_nothing,
        send=send,
        picture=lambda image: msgspec.to_builtins(restoring.sync_as_left(kept, image)),
    )


def left_partner(tenant: Tenant, side: Side) -> Partner | None:
    """The partner of a side as our latest write left it."""
    for object_name in (side.partner_settings, side.partner):
        kept = restoring.images(tenant, side.where, object_name, Partner)
        if kept is not None and kept.left is not None:
            return kept.left
    return None


def _settings_back(services: Services, tenant: Tenant, side: Side, kind: str) -> PrivilegedWrite[Partner | None]:
    access = access_of(services, side)
    kept = restoring.images(tenant, side.where, side.partner_settings, Partner) or Images(before=None, left=None)
    before = msgspec.to_builtins(kept.before) or {}

    async def send(image: Partner | None, intent: OpenIntent) -> str:
        found = image or Partner(tenant_id=side.other)
        return await access.update_partner(side.other, restoring.changes_back(kept, found), intent)

    return PrivilegedWrite(
        kind=kind,
        arguments={},
        registration=side.registration,
        where=side.where,
        object_name=side.partner_settings,
        what="put the settings back that were there before",
        act=side.act,
        wanted={name: before.get(name) for name in restoring.OURS},
        read=lambda: access.partner(side.other),
        satisfied=lambda image: image is None or not restoring.changes_back(kept, image),
        send=send,
        picture=lambda image: msgspec.to_builtins(restoring.as_left(kept, image)),
        patient=True,
    )


def _removal(services: Services, side: Side, kind: str) -> PrivilegedWrite[Partner | None]:
    access = access_of(services, side)

    async def send(_: Partner | None, intent: OpenIntent) -> str:
        return await access.delete_partner(side.other, intent)

    return PrivilegedWrite(
        kind=kind,
        arguments={},
        registration=side.registration,
        where=side.where,
        object_name=side.partner,
        what="remove the other tenant, which was no partner before",
        act=side.act,
        wanted=None,
        read=lambda: access.partner(side.other),
        satisfied=lambda image: image is None,
        send=send,
        picture=msgspec.to_builtins,
    )
