"""What goes wrong by itself: throttling, server errors, lost answers, a slow directory, restarts of the host.

Each decision is a pure function of seed, kind, label and the running number of that kind and label, so a seed repeats.
Of three in a row with the same label at most two fail: whoever tries again gets through.
"""

import hashlib
from collections import Counter
from enum import Enum
from typing import Self


class Fault(Enum):
    """What the server is to do with a request."""

    THROTTLE = "throttle"  # answer 429, change nothing
    SERVER_ERROR = "server error"  # answer 5xx, change nothing
    LOST_ANSWER = "lost answer"  # do it, then drop the connection
    REFUSED = "refused"  # the store's 503 ServerBusy, change nothing
    RESTART = "restart"  # kill the app's process and start it again


class Faults:
    """Rates per kind of fault, and the decisions that follow from the seed.

    Kinds: `vendor` (writes and reads), `login`, `store`, `restart`.
    """

    def __init__(
        self,
        seed: int,
        *,
        throttle: float = 0.0,
        server_error: float = 0.0,
        lost_answer: float = 0.0,
        refused_store: float = 0.0,
        replication_seconds: tuple[float, float] = (0.0, 0.0),
        restart: float = 0.0,
    ) -> None:
        self.seed = seed
        self.replication_seconds = replication_seconds
        vendor = ((Fault.THROTTLE, throttle), (Fault.SERVER_ERROR, server_error), (Fault.LOST_ANSWER, lost_answer))
        self._rates: dict[str, tuple[tuple[Fault, float], ...]] = {
            "vendor": vendor,
            "login": vendor,
            "store": ((Fault.REFUSED, refused_store), (Fault.LOST_ANSWER, lost_answer)),
            "restart": ((Fault.RESTART, restart),),
        }
        self.paused = False
        self._counts: Counter[tuple[str, str]] = Counter()

    @classmethod
    def none(cls, seed: int = 0) -> Self:
        """Nothing goes wrong and the directory is quick."""
        return cls(seed)

    @classmethod
    def harsh(cls, seed: int) -> Self:
        """A bad day: everything goes wrong now and then, and objects hide for up to ten minutes."""
        return cls(
            seed,
            throttle=0.08,
            server_error=0.05,
            lost_answer=0.05,
            refused_store=0.05,
            replication_seconds=(20.0, 600.0),
            restart=0.004,
        )

    @property
    def none_ever(self) -> bool:
        """Whether nothing ever goes wrong by itself."""
        return not any(rate for rates in self._rates.values() for _, rate in rates)

    def next(self, kind: str, label: str) -> Fault | None:
        """The decision for the next request of this kind and label; counts by itself. Paused: none, and not counted."""
        if self.paused:
            return None
        nth = self._counts[kind, label]
        self._counts[kind, label] += 1
        return self.decide(kind, label, nth)

    def decide(self, kind: str, label: str, nth: int) -> Fault | None:
        """The decision for one request, always the same."""
        if nth % 3 == 2:
            return None
        chance = self._chance(kind, label, nth)
        for fault, rate in self._rates[kind]:
            if chance < rate:
                return fault
            chance -= rate
        return None

    def replication(self, label: str) -> float:
        """Seconds that the next new object of this label stays hidden somewhere."""
        nth = self._counts["replication", label]
        self._counts["replication", label] += 1
        low, high = self.replication_seconds
        return low + (high - low) * self._chance("replication", label, nth)

    def _chance(self, kind: str, label: str, nth: int) -> float:
        digest = hashlib.sha256(f"{self.seed}\n{kind}\n{label}\n{nth}".encode()).digest()
        return int.from_bytes(digest[:8]) / 2.0**64


PRESETS = {"none": Faults.none, "harsh": Faults.harsh}
