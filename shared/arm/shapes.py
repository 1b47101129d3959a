"""Azure Resource Manager's wire shapes of PIM, with only the fields that we read, and what they say in our terms. Pure.

Ids come in any case, and as whole paths: they are compared by their last part, in lower case.
"""

from datetime import datetime
from enum import StrEnum
from uuid import NAMESPACE_URL, uuid5

import msgspec

from shared.graph.shapes import Rule
from shared.identifiers import ObjectId, SubscriptionId

_DONE = frozenset({"Provisioned", "Granted", "ScheduleCreated"})
_FAILED = frozenset(
    {"Denied", "Failed", "Canceled", "Revoked", "FailedAsResourceIsLocked", "AdminDenied", "TimedOut", "Invalid"}
)


class Fate(StrEnum):
    """What became of a request. Statuses may be added by the vendor: an unknown one is under way."""

    DONE = "done"
    FAILED = "failed"
    UNDER_WAY = "underWay"


class AzureEligibility(msgspec.Struct, frozen=True, kw_only=True):
    """An eligibility at a subscription itself that is in force, or a schedule that is to be. No end: permanent."""

    principal_id: ObjectId
    role_definition_id: str
    schedule_id: str
    end: datetime | None
    condition: str = ""
    condition_version: str = ""


class _Held(msgspec.Struct, frozen=True, rename="camel", kw_only=True):
    principal_id: str
    role_definition_id: str
    scope: str = ""
    member_type: str | None = None
    end_date_time: datetime | None = None
    role_eligibility_schedule_id: str | None = None
    condition: str | None = None
    condition_version: str | None = None


class _HeldItem(msgspec.Struct, frozen=True):
    name: str
    properties: _Held


class RequestItem(msgspec.Struct, frozen=True, rename="camel", kw_only=True):
    """A request's properties, as far as we read them."""

    request_type: str = ""
    status: str = ""
    created_on: datetime | None = None
    role_definition_id: str = ""
    scope: str = ""

    @property
    def fate(self) -> Fate:
        """What became of it."""
        if self.status in _DONE:
            return Fate.DONE
        return Fate.FAILED if self.status in _FAILED else Fate.UNDER_WAY

    @property
    def took_effect(self) -> bool:
        """Whether it changed what is held. A removal that did is Revoked."""
        return self.status in _DONE or self.status == "Revoked"


class Request(msgspec.Struct, frozen=True):
    """A request."""

    properties: RequestItem


class _Policy(msgspec.Struct, frozen=True, rename="camel", kw_only=True):
    role_definition_id: str = ""
    scope: str = ""
    effective_rules: list[Rule] = []


class _PolicyItem(msgspec.Struct, frozen=True):
    properties: _Policy


def scope_of(subscription_id: SubscriptionId) -> str:
    """The scope of a subscription."""
    return f"/subscriptions/{subscription_id}"


def role_path(subscription_id: SubscriptionId, role_definition_id: str) -> str:
    """A role definition as a subscription's requests name it: with another prefix it is taken, and never shows up
    (terraform-provider-azurerm #31052).
    """
    return f"{scope_of(subscription_id)}/providers/Microsoft.Authorization/roleDefinitions/{role_definition_id}"


def last_part(path: str) -> str:
    """The GUID at the end of a resource id."""
    return path.rpartition("/")[2].lower()


def is_at(scope: str, subscription_id: SubscriptionId) -> bool:
    """Whether it stands at the subscription itself: lists also hold what is above and below."""
    return scope.rstrip("/").lower() == scope_of(subscription_id)


def held_at(item: msgspec.Raw, subscription_id: SubscriptionId) -> AzureEligibility | None:
    """An instance or a schedule, if it stands at the subscription itself and is the principal's own."""
    found = msgspec.json.decode(item, type=_HeldItem)
    held = found.properties
    if not is_at(held.scope, subscription_id) or held.member_type not in (None, "Direct"):
        return None
    return AzureEligibility(
        principal_id=ObjectId(held.principal_id.lower()),
        role_definition_id=last_part(held.role_definition_id),
        schedule_id=last_part(held.role_eligibility_schedule_id or found.name),
        end=held.end_date_time,
        condition=held.condition or "",
        condition_version=held.condition_version or "",
    )


def rules_of(item: msgspec.Raw, subscription_id: SubscriptionId, role_definition_id: str) -> list[Rule]:
    """The rules of a policy assignment, if it is of that role at the subscription itself."""
    found = msgspec.json.decode(item, type=_PolicyItem).properties
    ours = is_at(found.scope, subscription_id) and last_part(found.role_definition_id) == role_definition_id
    return found.effective_rules if ours else []


def request_name(scope: str, role: str, principal: str, action: str, end: str, attempt: int) -> str:
    """The name of a request: the same for the same wish, so that a repeat is refused and can be looked for."""
    return str(uuid5(NAMESPACE_URL, f"tenantry:{scope}|{role}|{principal}|{action}|{end}|{attempt}"))
