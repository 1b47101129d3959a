"""A vendor call that is refused until somebody puts the cause right."""

from tests.sandbox.graph.errors import GraphError, forbidden
from tests.sandbox.points import Points


class Refusal:
    """Refuses every hit of one call, named `METHOD path` below the version, after letting the first few pass."""

    def __init__(
        self, points: Points, call: str, error: GraphError | None = None, *, passes: int = 0, reads: bool = False
    ) -> None:
        method, path = call.split(" ", 1)
        self._points = points
        self._kind = "vendor-read.before" if reads else "vendor.before"
        self._label = f"{method} /v1.0{path}"
        self._error = error or forbidden()
        self._lifted = False
        self.hits = 0
        self._arm(self._seen() + passes)

    def lift(self) -> None:
        """From now on the call is served."""
        self._lifted = True

    async def _refuse(self) -> None:
        if self._lifted:
            return
        self.hits += 1
        self._arm(self._seen())
        raise self._error

    def _arm(self, nth: int) -> None:
        self._points.arm(self._kind, self._label, nth, self._refuse)

    def _seen(self) -> int:
        return self._points.passed(self._kind, self._label)
