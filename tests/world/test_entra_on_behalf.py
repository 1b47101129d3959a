"""On-behalf-of: whose token is exchanged for one for Azure, and every refusal by its code (section 6)."""

import json
from pathlib import Path

import jwt
import pytest

from tests.sandbox.entra.sign_ins import Demand
from tests.sandbox.entra.tokens import Signer
from tests.sandbox.personas import Person
from tests.world.clouds_scene import API_APP, CONTOSO, SOURCE_APP, Scene, scene


async def refused(world: Scene, token: str, **fields: str) -> tuple[str, int]:
    """Error and code."""
    answer = await world.on_behalf(token, **fields)
    assert answer.status_code == 400, answer.text
    return answer.json()["error"], answer.json()["error_codes"][0]


async def test_the_token_for_azure_is_the_person_s(tmp_path: Path) -> None:
    async with scene(tmp_path) as world:
        answer = await world.on_behalf(world.user_token(world.ana, mfa=True, contexts=["c1"]))

        claims = jwt.decode(answer.json()["access_token"], options={"verify_signature": False})
        assert (claims["oid"], claims["idtyp"], claims["scp"]) == (world.ana.object_id, "user", "user_impersonation")
        assert (claims["aud"], claims["appid"], claims["tid"]) == (world.clouds.arm, API_APP, CONTOSO)
        assert (claims["amr"], claims["acrs"]) == (["pwd", "mfa"], ["c1"])


async def test_it_is_recorded_in_whose_name_and_without_a_token(tmp_path: Path) -> None:
    async with scene(tmp_path) as world:
        token = world.user_token(world.ana)
        issued = (await world.on_behalf(token)).json()["access_token"]

        [entry] = world.clouds.recorder.entries
        assert (entry.on_behalf_of, entry.app_id) == (world.ana.object_id, API_APP)
        assert token not in repr(entry)
        assert issued not in repr(entry)


async def test_only_a_living_token_of_a_person_for_the_same_application_is_exchanged(tmp_path: Path) -> None:
    async with scene(tmp_path) as world:
        clouds, ana = world.clouds, world.ana
        good = world.user_token(ana)
        for token, told in (
            (clouds.app_token(world.contoso, API_APP, []), ("unauthorized_client", 7000114)),
            (world.user_token(ana, issued_seconds_ago=7200), ("invalid_grant", 500133)),
            (clouds.user_token(ana, SOURCE_APP, []), ("invalid_grant", 500131)),
            (world.user_token(world.farid), ("invalid_grant", 50020)),
            (world.user_token(ana, signer=Signer.STRANGER), ("invalid_grant", 50013)),
            (f"{good[:-8]}AAAAAAAA", ("invalid_grant", 50013)),
            ("", ("invalid_grant", 50013)),
        ):
            assert await refused(world, token) == told
        assert await refused(world, good, scope=f"{clouds.graph}/User.Read") == ("invalid_scope", 70011)
        assert await refused(world, good, requested_token_use="") == ("invalid_request", 900144)
        assert (await world.on_behalf(good)).is_success


async def test_a_guest_of_the_tenant_is_somebody_there_and_gets_a_token(tmp_path: Path) -> None:
    """That no guest decides is our rule."""
    async with scene(tmp_path) as world:
        assert (await world.on_behalf(world.user_token(world.gina))).is_success


async def test_without_consent_to_the_delegated_permission_there_is_no_token(tmp_path: Path) -> None:
    async with scene(tmp_path) as world:
        world.clouds.revoke_delegated(API_APP, CONTOSO)

        assert await refused(world, world.user_token(world.ana)) == ("invalid_grant", 65001)


async def test_whoever_was_disabled_or_deleted_since_gets_no_token(tmp_path: Path) -> None:
    async with scene(tmp_path) as world:
        token, users = world.user_token(world.ana), world.contoso.directory.users
        users[world.ana.object_id].account_enabled = False
        assert await refused(world, token) == ("invalid_grant", 50057)
        del users[world.ana.object_id]
        assert await refused(world, token) == ("invalid_grant", 50034)


@pytest.mark.parametrize(("demand", "code"), [(Demand.MFA, 50076), (Demand.ENROL, 50079)])
async def test_conditional_access_wants_the_person_and_says_what_to_ask_for(
    tmp_path: Path, demand: Demand, code: int
) -> None:
    async with scene(tmp_path) as world:
        person: Person = world.ana
        world.clouds.demands[person.object_id] = demand

        answer = (await world.on_behalf(world.user_token(person, mfa=False))).json()

        assert (answer["error"], answer["error_codes"]) == ("interaction_required", [code])
        assert "polids" in json.loads(answer["claims"])["access_token"]
        assert (await world.on_behalf(world.user_token(person, mfa=True))).is_success


async def test_claims_that_the_sign_in_did_not_prove_are_asked_of_the_person(tmp_path: Path) -> None:
    async with scene(tmp_path) as world:
        claims = json.dumps({"access_token": {"acrs": {"essential": True, "value": "c1"}}})

        assert await refused(world, world.user_token(world.ana), claims=claims) == ("interaction_required", 50076)
        assert (await world.on_behalf(world.user_token(world.ana, contexts=["c1"]), claims=claims)).is_success
