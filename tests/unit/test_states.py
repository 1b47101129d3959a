"""The table of transitions, and what the API's rules lean on in it."""

from itertools import product

import pytest

from shared.tenants.states import RESTING, TRANSITIONS, WAITING, State, may_become


def reachable(start: State) -> set[State]:
    found = {start}
    while more := {then for now in found for then in TRANSITIONS[now]} - found:
        found |= more
    return found


def test_every_state_has_its_row_and_leads_on() -> None:
    assert set(State) == set(TRANSITIONS)
    assert all(TRANSITIONS[state] for state in State)


def test_staying_is_always_allowed_and_the_table_need_not_say_so() -> None:
    assert all(may_become(state, state) for state in State)
    assert all(state not in TRANSITIONS[state] for state in State)


@pytest.mark.parametrize(("now", "then"), list(product(State, State)))
def test_a_tenant_goes_only_where_the_table_says(now: State, then: State) -> None:
    assert may_become(now, then) == (now is then or then in TRANSITIONS[now])


def test_every_state_can_become_ready_again() -> None:
    assert all(State.READY in reachable(state) for state in State)


def test_ready_is_reached_by_a_run_alone() -> None:
    """Ready means that every act was proved, which only a run does."""
    assert {State.ONBOARDING} == {now for now in State if State.READY in TRANSITIONS[now]}


def test_a_run_starts_from_every_resting_state_and_ends_in_one_or_in_ready() -> None:
    assert all(State.ONBOARDING in TRANSITIONS[state] for state in RESTING)
    assert TRANSITIONS[State.ONBOARDING] - {State.CANCELLING, State.READY} <= RESTING
    assert TRANSITIONS[State.CANCELLING] <= RESTING


def test_what_is_being_cancelled_starts_nothing() -> None:
    assert not may_become(State.CANCELLING, State.ONBOARDING)
    assert not may_become(State.CANCELLING, State.READY)


def test_whatever_runs_or_rests_can_be_cancelled() -> None:
    assert may_become(State.ONBOARDING, State.CANCELLING)
    assert all(may_become(state, State.CANCELLED) for state in RESTING)


def test_every_wait_for_a_person_can_end_as_failed() -> None:
    assert WAITING < RESTING
    assert all(State.FAILED in TRANSITIONS[state] for state in WAITING)
