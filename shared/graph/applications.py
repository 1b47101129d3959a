"""Enterprise applications in the source tenant, as Tenantry Source: find, make, and put users in scope."""

import msgspec

from shared.errors import NotFound, Rejected
from shared.graph.body import Body, query, quoted
from shared.graph.client import Build, Graph
from shared.graph.sync_shapes import TEMPLATE, Application, Assignment, Instantiated, ServicePrincipal
from shared.identifiers import ObjectId, TenantId
from shared.permissions import (
    ASSIGN,
    DELETE_APPLICATION,
    DELETE_SERVICE_PRINCIPAL,
    FIND_APPLICATIONS,
    FIND_SERVICE_PRINCIPALS,
    INSTANTIATE,
    LIST_ASSIGNED,
    READ_SERVICE_PRINCIPAL,
    UNASSIGN,
    Call,
    Registration,
)
from shared.privileged import OpenIntent


class Applications:
    """Service principals of the source tenant, and who is assigned to them."""

    def __init__(self, graph: Graph, source: TenantId) -> None:
        self._graph = graph
        self._source = source

    async def find_applications(self, display_name: str) -> list[ServicePrincipal]:
        """Our enterprise application by its exact name and template.

        GET /servicePrincipals?$filter=displayName eq (Application.ReadWrite.All). A fresh one may not show yet.
        """
        found = await self._graph.pages(
            FIND_SERVICE_PRINCIPALS,
            Registration.SOURCE,
            self._source,
            lambda c: c.service_principals.to_get_request_information(
                query(
                    filter=f"displayName eq {quoted(display_name)}",
                    select=["id", "appId", "displayName", "applicationTemplateId", "appRoles"],
                )
            ),
        )
        all_found = [msgspec.json.decode(item, type=ServicePrincipal) for item in found]
        return [one for one in all_found if one.application_template_id == TEMPLATE]

    async def service_principal(self, service_principal_id: str) -> ServicePrincipal | None:
        """GET /servicePrincipals/{id}; None where it is not to be seen (404)."""
        try:
            answer = await self._graph.send(
                READ_SERVICE_PRINCIPAL,
                Registration.SOURCE,
                self._source,
                lambda c: c.service_principals.by_service_principal_id(service_principal_id).to_get_request_information(
                    query(select=["id", "appId", "displayName", "applicationTemplateId", "appRoles"])
                ),
            )
        except NotFound:
            return None
        return answer.decode(ServicePrincipal)

    async def instantiate(self, display_name: str, intent: OpenIntent) -> tuple[ServicePrincipal, str]:
        """POST /applicationTemplates/{id}/instantiate. Not idempotent: each call makes another application.

        Gives the enterprise application and the request id.
        """
        answer = await self._graph.send(
            INSTANTIATE,
            Registration.SOURCE,
            self._source,
            lambda c: c.application_templates.by_application_template_id(
                TEMPLATE
            ).instantiate.to_post_request_information(Body({"displayName": display_name})),
            intent=intent,
        )
        return answer.decode(Instantiated).service_principal, answer.request_id

    async def application_objects(self, app_id: str) -> list[Application]:
        """The application object behind an enterprise application that was made from our template: one, or none.

        GET /applications?$filter=appId eq (Application.ReadWrite.All).
        """
        found = await self._graph.pages(
            FIND_APPLICATIONS,
            Registration.SOURCE,
            self._source,
            lambda c: c.applications.to_get_request_information(
                query(filter=f"appId eq {quoted(app_id)}", select=["id", "appId", "applicationTemplateId"])
            ),
        )
        all_found = [msgspec.json.decode(item, type=Application) for item in found]
        return [one for one in all_found if one.application_template_id == TEMPLATE]

    async def delete_service_principal(self, service_principal_id: str, intent: OpenIntent) -> str:
        """DELETE /servicePrincipals/{id} -> 204, with its assignments; one that is gone counts as done."""
        return await self._delete(
            DELETE_SERVICE_PRINCIPAL,
            lambda c: c.service_principals.by_service_principal_id(
                service_principal_id
            ).to_delete_request_information(),
            intent,
        )

    async def delete_application_object(self, object_id: str, intent: OpenIntent) -> str:
        """DELETE /applications/{id} -> 204, with its service principal; one that is gone counts as done."""
        return await self._delete(
            DELETE_APPLICATION,
            lambda c: c.applications.by_application_id(object_id).to_delete_request_information(),
            intent,
        )

    async def assignments(self, service_principal_id: str) -> list[Assignment]:
        """GET /servicePrincipals/{id}/appRoleAssignedTo, all pages."""
        found = await self._graph.pages(
            LIST_ASSIGNED,
            Registration.SOURCE,
            self._source,
            lambda c: c.service_principals.by_service_principal_id(
                service_principal_id
            ).app_role_assigned_to.to_get_request_information(query(top=999)),
        )
        return [msgspec.json.decode(item, type=Assignment) for item in found]

    async def assign(self, service_principal_id: str, app_role_id: str, user: ObjectId, intent: OpenIntent) -> str:
        """POST /servicePrincipals/{id}/appRoleAssignedTo. Gives the request id.

        A repeat is refused as already existing, which counts as done; a fresh object as "Not a valid reference
        update", which is raised as NotFound (come again).
        """
        body = {"principalId": user, "resourceId": service_principal_id, "appRoleId": app_role_id}
        try:
            answer = await self._graph.send(
                ASSIGN,
                Registration.SOURCE,
                self._source,
                lambda c: c.service_principals.by_service_principal_id(
                    service_principal_id
                ).app_role_assigned_to.to_post_request_information(Body(body)),
                intent=intent,
            )
        except Rejected as error:
            message = error.call.message.lower()
            if "already exist" in message:
                return error.call.request_id
            if "not a valid reference update" in message:
                raise NotFound(error.call) from error
            raise
        return answer.request_id

    async def unassign(self, service_principal_id: str, assignment_id: str, intent: OpenIntent) -> str:
        """DELETE /servicePrincipals/{id}/appRoleAssignedTo/{id} -> 204. Gives the request id.

        One that is gone already is refused as not found, which counts as done.
        """
        try:
            answer = await self._graph.send(
                UNASSIGN,
                Registration.SOURCE,
                self._source,
                lambda c: (
                    c.service_principals.by_service_principal_id(service_principal_id)
                    .app_role_assigned_to.by_app_role_assignment_id(assignment_id)
                    .to_delete_request_information()
                ),
                intent=intent,
            )
        except NotFound as error:
            return error.call.request_id
        except Rejected as error:
            if "is not found" not in error.call.message.lower():
                raise
            return error.call.request_id
        return answer.request_id

    async def _delete(self, call: Call, build: Build, intent: OpenIntent) -> str:
        try:
            answer = await self._graph.send(call, Registration.SOURCE, self._source, build, intent=intent)
        except NotFound as error:
            return error.call.request_id
        return answer.request_id
