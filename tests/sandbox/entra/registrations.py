"""Application registrations, and which tenant granted them what (sections 9.1 to 9.3 of the Graph contract)."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Self
from uuid import NAMESPACE_URL, uuid5

from tests.sandbox.graph.models.applications import AppRole, Assignment, ServicePrincipal
from tests.sandbox.graph.models.ground import Ground
from tests.sandbox.graph.models.tenant import Tenant
from tests.sandbox.graph.permissions import PERMISSION_IDS
from tests.sandbox.graph.replication import View

GRAPH_APP_ID = "00000003-0000-0000-c000-000000000000"

MOST_FEDERATED_IDENTITIES = 20
"""https://learn.microsoft.com/entra/workload-id/workload-identity-federation-considerations"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Registration:
    """An application registration. `federated_identities` are the principal ids of the managed identities that it trusts.

    `delegated_permissions`: of Azure Service Management, which it asks for on behalf of persons.
    """

    app_id: str
    display_name: str
    home_tenant: str
    multi_tenant: bool
    application_permissions: tuple[str, ...]
    app_roles: tuple[str, ...]
    federated_identities: frozenset[str]
    redirect_uris: tuple[str, ...]
    delegated_permissions: tuple[str, ...] = ()

    def trusting(self, principal_id: str) -> Self:
        """With one more federated credential. Raises ValueError where there are as many as Entra takes."""
        trusted = self.federated_identities | {principal_id}
        if len(trusted) > MOST_FEDERATED_IDENTITIES:
            raise ValueError(f"{self.display_name} has {MOST_FEDERATED_IDENTITIES} federated credentials already")
        return replace(self, federated_identities=trusted)


def permission_id(name: str) -> str:
    """The app role id of a Graph permission; invented, but stable, where no source was at hand."""
    return PERMISSION_IDS.get(name) or str(uuid5(NAMESPACE_URL, name))


class Grants:
    """Service principals of registrations and their app roles on Microsoft Graph, kept in each tenant's directory."""

    def __init__(self, ground: Ground, tenants: Mapping[str, Tenant]) -> None:
        self._ground = ground
        self._tenants = tenants
        self._delegated: set[tuple[str, str, str]] = set()

    def graph_principal(self, tenant: Tenant) -> ServicePrincipal:
        """Microsoft Graph's own service principal, in every tenant from the start."""
        found = tenant.applications.by_app_id(GRAPH_APP_ID)
        if found is None:
            found = ServicePrincipal(
                id=self._ground.new_id(),
                display_name="Microsoft Graph",
                app_id=GRAPH_APP_ID,
                owner_tenant="f8cdef31-a31e-4b4a-93e4-5f571e91255a",
            )
            tenant.applications.principals[found.id] = found
        return found

    def grant(
        self, registration: Registration, tenant: Tenant, permissions: tuple[str, ...], *, made_at: datetime | None
    ) -> ServicePrincipal:
        """Make the service principal if it is missing and add the permissions that are; made_at None is long ago."""
        principal = tenant.applications.by_app_id(registration.app_id)
        if principal is None:
            principal = ServicePrincipal(
                id=self._ground.new_id(),
                display_name=registration.display_name,
                made_at=made_at,
                app_id=registration.app_id,
                owner_tenant=registration.home_tenant,
                app_roles=tuple(
                    AppRole(
                        id=str(uuid5(NAMESPACE_URL, f"{registration.app_id}/{role}")),
                        value=role,
                        display_name=role,
                        member_types=("User", "Application"),
                    )
                    for role in registration.app_roles
                ),
            )
            tenant.applications.principals[principal.id] = principal
        self._delegated |= {(registration.app_id, tenant.id, name) for name in registration.delegated_permissions}
        resource = self.graph_principal(tenant)
        held = {one.app_role_id for one in tenant.applications.assignments.values() if one.principal_id == principal.id}
        for name in permissions:
            self._know(resource, name)
            if permission_id(name) not in held:
                assignment = Assignment(
                    id=self._ground.new_id(),
                    principal_id=principal.id,
                    principal_type="ServicePrincipal",
                    principal_name=principal.display_name,
                    resource_id=resource.id,
                    resource_name=resource.display_name,
                    app_role_id=permission_id(name),
                    made_at=made_at,
                )
                tenant.applications.assignments[assignment.id] = assignment
        return principal

    def revoke(self, app_id: str, tenant: Tenant, permissions: tuple[str, ...] | None) -> None:
        """An administrator takes permissions back, or deletes the enterprise application (None)."""
        principal = tenant.applications.by_app_id(app_id)
        if principal is None:
            raise ValueError(f"{app_id} is not in {tenant.display_name}")
        if permissions is None:
            tenant.applications.delete_principal(principal.id)
            return
        ids = {permission_id(name) for name in permissions}
        for one in list(tenant.applications.assignments.values()):
            if one.principal_id == principal.id and one.app_role_id in ids:
                del tenant.applications.assignments[one.id]

    def revoke_delegated(self, app_id: str, tenant: Tenant) -> None:
        """An administrator takes back what the application may do on behalf of the tenant's persons."""
        self._delegated = {one for one in self._delegated if one[:2] != (app_id.lower(), tenant.id)}

    def is_delegated(self, app_id: str, tenant: Tenant, permission: str) -> bool:
        """Whether an administrator consented to it for everybody in the tenant."""
        return (app_id.lower(), tenant.id, permission) in self._delegated

    def principal(self, app_id: str, tenant: Tenant) -> ServicePrincipal | None:
        """The service principal as the token service knows it by now."""
        found = tenant.applications.by_app_id(app_id)
        return found if found and self._ground.sees(found.id, found.made_at, View.ID) else None

    def roles(self, principal: ServicePrincipal, tenant: Tenant) -> list[str]:
        """The Graph permissions that a token issued now carries; a new grant takes a while to show."""
        resource = self.graph_principal(tenant)
        names = {role.id: role.value for role in resource.app_roles}
        held = [
            names[one.app_role_id]
            for one in tenant.applications.assignments.values()
            if one.principal_id == principal.id
            and one.resource_id == resource.id
            and self._ground.sees(one.id, one.made_at, View.GRANT)
        ]
        return sorted(name for name in held if name)

    def granted(self, app_id: str, tenant: Tenant) -> frozenset[str]:
        """The truth, for tests."""
        principal = tenant.applications.by_app_id(app_id)
        if principal is None:
            return frozenset()
        names = {role.id: role.value for role in self.graph_principal(tenant).app_roles}
        held = [one for one in tenant.applications.assignments.values() if one.principal_id == principal.id]
        return frozenset(name for one in held if (name := names.get(one.app_role_id)))

    def _know(self, resource: ServicePrincipal, name: str) -> None:
        if all(role.value != name for role in resource.app_roles):
            role = AppRole(id=permission_id(name), value=name, display_name=name, member_types=("Application",))
            resource.app_roles = (*resource.app_roles, role)
