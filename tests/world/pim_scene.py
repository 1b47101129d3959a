"""What tests of PIM share: Ana's account in Fabrikam, requests and refusals."""

from typing import Any

from tests.world.clouds_scene import CONTOSO, FABRIKAM, REQUESTS, SECURITY_READER, TARGET_APP, Scene

SCHEDULES = "GET /roleManagement/directory/roleEligibilitySchedules"
INSTANCES = "GET /roleManagement/directory/roleEligibilityScheduleInstances"
POLICY = (
    "GET /policies/roleManagementPolicyAssignments?$filter=scopeId eq '/' and scopeType eq 'DirectoryRole' "
    f"and roleDefinitionId eq '{SECURITY_READER}'&$expand=policy($expand=rules)"
)
PERMANENT = {"expiration": {"type": "noExpiration"}}


def account(world: Scene) -> str:
    """Ana's synchronized account in Fabrikam, known everywhere."""
    world.clouds.grant(TARGET_APP, FABRIKAM)
    ana = world.contoso.directory.users[world.ana.object_id]
    return world.fabrikam.directory.add_external(ana, CONTOSO, kind="Member", made_at=None, state="Accepted").id


def until(days: float) -> dict[str, Any]:
    """A window that starts at once."""
    return {"expiration": {"type": "afterDuration", "duration": f"PT{int(days * 24)}H"}}


async def ask(world: Scene, principal: str, **fields: object) -> dict[str, Any]:
    return await world.made(FABRIKAM, f"POST {REQUESTS}", world.eligibility(principal, **fields))


async def refusal(world: Scene, principal: str, **fields: object) -> tuple[int, str, str]:
    answer = await world.graph(FABRIKAM, f"POST {REQUESTS}", world.eligibility(principal, **fields))
    error = answer.json()["error"]
    return answer.status_code, error["code"], error["message"]
