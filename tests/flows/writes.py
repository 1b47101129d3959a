"""The vendor writes of an onboarding from nothing, act by act, as the sandbox counts them."""

import re
from collections import Counter
from collections.abc import Iterable

PARTNERS = "/policies/crossTenantAccessPolicy/partners"
SYNCHRONIZATION = "/servicePrincipals/{id}/synchronization"

ONCE: tuple[tuple[int, str], ...] = (
    (3, f"POST {PARTNERS}"),
    (3, f"PATCH {PARTNERS}/{{id}}"),
    (4, f"PUT {PARTNERS}/{{id}}/identitySynchronization"),
    (5, f"POST {PARTNERS}"),
    (5, f"PATCH {PARTNERS}/{{id}}"),
    (6, "POST /applicationTemplates/{id}/instantiate"),
    (6, f"POST {SYNCHRONIZATION}/jobs"),
    (6, f"PUT {SYNCHRONIZATION}/secrets"),
    (7, "POST /servicePrincipals/{id}/appRoleAssignedTo"),
    (8, f"POST {SYNCHRONIZATION}/jobs/{{id}}/start"),
    (8, f"POST {SYNCHRONIZATION}/jobs/{{id}}/provisionOnDemand"),
    (9, "POST /roleManagement/directory/roleEligibilityScheduleRequests"),
)
"""With one analyst, in order: act and call."""

INSTANTIATE = "POST /v1.0/applicationTemplates/{id}/instantiate"
ASSIGN = "POST /v1.0/servicePrincipals/{id}/appRoleAssignedTo"
START = f"POST /v1.0{SYNCHRONIZATION}/jobs/{{id}}/start"
PROVISION = f"POST /v1.0{SYNCHRONIZATION}/jobs/{{id}}/provisionOnDemand"
REQUEST_ELIGIBILITY = "POST /v1.0/roleManagement/directory/roleEligibilityScheduleRequests"
"""As the points of the sandbox name them."""

_ID = re.compile(r"/(?:Azure2Azure\.[0-9a-f]{32}\.)?[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
_BY_ANALYST = ("appRoleAssignedTo", "provisionOnDemand", "roleEligibilityScheduleRequests")


def onboarding_of(analysts: int) -> Counter[str]:
    """How often each write is applied, and no more often, for so many analysts."""
    return Counter(
        {
            _labelled(call): count * (analysts if call.endswith(_BY_ANALYST) else 1)
            for call, count in Counter(call for _, call in ONCE).items()
        }
    )


def templated(paths: Iterable[str]) -> Counter[str]:
    """Recorded writes with every id as {id}, to be compared with the above."""
    return Counter(_ID.sub("/{id}", path) for path in paths)


def _labelled(call: str) -> str:
    method, path = call.split(" ", 1)
    return f"{method} /v1.0{path}"
