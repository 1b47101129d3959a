"""The permission table, as data: every call of Graph, with the registrations that make it and what they need for it.

Consent pages, the record, the README and the sandbox's registrations are made from this table or checked against it.
Several permissions of one row must be present together. `write` marks what changes a tenant: the vendor client
refuses those without an open intent (some reads are POSTs, so the method does not tell). Azure's calls are in
azure_permissions.py.
"""

from enum import StrEnum

import msgspec

SECURITY_READER = "5d6b6bb7-de71-4623-b4af-96380a352509"
"""Role template id of Security Reader, the same in every tenant (Entra built-in roles reference)."""


class Registration(StrEnum):
    """Our application registrations, by the names that administrators see."""

    API = "Tenantry API"
    LOOKUP = "Tenantry Lookup"
    SOURCE = "Tenantry Source"
    SETUP = "Tenantry Setup"
    ACCESS = "Tenantry Access"
    HUNT = "Tenantry Hunt"
    BROKER = "Tenantry Broker"


OPTIONAL = frozenset({Registration.BROKER})
"""Registrations that a deployment may be without. What they do is not there then (broker_permissions.py)."""


class SourceMode(StrEnum):
    """Who makes the enterprise applications of the synchronization, and assigns the analysts: the app, or a person.

    An app that only adopts them may neither make applications nor assign app roles.
    """

    OWN = "own"
    ADOPTED = "adopted"


class Family(StrEnum):
    """Calls that share a throttling limit (Graph throttling limits reference)."""

    DIRECTORY = "directory"
    POLICY = "policy"
    SYNCHRONIZATION = "synchronization"
    ON_DEMAND = "provisionOnDemand"
    REPORTS = "reports"
    PIM = "pim"
    CONDITIONAL_ACCESS = "conditionalAccess"
    HUNTING = "hunting"
    AZURE_PIM = "azurePim"
    AZURE_BUDGETS = "azureBudgets"
    RETAIL_PRICES = "retailPrices"


MULTI_TENANT = (Registration.SETUP, Registration.ACCESS, Registration.HUNT)
"""Registrations that live in target tenants, in the order in which they are asked for. Which of them a tenant is asked
for follows from what is wanted (running/acts.py)."""


class Call(msgspec.Struct, frozen=True, kw_only=True):
    """One vendor call: method and path below /v1.0, who makes it, what it needs and why.

    `adopted`: what it needs instead where enterprise applications are adopted; empty where it is not made then.
    `delegated`: made with a person's token, and what that person may decides.
    """

    method: str
    path: str
    registrations: tuple[Registration, ...]
    permissions: tuple[str, ...]
    family: Family
    why: str
    write: bool = False
    adopted: tuple[str, ...] | None = None
    delegated: bool = False

    def needs(self, mode: SourceMode) -> tuple[str, ...]:
        """The permissions that it needs in a deployment of that mode."""
        return self.permissions if self.adopted is None or mode is SourceMode.OWN else self.adopted


_PARTNERS = "/policies/crossTenantAccessPolicy/partners"
_SYNC = "/servicePrincipals/{id}/synchronization"
_BOTH_SIDES = (Registration.SETUP, Registration.SOURCE)
_XTAP = ("Policy.ReadWrite.CrossTenantAccess",)
_SYNCHRONIZATION = ("Synchronization.ReadWrite.All",)
_ELIGIBILITY = ("RoleEligibilitySchedule.ReadWrite.Directory",)


def _call(
    line: str,
    by: Registration | tuple[Registration, ...],
    permissions: tuple[str, ...],
    family: Family,
    why: str,
    *,
    write: bool = False,
    adopted: tuple[str, ...] | None = None,
) -> Call:
    method, path = line.split(" ", 1)
    registrations = by if isinstance(by, tuple) else (by,)
    return Call(
        method=method,
        path=path,
        registrations=registrations,
        permissions=permissions,
        family=family,
        why=why,
        write=write,
        adopted=adopted,
    )


