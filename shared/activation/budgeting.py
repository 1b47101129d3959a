"""The budget of a locked subscription, as whoever looks may know it: asked of Azure, or kept when Azure was asked last.

Only the worker asks: it may read budgets, and what people ask over HTTP is answered from what it kept.
"""

import logging

from msgspec.structs import replace

from shared.activation.budget import BudgetView, is_news, view
from shared.activation.budget_book import SERVES
from shared.activation.locked import locked_subscriptions
from shared.activation.record import Request
from shared.errors import RemoteError
from shared.identifiers import SubscriptionId
from shared.services import Services
from shared.side_by_side import KeptApart, each_of
from shared.subscriptions.lockdown import Budget, LockDown

_log = logging.getLogger(__name__)

_AT_ONCE = 20
_NOT_YET = "Azure's budget was not read yet, which is done every hour"


async def budget_of(
    services: Services, subscription_id: SubscriptionId, budget: Budget, currency: str
) -> BudgetView | None:
    """The declared budget, with what Azure's budget of the declared name says now; None where none is declared.

    Raises the RemoteErrors of Azure.
    """
    if not budget.azure_name:
        return view(budget, None, currency, services.clock.now())
    kept = await services.budgets.read(subscription_id, budget.azure_name)
    return view(budget, kept.found, currency, kept.at)


async def budget_now(services: Services, subscription_id: SubscriptionId, lock_down: LockDown) -> BudgetView | None:
    """The budget as Azure tells it; one of unknown figures where Azure cannot be asked; None where none is declared."""
    currency = lock_down.money.currency
    try:
        return await budget_of(services, subscription_id, lock_down.budget, currency)
    except RemoteError as error:
        _log.warning("activation.no_budget subscription_id=%s reason=%s", subscription_id, error)
        # None would say that there is no budget, and nobody would hear of it.
        unread = _unread(type(error).__name__)
        return view(lock_down.budget, None, currency, services.clock.now(), unread=unread)


async def budget_kept(services: Services, subscription_id: SubscriptionId, lock_down: LockDown) -> BudgetView | None:
    """The budget as Azure told it last; one of unknown figures where it was never asked; None where none is declared."""
    name, currency = lock_down.budget.azure_name, lock_down.money.currency
    kept = await services.budgets.kept(subscription_id, name) if name else None
    if kept is None:
        return view(lock_down.budget, None, currency, services.clock.now(), unread=_NOT_YET if name else "")
    if services.clock.now() - kept.at > SERVES:
        old = f"Azure's budget was last read at {kept.at:%Y-%m-%d %H:%M} UTC, too long ago to count"
        return view(lock_down.budget, None, currency, kept.at, unread=old)
    return view(lock_down.budget, kept.found, currency, kept.at, unread=_unread(kept.unread))


async def with_budget(services: Services, record: Request, budget: BudgetView | None) -> Request:
    """The request with the budget as it is by now: what is spent changes while it waits. An older look changes nothing."""
    if record.priced is None or budget is None:
        return record

    def put(found: Request) -> Request | None:
        if found.priced is None or not is_news(budget, found.priced.budget):
            return None
        return replace(found, priced=replace(found.priced, budget=budget))

    if put(record) is None:
        return record
    return (await services.activations.change(record.request_id, put)).record


async def read_budgets(services: Services) -> None:
    """Ask Azure for the budgets of all locked subscriptions. One that does not answer keeps what was read before."""
    locked = await locked_subscriptions(services)
    named = {key: one.budget.azure_name for key, one in locked.items() if one.budget.azure_name}

    async def one(subscription_id: SubscriptionId) -> None:
        with KeptApart(_log, "budget.postponed", subscription_id=subscription_id):
            await services.budgets.read(subscription_id, named[subscription_id])

    await each_of(named, one, at_once=_AT_ONCE)


def _unread(error: str) -> str:
    return f"Azure's budgets cannot be read now ({error})" if error else ""
