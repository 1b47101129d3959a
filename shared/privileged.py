"""What a privileged write is: how to read the thing, when it is as wanted, how to send the difference; and who may send it.

Pure. intents.py carries it out.
"""

from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime, timedelta

import msgspec

from shared.identifiers import TenantId
from shared.permissions import Registration
from shared.subjects import Fenced, Intent, intent_key

IN_PATIENCE = timedelta(minutes=15)
"""How long a created object may stay hidden (ten minutes are seen; Entra promises nothing) before it is created
again."""

_SHOWS_WITHIN = timedelta(minutes=6)
"""How long a change that is safe to repeat may take to be sent, with its repeats, and to show, before an open intent is
judged (seconds are usual).
"""


class OpenIntent(msgspec.Struct, frozen=True, kw_only=True):
    """The key that opens a vendor client for one privileged write."""

    key: str
    registration: Registration
    tenant_id: TenantId


class PrivilegedWrite[Image](msgspec.Struct, frozen=True, kw_only=True):
    """One thing to make so. `kind` and `arguments` are enough to build it again and read the thing back later.

    `patient`: what was sent is waited for before it is sent again, for a second one would be a twin, or a nuisance.
    """

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
    patient: bool = False

    @property
    def key(self) -> str:
        """The key of its intent."""
        return intent_key(self.where, self.object_name)


def sender[T](given: T | None) -> T:
    """Who sends it. Raises LookupError where a write was built to be read back alone."""
    if given is None:
        raise LookupError("this is never sent without whose act it is")
    return given


class Fence(msgspec.Struct, frozen=True, kw_only=True):
    """Which run may write. One that was cancelled, has come to its end, or was followed by another may not."""

    run: int
    nonce: str


class RunStopped(Exception):
    """The run that wanted to write is not to write any more."""


class Ensured[Image](msgspec.Struct, frozen=True, kw_only=True):
    """The thing is as wanted, and was read back."""

    image: Image
    changed: bool


class NotYet(msgspec.Struct, frozen=True, kw_only=True):
    """Not to be seen yet: come again. `sent`: the vendor took it just now; else an earlier try, or another one, is waited
    for, and it may be that nothing was sent.
    """

    seconds: float
    reason: str
    sent: bool = False


def check_fence(record: Fenced, fence: Fence) -> None:
    """Raise RunStopped unless the run still holds the subject."""
    renews = _renews(record, fence)
    ours = record.run == fence.run and (renews or record.run_nonce == fence.nonce)
    # The state too: a subject at rest still shows its last run, and an activity of that run may come late.
    if not ours or record.cancel or not (renews or record.under_way):
        raise RunStopped


def word(record: Fenced, fence: Fence) -> tuple[str, str]:
    """On whose word a run writes, and why it was opened."""
    if record.renewing is not None and _renews(record, fence):
        return record.renewing.on_whose_word, record.renewing.reason
    return record.requested_by, record.reason


def _renews(record: Fenced, fence: Fence) -> bool:
    return record.renewing is not None and record.renewing.nonce == fence.nonce


def patience_left[Image](intent: Intent, write: PrivilegedWrite[Image], now: datetime) -> float:
    """The seconds for which a write that was sent may still come to light."""
    if intent.attempted is None:
        return 0.0
    until = intent.attempted + (IN_PATIENCE if write.patient else _SHOWS_WITHIN)
    return max(0.0, (until - now).total_seconds())
