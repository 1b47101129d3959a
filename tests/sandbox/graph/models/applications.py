"""Applications, service principals and app role assignments of one tenant (sections 3.1, 3.3, 9.3)."""

from dataclasses import dataclass, field
from datetime import datetime

from tests.sandbox.graph.errors import bad_request, not_found
from tests.sandbox.graph.models.directory import Directory, DirectoryObject
from tests.sandbox.graph.models.ground import Ground
from tests.sandbox.graph.replication import View
from tests.sandbox.graph.wire import Wire, moment

SYNC_TEMPLATE = "518e5f48-1fc8-4c48-9387-9fdf28b0dfe7"
"""The gallery template of cross-tenant synchronization (section 3.1)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AppRole:
    """A role that an application offers. Its id differs from application to application."""

    id: str
    value: str | None
    display_name: str
    member_types: tuple[str, ...]

    def wire(self) -> Wire:
        """As an entry of appRoles."""
        return {
            "allowedMemberTypes": list(self.member_types),
            "description": self.display_name,
            "displayName": self.display_name,
            "id": self.id,
            "isEnabled": True,
            "origin": "Application",
            "value": self.value,
        }


@dataclass(slots=True, kw_only=True)
class Application(DirectoryObject):
    """The registration behind an enterprise application made from a template."""

    app_id: str
    template_id: str | None
    app_roles: tuple[AppRole, ...] = ()

    def wire(self, made_at: datetime) -> Wire:
        """The main properties."""
        return {
            "id": self.id,
            "appId": self.app_id,
            "applicationTemplateId": self.template_id,
            "appRoles": [role.wire() for role in self.app_roles],
            "createdDateTime": moment(self.made_at or made_at),
            "deletedDateTime": None,
            "displayName": self.display_name,
            "description": None,
            "identifierUris": [],
            "signInAudience": "AzureADMyOrg",
            "tags": [],
        }


@dataclass(slots=True, kw_only=True)
class ServicePrincipal(DirectoryObject):
    """An application's presence in a tenant."""

    app_id: str
    owner_tenant: str
    template_id: str | None = None
    app_roles: tuple[AppRole, ...] = ()
    assignment_required: bool = False
    secrets: dict[str, str] = field(default_factory=dict)

    def wire(self) -> Wire:
        """The main properties."""
        return {
            "id": self.id,
            "deletedDateTime": None,
            "accountEnabled": True,
            "appDisplayName": self.display_name,
            "appId": self.app_id,
            "applicationTemplateId": self.template_id,
            "appOwnerOrganizationId": self.owner_tenant,
            "appRoleAssignmentRequired": self.assignment_required,
            "appRoles": [role.wire() for role in self.app_roles],
            "displayName": self.display_name,
            "notes": None,
            "servicePrincipalNames": [self.app_id],
            "servicePrincipalType": "Application",
            "tags": ["WindowsAzureActiveDirectoryIntegratedApp"] if self.template_id else [],
        }


@dataclass(slots=True, kw_only=True)
class Assignment:
    """A principal holds a role of a resource."""

    id: str
    principal_id: str
    principal_type: str
    principal_name: str
    resource_id: str
    resource_name: str
    app_role_id: str
    made_at: datetime | None

    def wire(self, began: datetime) -> Wire:
        """As an appRoleAssignment."""
        return {
            "id": self.id,
            "deletedDateTime": None,
            "appRoleId": self.app_role_id,
            "createdDateTime": moment(self.made_at or began),
            "principalDisplayName": self.principal_name,
            "principalId": self.principal_id,
            "principalType": self.principal_type,
            "resourceDisplayName": self.resource_name,
            "resourceId": self.resource_id,
        }


