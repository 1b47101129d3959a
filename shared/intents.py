"""Privileged writes: intent, read, compare, write the difference, read back, audit. Safe twice, and when an answer
got lost.

`ensure` is the only way to a vendor write. It is told how to read the thing, when it is as wanted, and how to send
the difference.
"""

import logging
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta

import msgspec

from shared.audit import Audit, Deed, Entry
from shared.clock import Clock
from shared.errors import Forbidden, NotConsented, Rejected, RemoteError, StoreConflict, Throttled, Unavailable
from shared.identifiers import TenantId
from shared.permissions import Registration
from shared.tenants.record import Intent, IntentState, Record, Tenant
from shared.tenants.store import Change, TenantStore, intent_key

_log = logging.getLogger(__name__)

_READ_BACKS = (1.0, 2.0, 4.0)
"""Seconds between the looks inside one activity; what takes longer is waited for on a durable timer."""

_AUDIT_TRIES = 5

IN_PATIENCE = timedelta(minutes=15)
"""How long a created object may stay hidden (ten minutes are seen; Entra promises nothing) before it is created
again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenIntent:
    """The key that opens a vendor client for one privileged write."""

    key: str
    registration: Registration
    tenant_id: TenantId


@dataclass(frozen=True, slots=True, kw_only=True)
class PrivilegedWrite[Image]:
    """One thing to make so. `kind` and `arguments` are enough to build it again and read the thing back later."""

    kind: str
    arguments: Mapping[str, str]
    registration: Registration
    where: TenantId
    object_name: str
    what: str
    act: int
    wanted: object
    read: Callable[[], Awaitable[Image]]
    satisfied: Callable[[Image], bool]
    send: Callable[[Image, OpenIntent], Awaitable[str]]
    picture: Callable[[Image], object]
    creates: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Fence:
    """Which run may write. A cancelled run, or one that another has followed, may not."""

    run: int
    nonce: str


class RunStopped(Exception):
    """The run that wanted to write is not to write any more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ensured[Image]:
    """The thing is as wanted, and was read back."""

    image: Image
    changed: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class NotYet:
    """Sent, but not to be seen yet: come again."""

    seconds: float
    reason: str


def check_fence(record: Record, fence: Fence) -> None:
    """Raise RunStopped unless the run still holds the tenant."""
    if record.run != fence.run or record.run_nonce != fence.nonce or record.cancel:
        raise RunStopped


