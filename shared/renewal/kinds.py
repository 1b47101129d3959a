"""What a renewal needs to know of a kind of subject: tenants, with a directory role's eligibilities, or subscriptions.

`SubjectKind` is carried out by tenants.py and by subscriptions.py; everything else of a renewal is the same for both. Pure.
"""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Protocol

import msgspec
from msgspec.structs import replace

from shared.eligibility.decide import Held
from shared.eligibility.record import Eligibility, RolePolicy
from shared.identifiers import ObjectId
from shared.privileged import Ensured, Fence, NotYet
from shared.renewal.due import Due, Seen, Tonight, Verdict
from shared.renewal.messages import Wish
from shared.renewal.report import Of
from shared.subjects import Fenced, Intent, Renewing, Review


class Reviewed(Fenced, Protocol):
    """A record, as far as a renewal reads it."""

    @property
    def reviewed(self) -> Review:
        """The latest word that the eligibilities are needed."""
        ...


class Renewable(Protocol):
    """A subject whose eligibilities are renewed."""

    @property
    def subject_id(self) -> str:
        """Its id."""
        ...

    @property
    def record(self) -> Reviewed:
        """Its record."""
        ...

    @property
    def eligibilities(self) -> Mapping[str, Eligibility]:
        """What is known to be in force, by key."""
        ...

    @property
    def intents(self) -> Mapping[str, Intent]:
        """The privileged writes, by key."""
        ...


class Judged(msgspec.Struct, frozen=True, kw_only=True):
    """One eligibility of ours, as it was seen, and what becomes of it. `known`: its row, if there is one yet."""

    row: Eligibility
    known: Eligibility | None
    seen: Seen
    tonight: Tonight
    verdict: Verdict

    @property
    def ends(self) -> datetime | None:
        """When it ends, or ended."""
        return self.seen.end or self.row.ends


class Named(msgspec.Struct, frozen=True, kw_only=True):
    """An eligibility that is none of ours and ends soon; or one of ours that was never seen, without an end."""

    principal_id: ObjectId
    role_definition_id: str
    end: datetime | None = None


class Look[S: Renewable](msgspec.Struct, frozen=True, kw_only=True):
    """What was seen of a subject. `policies`: of the roles whose policy was read. `barred`: of ours, those for a role that
    the deployment does not allow any more.
    """

    subject: S
    now: datetime
    judged: tuple[Judged, ...] = ()
    policies: Mapping[str, RolePolicy] = msgspec.field(default_factory=dict)
    others: tuple[Named, ...] = ()
    missing: tuple[Named, ...] = ()
    barred: tuple[Named, ...] = ()

    def of(self, subject: S) -> "Look[S]":
        """The same, once what was seen is kept on the subject."""
        return replace(self, subject=subject)

    @property
    def due(self) -> tuple[Judged, ...]:
        """What is to be written, the nearest to its end first."""
        found = [one for one in self.judged if isinstance(one.verdict, Due)]
        return tuple(sorted(found, key=lambda one: (one.ends is None, one.ends or self.now, one.row.principal_id)))

    @property
    def next_end(self) -> datetime | None:
        """When the first of ours ends."""
        return min((one.seen.end for one in self.judged if one.seen.end is not None), default=None)


class Noted(msgspec.Struct, frozen=True, kw_only=True):
    """What a renewal changes of a subject: who renews it, its run number, rows, policies."""

    renewing: Renewing | None
    run: int | None = None
    rows: tuple[Eligibility, ...] = ()
    policies: Mapping[str, RolePolicy] = msgspec.field(default_factory=dict)


class SubjectKind[S: Renewable](Protocol):
    """One kind of subject, over its store and its vendor client."""

    of: Of
    run_kind: str

    async def read(self, subject_id: str) -> S | None:
        """The subject, or None."""
        ...

    async def note(self, subject_id: str, decide: Callable[[S], Noted | None]) -> S:
        """Change it by a pure function of what is there; None changes nothing. Gives it as it is now."""
        ...

    def is_let_go(self, subject: S) -> bool:
        """Whether nothing of it is looked after any more."""
        ...

    def is_busy(self, subject: S) -> bool:
        """Whether a run of its own is under way, which may make or take what is looked at."""
        ...

    def is_looked_after(self, subject: S) -> bool:
        """Whether renewal may work on it."""
        ...

    def has_any(self, subject: S) -> bool:
        """Whether there is anything to look at."""
        ...

    def lost(self, error: Exception) -> str:
        """The registration that has lost its access, by an error; empty where it was something else."""
        ...

    def tonight(self, subject: S, role_definition_id: str, wish: Wish) -> Tonight:
        """What holds for a role's eligibilities in a night, by what is known."""
        ...

    def wanted_days(self, subject: S, row: Eligibility) -> int:
        """How long it is to last each time."""
        ...

    async def look(self, subject: S, wish: Wish) -> Look[S]:
        """Look at its eligibilities by PIM. Where nothing ends soon it takes one call."""
        ...

    async def ensure(self, subject: S, fence: Fence, arguments: Mapping[str, str]) -> Ensured[Held | None] | NotYet:
        """Make an eligibility last on. Raises RoleNotAllowed for one that is not ours, and what a write raises."""
        ...

    async def close_open(self, subject_id: str) -> float:
        """Close its open intents. Gives the seconds to wait for what cannot be judged yet."""
        ...
