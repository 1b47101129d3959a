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
    """How a night ended."""

    run: RunKey
    looked_at: int
    opened: int
    given_up: tuple[TenantId, ...]


class NightOver(msgspec.Struct, frozen=True):
    """The night's run is closed."""


LOOK_AFTER: Activity[PageCall, Page] = Activity(name="look_after_page", payload=PageCall, outcome=Page)
END_NIGHT: Activity[NightCall, NightOver] = Activity(name="end_night", payload=NightCall, outcome=NightOver)
