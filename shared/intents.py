"""Privileged writes: intent, read, compare, write the difference, read back, audit. Safe twice, and when an answer
got lost.

`ensure`, and `ensure_each` for many things at once, are the only way to a vendor write. They are told how to read the
thing, when it is as wanted, and how to send the difference.
"""

import logging
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any

import msgspec

from shared.audit import Audit
from shared.clock import Clock
from shared.errors import (
    ClaimsChallenge,
    Forbidden,
    NotAllowed,
    NotConsented,
    NotFound,
    Rejected,
    RemoteError,
    Throttled,
    Unavailable,
    Undecidable,
)
from shared.open_intents import UNSEEN, OpenIntents
from shared.privileged import Ensured, Fence, NotYet, OpenIntent, PrivilegedWrite, check_fence, patience_left, word
from shared.settling import Settling, raw
from shared.subjects import NOTHING, Intent, IntentState, Subject, Subjects

_log = logging.getLogger(__name__)

_READ_BACKS = (1.0, 2.0, 4.0)
"""Seconds between the looks inside one activity; what takes longer is waited for on a durable timer."""

_AT_ONCE = 20
"""Writes sent by one call of `ensure_each`: well within functionTimeout also on a slow day."""

_FAILURES = (RemoteError, NotConsented, Undecidable, ClaimsChallenge, NotAllowed)
"""What a vendor's refusal or failure is raised as."""


class _Sent[Image](msgspec.Struct, frozen=True, kw_only=True):
    """A write that the vendor took, with its open intent."""

    write: PrivilegedWrite[Image]
    mine: Intent
    request_id: str


