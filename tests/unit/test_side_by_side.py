"""Many at a time, and one that fails keeps none of the others waiting."""

import asyncio
import logging

import msgspec
import pytest

from shared.errors import NotStarted
from shared.side_by_side import KeptApart, each_of

_log = logging.getLogger("tenantry.test")


async def test_each_is_worked_on_never_more_than_so_many_at_once_and_told_in_their_order() -> None:
    at_work, most = 0, 0

    async def work(item: int) -> int:
        nonlocal at_work, most
        at_work += 1
        most = max(most, at_work)
        for _ in range(10 - item):
            await asyncio.sleep(0)
        at_work -= 1
        return item * item

    assert await each_of(range(10), work, at_once=3) == [item * item for item in range(10)]
    assert most == 3


async def test_the_first_error_ends_the_others_and_keeps_its_own_cause() -> None:
    ended: list[str] = []

    async def work(item: str) -> None:
        if item == "bad":
            raise ValueError(item) from KeyError("why")
        try:
            await asyncio.Event().wait()
        finally:
            ended.append(item)

    with pytest.raises(ValueError, match="bad") as raised:
        await each_of(["good", "bad"], work, at_once=2)
    assert ended == ["good"]
    assert isinstance(raised.value.__cause__, KeyError)


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (NotStarted("the host is away"), "sweep.postponed subject=s reason="),
        (TimeoutError(), "sweep.postponed subject=s reason=TimeoutError"),
        (LookupError("a row"), "sweep.postponed subject=s"),
    ],
)
def test_what_fails_is_told_with_which_one_it_was_and_goes_no_further(
    error: Exception, told: str, caplog: pytest.LogCaptureFixture
) -> None:
    with KeptApart(_log, "sweep.postponed", subject="s"):
        raise error
    assert [one.getMessage() for one in caplog.records if one.getMessage().startswith(told)]


def test_what_could_not_be_read_is_not_told(caplog: pytest.LogCaptureFixture) -> None:
    class Colour(msgspec.Struct):
        name: int

    with KeptApart(_log, "sweep.postponed", subject="s"):
        msgspec.convert({"name": "secret"}, Colour)
    with KeptApart(_log, "sweep.postponed", subject="s"):
        raise msgspec.DecodeError("Invalid enum value 'secret'")
    assert "sweep.postponed subject=s reason=DecodeError" in caplog.text
    assert "secret" not in caplog.text


async def test_a_cancelled_work_stays_cancelled() -> None:
    async def work() -> None:
        with KeptApart(_log, "sweep.postponed", subject="s"):
            await asyncio.Event().wait()

    task = asyncio.create_task(work())
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
