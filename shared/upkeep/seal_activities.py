"""A night's first act: the head of every audit chain is put where nobody can rewrite it. Safe twice: the first one stays.

On the way the newest entries of each chain are checked: what was altered there is told by the next morning. The verifier
checks all of them, and holds them against the seals.
"""

import logging
from collections.abc import AsyncIterator
from datetime import timedelta

from shared.chain import Entry, broken
from shared.errors import StoreConflict, StoreUnavailable
from shared.seals import Head, Seal
from shared.services import Services
from shared.side_by_side import each_of
from shared.upkeep.messages import KIND, SealCall, Sealed

_log = logging.getLogger(__name__)

_PAGE = 200
_NEWEST = 20
_AT_ONCE = 20
_REQUESTS_SINCE = timedelta(days=35)
"""Longer than PIM lets a request wait and be active, and than nights go by unseen: the chain of an older one stands."""


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
    """Of every tenant that was ever onboarded and every subscription, for their records stay; of the requests of late."""

    async def head(subject: str) -> Head | None:
        newest, more = await services.audit.page(subject, size=_NEWEST, token=None)
        if found := broken(newest, whole=more is None):
            _log.error(
                "audit.broken subject=%s at=%s do=run the verifier: python -m shared.auditing verify", subject, found
            )
        entry = next((one for one in newest if isinstance(one, Entry)), None)
        return None if entry is None else Head(subject=subject, sequence=entry.sequence, hash=entry.hash)

    subjects = sorted({one async for one in _subjects(services)})
    return tuple(one for one in await each_of(subjects, head, at_once=_AT_ONCE) if one is not None)


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
    async for request_id in services.activations.asked_since(services.clock.now() - _REQUESTS_SINCE):
        yield request_id
