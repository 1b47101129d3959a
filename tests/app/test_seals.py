"""The nightly seals of the audit: a chain that was made anew as a whole holds together, but not what was sealed."""

import subprocess
from collections.abc import AsyncIterator
from datetime import timedelta

import msgspec
import pytest
from azure.data.tables.aio import TableServiceClient
from azure.storage.blob.aio import ContainerClient

from shared.chain import GENESIS, Entry, sealed
from shared.seals import CONTAINER, Seal
from tests.app.test_audit import written
from tests.app.verifier import run_verifier
from tests.conftest import OpenWorld
from tests.flows.activating import locked
from tests.flows.declaring import declared
from tests.flows.scene import Scene
from tests.flows.test_night import EVENING, night
from tests.sandbox.points import Cut
from tests.unit.making import TARGET

pytestmark = pytest.mark.sampled(2)

_NIGHT = "2026-03-03"


@pytest.fixture
async def scene(open_world: OpenWorld) -> AsyncIterator[Scene]:
    """An evening in a world whose audit account has a place for seals."""
    async with Scene(await open_world(start=EVENING, seals=True)) as opened:
        yield opened


async def test_a_night_seals_the_head_of_every_chain(scene: Scene) -> None:
    entries = await _sealed_once(scene)

    [seal] = await seals(scene)

    assert seal.date == _NIGHT
    assert [(head.subject, head.sequence, head.hash) for head in seal.heads] == [
        (scene.target, len(entries), entries[-1].hash)
    ]
    told = verify(scene)
    assert told.returncode == 0
    assert "holds; 1 seals" in told.stdout


async def test_a_night_seals_the_chains_of_subscriptions_too(scene: Scene) -> None:
    found = await declared(scene)
    await night(scene)

    [seal] = await seals(scene)

    [entry] = await found.entries()
    assert [(head.subject, head.hash) for head in seal.heads] == [(found.id, entry.hash)]


async def test_a_night_seals_the_chains_of_requests_too(scene: Scene) -> None:
    found = await locked(scene)
    request_id = await found.asked()
    await night(scene)

    seal = max(await seals(scene), key=lambda one: one.date)

    entry = (await found.trail(request_id))[-1]
    assert (request_id, entry.hash) in [(head.subject, head.hash) for head in seal.heads]


async def test_a_night_tells_of_an_entry_that_somebody_altered(scene: Scene) -> None:
    await scene.onboarded()
    entries = await scene.entries()
    altered = entries[-2]
    await _remove(scene, [altered])
    deed = msgspec.structs.replace(altered.deed, on_whose_word="nobody")
    assert await scene.audit.append(sealed(altered.subject, altered.sequence, altered.previous, deed))

    await night(scene)

    told = [line for line in scene.world.log.read_text().splitlines() if "audit.broken" in line]
    assert [f"subject={scene.target} at=entry {altered.sequence + 1}" in line for line in told] == [True]


async def test_a_chain_that_was_made_anew_is_found_by_its_seal(scene: Scene) -> None:
    entries = await _sealed_once(scene)
    await _make_anew(scene, entries)

    assert verify(scene, with_seals=False).returncode == 0
    told = verify(scene)
    assert told.returncode == 1
    assert f"BROKEN at {scene.target} entry {len(entries)}: not what the seal of {_NIGHT} holds" in told.stdout


async def test_entries_that_are_missing_at_the_end_are_found_by_their_seal(scene: Scene) -> None:
    entries = await _sealed_once(scene)
    await _remove(scene, entries[-1:])

    assert verify(scene, with_seals=False).returncode == 0
    assert verify(scene).returncode == 1


async def test_a_chain_of_which_nothing_is_left_is_named(scene: Scene) -> None:
    entries = await _sealed_once(scene)
    await _remove(scene, entries)

    told = verify(scene, "--subject", scene.target)

    assert told.returncode == 1
    assert "every entry is gone" in told.stdout


async def test_before_the_first_night_the_chains_are_checked_and_nothing_is_called_sealed(scene: Scene) -> None:
    await scene.onboarded()

    told = verify(scene)

    assert (told.returncode, "holds" in told.stdout) == (2, True)
    assert "no night has passed yet" in told.stderr


async def test_a_tenant_that_came_after_the_last_seal_is_not_taken_for_one_whose_seals_are_gone(scene: Scene) -> None:
    await _sealed_once(scene)
    await written(scene.audit, 2)

    assert verify(scene, "--subject", TARGET).returncode == 0


async def test_what_came_after_the_seal_breaks_nothing(scene: Scene) -> None:
    await _sealed_once(scene)
    scene.world.clock.advance(timedelta(hours=1).total_seconds())
    assert (await scene.call("DELETE", f"/api/tenants/{scene.target}")).status_code == 202
    await scene.settle()

    assert verify(scene).returncode == 0


async def test_a_seal_stays_as_it_was_first(scene: Scene) -> None:
    scene.world.host.deliver_twice("seal_audit")

    await _sealed_once(scene)

    [seal] = await seals(scene)
    assert len(seal.heads) == 1


async def test_a_place_for_seals_that_does_not_answer_is_tried_again(scene: Scene) -> None:
    async def cut() -> None:
        raise Cut

    scene.world.points.arm("store.before", "PUT audit", 0, cut)

    await _sealed_once(scene)

    assert len(await seals(scene)) == 1


async def test_a_night_is_over_also_when_it_cannot_be_sealed_and_says_so(scene: Scene) -> None:
    down = True

    async def cut() -> None:
        if down:
            raise Cut

    for number in range(20):
        scene.world.points.arm("store.before", "PUT audit", number, cut)

    await _sealed_once(scene)
    down = False
    await night(scene)

    assert [seal.date for seal in await seals(scene)] == ["2026-03-04"]
    assert f"audit.not_sealed subject=night-{_NIGHT}" in scene.world.log.read_text(encoding="utf-8")


async def _sealed_once(scene: Scene) -> list[Entry]:
    """Onboarded, and a night over; the chain."""
    await scene.onboarded()
    assert await night(scene) == "Ready"
    return await scene.entries()


async def seals(scene: Scene) -> list[Seal]:
    """What lies in the container."""
    found = []
    account = scene.world.seals_account
    assert account is not None
    async with ContainerClient.from_connection_string(account.connection_string(), CONTAINER) as container:
        async for name in container.list_blob_names():
            blob = await container.download_blob(name)
            found.append(msgspec.json.decode(await blob.readall(), type=Seal))
    return found


def verify(scene: Scene, *more: str, with_seals: bool = True) -> subprocess.CompletedProcess[str]:
    """Against the world's audit account."""
    _, account = scene.world.accounts
    blobs = scene.world.seals_account
    assert blobs is not None
    return run_verifier(
        *more, tables=account.connection_string(), blobs=blobs.connection_string() if with_seals else ""
    )


async def _make_anew(scene: Scene, entries: list[Entry]) -> None:
    """Somebody with every right: the same deeds, another word for the first, and all hashes made again."""
    await _remove(scene, entries)
    previous = GENESIS
    for entry in entries:
        deed = msgspec.structs.replace(entry.deed, on_whose_word="nobody") if entry.sequence == 1 else entry.deed
        forged = sealed(entry.subject, entry.sequence, previous, deed)
        assert await scene.audit.append(forged)
        previous = forged.hash


async def _remove(scene: Scene, entries: list[Entry]) -> None:
    _, account = scene.world.accounts
    async with TableServiceClient.from_connection_string(account.connection_string()) as service:
        table = service.get_table_client("Audit")
        for entry in entries:
            await table.delete_entity(entry.subject, f"{10**12 - entry.sequence:012d}")
