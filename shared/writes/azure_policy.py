"""An Azure role's PIM policy on a subscription is as its lock-down wants it. Only rules that differ are sent."""

from collections.abc import Mapping

import msgspec
from msgspec.structs import replace

from shared.arm.policies import Policy
from shared.errors import NotFound, RemoteCall, RoleNotAllowed
from shared.permissions import Registration
from shared.privileged import OpenIntent, PrivilegedWrite
from shared.services import Services
from shared.subscriptions.record import Subscription
from shared.subscriptions.roles import Wanted, differences, target, wanted_of

KIND = "azure_policy"

_ACT = 35


def role_policy_write(
    services: Services, subscription: Subscription, role_definition_id: str
) -> PrivilegedWrite[Policy]:
    """A role of the lock-down that is declared has the policy that it wants.

    Raises RoleNotAllowed, before anything is built, for any role that is not declared there, or not allowed any more.
    """
    lock = subscription.record.lock_down
    if lock is None or role_definition_id not in lock.roles:
        raise RoleNotAllowed(f"{role_definition_id} is not locked down on {subscription.subject_id}")
    if role_definition_id not in services.settings.allowed_azure_roles:
        raise RoleNotAllowed(role_definition_id)
    wanted = wanted_of(lock, subscription.record.longest_days(role_definition_id))
    arguments = {"role": role_definition_id, "wanted": msgspec.json.encode(wanted).decode()}
    return sent_role_policy(services, subscription, arguments)


def sent_role_policy(
    services: Services, subscription: Subscription, arguments: Mapping[str, str]
) -> PrivilegedWrite[Policy]:
    """As above, as it was sent once: to be read back, also where it is not declared any more."""
    subscription_id, role = subscription.record.subscription_id, arguments["role"]
    wanted = msgspec.json.decode(arguments["wanted"], type=Wanted)

    async def read() -> Policy:
        found = await services.azure_policies.read(subscription_id, role)
        if found is None:
            raise NotFound(_unseen(services, role))
        return found

    async def send(image: Policy, intent: OpenIntent) -> str:
        changed = replace(image, settings=target(image.settings, wanted))
        rules = [one.rule for one in differences(image.settings, wanted)]
        return await services.azure_policies.change(subscription_id, role, changed, rules, intent)

    return PrivilegedWrite(
        kind=KIND,
        arguments=arguments,
        registration=Registration.ACCESS,
        where=services.settings.source_tenant_id,
        object_name=f"PIM policy of {role} on {subscription_id}",
        what="lock an Azure role down",
        act=_ACT,
        wanted={"subscriptionId": subscription_id, "roleDefinitionId": role, **msgspec.to_builtins(wanted)},
        read=read,
        satisfied=lambda found: not differences(found.settings, wanted),
        send=send,
        picture=msgspec.to_builtins,
    )


def _unseen(services: Services, role: str) -> RemoteCall:
    return RemoteCall(
        service="arm",
        method="GET",
        path=f"the policy of {role}",
        tenant_id=services.settings.source_tenant_id,
        code="PolicyNotShown",
    )
