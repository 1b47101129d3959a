"""Enterprise applications and who is assigned to them (sections 3.1, 3.3, 9.3)."""

from tests.sandbox.answers import Answer
from tests.sandbox.graph.call import NO_CONTENT, Call, collection, entity
from tests.sandbox.graph.errors import not_found
from tests.sandbox.graph.filters import EQUAL
from tests.sandbox.graph.models.applications import Application, ServicePrincipal
from tests.sandbox.graph.query import Options
from tests.sandbox.graph.replication import View
from tests.sandbox.graph.router import Route
from tests.sandbox.graph.wire import Wire, a_guid, a_text, an_object, nullable

_PRINCIPAL = frozenset(
    {
        "id",
        "deletedDateTime",
        "accountEnabled",
        "appDisplayName",
        "appId",
        "applicationTemplateId",
        "appOwnerOrganizationId",
        "appRoleAssignmentRequired",
        "appRoles",
        "displayName",
        "notes",
        "servicePrincipalNames",
        "servicePrincipalType",
        "tags",
    }
)
_APPLICATION = frozenset(
    {"id", "appId", "applicationTemplateId", "appRoles", "createdDateTime", "displayName", "signInAudience", "tags"}
)
_ASSIGNMENT = frozenset(
    {
        "id",
        "appRoleId",
        "createdDateTime",
        "principalDisplayName",
        "principalId",
        "principalType",
        "resourceDisplayName",
        "resourceId",
    }
)
_NAMED = {"displayName": EQUAL | {"startswith"}, "appId": EQUAL}
_BY_ID = "/servicePrincipals/{id}"
_INSTANTIATE = an_object(
    {"displayName": a_text, "serviceManagementReference": nullable(a_text)}, required=("displayName",)
)
_ASSIGN = an_object(
    {"principalId": a_guid, "resourceId": a_guid, "appRoleId": a_guid},
    required=("principalId", "resourceId", "appRoleId"),
    type_name="appRoleAssignment",
)
_PAGED = Options(select=_ASSIGNMENT, top=999)


def principal_of(call: Call) -> ServicePrincipal:
    """The service principal of the path; 404 as long as its replica hasn't heard of it."""
    found = call.tenant.applications.principal(call.id())
    if found is None:
        raise not_found(call.ids["id"])
    return found


def _instantiate(call: Call) -> Answer:
    application, principal = call.tenant.applications.instantiate(call.id(), call.body.text("displayName"))
    body: Wire = {
        "@odata.context": call.context("microsoft.graph.applicationServicePrincipal"),
        "application": application.wire(call.tenant.made_at),
        "servicePrincipal": principal.wire(),
    }
    return Answer(status=201, body=body)


def _list_principals(call: Call) -> Answer:
    found = [one.wire() for one in call.tenant.applications.listed_principals()]
    return collection(call, "servicePrincipals", found)


def _read_principal(call: Call) -> Answer:
    return entity(call, "servicePrincipals/$entity", principal_of(call).wire())


def _read_by_app_id(call: Call) -> Answer:
    found = call.tenant.applications.by_app_id(call.id())
    if found is None or call.tenant.applications.principal(found.id) is None:
        raise not_found(call.ids["id"])
    return entity(call, "servicePrincipals/$entity", found.wire())


def _delete_principal(call: Call) -> Answer:
    return _deleted(call, principal_of(call))


def _delete_by_app_id(call: Call) -> Answer:
    found = call.tenant.applications.by_app_id(call.id())
    if found is None or call.tenant.applications.principal(found.id) is None:
        raise not_found(call.ids["id"])
    return _deleted(call, found)


def _deleted(call: Call, found: ServicePrincipal) -> Answer:
    for job in call.tenant.jobs.of(found.id):
        call.tenant.jobs.delete(job)
    call.tenant.applications.delete_principal(found.id)
    return NO_CONTENT


def _list_applications(call: Call) -> Answer:
    found = [one.wire(call.tenant.made_at) for one in call.tenant.applications.listed_applications()]
    return collection(call, "applications", found)


