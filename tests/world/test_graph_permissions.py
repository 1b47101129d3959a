"""The sandbox's permission table against Microsoft's published one, and what a token without a permission gets."""

import json
import re
from pathlib import Path

import pytest

from tests.sandbox.graph.permissions import APPLICATION, UNPUBLISHED, UNSETTLED, allowed, known_permission
from tests.sandbox.switches import SWITCHES, Switches
from tests.world.clouds_scene import CONTOSO, FABRIKAM, PARTNERS, REQUESTS, SOURCE_APP, TARGET_APP, scene

_WRITES = (("POST", ""), ("DELETE", "/{id}"))
PUBLISHED = Path(__file__).parents[3] / "shared" / "contracts" / "graph-permissions.json"


def published_rows() -> dict[str, list[frozenset[str]]]:
    """By method and lower-case path: the sets of permissions, each of which is enough."""
    if not PUBLISHED.exists():
        pytest.skip("the published permissions are not beside the project")
    rows = json.loads(PUBLISHED.read_text())["rows"]
    return {
        call: [
            frozenset({entry["permission"], other})
            for entry in row["application"]
            for other in entry.get("alsoOneOf", [entry["permission"]])
        ]
        for call, row in rows.items()
    }


@pytest.mark.parametrize("call", sorted(APPLICATION.keys() - UNPUBLISHED))
def test_no_call_accepts_what_the_published_table_does_not(call: str) -> None:
    published = published_rows()
    method, path = call.split(" ", 1)

    # An operation may be called by its full name; the published table has the short one.
    short = re.sub(r"/microsoft\.graph\.(?:\w+\.)*", "/", path)
    enough = published[f"{method} {re.sub(r'{.*?}', '{id}', short.lower())}"]

    for needed in (*APPLICATION[call], *(one for others in UNSETTLED.values() for one in others.get(call, ()))):
        assert any(one <= needed for one in enough), f"{sorted(needed)} is not published for {call}"


def test_an_assignment_needs_both_permissions_or_the_greater_one() -> None:
    call = "POST /servicePrincipals/{id}/appRoleAssignedTo"

    assert not allowed(call, ["AppRoleAssignment.ReadWrite.All"])
    assert not allowed(call, ["Application.Read.All"])
    assert allowed(call, ["AppRoleAssignment.ReadWrite.All", "Application.Read.All"])
    assert allowed(call, ["Application.ReadWrite.All"])


def test_or_the_greater_one_is_only_good_for_reading() -> None:
    own = Switches(["assigning-needs-its-own-permission"])
    post, delete = (f"{method} /servicePrincipals/{{id}}/appRoleAssignedTo{tail}" for method, tail in _WRITES)

    assert not allowed(post, ["Application.ReadWrite.All"], own)
    assert not allowed(post, ["AppRoleAssignment.ReadWrite.All"], own)
    assert allowed(post, ["AppRoleAssignment.ReadWrite.All", "Application.ReadWrite.All"], own)
    assert not allowed(delete, ["Application.ReadWrite.All"], own)
    assert allowed(delete, ["AppRoleAssignment.ReadWrite.All"], own)


async def test_a_permission_that_is_disregarded_is_in_the_token_and_refused_there_only(tmp_path: Path) -> None:
    async with scene(tmp_path) as world:
        world.clouds.grant(TARGET_APP, FABRIKAM)
        world.clouds.disregard(SOURCE_APP, CONTOSO, "Policy.ReadWrite.CrossTenantAccess")

        refused = await world.graph(CONTOSO, f"POST {PARTNERS}", {"tenantId": FABRIKAM})

        assert (refused.status_code, refused.json()["error"]["code"]) == (403, "Authorization_RequestDenied")
        assert "Policy.ReadWrite.CrossTenantAccess" in world.clouds.recorder.entries[-1].roles
        elsewhere = await world.graph(FABRIKAM, f"GET {PARTNERS}")
        assert elsewhere.status_code == 200


def test_misspelt_names_are_refused() -> None:
    assert not known_permission("Policy.Read.Everything")
    with pytest.raises(ValueError, match="no-such-switch"):
        Switches(["no-such-switch"])
    assert all(switch.section for switch in SWITCHES.values())


def test_every_switch_turns_something() -> None:
    sandbox = Path(__file__).parents[1] / "sandbox" / "graph"
    source = "".join(path.read_text() for path in sandbox.rglob("*.py"))

    assert [switch for switch in SWITCHES if f'"{switch}"' not in source] == []


async def test_a_missing_permission_is_403_but_401_without_a_word_on_synchronization(tmp_path: Path) -> None:
    async with scene(tmp_path) as world:
        sync = await world.synchronization()
        world.clouds.revoke(
            SOURCE_APP, CONTOSO, ["Synchronization.ReadWrite.All", "Policy.ReadWrite.CrossTenantAccess"]
        )

        policy = await world.graph(CONTOSO, f"POST {PARTNERS}", {"tenantId": FABRIKAM})
        jobs = await world.graph(CONTOSO, f"GET {sync.base}/jobs")

        assert (policy.status_code, policy.json()["error"]["code"]) == (403, "Authorization_RequestDenied")
        assert jobs.status_code == 401
        assert (jobs.json()["error"]["code"], jobs.json()["error"]["message"]) == ("UnknownError", "")
        assert world.clouds.violations == []


async def test_reading_eligibilities_is_not_writing_them(tmp_path: Path) -> None:
    async with scene(tmp_path) as world:
        world.clouds.grant(TARGET_APP, FABRIKAM, ["RoleManagement.Read.Directory"])

        read = await world.graph(FABRIKAM, "GET /roleManagement/directory/roleEligibilitySchedules")
        written = await world.graph(FABRIKAM, f"POST {REQUESTS}", world.eligibility(world.farid.object_id))

        assert (read.status_code, written.status_code) == (200, 403)


async def test_basic_readers_see_basic_properties_and_members_by_id_only(tmp_path: Path) -> None:
    async with scene(tmp_path) as world:
        world.clouds.grant(TARGET_APP, FABRIKAM, ["User.ReadBasic.All"])
        group = world.contoso.directory.add_group("SOC", [world.ana.object_id])
        line = f"GET /users/{world.farid.object_id}?$select=id,displayName,userType"
        user = (await world.graph(FABRIKAM, line)).json()
        assert (user["displayName"], "userType" in user) == ("Farid Administrator", False)

        world.clouds.revoke(SOURCE_APP, CONTOSO, ["User.Read.All"])
        [member] = (await world.graph(CONTOSO, f"GET /groups/{group.id}/members")).json()["value"]
        assert (member["@odata.type"], member["id"]) == ("#microsoft.graph.user", world.ana.object_id)
        assert member["displayName"] is None
