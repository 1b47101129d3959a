"""The broker's part of a look: what was approved is granted, for a time; what is given back is taken. As Tenantry Broker.

The only module that leads to its writes. Without that identity in the deployment nothing is sent.
"""

import logging
from datetime import datetime

from msgspec.structs import replace

from shared.activation.acting import claim, fence_of, nonce_of, without_claim
from shared.activation.brokered import GRANTED_WITHIN, is_to_grant, is_to_take_back, is_waiting, ruled
from shared.activation.entitlement import is_declared
from shared.activation.following import claimed
from shared.activation.record import Activation, Change, Deed, Request, State, moved
from shared.activation.weighing import judged
from shared.arm.activation_shapes import AskedActivation
from shared.arm.broker import Broker
from shared.errors import Conflict, Forbidden, NotConsented, Rejected, RoleNotAllowed
from shared.privileged import IN_PATIENCE, NotYet
from shared.services import Services
from shared.subjects import IntentState
from shared.subscriptions.lockdown import ApprovalMode
from shared.subscriptions.record import Subscription
from shared.writes.broker import granting, taking_back
from shared.writes.sight import OfAccess, OfBroker

_log = logging.getLogger(__name__)

_NO_RIGHT = "Tenantry Broker may not do it: give it its custom role on the subscription, then ask again."


async def decided(services: Services, record: Request, subscription: Subscription | None) -> Request:
    """The request as what was said of it, by persons and by finance's webhook, decides it now."""
    lock_down = None if subscription is None or not services.settings.has_broker else subscription.record.lock_down
    if not is_waiting(record):
        return record
    ceiling, now = services.settings.webhook_ceiling, services.clock.now()

    def put(found: Request) -> Request | None:
        return ruled(found, lock_down, None if lock_down is None else judged(found, lock_down), ceiling, now)

    return (await services.activations.change(record.request_id, put)).record


async def granted(services: Services, record: Request, subscription: Subscription | None) -> Request:
    """Carry an approval out, unless what it rests on is not so any more, or it took too long. Where another app is the
    broker, only what stands in the way is seen to. Safe twice: the grant has the request's own name, and what PIM took, or
    may have taken, is waited for. Raises the RemoteErrors of a failure that heals.
    """
    broker, decision = services.broker, record.decision
    if not is_to_grant(record) or decision is None:
        return record
    is_there = await _shown(services, record) is not None
    why = "" if is_there else await _why_not(services, record, subscription)
    if why and not await _may_have_landed(services, record):
        return await _failed(services, record, why)
    if why or broker is None:
        return record
    mine = await claim(
        services, record.request_id, Deed.GRANT, decision.by or record.asked.principal_id, decision.reason
    )
    if mine is None:
        return record
    return await _sent(services, broker, mine)


async def taken_back(services: Services, record: Request) -> Request:
    """Take back what the engineer gives back, once PIM lets it go. Safe twice. Raises as `granted`."""
    broker = services.broker
    if broker is None or not is_to_take_back(record, services.clock.now()):
        return record
    mine = await claim(services, record.request_id, Deed.RELEASE, record.asked.principal_id, "given back")
    if mine is None:
        return record
    try:
        write = taking_back(services, broker, mine)
        result = await services.activation_intents.ensure(mine.request_id, fence_of(mine), write)
    except (Rejected, Forbidden, NotConsented, RoleNotAllowed) as error:
        _log.warning("activation.not_released request_id=%s reason=%s", record.request_id, error)
        return await _released(services, mine, f"It could not be taken back, and ends by itself. {_told(error)}")
    except BaseException:
        await _let_go(services, mine)
        raise
    if isinstance(result, NotYet) and not result.sent:
        return await _let_go(services, mine)
    return await _released(services, mine, "")


async def _shown(services: Services, record: Request) -> AskedActivation | None:
    """The grant, if PIM shows it: to Tenantry Access, or, in an app that may not act as that, to the broker itself.

    A broker that may not look meets the same when it sends, and that tells what to do.
    """
    if services.settings.role.works or services.broker is None:
        return await OfAccess(services).asked(record)
    try:
        return await OfBroker(services.broker).asked(record)
    except (Forbidden, NotConsented):
        return None