def _read_application(call: Call) -> Answer:
    return entity(call, "applications/$entity", _application(call).wire(call.tenant.made_at))


def _delete_application(call: Call) -> Answer:
    """With its service principal."""
    application = _application(call)
    del call.tenant.applications.applications[application.id]
    principal = call.tenant.applications.by_app_id(application.app_id)
    if principal is not None:
        for job in call.tenant.jobs.of(principal.id):
            call.tenant.jobs.delete(job)
        call.tenant.applications.delete_principal(principal.id)
    return NO_CONTENT


def _list_assigned(call: Call) -> Answer:
    found = call.tenant.applications.assigned_to(principal_of(call).id)
    fragment = f"servicePrincipals('{call.id()}')/appRoleAssignedTo"
    return collection(call, fragment, [one.wire(call.tenant.made_at) for one in found])


def _assign(call: Call) -> Answer:
    resource = principal_of(call)
    if call.body.guid("resourceId") != resource.id:
        raise not_found(call.body.guid("resourceId"))
    assignment = call.tenant.applications.assign(resource, call.body.guid("principalId"), call.body.guid("appRoleId"))
    fragment = f"servicePrincipals('{resource.id}')/appRoleAssignedTo/$entity"
    return entity(call, fragment, assignment.wire(call.tenant.made_at), status=201)


def _unassign(call: Call) -> Answer:
    resource = principal_of(call)
    call.tenant.applications.unassign(call.ids["assignment"], resource_id=resource.id)
    return NO_CONTENT


def _list_held(call: Call) -> Answer:
    holder = principal_of(call)
    applications = call.tenant.applications
    held = [one.wire(call.tenant.made_at) for one in applications.assignments.values() if one.principal_id == holder.id]
    return collection(call, f"servicePrincipals('{holder.id}')/appRoleAssignments", held)


def _drop_held(call: Call) -> Answer:
    holder = principal_of(call)
    call.tenant.applications.unassign(call.ids["assignment"], principal_id=holder.id)
    return NO_CONTENT


def _application(call: Call) -> Application:
    found = call.tenant.applications.applications.get(call.id())
    if found is None or not call.estate.ground.sees(found.id, found.made_at, View.ID):
        raise not_found(call.ids["id"])
    return found


ROUTES = (
    Route(call="POST /applicationTemplates/{id}/instantiate", handler=_instantiate, body=_INSTANTIATE),
    Route(
        call="GET /servicePrincipals",
        handler=_list_principals,
        options=Options(select=_PRINCIPAL, filter=_NAMED, top=999, count=True),
    ),
    Route(call=f"GET {_BY_ID}", handler=_read_principal, options=Options(select=_PRINCIPAL)),
    Route(call="GET /servicePrincipals(appId={id})", handler=_read_by_app_id, options=Options(select=_PRINCIPAL)),
    Route(call=f"DELETE {_BY_ID}", handler=_delete_principal),
    Route(call="DELETE /servicePrincipals(appId={id})", handler=_delete_by_app_id),
    Route(
        call="GET /applications",
        handler=_list_applications,
        options=Options(select=_APPLICATION, filter=_NAMED, top=999, count=True),
    ),
    Route(call="GET /applications/{id}", handler=_read_application, options=Options(select=_APPLICATION)),
    Route(call="DELETE /applications/{id}", handler=_delete_application),
    Route(call=f"GET {_BY_ID}/appRoleAssignedTo", handler=_list_assigned, options=_PAGED),
    Route(call=f"POST {_BY_ID}/appRoleAssignedTo", handler=_assign, body=_ASSIGN),
    Route(call=f"DELETE {_BY_ID}/appRoleAssignedTo/{{assignment}}", handler=_unassign),
    Route(call=f"GET {_BY_ID}/appRoleAssignments", handler=_list_held, options=_PAGED),
    Route(call=f"DELETE {_BY_ID}/appRoleAssignments/{{assignment}}", handler=_drop_held),
)