class Intents:
    """Opens, settles and closes the intents of tenants."""

    def __init__(self, tenants: TenantStore, audit: Audit, clock: Clock) -> None:
        self._tenants = tenants
        self._audit = audit
        self._clock = clock

    async def ensure[Image](
        self, tenant_id: TenantId, fence: Fence, write: PrivilegedWrite[Image]
    ) -> Ensured[Image] | NotYet:
        """Make it so. Raises RunStopped, and the RemoteError of a refusal (audited) or of a failure."""
        key = intent_key(write.where, write.object_name)
        intent = await self._settled(tenant_id, key)
        image = await write.read()
        pending = intent is not None and intent.state is IntentState.OPEN
        if write.satisfied(image):
            if pending:
                await self._settle(tenant_id, key, write, "done", "")
            return Ensured(image=image, changed=pending)
        if intent is not None and pending and write.creates and (wait := self._patience_left(intent)):
            return NotYet(seconds=min(30.0, wait), reason="a create was sent whose result is not to be seen yet")
        await self._open(tenant_id, fence, write, image)
        request_id = await self._send(tenant_id, key, write, image)
        return await self._read_back(tenant_id, key, write, request_id)

    async def close_open(
        self, tenant_id: TenantId, rebuild: Callable[[Tenant, Intent], PrivilegedWrite[object]]
    ) -> float:
        """Close every open intent by reading back. Gives the seconds to wait when one cannot be judged yet, else 0."""
        tenant = await self._tenants.read(tenant_id)
        waiting = 0.0
        for key in tenant.intents if tenant else ():
            intent = await self._settled(tenant_id, key)
            if tenant is None or intent is None or intent.state is not IntentState.OPEN:
                continue
            write = rebuild(tenant, intent)
            if write.satisfied(await write.read()):
                await self._settle(tenant_id, key, write, "done", "")
            elif intent.attempted and (wait := self._patience_left(intent)) and write.creates:
                waiting = max(waiting, wait)
            else:
                await self._settle(tenant_id, key, write, "not done", "")
        return waiting

    def _patience_left(self, intent: Intent) -> float:
        if intent.attempted is None:
            return 0.0
        return max(0.0, (intent.attempted + IN_PATIENCE - self._clock.now()).total_seconds())

    async def _open[Image](
        self, tenant_id: TenantId, fence: Fence, write: PrivilegedWrite[Image], image: Image
    ) -> None:
        key = intent_key(write.where, write.object_name)
        now = self._clock.now()

        def decide(tenant: Tenant) -> Change:
            check_fence(tenant.record, fence)
            earlier = tenant.intents.get(key)
            intent = Intent(
                kind=write.kind,
                arguments=dict(write.arguments),
                where=write.where,
                object_name=write.object_name,
                state=IntentState.OPEN,
                run=fence.run,
                act=write.act,
                opened=now,
                attempted=now,
                requested_by=tenant.record.requested_by,
                wanted=_raw(write.wanted),
                before=earlier.before if earlier else _raw(write.picture(image)),
            )
            return Change(record=tenant.record, intents=[intent])

        await self._tenants.update(tenant_id, decide)

    async def _send[Image](self, tenant_id: TenantId, key: str, write: PrivilegedWrite[Image], image: Image) -> str:
        ticket = OpenIntent(key=key, registration=write.registration, tenant_id=write.where)
        try:
            return await write.send(image, ticket)
        except Throttled:
            await self._unattempted(tenant_id, key)
            raise
        except Unavailable as error:
            if not error.uncertain:
                await self._unattempted(tenant_id, key)
            raise
        except NotConsented:
            await self._unattempted(tenant_id, key)
            raise
        except (Forbidden, Rejected) as error:
            await self._settle(tenant_id, key, write, f"refused: {error.call.code}", error.call.request_id)
            raise
        except RemoteError as error:
            # A conflict or an absence: the thing is being made, or what it needs is not there yet.
            await self._unattempted(tenant_id, key)
            _log.info("write.postponed tenant_id=%s kind=%s code=%s", tenant_id, write.kind, error.call.code)
            raise

    async def _unattempted(self, tenant_id: TenantId, key: str) -> None:
        """The vendor said that it did nothing, so nothing needs to be waited for."""

        def decide(tenant: Tenant) -> Change:
            intent = msgspec.structs.replace(tenant.intents[key], attempted=None)
            return Change(record=tenant.record, intents=[intent])

        await self._tenants.update(tenant_id, decide)

    async def _read_back[Image](
        self, tenant_id: TenantId, key: str, write: PrivilegedWrite[Image], request_id: str
    ) -> Ensured[Image] | NotYet:
        for wait in (0.0, *_READ_BACKS):
            if wait:
                await self._clock.sleep(wait)
            image = await write.read()
            if write.satisfied(image):
                await self._settle(tenant_id, key, write, "done", request_id)
                return Ensured(image=image, changed=True)
        return NotYet(seconds=15.0, reason="written, but a read does not show it yet")

    async def _settle[Image](
        self, tenant_id: TenantId, key: str, write: PrivilegedWrite[Image], outcome: str, request_id: str
    ) -> None:
        """Store the audit entry in the intent, insert it, close the intent."""
        tenant = await self._tenants.read(tenant_id)
        if tenant is None or tenant.intents[key].state is IntentState.CLOSED:
            return
        intent = tenant.intents[key]
        deed = Deed(
            at=self._clock.now(),
            registration=write.registration.value,
            on_whose_word=intent.requested_by,
            tenant_id=write.where,
            act=intent.act,
            run=intent.run,
            what=write.what,
            object_name=write.object_name,
            wanted=intent.wanted,
            before=intent.before,
            outcome=outcome,
            request_id=request_id or intent.request_id,
        )
        await self._record_entry(tenant_id, key, deed)
        await self._settled(tenant_id, key)
        _log.info("write.settled tenant_id=%s kind=%s outcome=%s", tenant_id, write.kind, outcome)

    async def _record_entry(self, tenant_id: TenantId, key: str, deed: Deed) -> None:
        entry = await self._audit.next_entry(tenant_id, deed)

        def decide(tenant: Tenant) -> Change | None:
            intent = tenant.intents[key]
            if intent.state is not IntentState.OPEN:
                return None  # a twin of this activity was faster; its entry counts
            settling = msgspec.structs.replace(
                intent,
                state=IntentState.SETTLING,
                outcome=deed.outcome,
                request_id=deed.request_id,
                entry=_text(entry),
            )
            return Change(record=tenant.record, intents=[settling])

        await self._tenants.update(tenant_id, decide)

    async def _settled(self, tenant_id: TenantId, key: str) -> Intent | None:
        """The intent; when its audit entry is on the way, that is finished first."""
        for _ in range(_AUDIT_TRIES):
            tenant = await self._tenants.read(tenant_id)
            intent = tenant.intents.get(key) if tenant else None
            if intent is None or intent.state is not IntentState.SETTLING or not intent.entry:
                return intent
            entry = msgspec.json.decode(intent.entry, type=Entry)
            if await self._audit.append(entry):
                await self._close(tenant_id, key, intent.entry)
            else:
                await self._renumber(tenant_id, key, intent.entry, entry.deed)
        raise StoreConflict(f"audit of {tenant_id} kept moving")

    async def _renumber(self, tenant_id: TenantId, key: str, old: str, deed: Deed) -> None:
        entry = await self._audit.next_entry(tenant_id, deed)
        await self._swap(tenant_id, key, old, entry=_text(entry), state=IntentState.SETTLING)

    async def _close(self, tenant_id: TenantId, key: str, old: str) -> None:
        await self._swap(tenant_id, key, old, entry="", state=IntentState.CLOSED)

    async def _swap(self, tenant_id: TenantId, key: str, old: str, *, entry: str, state: IntentState) -> None:
        def decide(tenant: Tenant) -> Change | None:
            intent = tenant.intents[key]
            if intent.state is not IntentState.SETTLING or intent.entry != old:
                return None
            return Change(
                record=tenant.record,
                intents=[msgspec.structs.replace(intent, entry=entry, state=state, attempted=None)],
            )

        await self._tenants.update(tenant_id, decide)


def _raw(value: object) -> msgspec.Raw:
    return msgspec.Raw(msgspec.json.encode(value))


def _text(entry: Entry) -> str:
    return msgspec.json.encode(entry).decode()
