"""Directory reads: tenants, organizations, users, groups, licences. Nothing here writes."""

import itertools
from collections.abc import Sequence
from datetime import datetime

import msgspec

from shared.errors import NotFound, Rejected
from shared.graph.body import query
from shared.graph.client import Graph
from shared.identifiers import ObjectId, TenantId
from shared.permissions import (
    FIND_TENANT_BY_DOMAIN,
    FIND_TENANT_BY_ID,
    LIST_GROUP_MEMBERS,
    LIST_SKUS_IN_SOURCE,
    LIST_SKUS_IN_TARGET,
    LIST_SOURCE_USERS,
    LIST_TARGET_USERS,
    READ_AUTHORIZATION_POLICY,
    READ_GROUP,
    READ_ORGANIZATION,
    READ_SECURITY_DEFAULTS,
    READ_SOURCE_USER,
    READ_TARGET_USER,
    Call,
    Registration,
)

_USER_FIELDS = ["id", "displayName", "userPrincipalName", "mail", "userType", "accountEnabled"]
_MOST_IN = 15
_ACCOUNT_FIELDS = [*_USER_FIELDS, "createdDateTime"]
_MAILBOX_FIELDS = [*_USER_FIELDS, "assignedPlans"]


class TenantInformation(msgspec.Struct, frozen=True, rename="camel"):
    """What Entra tells anyone about a tenant."""

    tenant_id: TenantId
    display_name: str = ""
    default_domain_name: str = ""


class AssignedPlan(msgspec.Struct, frozen=True, rename="camel", kw_only=True):
    """A service plan of a user."""

    service: str = ""
    capability_status: str = ""


class User(msgspec.Struct, frozen=True, rename="camel", kw_only=True):
    """A user, as far as we read one."""

    id: ObjectId
    display_name: str | None = None
    user_principal_name: str = ""
    mail: str | None = None
    user_type: str | None = None
    account_enabled: bool | None = None
    created: datetime | None = msgspec.field(name="createdDateTime", default=None)
    odata_type: str = msgspec.field(name="@odata.type", default="#microsoft.graph.user")
    assigned_plans: list[AssignedPlan] | None = None

    @property
    def is_user(self) -> bool:
        """Whether it is a user: among a group's members may be anything else."""
        return self.odata_type == "#microsoft.graph.user"


class Organization(msgspec.Struct, frozen=True, rename="camel"):
    """A tenant as it names itself."""

    id: TenantId
    display_name: str = ""


class _Plan(msgspec.Struct, frozen=True, rename="camel"):
    service_plan_name: str = ""
    provisioning_status: str = ""


class _Sku(msgspec.Struct, frozen=True, rename="camel"):
    capability_status: str = ""
    service_plans: list[_Plan] = []


class _Authorization(msgspec.Struct, frozen=True, rename="camel"):
    allow_invites_from: str | None = None


class _SecurityDefaults(msgspec.Struct, frozen=True, rename="camel"):
    is_enabled: bool = False


class Group(msgspec.Struct, frozen=True, rename="camel"):
    """A group, as far as we read one."""

    id: ObjectId
    display_name: str | None = None


