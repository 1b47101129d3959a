"""What becomes of a POST and of a retry in every state, and what the record looks like when a run begins."""

import msgspec
import pytest

from shared.permissions import Registration
from shared.running.acts import asked_of
from shared.running.opening import first_record, has_begun, is_stale, may_begin, next_record
from shared.running.starting import Verdict, continued, has_written, on_post, on_retry
from shared.tenants.findings import Feature
from shared.tenants.record import ActState, Problem, Tenant, Wanted
from shared.tenants.states import RESTING, State
from tests.unit.making import (
    ANA,
    BEN,
    HUNTING,
    NOON,
    OTHERWISE,
    WANTED,
    act,
    analyst,
    ids,
    intent,
    payload,
    record,
    run,
    tenant,
)

_BUSY = {State.ONBOARDING, State.CANCELLING, State.OFFBOARDING}


def written(state: State) -> Tenant:
    """Act 3 has tried a write."""
    return tenant(state, intents={"k": intent(3)})


@pytest.mark.parametrize("state", State)
def test_the_same_body_goes_on_or_changes_nothing(state: State) -> None:
    verdict = on_post(tenant(state), WANTED).verdict

    if state is State.READY:
        assert verdict is Verdict.UNCHANGED
    elif state is State.OFFBOARDED:
        assert verdict is Verdict.START
    else:
        assert verdict is (Verdict.BUSY if state in _BUSY else Verdict.CONTINUE)


@pytest.mark.parametrize("state", State)
def test_another_body_replaces_what_is_wanted_while_nothing_was_written(state: State) -> None:
    answer = on_post(tenant(state), OTHERWISE)

    if state in RESTING or state is State.OFFBOARDED:
        assert answer.verdict is Verdict.START
    elif state is State.READY:
        assert answer.verdict is Verdict.READY_OTHERWISE
        assert "PUT /api/tenants/{tenantId}/analysts" in answer.reason
    else:
        assert answer.verdict is Verdict.BUSY


@pytest.mark.parametrize("state", sorted(RESTING))
def test_another_body_is_refused_once_an_act_after_preflight_has_written(state: State) -> None:
    assert on_post(written(state), OTHERWISE).verdict is Verdict.BEGUN_OTHERWISE
    assert on_post(written(state), WANTED).verdict is Verdict.CONTINUE


@pytest.mark.parametrize("state", State)
def test_a_retry_goes_on_from_where_a_run_rests_and_nowhere_else(state: State) -> None:
    verdict = on_retry(tenant(state)).verdict

    assert (verdict is Verdict.CONTINUE) == (state in RESTING)


def test_a_tenant_that_is_new_starts() -> None:
    assert on_post(None, WANTED).verdict is Verdict.START


def test_only_writes_after_preflight_count_as_written() -> None:
    assert not has_written(tenant())
    assert not has_written(tenant(intents={"k": intent(2)}))
    assert has_written(tenant(intents={"k": intent(2), "l": intent(3)}))


def test_the_first_record_shows_the_run_and_asks_for_every_consent() -> None:
    change = first_record(run(), payload(), NOON, ids())

    assert (
        change.record.state,
        change.record.run,
        change.record.run_nonce,
        change.record.requested_by,
    ) == (State.ONBOARDING, 1, "nonce-1", "olga")
    assert list(asked_of(WANTED)) == [one.registration for one in change.consents]
    assert len({one.state for one in change.consents}) == len(asked_of(WANTED))


def test_the_wish_for_hunting_asks_for_its_consent_too() -> None:
    change = first_record(run(), payload(features=(Feature.HUNTING,)), NOON, ids())

    assert change.record.wanted == HUNTING
    assert Registration.HUNT in [one.registration for one in change.consents]


def test_a_wish_of_before_features_is_the_same_as_one_without() -> None:
    """Rows that were written before the field existed."""
    old = msgspec.json.decode(msgspec.json.encode(WANTED), type=dict[str, object])
    del old["features"]

    assert msgspec.convert(old, type=Wanted) == WANTED
    assert on_post(tenant(State.READY), HUNTING).verdict is Verdict.READY_OTHERWISE


def test_what_was_found_of_accounts_is_looked_at_again_with_those_who_were_left_out() -> None:
    problem = Problem(code="x", what="x", do="x")
    there = tenant(
        record=record(State.WAITING_FOR_PERSON),
        acts={number: act(number) for number in (1, 5, 8, 10, 11)},
        analysts={ANA: analyst(problem=problem)},
    )

    change = next_record(there, run(2, "nonce-2"), payload(replace=False, analysts=()), NOON, ids())

    assert [one.number for one in change.acts] == [8, 10]


