"""Intents on the real Azurite: what an invocation saw last is no reason to send what another host has sent since."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import msgspec
import pytest

from shared.audit import Audit
from shared.errors import Conflict, RemoteCall, Throttled
from shared.intents import Intents
from shared.permissions import Registration
from shared.privileged import Ensured, Fence, NotYet, OpenIntent, PrivilegedWrite, RunStopped
from shared.services import new_id
from shared.tenants.change import Change
from shared.tenants.store import TenantStore
from tests.clients.shelf import Shelf, shelf
from tests.sandbox.azurite import Azurite
from tests.unit.making import TARGET, record

_RECORD = record(run=1, run_nonce="n", requested_by="ann")
_CALL = RemoteCall(service="graph", method="POST", path="/things", tenant_id=TARGET)
_FENCE = Fence(run=1, nonce="n")


class _Thing:
    """Something at a vendor. `shows`: whether a read tells of it yet; `busy`: no read is answered after a write; `taken`:
    what is sent is refused, for it is there.
    """

    def __init__(self) -> None:
        self.sent = 0
        self.shows = False
        self.busy = False
        self.taken = False

    async def send(self, _: object, __: OpenIntent) -> str:
        if self.taken:
            raise Conflict(_CALL)
        self.sent += 1
        return f"request-{self.sent}"

    async def read(self) -> bool:
        if self.busy and self.sent > 0:
            raise Throttled(_CALL, seconds=40)
        return self.shows and self.sent > 0

    def write(
        self, *, patient: bool = False, kind: str = "thing", what: str = "make the thing"
    ) -> PrivilegedWrite[bool]:
        """Make it so."""
        return PrivilegedWrite(
            kind=kind,
            arguments={},
            registration=Registration.ACCESS,
            where=TARGET,
            object_name="thing",
            what=what,
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


async def follow(host: _Host) -> Fence:
    """Another run begins, on somebody else's word."""
    following = msgspec.structs.replace(_RECORD, run=2, run_nonce="next", requested_by="bob")
    await host.store.update(TARGET, lambda _: Change(record=following))
    return Fence(run=2, nonce="next")


async def told(host: _Host) -> list[tuple[str, str, str]]:
    """What the audit says: on whose word what was done, and what came of it."""
    deeds = [one.deed for one in await host.audit.entries(TARGET)]
    return [(one.on_whose_word, one.what, one.outcome) for one in deeds]


async def test_a_read_that_fails_after_the_write_does_not_make_the_write_a_failure(hosts: tuple[_Host, _Host]) -> None:
    ours, _ = hosts
    thing = _Thing()
    thing.busy = True

    sent = await ours.intents.ensure(TARGET, _FENCE, thing.write())

    assert isinstance(sent, NotYet)
    assert (sent.sent, sent.seconds) == (True, 40)
    thing.busy, thing.shows = False, True
    assert isinstance(await ours.intents.ensure(TARGET, _FENCE, thing.write()), Ensured)
    assert await told(ours) == [("ann", "make the thing", "done")]
    assert thing.sent == 1


async def test_what_somebody_else_sent_is_not_told_on_the_word_of_who_comes_next(hosts: tuple[_Host, _Host]) -> None:
    ours, _ = hosts
    thing = _Thing()
    assert isinstance(await ours.intents.ensure(TARGET, _FENCE, thing.write()), NotYet)
    fence = await follow(ours)
    thing.taken = True

    with pytest.raises(Conflict):
        await ours.intents.ensure(TARGET, fence, thing.write())
    thing.shows = True
    await ours.intents.ensure(TARGET, fence, thing.write())

    assert await told(ours) == [
        ("ann", "make the thing", "sent, but not to be seen"),
        ("bob", "make the thing", "found to be so; nothing was sent"),
    ]


async def test_what_somebody_sent_is_told_as_what_it_was_whoever_finds_it(hosts: tuple[_Host, _Host]) -> None:
    """Two decide on the same thing, one for it and one against it."""
    ours, _ = hosts
    thing = _Thing()
    assert isinstance(await ours.intents.ensure(TARGET, _FENCE, thing.write()), NotYet)
    fence = await follow(ours)
    thing.shows = True

    await ours.intents.ensure(TARGET, fence, thing.write(kind="other", what="keep the thing from being made"))

    assert await told(ours) == [("ann", "make the thing", "done")]