async def _may_have_landed(services: Services, record: Request) -> bool:
    """Whether a grant was sent whose answer got lost, and which may still come to light."""
    found = await services.activations.read(record.request_id)
    return found is not None and _is_on_its_way(found, services.clock.now())


def _is_on_its_way(found: Activation, now: datetime) -> bool:
    opened = [one for one in found.intents.values() if one.state is IntentState.OPEN]
    return any(one.attempted is not None and now < one.attempted + IN_PATIENCE for one in opened)


def _is_made(found: Activation, now: datetime) -> bool:
    """Whether the broker made the grant just now: it may not show yet to who looks as somebody else."""
    made = [one for one in found.intents.values() if one.kind == Deed.GRANT and one.outcome == "done"]
    return any(now < one.opened + IN_PATIENCE for one in made)


async def _sent(services: Services, broker: Broker, mine: Request) -> Request:
    uncertain = await _may_have_landed(services, mine)
    try:
        await services.activation_intents.ensure(mine.request_id, fence_of(mine), granting(services, broker, mine))
    except (Rejected, Conflict, Forbidden, NotConsented, RoleNotAllowed) as error:
        _log.warning("activation.not_granted request_id=%s reason=%s", mine.request_id, error)
        if uncertain:
            # It may be refused because the one before landed: the next look sees that one.
            return mine
        return await _failed(services, mine, _told(error), nonce_of(mine))
    finally:
        record = await _let_go(services, mine)
    return record


async def _why_not(services: Services, record: Request, subscription: Subscription | None) -> str:
    """Why it is not to be granted (any more), though it was approved."""
    if not services.settings.has_broker:
        return "there is no broker any more"
    asked, lock_down = record.asked, None if subscription is None else subscription.record.lock_down
    if subscription is None or lock_down is None or lock_down.mode is not ApprovalMode.BROKER:
        return "the subscription is not in the mode broker any more"
    if asked.role_definition_id not in lock_down.roles:
        return "the role is not locked down on the subscription any more"
    if (asked.minutes or 0) > lock_down.hours * 60:
        return f"the longest activation on the subscription is {lock_down.hours} hours by now"
    if record.decision is not None and services.clock.now() >= record.decision.at + GRANTED_WITHIN:
        return "it could not be made so within an hour after it was approved"
    user = await services.directory.source_user(asked.principal_id)
    if user is None or user.account_enabled is False:
        return "the requester's account is gone, or disabled"
    if not await is_declared(services, asked.principal_id, subscription, asked.role_definition_id):
        return "the requester is not declared for the role any more"
    return ""


async def _failed(services: Services, record: Request, why: str, nonce: str = "") -> Request:
    """`nonce`: of the claim of who says so, where that is the broker."""
    now = services.clock.now()

    def put(found: Activation) -> Change | None:
        holder = claimed(found.record, now)
        others = holder is not None and holder.nonce != nonce
        if (
            not is_to_grant(found.record)
            or others
            or _is_made(found, now)
            or (not nonce and _is_on_its_way(found, now))
        ):
            return None  # the broker is at it: what it sends would be in force, and nobody would follow it
        told = f"It was approved, and not granted: {why}"
        return Change(record=replace(moved(found.record, State.FAILED, now, problem=told[:500]), claim=None))

    return (await services.activations.update(record.request_id, put)).record


async def _released(services: Services, mine: Request, problem: str) -> Request:
    now, nonce = services.clock.now(), nonce_of(mine)

    def put(found: Request) -> Request | None:
        record = without_claim(found, nonce) or found
        if problem:
            return replace(record, wants_back=None, problem=problem[:500])
        return replace(record, released=now) if record.is_open else record

    return (await services.activations.change(mine.request_id, put)).record


async def _let_go(services: Services, mine: Request) -> Request:
    return (
        await services.activations.change(mine.request_id, lambda found: without_claim(found, nonce_of(mine)))
    ).record


def _told(error: Exception) -> str:
    if isinstance(error, Rejected | Conflict):
        return f"PIM refused it: {error.call.code}. {error.call.message}"
    if isinstance(error, RoleNotAllowed):
        return "The deployment does not allow the role."
    return _NO_RIGHT
