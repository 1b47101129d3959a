"""A decision at the page: its person came back from Entra with a token, which is spent on it and dropped."""

from shared.approvals.entra import Arrived
from shared.approvals.views import Told
from shared.approvals.visits import Pending
from shared.durable import Orchestrations
from shared.services import Services


async def decide_as(services: Services, orchestrations: Orchestrations, arrived: Arrived, pending: Pending) -> Told:
    """Decide in the name of who came back, with their token. Raises ClaimsChallenge where Azure wants more of them."""
    raise NotImplementedError
