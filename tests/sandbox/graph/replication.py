"""How fast the clouds agree with themselves.

Every service reads its own replica. From the moment an object is made, each view of it (by id, as a reference, in
lists, in PIM) opens after a delay of its own; the order is the one seen in practice: by id first, in lists later, PIM
last (sections 3.1, 5 and 6.4 of the Graph contract). Delays are a pure function of seed, object and view.
"""

import hashlib
from datetime import datetime, timedelta
from enum import Enum

DEFAULT_SECONDS = (0.2, 2.0)
"""Between object and view on a good day. UNCONFIRMED: no source gives figures for the directory."""
DEFAULT_PIM_SECONDS = (1.0, 8.0)
SLOW_PIM_SECONDS = (5.0, 60.0)
"""What PIM adds to the directory's delay: 5 to 30 s are typical, up to two minutes were seen (section 6.4)."""


class View(Enum):
    """A reader of an object; the number says how late in the span of delays it may come."""

    ID = 0.6
    REFERENCE = 0.8
    LIST = 1.0
    GRANT = 0.9
    PIM = 1.1


class Replication:
    """When a view of an object opens."""

    def __init__(self, seed: int = 0, seconds: tuple[float, float] | None = None) -> None:
        self.seed = seed
        self.seconds = DEFAULT_SECONDS
        self.pim_seconds = DEFAULT_PIM_SECONDS
        self.slow = False
        if seconds is not None and seconds[1] > 0:
            self.set(seconds)

    def set(self, seconds: tuple[float, float]) -> None:
        """Make it slow (or quick) from now on; objects whose view is already open may hide again."""
        self.seconds = seconds
        self.slow = seconds[1] > 10
        self.pim_seconds = SLOW_PIM_SECONDS if self.slow else DEFAULT_PIM_SECONDS

    def off(self) -> None:
        """Everything is seen at once."""
        self.seconds = (0.0, 0.0)
        self.pim_seconds = (0.0, 0.0)
        self.slow = False

    def delay(self, object_id: str, view: View) -> timedelta:
        """From the making of the object to the opening of the view."""
        if view is View.PIM:
            low, high = self.pim_seconds
            seconds = self.delay(object_id, View.LIST).total_seconds()
            return timedelta(seconds=seconds + low + (high - low) * self._chance(object_id, view))
        low, high = self.seconds
        seconds = low + (high - low) * View.ID.value * self._chance(object_id, View.ID)
        if view is not View.ID:
            seconds += (low + (high - low) * view.value - seconds) * self._chance(object_id, view)
        return timedelta(seconds=seconds)

    def sees(self, object_id: str, made_at: datetime | None, view: View, now: datetime) -> bool:
        """True if the view is open; what was made before the world began (None) always is."""
        return made_at is None or now >= made_at + self.delay(object_id, view)

    def _chance(self, object_id: str, view: View) -> float:
        digest = hashlib.sha256(f"{self.seed}\n{object_id}\n{view.name}".encode()).digest()
        return int.from_bytes(digest[:8]) / 2.0**64
