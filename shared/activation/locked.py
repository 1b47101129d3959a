"""The subscriptions that are locked down, whatever is looked for on them."""

from shared.identifiers import SubscriptionId
from shared.services import Services
from shared.subscriptions.lockdown import LockDown

_PAGE = 200


async def locked_subscriptions(services: Services) -> dict[SubscriptionId, LockDown]:
    """All of them, with how they are locked down."""
    found: dict[SubscriptionId, LockDown] = {}
    token: object = None
    while True:
        records, token = await services.subscriptions.list(size=_PAGE, token=token)
        found.update({one.subscription_id: one.lock_down for one in records if one.lock_down is not None})
        if token is None:
            return found
