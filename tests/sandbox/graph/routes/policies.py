"""Reads of the tenant's policies (sections 1.4 and 7)."""

from tests.sandbox.answers import Answer
from tests.sandbox.graph.call import Call, collection, entity
from tests.sandbox.graph.query import Options
from tests.sandbox.graph.quota import CONDITIONAL_ACCESS
from tests.sandbox.graph.router import Route
from tests.sandbox.graph.wire import Wire

_AUTHORIZATION = frozenset(
    {
        "id",
        "displayName",
        "description",
        "allowInvitesFrom",
        "allowedToUseSSPR",
        "allowEmailVerifiedUsersToJoinOrganization",
        "allowedToSignUpEmailBasedSubscriptions",
        "blockMsolPowerShell",
        "guestUserRoleId",
        "defaultUserRolePermissions",
    }
)
_GUEST_ROLE = "10dae51f-b6af-4016-8d66-8c2a99b929b3"  # the built-in default for guests
_DEFAULTS = frozenset({"id", "displayName", "description", "isEnabled"})
_ACCESS_POLICY = frozenset(
    {
        "id",
        "templateId",
        "displayName",
        "createdDateTime",
        "modifiedDateTime",
        "state",
        "conditions",
        "grantControls",
        "sessionControls",
    }
)
_NAMED_LOCATION = frozenset({"id", "displayName", "createdDateTime", "modifiedDateTime"})
"""What both kinds have; the rest is selected with a cast, which nobody here does."""


def _authorization(call: Call) -> Answer:
    wire: Wire = {
        "id": "authorizationPolicy",
        "displayName": "Authorization Policy",
        "description": "Used to manage authorization related settings across the company.",
        "allowInvitesFrom": call.tenant.policies.allow_invites_from,
        "allowedToUseSSPR": True,
        "allowEmailVerifiedUsersToJoinOrganization": False,
        "allowedToSignUpEmailBasedSubscriptions": True,
        "blockMsolPowerShell": False,
        "guestUserRoleId": _GUEST_ROLE,
        "defaultUserRolePermissions": {"allowedToCreateApps": True, "allowedToReadOtherUsers": True},
    }
    return entity(call, "policies/authorizationPolicy/$entity", wire)


def _security_defaults(call: Call) -> Answer:
    wire: Wire = {
        "id": "00000000-0000-0000-0000-000000000005",
        "displayName": "Security Defaults",
        "description": "Security defaults is a set of basic identity security mechanisms.",
        "isEnabled": call.tenant.policies.security_defaults,
    }
    return entity(call, "policies/identitySecurityDefaultsEnforcementPolicy/$entity", wire)


def _conditional_access(call: Call) -> Answer:
    call.estate.quotas.take(CONDITIONAL_ACCESS, call.tenant.id, call.app_id)
    return collection(call, "identity/conditionalAccess/policies", call.tenant.policies.conditional_access)


def _named_locations(call: Call) -> Answer:
    call.estate.quotas.take(CONDITIONAL_ACCESS, call.tenant.id, call.app_id)
    return collection(call, "identity/conditionalAccess/namedLocations", call.tenant.policies.named_locations)


ROUTES = (
    Route(
        call="GET /policies/authorizationPolicy",
        handler=_authorization,
        options=Options(select=_AUTHORIZATION),
        service="policy",
    ),
    Route(
        call="GET /policies/identitySecurityDefaultsEnforcementPolicy",
        handler=_security_defaults,
        options=Options(select=_DEFAULTS),
        service="policy",
    ),
    Route(
        call="GET /identity/conditionalAccess/policies",
        handler=_conditional_access,
        options=Options(select=_ACCESS_POLICY, top=999),
        service="conditionalAccess",
    ),
    Route(
        call="GET /identity/conditionalAccess/namedLocations",
        handler=_named_locations,
        options=Options(select=_NAMED_LOCATION, top=999),
        service="conditionalAccess",
    ),
)
