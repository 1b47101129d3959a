"""The end of a privileged write: its audit entry is stored in the intent, inserted, and only then the intent is closed.

A repeat at any point inserts the same entry, and equal content is success: every write is audited once.
"""

import logging

import msgspec

from shared.audit import Audit
from shared.chain import Deed, Entry
from shared.clock import Clock
from shared.errors import StoreConflict
from shared.identifiers import TenantId
from shared.privileged import PrivilegedWrite
from shared.tenants.change import Change
from shared.tenants.record import Intent, IntentState, Tenant
from shared.tenants.store import TenantStore

_log = logging.getLogger(__name__)

_AUDIT_TRIES = 5


class Settling:
    """Settles the intents of tenants."""

    def __init__(self, tenants: TenantStore, audit: Audit, clock: Clock) -> None:
        self._tenants = tenants
        self._audit = audit
        self._clock = clock

    async def settle[Image](
        self,
        tenant_id: TenantId,
        key: str,
        write: PrivilegedWrite[Image],
        mine: Intent,
        outcome: str,
        request_id: str = "",
        after: msgspec.Raw | None = None,
    ) -> None:
        """Store the audit entry in the intent, insert it, close the intent. `after`: what the write left.

        `mine` is the intent as the caller knows it: one that was reopened meanwhile is left to whoever did.
        """
        deed = Deed(
            at=self._clock.now(),
            registration=write.registration.value,
            on_whose_word=mine.requested_by,
            tenant_id=write.where,
            act=mine.act,
            run=mine.run,
            what=write.what,
            why=f"act {mine.act} of run {mine.run}" + (f": {mine.reason}" if mine.reason else ""),
            object_name=write.object_name,
            wanted=mine.wanted,
            before=mine.seen,
            outcome=outcome,
            request_id=request_id or mine.request_id,
        )
        tenant = await self._record_entry(tenant_id, key, mine, deed, mine.after if after is None else after)
        await self.finished(tenant, key)
        _log.info("write.settled tenant_id=%s kind=%s outcome=%s", tenant_id, write.kind, outcome)

    async def _record_entry(
        self, tenant_id: TenantId, key: str, mine: Intent, deed: Deed, after: msgspec.Raw
    ) -> Tenant:
        entry = await self._audit.next_entry(tenant_id, deed)

        def decide(tenant: Tenant) -> Change | None:
            if tenant.intents.get(key) != mine or mine.state is not IntentState.OPEN:
                return None  # a twin of this activity was faster; its entry counts
            settling = msgspec.structs.replace(
                mine,
                state=IntentState.SETTLING,
                outcome=deed.outcome,
                after=after,
                request_id=deed.request_id,
                entry=_text(entry),
            )
            return Change(record=tenant.record, intents=[settling])

        return await self._tenants.update(tenant_id, decide)

    async def settled(self, tenant_id: TenantId, key: str) -> Intent | None:
        """The intent; when its audit entry is on the way, that is finished first."""
        tenant = await self._tenants.read(tenant_id)
        return await self.finished(tenant, key) if tenant else None

    async def finished(self, tenant: Tenant, key: str) -> Intent | None:
        """As `settled`, of a tenant that was just read."""
        tenant_id = tenant.record.tenant_id
        for _ in range(_AUDIT_TRIES):
            intent = tenant.intents.get(key)
            if intent is None or intent.state is not IntentState.SETTLING or not intent.entry:
                return intent
            entry = msgspec.json.decode(intent.entry, type=Entry)
            if await self._audit.append(entry):
                tenant = await self._close(tenant_id, key, intent.entry)
            else:
                tenant = await self._renumber(tenant_id, key, intent.entry, entry.deed)
        raise StoreConflict(f"audit of {tenant_id} kept moving")

    async def _renumber(self, tenant_id: TenantId, key: str, old: str, deed: Deed) -> Tenant:
        entry = await self._audit.next_entry(tenant_id, deed)
        return await self._swap(tenant_id, key, old, entry=_text(entry), state=IntentState.SETTLING)

    async def _close(self, tenant_id: TenantId, key: str, old: str) -> Tenant:
        return await self._swap(tenant_id, key, old, entry="", state=IntentState.CLOSED)

    async def _swap(self, tenant_id: TenantId, key: str, old: str, *, entry: str, state: IntentState) -> Tenant:
        def decide(tenant: Tenant) -> Change | None:
            intent = tenant.intents[key]
            if intent.state is not IntentState.SETTLING or intent.entry != old:
                return None
            return Change(
                record=tenant.record,
                intents=[msgspec.structs.replace(intent, entry=entry, state=state, attempted=None)],
            )

        return await self._tenants.update(tenant_id, decide)


def _text(entry: Entry) -> str:
    return msgspec.json.encode(entry).decode()
