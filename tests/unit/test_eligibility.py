"""How long an eligibility lasts, and which request makes it so."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.eligibility.decide import Action, Held, action, is_satisfied, is_taken, length
from tests.unit.making import NOON, moments

days = st.integers(min_value=1, max_value=3650)


def held(end: datetime | None, *, in_force: bool = True) -> Held:
    return Held(schedule_id="s", end=end, in_force=in_force)


@pytest.mark.parametrize(
    ("wanted", "maximum", "days_", "capped"),
    [(180, None, 180, None), (180, 180, 180, None), (180, 365, 180, None), (365, 180, 180, 180), (2, 1, 1, 1)],
)
def test_the_policy_caps_what_was_asked_for_and_the_cap_is_told(
    wanted: int, maximum: int | None, days_: int, capped: int | None
) -> None:
    found = length(wanted, maximum)

    assert (days_, capped) == (found.days, found.capped_to)


@given(days, st.none() | days)
def test_a_length_is_never_longer_than_asked_or_allowed(wanted: int, maximum: int | None) -> None:
    found = length(wanted, maximum)

    assert found.days == min(wanted, maximum or wanted)
    assert (found.capped_to is None) == (found.days == wanted)


@given(moments, days)
def test_what_was_just_written_is_as_wanted(now: datetime, wanted: int) -> None:
    """The end is made from the start in whole seconds, a moment before it is compared."""
    end = now.replace(microsecond=0) + timedelta(days=wanted)

    assert is_satisfied(held(end), now, wanted)
    assert is_satisfied(held(end), now + min(timedelta(hours=12), timedelta(days=wanted) / 20), wanted)


@given(moments, days)
def test_an_end_that_is_too_early_is_moved(now: datetime, wanted: int) -> None:
    tolerated = min(timedelta(days=1), timedelta(days=wanted) / 10)

    assert not is_satisfied(held(now + timedelta(days=wanted) - tolerated - timedelta(seconds=1)), now, wanted)


def test_a_day_s_eligibility_that_ends_in_minutes_is_not_what_was_wanted() -> None:
    now = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)

    assert not is_satisfied(held(now + timedelta(minutes=5)), now, 1)


@given(moments, days, days)
def test_a_longer_one_of_a_person_is_left_alone(now: datetime, wanted: int, more: int) -> None:
    assert is_satisfied(held(now + timedelta(days=wanted + more)), now, wanted)
    assert is_satisfied(held(None), now, wanted)


def test_what_is_not_in_force_is_not_there() -> None:
    assert not is_satisfied(None, NOON, 1)
    assert not is_satisfied(held(None, in_force=False), NOON, 1)


def test_nothing_is_assigned_twice_over() -> None:
    assert action(None) is Action.ASSIGN
    assert action(held(NOON)) is Action.UPDATE
    assert action(held(None, in_force=False)) is Action.UPDATE


@given(moments, days)
def test_what_lasts_until_we_left_it_or_longer_was_not_taken(now: datetime, left: int) -> None:
    end = now + timedelta(days=left)

    for there in (end, end - timedelta(hours=23), end + timedelta(days=1), None):
        assert not is_taken(held(there), end, now, removed=False)
        # Whoever took it away gave it back.
        assert not is_taken(held(there), end, now, removed=True)
    assert not is_taken(held(None), None, now, removed=False)


@given(moments, days)
def test_what_ends_more_than_a_day_earlier_than_we_left_it_was_shortened(now: datetime, left: int) -> None:
    end = now + timedelta(days=left + 1)

    assert is_taken(held(end - timedelta(hours=25)), end, now, removed=False)
    assert is_taken(held(end), None, now, removed=False)


@pytest.mark.parametrize("gone", [None, held(None, in_force=False)], ids=["nothing", "not-in-force"])
def test_what_came_to_its_end_was_not_taken_and_what_is_gone_before_was(gone: Held | None) -> None:
    assert not is_taken(gone, NOON, NOON, removed=False)
    assert is_taken(gone, NOON, NOON, removed=True)
    assert is_taken(gone, NOON + timedelta(hours=1), NOON, removed=False)
    assert is_taken(gone, None, NOON, removed=False)
