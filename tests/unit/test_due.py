"""Which eligibility is due tonight: the window, the act, the new end, and what is only reported."""

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from shared.eligibility.decide import Action
from shared.eligibility.record import Eligibility
from shared.identifiers import ObjectId
from shared.permissions import SECURITY_READER
from shared.renewal.due import (
    MOST_CHANGES,
    Due,
    Fine,
    Kept,
    Refused,
    Seen,
    Tonight,
    Why,
    alarm_time,
    capped,
    is_holder_asked_for,
    is_near,
    is_review_due,
    judge,
    window,
)
from shared.renewal.kinds import Judged, Look
from shared.renewal.telling import as_seen
from shared.subjects import REVIEW_PERIOD
from tests.unit.making import tenant

TODAY = date(2026, 3, 3)
MIDNIGHT = datetime(2026, 3, 3, tzinfo=UTC)
NOW = MIDNIGHT + timedelta(hours=2, minutes=5)
DAY = timedelta(days=1)


def held(days: float, **changes: object) -> Seen:
    """One of 180 days that ends so many days from now, as we left it."""
    end = NOW + timedelta(days=days)
    return replace(Seen(left=end, in_force=True, end=end, wanted_days=180), **changes)


def lapsed(days: float, **changes: object) -> Seen:
    """One that ended so many days ago."""
    return replace(held(-days), in_force=False, end=None, **changes)


def row(end: datetime | None, **changes: object) -> Eligibility:
    first = Eligibility(
        principal_id=ObjectId("account"),
        role_definition_id=SECURITY_READER,
        analyst_id=None,
        schedule_id="s",
        end=end,
        wanted_days=180,
    )
    return replace(first, **changes)


def judged(seen: Seen, **changes: object) -> Judged:
    """The same, with its row as it was left."""
    known = row(seen.left, removed=NOW - DAY if seen.removed else None, **changes)
    return Judged(row=known, known=known, seen=seen, tonight=tonight(), verdict=judge(seen, tonight()))


def tonight(**changes: object) -> Tonight:
    first = Tonight(date=TODAY, now=NOW, review_by=NOW + 300 * DAY, maximum_days=180)
    return replace(first, **changes)


@pytest.mark.parametrize(
    ("lasting", "days"), [(180, 21), (365, 21), (63, 21), (60, 20), (30, 10), (15, 5), (6, 2), (3, 2), (1, 2)]
)
def test_a_window_is_three_weeks_or_a_third_of_what_the_eligibility_lasts_and_at_least_two_nights(
    lasting: int, days: int
) -> None:
    assert window(lasting, 21) == timedelta(days=days)
    assert alarm_time(lasting, 21) == timedelta(days=days) * 2 / 3


def test_one_that_ends_outside_the_window_costs_no_further_look() -> None:
    assert not is_near(held(60), tonight())
    assert judge(held(60), tonight()) == Fine(end=NOW + 60 * DAY)
    assert is_near(held(20), tonight())


@pytest.mark.parametrize(
    ("days", "act"), [(20, Action.UPDATE), (14.5, Action.UPDATE), (14, Action.EXTEND), (1, "adminExtend")]
)
def test_within_two_weeks_it_is_extended_and_earlier_updated(days: float, act: Action) -> None:
    assert judge(held(days), tonight()) == Due(action=Action(act), end=MIDNIGHT + 180 * DAY)


@pytest.mark.parametrize("days", [0.01, 20, 29.9])
def test_one_that_lapsed_within_thirty_days_is_renewed(days: float) -> None:
    assert judge(lapsed(days), tonight()) == Due(action=Action.RENEW, end=MIDNIGHT + 180 * DAY)


def test_one_that_lapsed_longer_ago_is_reported_and_alarms() -> None:
    assert judge(lapsed(30.1), tonight()) == Refused(why=Why.LAPSED, end=NOW - 30.1 * DAY, alarming=True)


def test_one_that_is_gone_before_its_end_was_removed_by_a_person_and_is_never_renewed() -> None:
    gone = held(5, in_force=False, end=None)

    assert judge(gone, tonight()) == Refused(why=Why.REMOVED, end=NOW + 5 * DAY, alarming=False)
    assert judge(lapsed(5, removed=True), tonight()) == Refused(why=Why.REMOVED, end=NOW - 5 * DAY, alarming=False)
    assert judge(replace(gone, left=None), tonight()) == Refused(why=Why.REMOVED, end=None, alarming=False)


def test_one_that_a_person_let_end_earlier_is_left_to_end() -> None:
    shortened = held(3, left=NOW + 100 * DAY)

    assert judge(shortened, tonight()) == Refused(why=Why.SHORTENED, end=NOW + 3 * DAY, alarming=True)
    assert judge(held(15, left=NOW + 100 * DAY), tonight()) == Refused(
        why=Why.SHORTENED, end=NOW + 15 * DAY, alarming=False
    )
    assert as_seen(judged(shortened), NOW) == row(NOW + 100 * DAY, ends_early=NOW + 3 * DAY)


