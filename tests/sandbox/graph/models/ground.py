"""What all models stand on: time, replication, open questions and new ids."""

import hashlib
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from tests.sandbox.clock import SharedClock
from tests.sandbox.graph.replication import Replication, View
from tests.sandbox.switches import Switches


@dataclass(slots=True, kw_only=True)
class Ground:
    """Shared by every tenant of a world."""

    clock: SharedClock
    replication: Replication
    switches: Switches
    seed: int = 0
    _ids: int = field(default=0, init=False)

    def now(self) -> datetime:
        """Business time."""
        return self.clock.now()

    def new_id(self) -> str:
        """A GUID; the same seed gives the same ones in the same order."""
        self._ids += 1
        digest = hashlib.sha256(f"{self.seed}\n{self._ids}".encode()).digest()
        return str(UUID(bytes=digest[:16], version=4))

    def sees(self, object_id: str, made_at: datetime | None, view: View) -> bool:
        """Whether a reader has heard of the object by now."""
        return self.replication.sees(object_id, made_at, view, self.now())


class Replicated[T]:
    """A value whose readers see a write after a while (section 1.1: a replica can serve the old object)."""

    def __init__(self, ground: Ground, label: str, value: T) -> None:
        self._ground = ground
        self._label = label
        self._writes: list[tuple[datetime | None, T]] = [(None, value)]

    @property
    def latest(self) -> T:
        """What was written last; the service's own rules go by this."""
        return self._writes[-1][1]

    @property
    def seen(self) -> T:
        """What a reader gets now."""
        for number, (written_at, value) in reversed(list(enumerate(self._writes))):
            if self._ground.sees(f"{self._label}#{number}", written_at, View.ID):
                return value
        return self._writes[0][1]

    def write(self, value: T, *, at_once: bool = False) -> None:
        """A write by a caller, or one from before the world began."""
        if at_once:
            self._writes = [(None, value)]
        else:
            self._writes.append((self._ground.now(), value))
