"""Tables in the real Azurite behind the proxy that can fail, for two writers that know nothing of each other."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from azure.data.tables.aio import TableServiceClient

from shared.tables import Table
from tests.sandbox.azurite import Azurite
from tests.sandbox.clock import SharedClock
from tests.sandbox.points import Points
from tests.sandbox.store_proxy import StoreProxy


class Shelf:
    """A storage account. `writers` are as two processes of the app would be: each with connections of its own."""

    def __init__(self, services: list[TableServiceClient], clock: SharedClock, points: Points) -> None:
        self.clock = clock
        self.points = points
        self._services = services

    def table(self, name: str = "Things", writer: int = 0) -> Table:
        """A table as one of the writers sees it."""
        return Table(self._services[writer].get_table_client, name, self.clock)

    def writes(self) -> list[str]:
        """Every write that reached the store, by label, tables being made left out."""
        return [
            hit.label for hit in self.points.log if hit.kind == "store.before" and not hit.label.endswith(" Tables")
        ]


@asynccontextmanager
async def shelf(folder: Path, azurite: Azurite, *, clock: str = "clock") -> AsyncIterator[Shelf]:
    """An empty account for one test."""
    account, points = azurite.take(), Points()
    shared = SharedClock.create(folder / clock)
    proxy = StoreProxy(accounts=(account,), points=points)
    await proxy.start()
    connection = account.connection_string(proxy.url)
    services = [TableServiceClient.from_connection_string(connection, retry_total=0) for _ in range(2)]
    try:
        yield Shelf(services, shared, points)
    finally:
        for service in services:
            await service.close()
        await proxy.stop()
        shared.close()
