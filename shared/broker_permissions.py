"""What Tenantry Broker calls in Azure Resource Manager, as data, and the actions of its own custom role.

Apart from azure_permissions.py, for the right to make somebody active is one that no other registration has. The role is
assigned to it on subscriptions of the mode broker alone.
"""

from shared.permissions import Call, Family, Registration

_PIM = "Microsoft.Authorization"
_REQUESTS, _INSTANCES = "/roleAssignmentScheduleRequests", "/roleAssignmentScheduleInstances"


def _call(line: str, action: str, why: str, *, write: bool = False) -> Call:
    method, path = line.split(" ", 1)
    return Call(
        method=method,
        path=f"/subscriptions/{{id}}/providers/{_PIM}{path}",
        registrations=(Registration.BROKER,),
        permissions=(f"{_PIM}{action}",),
        family=Family.AZURE_PIM,
        why=why,
        write=write,
    )


GRANT = _call(
    f"PUT {_REQUESTS}/{{id}}",
    f"{_REQUESTS}/write",
    "make who was approved active, with an end, and take that back sooner",
    write=True,
)
READ_GRANT = _call(
    f"GET {_REQUESTS}/{{id}}", f"{_REQUESTS}/read", "what became of a grant: one that was sent is never sent as another"
)
LIST_GRANTED = _call(f"GET {_INSTANCES}", f"{_INSTANCES}/read", "whether a grant is in force, and until when")

BROKER_CALLS: tuple[Call, ...] = (GRANT, READ_GRANT, LIST_GRANTED)


def broker_actions() -> tuple[str, ...]:
    """The actions of the broker's custom role."""
    return tuple(sorted({name for call in BROKER_CALLS for name in call.permissions}))
