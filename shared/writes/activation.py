"""Privileged writes of an activation request: asked for and decided with the person's own token, cancelled by us."""

import logging
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any

import msgspec

from shared.activation.record import Activation, Deed, Request, RequestId
from shared.arm.activation_shapes import ActiveAssignment, AskedActivation, Standing
from shared.arm.approval_shapes import Approval
from shared.arm.as_person import AsPerson
from shared.errors import Conflict, NotAllowed, StoreConflict, StoreUnavailable
from shared.permissions import Registration
from shared.privileged import OpenIntent, PrivilegedWrite, sender
from shared.services import Services
from shared.subjects import Intent
from shared.writes.broker import rebuilt
from shared.writes.sight import OfAccess, OfEngineer, Sight

_log = logging.getLogger(__name__)

SUBMIT_ACT, DECIDE_ACT, CANCEL_ACT, RELEASE_ACT = 40, 41, 42, 43
_PAUSE_SECONDS = 20.0
_NAME_TAKEN = "RoleAssignmentRequestExists"


def submitting(services: Services, record: Request, person: AsPerson | None) -> PrivilegedWrite[AskedActivation | None]:
    """The engineer asks PIM, by their own token. Without one it is read back only."""
    asked, sight = record.asked, _sight(services, person)

    async def send(_: AskedActivation | None, intent: OpenIntent) -> str:
        try:
            taken = await sender(person).activate(
                asked.subscription_id,
                asked.role_definition_id,
                name=asked.request_id,
                duration=timedelta(minutes=asked.minutes or 0),
                justification=asked.justification,
                ticket=asked.ticket,
                intent=intent,
            )
        except Conflict as error:
            # The name is taken: by our own first try, whose answer was lost. The engineer's list may show it late, so that
            # what a read does not show by then is left open, and the run finds it by its name.
            if error.call.code != _NAME_TAKEN and await sight.asked(record) is None:
                raise
            return error.call.request_id
        return taken.request_id

    return PrivilegedWrite(
        kind=Deed.SUBMIT,
        arguments={},
        registration=Registration.API,
        where=services.settings.source_tenant_id,
        object_name=f"activation request {record.request_id}",
        what="ask PIM to activate an Azure role",
        act=SUBMIT_ACT,
        wanted={"minutes": asked.minutes, "role": asked.role_definition_id, "ticket": asked.ticket},
        read=lambda: sight.asked(record),
        satisfied=lambda found: found is not None,
        send=send,
        picture=msgspec.to_builtins,
    )


def deciding(
    services: Services, record: Request, person: AsPerson, *, approve: bool, reason: str
) -> PrivilegedWrite[Approval]:
    """An approver decides, by their own token. Whoever was first has decided it for good."""

    async def send(image: Approval, intent: OpenIntent) -> str:
        mine = image.mine
        if mine is None:
            raise NotAllowed("PIM does not ask this person (any more) to decide the request")
        return await person.decide(
            record.asked.approval_id, mine.stage_id, approve=approve, justification=reason, intent=intent
        )

    async def read() -> Approval:
        return await person.approval(record.asked.approval_id)

    return _decision(
        services,
        record,
        approve=approve,
        read=read,
        satisfied=lambda found: all(not one.is_open for one in found.stages),
        send=send,
    )


def cancelling(
    services: Services, record: Request, person: AsPerson | None = None
) -> PrivilegedWrite[AskedActivation | None]:
    """A request that is pending is cancelled: by us, or by whose it is, with their own token."""
    sight = _sight(services, person)

    async def send(image: AskedActivation | None, intent: OpenIntent) -> str:
        if person is not None:
            return await person.cancel(record.subscription_id, record.request_id, intent)
        return await services.azure_activations.cancel(image or record.asked, intent)

    return PrivilegedWrite(
        kind=Deed.CANCEL,
        arguments={},
        registration=Registration.ACCESS if person is None else Registration.API,
        where=services.settings.source_tenant_id,
        object_name=f"cancellation of activation request {record.request_id}",
        what="cancel an activation request that is pending",
        act=CANCEL_ACT,
        wanted={"status": "Canceled"},
        read=lambda: sight.asked(record),
        # An engineer's list that does not show it tells nothing.
        satisfied=lambda found: (
            person is None if found is None else found.standing in (Standing.OVER, Standing.GRANTED)
        ),
        send=send,
        picture=msgspec.to_builtins,
    )


