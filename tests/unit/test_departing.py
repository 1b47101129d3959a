"""Whose account is gone, when waiting is of no use, and how often it is looked."""

from datetime import timedelta

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.graph.sync_shapes import Job
from shared.identifiers import ObjectId
from shared.offboarding.departing import Account, are_gone, has_cycled, next_look, stands_still
from tests.unit.making import NOON, analyst

_ACCOUNT = ObjectId("33333333-0000-4000-8000-000000000003")
_SEEN = analyst(target_object_id=_ACCOUNT, provisioned=NOON)
_TOLD = analyst(target_object_id=_ACCOUNT)
_UNKNOWN = analyst()
_EARLIER = analyst(target_object_id=_ACCOUNT, provisioned=NOON, earlier_account=True)

_TABLE = [
    # who, asked, there, gone before a cycle, gone after one
    (_SEEN, True, True, False, False),
    (_SEEN, True, False, True, True),
    (_SEEN, True, None, False, False),
    (_TOLD, True, True, False, False),
    (_TOLD, True, False, False, True),
    (_TOLD, True, None, False, False),
    (_UNKNOWN, True, None, False, True),
    (_UNKNOWN, False, None, True, True),
    (_EARLIER, True, True, True, True),
]


@pytest.mark.parametrize(("who", "asked", "there", "before", "after"), _TABLE)
def test_an_account_is_gone_when_it_was_seen_and_shows_no_more_or_a_cycle_has_passed(
    *, who: object, asked: bool, there: bool | None, before: bool, after: bool
) -> None:
    account = Account(analyst=who, asked=asked, there=there)  # type: ignore[arg-type]  # an analyst, from the table

    assert (bool(are_gone([account], cycled=False)), bool(are_gone([account], cycled=True))) == (before, after)


def job(code: str = "Active", schedule: str = "Active", began: str | None = None) -> Job:
    status = {
        "code": code,
        "quarantine": {"reason": "TooManyDeletes"} if code == "Quarantine" else None,
        "lastSuccessfulExecution": {"timeBegan": began} if began else None,
    }
    return msgspec.convert({"id": "j", "status": status, "schedule": {"state": schedule}}, type=Job)


@pytest.mark.parametrize(
    ("found", "why"),
    [
        (job(), ""),
        (job("NotRun"), ""),
        (None, "is gone"),
        (job("Quarantine"), "in quarantine: TooManyDeletes"),
        (job("Paused", "Paused"), "does not run"),
        (job("Paused", "Disabled"), "does not run"),
    ],
)
def test_a_job_that_does_not_run_deletes_nobody(found: Job | None, why: str) -> None:
    assert why in stands_still(found)
    assert bool(stands_still(found)) == bool(why)


def test_only_a_cycle_that_began_after_they_left_scope_counts() -> None:
    assert not has_cycled(None, NOON)
    assert not has_cycled(job(), NOON)
    assert not has_cycled(job(began="0001-01-01T00:00:00Z"), NOON)
    assert not has_cycled(job(began="2026-11-23T11:59:00Z"), NOON)
    assert has_cycled(job(began="2026-11-23T12:01:00Z"), NOON)


@given(st.timedeltas(min_value=timedelta(0), max_value=timedelta(days=2)))
def test_looks_are_at_least_five_minutes_apart_and_at_most_half_an_hour(waited: timedelta) -> None:
    assert timedelta(minutes=5) <= next_look(waited) <= timedelta(minutes=30)


def test_a_day_has_few_looks_and_the_first_cycle_is_seen_soon() -> None:
    waited, looks = timedelta(0), 0
    while waited < timedelta(days=1):
        waited, looks = waited + next_look(waited), looks + 1

    assert looks < 80
    assert next_look(timedelta(minutes=40)) == timedelta(minutes=5)
