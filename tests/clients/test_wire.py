"""What the clients send, word for word, and what they make of the answers: the SDK's traps stay out of reach."""

import re
import sys
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest

from shared.errors import NotFound
from shared.identifiers import ObjectId
from shared.permissions import SECURITY_READER, Registration
from tests.clients.bench import FOR_ACCESS, IN_SOURCE, IN_TARGET, SOURCE, TARGET, Bench
from tests.sandbox.graph.models.applications import SYNC_TEMPLATE
from tests.world.clouds_scene import PARTNERS

_START = datetime(2026, 3, 2, 8, 59, 30, 999_999, tzinfo=timezone(timedelta(hours=1)))


async def account_of_ana(bench: Bench) -> ObjectId:
    """Ana's account in Fabrikam, as the synchronization made it."""
    ana = bench.world.contoso.directory.users[bench.world.ana.object_id]
    made = bench.world.fabrikam.directory.add_external(ana, SOURCE, kind="Member", made_at=None, state="Accepted")
    return ObjectId(made.id)


async def asked(bench: Bench, principal: ObjectId, action: str, days: int, ticket: str | None = None) -> str:
    return await bench.pim.request(
        TARGET,
        action=action,
        principal_id=principal,
        role_definition_id=SECURITY_READER,
        start=_START,
        end=_START + timedelta(days=days),
        justification="because",
        ticket=ticket,
        intent=FOR_ACCESS,
    )


async def test_an_eligibility_is_asked_for_with_dates_as_graph_reads_them(bench: Bench) -> None:
    """The SDK would write a timedelta as Python shows it, and a local time as it stands."""
    principal = await account_of_ana(bench)

    request_id = await asked(bench, principal, "adminAssign", 30)

    assert bench.last() == (
        "POST /roleManagement/directory/roleEligibilityScheduleRequests",
        {},
        {
            "action": "adminAssign",
            "principalId": principal,
            "roleDefinitionId": SECURITY_READER,
            "directoryScopeId": "/",
            "justification": "because",
            "scheduleInfo": {
                "startDateTime": "2026-03-02T07:59:30Z",
                "expiration": {"type": "afterDateTime", "endDateTime": "2026-04-01T07:59:30Z"},
            },
        },
    )
    assert re.fullmatch(r"[0-9a-f-]{36}", request_id)
    [held] = await bench.pim.instances(TARGET, principal, SECURITY_READER)
    assert held.end_date_time == datetime(2026, 4, 1, 7, 59, 30, tzinfo=UTC)


async def test_a_ticket_goes_along_only_where_one_is_needed(bench: Bench) -> None:
    principal = await account_of_ana(bench)

    await asked(bench, principal, "adminAssign", 30, ticket="4711")

    _, _, body = bench.last()
    assert body["ticketInfo"] == {"ticketNumber": "4711", "ticketSystem": "Tenantry"}


async def test_a_changed_window_is_read_back_with_its_new_end(bench: Bench) -> None:
    principal = await account_of_ana(bench)
    await asked(bench, principal, "adminAssign", 30)

    await asked(bench, principal, "adminUpdate", 60)

    [held] = await bench.pim.instances(TARGET, principal, SECURITY_READER)
    assert held.end_date_time == datetime(2026, 5, 1, 7, 59, 30, tzinfo=UTC)


async def test_eligibilities_are_filtered_by_principal_and_role(bench: Bench) -> None:
    principal = await account_of_ana(bench)

    await bench.pim.schedules(TARGET, principal, SECURITY_READER)

    _, query, _ = bench.last()
    assert query == {"$filter": f"principalId eq '{principal}' and roleDefinitionId eq '{SECURITY_READER}'"}


async def test_somebody_whom_pim_has_not_heard_of_is_a_matter_of_waiting(bench: Bench) -> None:
    with pytest.raises(NotFound):
        await asked(bench, ObjectId("99999999-0000-4000-8000-000000000009"), "adminAssign", 30)


async def test_partners_and_synchronization_are_sent_as_documented(bench: Bench) -> None:
    there = bench.in_target()
    partner, sync = f"{PARTNERS}/{SOURCE}", f"{PARTNERS}/{SOURCE}/identitySynchronization"
    changes: dict[str, Any] = {
        "automaticUserConsentSettings": {"inboundAllowed": True},
        "inboundTrust": {"isMfaAccepted": True, "isCompliantDeviceAccepted": False},
    }

    await there.create_partner(SOURCE, IN_TARGET)
    assert bench.last() == (f"POST {PARTNERS}", {}, {"tenantId": SOURCE})
    await there.update_partner(SOURCE, changes, IN_TARGET)
    assert bench.last() == (f"PATCH {partner}", {}, changes)
    await there.put_identity_synchronization(SOURCE, "Contoso", IN_TARGET)
    assert bench.last() == (f"PUT {sync}", {}, {"displayName": "Contoso", "userSyncInbound": {"isSyncAllowed": True}})
    await there.patch_identity_synchronization(SOURCE, IN_TARGET)
    assert bench.last() == (f"PATCH {sync}", {}, {"userSyncInbound": {"isSyncAllowed": True}})

    found = await there.partner(SOURCE)
    assert found is not None
    assert found.automatic_user_consent_settings is not None
    assert found.automatic_user_consent_settings.inbound_allowed is True
    synchronization = await there.identity_synchronization(SOURCE)
    assert synchronization is not None
    assert synchronization.allowed


