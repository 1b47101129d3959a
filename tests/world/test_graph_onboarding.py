"""Graph as acts 3 to 9 of an onboarding use it, from an empty pair of tenants to an eligibility in force."""

import json
from datetime import timedelta
from pathlib import Path

import pytest

from tests.sandbox.graph.models.jobs import Problem
from tests.world.clouds_scene import (
    CONTOSO,
    FABRIKAM,
    PARTNERS,
    REQUESTS,
    SECURITY_READER,
    SOURCE_APP,
    TARGET_APP,
    scene,
)
from tests.world.published_types import PUBLISHED, PublishedTypes

ROLE_POLICIES = (
    "/policies/roleManagementPolicyAssignments?$filter=scopeId eq '/' and scopeType eq 'DirectoryRole'"
    "&$expand=policy($expand=rules)"
)


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


async def test_every_request_and_answer_fits_the_published_types(tmp_path: Path) -> None:
    """A run that touches every endpoint once, each answer held against Microsoft's types."""
    if not PUBLISHED.exists():
        pytest.skip("the published types are not beside the project")
    async with scene(tmp_path) as world:
        await world.clouds.open_consent(world.consent_url(), world.farid)
        await world.trust()
        group = world.contoso.directory.add_group("SOC", [world.ana.object_id])
        sync = await world.synchronization(assigned=[world.ana.object_id])
        job = f"{sync.base}/jobs/{sync.job}"
        subject = world.subject(sync, world.ana.object_id)
        told = await world.made(CONTOSO, f"POST {job}/provisionOnDemand", subject)
        [result] = json.loads(told["value"])
        account = result["targetIdentity"]["id"]
        await world.made(CONTOSO, f"POST {job}/start")
        await world.made(CONTOSO, f"POST {job}/validateCredentials", {"useSavedCredentials": True})
        request = await world.made(FABRIKAM, f"POST {REQUESTS}", world.eligibility(account))
        world.clock.advance(timedelta(hours=1))
        application = (await world.made(CONTOSO, "GET /applications"))["value"][0]["id"]
        world.contoso.jobs.quarantine(world.contoso.jobs.jobs[sync.job], Problem(code="Broken", message="It is."))
        schedules = "/roleManagement/directory/roleEligibilitySchedules"
        for tenant, path in (
            (CONTOSO, f"/groups/{group.id}/members"),
            (CONTOSO, "/groups"),
            (CONTOSO, f"/groups/{group.id}"),
            (CONTOSO, f"{sync.base}/jobs"),
            (CONTOSO, job),
            (CONTOSO, f"/applications/{application}"),
            (CONTOSO, "/servicePrincipals"),
            (CONTOSO, f"/servicePrincipals/{sync.principal}"),
            (CONTOSO, f"/servicePrincipals(appId='{SOURCE_APP}')"),
            (CONTOSO, f"/servicePrincipals/{sync.principal}/appRoleAssignedTo"),
            (CONTOSO, f"/servicePrincipals/{sync.principal}/appRoleAssignments"),
            (CONTOSO, f"/tenantRelationships/findTenantInformationByTenantId(tenantId='{FABRIKAM}')"),
            (CONTOSO, "/auditLogs/provisioning"),
            (CONTOSO, "/subscribedSkus"),
            (CONTOSO, PARTNERS),
            (FABRIKAM, f"{PARTNERS}/{CONTOSO}?$expand=identitySynchronization"),
            (FABRIKAM, f"{PARTNERS}/{CONTOSO}/identitySynchronization"),
            (FABRIKAM, "/organization"),
            (FABRIKAM, "/users?$select=id,identities,otherMails,userType,externalUserState,creationType"),
            (FABRIKAM, f"/users/{account}"),
            (FABRIKAM, "/policies/authorizationPolicy"),
            (FABRIKAM, "/policies/identitySecurityDefaultsEnforcementPolicy"),
            (FABRIKAM, "/policies/crossTenantAccessPolicy/default"),
            (
                FABRIKAM,
                ROLE_POLICIES,
            ),
            (FABRIKAM, "/roleManagement/directory/roleDefinitions"),
            (FABRIKAM, f"{schedules}?$expand=principal,roleDefinition"),
            (FABRIKAM, f"{schedules}/{request['id']}"),
            (FABRIKAM, "/roleManagement/directory/roleEligibilityScheduleInstances"),
            (FABRIKAM, REQUESTS),
            (FABRIKAM, f"{REQUESTS}/{request['id']}"),
        ):
            await world.made(tenant, f"GET {path}")
        assert world.clouds.violations == []
        lines = (tmp_path / "traffic.jsonl").read_text().splitlines()

    published = PublishedTypes()
    assert [one for line in lines for one in published.differences(json.loads(line))] == []
