"""The permission table's other half, as data: every call of Azure Resource Manager, and the actions that it needs there.

The custom role of the managed subscriptions is made from this table: these actions and no others. It is assigned to
Tenantry Access, whose nature it is to write eligibilities. Calls in the name of a person need none of them: Tenantry API
has the delegated permission, and what the person may decides. Paths are below the endpoint; `write` is as in permissions.py.
"""

from shared.permissions import Call, Family, Registration

VM_CONTRIBUTOR = "9980e02c-c2be-4d73-94e8-173b1dc7cf3c"
STORAGE_ACCOUNT_CONTRIBUTOR = "17d1049b-9a84-46fb-8f53-869881c3d3ab"

AZURE_ROLES = {
    VM_CONTRIBUTOR: "Virtual Machine Contributor",
    STORAGE_ACCOUNT_CONTRIBUTOR: "Storage Account Contributor",
}
"""The role definitions that a deployment may allow at all, the same in every tenant (Azure built-in roles reference)."""

_PIM = "Microsoft.Authorization"
_AT = f"/subscriptions/{{id}}/providers/{_PIM}"


def _call(line: str, action: str | tuple[str, ...], why: str, *, write: bool = False) -> Call:
    method, path = line.split(" ", 1)
    actions = action if isinstance(action, tuple) else (action,)
    return Call(
        method=method,
        path=_AT + path,
        registrations=(Registration.ACCESS,),
        permissions=tuple(f"{_PIM}{one}" for one in actions),
        family=Family.AZURE_PIM,
        why=why,
        write=write,
    )


LIST_AZURE_INSTANCES = _call(
    "GET /roleEligibilityScheduleInstances",
    "/roleEligibilityScheduleInstances/read",
    "which eligibilities are in force on a subscription, and until when",
)
LIST_AZURE_SCHEDULES = _call(
    "GET /roleEligibilitySchedules",
    "/roleEligibilitySchedules/read",
    "what is there though it is not in force yet: compare before each write",
)
LIST_AZURE_REQUESTS = _call(
    "GET /roleEligibilityScheduleRequests",
    "/roleEligibilityScheduleRequests/read",
    "what lapsed is renewed, but not what a person took away",
)
READ_AZURE_REQUEST = _call(
    "GET /roleEligibilityScheduleRequests/{id}",
    "/roleEligibilityScheduleRequests/read",
    "what became of a request whose answer was lost",
)
PUT_AZURE_REQUEST = _call(
    "PUT /roleEligibilityScheduleRequests/{id}",
    "/roleEligibilityScheduleRequests/write",
    "let a declared eligibility last on; make it, where its role is locked down; with an end",
    write=True,
)
LIST_AZURE_POLICIES = _call(
    "GET /roleManagementPolicyAssignments",
    "/roleManagementPolicyAssignments/read",
    "the longest eligibility that the subscription allows, and rules that an app cannot meet",
)
READ_AZURE_BUDGET = Call(
    method="GET",
    path="/subscriptions/{id}/providers/Microsoft.Consumption/budgets/{id}",
    registrations=(Registration.ACCESS,),
    permissions=("Microsoft.Consumption/budgets/read",),
    family=Family.AZURE_BUDGETS,
    why="what is spent of the budget that approvers are shown beside a request's price",
)

LIST_ACTIVATIONS = _call(
    "GET /roleAssignmentScheduleRequests",
    "/roleAssignmentScheduleRequests/read",
    "which activations wait for an approver, however they were asked for",
)
READ_ACTIVATION = _call(
    "GET /roleAssignmentScheduleRequests/{id}",
    "/roleAssignmentScheduleRequests/read",
    "what became of an activation that was asked for",
)
CANCEL_ACTIVATION = _call(
    "POST /roleAssignmentScheduleRequests/{id}/cancel",
    "/roleAssignmentScheduleRequests/cancel/action",
    "stop an activation that finance refused, or that the budget does not hold",
    write=True,
)
LIST_ACTIVE = _call(
    "GET /roleAssignmentScheduleInstances",
    "/roleAssignmentScheduleInstances/read",
    "whether an activation is in force, and until when; which assignments were activated, and which somebody made",
)

PATCH_AZURE_POLICY = _call(
    "PATCH /roleManagementPolicies/{id}",
    ("/roleManagementPolicies/write", "/roleManagementPolicies/approvalRule/action"),
    "lock a role down: who approves, for how long, with what",
    write=True,
)
LIST_AZURE_ASSIGNMENTS = _call(
    "GET /roleAssignments",
    "/roleAssignments/read",
    "who may make virtual machines without having been approved",
)
LIST_AZURE_ROLES = _call(
    "GET /roleDefinitions",
    "/roleDefinitions/read",
    "which roles, built-in or custom, may make virtual machines",
)

DELEGATED = "user_impersonation"
"""The one delegated permission of Azure Service Management, which Tenantry API has by an administrator's consent."""


def _as_person(line: str, why: str, *, write: bool = False) -> Call:
    method, path = line.split(" ", 1)
    return Call(
        method=method,
        path=path,
        registrations=(Registration.API,),
        permissions=(DELEGATED,),
        family=Family.AZURE_PIM,
        why=why,
        write=write,
        delegated=True,
    )


READ_APPROVAL = _as_person(
    f"GET /providers/{_PIM}/roleAssignmentApprovals/{{id}}",
    "which stage of an approval waits for its approver, and who decided it",
)
DECIDE_APPROVAL = _as_person(
    f"PATCH /providers/{_PIM}/roleAssignmentApprovals/{{id}}/stages/{{id}}",
    "an approver's own decision: no application can approve",
    write=True,
)
LIST_OWN_REQUESTS = _as_person(
    f"GET {_AT}/roleAssignmentScheduleRequests",
    "what became of an engineer's own request, by $filter=asTarget()",
)
LIST_OWN_ACTIVE = _as_person(
    f"GET {_AT}/roleAssignmentScheduleInstances",
    "whether an engineer's own activation is in force, by $filter=asTarget()",
)
ACTIVATE = _as_person(
    f"PUT {_AT}/roleAssignmentScheduleRequests/{{id}}",
    "an engineer's own activation, and its early end",
    write=True,
)
CANCEL_OWN_REQUEST = _as_person(
    f"POST {_AT}/roleAssignmentScheduleRequests/{{id}}/cancel",
    "an engineer takes back what they asked for",
    write=True,
)

AZURE_CALLS: tuple[Call, ...] = tuple(value for value in tuple(globals().values()) if isinstance(value, Call))


def azure_actions() -> tuple[str, ...]:
    """The actions of the custom role: what the calls need, and nothing else."""
    return tuple(sorted({name for call in AZURE_CALLS if not call.delegated for name in call.permissions}))
