"""What is kept of every subject of privileged writes, be it a tenant or a subscription: intents, a renewal's hold, a
person's word. Pure.

A subject's partition has a record, which is the guard of every transaction, and an intent for each object that we write.
"""

import hashlib
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Protocol

import msgspec

from shared.identifiers import TenantId

NOTHING = msgspec.Raw(b"null")
_NOTHING_CHANGED = ("refused", "not sent", "found to be so")
"""How the outcomes begin of writes that changed nothing."""


REVIEW_PERIOD = timedelta(days=365)
"""How long a person's word lasts that the eligibilities are needed: renewal without end would take away the very review
that an end is for.
"""


class Review(msgspec.Struct, frozen=True, kw_only=True):
    """A person's word that the subject's eligibilities are needed, until then."""

    by: str
    at: datetime
    until: datetime


class Renewing(msgspec.Struct, frozen=True, kw_only=True):
    """The renewal that holds the subject while it rests: its fence, its word, and how much it has changed."""

    nonce: str
    since: datetime
    on_whose_word: str
    reason: str
    changes: int = 0


class IntentState(StrEnum):
    """Where a privileged write stands."""

    OPEN = "open"
    SETTLING = "settling"
    CLOSED = "closed"


class Intent(msgspec.Struct, frozen=True, kw_only=True):
    """A privileged write: stored before it is sent, closed after it was read back and audited.

    `before` is the first image ever seen (offboarding puts it back), `seen` what the latest write found there, `after` what
    it left (what differs from that was changed by somebody else); `entry` is the audit entry while it is being inserted.
    `what` and `registration` are as the write said that opened it: another one of the same thing may settle it.
    """

    kind: str
    arguments: dict[str, str]
    where: TenantId
    object_name: str
    state: IntentState
    run: int
    act: int
    opened: datetime
    attempted: datetime | None
    requested_by: str
    wanted: msgspec.Raw
    before: msgspec.Raw
    after: msgspec.Raw = msgspec.Raw(b"null")
    seen: msgspec.Raw = msgspec.Raw(b"null")
    reason: str = ""
    what: str = ""
    registration: str = ""
    outcome: str = ""
    request_id: str = ""
    entry: str = ""

    @property
    def key(self) -> str:
        """The key of its row."""
        return intent_key(self.where, self.object_name)

    @property
    def landed(self) -> bool:
        """Whether a write of it changed something, or may have."""
        return self.after != NOTHING or not self.outcome.startswith(_NOTHING_CHANGED)


class Fenced(Protocol):
    """A record, as far as it tells who may write."""

    @property
    def run(self) -> int:
        """The number of its latest run."""
        ...

    @property
    def run_nonce(self) -> str:
        """What tells that run from every other."""
        ...

    @property
    def under_way(self) -> bool:
        """Whether a run of its own may write."""
        ...

    @property
    def cancel(self) -> bool:
        """Whether that run is to stop."""
        ...

    @property
    def requested_by(self) -> str:
        """On whose word that run writes."""
        ...

    @property
    def reason(self) -> str:
        """Why it was opened."""
        ...

    @property
    def renewing(self) -> Renewing | None:
        """The renewal that holds it."""
        ...


class Subject(Protocol):
    """A partition as one value."""

    @property
    def record(self) -> Fenced:
        """The guard of every transaction."""
        ...

    @property
    def intents(self) -> Mapping[str, Intent]:
        """The privileged writes, by key."""
        ...


class Subjects[I: str, S: Subject](Protocol):
    """The store of one kind of subject, as far as intents need it."""

    async def read(self, subject_id: I, /) -> S | None:
        """The subject, or None."""
        ...

    async def seen(self, subject_id: I, /) -> S | None:
        """The subject as this invocation last read or wrote it; read, where it did not."""
        ...

    async def change_intents(self, subject_id: I, decide: Callable[[S], Sequence[Intent] | None], /) -> S:
        """Change intents by a pure function of what is there; None changes nothing. Gives the subject as it is now."""
        ...


def intent_key(where: str, object_name: str) -> str:
    """The key of an intent: of tenant and object, never of the run."""
    return hashlib.sha256(f"{where}|{object_name}".encode()).hexdigest()[:32]