def test_a_run_that_goes_on_keeps_what_is_done_and_forgets_what_was_wrong() -> None:
    problem = Problem(code="x", what="x", do="x")
    blocked = record(State.BLOCKED, problem=problem, what_to_do=("x",), deadline=NOON, cancel=True)
    there = tenant(record=blocked, acts={1: act(1)}, analysts={ANA: analyst(problem=problem)})

    change = next_record(there, run(2, "nonce-2"), payload(replace=False, analysts=()), NOON, ids())

    assert (change.record.state, change.record.run, change.record.run_nonce) == (State.ONBOARDING, 2, "nonce-2")
    assert (
        change.record.problem,
        change.record.what_to_do,
        change.record.deadline,
        change.record.cancel,
    ) == (None, (), None, False)
    assert list(change.acts) == []
    assert [analyst()] == list(change.analysts)
    assert there.record.wanted == change.record.wanted


def test_a_run_with_another_wish_does_every_act_again_and_forgets_who_is_not_wanted() -> None:
    there = tenant(State.FAILED, acts={1: act(1), 2: act(2, ActState.FAILED)})
    wish = payload(analysts=(analyst(BEN),), user_ids=(BEN,))

    change = next_record(there, run(2, "nonce-2"), wish, NOON, ids())

    assert {ActState.PENDING} == {one.state for one in change.acts}
    assert change.record.wanted.user_ids == (BEN,)
    assert list(change.forgotten_analysts) == [ANA]


def test_a_run_has_begun_when_the_record_shows_it_whole() -> None:
    """More analysts than one batch takes follow in further batches, and a process may die between two of them."""
    wish = payload(analysts=(analyst(), analyst(BEN)))

    assert not has_begun(tenant(), run(2, "nonce-2"), wish)
    assert not has_begun(tenant(), run(), wish)
    assert has_begun(tenant(analysts={ANA: analyst(), BEN: analyst(BEN)}), run(), wish)
    assert not has_begun(tenant(), run(2, "nonce-2"), payload())
    assert has_begun(tenant(), run(), payload(replace=False, analysts=()))


def test_a_run_is_stale_when_another_one_of_its_number_or_higher_came_first() -> None:
    there = tenant(record=record(run=2, run_nonce="other"))

    assert is_stale(there, run(2))
    assert is_stale(there, run(1))
    assert not is_stale(there, run(3))
    assert not is_stale(there, msgspec.structs.replace(run(2), nonce="other"))


def test_what_an_answer_starts_begins_only_while_the_answer_is_waited_for() -> None:
    """Between the callback and its run, an operator may cancel."""
    answered = msgspec.structs.replace(payload(replace=False, analysts=()), only_from=State.WAITING_FOR_CONSENT)

    assert may_begin(tenant(State.WAITING_FOR_CONSENT), run(2, "nonce-2"), answered)
    assert not may_begin(tenant(State.CANCELLED), run(2, "nonce-2"), answered)
    assert not may_begin(tenant(record=record(State.WAITING_FOR_CONSENT, run=3)), run(2, "nonce-2"), answered)
    assert may_begin(tenant(State.ONBOARDING), run(), answered)
    assert may_begin(tenant(State.CANCELLED), run(2, "nonce-2"), payload(replace=False, analysts=()))


def test_what_an_answer_starts_keeps_the_deadline_and_what_a_person_starts_has_a_new_one() -> None:
    """Else whoever holds the link could put the deadline off for ever."""
    waiting = tenant(record=record(State.WAITING_FOR_CONSENT, deadline=NOON))
    asked = payload(replace=False, analysts=())
    answered = msgspec.structs.replace(asked, only_from=State.WAITING_FOR_CONSENT)

    assert next_record(waiting, run(2, "nonce-2"), answered, NOON, ids()).record.deadline == NOON
    assert next_record(waiting, run(2, "nonce-2"), asked, NOON, ids()).record.deadline is None


def test_a_retry_is_on_a_person_s_word_whatever_opened_the_run_before_and_an_answer_is_not() -> None:
    by_night = record(State.WAITING_FOR_PERSON, reason="the nightly comparison")

    def after(only_from: State | None) -> bool:
        wish = continued(by_night, only_from=only_from)
        return next_record(tenant(record=by_night), run(2, "nonce-2"), wish, NOON, ids()).record.unasked

    assert by_night.unasked
    assert not after(None)
    assert after(State.WAITING_FOR_PERSON)
