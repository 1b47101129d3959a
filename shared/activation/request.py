"""The bodies of the activation API: checked values, or the field that is wrong out. Pure."""

from enum import StrEnum
from typing import Annotated

import msgspec
from msgspec import Meta

from shared.activation.plan import Plan
from shared.azure_permissions import AZURE_ROLES
from shared.errors import BadRequest
from shared.formats import Guid, Moment
from shared.identifiers import SubscriptionId, as_guid
from shared.subscriptions.lockdown import LockDown

type Reason = Annotated[str, Meta(min_length=1, max_length=500)]


class ActivationBody(msgspec.Struct, forbid_unknown_fields=True, rename="camel", kw_only=True):
    """An engineer asks for a locked role: where, for how long, why, and what is going to be built with it."""

    subscription_id: Guid
    hours: Annotated[int, Meta(ge=1, le=24, description="No more than the subscription's longest activation.")]
    reason: Reason
    plan: Plan
    role: Annotated[
        str | None,
        Meta(description="The name or the id of its definition; the subscription's first locked role where left out."),
    ] = None
    dry_run: Annotated[bool, Meta(description="Price it and tell what the rules say; ask for nothing.")] = False


class PlanBody(msgspec.Struct, forbid_unknown_fields=True, rename="camel", kw_only=True):
    """A plan for a request that was made without one."""

    plan: Plan


class Answer(StrEnum):
    """What an approver says."""

    APPROVE = "approve"
    DENY = "deny"


class DecisionBody(msgspec.Struct, forbid_unknown_fields=True, rename="camel", kw_only=True):
    """An approver's decision."""

    decision: Answer
    reason: Reason
    priced_at: Annotated[
        Moment | None,
        Meta(
            description="The request's `money.pricedAt`, as it was shown: another price since then holds the decision back."
        ),
    ] = None


def subscription_of(body: ActivationBody) -> SubscriptionId:
    """The subscription that it is for. Raises BadRequest."""
    found = as_guid(body.subscription_id)
    if found is None:
        raise BadRequest("subscriptionId", "is not a GUID")
    return SubscriptionId(found)


def role_of(body: ActivationBody, lock_down: LockDown) -> str:
    """The role definition that is asked for. Raises BadRequest."""
    if body.role is None:
        return lock_down.roles[0]
    by_name = {name.lower(): role for role, name in AZURE_ROLES.items()}
    found = as_guid(body.role) or by_name.get(body.role.strip().lower())
    if found is None or found not in lock_down.roles:
        names = " or ".join(AZURE_ROLES.get(one, one) for one in lock_down.roles)
        raise BadRequest("role", f"is not locked down on this subscription: {names}")
    return found


def check_hours(body: ActivationBody, lock_down: LockDown) -> None:
    """Raises BadRequest for longer than the subscription allows."""
    if body.hours > lock_down.hours:
        raise BadRequest("hours", f"is more than {lock_down.hours}, the longest activation on this subscription")
