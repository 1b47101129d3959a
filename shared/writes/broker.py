"""Privileged writes of Tenantry Broker: a role for a time, once it was approved here; and its early end."""

from typing import Any

import msgspec

from shared.activation.record import Deed, Request
from shared.arm.activation_shapes import ActiveAssignment, AskedActivation
from shared.arm.broker import Broker
from shared.permissions import Registration
from shared.privileged import OpenIntent, PrivilegedWrite, sender
from shared.services import Services
from shared.writes.sight import OfAccess, OfBroker, Sight

GRANT_ACT, TAKE_BACK_ACT = 49, 50


def rebuilt(services: Services, record: Request, kind: str) -> PrivilegedWrite[Any]:
    """What was sent, to be read back: as Tenantry Access, where another app is the broker, or it is gone."""
    return (
        granting(services, services.broker, record)
        if kind == Deed.GRANT
        else taking_back(services, services.broker, record)
    )


def granting(services: Services, broker: Broker | None, record: Request) -> PrivilegedWrite[AskedActivation | None]:
    """Who asked is active for as long as they asked for. Its name at PIM is the request's: there is never a second one."""
    asked, by = record.asked, "" if record.decision is None else record.decision.by
    sight = _sight(services, broker)
    justification = f"Request {record.request_id}, approved by {by} in Tenantry: {asked.justification}"[:500]

    async def send(_: AskedActivation | None, intent: OpenIntent) -> str:
        return await sender(broker).grant(asked, justification, intent)

    return PrivilegedWrite(
        kind=Deed.GRANT,
        arguments={},
        registration=Registration.BROKER,
        where=services.settings.source_tenant_id,
        object_name=f"broker's grant of activation request {record.request_id}",
        what="make active for an Azure role, for a time",
        act=GRANT_ACT,
        wanted={"principal": asked.principal_id, "role": asked.role_definition_id, "minutes": asked.minutes},
        read=lambda: sight.asked(record),
        satisfied=lambda found: found is not None,
        send=send,
        picture=msgspec.to_builtins,
    )


def taking_back(services: Services, broker: Broker | None, record: Request) -> PrivilegedWrite[ActiveAssignment | None]:
    """The broker's grant ends before its end."""
    sight = _sight(services, broker)

    async def send(_: ActiveAssignment | None, intent: OpenIntent) -> str:
        return await sender(broker).take_back(record.asked, services.new_id(), intent)

    return PrivilegedWrite(
        kind=Deed.RELEASE,
        arguments={},
        registration=Registration.BROKER,
        where=services.settings.source_tenant_id,
        object_name=f"broker's release of activation request {record.request_id}",
        what="take an active Azure role back before its end",
        act=TAKE_BACK_ACT,
        wanted=None,
        read=lambda: sight.active(record),
        satisfied=lambda found: found is None,
        send=send,
        picture=msgspec.to_builtins,
        patient=True,  # a list shows for a while what is taken back
    )


def _sight(services: Services, broker: Broker | None) -> Sight:
    return OfAccess(services) if broker is None else OfBroker(broker)
