"""Run rows that two write at once: whoever comes second sees the first, and nothing is taken for one's own."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from shared.clock import SystemClock
from shared.run import Run, key_of
from shared.runs import Runs
from shared.services import new_id
from tests.clients.shelf import Shelf, shelf
from tests.sandbox.azurite import Azurite
from tests.sandbox.points import then_cut

_SUBJECT = "night-of-renewal"
_OPENED = datetime(2026, 3, 2, 2, tzinfo=UTC)


@pytest.fixture
async def at(tmp_path: Path, azurite: Azurite) -> AsyncIterator[Shelf]:
    """An account of its own."""
    async with shelf(tmp_path, azurite) as opened:
        yield opened


def runs(at: Shelf, writer: int = 0) -> Runs:
    """The table as one of two instances of the app sees it."""
    return Runs(at.table("Runs", writer), SystemClock(), new_id)


def a_run(number: int = 1) -> Run:
    return Run(
        subject=_SUBJECT,
        kind="renewal",
        number=number,
        orchestration_id=f"renewal-{number}",
        nonce=new_id(),
        opened=_OPENED,
        requested_by="somebody",
    )


async def opened(at: Shelf) -> Run:
    """A run that is open."""
    run = a_run()
    assert await runs(at).insert(run) is None
    return run


async def test_who_cancels_while_the_start_is_noted_is_heard(at: Shelf) -> None:
    run = await opened(at)
    at.points.arm("store.before", "PUT Runs", 0, lambda: runs(at, 1).mark_started(run))

    cancelled = await runs(at).cancel(_SUBJECT, "ann")

    found = await runs(at).open_run(_SUBJECT)
    assert found == cancelled
    assert found is not None
    assert found.cancelled_by == "ann"
    assert found.started is not None


async def test_a_start_that_is_noted_while_somebody_cancels_takes_nothing_back(at: Shelf) -> None:
    run = await opened(at)

    async def cancel() -> None:
        await runs(at, 1).cancel(_SUBJECT, "ann")

    at.points.arm("store.before", "PUT Runs", 0, cancel)

    await runs(at).mark_started(run)

    assert await runs(at).is_cancelled(key_of(run))


async def test_of_two_who_cancel_at_once_both_hear_of_the_first(at: Shelf) -> None:
    await opened(at)
    first: list[Run | None] = []

    async def cancel() -> None:
        first.append(await runs(at, 1).cancel(_SUBJECT, "ann"))

    at.points.arm("store.before", "PUT Runs", 0, cancel)

    second = await runs(at).cancel(_SUBJECT, "bob")

    assert second is not None
    assert [second] == first
    assert second.cancelled_by == "ann"


async def test_a_run_that_ends_while_somebody_cancels_tells_so(at: Shelf) -> None:
    run = await opened(at)

    async def cancel() -> None:
        await runs(at, 1).cancel(_SUBJECT, "ann")

    at.points.arm("store.before", "DELETE Runs", 0, cancel)

    await runs(at).close(key_of(run), "over")

    assert await runs(at).list_open() == []
    ended = await runs(at).latest(_SUBJECT)
    assert ended is not None
    assert (ended.cancelled_by, ended.outcome) == ("ann", "over")


async def test_a_run_whose_insert_was_not_answered_and_that_another_noted_as_started_is_still_ours(at: Shelf) -> None:
    run = a_run()
    # The first insert only makes the table.
    at.points.arm("store.after", "POST Runs", 1, then_cut(lambda: runs(at, 1).mark_started(run)))

    assert await runs(at).insert(run) is None

    assert not at.points.armed


async def test_a_late_end_of_another_run_ends_nothing(at: Shelf) -> None:
    run = await opened(at)

    await runs(at).close(key_of(a_run()), "over")

    assert await runs(at).list_open() == [run]
