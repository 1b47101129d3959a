"""Who looks at an activation request in Azure: Tenantry Access at any, the broker at its grants, an engineer at their own."""

from typing import Protocol

from shared.activation.following import active_of
from shared.activation.record import Request
from shared.arm.activation_shapes import ACTIVATED, ASSIGNED, ActiveAssignment, AskedActivation
from shared.arm.as_person import AsPerson
from shared.arm.broker import Broker
from shared.services import Services


class Sight(Protocol):
    """Both raise the RemoteErrors of Azure. `is_whole`: what is not shown is not there; else it may only show late."""

    is_whole: bool

    async def asked(self, record: Request) -> AskedActivation | None:
        """The request as PIM shows it; None where it shows none."""
        ...

    async def active(self, record: Request) -> ActiveAssignment | None:
        """The active assignment that the request led to."""
        ...


class OfAccess:
    """As Tenantry Access: any request, the engineer's, or the broker's for them."""

    is_whole = True

    def __init__(self, services: Services) -> None:
        self._activations = services.azure_activations

    async def asked(self, record: Request) -> AskedActivation | None:
        """As above."""
        kind = ASSIGNED if record.brokered else ACTIVATED
        return await self._activations.read(record.subscription_id, record.asked.below, record.request_id, kind)

    async def active(self, record: Request) -> ActiveAssignment | None:
        """As above."""
        found = await self._activations.in_force(record.subscription_id, record.asked.principal_id)
        return active_of(record.asked, found, assigned=record.brokered)


class OfBroker:
    """As Tenantry Broker: what it was asked to grant, where it may look."""

    is_whole = True

    def __init__(self, broker: Broker) -> None:
        self._broker = broker

    async def asked(self, record: Request) -> AskedActivation | None:
        """As above."""
        return await self._broker.read(record.subscription_id, record.request_id)

    async def active(self, record: Request) -> ActiveAssignment | None:
        """As above."""
        return active_of(record.asked, await self._broker.in_force(record.asked), assigned=True)


class OfEngineer:
    """By the engineer's own token: their own requests, at the subscription itself. Raises ClaimsChallenge besides."""

    is_whole = False

    def __init__(self, person: AsPerson) -> None:
        self._person = person

    async def asked(self, record: Request) -> AskedActivation | None:
        """As above."""
        return await self._person.asked(record.subscription_id, record.request_id)

    async def active(self, record: Request) -> ActiveAssignment | None:
        """As above."""
        return active_of(record.asked, await self._person.in_force(record.subscription_id))