def releasing(services: Services, record: Request, person: AsPerson | None) -> PrivilegedWrite[ActiveAssignment | None]:
    """The engineer gives the role back before its end, by their own token. Without one it is read back only."""
    asked, sight = record.asked, _sight(services, person)

    async def send(_: ActiveAssignment | None, intent: OpenIntent) -> str:
        taken = await sender(person).deactivate(
            asked.subscription_id,
            asked.role_definition_id,
            name=services.new_id(),
            justification="Given back before its end",
            intent=intent,
        )
        return taken.request_id

    return PrivilegedWrite(
        kind=Deed.RELEASE,
        arguments={},
        registration=Registration.API,
        where=services.settings.source_tenant_id,
        object_name=f"grant of activation request {record.request_id}",
        what="give an active Azure role back before its end",
        act=RELEASE_ACT,
        wanted=None,
        read=lambda: sight.active(record),
        satisfied=lambda found: found is None,
        send=send,
        picture=msgspec.to_builtins,
    )


async def close_activation_intents(services: Services, request_id: RequestId) -> float:
    """Close what is open by reading back, as we see it without anybody's token. Gives the seconds to wait, if any."""

    def rebuild(activation: Activation, intent: Intent) -> PrivilegedWrite[Any]:
        record = activation.record
        if record.brokered:
            return rebuilt(services, record, intent.kind)
        match intent.kind:
            case Deed.SUBMIT:
                return submitting(services, record, None)
            case Deed.CANCEL:
                return cancelling(services, record)
            case Deed.RELEASE:
                return releasing(services, record, None)
            case Deed.APPROVE | Deed.DENY:
                return _decided(services, record, approve=intent.kind == Deed.APPROVE)
            case _:
                raise LookupError(intent.kind)

    try:
        return await services.activation_intents.close_open(request_id, rebuild)
    except (StoreConflict, StoreUnavailable) as error:
        _log.warning("intents.postponed request_id=%s reason=%s", request_id, error)
        return _PAUSE_SECONDS


def _decided(services: Services, record: Request, *, approve: bool) -> PrivilegedWrite[AskedActivation | None]:
    """A decision, read back without the approver's token: by what became of the request."""

    async def send(_: AskedActivation | None, __: OpenIntent) -> str:
        raise LookupError("a decision is never sent again without its approver")

    def satisfied(found: AskedActivation | None) -> bool:
        wanted = Standing.GRANTED if approve else Standing.OVER
        return found is not None and found.standing is wanted

    return _decision(
        services,
        record,
        approve=approve,
        read=lambda: OfAccess(services).asked(record),
        satisfied=satisfied,
        send=send,
    )


def _decision[T](
    services: Services,
    record: Request,
    *,
    approve: bool,
    read: Callable[[], Awaitable[T]],
    satisfied: Callable[[T], bool],
    send: Callable[[T, OpenIntent], Awaitable[str]],
) -> PrivilegedWrite[T]:
    """One intent, and one name in the audit, whoever reads it back."""
    return PrivilegedWrite(
        kind=Deed.APPROVE if approve else Deed.DENY,
        arguments={},
        registration=Registration.API,
        where=services.settings.source_tenant_id,
        object_name=f"decision on activation request {record.request_id}",
        what=f"{'approve' if approve else 'deny'} an activation of an Azure role",
        act=DECIDE_ACT,
        wanted={"reviewResult": "Approve" if approve else "Deny"},
        read=read,
        satisfied=satisfied,
        send=send,
        picture=msgspec.to_builtins,
    )


def _sight(services: Services, person: AsPerson | None) -> Sight:
    return OfAccess(services) if person is None else OfEngineer(person)
