"""Privileged writes: intent, read, compare, write the difference, read back, audit. Safe twice, and when an answer
got lost.

`ensure`, and `ensure_each` for many things at once, are the only way to a vendor write. They are told how to read the
thing, when it is as wanted, and how to send the difference.
"""

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import msgspec

from shared.audit import Audit
from shared.clock import Clock
from shared.errors import (
    Forbidden,
    NotConsented,
    NotFound,
    Rejected,
    RemoteError,
    RoleNotAllowed,
    Unavailable,
    Undecidable,
)
from shared.identifiers import TenantId
from shared.privileged import Ensured, Fence, NotYet, OpenIntent, PrivilegedWrite, check_fence, word
from shared.settling import Settling
from shared.tenants.change import Change, intent_key
from shared.tenants.record import Intent, IntentState, Tenant
from shared.tenants.store import TenantStore

_log = logging.getLogger(__name__)

_READ_BACKS = (1.0, 2.0, 4.0)
"""Seconds between the looks inside one activity; what takes longer is waited for on a durable timer."""

_AT_ONCE = 20
"""Writes sent by one call of `ensure_each`: well within functionTimeout also on a slow day."""

IN_PATIENCE = timedelta(minutes=15)
"""How long a created object may stay hidden (ten minutes are seen; Entra promises nothing) before it is created
again."""

_SHOWS_WITHIN = timedelta(minutes=6)
"""How long a change that is safe to repeat may take to be sent, with its repeats, and to show, before an open intent is
judged (seconds are usual).
"""

UNSEEN = "sent, but not to be seen"
"""The outcome of a write that was waited for in vain."""

_NOTHING = msgspec.Raw(b"null")

