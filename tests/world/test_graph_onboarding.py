"""Graph as acts 3 to 9 of an onboarding use it, from an empty pair of tenants to an eligibility in force."""

import json
from pathlib import Path

from tests.world.clouds_scene import CONTOSO, FABRIKAM, REQUESTS, SECURITY_READER, TARGET_APP, scene


async def test_the_acts_in_their_order_lead_to_an_eligibility_in_force(tmp_path: Path) -> None:
    async with scene(tmp_path) as world:
        await world.clouds.open_consent(world.consent_url(), world.farid)
        await world.trust()
        sync = await world.synchronization(assigned=[world.ana.object_id])
        secrets = {"useSavedCredentials": True, "templateId": "Azure2Azure"}
        await world.made(CONTOSO, f"POST {sync.base}/jobs/{sync.job}/validateCredentials", secrets)
        told = await world.made(
            CONTOSO, f"POST {sync.base}/jobs/{sync.job}/provisionOnDemand", world.subject(sync, world.ana.object_id)
        )
        await world.made(CONTOSO, f"POST {sync.base}/jobs/{sync.job}/start")
        [result] = json.loads(str(told["value"]))
        account = result["targetIdentity"]["id"]
        granted = await world.made(FABRIKAM, f"POST {REQUESTS}", world.eligibility(account))

        assert granted["status"] == "Provisioned"
        user = await world.made(FABRIKAM, f"GET /users/{account}?$select=userPrincipalName,userType,externalUserState")
        assert user["userPrincipalName"] == "ana_contoso.com#EXT#@fabrikam.onmicrosoft.com"
        assert (user["userType"], user["externalUserState"]) == ("Member", "Accepted")
        instances = await world.made(
            FABRIKAM,
            f"GET /roleManagement/directory/roleEligibilityScheduleInstances?$filter=principalId eq '{account}' "
            f"and roleDefinitionId eq '{SECURITY_READER}'",
        )
        assert [one["endDateTime"] for one in instances["value"]] == ["2026-08-29T08:00:00Z"]
        assert world.fabrikam.pim.of(account) is not None
        assert world.clouds.granted(TARGET_APP, FABRIKAM)
        assert world.clouds.violations == []
