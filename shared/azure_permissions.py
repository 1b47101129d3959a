"""The permission table's other half, as data: every call of Azure Resource Manager, and the actions that it needs there.

The custom role of the managed subscriptions is made from this table: these actions and no others. It is assigned to
Tenantry Access, whose nature it is to write eligibilities. Paths are below the endpoint; `write` is as in permissions.py.
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
LIST_AZURE_ACTIVE = _call(
    "GET /roleAssignmentScheduleInstances",
    "/roleAssignmentScheduleInstances/read",
    "which assignments were activated, and which somebody made",
)

AZURE_CALLS: tuple[Call, ...] = tuple(value for value in tuple(globals().values()) if isinstance(value, Call))


def azure_actions() -> tuple[str, ...]:
    """The actions of the custom role: what the calls need, and nothing else."""
    return tuple(sorted({name for call in AZURE_CALLS for name in call.permissions}))
