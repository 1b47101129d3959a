"""The calls by which a target's administrator takes back what our writes did to its cross-tenant access. Pure.

Where the settings cannot be read, they are taken to be as our latest write left them.
"""

from collections.abc import Iterable

import msgspec

from shared.graph.shapes import IdentitySynchronization, Partner
from shared.identifiers import TenantId
from shared.subjects import intent_key
from shared.tenants.record import Tenant, Undo
from shared.writes import restoring

_TAKEN_BACK_IN = 27


def undo_in_target(tenant: Tenant, source: TenantId) -> tuple[Undo, ...]:
    """In the order in which they are to be made: a partner cannot go while users may be synchronized in by it."""
    path = f"policies/crossTenantAccessPolicy/partners/{source}"
    return (*_synchronization(tenant, source, path), *_partner(tenant, source, path))


def _synchronization(tenant: Tenant, source: TenantId, path: str) -> Iterable[Undo]:
    where = tenant.record.tenant_id
    object_name = f"identity synchronization {source}"
    kept = restoring.images(tenant, where, object_name, IdentitySynchronization)
    if kept is None or not _landed(tenant, where, object_name):
        return
    if kept.before is None:
        yield Undo(method="DELETE", path=f"{path}/identitySynchronization")
    elif not kept.before.allowed:
        body = _json({"userSyncInbound": {"isSyncAllowed": False}})
        yield Undo(method="PATCH", path=f"{path}/identitySynchronization", body=body)


def _partner(tenant: Tenant, source: TenantId, path: str) -> Iterable[Undo]:
    where = tenant.record.tenant_id
    made = restoring.images(tenant, where, f"partner {source}", Partner)
    if made is not None and made.before is None and _landed(tenant, where, f"partner {source}"):
        yield Undo(method="DELETE", path=path)
        return
    object_name = f"partner settings {source}"
    kept = restoring.images(tenant, where, object_name, Partner)
    if kept is None or not _landed(tenant, where, object_name):
        return
    if kept.left is not None:
        changes = restoring.changes_back(kept, kept.left)
    else:
        before = msgspec.to_builtins(kept.before) or {}
        changes = {name: before.get(name) for name in restoring.OURS}
    if changes:
        yield Undo(method="PATCH", path=path, body=_json(changes))


def _landed(tenant: Tenant, where: TenantId, object_name: str) -> bool:
    """Whether a write of ours changed the object, or may have, and was not taken back since."""
    intent = tenant.intents[intent_key(where, object_name)]
    return intent.landed and (intent.act, intent.outcome) != (_TAKEN_BACK_IN, "done")


def _json(value: object) -> str:
    return msgspec.json.encode(value).decode()
