"""Applications from the template, and who is assigned to them (sections 3.1 and 3.3)."""

from pathlib import Path

from tests.sandbox.graph.models.applications import SYNC_TEMPLATE
from tests.world.clouds_scene import CONTOSO, scene
from tests.world.sync_scene import on_demand, refusal, trusted


async def test_instantiating_twice_makes_twins_with_role_ids_of_their_own(tmp_path: Path) -> None:
    async with scene(tmp_path) as world:
        one, other = await world.synchronization(), await world.synchronization()

        found = await world.made(
            CONTOSO, "GET /servicePrincipals?$filter=displayName eq 'Fabrikam'&$select=id,appRoles"
        )

        assert {entry["id"] for entry in found["value"]} == {one.principal, other.principal}
        assert one.role != other.role
        assert (await refusal(world, f"POST /applicationTemplates/{CONTOSO}/instantiate", {"displayName": "x"}))[
            0
        ] == 404


async def test_a_fresh_application_is_hidden_for_a_while_in_each_view(tmp_path: Path) -> None:
    async with scene(tmp_path, quick=False) as world:
        world.clouds.replication.set((60.0, 600.0))
        made = await world.made(
            CONTOSO, f"POST /applicationTemplates/{SYNC_TEMPLATE}/instantiate", {"displayName": "Fabrikam"}
        )
        principal = made["servicePrincipal"]["id"]
        line = f"GET /servicePrincipals/{principal}"
        listed = "GET /servicePrincipals?$filter=displayName eq 'Fabrikam'"

        assert (await refusal(world, line))[0] == 404
        seen: list[str] = []
        for _ in range(80):
            world.clock.advance(8)
            if "id" not in seen and (await world.graph(CONTOSO, line)).is_success:
                seen.append("id")
            if "list" not in seen and (await world.made(CONTOSO, listed))["value"]:
                seen.append("list")
            jobs = await world.graph(CONTOSO, f"GET {line.removeprefix('GET ')}/synchronization/jobs")
            if "service" not in seen and jobs.is_success:
                seen.append("service")
            assert jobs.status_code in (200, 403, 404, 409)

        assert seen[0] == "id"
        assert sorted(seen) == ["id", "list", "service"]


async def test_an_assignment_is_made_once_and_undone_by_its_id(tmp_path: Path) -> None:
    async with scene(tmp_path) as world:
        sync = await world.synchronization(assigned=[world.ana.object_id])
        base = f"/servicePrincipals/{sync.principal}/appRoleAssignedTo"
        body = {"principalId": world.ana.object_id, "resourceId": sync.principal, "appRoleId": sync.role}

        again = await world.graph(CONTOSO, f"POST {base}", body)
        assert (again.status_code, again.json()["error"]["code"]) == (400, "Request_BadRequest")
        assert "already exists on the object" in again.json()["error"]["message"]
        wrong = await world.graph(CONTOSO, f"POST {base}", {**body, "appRoleId": CONTOSO})
        assert "was not found on application" in wrong.json()["error"]["message"]
        [held] = (await world.made(CONTOSO, f"GET {base}"))["value"]
        await world.made(CONTOSO, f"DELETE {base}/{held['id']}")
        assert "EntitlementGrant" in (await world.graph(CONTOSO, f"DELETE {base}/{held['id']}")).text


async def test_a_fresh_user_is_no_valid_reference(tmp_path: Path) -> None:
    async with scene(tmp_path, quick=False) as world:
        sync_tenant = world.contoso
        world.clouds.replication.off()
        sync = await world.synchronization()
        world.clouds.replication.set((60.0, 600.0))
        world.clock.advance(3600)
        newcomer = sync_tenant.directory.add_user("new@contoso.com", "New Analyst", fresh=True)
        body = {"principalId": newcomer.id, "resourceId": sync.principal, "appRoleId": sync.role}

        refused = await world.graph(CONTOSO, f"POST /servicePrincipals/{sync.principal}/appRoleAssignedTo", body)

        assert refused.status_code == 400
        assert "Not a valid reference update" in refused.json()["error"]["message"]


async def test_group_members_are_in_scope_but_not_those_of_nested_groups(tmp_path: Path) -> None:
    async with scene(tmp_path) as world:
        trusted(world)
        ben = world.clouds.person(world.contoso, "ben@contoso.com", "Ben Analyst")
        inner = world.contoso.directory.add_group("Inner", [ben.object_id])
        outer = world.contoso.directory.add_group("Outer", [world.ana.object_id, inner.id])
        sync = await world.synchronization(assigned=[outer.id])

        direct = await on_demand(world, sync, world.ana.object_id)
        nested = await on_demand(world, sync, ben.object_id)

        assert (direct["statusInfo"]["status"], nested["statusInfo"]["status"]) == ("Success", "Skipped")
