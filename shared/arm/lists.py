"""Items of PIM's lists: what cannot be read keeps none of the others from being seen."""

import logging
from collections.abc import Callable

import msgspec

from shared.identifiers import SubscriptionId

_log = logging.getLogger(__name__)


def readable[T](
    item: msgspec.Raw, subscription_id: SubscriptionId, read: Callable[[msgspec.Raw, SubscriptionId], T | None]
) -> T | None:
    """One of a list, or None where it is not of the subscription, or cannot be read, which is told."""
    try:
        return read(item, subscription_id)
    except msgspec.DecodeError:
        _log.error("activation.unreadable subscription_id=%s", subscription_id)
        return None