@pytest.mark.parametrize("why", [Why.NOT_TO_HOLD, Why.GONE, Why.DISABLED])
def test_one_that_a_person_let_end_earlier_raises_no_alarm_where_its_holder_is_not_to_hold_it(why: Why) -> None:
    shortened = held(3, left=NOW + 100 * DAY)

    assert is_holder_asked_for(judge(shortened, tonight()))
    assert not is_holder_asked_for(judge(held(15, left=NOW + 100 * DAY), tonight()))
    assert judge(replace(shortened, obstacle=why), tonight()) == Refused(
        why=Why.SHORTENED, end=NOW + 3 * DAY, alarming=False
    )


@pytest.mark.parametrize("left", [NOW + 100 * DAY, NOW - DAY, None])
def test_one_that_a_person_made_again_is_looked_after_by_its_new_end(left: datetime | None) -> None:
    again = held(3, left=left, removed=True)

    assert judge(again, tonight()) == Due(action=Action.EXTEND, end=MIDNIGHT + 180 * DAY)
    assert judge(replace(again, end=NOW + 60 * DAY), tonight()) == Fine(end=NOW + 60 * DAY)
    assert as_seen(judged(again), NOW) == row(NOW + 3 * DAY)
    assert as_seen(judged(replace(again, end=None)), NOW) == row(None)


def test_one_that_had_no_end_and_was_given_one_is_looked_after_by_it() -> None:
    given = held(3, left=None)

    assert judge(given, tonight()) == Due(action=Action.EXTEND, end=MIDNIGHT + 180 * DAY)
    assert as_seen(judged(given), NOW) == row(NOW + 3 * DAY)


def test_what_was_let_end_earlier_is_forgotten_once_it_ends_as_it_was_left_or_later() -> None:
    early = {"ends_early": NOW + 3 * DAY}

    assert as_seen(judged(held(100), **early), NOW) == row(NOW + 100 * DAY)
    assert as_seen(judged(held(120, left=NOW + 100 * DAY), **early), NOW) == row(NOW + 120 * DAY)
    gone = judged(held(100, in_force=False, end=None), **early)
    assert as_seen(gone, NOW) == row(NOW + 100 * DAY, removed=NOW, **early)
    assert (gone.row.ends, row(NOW).ends, row(None).ends) == (NOW + 3 * DAY, NOW, None)


def test_what_ends_first_is_written_first_by_the_end_that_is_in_force() -> None:
    again = judged(held(2, left=NOW + 100 * DAY, removed=True))
    other = replace(judged(held(5)), row=replace(row(NOW + 5 * DAY), principal_id=ObjectId("other")))

    assert Look(subject=tenant(), now=NOW, judged=(other, again)).due == (again, other)


def test_a_permanent_one_is_not_touched() -> None:
    permanent = replace(held(5), end=None)

    assert judge(permanent, tonight()) == Fine(end=None)
    assert not is_near(permanent, tonight())


def test_where_the_policy_would_shorten_it_it_is_kept_and_told() -> None:
    found = judge(held(18), tonight(maximum_days=15))

    assert found == Kept(end=NOW + 18 * DAY, allowed=MIDNIGHT + 15 * DAY)


def test_a_shortened_policy_is_no_reason_to_write_every_night() -> None:
    end, writes = MIDNIGHT + 4 * DAY, []
    for night in range(60):
        at = MIDNIGHT + night * DAY
        seen = Seen(left=end, in_force=True, end=end, wanted_days=180)
        found = judge(seen, tonight(date=at.date(), now=at + timedelta(hours=2), maximum_days=15))
        if isinstance(found, Due):
            writes.append(night)
            end = found.end

    assert writes == [0, 10, 20, 30, 40, 50]


def test_the_shortest_that_can_be_kept_is_not_due_again_once_it_was_written() -> None:
    written = MIDNIGHT + 2 * DAY

    found = judge(Seen(left=written, in_force=True, end=written, wanted_days=2), tonight())

    assert found == Fine(end=written)


@pytest.mark.parametrize(
    ("seen", "night", "why"),
    [
        (held(10), {"review_by": NOW}, Why.REVIEW_OVER),
        (held(10), {"mfa": True}, Why.MFA),
        (held(1), {"maximum_days": 1}, Why.TOO_SHORT),
        (held(1), {"maximum_days": 0}, Why.TOO_SHORT),
        (lapsed(1), {"mfa": True}, Why.MFA),
        (lapsed(1), {"review_by": NOW - DAY}, Why.REVIEW_OVER),
    ],
)
def test_what_keeps_it_from_being_renewed_is_told_and_alarms_when_it_ends_soon(
    seen: Seen, night: dict[str, object], why: Why
) -> None:
    found = judge(seen, tonight(**night))

    assert isinstance(found, Refused)
    assert (found.why, found.alarming) == (why, True)


