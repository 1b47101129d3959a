"""Who may decide a request, as the directory knows them at this moment, as Tenantry Lookup; nobody decides their own."""

from shared.activation.record import Request
from shared.callers import Caller
from shared.errors import NotAllowed
from shared.identifiers import ObjectId
from shared.services import Services
from shared.subscriptions.lockdown import LockDown, Principals
from shared.subscriptions.membership import is_in
from shared.subscriptions.record import PrincipalKind, Subscription


async def check_approver(services: Services, caller: Caller, record: Request) -> LockDown:
    """How the subscription is locked down. Raises NotAllowed unless the caller is one of its approvers now, in person."""
    caller.be_member("decides")
    if caller.object_id in (record.asked.principal_id, record.asked.requestor_id):
        raise NotAllowed("nobody decides on their own request")
    subscription = await services.subscriptions.read(record.subscription_id)
    lock_down = None if subscription is None else subscription.record.lock_down
    if lock_down is None:
        raise NotAllowed("the subscription is not locked down here (any more), so nobody is declared to decide")
    if not await is_one_of(services, caller.object_id, lock_down.approvers):
        raise NotAllowed("only an approver who is declared on the subscription decides")
    return lock_down


async def is_senior(services: Services, person: ObjectId, lock_down: LockDown) -> bool:
    """Whether somebody is of those who decide what is dear; all approvers, where none is named."""
    senior = lock_down.money.senior
    return not senior or await is_one_of(services, person, senior)


async def is_declared(
    services: Services, person: ObjectId, subscription: Subscription, role_definition_id: str
) -> bool:
    """Whether somebody is declared for a role on a subscription at this moment, by themselves or by a group."""
    mine = [one for one in subscription.record.declared if one.role_definition_id == role_definition_id]
    named = Principals(
        groups=tuple(one.principal_id for one in mine if one.kind is PrincipalKind.GROUP),
        users=tuple(one.principal_id for one in mine if one.kind is PrincipalKind.USER),
    )
    return await is_one_of(services, person, named)


async def is_one_of(services: Services, person: ObjectId, named: Principals) -> bool:
    """Whether somebody is named, or directly in a group that is, at this moment."""
    if person in named.users:
        return True
    for group in named.groups:
        if await is_in(services, person, group):
            return True
    return False
