"""What Azure said of budgets, kept in a table with the time at which it was asked: an app that may not ask reads it there.

Azure's own figures are hours old, so one that was read within the hour is as good as one that is read now.
"""

from datetime import datetime, timedelta

import msgspec

from shared.arm.budget_shapes import AzureBudget
from shared.arm.budgets import Budgets
from shared.clock import Clock
from shared.errors import RemoteError
from shared.identifiers import NewId, SubscriptionId
from shared.rows import Row, encode
from shared.tables import Table, readable

SERVES = timedelta(days=1)
"""How long a figure is told while no newer can be read."""


class KeptBudget(msgspec.Struct, frozen=True, kw_only=True):
    """A budget as it was read. `found` None: there is none of that name, or, where `unread` says why, nobody could ask."""

    at: datetime
    found: AzureBudget | None
    unread: str = ""


class BudgetBook:
    """Budgets by subscription and name."""

    def __init__(self, table: Table, budgets: Budgets, clock: Clock, new_id: NewId) -> None:
        self._table = table
        self._budgets = budgets
        self._clock = clock
        self._new_id = new_id

    async def read(self, subscription_id: SubscriptionId, name: str) -> KeptBudget:
        """The budget as Azure tells it now; it is kept. Raises the RemoteErrors of Azure, which are kept where nothing of the
        last day is.
        """
        now = self._clock.now()
        try:
            found = await self._budgets.read(subscription_id, name)
        except RemoteError as error:
            known = await self.kept(subscription_id, name)
            if known is None or known.unread or now - known.at > SERVES:
                await self._keep(subscription_id, name, KeptBudget(at=now, found=None, unread=type(error).__name__))
            raise
        return await self._keep(subscription_id, name, KeptBudget(at=now, found=found))

    async def kept(self, subscription_id: SubscriptionId, name: str) -> KeptBudget | None:
        """The budget as it was read last; None where it never was."""
        row = await self._table.get(subscription_id, name.lower())
        return None if row is None else readable(row, KeptBudget)

    async def _keep(self, subscription_id: SubscriptionId, name: str, kept: KeptBudget) -> KeptBudget:
        # Whoever comes last writes the same: what Azure says now.
        row = Row(partition=subscription_id, key=name.lower(), body=encode(kept), nonce=self._new_id())
        await self._table.upsert(row)
        return kept
