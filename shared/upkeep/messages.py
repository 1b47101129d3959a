"""What crosses the durable boundary in a night: the activities by wire name, their payloads and outcomes. Pure."""

import msgspec

from shared.identifiers import TenantId
from shared.run import RunKey
from shared.running.messages import PageCall
from shared.wire import Activity

KIND = "night"


class Page(msgspec.Struct, frozen=True, kw_only=True):
    """How many were looked at, and which are to be looked at again; the cursor of the next page, None at the end."""

    cursor: dict[str, str | None] | None
    looked_at: int
    opened: int
    postponed: tuple[TenantId, ...]


class NightCall(msgspec.Struct, frozen=True, kw_only=True):
    """How a night ended. `failed`: a page could not be read, so that nobody knows who was not looked at."""

    run: RunKey
    looked_at: int
    opened: int
    given_up: tuple[TenantId, ...]
    failed: bool = False


class NightOver(msgspec.Struct, frozen=True):
    """The night's run is closed."""


class SealCall(msgspec.Struct, frozen=True, kw_only=True):
    """Which night is to be sealed."""

    run: RunKey


class Sealed(msgspec.Struct, frozen=True, kw_only=True):
    """Whether it is, or need not be; the count of chains."""

    done: bool
    heads: int = 0


LOOK_AFTER: Activity[PageCall, Page] = Activity(name="look_after_page", payload=PageCall, outcome=Page)
SEAL_AUDIT: Activity[SealCall, Sealed] = Activity(name="seal_audit", payload=SealCall, outcome=Sealed)
END_NIGHT: Activity[NightCall, NightOver] = Activity(name="end_night", payload=NightCall, outcome=NightOver)
