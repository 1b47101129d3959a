"""What tests of synchronization share: both sides' trust, and the calls that they make again and again."""

import json
from typing import Any

from tests.sandbox.graph.models.cross_tenant import Consent, IdentitySync, Partner
from tests.world.clouds_scene import CONTOSO, FABRIKAM, Scene, Synchronization

CREDENTIALS = {
    "useSavedCredentials": False,
    "templateId": "Azure2Azure",
    "credentials": [{"key": "CompanyId", "value": FABRIKAM}, {"key": "AuthenticationType", "value": "SyncPolicy"}],
}
REDEMPTION = "AzureDirectoryB2BManagementPolicyCheckFailure"


def trusted(world: Scene, *, inbound: bool = True, outbound: bool = True, sync: bool = True) -> None:
    """Both sides as acts 3 to 5 leave them, except for what is switched off."""
    allowed = IdentitySync(display_name="Contoso", is_sync_allowed=sync)
    world.fabrikam.access.set_partner(Partner(tenant_id=CONTOSO, consent=Consent(inbound=inbound)), allowed)
    world.contoso.access.set_partner(Partner(tenant_id=FABRIKAM, consent=Consent(outbound=outbound)))


async def on_demand(world: Scene, sync: Synchronization, user: str) -> dict[str, Any]:
    line = f"POST {sync.base}/jobs/{sync.job}/provisionOnDemand"
    told = await world.made(CONTOSO, line, world.subject(sync, user))
    [result] = json.loads(told["value"])
    assert isinstance(result, dict)
    return result


async def status(world: Scene, sync: Synchronization) -> dict[str, Any]:
    job = await world.made(CONTOSO, f"GET {sync.base}/jobs/{sync.job}")
    assert isinstance(job["status"], dict)
    return job["status"]


async def refusal(world: Scene, line: str, body: object = None) -> tuple[int, str]:
    answer = await world.graph(CONTOSO, line, body)
    return answer.status_code, str(answer.json()["error"]["code"])
