"""No token anywhere: after a whole onboarding nothing that was stored, logged or recorded holds one."""

import base64
import re
import sqlite3
from pathlib import Path

import pytest

from shared.activation.record import RequestId
from shared.permissions import MULTI_TENANT
from tests.app.store import rows
from tests.app.visitor import Visitor
from tests.conftest import OpenWorld
from tests.flows.activating import locked
from tests.flows.renewing import EVENING, night_after
from tests.flows.scene import Scene
from tests.sandbox.population import APPROVE, REQUEST
from tests.sandbox.receiver import Mood, new_key
from tests.sandbox.world import World

pytestmark = pytest.mark.sampled(2)

# A JWT is three parts of base64 of which the first two are JSON objects: both begin with eyJ.
_TOKEN = re.compile(rb"eyJ[A-Za-z0-9_-]{8,}\.eyJ[A-Za-z0-9_-]{8,}")
_PART = re.compile(rb"(?=(eyJ[A-Za-z0-9_-]{40}))")
_BEARER = re.compile(rb"bearer\s+(?!token\b)[A-Za-z0-9_.~+/-]{16,}", re.IGNORECASE)


def found_in(place: str, content: bytes, secrets: list[str]) -> list[str]:
    """What must not be there, by kind and place."""
    seen = [
        f"{kind} in {place}" for kind, pattern in (("token", _TOKEN), ("bearer", _BEARER)) if pattern.search(content)
    ]
    seen += [f"part of a token in {place}"] if any(_is_text(one) for one in _PART.findall(content)) else []
    return seen + [f"a secret in {place}" for secret in secrets if secret.encode() in content]


def _is_text(part: bytes) -> bool:
    """A public key may have those three letters too: what it decodes to is no text."""
    return base64.urlsafe_b64decode(part + b"=").isascii()


def hub_text(world: World) -> bytes:
    """The task hub, or those of several apps, as SQL: in the file a value may be torn over pages."""
    told: list[str] = []
    for path in sorted(world.folder.glob("hub*.sqlite")):
        with sqlite3.connect(path) as hub:
            told += hub.iterdump()
        hub.close()
    return "\n".join(told).encode()


async def places(world: World) -> dict[str, bytes]:
    """Everything that outlives an invocation."""
    files = {path.name: path.read_bytes() for path in world.folder.rglob("*") if path.is_file()}
    tables = {f"table {name}": repr(found).encode() for name, found in (await rows(world)).items()}
    recorded = {"recording": "\n".join(repr(one) for one in world.clouds.recorder.entries).encode()}
    return {**files, **tables, **recorded, "task hub": hub_text(world)}


async def test_no_token_and_no_secret_is_in_tables_task_hub_log_or_recording(scene: Scene) -> None:
    world = scene.world
    operator = world.operator_token()
    farid = Visitor(scene)

    body = {**world.fabrikam_request(world.people.ana), "features": ["hunting"]}
    await scene.call("POST", "/api/tenants", body, token=operator)
    await scene.settle()
    for registration in MULTI_TENANT:
        await farid.consent(registration)
        await scene.settle()
    await scene.call("POST", f"/api/tenants/{scene.target}/cancel", token=f"{operator}x")
    await scene.call("GET", f"/api/tenants?cursor={operator}", token=operator)
    assert (await scene.record())["state"] == "Ready"
    answers = [
        await scene.call("GET", path) for path in (f"/api/tenants/{scene.target}", "/api/tenants", "/api/tenants/x")
    ]
    await world.host.stop()

    there = {**await places(world), "answers": b"".join(one.content + repr(one.headers).encode() for one in answers)}
    keys = [account.key for account in world.accounts]
    secrets = [operator, operator.rpartition(".")[2], world.clouds.identity_header, *keys]
    assert {"app.log", "hub.sqlite", "traffic.jsonl", "table Tenants", "table Runs", "table Audit"} <= set(there)
    assert all(there.values())
    assert [one for place, content in there.items() for one in found_in(place, content, secrets)] == []