READ_SOURCE_USER = _call(
    "GET /users/{id}",
    Registration.LOOKUP,
    ("User.Read.All",),
    Family.DIRECTORY,
    "whether an analyst whom no list shows is in the source",
)
LIST_SOURCE_USERS = _call(
    "GET /users",
    Registration.LOOKUP,
    ("User.Read.All",),
    Family.DIRECTORY,
    "analysts must be members of the source, and no guests there; whether PIM's mail reaches who approves",
)
READ_TARGET_USER = _call(
    "GET /users/{id}",
    Registration.ACCESS,
    ("User.Read.All",),
    Family.DIRECTORY,
    "an account of the target that no list shows",
)
LIST_TARGET_USERS = _call(
    "GET /users",
    Registration.ACCESS,
    ("User.Read.All",),
    Family.DIRECTORY,
    "the accounts that were made must be readable in the target before they are made eligible",
)
READ_GROUP = _call(
    "GET /groups/{id}",
    Registration.LOOKUP,
    ("GroupMember.Read.All",),
    Family.DIRECTORY,
    "the source group that names the analysts must exist",
)
LIST_GROUP_MEMBERS = _call(
    "GET /groups/{id}/members",
    Registration.LOOKUP,
    ("GroupMember.Read.All", "User.Read.All"),
    Family.DIRECTORY,
    "the direct members of the source group are the analysts; of an approvers' group, who approves",
)
FIND_TENANT_BY_ID = _call(
    "GET /tenantRelationships/findTenantInformationByTenantId(tenantId='{id}')",
    Registration.LOOKUP,
    ("CrossTenantInformation.ReadBasic.All",),
    Family.DIRECTORY,
    "the target tenant's name, before anything is written",
)
FIND_TENANT_BY_DOMAIN = _call(
    "GET /tenantRelationships/findTenantInformationByDomainName(domainName='{id}')",
    Registration.LOOKUP,
    ("CrossTenantInformation.ReadBasic.All",),
    Family.DIRECTORY,
    "the target tenant's id, where a domain was given",
)
READ_ORGANIZATION = _call(
    "GET /organization",
    Registration.SETUP,
    ("Organization.Read.All",),
    Family.DIRECTORY,
    "the tenant that consented is the tenant that was asked",
)
LIST_SKUS_IN_TARGET = _call(
    "GET /subscribedSkus",
    Registration.SETUP,
    ("Organization.Read.All",),
    Family.DIRECTORY,
    "PIM needs Entra ID P2 or Governance in the target",
)
LIST_SKUS_IN_SOURCE = _call(
    "GET /subscribedSkus",
    Registration.SOURCE,
    ("LicenseAssignment.Read.All",),
    Family.DIRECTORY,
    "synchronization needs Entra ID P1 in the source",
)
READ_AUTHORIZATION_POLICY = _call(
    "GET /policies/authorizationPolicy",
    Registration.SETUP,
    ("Policy.Read.All",),
    Family.POLICY,
    "guest invitations must be allowed, or provisioning fails",
)
READ_SECURITY_DEFAULTS = _call(
    "GET /policies/identitySecurityDefaultsEnforcementPolicy",
    Registration.SETUP,
    ("Policy.Read.All",),
    Family.POLICY,
    "security defaults ask the analysts for MFA",
)
READ_ACCESS_DEFAULT = _call(
    "GET /policies/crossTenantAccessPolicy/default",
    _BOTH_SIDES,
    _XTAP,
    Family.POLICY,
    "the default must not block the analysts",
)
READ_PARTNER = _call(
    f"GET {_PARTNERS}/{{id}}", _BOTH_SIDES, _XTAP, Family.POLICY, "compare before and after each write"
)
CREATE_PARTNER = _call(
    f"POST {_PARTNERS}", _BOTH_SIDES, _XTAP, Family.POLICY, "name the other tenant as a partner", write=True
)
UPDATE_PARTNER = _call(
    f"PATCH {_PARTNERS}/{{id}}",
    _BOTH_SIDES,
    _XTAP,
    Family.POLICY,
    "automatic redemption on both sides; MFA trust in the target; in the end what was there before",
    write=True,
)
DELETE_PARTNER = _call(
    f"DELETE {_PARTNERS}/{{id}}",
    _BOTH_SIDES,
    _XTAP,
    Family.POLICY,
    "take the partner away again that was not there before",
    write=True,
)
READ_IDENTITY_SYNC = _call(
    f"GET {_PARTNERS}/{{id}}/identitySynchronization",
    _BOTH_SIDES,
    _XTAP,
    Family.POLICY,
    "compare before and after each write",
)
PUT_IDENTITY_SYNC = _call(
    f"PUT {_PARTNERS}/{{id}}/identitySynchronization",
    Registration.SETUP,
    _XTAP,
    Family.POLICY,
    "allow user synchronization from the source",
    write=True,
)
PATCH_IDENTITY_SYNC = _call(
    f"PATCH {_PARTNERS}/{{id}}/identitySynchronization",
    Registration.SETUP,
    _XTAP,
    Family.POLICY,
    "allow user synchronization where the object is there already",
    write=True,
)
DELETE_IDENTITY_SYNC = _call(
    f"DELETE {_PARTNERS}/{{id}}/identitySynchronization",
    Registration.SETUP,
    _XTAP,
    Family.POLICY,
    "no user synchronization from the source any more, once it is let go",
    write=True,
)
FIND_SERVICE_PRINCIPALS = _call(
    "GET /servicePrincipals",
    Registration.SOURCE,
    ("Application.ReadWrite.All",),
    Family.DIRECTORY,
    "find our enterprise application again, so that there is no twin",
    adopted=(),
)
READ_SERVICE_PRINCIPAL = _call(
    "GET /servicePrincipals/{id}",
    Registration.SOURCE,
    ("Application.ReadWrite.All",),
    Family.DIRECTORY,
    "its app role id is read, not assumed",
    adopted=("Application.Read.All",),
)
INSTANTIATE = _call(
    "POST /applicationTemplates/{id}/instantiate",
    Registration.SOURCE,
    ("Application.ReadWrite.All",),
    Family.DIRECTORY,
    "one enterprise application per target holds the synchronization",
    write=True,
    adopted=(),
)
DELETE_SERVICE_PRINCIPAL = _call(
    "DELETE /servicePrincipals/{id}",
    Registration.SOURCE,
    ("Application.ReadWrite.All",),
    Family.DIRECTORY,
    "delete the enterprise application that we made, once its target is let go",
    write=True,
    adopted=(),
)
FIND_APPLICATIONS = _call(
    "GET /applications",
    Registration.SOURCE,
    ("Application.ReadWrite.All",),
    Family.DIRECTORY,
    "find the application object behind our enterprise application",
    adopted=(),
)
DELETE_APPLICATION = _call(
    "DELETE /applications/{id}",
    Registration.SOURCE,
    ("Application.ReadWrite.All",),
    Family.DIRECTORY,
    "delete the application object that came with our enterprise application",
    write=True,
    adopted=(),
)
LIST_ASSIGNED = _call(
    "GET /servicePrincipals/{id}/appRoleAssignedTo",
    Registration.SOURCE,
    ("Application.ReadWrite.All",),
    Family.DIRECTORY,
    "who is in scope of the synchronization",
    adopted=("Application.Read.All",),
)
ASSIGN = _call(
    "POST /servicePrincipals/{id}/appRoleAssignedTo",
    Registration.SOURCE,
    ("AppRoleAssignment.ReadWrite.All", "Application.ReadWrite.All"),
    Family.DIRECTORY,
    "put each analyst in scope",
    write=True,
    adopted=(),
)
UNASSIGN = _call(
    "DELETE /servicePrincipals/{id}/appRoleAssignedTo/{id}",
    Registration.SOURCE,
    ("AppRoleAssignment.ReadWrite.All",),
    Family.DIRECTORY,
    "take an analyst who leaves out of scope",
    write=True,
    adopted=(),
)
VALIDATE_CREDENTIALS = _call(
    f"POST {_SYNC}/jobs/validateCredentials",
    Registration.SOURCE,
    _SYNCHRONIZATION,
    Family.SYNCHRONIZATION,
    "prove the trust of both sides before a job is made",
)
VALIDATE_JOB_CREDENTIALS = _call(
    f"POST {_SYNC}/jobs/{{id}}/validateCredentials",
    Registration.SOURCE,
    _SYNCHRONIZATION,
    Family.SYNCHRONIZATION,
    "prove the stored secrets, which cannot be read back",
)
LIST_JOBS = _call(
    f"GET {_SYNC}/jobs", Registration.SOURCE, _SYNCHRONIZATION, Family.SYNCHRONIZATION, "find the job before making one"
)
READ_JOB = _call(
    f"GET {_SYNC}/jobs/{{id}}", Registration.SOURCE, _SYNCHRONIZATION, Family.SYNCHRONIZATION, "state and quarantine"
)
CREATE_JOB = _call(
    f"POST {_SYNC}/jobs", Registration.SOURCE, _SYNCHRONIZATION, Family.SYNCHRONIZATION, "the job", write=True
)
PUT_SECRETS = _call(
    f"PUT {_SYNC}/secrets",
    Registration.SOURCE,
    _SYNCHRONIZATION,
    Family.SYNCHRONIZATION,
    "which tenant it synchronizes to, and only assigned users",
    write=True,
)
READ_SCHEMA = _call(
    f"GET {_SYNC}/jobs/{{id}}/schema",
    Registration.SOURCE,
    _SYNCHRONIZATION,
    Family.SYNCHRONIZATION,
    "the rule id that provisioning on demand asks for",
)
START_JOB = _call(
    f"POST {_SYNC}/jobs/{{id}}/start",
    Registration.SOURCE,
    _SYNCHRONIZATION,
    Family.SYNCHRONIZATION,
    "start it, once",
    write=True,
)
PAUSE_JOB = _call(
    f"POST {_SYNC}/jobs/{{id}}/pause",
    Registration.SOURCE,
    _SYNCHRONIZATION,
    Family.SYNCHRONIZATION,
    "stop it before it is deleted",
    write=True,
)
DELETE_JOB = _call(
    f"DELETE {_SYNC}/jobs/{{id}}",
    Registration.SOURCE,
    _SYNCHRONIZATION,
    Family.SYNCHRONIZATION,
    "delete the job of a target that is let go",
    write=True,
)
PROVISION_ON_DEMAND = _call(
    f"POST {_SYNC}/jobs/{{id}}/provisionOnDemand",
    Registration.SOURCE,
    _SYNCHRONIZATION,
    Family.ON_DEMAND,
    "make an analyst's account in the target now",
    write=True,
)
LIST_PROVISIONING_LOG = _call(
    "GET /auditLogs/provisioning",
    Registration.SOURCE,
    ("ProvisioningLog.Read.All",),
    Family.REPORTS,
    "the analysts' object ids in the target, and why one was skipped",
)
READ_ROLE_POLICY = _call(
    "GET /policies/roleManagementPolicyAssignments",
    Registration.ACCESS,
    ("RoleManagement.Read.Directory",),
    Family.PIM,
    "the longest eligibility that the target allows, and rules that an app cannot meet",
)
LIST_ELIGIBILITY_SCHEDULES = _call(
    "GET /roleManagement/directory/roleEligibilitySchedules",
    Registration.ACCESS,
    _ELIGIBILITY,
    Family.PIM,
    "compare before each write",
)
LIST_ELIGIBILITY_INSTANCES = _call(
    "GET /roleManagement/directory/roleEligibilityScheduleInstances",
    Registration.ACCESS,
    _ELIGIBILITY,
    Family.PIM,
    "read back what is in force",
)
REQUEST_ELIGIBILITY = _call(
    "POST /roleManagement/directory/roleEligibilityScheduleRequests",
    Registration.ACCESS,
    _ELIGIBILITY,
    Family.PIM,
    "make an analyst eligible for Security Reader, with an end; take it back from one who leaves",
    write=True,
)
LIST_ELIGIBILITY_REQUESTS = _call(
    "GET /roleManagement/directory/roleEligibilityScheduleRequests",
    Registration.ACCESS,
    _ELIGIBILITY,
    Family.PIM,
    "what lapsed is renewed, but not what a person took away",
)

