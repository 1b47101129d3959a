"""Where in Azure something is: the tenant, a management group, a subscription, a resource group, a resource."""

import re
from dataclasses import dataclass

_GUID = r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}"
_SCOPE = re.compile(
    rf"/subscriptions/(?P<subscription>{_GUID})"
    r"(?:/resourceGroups/(?P<group>[-\w.()]{1,90})(?P<resource>/providers/[^/]+(?:/[^/]+/[^/]+)+)?)?",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Scope:
    """A subscription, something in it, or a management group above it.

    `path` has its fixed parts in Azure's own case and the subscription's id lower.
    """

    path: str
    subscription_id: str
    group: str | None = None
    resource: str | None = None
    management_group: str | None = None
    """One above the subscription in whose state the scope stands."""

    @property
    def kind(self) -> str:
        """As expandedProperties name it."""
        if self.management_group:
            return "managementgroup"
        return "resource" if self.resource else "resourcegroup" if self.group else "subscription"

    @property
    def pattern(self) -> str:
        """How points, faults and labels name it: every parameter as {id}."""
        kinds = {"subscription": "", "resourcegroup": "/resourceGroups/{id}", "resource": "/resourceGroups/{id}/{id}"}
        return f"/subscriptions/{{id}}{kinds[self.kind]}"

    def holds(self, other: "Scope") -> bool:
        """Whether the other is this one or lies below it."""
        mine, theirs = self.path.lower(), other.path.lower()
        if self.management_group and other.management_group is None:
            return True
        return theirs == mine or theirs.startswith(f"{mine}/")

    def same_as(self, other: "Scope") -> bool:
        """Scopes compare without case."""
        return self.path.lower() == other.path.lower()


def management_group(name: str) -> Scope:
    """One that holds the subscription, at whatever distance."""
    path = f"/providers/Microsoft.Management/managementGroups/{name}"
    return Scope(path=path, subscription_id="", management_group=name)


def parse_scope(text: str) -> Scope | None:
    """The scope of a path's beginning; None if it is none of a subscription."""
    found = _SCOPE.fullmatch(text)
    if found is None:
        return None
    subscription = found["subscription"].lower()
    path = f"/subscriptions/{subscription}"
    if found["group"]:
        path += f"/resourceGroups/{found['group']}{found['resource'] or ''}"
    return Scope(path=path, subscription_id=subscription, group=found["group"], resource=found["resource"])
