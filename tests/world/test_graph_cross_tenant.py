"""Rules of cross-tenant access policy (sections 1 and 2 of the Graph contract)."""

from pathlib import Path
from typing import Any

from tests.sandbox.graph.models.cross_tenant import Consent, IdentitySync, Partner, Trust
from tests.world.clouds_scene import CONTOSO, FABRIKAM, PARTNERS, Scene, scene

SYNC = f"{PARTNERS}/{FABRIKAM}/identitySynchronization"
ALLOWED = {"displayName": "Fabrikam", "userSyncInbound": {"isSyncAllowed": True}}


async def error_of(world: Scene, line: str, body: object = None) -> tuple[int, str]:
    answer = await world.graph(CONTOSO, line, body)
    return answer.status_code, str(answer.json()["error"]["code"])


async def partner(world: Scene) -> dict[str, Any]:
    return await world.made(CONTOSO, f"GET {PARTNERS}/{FABRIKAM}")


async def test_a_second_create_conflicts(tmp_path: Path) -> None:
    async with scene(tmp_path) as world:
        await world.made(CONTOSO, f"POST {PARTNERS}", {"tenantId": FABRIKAM})

        conflict = await error_of(world, f"POST {PARTNERS}", {"tenantId": FABRIKAM})

        assert conflict == (409, "Request_MultipleObjectsWithSameKeyValue")


async def test_a_partner_is_absent_until_made_and_after_deletion(tmp_path: Path) -> None:
    async with scene(tmp_path) as world:
        assert await error_of(world, f"GET {PARTNERS}/{FABRIKAM}") == (404, "Request_ResourceNotFound")
        await world.made(CONTOSO, f"POST {PARTNERS}", {"tenantId": FABRIKAM})
        await world.made(CONTOSO, f"PUT {SYNC}", ALLOWED)

        assert (await error_of(world, f"DELETE {PARTNERS}/{FABRIKAM}"))[0] == 400
        await world.made(CONTOSO, f"DELETE {SYNC}")
        await world.made(CONTOSO, f"DELETE {PARTNERS}/{FABRIKAM}")

        assert await error_of(world, f"GET {PARTNERS}/{FABRIKAM}") == (404, "Request_ResourceNotFound")
        await world.made(CONTOSO, f"POST {PARTNERS}", {"tenantId": FABRIKAM})


async def test_a_soft_deleted_partner_may_block_its_successor(tmp_path: Path) -> None:
    async with scene(tmp_path, flipped=["soft-deleted-partner-blocks-create"]) as world:
        await world.made(CONTOSO, f"POST {PARTNERS}", {"tenantId": FABRIKAM})
        await world.made(CONTOSO, f"DELETE {PARTNERS}/{FABRIKAM}")

        assert (await error_of(world, f"POST {PARTNERS}", {"tenantId": FABRIKAM}))[0] == 409
        world.clock.advance(31 * 86400)
        await world.made(CONTOSO, f"POST {PARTNERS}", {"tenantId": FABRIKAM})


async def test_a_partial_trust_is_merged_or_replaces(tmp_path: Path) -> None:
    for flipped, kept in (((), True), (("partial-inbound-trust-merges",), None)):
        folder = tmp_path / str(kept)
        async with scene(folder, flipped=flipped) as world:
            trust = Trust(mfa=False, compliant=True, hybrid=False)
            world.contoso.access.set_partner(Partner(tenant_id=FABRIKAM, trust=trust))

            await world.made(CONTOSO, f"PATCH {PARTNERS}/{FABRIKAM}", {"inboundTrust": {"isMfaAccepted": True}})

            now = (await partner(world))["inboundTrust"]
            assert (now["isMfaAccepted"], now["isCompliantDeviceAccepted"]) == (True, kept)


async def test_null_clears_the_trust_that_a_customer_had(tmp_path: Path) -> None:
    async with scene(tmp_path) as world:
        world.contoso.access.set_partner(Partner(tenant_id=FABRIKAM, trust=Trust(mfa=True)))

        await world.made(CONTOSO, f"PATCH {PARTNERS}/{FABRIKAM}", {"inboundTrust": None})

        assert (await partner(world))["inboundTrust"] is None


async def test_consent_settings_at_create_are_an_open_question(tmp_path: Path) -> None:
    body = {"tenantId": FABRIKAM, "automaticUserConsentSettings": {"outboundAllowed": True}}
    async with scene(tmp_path / "no") as world:
        assert (await error_of(world, f"POST {PARTNERS}", body))[0] == 400
    async with scene(tmp_path / "yes", flipped=["partner-create-takes-consent-settings"]) as world:
        made = await world.made(CONTOSO, f"POST {PARTNERS}", body)
        assert made["automaticUserConsentSettings"]["outboundAllowed"] is True


