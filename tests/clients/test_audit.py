"""The audit in the real table: what is told before it is done, and was not done after all."""

from pathlib import Path

import pytest

from shared.audit import Audit
from shared.chain import verify
from shared.errors import NotAllowed, StoreUnavailable
from tests.clients.shelf import shelf
from tests.sandbox.azurite import Azurite
from tests.unit.making import TARGET
from tests.unit.test_audit import deed


async def test_a_change_is_told_before_it_is_made(tmp_path: Path, azurite: Azurite) -> None:
    async with shelf(tmp_path, azurite) as store:
        audit = Audit(store.table("Audit"))

        async def change() -> int:
            return len(await audit.entries(TARGET))

        assert await audit.around(TARGET, deed(1), change) == 1
        assert [one.deed.outcome for one in await audit.entries(TARGET)] == ["done"]


async def test_a_change_that_was_refused_has_its_entry_too(tmp_path: Path, azurite: Azurite) -> None:
    async with shelf(tmp_path, azurite) as store:
        audit = Audit(store.table("Audit"))

        async def refused() -> None:
            raise NotAllowed("it has changed meanwhile")

        with pytest.raises(NotAllowed):
            await audit.around(TARGET, deed(1), refused)

        entries = await audit.entries(TARGET)
        verify(entries)
        assert [one.deed.outcome for one in entries] == ["done", "not done: it has changed meanwhile"]


async def test_a_change_that_may_have_landed_is_not_said_to_be_not_done(tmp_path: Path, azurite: Azurite) -> None:
    async with shelf(tmp_path, azurite) as store:
        audit = Audit(store.table("Audit"))

        async def lost() -> None:
            raise StoreUnavailable("Tenants did not answer")

        with pytest.raises(StoreUnavailable):
            await audit.around(TARGET, deed(1), lost)

        entries = await audit.entries(TARGET)
        verify(entries)
        assert [one.deed.outcome for one in entries] == ["done", "not known whether done: Tenants did not answer"]
