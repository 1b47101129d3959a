"""What all Graph calls share: tokens, unknown routes and options, paging, faults, points, the recording."""

from pathlib import Path

import httpx
import pytest

from tests.sandbox.entra.tokens import Signer, graph_claims, life, sign
from tests.sandbox.faults import Fault, Faults
from tests.sandbox.points import Cut
from tests.world.clouds_scene import CONTOSO, FABRIKAM, PARTNERS, SOURCE_APP, Scene, scene


def token(world: Scene, signer: Signer = Signer.ENTRA, **claims: object) -> str:
    good = graph_claims(
        authority=world.clouds.authority,
        tenant_id=CONTOSO,
        audience=world.clouds.graph,
        app_id=SOURCE_APP,
        principal_id=SOURCE_APP,
        roles=["User.Read.All"],
    )
    return sign({**good, **claims}, signer)


@pytest.mark.parametrize(
    ("signer", "claims"),
    [
        (Signer.STRANGER, {}),
        (Signer.IMPOSTOR, {}),
        (Signer.NOBODY, {}),
        (Signer.ENTRA, {"aud": "https://elsewhere.example"}),
        (Signer.ENTRA, {"tid": "nowhere"}),
        (Signer.ENTRA, {"idtyp": "user"}),
        (Signer.ENTRA, {"exp": life(issued_seconds_ago=7200)["exp"]}),
    ],
)
async def test_a_bad_token_is_401(tmp_path: Path, signer: Signer, claims: dict[str, object]) -> None:
    async with scene(tmp_path) as world:
        answer = await world.client.get(
            f"{world.clouds.graph}/v1.0/users", headers={"Authorization": f"Bearer {token(world, signer, **claims)}"}
        )

        assert (answer.status_code, answer.json()["error"]["code"]) == (401, "InvalidAuthenticationToken")


@pytest.mark.parametrize(
    "line",
    [
        "GET /me",
        "PUT /users",
        "POST /$batch",
        "GET /users/delta/more",
        "GET /users?$filter=alternativeSecurityIds/any(x:x eq 'y')",
        "GET /users?$filter=jobTitle eq 'x'",
        "GET /users?$filter=mail gt 'x'",
        "GET /users?$filter=mail eq 'x' or mail eq 'y'",
        "GET /users?$filter=mail in ('x','y')",
        "GET /users?$filter=id in (" + ",".join(f"'{n}'" for n in range(16)) + ")",
        "GET /users?$filter=endsWith(mail,'x')",
        "GET /users?$skip=5",
        "GET /users?$top=1000",
        "GET /users?$select=password",
        "GET /users?filter=x",
        "GET /organization/x",
    ],
)
async def test_the_unknown_is_loud(tmp_path: Path, line: str) -> None:
    async with scene(tmp_path) as world:
        answer = await world.graph(CONTOSO, line)

        assert answer.status_code in (400, 501)
        assert len(world.clouds.violations) == 1


async def test_beta_is_not_served(tmp_path: Path) -> None:
    async with scene(tmp_path) as world:
        answer = await world.client.get(
            f"{world.clouds.graph}/beta/users", headers={"Authorization": f"Bearer {token(world)}"}
        )

        assert answer.status_code == 501


async def test_a_body_where_none_belongs_or_of_another_kind_is_loud(tmp_path: Path) -> None:
    async with scene(tmp_path) as world:
        headers = {"Authorization": f"Bearer {token(world, roles=['Policy.ReadWrite.CrossTenantAccess'])}"}
        url = f"{world.clouds.graph}/v1.0{PARTNERS}"

        text = await world.client.post(url, content="{}", headers={**headers, "Content-Type": "text/plain"})
        read = await world.client.request("GET", url, json={}, headers=headers)
        broken = await world.client.post(url, content="{", headers={**headers, "Content-Type": "application/json"})

        assert [one.status_code for one in (text, read, broken)] == [400, 400, 400]
        assert len(world.clouds.violations) == 3


async def test_pages_follow_one_another_and_keep_the_options(tmp_path: Path) -> None:
    async with scene(tmp_path) as world:
        members = [world.contoso.directory.add_user(f"u{n}@contoso.com", f"User {n}").id for n in range(7)]
        group = world.contoso.directory.add_group("SOC", members)
        path = f"/groups/{group.id}/members?$top=3&$select=id"
        found, pages = [], 0
        while path:
            page = await world.made(CONTOSO, f"GET {path}")
            found += [one["id"] for one in page["value"]]
            pages += 1
            path = page.get("@odata.nextLink", "").removeprefix(f"{world.clouds.graph}/v1.0")

        assert (found, pages) == (members, 3)


