"""Cross-tenant access policy: partners and identity synchronization, on either side.

Setup in a target tenant, Source in the source tenant; both with Policy.ReadWrite.CrossTenantAccess.
"""

import json
from typing import Any

from kiota_abstractions.method import Method
from kiota_abstractions.request_information import RequestInformation
from msgraph.graph_service_client import GraphServiceClient

from shared.errors import NotFound
from shared.graph.body import Body
from shared.graph.client import Build, Graph
from shared.graph.shapes import AccessDefault, IdentitySynchronization, Partner
from shared.identifiers import TenantId
from shared.permissions import (
    CREATE_PARTNER,
    DELETE_IDENTITY_SYNC,
    DELETE_PARTNER,
    PATCH_IDENTITY_SYNC,
    PUT_IDENTITY_SYNC,
    READ_ACCESS_DEFAULT,
    READ_IDENTITY_SYNC,
    READ_PARTNER,
    UPDATE_PARTNER,
    Call,
    Registration,
)
from shared.privileged import OpenIntent


class CrossTenantAccess:
    """The cross-tenant access policy of one tenant, as one registration."""

    def __init__(self, graph: Graph, registration: Registration, tenant_id: TenantId) -> None:
        self._graph = graph
        self._registration = registration
        self._tenant_id = tenant_id

    async def default(self) -> AccessDefault:
        """GET /policies/crossTenantAccessPolicy/default."""
        answer = await self._graph.send(
            READ_ACCESS_DEFAULT,
            self._registration,
            self._tenant_id,
            lambda c: c.policies.cross_tenant_access_policy.default.to_get_request_information(),
        )
        return answer.decode(AccessDefault)

    async def partner(self, partner_id: TenantId) -> Partner | None:
        """GET /policies/crossTenantAccessPolicy/partners/{id}; None where there is none (404), or none yet."""
        try:
            answer = await self._graph.send(
                READ_PARTNER,
                self._registration,
                self._tenant_id,
                lambda c: _partner(c, partner_id).to_get_request_information(),
            )
        except NotFound:
            return None
        return answer.decode(Partner)

    async def create_partner(self, partner_id: TenantId, intent: OpenIntent) -> str:
        """POST /policies/crossTenantAccessPolicy/partners. Gives the request id.

        Raises Conflict when the partner is there (Request_MultipleObjectsWithSameKeyValue). Settings follow by
        PATCH: whether a create takes them is unconfirmed.
        """
        answer = await self._graph.send(
            CREATE_PARTNER,
            self._registration,
            self._tenant_id,
            lambda c: c.policies.cross_tenant_access_policy.partners.to_post_request_information(
                Body({"tenantId": partner_id})
            ),
            intent=intent,
        )
        return answer.request_id

    async def update_partner(self, partner_id: TenantId, changes: dict[str, Any], intent: OpenIntent) -> str:
        """PATCH /policies/crossTenantAccessPolicy/partners/{id} -> 204. Idempotent. A null clears, or so it seems
        (unconfirmed): only what was null before may be sent as null.
        """
        answer = await self._graph.send(
            UPDATE_PARTNER,
            self._registration,
            self._tenant_id,
            lambda c: _partner(c, partner_id).to_patch_request_information(Body(changes)),
            intent=intent,
        )
        return answer.request_id

    async def delete_partner(self, partner_id: TenantId, intent: OpenIntent) -> str:
        """DELETE /policies/crossTenantAccessPolicy/partners/{id} -> 204; one that is gone counts as done.

        Refused while the partner has an identity synchronization. Soft: for 30 days another create may be refused.
        """
        return await self._delete(
            DELETE_PARTNER, lambda c: _partner(c, partner_id).to_delete_request_information(), intent
        )

    async def identity_synchronization(self, partner_id: TenantId) -> IdentitySynchronization | None:
        """GET .../partners/{id}/identitySynchronization; None where there is none (404)."""
        try:
            answer = await self._graph.send(
                READ_IDENTITY_SYNC,
                self._registration,
                self._tenant_id,
                lambda c: _partner(c, partner_id).identity_synchronization.to_get_request_information(),
            )
        except NotFound:
            return None
        return answer.decode(IdentitySynchronization)

    async def put_identity_synchronization(self, partner_id: TenantId, display_name: str, intent: OpenIntent) -> str:
        """PUT .../partners/{id}/identitySynchronization -> 204.

        Raises Conflict (ConflictingObjects) where a repeat is not taken as an update: then PATCH.
        """
        body = {"displayName": display_name, "userSyncInbound": {"isSyncAllowed": True}}
        answer = await self._graph.send(
            PUT_IDENTITY_SYNC,
            self._registration,
            self._tenant_id,
            lambda c: _partner(c, partner_id).identity_synchronization.to_put_request_information(Body(body)),
            intent=intent,
        )
        return answer.request_id

    async def patch_identity_synchronization(
        self, partner_id: TenantId, intent: OpenIntent, *, allowed: bool = True
    ) -> str:
        """PATCH .../partners/{id}/identitySynchronization -> 204. Idempotent. A raw request: the SDK has no patch
        there.
        """

        def build(client: GraphServiceClient) -> RequestInformation:
            builder = _partner(client, partner_id).identity_synchronization
            request = RequestInformation(Method.PATCH, builder.url_template, builder.path_parameters)
            request.headers.try_add("Accept", "application/json")
            body = json.dumps({"userSyncInbound": {"isSyncAllowed": allowed}}).encode()
            request.set_stream_content(body, "application/json")
            return request

        answer = await self._graph.send(PATCH_IDENTITY_SYNC, self._registration, self._tenant_id, build, intent=intent)
        return answer.request_id

    async def delete_identity_synchronization(self, partner_id: TenantId, intent: OpenIntent) -> str:
        """DELETE .../partners/{id}/identitySynchronization -> 204; one that is gone counts as done."""
        return await self._delete(
            DELETE_IDENTITY_SYNC,
            lambda c: _partner(c, partner_id).identity_synchronization.to_delete_request_information(),
            intent,
        )

    async def _delete(self, call: Call, build: Build, intent: OpenIntent) -> str:
        try:
            answer = await self._graph.send(call, self._registration, self._tenant_id, build, intent=intent)
        except NotFound as error:
            return error.call.request_id
        return answer.request_id


def _partner(client: GraphServiceClient, partner_id: TenantId) -> Any:
    partners = client.policies.cross_tenant_access_policy.partners
    return partners.by_cross_tenant_access_policy_configuration_partner_tenant_id(partner_id)