async def test_no_signing_key_and_no_address_of_a_receiver_is_stored_or_logged_whatever_it_answers(
    open_world: OpenWorld,
) -> None:
    """The address of a Teams workflow is a secret: whoever knows it may post. The recording is of Microsoft alone."""
    world = await open_world(start=EVENING, receiving=True)
    async with Scene(world) as scene:
        await scene.onboarded()
        world.fabrikam.pim.security_reader.eligibility_rules.append("MultiFactorAuthentication")
        for mood in (Mood(status=503), Mood(status=307), Mood(status=410), None):
            for endpoint in ("webhook", "teams"):
                if mood is not None:
                    world.receiver.moods[endpoint] = mood
            if mood is None:
                await world.receiver.stop()
                assert (await scene.call("POST", "/api/outbox/retry")).status_code == 200
            await night_after(scene, 170 if mood == Mood(status=503) else 1)
            await world.host.run_timer("deliver_notices")
        shown = (await scene.call("GET", "/api/outbox")).content
        await world.host.stop()

        log = world.log.read_text()
        told = ("HTTP 503", "notice.refused", "notice.destination_gone", "ConnectError")
        assert [one for one in told if one not in log] == []
        there = {**await places(world), "answers": shown}
        secrets = [world.receiver.key.removeprefix("whsec_"), world.receiver.sig, "/hooks/tenantry", "/workflows/"]
        assert there["table Outbox"]
        assert [one for place, content in there.items() for one in found_in(place, content, secrets)] == []


@pytest.mark.parametrize("apart", [False, True], ids=["together", "apart"])
async def test_no_persons_token_outlives_the_invocation_that_asks_or_decides_for_them(
    open_world: OpenWorld, *, apart: bool
) -> None:
    """Neither the one that was sent nor the one for Azure that it was exchanged for."""
    key = new_key()
    settings = {"TENANTRY_FINANCE_KEY": key}
    world = await open_world(receiving=True, auto_advance=False, settings=settings, apart=apart)
    async with Scene(world) as scene:
        found = await locked(scene)
        emil, fiona = world.token(found.emil, REQUEST), world.token(found.fiona, APPROVE)
        answers = [await found.ask(token=emil)]
        request_id = RequestId(answers[0].json()["id"])
        world.clouds.azure.challenged[found.fiona.object_id] = "c2"
        answers.append(await found.decide(request_id, token=fiona))
        world.clouds.azure.challenged.clear()
        answers.append(await found.decide(request_id, token=fiona))
        assert [one.status_code for one in answers] == [202, 401, 200]
        for _ in range(2):
            await found.after()
        for host in world.hosts:
            await host.stop()

        there = {
            **await places(world),
            "answers": b"".join(one.content for one in answers),
        }
        secrets = [one for token in (emil, fiona) for one in (token, token.rpartition(".")[2])]
        assert {"table Requests", "table RequestIndex", "table Outbox"} <= set(there)
        assert any(one.on_behalf_of == found.fiona.object_id for one in world.clouds.recorder.entries)
        assert [one for place, content in there.items() for one in found_in(place, content, [*secrets, key])] == []


async def test_the_search_finds_what_it_looks_for(scene: Scene, tmp_path: Path) -> None:
    """Or it would pass for ever."""
    token = scene.world.operator_token()
    database = tmp_path / "hub.sqlite"
    with sqlite3.connect(database) as hub:
        hub.execute("create table history (event text)")
        hub.execute("insert into history values (?)", (f'{{"headers": "Bearer {token}"}}',))
    hub.close()

    assert found_in("x", f"Authorization: Bearer {token}".encode(), [])
    assert found_in("x", token.partition(".")[0].encode() * 2, [])
    assert not found_in("x", b"eyJ" + base64.urlsafe_b64encode(bytes(range(128, 168))), [])
    assert found_in("x", b"client_assertion=" + token.encode(), [])
    assert found_in("x", database.read_bytes(), [])
    assert not found_in("x", b"a bearer token is needed", [])
