"""Claims: a thing that only one tenant may use, as one row inserted if absent. Safe twice."""

import msgspec

from shared.identifiers import TenantId
from shared.rows import Row, encode
from shared.tables import Table

SYNCHRONIZATION = "synchronization"


class _Claim(msgspec.Struct, frozen=True):
    tenant_id: TenantId


class Claims:
    """The table of claims."""

    def __init__(self, table: Table) -> None:
        self._table = table

    async def take(self, kind: str, key: str, tenant_id: TenantId) -> TenantId:
        """Claim a thing for a tenant. Gives who holds it now: another tenant, if that came first."""
        # The tenant is the nonce: its own earlier claim is found again as its own.
        row = Row(partition=kind, key=key, body=encode(_Claim(tenant_id)), nonce=tenant_id)
        there = await self._table.insert(row)
        return tenant_id if there is None else there.decode(_Claim).tenant_id

    async def release(self, kind: str, key: str, tenant_id: TenantId) -> None:
        """Give up a tenant's claim; somebody else's stays."""
        there = await self._table.get(kind, key)
        if there is not None and there.decode(_Claim).tenant_id == tenant_id:
            await self._table.delete(kind, key, etag=there.etag)
