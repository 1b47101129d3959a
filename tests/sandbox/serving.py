"""What every call to a vendor goes through: checks, points, faults, lost answers, headers and the recording."""

import asyncio
import json
import time
from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime

from aiohttp import web

from tests.sandbox.answers import Answer, VendorError
from tests.sandbox.faults import Fault, Faults
from tests.sandbox.points import Cut, Points
from tests.sandbox.recorder import Recorded, Recorder


@dataclass(frozen=True, slots=True, kw_only=True)
class Who:
    """What the recording says of the caller."""

    tenant_id: str
    app_id: str
    roles: tuple[str, ...] = ()
    on_behalf_of: str | None = None


@dataclass(slots=True)
class Exchange:
    """One request on its way through: what the recording will say of it, and the headers that its answer carries."""

    request: web.Request
    raw: bytes
    headers: dict[str, str]
    who: Who | None = None
    body: object = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Accepted:
    """A call that passed all checks that come before anything can go wrong on purpose, and what is done with it.

    `throttling` is what a fault answers. `admit` comes after the faults: what it raises is told before anything is
    done, so such an answer passes no point and is never lost. `serve` does the work.
    """

    label: str
    writes: bool
    throttling: Callable[[], VendorError]
    serve: Callable[[], Answer]
    admit: Callable[[], None] = lambda: None


class VendorServer(ABC):
    """One handler for every path of a vendor. What is a vendor's own is in the abstract methods."""

    service: str
    """Its name in the recording and among violations."""
    gateway_timeout: VendorError
    """How it tells that it does not know what was done."""

    def __init__(
        self,
        *,
        now: Callable[[], datetime],
        points: Points,
        faults: Faults,
        recorder: Recorder,
        violate: Callable[[str], None],
    ) -> None:
        self._now = now
        self._points = points
        self._faults = faults
        self._recorder = recorder
        self._violate = violate
        self._losses: Counter[str] = Counter()
        self.url = ""
        self.latency = 0.0
        """Seconds of machine time that each call takes, as a far service would; for benchmarks."""
        self.busy = 0.0
        """Seconds of machine time that calls have taken so far, this one's own work among them."""

    @abstractmethod
    def _ids(self, request: web.Request) -> dict[str, str]:
        """The headers of every answer that tell one request from another."""

    @abstractmethod
    def _accepted(self, exchange: Exchange) -> Accepted:
        """The token and the route; says in the exchange who calls and with what body."""

    @abstractmethod
    def _envelope(self, exchange: Exchange, error: VendorError) -> dict[str, object]:
        """An error's body."""

    async def handle(self, request: web.Request) -> web.StreamResponse:
        """Answer, or drop the connection where a fault or a test wants that."""
        began = time.perf_counter()
        try:
            if self.latency:
                await asyncio.sleep(self.latency)
            return await self._handled(request)
        finally:
            self.busy += time.perf_counter() - began

    async def _handled(self, request: web.Request) -> web.StreamResponse:
        exchange = Exchange(request, await request.read(), self._ids(request))
        lost = False
        try:
            answer, lost = await self._answered(exchange, self._accepted(exchange))
        except VendorError as error:
            answer = self._refusal(exchange, error)
        except Cut:
            self._record(exchange, 0, None)
            raise
        self._record(exchange, answer.status, answer.body)
        if lost:
            raise Cut
        headers: Mapping[str, str] = {**exchange.headers, **answer.headers}
        if answer.body is None:
            return web.Response(status=answer.status, headers=headers)
        return web.json_response(answer.body, status=answer.status, headers=headers)

    async def _answered(self, exchange: Exchange, call: Accepted) -> tuple[Answer, bool]:
        """The answer, and whether it is to be lost. Between the two points nothing waits: the state is consistent."""
        await self._points.hit("vendor.before" if call.writes else "vendor-read.before", call.label)
        fault = self._faults.next("vendor", call.label)
        if fault is Fault.THROTTLE:
            raise call.throttling()
        if fault is Fault.SERVER_ERROR:
            raise VendorError(503, "ServiceUnavailable", "The service is temporarily unavailable.")
        call.admit()
        try:
            answer = call.serve()
        except VendorError as error:
            answer = self._refusal(exchange, error)
        if call.writes:
            try:
                await self._points.hit("vendor.after", call.label)
            except Cut:
                return answer, True
        if fault is Fault.LOST_ANSWER:
            # What was done is not told: every other time by a 504, which looks as if nothing had happened.
            self._losses[call.label] += 1
            if self._losses[call.label] % 2 == 0:
                return self._refusal(exchange, self.gateway_timeout), False
            return answer, True
        return answer, False

    def _refusal(self, exchange: Exchange, error: VendorError) -> Answer:
        if error.violation:
            request = exchange.request
            self._violate(f"{self.service}: {request.method} {request.rel_url}: {error.code}: {error.message}")
        return Answer(status=error.status, body=self._envelope(exchange, error), headers=error.headers)

    def _record(self, exchange: Exchange, status: int, response: object) -> None:
        request, who = exchange.request, exchange.who
        self._recorder.add(
            Recorded(
                at=self._now(),
                service=self.service,
                tenant_id=who.tenant_id if who else None,
                app_id=who.app_id if who else None,
                roles=who.roles if who else (),
                on_behalf_of=who.on_behalf_of if who else None,
                method=request.method,
                path=request.path,
                query=dict(request.query),
                request=exchange.body,
                status=status,
                response=response,
            )
        )


def json_or_text(raw: bytes) -> object:
    """A body for the recording; one that is no JSON is refused later, where the route is known."""
    if not raw:
        return None
    try:
        return json.loads(raw)
    except ValueError:
        return raw.decode("utf-8", "replace")