async def test_users_are_found_by_exact_name_and_by_the_end_of_it(tmp_path: Path) -> None:
    async with scene(tmp_path) as world:
        ana = world.contoso.directory.users[world.ana.object_id]
        synced = world.contoso.directory.add_external(ana, FABRIKAM, kind="Member", made_at=None, state="Accepted")
        exact = "GET /users?$filter=userPrincipalName eq 'ana_contoso.com%23EXT%23@contoso.onmicrosoft.com'"
        ends = "GET /users?$count=true&$filter=endsWith(userPrincipalName,'%23EXT%23@contoso.onmicrosoft.com')"
        other = "GET /users?$filter=otherMails/any(x:x eq 'ana@contoso.com')&$select=id,externalUserState"

        for line in (exact, ends, other):
            answer = await world.graph(CONTOSO, line, headers={"ConsistencyLevel": "eventual"})
            assert [one["id"] for one in answer.json()["value"]] == [synced.id], line
        [default] = (await world.made(CONTOSO, exact))["value"]
        assert "userType" not in default


async def test_users_are_found_by_up_to_fifteen_ids(tmp_path: Path) -> None:
    async with scene(tmp_path) as world:
        others = ",".join(f"'{one}'" for one in (FABRIKAM, CONTOSO))

        found = await world.made(CONTOSO, f"GET /users?$filter=id in ('{world.ana.object_id}',{others})&$select=id")

        assert [one["id"] for one in found["value"]] == [world.ana.object_id]


async def test_every_answer_carries_its_ids(tmp_path: Path) -> None:
    async with scene(tmp_path) as world:
        good = await world.graph(CONTOSO, "GET /users", headers={"client-request-id": "mine"})
        bad = await world.graph(CONTOSO, f"GET /users/{FABRIKAM}")

        assert good.headers["client-request-id"] == "mine"
        assert bad.json()["error"]["innerError"]["request-id"] == bad.headers["request-id"]


async def test_a_cut_before_does_nothing_and_a_cut_after_loses_the_answer(tmp_path: Path) -> None:
    async def cut() -> None:
        raise Cut

    async with scene(tmp_path) as world:
        label = "POST /v1.0/policies/crossTenantAccessPolicy/partners"
        world.points.arm("vendor.before", label, 0, cut)
        world.points.arm("vendor.after", label, 0, cut)

        with pytest.raises(httpx.RemoteProtocolError):
            await world.graph(CONTOSO, f"POST {PARTNERS}", {"tenantId": FABRIKAM})
        assert world.contoso.access.partner(FABRIKAM) is None
        with pytest.raises(httpx.RemoteProtocolError):
            await world.graph(CONTOSO, f"POST {PARTNERS}", {"tenantId": FABRIKAM})
        assert world.contoso.access.partner(FABRIKAM) is not None
        kinds = [(hit.kind, hit.nth) for hit in world.points.log if hit.label == label]
        assert kinds == [("vendor.before", 0), ("vendor.before", 1), ("vendor.after", 0)]
        assert [entry.status for entry in world.clouds.recorder.entries if entry.service == "graph"] == [0, 201]


class Chosen(Faults):
    """Each vendor call meets the next of these faults; the token endpoint none."""

    def __init__(self, *faults: Fault) -> None:
        super().__init__(0)
        self._chosen = list(faults)

    def next(self, kind: str, label: str) -> Fault | None:
        assert label
        return self._chosen.pop(0) if kind == "vendor" and self._chosen else None


async def test_faults_change_nothing_or_everything(tmp_path: Path) -> None:
    faults = Chosen(Fault.THROTTLE, Fault.SERVER_ERROR, Fault.LOST_ANSWER, Fault.LOST_ANSWER)
    async with scene(tmp_path, faults=faults) as world:
        line, body = f"POST {PARTNERS}", {"tenantId": FABRIKAM}

        throttled = await world.graph(CONTOSO, line, body)
        assert (throttled.status_code, throttled.headers["Retry-After"]) == (429, "3")
        assert (await world.graph(CONTOSO, line, body)).status_code == 503
        assert world.contoso.access.partner(FABRIKAM) is None
        with pytest.raises(httpx.RemoteProtocolError):
            await world.graph(CONTOSO, line, body)
        assert world.contoso.access.partner(FABRIKAM) is not None
        assert (await world.graph(CONTOSO, line, body)).status_code == 504


async def test_tenants_are_found_by_id_and_domain(tmp_path: Path) -> None:
    async with scene(tmp_path) as world:
        base = "GET /tenantRelationships/findTenantInformationBy"

        by_id = await world.made(CONTOSO, f"{base}TenantId(tenantId='{FABRIKAM}')")
        by_domain = await world.made(CONTOSO, f"{base}DomainName(domainName='fabrikam.onmicrosoft.com')")

        assert by_id["displayName"] == by_domain["displayName"] == "Fabrikam"
        assert (await world.graph(CONTOSO, f"{base}DomainName(domainName='nobody.example')")).status_code == 404


async def test_conditional_access_answers_once_a_second_and_tells_no_wait(tmp_path: Path) -> None:
    async with scene(tmp_path) as world:
        world.clouds.grant(SOURCE_APP, CONTOSO, ["Policy.Read.All"])
        line = "GET /identity/conditionalAccess/policies"
        await world.made(CONTOSO, line)

        refused = await world.graph(CONTOSO, line)

        assert (refused.status_code, "Retry-After" in refused.headers) == (429, False)