class Intents[I: str, S: Subject]:
    """Opens, settles and closes the intents of one kind of subject."""

    def __init__(self, subjects: Subjects[I, S], audit: Audit, clock: Clock) -> None:
        self._subjects = subjects
        self._settling = Settling(subjects, audit, clock)
        self._open_ones = OpenIntents(subjects, self._settling, clock)
        self._clock = clock

    async def ensure[Image](
        self,
        subject_id: I,
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
        intent = await self._settling.settled(subject_id, write.key)
        image = await write.read() if just_read is None else just_read.image
        begun = await self._begin(subject_id, fence, write, intent, image)
        if not isinstance(begun, _Sent):
            return begun
        if not looks_back:
            return await self._unseen(subject_id, begun)
        [result] = await self._read_back(subject_id, [begun])
        return result

    async def ensure_each[Image](
        self, subject_id: I, fence: Fence, writes: Sequence[PrivilegedWrite[Image]]
    ) -> list[Ensured[Image] | NotYet | NotFound]:
        """Make several things so that one read shows: it is read before all of them, and after. At most `_AT_ONCE` are sent;
        the others are to be made so by another call.

        One that the vendor could not do, for something is not there, has that for its result; the others are not kept
        waiting. Raises as `ensure`, when what was sent by then was read back.
        """
        if not writes:
            return []
        subject, image = await self._subjects.read(subject_id), await writes[0].read()
        begun: list[Ensured[Image] | NotYet | NotFound | _Sent[Image]] = []
        sent: list[_Sent[Image]] = []
        try:
            for write in writes:
                if len(sent) == _AT_ONCE and not write.satisfied(image):
                    begun.append(NotYet(seconds=1.0, reason="others come first"))
                    continue
                key = write.key
                intent = await self._settling.finished(subject_id, subject, key) if subject is not None else None
                try:
                    one = await self._begin(subject_id, fence, write, intent, image)
                except NotFound as error:
                    begun.append(error)
                    continue
                begun.append(one)
                if isinstance(one, _Sent):
                    sent.append(one)
        finally:
            shown = iter(await self._read_back(subject_id, sent))
        return [next(shown) if isinstance(one, _Sent) else one for one in begun]

    async def _begin[Image](
        self, subject_id: I, fence: Fence, write: PrivilegedWrite[Image], intent: Intent | None, image: Image
    ) -> Ensured[Image] | NotYet | _Sent[Image]:
        """Compare, and send the difference, if there is one."""
        key = write.key
        pending = intent is not None and intent.state is IntentState.OPEN
        if write.satisfied(image):
            if intent is not None and pending:
                await self._settling.settle_found(subject_id, key, write, intent, image)
            elif intent is not None and (intent.kind, intent.outcome, intent.after) == (write.kind, UNSEEN, NOTHING):
                # It came to light after it was given up: what it left is known now.
                await self._amend(
                    subject_id, key, intent, msgspec.structs.replace(intent, after=raw(write.picture(image)))
                )
            return Ensured(image=image, changed=pending)
        if (
            intent is not None
            and pending
            and write.patient
            and (wait := patience_left(intent, write, self._clock.now()))
        ):
            return NotYet(seconds=min(30.0, wait), reason="a create was sent whose result is not to be seen yet")
        intent = await self._without_others(subject_id, fence, write, intent)
        pending = intent is not None and intent.state is IntentState.OPEN
        mine = await self._open(subject_id, fence, write, image, intent)
        if mine is None:
            return NotYet(seconds=5.0, reason="another delivery of this activity is at it")
        earlier = intent.attempted if intent is not None and pending else None
        request_id = await self._send(subject_id, write, image, mine, earlier)
        return _Sent(write=write, mine=mine, request_id=request_id)

    async def refuse[Image](self, subject_id: I, write: PrivilegedWrite[Image], reason: str) -> None:
        """Settle an open intent whose write the vendor took and then declined, with the vendor's reason."""
        key = write.key
        intent = await self._settling.settled(subject_id, key)
        if intent is not None and intent.state is IntentState.OPEN:
            await self._settling.settle(subject_id, key, write, intent, f"refused: {reason}")

    async def close_open(
        self, subject_id: I, rebuild: Callable[[S, Intent], PrivilegedWrite[Any]], *, last: bool = False
    ) -> float:
        """Close every open intent by reading back (open_intents.py)."""
        return await self._open_ones.close(subject_id, rebuild, last=last)

    async def _without_others[Image](
        self, subject_id: I, fence: Fence, write: PrivilegedWrite[Image], intent: Intent | None
    ) -> Intent | None:
        """The intent, once what somebody else sent by it, or what was to do the contrary, is settled: it is theirs, whatever
        becomes of it.
        """
        if intent is None or intent.state is not IntentState.OPEN or intent.attempted is None:
            return intent
        subject = await self._subjects.seen(subject_id)
        if subject is None or (intent.kind, intent.requested_by) == (write.kind, word(subject.record, fence)[0]):
            return intent
        await self._settling.settle(subject_id, write.key, write, intent, UNSEEN)
        return await self._settling.settled(subject_id, write.key)

    async def _open[Image](
        self, subject_id: I, fence: Fence, write: PrivilegedWrite[Image], image: Image, seen: Intent | None
    ) -> Intent | None:
        """Open the intent. None when it is not as it was seen: a twin of this activity opened it, and sends."""
        key = write.key
        now = self._clock.now()
        opened: Intent | None = None

        def decide(subject: S) -> list[Intent] | None:
            nonlocal opened
            opened = None
            check_fence(subject.record, fence)
            earlier = subject.intents.get(key)
            if earlier != seen:
                return None
            requested_by, reason = word(subject.record, fence)
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
                wanted=raw(write.wanted),
                before=earlier.before if earlier else raw(write.picture(image)),
                seen=raw(write.picture(image)),
                after=earlier.after if earlier else NOTHING,
                reason=reason,
                what=write.what,
                registration=write.registration.value,
            )
            return [opened]

        await self._subjects.change_intents(subject_id, decide)
        return opened

    async def _send[Image](
        self, subject_id: I, write: PrivilegedWrite[Image], image: Image, mine: Intent, earlier: datetime | None
    ) -> str:
        key = write.key
        try:
            return await write.send(image, OpenIntent(key=key, registration=write.registration, tenant_id=write.where))
        except (Forbidden, Rejected) as error:
            outcome = f"refused: {error.call.code}"
            await self._settling.settle(subject_id, key, write, mine, outcome, error.call.request_id)
            raise
        except Unavailable as error:
            if not error.uncertain:
                await self._not_sent(subject_id, key, mine, earlier)
            raise
        except _FAILURES as error:
            # Throttled; or a conflict or an absence: the thing is being made, or what it needs is not there yet; or its
            # person has to prove more first.
            await self._not_sent(subject_id, key, mine, earlier)
            _log.info("write.postponed subject=%s kind=%s reason=%s", subject_id, write.kind, type(error).__name__)
            raise

    async def _not_sent(self, subject_id: I, key: str, mine: Intent, earlier: datetime | None) -> None:
        """The vendor did nothing this time; what an earlier try did may still come to light."""
        await self._amend(subject_id, key, mine, msgspec.structs.replace(mine, attempted=earlier))

    async def _amend(self, subject_id: I, key: str, mine: Intent, amended: Intent) -> None:
        """Change our own intent. One that was reopened meanwhile is somebody else's."""

        def decide(subject: S) -> list[Intent] | None:
            return [amended] if subject.intents.get(key) == mine else None

        await self._subjects.change_intents(subject_id, decide)

    async def _read_back[Image](self, subject_id: I, sent: Sequence[_Sent[Image]]) -> list[Ensured[Image] | NotYet]:
        """Settle what was sent as it shows. All of them are seen by the read of the first; one that fails says nothing of
        what was sent.
        """
        shown: dict[int, Ensured[Image]] = {}
        seconds = 0.0
        for wait in (0.0, *_READ_BACKS):
            if len(shown) == len(sent):
                break
            if wait:
                await self._clock.sleep(wait)
            try:
                image = await sent[0].write.read()
            except _FAILURES as error:
                _log.info("write.not_read_back subject=%s reason=%s", subject_id, type(error).__name__)
                seconds = error.seconds if isinstance(error, Throttled) else 0.0
                break
            for number, one in enumerate(sent):
                if number not in shown and one.write.satisfied(image):
                    await self._done(subject_id, one, image)
                    shown[number] = Ensured(image=image, changed=True)
        return [shown.get(number) or await self._unseen(subject_id, one, seconds) for number, one in enumerate(sent)]

    async def _unseen[Image](self, subject_id: I, one: _Sent[Image], seconds: float = 0.0) -> NotYet:
        """What was sent is still to be seen: its intent stays open, and knows the request."""
        await self._amend(
            subject_id, one.write.key, one.mine, msgspec.structs.replace(one.mine, request_id=one.request_id)
        )
        return NotYet(seconds=max(15.0, seconds), reason="written, but a read does not show it yet", sent=True)

    async def _done[Image](self, subject_id: I, one: _Sent[Image], image: Image) -> None:
        after = raw(one.write.picture(image))
        await self._settling.settle(subject_id, one.write.key, one.write, one.mine, "done", one.request_id, after=after)
