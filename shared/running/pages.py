"""A page of tenants or subscriptions, a few at a time: one that fails is told, and keeps none of the others waiting."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence

from shared.identifiers import SubscriptionId, TenantId
from shared.running.messages import Cursor, PageCall
from shared.running.nightly import PAGE
from shared.services import Services
from shared.side_by_side import KeptApart, each_of

_log = logging.getLogger(__name__)

_AT_ONCE = 8
"""Tenants looked at side by side: enough for 2,000 in a night, few enough for the source's limits."""

_LONGEST_SECONDS = 60.0
"""For one look, of machine time: a page whose looks all take that long still ends within functionTimeout."""


async def tenants_of(services: Services, call: PageCall) -> tuple[Sequence[TenantId], Cursor | None]:
    """The tenants of a page, and where the next one begins."""
    if call.only:
        return [TenantId(one) for one in call.only], None
    records, following = await services.tenants.list_by_state(None, size=PAGE, token=call.cursor)
    return [record.tenant_id for record in records], following


async def subscriptions_of(services: Services, call: PageCall) -> tuple[Sequence[SubscriptionId], Cursor | None]:
    """The subscriptions of a page, and where the next one begins."""
    if call.only:
        return [SubscriptionId(one) for one in call.only], None
    records, following = await services.subscriptions.list(size=PAGE, token=call.cursor)
    return [record.subscription_id for record in records], following


async def each[I: str, R](
    ids: Sequence[I], look: Callable[[I], Awaitable[R]], *, failed: R, of: str = "tenant"
) -> list[R]:
    """What a look at each of them came to; `failed` where it raised."""

    async def looked(subject_id: I) -> R:
        with KeptApart(_log, "subject.not_looked_at", **{f"{of}_id": subject_id}):
            async with asyncio.timeout(_LONGEST_SECONDS):
                return await look(subject_id)
        return failed

    return await each_of(ids, looked, at_once=_AT_ONCE)
