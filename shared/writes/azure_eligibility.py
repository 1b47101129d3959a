"""An Azure role's eligibility on a subscription: it lasts on until a later end; or, where the role is locked down and a
person declared it, it is made.
"""

import logging
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

import msgspec

from shared.arm.shapes import AzureEligibility
from shared.eligibility import decide
from shared.eligibility.asking import asked
from shared.eligibility.decide import RENEWAL, Action, Held
from shared.eligibility.record import eligibility_key
from shared.errors import RoleNotAllowed, StoreConflict, StoreUnavailable
from shared.identifiers import ObjectId, SubscriptionId
from shared.permissions import Registration
from shared.privileged import OpenIntent, PrivilegedWrite
from shared.services import Services
from shared.subjects import Intent
from shared.subscriptions.record import Subscription
from shared.writes.azure_policy import KIND as POLICY
from shared.writes.azure_policy import sent_role_policy

_log = logging.getLogger(__name__)

ASSIGNMENT = "eligibility_assignment"
"""The kind of the write that makes one where there is none."""

_ACT, _MAKING_ACT = 33, 36
_PERMANENT = datetime.max.replace(tzinfo=UTC)
_PAUSE_SECONDS = 20.0
_JUSTIFICATION = "Declared eligible on the subscription, renewed while needed (Tenantry)"
_MADE = "Declared eligible on the subscription, where its activation needs an approval (Tenantry)"


def azure_renewal(
    services: Services, subscription: Subscription, arguments: Mapping[str, str]
) -> PrivilegedWrite[Held | None]:
    """A declared eligibility that was seen lasts until then, by the act that its standing asks for.

    Raises RoleNotAllowed, before anything is built, for any that is not declared, and for a role that the deployment does
    not allow any more.
    """
    key = eligibility_key(arguments["principal"], arguments["role"])
    if key not in subscription.declared or key not in subscription.eligibilities:
        raise RoleNotAllowed(
            f"{arguments['principal']} is not to hold {arguments['role']} on {subscription.subject_id}"
        )
    if arguments["role"] not in services.settings.allowed_azure_roles:
        raise RoleNotAllowed(arguments["role"])
    row = subscription.eligibilities[key]
    conditions = {"condition": row.condition, "conditionVersion": row.condition_version}
    return sent_azure_renewal(services, subscription, {**conditions, **arguments})


def sent_azure_renewal(
    services: Services, subscription: Subscription, arguments: Mapping[str, str]
) -> PrivilegedWrite[Held | None]:
    """As above, as it was sent once: to be read back, also where it is not declared any more."""
    subscription_id, principal, role = (
        subscription.record.subscription_id,
        ObjectId(arguments["principal"]),
        arguments["role"],
    )
    action, end = Action(arguments["action"]), datetime.fromisoformat(arguments["end"])

    async def send(image: Held | None, intent: OpenIntent) -> str:
        since = datetime.fromisoformat(arguments["start"])
        return await asked(action, since, services.clock.now(), lambda wanted, start: ask(wanted, start, image, intent))

    async def ask(wanted: Action, start: datetime, image: Held | None, intent: OpenIntent) -> str:
        held = AzureEligibility(
            principal_id=principal,
            role_definition_id=role,
            schedule_id="" if image is None else image.schedule_id,
            end=None,
            condition=arguments["condition"],
            condition_version=arguments["conditionVersion"],
        )
        return await services.azure_pim.request(
            subscription_id,
            action=wanted.value,
            held=held,
            start=start,
            end=end,
            justification=_JUSTIFICATION,
            ticket=intent.key,
            intent=intent,
        )

    return PrivilegedWrite(
        kind=RENEWAL,
        arguments=arguments,
        registration=Registration.ACCESS,
        where=services.settings.source_tenant_id,
        object_name=f"eligibility of {principal} for {role} on {subscription_id}",
        what="renew the eligibility for an Azure role",
        act=_ACT,
        wanted={
            "subscriptionId": subscription_id,
            "roleDefinitionId": role,
            "action": action,
            "endDateTime": end,
            "condition": arguments["condition"],
        },
        read=lambda: _held(services, subscription_id, principal, role),
        satisfied=lambda held: decide.lasts_until(held, end),
        send=send,
        picture=msgspec.to_builtins,
        patient=True,
    )