class Directory:
    """The directory of any tenant."""

    def __init__(self, graph: Graph, source: TenantId) -> None:
        self._graph = graph
        self._source = source
        self._source_name = ""

    async def find_tenant_by_id(self, tenant_id: TenantId) -> TenantInformation | None:
        """A tenant by its id, or None.

        GET /tenantRelationships/findTenantInformationByTenantId (CrossTenantInformation.ReadBasic.All, in the source).
        """
        try:
            answer = await self._graph.send(
                FIND_TENANT_BY_ID,
                Registration.LOOKUP,
                self._source,
                lambda c: c.tenant_relationships.find_tenant_information_by_tenant_id_with_tenant_id(
                    tenant_id
                ).to_get_request_information(),
            )
        except (NotFound, Rejected):
            return None
        return answer.decode(TenantInformation)

    async def find_tenant_by_domain(self, domain: str) -> TenantInformation | None:
        """A tenant by one of its verified domains, or None.

        GET /tenantRelationships/findTenantInformationByDomainName (CrossTenantInformation.ReadBasic.All, in the
        source).
        """
        try:
            answer = await self._graph.send(
                FIND_TENANT_BY_DOMAIN,
                Registration.LOOKUP,
                self._source,
                lambda c: c.tenant_relationships.find_tenant_information_by_domain_name_with_domain_name(
                    domain
                ).to_get_request_information(),
            )
        except (NotFound, Rejected):
            return None
        return answer.decode(TenantInformation)

    async def source_name(self) -> str:
        """What the source tenant is called; its id when Entra does not say. Asked once in a process's life."""
        if not self._source_name:
            found = await self.find_tenant_by_id(self._source)
            if found is None or not found.display_name:
                return self._source
            self._source_name = found.display_name
        return self._source_name

    async def source_user(self, object_id: ObjectId) -> User | None:
        """A user of the source tenant, or None. GET /users/{id} (User.Read.All)."""
        return await self._user(READ_SOURCE_USER, Registration.LOOKUP, self._source, object_id)

    async def source_users(self, object_ids: Sequence[ObjectId]) -> list[User]:
        """Those of the source's users that a list shows: one that was made just now may be missing.

        GET /users?$filter=id in (...) (User.Read.All), 15 ids a request, which is the most that `in` takes (graph,
        filter-query-parameter).
        """
        return await self._users(LIST_SOURCE_USERS, Registration.LOOKUP, self._source, object_ids, _USER_FIELDS)

    async def mailboxes(self, object_ids: Sequence[ObjectId]) -> list[User]:
        """As `source_users`, with the plans that a mailbox needs: `assignedPlans` comes only where it is asked for.

        GET /users?$filter=id in (...) (User.Read.All).
        """
        return await self._users(LIST_SOURCE_USERS, Registration.LOOKUP, self._source, object_ids, _MAILBOX_FIELDS)

    async def target_users(self, tenant_id: TenantId, object_ids: Sequence[ObjectId]) -> list[User]:
        """Those of a target's users that a list shows. GET /users?$filter=id in (...) (User.Read.All), 15 ids a request."""
        return await self._users(LIST_TARGET_USERS, Registration.ACCESS, tenant_id, object_ids, _ACCOUNT_FIELDS)

    async def _users(
        self,
        call: Call,
        registration: Registration,
        tenant_id: TenantId,
        object_ids: Sequence[ObjectId],
        fields: list[str],
    ) -> list[User]:
        found: list[msgspec.Raw] = []
        for ids in itertools.batched(object_ids, _MOST_IN, strict=False):
            found += await self._named(call, registration, tenant_id, ids, fields)
        return [msgspec.json.decode(item, type=User) for item in found]

    async def _named(
        self, call: Call, registration: Registration, tenant_id: TenantId, ids: Sequence[ObjectId], fields: list[str]
    ) -> list[msgspec.Raw]:
        named = ",".join(f"'{one}'" for one in ids)
        return await self._graph.pages(
            call,
            registration,
            tenant_id,
            lambda c: c.users.to_get_request_information(query(select=fields, filter=f"id in ({named})")),
        )

    async def target_user(self, tenant_id: TenantId, object_id: ObjectId) -> User | None:
        """A user of a target tenant, or None: absent, or not replicated. GET /users/{id} (User.Read.All)."""
        return await self._user(READ_TARGET_USER, Registration.ACCESS, tenant_id, object_id)

    async def source_group(self, group_id: ObjectId) -> Group | None:
        """A group of the source tenant, or None. GET /groups/{id} (GroupMember.Read.All)."""
        try:
            answer = await self._graph.send(
                READ_GROUP,
                Registration.LOOKUP,
                self._source,
                lambda c: c.groups.by_group_id(group_id).to_get_request_information(
                    query(select=["id", "displayName"])
                ),
            )
        except NotFound:
            return None
        return answer.decode(Group)

    async def direct_members(self, group_id: ObjectId) -> list[User]:
        """The direct members of a source group: users and, told by `odata_type`, anything else.

        GET /groups/{id}/members (GroupMember.Read.All with User.Read.All). Nested groups are not opened, as
        cross-tenant synchronization does not open them either.
        """
        found = await self._graph.pages(
            LIST_GROUP_MEMBERS,
            Registration.LOOKUP,
            self._source,
            lambda c: c.groups.by_group_id(group_id).members.to_get_request_information(
                query(select=_USER_FIELDS, top=999)
            ),
        )
        return [msgspec.json.decode(item, type=User) for item in found]

    async def organization(self, tenant_id: TenantId) -> Organization | None:
        """The target tenant as it names itself. GET /organization (Organization.Read.All)."""
        found = await self._graph.pages(
            READ_ORGANIZATION,
            Registration.SETUP,
            tenant_id,
            lambda c: c.organization.to_get_request_information(query(select=["id", "displayName", "verifiedDomains"])),
        )
        return msgspec.json.decode(found[0], type=Organization) if found else None

    async def service_plans(self, tenant_id: TenantId) -> frozenset[str]:
        """Names of the service plans that a tenant has and that are provisioned. GET /subscribedSkus."""
        here = tenant_id == self._source
        found = await self._graph.pages(
            LIST_SKUS_IN_SOURCE if here else LIST_SKUS_IN_TARGET,
            Registration.SOURCE if here else Registration.SETUP,
            tenant_id,
            lambda c: c.subscribed_skus.to_get_request_information(),
        )
        skus = [msgspec.json.decode(item, type=_Sku) for item in found]
        return frozenset(
            plan.service_plan_name
            for sku in skus
            if sku.capability_status in ("Enabled", "Warning")
            for plan in sku.service_plans
            if plan.provisioning_status == "Success"
        )

    async def allows_invites_from(self, tenant_id: TenantId) -> str:
        """Who may invite guests in a target; `none` makes provisioning fail.

        GET /policies/authorizationPolicy (Policy.Read.All).
        """
        answer = await self._graph.send(
            READ_AUTHORIZATION_POLICY,
            Registration.SETUP,
            tenant_id,
            lambda c: c.policies.authorization_policy.to_get_request_information(query(select=["allowInvitesFrom"])),
        )
        return answer.decode(_Authorization).allow_invites_from or ""

    async def security_defaults(self, tenant_id: TenantId) -> bool:
        """Whether a target has security defaults. GET /policies/identitySecurityDefaultsEnforcementPolicy."""
        answer = await self._graph.send(
            READ_SECURITY_DEFAULTS,
            Registration.SETUP,
            tenant_id,
            lambda c: c.policies.identity_security_defaults_enforcement_policy.to_get_request_information(),
        )
        return answer.decode(_SecurityDefaults).is_enabled

    async def _user(
        self, call: Call, registration: Registration, tenant_id: TenantId, object_id: ObjectId
    ) -> User | None:
        try:
            answer = await self._graph.send(
                call,
                registration,
                tenant_id,
                lambda c: c.users.by_user_id(object_id).to_get_request_information(query(select=_ACCOUNT_FIELDS)),
            )
        except NotFound:
            return None
        return answer.decode(User)
