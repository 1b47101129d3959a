"""The order of a night: pages, passes, and those once more that were postponed."""

from collections.abc import Generator
from typing import Any

from shared.durable import ActivityFailed, Sleeper
from shared.run import RunKey
from shared.running.messages import Cursor, PageCall
from shared.running.nightly import PAGE, Night, Pass, Passed, through

RUN = RunKey(subject="night-2026-03-02", number=1, nonce="n")


class Sleepless(Sleeper):
    """Waits are over at once."""

    def __init__(self) -> None:
        self.slept: list[float] = []

    def sleep(self, seconds: float) -> Generator[Any, Any, bool]:
        yield from ()
        self.slept.append(seconds)
        return False


def gone_through(sleeper: Sleepless, *passes: Pass) -> Night:
    try:
        next(through(sleeper, RUN, passes))
    except StopIteration as over:
        night = over.value
        assert isinstance(night, Night)
        return night
    raise AssertionError("nothing waits here")


def of_pages(seen: list[PageCall], *pages: tuple[str, ...], heals: bool = True) -> Pass:
    """A pass over so many pages, with those that each postpones; they heal when they are looked at again."""

    def go(page: PageCall) -> Generator[Any, Any, Passed]:
        yield from ()
        seen.append(page)
        if page.only:
            return Passed(cursor=None, postponed=() if heals else tuple(page.only))
        number = len(page.cursor or {})
        following: Cursor | None = {**(page.cursor or {}), str(number): ""} if number + 1 < len(pages) else None
        return Passed(cursor=following, postponed=pages[number])

    return Pass(go=go)


def failing(page: PageCall) -> Generator[Any, Any, Passed]:
    yield from ()
    raise ActivityFailed(f"{page.cursor}")


def test_those_that_were_postponed_are_looked_at_again_by_pages() -> None:
    seen: list[PageCall] = []
    many = tuple(str(number) for number in range(2 * PAGE + 1))

    night = gone_through(Sleepless(), of_pages(seen, many[:PAGE], many[PAGE:]))

    assert night == Night(given_up=[()], failed=False)
    again = [page.only for page in seen if page.only]
    assert [len(one) for one in again] == [PAGE, PAGE, 1]
    assert [one for page in again for one in page] == list(many)


def test_those_that_never_heal_are_given_up_after_three_more_looks() -> None:
    sleeper, seen = Sleepless(), list[PageCall]()

    night = gone_through(sleeper, of_pages(seen, ("a",), heals=False), of_pages([], ()))

    assert night == Night(given_up=[("a",), ()], failed=False)
    assert (len(seen), sleeper.slept) == (4, [600.0, 1800.0, 3600.0])


def test_a_pass_whose_page_cannot_be_read_keeps_no_other_from_being_gone_through() -> None:
    seen: list[PageCall] = []

    night = gone_through(Sleepless(), Pass(go=failing), of_pages(seen, ("a",)))

    assert night == Night(given_up=[(), ()], failed=True)
    assert len(seen) == 2


def test_what_the_pages_have_begun_is_waited_for_after_the_last_page_and_looked_at_again_with_the_others() -> None:
    seen, order = list[PageCall](), list[str]()
    begun = [("b", "a"), ("a",), ()]
    pages = of_pages(seen, ("a",), ())

    def go(page: PageCall) -> Generator[Any, Any, Passed]:
        order.append("page")
        return (yield from pages.go(page))

    def finish() -> Generator[Any, Any, tuple[str, ...]]:
        yield from ()
        order.append("finish")
        return begun.pop(0)

    night = gone_through(Sleepless(), Pass(go=go, finish=finish))

    assert night == Night(given_up=[()], failed=False)
    assert order == ["page", "page", "finish", "page", "finish", "page", "finish"]
    assert [page.only for page in seen if page.only] == [("a", "b"), ("a",)]