def test_a_third_of_the_window_is_tried_without_an_alarm() -> None:
    found = judge(held(15), tonight(mfa=True))

    assert isinstance(found, Refused)
    assert not found.alarming


@pytest.mark.parametrize("why", [Why.NOT_TO_HOLD, Why.GONE, Why.DISABLED])
@pytest.mark.parametrize("make", [held, lapsed])
def test_one_whose_holder_is_not_to_hold_it_is_left_to_end_without_an_alarm(make: object, why: Why) -> None:
    found = judge(make(2, obstacle=why), tonight())  # type: ignore[operator]

    assert isinstance(found, Refused)
    assert (found.why, found.alarming) == (why, False)


def test_no_more_are_changed_in_one_night_than_the_cap_allows() -> None:
    assert capped(range(80), 0, MOST_CHANGES) == (tuple(range(50)), 30)
    assert capped(range(80), 45, MOST_CHANGES) == (tuple(range(5)), 75)
    assert capped(range(3), 60, MOST_CHANGES) == ((), 3)


def test_a_review_is_reminded_of_in_its_last_thirty_days_and_a_short_one_in_its_last_third() -> None:
    assert not is_review_due(NOW, NOW + REVIEW_PERIOD, NOW + REVIEW_PERIOD - 31 * DAY)
    assert is_review_due(NOW, NOW + REVIEW_PERIOD, NOW + REVIEW_PERIOD - 30 * DAY)
    assert not is_review_due(NOW, NOW + 30 * DAY, NOW + 19 * DAY)
    assert is_review_due(NOW, NOW + 30 * DAY, NOW + 20 * DAY)


_moments = st.datetimes(datetime(2024, 1, 1), datetime(2040, 1, 1), timezones=st.just(UTC))
_spans = st.timedeltas(timedelta(days=-40), timedelta(days=400))
_days = st.integers(1, 400)


@st.composite
def _cases(draw: st.DrawFn) -> tuple[Seen, Tonight]:
    now, wanted = draw(_moments), draw(_days)
    end = now + draw(_spans)
    in_force = end > now
    left = draw(st.sampled_from([end, end - 3 * DAY, end + 90 * DAY, None]))
    removed = draw(st.booleans())
    seen = Seen(left=left, in_force=in_force, end=end if in_force else None, wanted_days=wanted, removed=removed)
    night = Tonight(date=now.date(), now=now, review_by=now + DAY, maximum_days=draw(st.none() | _days))
    return seen, night


@given(_cases())
def test_nothing_becomes_shorter_or_longer_than_the_policy_allows(case: tuple[Seen, Tonight]) -> None:
    seen, night = case
    found = judge(seen, night)

    if isinstance(found, Due):
        longest = min(seen.wanted_days, night.maximum_days or seen.wanted_days)
        assert found.end == night.midnight + timedelta(days=longest)
        assert found.end > night.now
        assert seen.end is None or found.end > seen.end


@given(_cases(), st.timedeltas(timedelta(0), timedelta(hours=23)))
def test_nothing_is_due_twice_in_one_night(case: tuple[Seen, Tonight], later: timedelta) -> None:
    """Also for a host whose repeat comes hours later: it counts from the same date."""
    seen, night = case
    found = judge(seen, night)

    if isinstance(found, Due) and found.end > night.now + later:
        after = Seen(left=found.end, in_force=True, end=found.end, wanted_days=seen.wanted_days)
        again = judge(after, replace(night, now=night.now + later))

        assert again == Fine(end=found.end)


@given(_moments, st.integers(2, 400), st.none() | st.integers(2, 400), st.sets(st.integers(1, 1200), max_size=40))
def test_no_gap_of_a_second_over_three_years_of_nights_of_which_none_is_missed_twice_running(
    begin: datetime, wanted: int, maximum: int | None, missed: set[int]
) -> None:
    first = datetime.combine(begin.date(), datetime.min.time(), tzinfo=UTC)
    lasting = min(wanted, maximum or wanted)
    missed = set() if lasting == 2 else {night for night in missed if night - 1 not in missed}
    end = first + timedelta(days=lasting)
    for night in range(1, 3 * 365 + 2):
        at = first + night * DAY + timedelta(hours=2, minutes=5)
        assert end > at
        if night in missed:
            continue
        seen = Seen(left=end, in_force=True, end=end, wanted_days=wanted)
        found = judge(seen, Tonight(date=at.date(), now=at, review_by=at + DAY, maximum_days=maximum))
        assert not isinstance(found, Refused)
        end = found.end if isinstance(found, Due) else end