LIST_ROLE_ASSIGNMENTS = _call(
    "GET /roleManagement/directory/roleAssignments",
    Registration.ACCESS,
    ("RoleManagement.Read.Directory",),
    Family.PIM,
    "in a tenant without PIM, whether its administrator has assigned the role",
)

LIST_ACCESS_POLICIES = _call(
    "GET /identity/conditionalAccess/policies",
    Registration.SETUP,
    ("Policy.Read.All",),
    Family.CONDITIONAL_ACCESS,
    "what the target would ask of an analyst who signs in",
)
LIST_NAMED_LOCATIONS = _call(
    "GET /identity/conditionalAccess/namedLocations",
    Registration.SETUP,
    ("Policy.Read.All",),
    Family.CONDITIONAL_ACCESS,
    "from where analysts may sign in",
)
RUN_HUNTING_QUERY = _call(
    "POST /security/microsoft.graph.security.runHuntingQuery",
    Registration.HUNT,
    ("ThreatHunting.Read.All",),
    Family.HUNTING,
    "prove that the target's Defender data can be queried",
)

CALLS: tuple[Call, ...] = tuple(value for value in tuple(globals().values()) if isinstance(value, Call))


def needed(registration: Registration, mode: SourceMode = SourceMode.OWN) -> tuple[str, ...]:
    """The application permissions that a registration holds: what its calls need, and nothing else."""
    return tuple(sorted({name for call in CALLS if registration in call.registrations for name in call.needs(mode)}))
