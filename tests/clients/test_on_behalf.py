"""Whose token is exchanged for one for Azure, and what each refusal of Entra becomes."""

import asyncio
import json

import jwt
import pytest

from shared.errors import ClaimsChallenge, NotAllowed, NotConsented, Unauthenticated, Unavailable
from tests.clients.bench import Bench
from tests.sandbox.entra.sign_ins import Demand
from tests.sandbox.entra.tokens import Signer
from tests.sandbox.points import cut
from tests.world.clouds_scene import API_APP, CONTOSO, SOURCE_APP

_TOKEN = "POST /{id}/oauth2/v2.0/token"


def whose(token: str) -> str:
    """The person of a token."""
    return str(jwt.decode(token, options={"verify_signature": False})["oid"])


def exchanges(bench: Bench) -> int:
    """How often Entra was asked."""
    return len([one for one in bench.world.clouds.recorder.entries if one.service == "login"])


async def test_each_person_gets_their_own_token_and_nothing_is_kept(bench: Bench) -> None:
    world = bench.world
    ana, faye = world.user_token(world.ana), world.user_token(world.gina)

    found = await asyncio.gather(*(bench.on_behalf.azure_token(one) for one in (ana, faye, ana)))

    assert [whose(one) for one in found] == [world.ana.object_id, world.gina.object_id, world.ana.object_id]
    assert exchanges(bench) == 3
    [asked] = {
        (one.app_id, str(one.request)) for one in world.clouds.recorder.entries if one.on_behalf_of == whose(ana)
    }
    assert asked[0] == API_APP
    assert "'assertion': 'removed'" in asked[1]


async def test_conditional_access_speaks_through_us_to_the_person(bench: Bench) -> None:
    world = bench.world
    world.clouds.demands[world.ana.object_id] = Demand.MFA

    with pytest.raises(ClaimsChallenge) as told:
        await bench.on_behalf.azure_token(world.user_token(world.ana, mfa=False))

    assert "polids" in json.loads(told.value.claims)["access_token"]
    assert await bench.on_behalf.azure_token(world.user_token(world.ana, mfa=True), told.value.claims)


async def test_a_challenge_of_azure_is_met_by_a_sign_in_that_proves_the_context(bench: Bench) -> None:
    world = bench.world
    claims = json.dumps({"access_token": {"acrs": {"essential": True, "value": "c1"}}})

    with pytest.raises(ClaimsChallenge):
        await bench.on_behalf.azure_token(world.user_token(world.ana), claims)

    token = await bench.on_behalf.azure_token(world.user_token(world.ana, contexts=["c1"]), claims)
    assert jwt.decode(token, options={"verify_signature": False})["acrs"] == ["c1"]


async def test_tokens_that_entra_does_not_take_ask_for_a_new_sign_in(bench: Bench) -> None:
    world, ana = bench.world, bench.world.ana
    for token in (
        world.user_token(ana, issued_seconds_ago=7200),
        world.clouds.user_token(ana, SOURCE_APP, []),
        world.user_token(world.farid),
        world.user_token(ana, signer=Signer.IMPOSTOR),
    ):
        with pytest.raises(Unauthenticated):
            await bench.on_behalf.azure_token(token)
    world.contoso.directory.users[ana.object_id].account_enabled = False
    with pytest.raises(Unauthenticated, match="AADSTS50057"):
        await bench.on_behalf.azure_token(world.user_token(ana))


async def test_an_application_s_token_is_nobody_s(bench: Bench) -> None:
    with pytest.raises(NotAllowed):
        await bench.on_behalf.azure_token(bench.world.clouds.app_token(bench.world.contoso, API_APP, []))


async def test_without_the_administrator_s_consent_it_says_what_is_not_set_up(bench: Bench) -> None:
    bench.world.clouds.revoke_delegated(API_APP, CONTOSO)

    with pytest.raises(NotConsented) as told:
        await bench.on_behalf.azure_token(bench.world.user_token(bench.world.ana))

    assert told.value.registration == "Tenantry API"
    assert "user_impersonation" in told.value.missing[0]


async def test_a_lost_answer_is_asked_for_again_and_an_entra_that_is_down_is_told(bench: Bench) -> None:
    token = bench.world.user_token(bench.world.ana)
    bench.world.points.arm("login.before", _TOKEN, 0, cut)
    assert await bench.on_behalf.azure_token(token)

    for nth in range(2, 6):
        bench.world.points.arm("login.before", _TOKEN, nth, cut)
    with pytest.raises(Unavailable) as told:
        await bench.on_behalf.azure_token(token)
    assert token not in str(told.value)
