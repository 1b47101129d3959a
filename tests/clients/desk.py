"""The outbox and its courier as the app composes them, against the receiver: two hosts, one store."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path

import httpx

from shared.clock import SystemClock
from shared.identifiers import TenantId
from shared.notify.courier import Courier
from shared.notify.destinations import Destinations, destinations
from shared.notify.notices import Destination, Kept, Kind, Notice
from shared.notify.outbox import Outbox
from shared.notify.posting import Post
from shared.services import new_id
from tests.clients.shelf import Shelf, shelf
from tests.sandbox.azurite import Azurite
from tests.sandbox.certificates import Certificates
from tests.sandbox.faults import Faults
from tests.sandbox.population import guid
from tests.sandbox.receiver import Receiver

URL = "https://app.example"


class Desk:
    """An outbox, what it is delivered by, and who is told."""

    def __init__(self, at: Shelf, receiver: Receiver, http: httpx.AsyncClient) -> None:
        self.at, self.receiver, self.clock = at, receiver, at.clock
        self._http = http
        self.answer_seconds = 20.0
        self.to = destinations(receiver.webhook_url, receiver.key, "", receiver.teams_url)

    def outbox(self, host: int = 0, to: Destinations | None = None) -> Outbox:
        """The outbox as one of the hosts sees it."""
        return Outbox(self.at.table("Outbox", host), to or self.to, URL, new_id)

    def courier(self, host: int = 0, to: Destinations | None = None) -> Courier:
        """The courier of one of the hosts."""
        to = to or self.to
        post = Post(self._http, to, SystemClock(), seconds=self.answer_seconds)
        return Courier(self.outbox(host, to), post, to, self.clock)

    async def tell(self, *names: str, kind: Kind = Kind.REVIEW_DUE, host: int = 0) -> None:
        """Tell of each of these tenants, today."""
        now = self.clock.now()
        for name in names or ("fabrikam",):
            await self.outbox(host).tell(now.date(), Notice(kind=kind, at=now, tenant_id=TenantId(guid(name))))

    async def deliver_for(self, time: timedelta, *, every: timedelta = timedelta(minutes=1)) -> None:
        """Let that time pass, with a delivery now and then."""
        until = self.clock.now() + time
        while self.clock.now() < until:
            self.clock.advance(every)
            await self.courier().deliver()

    async def left(self, destination: Destination = Destination.WEBHOOK) -> list[Kept]:
        """What is undelivered."""
        return [found.kept async for found in self.outbox().undelivered(destination)]

    def ids(self, endpoint: str = "webhook") -> Sequence[str]:
        """The ids of what came, in order."""
        return [one.id for one in self.receiver.came[endpoint]]


@asynccontextmanager
async def desk(folder: Path, azurite: Azurite) -> AsyncIterator[Desk]:
    """For one test; it ends without a message that no receiver would take."""
    certificates = Certificates(folder / "certificates")
    wrong: list[str] = []
    async with shelf(folder, azurite) as at, httpx.AsyncClient(verify=certificates.client_context()) as http:
        receiver = Receiver(
            clock=at.clock,
            points=at.points,
            faults=Faults.none(),
            context=certificates.server_context(),
            violate=wrong.append,
        )
        await receiver.start()
        try:
            yield Desk(at, receiver, http)
        finally:
            await receiver.stop()
    assert wrong == []
