"""A night's look at one subscription: what its policies say, who approves, and what stands beside the lock."""

from collections.abc import Awaitable

import msgspec

from shared.activation.record import State
from shared.errors import Forbidden, NotConsented, PimUnavailable, Rejected, RoleNotAllowed
from shared.identifiers import SubscriptionId
from shared.lockdown.approvers import look_at_approvers
from shared.lockdown.beside import Access, approver_findings, eligibilities, holders, policy_findings
from shared.services import Services
from shared.subscriptions.findings import ApproversSeen, Drift, drift_of
from shared.subscriptions.lockdown import LockDown
from shared.subscriptions.record import Subscription
from shared.subscriptions.roles import RoleInForce, RoleSettings


class Looked(msgspec.Struct, frozen=True, kw_only=True):
    """What was seen. `changed`: a policy is not as it is declared."""

    drift: Drift
    roles: tuple[RoleInForce, ...]
    approvers: ApproversSeen | None
    changed: bool


class _Part:
    """Reads one part after the other: what is refused is named, and keeps the others from nothing."""

    def __init__(self) -> None:
        self.unread: list[str] = []

    async def of[T](self, what: str, reading: Awaitable[T]) -> T | None:
        """What it gives, or None where it was refused. Raises what a later look may heal."""
        try:
            return await reading
        except (Forbidden, Rejected, NotConsented, PimUnavailable, RoleNotAllowed) as error:
            self.unread.append(f"{what}: {_said(error)}")
            return None


async def look(services: Services, subscription: Subscription, lock: LockDown) -> Looked:
    """Look at it. Raises Throttled, Unavailable, NotFound and Conflict: it is looked at again in the same night."""
    part, now = _Part(), services.clock.now()
    subscription_id = subscription.record.subscription_id
    policies: dict[str, RoleSettings] = {}
    for role in lock.roles:
        refused = len(part.unread)
        found = await part.of(f"the policy of {role}", services.azure_policies.read(subscription_id, role))
        if found is not None:
            policies[role] = found.settings
        elif len(part.unread) == refused:
            part.unread.append(f"the policy of {role}: no list shows it")
    approvers = await part.of("the approvers", look_at_approvers(services, lock.approvers))
    access = await _access(services, subscription_id, part)
    changed = tuple(policy_findings(subscription, policies))
    findings = (
        *changed,
        *(holders(subscription, access) if access else ()),
        *(eligibilities(subscription, access) if access else ()),
        *(approver_findings(approvers) if approvers else ()),
    )
    return Looked(
        drift=drift_of(now, findings, tuple(part.unread)),
        roles=tuple(
            RoleInForce(role_definition_id=role, settings=settings, looked=now) for role, settings in policies.items()
        ),
        approvers=approvers,
        changed=bool(changed),
    )


async def _access(services: Services, subscription_id: SubscriptionId, part: _Part) -> Access | None:
    read = services.azure_access
    roles = await part.of("the roles", read.roles(subscription_id))
    if roles is None:
        return None
    return Access(
        roles=roles,
        assignments=await part.of("who holds a role", read.assignments(subscription_id)) or (),
        active=await part.of("who has an active assignment", read.active(subscription_id)),
        eligible=await part.of("who is eligible", read.eligible(subscription_id)) or (),
        granted=frozenset(
            (one.asked.principal_id, one.asked.role_definition_id)
            for one in await services.activations.open_of(subscription_id)
            if one.brokered and one.state is State.APPROVED
        ),
    )


def _said(error: Exception) -> str:
    if isinstance(error, Forbidden | Rejected):
        return f"{error.call.registration} was refused ({error.call.code or error.call.status})"
    return str(error)
