"""What the pages show, read: the rows of requests, and who asked for them."""

from collections.abc import Sequence

from shared.approvals.views import Shown, Waiting
from shared.identifiers import ObjectId, SubscriptionId
from shared.services import Services


async def waiting_for(services: Services, person_id: ObjectId) -> Sequence[Waiting]:
    """What waits for the person's decision, the oldest first."""
    return []


async def shown_to(
    services: Services, person_id: ObjectId, subscription_id: SubscriptionId, request_id: str
) -> Shown | None:
    """A request, for somebody who may see it; None where there is none for them."""
    return None