async def test_what_is_not_there_is_none(bench: Bench) -> None:
    nobody = ObjectId("99999999-0000-4000-8000-000000000009")

    assert await bench.in_target().partner(SOURCE) is None
    assert await bench.in_target().identity_synchronization(SOURCE) is None
    assert await bench.directory.source_user(nobody) is None
    assert await bench.directory.source_group(nobody) is None
    assert await bench.directory.target_user(TARGET, nobody) is None
    assert await bench.applications.service_principal(nobody) is None


async def test_the_synchronization_is_made_and_run_as_documented(bench: Bench) -> None:
    await bench.world.trust()
    ana = ObjectId(bench.world.ana.object_id)

    principal, _ = await bench.applications.instantiate("Fabrikam", IN_SOURCE)
    assert bench.last() == (
        f"POST /applicationTemplates/{SYNC_TEMPLATE}/instantiate",
        {},
        {"displayName": "Fabrikam"},
    )
    base, jobs = f"/servicePrincipals/{principal.id}", f"/servicePrincipals/{principal.id}/synchronization/jobs"
    seen = await bench.applications.service_principal(principal.id)
    assert seen is not None
    [role] = [one for one in seen.app_roles if one.provisions]
    assert await bench.synchronizations.validate_credentials(principal.id, TARGET) is None
    job, _ = await bench.synchronizations.create_job(principal.id, IN_SOURCE)
    assert bench.last() == (f"POST {jobs}", {}, {"templateId": "Azure2Azure"})
    assert [one.id for one in await bench.synchronizations.jobs(principal.id)] == [job.id]
    await bench.synchronizations.put_secrets(principal.id, TARGET, IN_SOURCE)
    line, _, secrets = bench.last()
    assert line == f"PUT {base}/synchronization/secrets"
    assert {one["key"]: one["value"] for one in secrets["value"]}["CompanyId"] == TARGET
    assert {one["key"]: one["value"] for one in secrets["value"]}["SyncAll"] == "false"
    assert await bench.synchronizations.validate_saved_credentials(principal.id, job.id) is None
    await bench.applications.assign(principal.id, role.id, ana, IN_SOURCE)
    assert bench.last() == (
        f"POST {base}/appRoleAssignedTo",
        {},
        {"principalId": ana, "resourceId": principal.id, "appRoleId": role.id},
    )
    assert [one.principal_id for one in await bench.applications.assignments(principal.id)] == [ana]
    await bench.synchronizations.start(principal.id, job.id, IN_SOURCE)
    assert bench.last() == (f"POST {jobs}/{job.id}/start", {}, None)
    rule = await bench.synchronizations.rule_id(principal.id, job.id)
    assert rule is not None
    await bench.synchronizations.provision_on_demand(principal.id, job.id, rule, ana, IN_SOURCE)
    subjects = [{"objectId": ana, "objectTypeName": "User"}]
    assert bench.last() == (
        f"POST {jobs}/{job.id}/provisionOnDemand",
        {},
        {"parameters": [{"ruleId": rule, "subjects": subjects}]},
    )


async def test_who_is_assigned_already_is_no_refusal(bench: Bench) -> None:
    await bench.world.trust()
    sync = await bench.world.synchronization(assigned=[bench.world.ana.object_id])

    await bench.applications.assign(sync.principal, sync.role, ObjectId(bench.world.ana.object_id), IN_SOURCE)

    assert len(await bench.applications.assignments(sync.principal)) == 1


@pytest.mark.parametrize("name", ["O'Neil & Sons (x) + 100%", "Fabrikam #1?", "\u00c4rzte/Praxis", "a' or 'b' eq 'b"])
async def test_a_name_cannot_break_out_of_a_filter(bench: Bench, name: str) -> None:
    await bench.applications.instantiate(name, IN_SOURCE)
    await bench.applications.instantiate("Another", IN_SOURCE)

    found = await bench.applications.find_applications(name)

    assert [one.display_name for one in found] == [name]


async def test_a_stranger_s_application_of_that_name_is_not_ours(bench: Bench) -> None:
    bench.world.clouds.register_application(
        "77777777-0000-4000-8000-000000000007", "Fabrikam", SOURCE, multi_tenant=False, application_permissions=()
    )
    bench.world.clouds.grant("77777777-0000-4000-8000-000000000007", SOURCE)

    assert await bench.applications.find_applications("Fabrikam") == []


async def test_only_the_properties_that_are_read_are_asked_for(bench: Bench) -> None:
    await bench.directory.source_user(ObjectId(bench.world.ana.object_id))

    line, query, _ = bench.last()
    assert line == f"GET /users/{bench.world.ana.object_id}"
    assert set(query) == {"$select"}
    assert "passwordProfile" not in query["$select"]


async def test_a_role_policy_is_read_with_its_rules(bench: Bench) -> None:
    rules = await bench.pim.role_rules(TARGET, SECURITY_READER)

    assert {"Expiration_Admin_Eligibility", "Enablement_Admin_Eligibility"} <= {rule.id for rule in rules}
    _, query, _ = bench.last()
    assert query["$expand"] == "policy($expand=rules)"


async def test_no_model_family_of_the_sdk_is_loaded_by_any_of_this(bench: Bench) -> None:
    """One large family takes seconds and hundreds of megabytes; the builders' own few modules are light."""
    await bench.world.trust()
    await bench.directory.organization(TARGET)
    await bench.directory.service_plans(TARGET)
    await bench.directory.allows_invites_from(TARGET)
    await bench.directory.security_defaults(TARGET)
    await bench.access(Registration.SOURCE, SOURCE).default()
    await bench.pim.role_rules(TARGET, SECURITY_READER)
    await bench.applications.find_applications("x")

    models = [name for name in sys.modules if name.startswith("msgraph.generated.models.")]
    assert models == []