_UNREAD_SECONDS = 20.0
"""Before an intent whose object could not be read is looked at again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Sent[Image]:
    """A write that the vendor took, with its open intent."""

    write: PrivilegedWrite[Image]
    mine: Intent
    request_id: str

    @property
    def key(self) -> str:
        return intent_key(self.write.where, self.write.object_name)


class Intents:
    """Opens, settles and closes the intents of tenants."""

    def __init__(self, tenants: TenantStore, audit: Audit, clock: Clock) -> None:
        self._tenants = tenants
        self._settling = Settling(tenants, audit, clock)
        self._clock = clock

    async def ensure[Image](
        self,
        tenant_id: TenantId,
        fence: Fence,
        write: PrivilegedWrite[Image],
        *,
        just_read: Ensured[Image] | None = None,
        looks_back: bool = True,
    ) -> Ensured[Image] | NotYet:
        """Make it so. `just_read`: the thing, as the step before has read it. Without `looks_back`, what was sent is left
        with its intent open: a later step sees many things by one read.

        Raises RunStopped, and the RemoteError of a refusal (audited) or of a failure.
        """
        intent = await self._settling.settled(tenant_id, intent_key(write.where, write.object_name))
        image = await write.read() if just_read is None else just_read.image
        begun = await self._begin(tenant_id, fence, write, intent, image)
        if not isinstance(begun, _Sent):
            return begun
        if not looks_back:
            return await self._unseen(tenant_id, begun)
        [result] = await self._read_back(tenant_id, [begun])
        return result

    async def ensure_each[Image](
        self, tenant_id: TenantId, fence: Fence, writes: Sequence[PrivilegedWrite[Image]]
    ) -> list[Ensured[Image] | NotYet | NotFound]:
        """Make several things so that one read shows: it is read before all of them, and after. At most `_AT_ONCE` are sent;
        the others are to be made so by another call.

        One that the vendor could not do, for something is not there, has that for its result; the others are not kept
        waiting. Raises as `ensure`, when what was sent by then was read back.
        """
        if not writes:
            return []
        tenant, image = await self._tenants.read(tenant_id), await writes[0].read()
        begun: list[Ensured[Image] | NotYet | NotFound | _Sent[Image]] = []
        sent: list[_Sent[Image]] = []
        try:
            for write in writes:
                if len(sent) == _AT_ONCE and not write.satisfied(image):
                    begun.append(NotYet(seconds=1.0, reason="others come first"))
                    continue
                key = intent_key(write.where, write.object_name)
                intent = await self._settling.finished(tenant, key) if tenant is not None else None
                try:
                    one = await self._begin(tenant_id, fence, write, intent, image)
                except NotFound as error:
                    begun.append(error)
                    continue
                begun.append(one)
                if isinstance(one, _Sent):
                    sent.append(one)
        finally:
            shown = iter(await self._read_back(tenant_id, sent))
        return [next(shown) if isinstance(one, _Sent) else one for one in begun]

    async def _begin[Image](
        self, tenant_id: TenantId, fence: Fence, write: PrivilegedWrite[Image], intent: Intent | None, image: Image
    ) -> Ensured[Image] | NotYet | _Sent[Image]:
        """Compare, and send the difference, if there is one."""
        key = intent_key(write.where, write.object_name)
        pending = intent is not None and intent.state is IntentState.OPEN
        if write.satisfied(image):
            if intent is not None and pending:
                await self._found_so(tenant_id, key, write, intent, image)
            elif intent is not None and (intent.kind, intent.outcome, intent.after) == (write.kind, UNSEEN, _NOTHING):
                # It came to light after it was given up: what it left is known now.
                await self._amend(
                    tenant_id, key, intent, msgspec.structs.replace(intent, after=_raw(write.picture(image)))
                )
            return Ensured(image=image, changed=pending)
        if intent is not None and pending and write.patient and (wait := self._patience_left(intent, write)):
            return NotYet(seconds=min(30.0, wait), reason="a create was sent whose result is not to be seen yet")
        mine = await self._open(tenant_id, fence, write, image, intent)
        if mine is None:
            return NotYet(seconds=5.0, reason="another delivery of this activity is at it")
        earlier = intent.attempted if intent is not None and pending else None
        request_id = await self._send(tenant_id, write, image, mine, earlier)
        return _Sent(write=write, mine=mine, request_id=request_id)

    async def refuse[Image](self, tenant_id: TenantId, write: PrivilegedWrite[Image], reason: str) -> None:
        """Settle an open intent whose write the vendor took and then declined, with the vendor's reason."""
        key = intent_key(write.where, write.object_name)
        intent = await self._settling.settled(tenant_id, key)
        if intent is not None and intent.state is IntentState.OPEN:
            await self._settling.settle(tenant_id, key, write, intent, f"refused: {reason}")

    async def close_open(
        self,
        tenant_id: TenantId,
        rebuild: Callable[[Tenant, Intent], PrivilegedWrite[object]],
        *,
        last: bool = False,
    ) -> float:
        """Close every open intent by reading back. Gives the seconds to wait when one cannot be judged yet, else 0.

        One that cannot be read keeps none of the others from being closed. `last`: nobody will look again, so it is
        settled as what it was: sent, or not.
        """
        tenant = await self._tenants.read(tenant_id)
        waiting = 0.0
        for key in tenant.intents if tenant else ():
            intent = await self._settling.settled(tenant_id, key)
            if tenant is None or intent is None or intent.state is not IntentState.OPEN:
                continue
            try:
                write = rebuild(tenant, intent)
            except (RoleNotAllowed, LookupError) as error:
                _log.info("intent.left_open tenant_id=%s kind=%s reason=%s", tenant_id, intent.kind, error)
                continue
            try:
                image = await write.read()
            except (Forbidden, Rejected, NotConsented, Undecidable) as error:
                # It may not be read any more. The act meets the same, and says what a person should do.
                _log.info("intent.left_open tenant_id=%s kind=%s reason=%s", tenant_id, intent.kind, error)
                if last:
                    await self._settling.settle(tenant_id, key, write, intent, _unread(intent))
                continue
            except RemoteError as error:
                _log.info("intent.unread tenant_id=%s kind=%s reason=%s", tenant_id, intent.kind, error)
                waiting = max(waiting, _UNREAD_SECONDS)
                continue
            if write.satisfied(image):
                await self._found_so(tenant_id, key, write, intent, image)
            elif wait := self._patience_left(intent, write):
                waiting = max(waiting, wait)
            else:
                await self._settling.settle(tenant_id, key, write, intent, _unread(intent))
        return waiting

    async def _found_so[Image](
        self, tenant_id: TenantId, key: str, write: PrivilegedWrite[Image], intent: Intent, image: Image
    ) -> None:
        """Settle an open intent whose object is as wanted: by our write, or because nothing was left to be sent."""
        if intent.attempted is None:
            await self._settling.settle(tenant_id, key, write, intent, "found to be so; nothing was sent")
        else:
            await self._settling.settle(tenant_id, key, write, intent, "done", after=_raw(write.picture(image)))

    def _patience_left[Image](self, intent: Intent, write: PrivilegedWrite[Image]) -> float:
        if intent.attempted is None:
            return 0.0
        until = intent.attempted + (IN_PATIENCE if write.patient else _SHOWS_WITHIN)
        return max(0.0, (until - self._clock.now()).total_seconds())

    async def _open[Image](
        self, tenant_id: TenantId, fence: Fence, write: PrivilegedWrite[Image], image: Image, seen: Intent | None
    ) -> Intent | None:
        """Open the intent. None when it is not as it was seen: a twin of this activity opened it, and sends."""
        key = intent_key(write.where, write.object_name)
        now = self._clock.now()
        opened: Intent | None = None

        def decide(tenant: Tenant) -> Change | None:
            nonlocal opened
            opened = None
            check_fence(tenant.record, fence)
            earlier = tenant.intents.get(key)
            if earlier != seen:
                return None
            requested_by, reason = word(tenant.record, fence)
            opened = Intent(
                kind=write.kind,
                arguments=dict(write.arguments),
                where=write.where,
                object_name=write.object_name,
                state=IntentState.OPEN,
                run=fence.run,
                act=write.act,
                opened=earlier.opened if earlier is not None and earlier.state is IntentState.OPEN else now,
                attempted=now,
                requested_by=requested_by,
                wanted=_raw(write.wanted),
                before=earlier.before if earlier else _raw(write.picture(image)),
                seen=_raw(write.picture(image)),
                after=earlier.after if earlier else _NOTHING,
                reason=reason,
            )
            return Change(record=tenant.record, intents=[opened])

        await self._tenants.update(tenant_id, decide)
        return opened

    async def _send[Image](
        self, tenant_id: TenantId, write: PrivilegedWrite[Image], image: Image, mine: Intent, earlier: datetime | None
    ) -> str:
        key = intent_key(write.where, write.object_name)
        try:
            return await write.send(image, OpenIntent(key=key, registration=write.registration, tenant_id=write.where))
        except (Forbidden, Rejected) as error:
            outcome = f"refused: {error.call.code}"
            await self._settling.settle(tenant_id, key, write, mine, outcome, error.call.request_id)
            raise
        except Unavailable as error:
            if not error.uncertain:
                await self._not_sent(tenant_id, key, mine, earlier)
            raise
        except (RemoteError, NotConsented, Undecidable) as error:
            # Throttled; or a conflict or an absence: the thing is being made, or what it needs is not there yet.
            await self._not_sent(tenant_id, key, mine, earlier)
            _log.info("write.postponed tenant_id=%s kind=%s reason=%s", tenant_id, write.kind, type(error).__name__)
            raise

    async def _not_sent(self, tenant_id: TenantId, key: str, mine: Intent, earlier: datetime | None) -> None:
        """The vendor did nothing this time; what an earlier try did may still come to light."""
        await self._amend(tenant_id, key, mine, msgspec.structs.replace(mine, attempted=earlier))

    async def _amend(self, tenant_id: TenantId, key: str, mine: Intent, amended: Intent) -> None:
        """Change our own intent. One that was reopened meanwhile is somebody else's."""

        def decide(tenant: Tenant) -> Change | None:
            return Change(record=tenant.record, intents=[amended]) if tenant.intents.get(key) == mine else None

        await self._tenants.update(tenant_id, decide)

    async def _read_back[Image](
        self, tenant_id: TenantId, sent: Sequence[_Sent[Image]]
    ) -> list[Ensured[Image] | NotYet]:
        """Settle what was sent as it shows. All of them are seen by the read of the first."""
        shown: dict[int, Ensured[Image]] = {}
        for wait in (0.0, *_READ_BACKS):
            if len(shown) == len(sent):
                break
            if wait:
                await self._clock.sleep(wait)
            image = await sent[0].write.read()
            for number, one in enumerate(sent):
                if number not in shown and one.write.satisfied(image):
                    await self._done(tenant_id, one, image)
                    shown[number] = Ensured(image=image, changed=True)
        return [shown.get(number) or await self._unseen(tenant_id, one) for number, one in enumerate(sent)]

    async def _unseen[Image](self, tenant_id: TenantId, one: _Sent[Image]) -> NotYet:
        """What was sent is still to be seen: its intent stays open, and knows the request."""
        await self._amend(tenant_id, one.key, one.mine, msgspec.structs.replace(one.mine, request_id=one.request_id))
        return NotYet(seconds=15.0, reason="written, but a read does not show it yet")

    async def _done[Image](self, tenant_id: TenantId, one: _Sent[Image], image: Image) -> None:
        after = _raw(one.write.picture(image))
        await self._settling.settle(tenant_id, one.key, one.write, one.mine, "done", one.request_id, after=after)


def _unread(intent: Intent) -> str:
    """The outcome of a write whose end nobody saw."""
    return "not sent" if intent.attempted is None else UNSEEN


def _raw(value: object) -> msgspec.Raw:
    return msgspec.Raw(msgspec.json.encode(value))
