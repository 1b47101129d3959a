"""The end of a privileged write: its audit entry is stored in the intent, inserted, and only then the intent is closed.

A repeat at any point inserts the same entry, and equal content is success: every write is audited once.
"""

import logging

import msgspec

from shared.audit import Audit
from shared.chain import Deed, Entry
from shared.clock import Clock
from shared.errors import StoreConflict
from shared.privileged import PrivilegedWrite
from shared.subjects import Intent, IntentState, Subject, Subjects

_log = logging.getLogger(__name__)

_AUDIT_TRIES = 5


class Settling[I: str, S: Subject]:
    """Settles the intents of one kind of subject."""

    def __init__(self, subjects: Subjects[I, S], audit: Audit, clock: Clock) -> None:
        self._subjects = subjects
        self._audit = audit
        self._clock = clock

    async def settle[Image](
        self,
        subject_id: I,
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
            registration=mine.registration or write.registration.value,
            on_whose_word=mine.requested_by,
            tenant_id=write.where,
            act=mine.act,
            run=mine.run,
            what=mine.what or write.what,
            why=f"act {mine.act} of run {mine.run}" + (f": {mine.reason}" if mine.reason else ""),
            object_name=write.object_name,
            wanted=mine.wanted,
            before=mine.seen,
            outcome=outcome,
            request_id=request_id or mine.request_id,
        )
        subject = await self._record_entry(subject_id, key, mine, deed, mine.after if after is None else after)
        await self.finished(subject_id, subject, key)
        _log.info("write.settled subject=%s kind=%s outcome=%s", subject_id, write.kind, outcome)

    async def settle_found[Image](
        self, subject_id: I, key: str, write: PrivilegedWrite[Image], intent: Intent, image: Image
    ) -> None:
        """Settle an open intent whose object is as wanted: by our write, or because nothing was left to be sent."""
        if intent.attempted is None:
            await self.settle(subject_id, key, write, intent, "found to be so; nothing was sent")
        else:
            await self.settle(subject_id, key, write, intent, "done", after=raw(write.picture(image)))

    async def _record_entry(self, subject_id: I, key: str, mine: Intent, deed: Deed, after: msgspec.Raw) -> S:
        entry = await self._audit.next_entry(subject_id, deed)

        def decide(subject: S) -> list[Intent] | None:
            if subject.intents.get(key) != mine or mine.state is not IntentState.OPEN:
                return None  # a twin of this activity was faster; its entry counts
            settling = msgspec.structs.replace(
                mine,
                state=IntentState.SETTLING,
                outcome=deed.outcome,
                after=after,
                request_id=deed.request_id,
                entry=_text(entry),
            )
            return [settling]

        return await self._subjects.change_intents(subject_id, decide)

    async def settled(self, subject_id: I, key: str) -> Intent | None:
        """The intent; when its audit entry is on the way, that is finished first.

        As it was last seen: who writes by it compares it again, and the ETag holds that.
        """
        subject = await self._subjects.seen(subject_id)
        return await self.finished(subject_id, subject, key) if subject else None

    async def finished(self, subject_id: I, subject: S, key: str) -> Intent | None:
        """As `settled`, of a subject that was just read."""
        for _ in range(_AUDIT_TRIES):
            intent = subject.intents.get(key)
            if intent is None or intent.state is not IntentState.SETTLING or not intent.entry:
                return intent
            entry = msgspec.json.decode(intent.entry, type=Entry)
            if await self._audit.append(entry):
                subject = await self._close(subject_id, key, intent.entry)
            else:
                subject = await self._renumber(subject_id, key, intent.entry, entry.deed)
        raise StoreConflict(f"audit of {subject_id} kept moving")

    async def _renumber(self, subject_id: I, key: str, old: str, deed: Deed) -> S:
        entry = await self._audit.next_entry(subject_id, deed)
        return await self._swap(subject_id, key, old, entry=_text(entry), state=IntentState.SETTLING)

    async def _close(self, subject_id: I, key: str, old: str) -> S:
        return await self._swap(subject_id, key, old, entry="", state=IntentState.CLOSED)

    async def _swap(self, subject_id: I, key: str, old: str, *, entry: str, state: IntentState) -> S:
        def decide(subject: S) -> list[Intent] | None:
            intent = subject.intents[key]
            if intent.state is not IntentState.SETTLING or intent.entry != old:
                return None
            return [msgspec.structs.replace(intent, entry=entry, state=state, attempted=None)]

        return await self._subjects.change_intents(subject_id, decide)


def _text(entry: Entry) -> str:
    return msgspec.json.encode(entry).decode()


def raw(value: object) -> msgspec.Raw:
    """A value as JSON, as intents keep it."""
    return msgspec.Raw(msgspec.json.encode(value))
