"""Closing what is open: every run begins with it, so that no write of an earlier one stays unexplained.

What an open intent wanted is read back; it is settled as done, as not sent, or as sent and not to be seen.
"""

import logging
from collections.abc import Callable
from typing import Any

from shared.clock import Clock
from shared.errors import Forbidden, NotConsented, Rejected, RemoteError, RoleNotAllowed, Undecidable
from shared.privileged import PrivilegedWrite, patience_left
from shared.settling import Settling
from shared.subjects import Intent, IntentState, Subject, Subjects

_log = logging.getLogger(__name__)

UNSEEN = "sent, but not to be seen"
"""The outcome of a write that was waited for in vain."""

_UNREAD_SECONDS = 20.0
"""Before an intent whose object could not be read is looked at again."""


class OpenIntents[I: str, S: Subject]:
    """Closes the open intents of one kind of subject."""

    def __init__(self, subjects: Subjects[I, S], settling: Settling[I, S], clock: Clock) -> None:
        self._subjects = subjects
        self._settling = settling
        self._clock = clock

    async def close(
        self, subject_id: I, rebuild: Callable[[S, Intent], PrivilegedWrite[Any]], *, last: bool = False
    ) -> float:
        """Close every open intent by reading back. Gives the seconds to wait when one cannot be judged yet, else 0.

        One that cannot be read keeps none of the others from being closed. `last`: nobody will look again, so it is
        settled as what it was: sent, or not.
        """
        subject = await self._subjects.read(subject_id)
        waiting = 0.0
        for key in subject.intents if subject else ():
            intent = await self._settling.settled(subject_id, key)
            if subject is not None and intent is not None and intent.state is IntentState.OPEN:
                waiting = max(waiting, await self._close(subject_id, subject, key, intent, rebuild, last=last))
        return waiting

    async def _close(
        self,
        subject_id: I,
        subject: S,
        key: str,
        intent: Intent,
        rebuild: Callable[[S, Intent], PrivilegedWrite[Any]],
        *,
        last: bool,
    ) -> float:
        try:
            write = rebuild(subject, intent)
        except (RoleNotAllowed, LookupError) as error:
            _log.info("intent.left_open subject=%s kind=%s reason=%s", subject_id, intent.kind, error)
            return 0.0
        try:
            image = await write.read()
        except (Forbidden, Rejected, NotConsented, Undecidable, RoleNotAllowed) as error:
            # It may not be read any more. The act meets the same, and says what a person should do.
            _log.info("intent.left_open subject=%s kind=%s reason=%s", subject_id, intent.kind, error)
            if last:
                await self._settling.settle(subject_id, key, write, intent, _unread(intent))
            return 0.0
        except RemoteError as error:
            _log.info("intent.unread subject=%s kind=%s reason=%s", subject_id, intent.kind, error)
            return _UNREAD_SECONDS
        if write.satisfied(image):
            await self._settling.settle_found(subject_id, key, write, intent, image)
        elif wait := patience_left(intent, write, self._clock.now()):
            return wait
        else:
            await self._settling.settle(subject_id, key, write, intent, _unread(intent))
        return 0.0


def _unread(intent: Intent) -> str:
    """The outcome of a write whose end nobody saw."""
    return "not sent" if intent.attempted is None else UNSEEN
