"""When a message is tried again: growing waits, bounded by days, whatever the receiver answers."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.notify.waits import (
    TRIED_FOR,
    Again,
    Answered,
    Delivered,
    GivenUp,
    Gone,
    Refused,
    Verdict,
    is_late,
    judge,
    pause,
)

_SINCE = datetime(2026, 3, 2, 2, 35, tzinfo=UTC)
_RETRIED = [None, 408, 425, 429, 500, 502, 503, 504, 599]


def judged(
    status: int | None, *, tries: int = 1, age: timedelta = timedelta(), wait: timedelta | None = None
) -> Verdict:
    return judge(Answered(status=status, wait=wait), tries, _SINCE, _SINCE + age)


@pytest.mark.parametrize("status", [200, 201, 202, 204, 299])
def test_any_2xx_is_the_end_of_it_also_late(status: int) -> None:
    assert judged(status, age=timedelta(days=9)) == Delivered()


def test_410_is_the_end_of_the_destination() -> None:
    assert judged(410) == Gone()


@pytest.mark.parametrize("status", [100, 301, 302, 307, 308, 400, 401, 403, 404, 405, 409, 413, 415, 418, 422])
def test_a_redirect_or_a_refusal_is_not_sent_again(status: int) -> None:
    assert judged(status) == Refused()


@pytest.mark.parametrize("status", _RETRIED)
def test_no_answer_a_busy_receiver_and_a_broken_one_are_tried_again(status: int | None) -> None:
    assert judged(status) == Again(_SINCE + timedelta(minutes=1))


def test_waits_grow_to_six_hours() -> None:
    waits = [pause(tries) for tries in range(1, 30)]

    assert waits[0] == timedelta(minutes=1)
    assert waits[-1] == timedelta(hours=6)
    assert all(one <= other for one, other in pairwise(waits))


def test_a_receiver_may_ask_for_more_time_but_not_for_ever() -> None:
    assert judged(429, wait=timedelta(minutes=20)) == Again(_SINCE + timedelta(minutes=20))
    assert judged(503, wait=timedelta(seconds=1)) == Again(_SINCE + timedelta(minutes=1))
    assert judged(429, wait=timedelta(days=30)) == Again(_SINCE + timedelta(days=1))


@given(
    status=st.one_of(st.none(), st.integers(100, 599)),
    tries=st.integers(0, 1000),
    age=st.timedeltas(min_value=timedelta(), max_value=timedelta(days=40)),
    wait=st.one_of(st.none(), st.timedeltas(min_value=timedelta(), max_value=timedelta(days=10_000))),
)
def test_whatever_comes_it_ends_within_its_time(
    status: int | None, tries: int, age: timedelta, wait: timedelta | None
) -> None:
    """Whatever is tried again is tried later, and not after its time; the last try is the end."""
    verdict = judged(status, tries=tries, age=age, wait=wait)

    if isinstance(verdict, Again):
        assert _SINCE + age < verdict.due <= _SINCE + TRIED_FOR
        assert not is_late(_SINCE, _SINCE + age)
    if isinstance(verdict, GivenUp):
        assert is_late(_SINCE, _SINCE + age)


def test_a_receiver_that_never_answers_is_tried_a_bounded_number_of_times() -> None:
    now, tries = _SINCE, 0
    while True:
        tries += 1
        verdict = judge(Answered(status=None), tries, _SINCE, now)
        if not isinstance(verdict, Again):
            break
        now = verdict.due

    assert verdict == GivenUp()
    assert now == _SINCE + TRIED_FOR
    assert 20 <= tries <= 30
