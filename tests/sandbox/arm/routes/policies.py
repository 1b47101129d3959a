"""Role management policies and their assignments to roles, read and changed (section 2)."""

from tests.sandbox.answers import Answer
from tests.sandbox.arm.call import Call, page
from tests.sandbox.arm.errors import bad_request, malformed, not_found
from tests.sandbox.arm.filters import AT_SCOPE, ROLE
from tests.sandbox.arm.models.policy import PIM_ONLY, Policy
from tests.sandbox.arm.models.policy_rules import a_rule, apply
from tests.sandbox.arm.models.roles import BUILT_IN
from tests.sandbox.arm.router import AUTHORIZATION, STABLE, Route
from tests.sandbox.arm.routes.expanded import role_path, role_wire, scope_wire
from tests.sandbox.arm.routes.resources import path_of
from tests.sandbox.graph.wire import Body, Wire, a_list, an_object, moment

_PREVIEW = ("2024-09-01-preview",)
_CHANGE = an_object(
    {"properties": an_object({"rules": a_list(a_rule, least=1)}, required=("rules",))}, required=("properties",)
)


def _all(call: Call) -> list[Policy]:
    roles = (*BUILT_IN, *call.subscription.access.custom_roles)
    return [call.subscription.pim.policy(role, call.scope) for role in roles]


def _find(call: Call) -> Policy:
    """The policy of the path."""
    call.subscription.pim.require_licence()
    for policy in _all(call):
        if policy.id == call.ids["id"].lower():
            return policy
    raise not_found("RoleManagementPolicyNotFound", f"The policy '{call.ids['id']}' is not found.")


def _list_assignments(call: Call) -> Answer:
    """The filter on the role works but is not in the specification, so it may as well be ignored."""
    call.subscription.pim.require_licence()
    found = _all(call)
    ignored = call.ground.switches.is_flipped("arm-policy-filter-ignored")
    if call.filter is not None and call.filter.name == ROLE and not ignored:
        wanted = call.filter.value.lower()
        found = [one for one in found if role_path(call.subscription, one.role_id).lower() == wanted]
    return page(call, [_assignment_wire(call, one) for one in found])


def _list(call: Call) -> Answer:
    call.subscription.pim.require_licence()
    return page(call, [_policy_wire(call, one) for one in _all(call)])


def _read(call: Call) -> Answer:
    return Answer(body=_policy_wire(call, _find(call)))


def _patch(call: Call) -> Answer:
    """The approval rule wants an action of its own beside the policy's (section 2.2)."""
    policy = _find(call)
    properties = call.body.object("properties") or Body({})
    given = properties.raw("rules")
    rules = [one for one in given if isinstance(one, dict)] if isinstance(given, list) else []
    if any(rule["id"] == PIM_ONLY for rule in rules):
        _require_pim_only(call)
    if any(str(rule["id"]).startswith("Approval_") for rule in rules):
        call.require(f"{AUTHORIZATION}/roleManagementPolicies/approvalRule/action")
    apply(policy, rules, call.subscription.tenant)
    policy.modified_at = call.ground.now()
    policy.modified_by = {"id": call.caller.object_id, "displayName": None, "type": None, "email": None}
    return Answer(body=_policy_wire(call, policy))


def _require_pim_only(call: Call) -> None:
    """Section 2.3: of a preview version, and whether a tenant has it is an open question."""
    if call.query["api-version"] not in _PREVIEW:
        raise malformed(f"the rule '{PIM_ONLY}' belongs to {_PREVIEW[0]}.")
    if not _has_pim_only(call):
        raise bad_request("InvalidPolicyRule", "The policy rule is invalid.")


def _has_pim_only(call: Call) -> bool:
    return call.query["api-version"] in _PREVIEW and call.ground.switches.is_flipped("arm-pim-only-mode-available")


def _policy_path(call: Call, policy: Policy) -> str:
    return path_of(call.scope, "roleManagementPolicies", policy.id)


def _assignment_wire(call: Call, policy: Policy) -> Wire:
    name = f"{policy.id}_{policy.role_id}"
    role = call.subscription.access.role(policy.role_id)
    return {
        "properties": {
            "scope": call.scope.path,
            "roleDefinitionId": role_path(call.subscription, policy.role_id),
            "policyId": _policy_path(call, policy),
            "effectiveRules": policy.wire_rules(with_pim_only=_has_pim_only(call)),
            "policyAssignmentProperties": {
                "scope": scope_wire(call.subscription, call.scope),
                "roleDefinition": role_wire(call.subscription, policy.role_id, role),
                "policy": {
                    "id": _policy_path(call, policy),
                    "lastModifiedBy": dict(policy.modified_by),
                    "lastModifiedDateTime": moment(policy.modified_at) if policy.modified_at else None,
                },
            },
        },
        "name": name,
        "id": path_of(call.scope, "roleManagementPolicyAssignment", name),
        "type": f"{AUTHORIZATION}/RoleManagementPolicyAssignment",
    }


def _policy_wire(call: Call, policy: Policy) -> Wire:
    """The whole policy."""
    return {
        "properties": {
            "scope": call.scope.path,
            "displayName": None,
            "description": None,
            "isOrganizationDefault": policy.modified_at is None,
            "lastModifiedDateTime": moment(policy.modified_at) if policy.modified_at else None,
            "lastModifiedBy": dict(policy.modified_by),
            "rules": policy.wire_rules(with_pim_only=_has_pim_only(call)),
            "effectiveRules": policy.wire_rules(with_pim_only=_has_pim_only(call)),
            "policyProperties": {"scope": scope_wire(call.subscription, call.scope)},
        },
        "name": policy.id,
        "id": _policy_path(call, policy),
        "type": f"{AUTHORIZATION}/RoleManagementPolicies",
    }


ROUTES = (
    Route(
        call="GET /roleManagementPolicyAssignments",
        handler=_list_assignments,
        versions=(*STABLE, *_PREVIEW),
        action=f"{AUTHORIZATION}/roleManagementPolicyAssignments/read",
        filters=frozenset({AT_SCOPE, ROLE}),
        lists=True,
    ),
    Route(
        call="GET /roleManagementPolicies",
        handler=_list,
        versions=(*STABLE, *_PREVIEW),
        action=f"{AUTHORIZATION}/roleManagementPolicies/read",
        lists=True,
    ),
    Route(
        call="GET /roleManagementPolicies/{id}",
        handler=_read,
        versions=(*STABLE, *_PREVIEW),
        action=f"{AUTHORIZATION}/roleManagementPolicies/read",
    ),
    Route(
        call="PATCH /roleManagementPolicies/{id}",
        handler=_patch,
        versions=(*STABLE, *_PREVIEW),
        action=f"{AUTHORIZATION}/roleManagementPolicies/write",
        body=_CHANGE,
    ),
)
