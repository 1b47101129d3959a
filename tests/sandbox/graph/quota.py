"""Throttling that documents give figures for (section 10), counted in business time."""

import math
from collections import defaultdict, deque
from datetime import timedelta

from tests.sandbox.graph.errors import throttled
from tests.sandbox.graph.models.ground import Ground

ON_DEMAND = "provisionOnDemand"
REPORTS = "reports"
CONDITIONAL_ACCESS = "conditionalAccess"
HUNTING = "hunting"
_CRAWL = "crawl"
_LIMITS = {
    ON_DEMAND: (5, timedelta(seconds=10)),
    REPORTS: (5, timedelta(seconds=10)),
    CONDITIONAL_ACCESS: (1, timedelta(seconds=1)),
    HUNTING: (45, timedelta(minutes=1)),
}
_OVER_ALL_APPS = frozenset({CONDITIONAL_ACCESS, HUNTING})


class Quotas:
    """Sliding windows by limit, tenant and, where the limit is not one for all of them, application."""

    def __init__(self, ground: Ground) -> None:
        self._ground = ground
        self._passed: dict[tuple[str, str, str], deque[float]] = defaultdict(deque)
        self.refusals: dict[str, int] = defaultdict(int)
        self.crawling: dict[str, timedelta] = {}
        """Tenants whose administrator or neighbours have used them up: one call passes in so much time."""

    def crawl(self, tenant_id: str) -> None:
        """Let a call to a tenant that crawls pass, or refuse it with 429."""
        span = self.crawling.get(tenant_id)
        if span is not None:
            self._count(_CRAWL, 1, span, (_CRAWL, tenant_id, ""), tells=True)

    def take(self, limit: str, tenant_id: str, app_id: str) -> None:
        """Count the request, or refuse it with 429. Conditional access tells no Retry-After."""
        most, span = _LIMITS[limit]
        key = (limit, tenant_id, "" if limit in _OVER_ALL_APPS else app_id)
        self._count(limit, most, span, key, tells=limit != CONDITIONAL_ACCESS)

    def _count(self, limit: str, most: int, span: timedelta, key: tuple[str, str, str], *, tells: bool) -> None:
        passed = self._passed[key]
        now = self._ground.now().timestamp()
        while passed and passed[0] <= now - span.total_seconds():
            passed.popleft()
        if len(passed) >= most:
            self.refusals[limit] += 1
            wait = math.ceil(passed[0] + span.total_seconds() - now)
            raise throttled(max(1, wait) if tells else None)
        passed.append(now)
