"""The nightly reconcile: what Azure has in force, beside what we know to be decided. Access without a decision is told.

It ends nothing: access that should not be is a person's to take back.
"""

import logging
from collections.abc import Sequence

from shared.activation.following import active_of
from shared.activation.locked import locked_subscriptions
from shared.activation.record import Request, State
from shared.activation.taking_up import follow, take_up
from shared.arm.activation_shapes import ActiveAssignment, AskedActivation, Standing
from shared.identifiers import SubscriptionId
from shared.notify.notices import Kind, Notice
from shared.orchestrations import Orchestrations
from shared.services import Services
from shared.side_by_side import KeptApart, each_of

_log = logging.getLogger(__name__)

_AT_ONCE = 20
WITHOUT_DECISION = "accessWithoutDecision"


async def reconcile_activations(services: Services, orchestrations: Orchestrations) -> None:
    """All locked subscriptions. One that fails does not stop the others."""
    locked = await locked_subscriptions(services)

    async def one(subscription_id: SubscriptionId) -> None:
        with KeptApart(_log, "reconcile.postponed", subscription_id=subscription_id):
            await _reconciled(services, orchestrations, subscription_id, locked[subscription_id].roles)

    await each_of(locked, one, at_once=_AT_ONCE)


async def _reconciled(
    services: Services, orchestrations: Orchestrations, subscription_id: SubscriptionId, roles: Sequence[str]
) -> None:
    in_force = await services.azure_activations.in_force(subscription_id)
    activated = [one for one in in_force if one.is_activated and one.role_definition_id in roles]
    approved = [one for one in await services.activations.open_of(subscription_id) if one.state is State.APPROVED]
    for record in approved:
        if active_of(record.asked, in_force, assigned=record.brokered) is None:
            await follow(services, orchestrations, record.request_id)
    strange = [one for one in activated if not _is_known(one, approved)]
    if strange:
        asked = await services.azure_activations.asked(subscription_id)
        for one in strange:
            await _tell(services, orchestrations, subscription_id, one, asked)


async def _tell(
    services: Services,
    orchestrations: Orchestrations,
    subscription_id: SubscriptionId,
    active: ActiveAssignment,
    asked: Sequence[AskedActivation],
) -> None:
    """A request that we did not know is taken up: its run tells what was passed over. Without one, it is told as it is."""
    granted = [one for one in asked if one.standing is Standing.GRANTED and active_of(one, [active]) is not None]
    if granted:
        await take_up(services, orchestrations, max(granted, key=lambda one: one.created))
        return
    now = services.clock.now()
    _log.error("activation.without_decision subscription_id=%s", subscription_id)
    notice = Notice(
        kind=Kind.VIOLATION,
        at=now,
        subscription_id=subscription_id,
        principal_id=active.principal_id,
        role_definition_id=active.role_definition_id,
        why=WITHOUT_DECISION,
        end=active.end,
    )
    await services.outbox.tell(now.date(), notice)


def _is_known(active: ActiveAssignment, approved: Sequence[Request]) -> bool:
    return any(active_of(one.asked, [active]) is not None for one in approved)
