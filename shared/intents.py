"""Privileged writes: intent, read, compare, write the difference, read back, audit. Safe twice, and when an answer
got lost.

`ensure` is the only way to a vendor write. It is told how to read the thing, when it is as wanted, and how to send
the difference.
"""

import logging
from collections.abc import Callable
from datetime import timedelta

import msgspec

from shared.audit import Audit
from shared.clock import Clock
from shared.errors import Forbidden, NotConsented, Rejected, RemoteError, Throttled, Unavailable, Undecidable
from shared.identifiers import TenantId
from shared.privileged import Ensured, Fence, NotYet, OpenIntent, PrivilegedWrite, check_fence
from shared.settling import Settling
from shared.tenants.change import Change, intent_key
from shared.tenants.record import Intent, IntentState, Tenant
from shared.tenants.store import TenantStore

_log = logging.getLogger(__name__)

_READ_BACKS = (1.0, 2.0, 4.0)
"""Seconds between the looks inside one activity; what takes longer is waited for on a durable timer."""

IN_PATIENCE = timedelta(minutes=15)
"""How long a created object may stay hidden (ten minutes are seen; Entra promises nothing) before it is created
again."""


class Intents:
    """Opens, settles and closes the intents of tenants."""

    def __init__(self, tenants: TenantStore, audit: Audit, clock: Clock) -> None:
        self._tenants = tenants
        self._settling = Settling(tenants, audit, clock)
        self._clock = clock

    async def ensure[Image](
        self, tenant_id: TenantId, fence: Fence, write: PrivilegedWrite[Image]
    ) -> Ensured[Image] | NotYet:
        """Make it so. Raises RunStopped, and the RemoteError of a refusal (audited) or of a failure."""
        key = intent_key(write.where, write.object_name)
        intent = await self._settling.settled(tenant_id, key)
        image = await write.read()
        pending = intent is not None and intent.state is IntentState.OPEN
        if write.satisfied(image):
            if pending:
                await self._settling.settle(tenant_id, key, write, "done", "")
            return Ensured(image=image, changed=pending)
        if intent is not None and pending and write.patient and (wait := self._patience_left(intent)):
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
            intent = await self._settling.settled(tenant_id, key)
            if tenant is None or intent is None or intent.state is not IntentState.OPEN:
                continue
            write = rebuild(tenant, intent)
            try:
                image = await write.read()
            except (Forbidden, Rejected, NotConsented, Undecidable) as error:
                # It may not be read any more. The act meets the same, and says what a person should do.
                _log.info("intent.left_open tenant_id=%s kind=%s reason=%s", tenant_id, write.kind, error)
                continue
            if write.satisfied(image):
                await self._settling.settle(tenant_id, key, write, "done", "")
            elif intent.attempted and (wait := self._patience_left(intent)) and write.patient:
                waiting = max(waiting, wait)
            else:
                outcome = "not sent" if intent.attempted is None else "sent, but not to be seen"
                await self._settling.settle(tenant_id, key, write, outcome, "")
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
        except (NotConsented, Undecidable):
            await self._unattempted(tenant_id, key)
            raise
        except (Forbidden, Rejected) as error:
            await self._settling.settle(tenant_id, key, write, f"refused: {error.call.code}", error.call.request_id)
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
                await self._settling.settle(tenant_id, key, write, "done", request_id)
                return Ensured(image=image, changed=True)
        return NotYet(seconds=15.0, reason="written, but a read does not show it yet")


def _raw(value: object) -> msgspec.Raw:
    return msgspec.Raw(msgspec.json.encode(value))
