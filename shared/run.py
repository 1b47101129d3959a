"""What a run is: its row, its key, its orchestration's id. Pure. The table of them is runs.py."""

from datetime import datetime
from typing import Protocol

import msgspec


class Run(msgspec.Struct, frozen=True, kw_only=True):
    """One run of one subject. `wanted` is the kind's own payload, as JSON. `cancelled_by`: who wants a night to go no
    further; a tenant's own runs are cancelled on its record. `left`: by an app that starts none, to the sweeper of the one
    that does.
    """

    subject: str
    kind: str
    number: int
    orchestration_id: str
    nonce: str
    opened: datetime
    requested_by: str
    wanted: msgspec.Raw = msgspec.Raw(b"{}")
    started: datetime | None = None
    ended: datetime | None = None
    outcome: str = ""
    cancelled_by: str = ""
    left: bool = False

    @property
    def is_cancelled(self) -> bool:
        """Whether somebody wants it to go no further."""
        return bool(self.cancelled_by)


class RunKey(msgspec.Struct, frozen=True, kw_only=True):
    """What an orchestration carries about its run: enough to find the row and to be told from any other run."""

    subject: str
    number: int
    nonce: str


class StartOrchestration(Protocol):
    """Starts an orchestration; one that runs already under that id counts as started."""

    async def __call__(self, name: str, orchestration_id: str, payload: RunKey) -> None:
        """Start it."""
        ...


def orchestration_id(kind: str, subject: str, number: int) -> str:
    """The deterministic instance id of a run."""
    return f"{kind}-{subject}-{number}"


def night_subject(kind: str, day: str) -> str:
    """The subject of one night's run of a kind of work."""
    return f"{kind}-{day}"


def key_of(run: Run) -> RunKey:
    """The run's key."""
    return RunKey(subject=run.subject, number=run.number, nonce=run.nonce)