class Applications:
    """The applications of a tenant."""

    def __init__(self, ground: Ground, tenant_id: str, directory: Directory) -> None:
        self._ground = ground
        self._tenant_id = tenant_id
        self._directory = directory
        self.applications: dict[str, Application] = {}
        self.principals: dict[str, ServicePrincipal] = {}
        self.assignments: dict[str, Assignment] = {}

    def instantiate(self, template_id: str, display_name: str) -> tuple[Application, ServicePrincipal]:
        """Another pair from the template, each time: names are not unique (section 3.1)."""
        if template_id.lower() != SYNC_TEMPLATE:
            raise not_found(template_id)
        value = None if self._ground.switches.is_flipped("app-role-value-is-null") else "msiam_access"
        role = AppRole(id=self._ground.new_id(), value=value, display_name="msiam_access", member_types=("User",))
        made_at, app_id = self._ground.now(), self._ground.new_id()
        application = Application(
            id=self._ground.new_id(),
            display_name=display_name,
            made_at=made_at,
            app_id=app_id,
            template_id=SYNC_TEMPLATE,
            app_roles=(role,),
        )
        principal = ServicePrincipal(
            id=self._ground.new_id(),
            display_name=display_name,
            made_at=made_at,
            app_id=app_id,
            owner_tenant=self._tenant_id,
            template_id=SYNC_TEMPLATE,
            app_roles=(role,),
            assignment_required=True,
        )
        self.applications[application.id] = application
        self.principals[principal.id] = principal
        return application, principal

    def principal(self, principal_id: str, view: View = View.ID) -> ServicePrincipal | None:
        """By object id, if this reader has heard of it."""
        found = self.principals.get(principal_id.lower())
        return found if found and self._ground.sees(found.id, found.made_at, view) else None

    def by_app_id(self, app_id: str) -> ServicePrincipal | None:
        """The truth, whatever replicas say."""
        return next((one for one in self.principals.values() if one.app_id == app_id.lower()), None)

    def listed_principals(self) -> list[ServicePrincipal]:
        """Those that lists and filters show by now."""
        return [one for one in self.principals.values() if self._ground.sees(one.id, one.made_at, View.LIST)]

    def listed_applications(self) -> list[Application]:
        """As for service principals."""
        return [one for one in self.applications.values() if self._ground.sees(one.id, one.made_at, View.LIST)]

    def assign(self, resource: ServicePrincipal, principal_id: str, role_id: str) -> Assignment:
        """Section 3.3, with its refusals."""
        kind, name = self._reference(principal_id)
        if role_id not in {role.id for role in resource.app_roles}:
            raise bad_request(f"Permission being assigned was not found on application '{resource.app_id}'.")
        for one in self.assignments.values():
            if (one.principal_id, one.resource_id, one.app_role_id) == (principal_id, resource.id, role_id):
                raise bad_request("Permission being assigned already exists on the object")
        assignment = Assignment(
            id=self._ground.new_id().replace("-", "")[:30] + "AA",
            principal_id=principal_id,
            principal_type=kind,
            principal_name=name,
            resource_id=resource.id,
            resource_name=resource.display_name,
            app_role_id=role_id,
            made_at=self._ground.now(),
        )
        self.assignments[assignment.id] = assignment
        return assignment

    def assigned_to(self, resource_id: str) -> list[Assignment]:
        """Who holds a role of the resource, as lists show it by now."""
        return [
            one
            for one in self.assignments.values()
            if one.resource_id == resource_id and self._ground.sees(one.id, one.made_at, View.LIST)
        ]

    def unassign(self, assignment_id: str, *, resource_id: str | None = None, principal_id: str | None = None) -> None:
        """Section 3.3: a wrong id is refused with a text of its own."""
        found = self.assignments.get(assignment_id)
        if found is None or (resource_id or found.resource_id, principal_id or found.principal_id) != (
            found.resource_id,
            found.principal_id,
        ):
            raise bad_request("EntitlementGrant being updated or deleted is not found")
        del self.assignments[assignment_id]

    def delete_principal(self, principal_id: str) -> None:
        """With everything that hangs on it."""
        del self.principals[principal_id]
        for one in list(self.assignments.values()):
            if principal_id in (one.principal_id, one.resource_id):
                del self.assignments[one.id]

    def _reference(self, principal_id: str) -> tuple[str, str]:
        """The principal's kind and name; one just made is not yet a valid reference (section 3.3)."""
        for kind, found in (
            ("User", self._directory.users.get(principal_id)),
            ("Group", self._directory.groups.get(principal_id)),
            ("ServicePrincipal", self.principals.get(principal_id)),
        ):
            if found is not None:
                if not self._ground.sees(found.id, found.made_at, View.REFERENCE):
                    raise bad_request(f"Not a valid reference update. Paths: principalId '{principal_id}'")
                return kind, found.display_name
        raise not_found(principal_id)
