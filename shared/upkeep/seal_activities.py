"""A night's first act: the head of every audit chain is put where nobody can rewrite it. Safe twice: the first one stays."""

import logging

from shared.errors import StoreConflict, StoreUnavailable
from shared.identifiers import TenantId
from shared.seals import Head, Seal
from shared.services import Services
from shared.upkeep.messages import KIND, SealCall, Sealed

_log = logging.getLogger(__name__)

_PAGE = 200


async def seal_audit(services: Services, call: SealCall) -> Sealed:
    """Seal the audit's heads. Without a place for seals there is nothing to do."""
    if services.seals is None:
        _log.warning("audit.no_seals subject=%s do=set TENANTRY_AUDIT_BLOBS_ENDPOINT", call.run.subject)
        return Sealed(done=True)
    try:
        heads = await _heads(services)
        seal = Seal(date=call.run.subject.removeprefix(f"{KIND}-"), at=services.clock.now(), heads=heads)
        await services.seals.put(seal)
    except (StoreUnavailable, StoreConflict) as error:
        _log.error("audit.not_sealed subject=%s reason=%s", call.run.subject, error)
        return Sealed(done=False)
    _log.info("audit.sealed subject=%s heads=%s", call.run.subject, len(heads))
    return Sealed(done=True, heads=len(heads))


async def _heads(services: Services) -> tuple[Head, ...]:
    """Of every tenant that was ever onboarded: records stay when a tenant is let go."""
    found: dict[TenantId, Head] = {}
    token = None
    while True:
        records, token = await services.tenants.list_by_state(None, size=_PAGE, token=token)
        for record in records:
            entry = await services.audit.head(record.tenant_id)
            if entry is not None:
                found[record.tenant_id] = Head(subject=entry.subject, sequence=entry.sequence, hash=entry.hash)
        if token is None:
            return tuple(head for _, head in sorted(found.items()))
