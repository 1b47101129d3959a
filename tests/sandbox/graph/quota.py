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

    def take(self, limit: str, tenant_id: str, app_id: str) -> None:
        """Count the request, or refuse it with 429. Conditional access tells no Retry-After."""
        most, span = _LIMITS[limit]
        passed = self._passed[limit, tenant_id, "" if limit in _OVER_ALL_APPS else app_id]
        now = self._ground.now().timestamp()
        while passed and passed[0] <= now - span.total_seconds():
            passed.popleft()
        if len(passed) >= most:
            self.refusals[limit] += 1
            wait = math.ceil(passed[0] + span.total_seconds() - now)
            raise throttled(None if limit == CONDITIONAL_ACCESS else max(1, wait))
        passed.append(now)
