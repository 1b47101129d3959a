"""A night's first act: the head of every audit chain is put where nobody can rewrite it. Safe twice: the first one stays."""

import logging
from collections.abc import AsyncIterator

from shared.errors import StoreConflict, StoreUnavailable
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
    """Of every tenant that was ever onboarded, and of every subscription: records stay when either is let go."""
    found: dict[str, Head] = {}
    async for subject in _subjects(services):
        entry = await services.audit.head(subject)
        if entry is not None:
            found[subject] = Head(subject=entry.subject, sequence=entry.sequence, hash=entry.hash)
    return tuple(head for _, head in sorted(found.items()))


async def _subjects(services: Services) -> AsyncIterator[str]:
    token = None
    while True:
        tenants, token = await services.tenants.list_by_state(None, size=_PAGE, token=token)
        for tenant in tenants:
            yield tenant.tenant_id
        if token is None:
            break
    while True:
        subscriptions, token = await services.subscriptions.list(size=_PAGE, token=token)
        for subscription in subscriptions:
            yield subscription.subscription_id
        if token is None:
            break
