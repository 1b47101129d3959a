"""A page of tenants, looked at a few at a time: one that fails is told, and keeps none of the others from being looked at."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence

from shared.errors import AutomationError
from shared.identifiers import TenantId
from shared.running.messages import Cursor, PageCall
from shared.services import Services

_log = logging.getLogger(__name__)

_PAGE = 50
_AT_ONCE = 8
"""Tenants looked at side by side: enough for 2,000 in a night, few enough for the source's limits."""


async def tenants_of(services: Services, call: PageCall) -> tuple[Sequence[TenantId], Cursor | None]:
    """The tenants of a page, and where the next one begins."""
    if call.only:
        return call.only, None
    records, following = await services.tenants.list_by_state(None, size=_PAGE, token=call.cursor)
    return [record.tenant_id for record in records], following


async def each[R](tenants: Sequence[TenantId], look: Callable[[TenantId], Awaitable[R]], *, failed: R) -> list[R]:
    """What a look at each of them came to; `failed` where it raised."""
    gate = asyncio.Semaphore(_AT_ONCE)

    async def looked(tenant_id: TenantId) -> R:
        async with gate:
            try:
                return await look(tenant_id)
            except AutomationError as error:
                _log.warning("tenant.not_looked_at tenant_id=%s reason=%s", tenant_id, error)
            except Exception:  # noqa: BLE001 - the outermost edge: one bad row must not keep the night from the others
                _log.exception("tenant.not_looked_at tenant_id=%s", tenant_id)
            return failed

    return list(await asyncio.gather(*(looked(one) for one in tenants)))
