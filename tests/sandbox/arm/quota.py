"""Resource Manager's token buckets (section 11), counted in business time."""

import math
from dataclasses import dataclass

from tests.sandbox.arm.errors import throttled
from tests.sandbox.graph.models.ground import Ground


@dataclass(frozen=True, slots=True, kw_only=True)
class Bucket:
    """How much it holds, and how much comes back each second."""

    size: int
    refill: float

    @property
    def for_everybody(self) -> "Bucket":
        """The subscription's own, for all principals together."""
        return Bucket(size=self.size * 15, refill=self.refill * 15)


READS, WRITES, DELETES = "reads", "writes", "deletes"
LIMITS = {
    READS: Bucket(size=250, refill=25),
    WRITES: Bucket(size=200, refill=10),
    DELETES: Bucket(size=200, refill=10),
}


@dataclass(slots=True)
class _Level:
    left: float
    at: float


class Buckets:
    """By subscription, or tenant where there is none, and principal; and one of each kind for the whole subscription."""

    def __init__(self, ground: Ground) -> None:
        self._ground = ground
        self._levels: dict[tuple[str, str, str], _Level] = {}
        self._crawling: dict[str, Bucket] = {}
        self.refusals: dict[str, int] = {}

    def crawl(self, subscription_id: str, *, size: int = 1, seconds: float = 60) -> None:
        """From now on every kind of this subscription's has `size`, and one comes back in that many seconds."""
        self._crawling[subscription_id.lower()] = Bucket(size=size, refill=1 / seconds)
        self._levels = {key: level for key, level in self._levels.items() if key[0] != subscription_id.lower()}

    def recover(self, subscription_id: str) -> None:
        """As before."""
        self._crawling.pop(subscription_id.lower(), None)
        self._levels = {key: level for key, level in self._levels.items() if key[0] != subscription_id.lower()}

    def take(self, where: str, principal_id: str, method: str) -> dict[str, str]:
        """The headers that tell what is left; raises a 429 with Retry-After from an empty bucket."""
        kind = {"GET": READS, "HEAD": READS, "DELETE": DELETES}.get(method, WRITES)
        bucket = self._crawling.get(where, LIMITS[kind])
        own, own_level = (where, principal_id, kind), bucket
        everybody, common = (where, "", kind), bucket if where in self._crawling else bucket.for_everybody
        left, left_for_all = self._filled(own, own_level), self._filled(everybody, common)
        for level, limit in ((left, own_level), (left_for_all, common)):
            if level.left < 1:
                self.refusals[where] = self.refusals.get(where, 0) + 1
                raise throttled(max(1, math.ceil((1 - level.left) / limit.refill)), kind)
        left.left -= 1
        left_for_all.left -= 1
        return {
            f"x-ms-ratelimit-remaining-subscription-{kind}": str(int(left.left)),
            f"x-ms-ratelimit-remaining-subscription-global-{kind}": str(int(left_for_all.left)),
        }

    def _filled(self, key: tuple[str, str, str], bucket: Bucket) -> _Level:
        now = self._ground.now().timestamp()
        level = self._levels.get(key)
        if level is None:
            level = self._levels[key] = _Level(bucket.size, now)
        level.left = min(bucket.size, level.left + (now - level.at) * bucket.refill)
        level.at = now
        return level
