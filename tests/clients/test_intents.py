"""Intents on the real Azurite: what an invocation saw last is no reason to send what another host has sent since."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import msgspec
import pytest

from shared.audit import Audit
from shared.intents import Intents
from shared.permissions import Registration
from shared.privileged import Ensured, Fence, NotYet, OpenIntent, PrivilegedWrite, RunStopped
from shared.services import new_id
from shared.tenants.change import Change
from shared.tenants.store import TenantStore
from tests.clients.shelf import Shelf, shelf
from tests.sandbox.azurite import Azurite
from tests.unit.making import TARGET, record

_RECORD = record(run=1, run_nonce="n")
_FENCE = Fence(run=1, nonce="n")


class _Thing:
    """Something at a vendor. `shows`: whether a read tells of it yet."""

    def __init__(self) -> None:
        self.sent = 0
        self.shows = False

    async def send(self, _: object, __: OpenIntent) -> str:
        self.sent += 1
        return f"request-{self.sent}"

    async def read(self) -> bool:
        return self.shows and self.sent > 0

    def write(self, *, patient: bool = False) -> PrivilegedWrite[bool]:
        """Make it so."""
        return PrivilegedWrite(
            kind="thing",
            arguments={},
            registration=Registration.ACCESS,
            where=TARGET,
            object_name="thing",
            what="make the thing",
            act=3,
            wanted={"there": True},
            read=self.read,
            satisfied=bool,
            send=self.send,
            picture=bool,
            patient=patient,
        )


class _Host:
    """A process of the app."""

    def __init__(self, at: Shelf, writer: int) -> None:
        self.audit = Audit(at.table("Audit", writer))
        self.store = TenantStore(
            at.table("Tenants", writer), at.table("ByState", writer), at.table("ByEnd", writer), at.clock, new_id
        )
        self.intents = Intents(self.store, self.audit, at.clock)


@pytest.fixture
async def hosts(tmp_path: Path, azurite: Azurite) -> AsyncIterator[tuple[_Host, _Host]]:
    """Two of them, of one store, in which a run of the tenant is under way."""
    async with shelf(tmp_path, azurite) as at:
        ours, theirs = _Host(at, 0), _Host(at, 1)
        await theirs.store.create(Change(record=_RECORD))
        yield ours, theirs


@pytest.mark.parametrize("patient", [False, True])
async def test_what_another_host_sent_since_the_last_look_is_not_sent_again(
    hosts: tuple[_Host, _Host], *, patient: bool
) -> None:
    ours, theirs = hosts
    thing = _Thing()
    await ours.store.read(TARGET)  # no intent is there yet
    thing.shows = True
    assert isinstance(await theirs.intents.ensure(TARGET, _FENCE, thing.write(patient=patient)), Ensured)
    thing.shows = False  # a replica that is behind

    assert isinstance(await ours.intents.ensure(TARGET, _FENCE, thing.write(patient=patient)), NotYet)

    thing.shows = True
    later = await asyncio.create_task(ours.intents.ensure(TARGET, _FENCE, thing.write(patient=patient)))
    assert isinstance(later, Ensured)
    assert thing.sent == 1
    assert [one.deed.what for one in await ours.audit.entries(TARGET)] == ["make the thing"]


async def test_a_run_that_lost_its_subject_since_the_last_look_sends_nothing(hosts: tuple[_Host, _Host]) -> None:
    ours, theirs = hosts
    thing = _Thing()
    await ours.store.read(TARGET)
    next_run = msgspec.structs.replace(_RECORD, run=2, run_nonce="next")
    await theirs.store.update(TARGET, lambda _: Change(record=next_run))

    with pytest.raises(RunStopped):
        await ours.intents.ensure(TARGET, _FENCE, thing.write())

    assert thing.sent == 0
    assert await ours.audit.entries(TARGET) == []
