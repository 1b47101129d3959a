"""Cross-tenant access policy: partners and identity synchronization, on either side.

Setup in a target tenant, Source in the source tenant; both with Policy.ReadWrite.CrossTenantAccess.
"""

import json
from typing import Any

import msgspec
from kiota_abstractions.method import Method
from kiota_abstractions.request_information import RequestInformation
from msgraph.graph_service_client import GraphServiceClient

from shared.errors import NotFound
from shared.graph.body import Body
from shared.graph.client import Graph
from shared.identifiers import TenantId
from shared.intents import OpenIntent
from shared.permissions import (
    CREATE_PARTNER,
    PATCH_IDENTITY_SYNC,
    PUT_IDENTITY_SYNC,
    READ_ACCESS_DEFAULT,
    READ_IDENTITY_SYNC,
    READ_PARTNER,
    UPDATE_PARTNER,
    Registration,
)


class InboundTrust(msgspec.Struct, frozen=True, rename="camel", kw_only=True):
    """Which claims of another tenant count. None inherits from the default."""

    is_mfa_accepted: bool | None = None
    is_compliant_device_accepted: bool | None = None
    is_hybrid_joined: bool | None = msgspec.field(name="isHybridAzureADJoinedDeviceAccepted", default=None)


class AutomaticRedemption(msgspec.Struct, frozen=True, rename="camel", kw_only=True):
    """automaticUserConsentSettings: no consent prompt, when both sides say so."""

    inbound_allowed: bool | None = None
    outbound_allowed: bool | None = None


class _Access(msgspec.Struct, frozen=True, rename="camel"):
    access_type: str | None = None


class B2BSetting(msgspec.Struct, frozen=True, rename="camel"):
    """One B2B collaboration setting, as far as it can block everyone."""

    users_and_groups: _Access | None = None
    applications: _Access | None = None

    @property
    def blocks(self) -> bool:
        """Whether it says `blocked` for users or for applications."""
        return any(
            part is not None and part.access_type == "blocked" for part in (self.users_and_groups, self.applications)
        )


class Partner(msgspec.Struct, frozen=True, rename="camel", kw_only=True):
    """crossTenantAccessPolicyConfigurationPartner, as far as we read it."""

    tenant_id: TenantId
    inbound_trust: InboundTrust | None = None
    automatic_user_consent_settings: AutomaticRedemption | None = None
    b2b_collaboration_inbound: B2BSetting | None = None
    b2b_collaboration_outbound: B2BSetting | None = None


class AccessDefault(msgspec.Struct, frozen=True, rename="camel", kw_only=True):
    """crossTenantAccessPolicyConfigurationDefault, as far as we read it."""

    inbound_trust: InboundTrust | None = None
    b2b_collaboration_inbound: B2BSetting | None = None
    b2b_collaboration_outbound: B2BSetting | None = None


class _SyncInbound(msgspec.Struct, frozen=True, rename="camel"):
    is_sync_allowed: bool | None = None


class IdentitySynchronization(msgspec.Struct, frozen=True, rename="camel"):
    """crossTenantIdentitySyncPolicyPartner, as far as we read it."""

    display_name: str | None = None
    user_sync_inbound: _SyncInbound | None = None

    @property
    def allowed(self) -> bool:
        """Whether users may be synchronized in."""
        return self.user_sync_inbound is not None and self.user_sync_inbound.is_sync_allowed is True


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
        """PATCH /policies/crossTenantAccessPolicy/partners/{id} -> 204. Idempotent. Never send a null: it would
        clear.
        """
        answer = await self._graph.send(
            UPDATE_PARTNER,
            self._registration,
            self._tenant_id,
            lambda c: _partner(c, partner_id).to_patch_request_information(Body(changes)),
            intent=intent,
        )
        return answer.request_id

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

    async def patch_identity_synchronization(self, partner_id: TenantId, intent: OpenIntent) -> str:
        """PATCH .../partners/{id}/identitySynchronization -> 204. Idempotent. A raw request: the SDK has no patch
        there.
        """

        def build(client: GraphServiceClient) -> RequestInformation:
            builder = _partner(client, partner_id).identity_synchronization
            request = RequestInformation(Method.PATCH, builder.url_template, builder.path_parameters)
            request.headers.try_add("Accept", "application/json")
            body = json.dumps({"userSyncInbound": {"isSyncAllowed": True}}).encode()
            request.set_stream_content(body, "application/json")
            return request

        answer = await self._graph.send(PATCH_IDENTITY_SYNC, self._registration, self._tenant_id, build, intent=intent)
        return answer.request_id


def _partner(client: GraphServiceClient, partner_id: TenantId) -> Any:
    partners = client.policies.cross_tenant_access_policy.partners
    return partners.by_cross_tenant_access_policy_configuration_partner_tenant_id(partner_id)
