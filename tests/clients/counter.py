"""Pricing as the app composes it, against the price list and Azure: the bench's clouds, and a table of its own."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import msgspec

from shared.activation.budget_book import BudgetBook
from shared.activation.cost import Estimate
from shared.activation.plan import Plan
from shared.activation.price_book import PriceBook
from shared.activation.pricing import priced
from shared.arm.budgets import Budgets
from shared.arm.prices import Prices
from shared.services import Services, build, new_id
from tests.clients.bench import Bench
from tests.clients.shelf import Shelf, shelf
from tests.sandbox.azurite import Azurite
from tests.sandbox.prices.server import LABEL, Retail


class Counter:
    """Services of two hosts that share a table of prices."""

    def __init__(self, bench: Bench, at: Shelf) -> None:
        self.bench, self.at = bench, at
        self.clock = bench.world.clock
        self._composed = build(bench.settings, self.clock)

    def services(self, host: int = 0) -> Services:
        """Those of one of the hosts."""
        prices = Prices(self.bench.settings.prices_endpoint, self.bench.world.client, self.clock)
        book = PriceBook(self.at.table("Prices", host), prices, self.clock, new_id)
        budgets = BudgetBook(self.at.table("Budgets", host), Budgets(lambda: self.bench.arm), self.clock, new_id)
        return msgspec.structs.replace(self._composed, prices=book, budgets=budgets)

    @property
    def retail(self) -> Retail:
        """What is sold."""
        return self.bench.world.clouds.retail

    async def price(self, plan: Plan, currency: str = "USD", host: int = 0) -> Estimate:
        """The estimate for an activation of eight hours."""
        return await priced(self.services(host), plan, 8, currency)

    @property
    def asked(self) -> list[str]:
        """The filters that the price list was asked for, in order."""
        entries = [one for one in self.bench.world.clouds.recorder.entries if one.service == "prices"]
        return [one.query["$filter"] for one in entries]

    @property
    def hits(self) -> int:
        """How often it was asked."""
        return len([hit for hit in self.bench.world.points.log if hit.label == LABEL])


@asynccontextmanager
async def counter(bench: Bench, folder: Path, azurite: Azurite) -> AsyncIterator[Counter]:
    """For one test. The clock of the table is its own: what counts is that of the bench."""
    async with shelf(folder, azurite, clock="clock-of-the-table") as at:
        yield Counter(bench, at)