async def test_identity_synchronization_is_put_once_and_patched_after(tmp_path: Path) -> None:
    async with scene(tmp_path) as world:
        assert (await error_of(world, f"PUT {SYNC}", ALLOWED))[0] == 404
        await world.made(CONTOSO, f"POST {PARTNERS}", {"tenantId": FABRIKAM})
        patched = {"userSyncInbound": {"isSyncAllowed": False}}
        assert await error_of(world, f"PATCH {SYNC}", patched) == (404, "Directory_ObjectNotFound")
        await world.made(CONTOSO, f"PUT {SYNC}", ALLOWED)

        again = await world.graph(CONTOSO, f"PUT {SYNC}", ALLOWED)
        assert again.status_code == 409
        assert again.json()["error"]["details"][0]["code"] == "ConflictingObjects"
        await world.made(CONTOSO, f"PATCH {SYNC}", patched)
        assert (await world.made(CONTOSO, f"GET {SYNC}"))["displayName"] == "Fabrikam"
        assert world.contoso.access.identity_sync(FABRIKAM) == IdentitySync(
            display_name="Fabrikam", is_sync_allowed=False
        )
        assert world.clouds.violations == []


async def test_identity_synchronization_may_be_an_upsert(tmp_path: Path) -> None:
    async with scene(tmp_path, flipped=["identity-sync-put-is-upsert"]) as world:
        await world.made(CONTOSO, f"POST {PARTNERS}", {"tenantId": FABRIKAM})
        await world.made(CONTOSO, f"PUT {SYNC}", ALLOWED)
        await world.made(CONTOSO, f"PUT {SYNC}", ALLOWED)


async def test_reads_lag_behind_writes(tmp_path: Path) -> None:
    async with scene(tmp_path, quick=False) as world:
        world.clouds.replication.set((60.0, 600.0))
        await world.made(CONTOSO, f"POST {PARTNERS}", {"tenantId": FABRIKAM})

        assert (await error_of(world, f"GET {PARTNERS}/{FABRIKAM}"))[0] == 404
        assert (await error_of(world, f"POST {PARTNERS}", {"tenantId": FABRIKAM}))[0] == 409
        world.clock.advance(600)
        changed = {"automaticUserConsentSettings": {"outboundAllowed": True}}
        await world.made(CONTOSO, f"PATCH {PARTNERS}/{FABRIKAM}", changed)
        assert (await partner(world))["automaticUserConsentSettings"]["outboundAllowed"] is None
        world.clock.advance(600)
        assert (await partner(world))["automaticUserConsentSettings"]["outboundAllowed"] is True


async def test_a_null_setting_inherits_from_the_default(tmp_path: Path) -> None:
    async with scene(tmp_path) as world:
        access = world.contoso.access
        access.default.consent = Consent(inbound=False, outbound=True)
        access.default.b2b_inbound = "blocked"

        default = await world.made(CONTOSO, "GET /policies/crossTenantAccessPolicy/default")

        assert access.redeems_outbound(FABRIKAM)
        assert default["b2bCollaborationInbound"]["usersAndGroups"]["accessType"] == "blocked"
        assert default["isServiceDefault"] is False


async def test_unknown_properties_types_and_values_are_loud(tmp_path: Path) -> None:
    async with scene(tmp_path) as world:
        await world.made(CONTOSO, f"POST {PARTNERS}", {"tenantId": FABRIKAM})
        bodies: tuple[object, ...] = (
            {"inboundTrusts": {}},
            {"inboundTrust": {"isMfaAccepted": "yes"}},
            {"inboundTrust": {"@odata.type": "#microsoft.graph.somethingElse"}},
            {"b2bCollaborationInbound": {"usersAndGroups": {"accessType": "sometimes", "targets": []}}},
            {},
            [],
        )
        for body in bodies:
            assert (await error_of(world, f"PATCH {PARTNERS}/{FABRIKAM}", body))[0] == 400
        assert (await error_of(world, f"PUT {SYNC}", {"groupSyncInbound": {"isSyncAllowed": True}}))[0] == 400
        assert (await error_of(world, f"GET {PARTNERS}?$filter=tenantId eq 'x'"))[0] == 400

        assert len(world.clouds.violations) == 8