def azure_assignment(
    services: Services, subscription: Subscription, arguments: Mapping[str, str]
) -> PrivilegedWrite[Held | None]:
    """Somebody who is declared for a role that is locked down is eligible: made where nothing is there, with an end; what is
    there, and what is to begin, stays as it is.

    Raises RoleNotAllowed, before anything is built, for any that is not declared, and for a role that is not locked down
    there, or not allowed any more.
    """
    role, lock = arguments["role"], subscription.record.lock_down
    if eligibility_key(arguments["principal"], role) not in subscription.declared:
        raise RoleNotAllowed(f"{arguments['principal']} is not to hold {role} on {subscription.subject_id}")
    if lock is None or role not in lock.roles:
        raise RoleNotAllowed(f"{role} is not locked down on {subscription.subject_id}")
    if role not in services.settings.allowed_azure_roles:
        raise RoleNotAllowed(role)
    return sent_azure_assignment(services, subscription, arguments)


def sent_azure_assignment(
    services: Services, subscription: Subscription, arguments: Mapping[str, str]
) -> PrivilegedWrite[Held | None]:
    """As above, as it was sent once: to be read back, also where it is not declared any more."""
    subscription_id, role = subscription.record.subscription_id, arguments["role"]
    principal, end = ObjectId(arguments["principal"]), datetime.fromisoformat(arguments["end"])

    async def send(_: Held | None, intent: OpenIntent) -> str:
        return await services.azure_pim.request(
            subscription_id,
            action=Action.ASSIGN.value,
            held=AzureEligibility(principal_id=principal, role_definition_id=role, schedule_id="", end=None),
            start=services.clock.now().replace(microsecond=0),
            end=end,
            justification=_MADE,
            ticket=intent.key,
            intent=intent,
        )

    return PrivilegedWrite(
        kind=ASSIGNMENT,
        arguments=arguments,
        registration=Registration.ACCESS,
        where=services.settings.source_tenant_id,
        object_name=f"eligibility of {principal} for {role} on {subscription_id}",
        what="make eligible for an Azure role that is locked down",
        act=_MAKING_ACT,
        wanted={"subscriptionId": subscription_id, "roleDefinitionId": role, "endDateTime": end},
        read=lambda: _held(services, subscription_id, principal, role),
        satisfied=lambda held: held is not None,
        send=send,
        picture=msgspec.to_builtins,
        patient=True,
    )


async def close_subscription_intents(
    services: Services, subscription_id: SubscriptionId, *, last: bool = False
) -> float:
    """Close what is open by reading back. Gives the seconds to wait for what cannot be judged yet.

    An audit that cannot be written holds nobody for ever: it is logged.
    """

    def rebuild(subscription: Subscription, intent: Intent) -> PrivilegedWrite[Any]:
        if intent.kind not in _SENT:
            raise LookupError(intent.kind)
        return _SENT[intent.kind](services, subscription, intent.arguments)

    try:
        return await services.subscription_intents.close_open(subscription_id, rebuild, last=last)
    except (StoreConflict, StoreUnavailable) as error:
        _log.warning("intents.postponed subscription_id=%s reason=%s", subscription_id, error)
        return _PAUSE_SECONDS


_SENT: Mapping[str, Callable[[Services, Subscription, Mapping[str, str]], PrivilegedWrite[Any]]] = {
    RENEWAL: sent_azure_renewal,
    ASSIGNMENT: sent_azure_assignment,
    POLICY: sent_role_policy,
}
"""What was sent, by the kind of its intent."""


async def _held(services: Services, subscription_id: SubscriptionId, principal: ObjectId, role: str) -> Held | None:
    instances = await services.azure_pim.instances(subscription_id, principal, role)
    if instances:
        found = max(instances, key=lambda one: one.end or _PERMANENT)
        return Held(schedule_id=found.schedule_id, end=found.end, in_force=True)
    schedules = await services.azure_pim.schedules(subscription_id, principal, role)
    return Held(schedule_id=schedules[0].schedule_id, end=None, in_force=False) if schedules else None
