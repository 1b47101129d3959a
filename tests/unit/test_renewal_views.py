"""What is told of renewals: a day's report, plans by what is kept, what a run has written, and who may still write."""

from datetime import UTC, date, datetime, timedelta

import msgspec
import pytest

from shared.eligibility.decide import NOT_THERE, POLICY_REFUSED, RENEWAL, Action, Held, instead, lasts_until
from shared.eligibility.record import Eligibility, RolePolicy, eligibility_key
from shared.identifiers import ObjectId
from shared.permissions import SECURITY_READER
from shared.privileged import Fence, RunStopped, check_fence, word
from shared.renewal import views
from shared.renewal.answers import Would
from shared.renewal.due import Due, Fine, Kept, Refused, Seen, Why
from shared.renewal.messages import RenewOver
from shared.renewal.report import TOLD, Line, Of, Outcome, Report, counted, line, merged
from shared.renewal.writing import refused_in, written
from shared.run import Run
from shared.running.opening import next_record
from shared.subjects import Intent, IntentState, Renewing, intent_key
from shared.tenants.record import Goal, Tenant
from shared.tenants.states import State
from tests.unit.making import ANA, NOON, TARGET, analyst, ids, intent, payload, record, run, tenant

ACCOUNT = ObjectId("33333333-0000-4000-8000-000000000003")
OTHER = ObjectId("44444444-0000-4000-8000-000000000004")
DAY = timedelta(days=1)
RENEWING = Renewing(nonce="r", since=NOON, on_whose_word="rita", reason="the nightly renewal")


def row(days: float = 10, **changes: object) -> Eligibility:
    first = Eligibility(
        principal_id=ACCOUNT,
        role_definition_id=SECURITY_READER,
        analyst_id=ANA,
        schedule_id="s",
        end=NOON + days * DAY,
        wanted_days=180,
    )
    return msgspec.structs.replace(first, **changes)


def looked_after(held: Eligibility, **changes: object) -> Tenant:
    kept = record(State.READY, role_policy=RolePolicy(maximum_days=180), **changes)
    account = analyst(target_object_id=ACCOUNT)
    return tenant(record=kept, analysts={ANA: account}, eligibilities={eligibility_key(ACCOUNT, SECURITY_READER): held})


def renewal(outcome: str, *, action: Action = Action.EXTEND, number: int = 7, **changes: object) -> Intent:
    arguments = {
        "principal": ACCOUNT,
        "action": action.value,
        "start": NOON.isoformat(),
        "end": (NOON + 180 * DAY).isoformat(),
        "was": NOON.isoformat(),
    }
    first = msgspec.structs.replace(
        intent(31), kind=RENEWAL, arguments=arguments, run=number, state=IntentState.CLOSED, outcome=outcome
    )
    return msgspec.structs.replace(first, **changes)


def with_intent(one: Intent) -> Tenant:
    kept = looked_after(row())
    return msgspec.structs.replace(kept, intents={intent_key(TARGET, "x"): one})


@pytest.mark.parametrize(
    ("held", "would", "why"),
    [
        (row(10), Would.EXTEND, None),
        (row(-10), Would.RENEW, None),
        (row(-40), Would.REFUSE, Why.LAPSED),
        (row(10, removed=NOON), Would.REFUSE, Why.REMOVED),
        (row(10, principal_id=OTHER), Would.REFUSE, Why.NOT_TO_HOLD),
    ],
)
def test_a_plan_tells_of_what_ends_soon_what_would_become_of_it(
    held: Eligibility, would: Would, why: str | None
) -> None:
    found = views.planned(looked_after(held), held, NOON, 21)

    assert found is not None
    assert (found.would, found.why) == (would, why)


@pytest.mark.parametrize("held", [row(100), row(10, plain=True), row(10, end=None)])
def test_a_plan_says_nothing_of_what_is_not_due(held: Eligibility) -> None:
    assert views.planned(looked_after(held), held, NOON, 21) is None


def test_a_plan_refuses_what_nobody_has_said_to_be_needed_for_a_year() -> None:
    held = row(10)
    old = looked_after(held, created=NOON - 400 * DAY)

    found = views.planned(old, held, NOON, 21)

    assert found is not None
    assert (found.would, found.why) == (Would.REFUSE, Why.REVIEW_OVER)


def test_every_reason_has_its_words() -> None:
    assert all(set(told) == set(Why) for told in TOLD.values())
    assert set(TOLD) == set(Of)


@pytest.mark.parametrize(
    ("verdict", "outcome"),
    [
        (Fine(end=None), Outcome.PERMANENT),
        (Kept(end=NOON, allowed=NOON - DAY), Outcome.KEPT),
        (Refused(why=Why.MFA, end=NOON, alarming=True), Outcome.REFUSED),
        (Fine(end=NOON), None),
        (Due(action=Action.EXTEND, end=NOON), None),
    ],
)
def test_only_what_is_worth_it_is_told(verdict: Fine | Kept | Refused | Due, outcome: Outcome | None) -> None:
    seen = Seen(left=NOON, in_force=True, end=NOON, wanted_days=180)

    found = line(row(), seen, verdict)

    assert (None if found is None else found.outcome) == outcome
    assert found is None or found.told


def test_what_is_told_later_on_a_day_takes_the_place_of_what_was_told_of_the_same_eligibility() -> None:
    first = Report(subject_id=TARGET, at=NOON, lines=(_line(ACCOUNT, Outcome.REFUSED), _line(OTHER, Outcome.EXTENDED)))
    second = Report(subject_id=TARGET, at=NOON + DAY, lines=(_line(ACCOUNT, Outcome.EXTENDED),))

    found = merged(first, second)

    assert {one.principal_id: one.outcome for one in found.lines} == dict.fromkeys((ACCOUNT, OTHER), Outcome.EXTENDED)
    assert (counted([found])[Outcome.EXTENDED], counted([found])[Outcome.REFUSED]) == (2, 0)
    assert merged(found, second) == merged(merged(found, second), second)
    assert merged(msgspec.structs.replace(first, next_end=NOON), second).next_end == NOON


def test_a_later_look_takes_the_place_of_all_but_what_was_written_that_day() -> None:
    told = (_line(ACCOUNT, Outcome.REFUSED), _line(OTHER, Outcome.RENEWED))
    first = Report(subject_id=TARGET, at=NOON, lines=told, problem="no access", next_end=NOON)
    nothing = Report(subject_id=TARGET, at=NOON + DAY)

    found = merged(first, nothing, looked=True)

    assert (found.problem, found.lines) == ("", told[1:])
    assert merged(found, nothing, looked=True) == found
    assert merged(first, msgspec.structs.replace(nothing, problem="gone"), looked=False).lines == told


def test_a_plan_goes_by_the_end_that_a_person_gave() -> None:
    held = row(100, ends_early=NOON + 3 * DAY)

    found = views.planned(looked_after(held), held, NOON, 21)

    assert found is not None
    assert (found.end, found.would, found.why) == (NOON + 3 * DAY, Would.REFUSE, Why.SHORTENED)


def test_what_a_run_wrote_is_told_by_its_intents() -> None:
    [extended] = written(with_intent(renewal("done")), 7)
    [renewed] = written(with_intent(renewal("done", action=Action.RENEW)), 7)
    [refused] = written(with_intent(renewal("refused: NoWay")), 7)

    assert (extended.outcome, extended.was, extended.end) == (Outcome.EXTENDED, NOON, NOON + 180 * DAY)
    assert (extended.analyst_id, renewed.outcome) == (ANA, Outcome.RENEWED)
    assert (refused.outcome, refused.why, refused.end) == (Outcome.REFUSED, "NoWay", None)
    assert refused_in(with_intent(renewal("refused: NoWay")), 7) == {eligibility_key(ACCOUNT, SECURITY_READER): "NoWay"}


@pytest.mark.parametrize(
    "one",
    [
        renewal("done", number=6),
        renewal("sent, but not to be seen"),
        renewal("not sent"),
        renewal("", state=IntentState.OPEN),
        renewal("done", kind="security_reader"),
    ],
    ids=["an earlier run's", "never seen", "not sent", "open", "another act's"],
)
def test_what_this_run_did_not_bring_to_an_end_is_neither_told_nor_given_up(one: Intent) -> None:
    assert (written(with_intent(one), 7), refused_in(with_intent(one), 7)) == ([], {})


@pytest.mark.parametrize(
    ("asked", "code", "then"),
    [
        (Action.EXTEND, "InvalidRoleAssignmentRequest", Action.UPDATE),
        (Action.UPDATE, "InvalidRoleAssignmentRequest", Action.EXTEND),
        (Action.EXTEND, POLICY_REFUSED, None),
        (Action.EXTEND, NOT_THERE, None),
        (Action.UPDATE, NOT_THERE, None),
        (Action.RENEW, NOT_THERE, Action.ASSIGN),
        (Action.RENEW, POLICY_REFUSED, None),
        (Action.RENEW, "InvalidRoleAssignmentRequest", None),
        (Action.ASSIGN, NOT_THERE, None),
    ],
)
def test_an_act_that_is_refused_for_what_it_is_has_another_and_what_is_gone_is_not_made(
    asked: Action, code: str, then: Action | None
) -> None:
    assert instead(asked, code) is then


def test_it_lasts_until_then_when_it_is_in_force_and_ends_no_earlier() -> None:
    assert lasts_until(Held(schedule_id="s", end=NOON, in_force=True), NOON)
    assert lasts_until(Held(schedule_id="s", end=None, in_force=True), NOON)
    assert not lasts_until(Held(schedule_id="s", end=NOON - timedelta(seconds=1), in_force=True), NOON)
    assert not lasts_until(Held(schedule_id="s", end=NOON, in_force=False), NOON)
    assert not lasts_until(None, NOON)


def test_a_renewal_may_write_while_it_holds_the_tenant_and_nobody_else_may() -> None:
    kept = record(State.READY, run=7, renewing=RENEWING)

    check_fence(kept, Fence(run=7, nonce="r"))
    for fence in (Fence(run=6, nonce="r"), Fence(run=7, nonce="s"), Fence(run=7, nonce="nonce-1")):
        with pytest.raises(RunStopped):
            check_fence(kept, fence)
    with pytest.raises(RunStopped):
        check_fence(msgspec.structs.replace(kept, renewing=None), Fence(run=7, nonce="r"))


def test_a_renewal_writes_on_its_own_word_and_a_run_on_its_own() -> None:
    kept = record(State.READY, run=7, renewing=RENEWING, reason="a retry")

    assert word(kept, Fence(run=7, nonce="r")) == ("rita", "the nightly renewal")
    assert word(kept, Fence(run=7, nonce="nonce-1")) == ("olga", "a retry")


def test_a_run_that_begins_ends_the_hold_of_a_renewal_that_died() -> None:
    held = tenant(record=record(State.READY, run=7, renewing=RENEWING))

    change = next_record(held, run(8, "next"), payload(replace=False), NOON, ids())

    assert change.record.renewing is None


def test_the_first_word_is_that_of_the_onboarding_and_holds_for_a_year() -> None:
    review = record(State.READY).reviewed

    assert (review.by, review.at, review.until) == ("olga", NOON, NOON + 365 * DAY)


def test_who_has_a_tenant_onboarded_again_gives_a_new_word() -> None:
    left = tenant(record=record(State.OFFBOARDED, run=7, goal=Goal.OFFBOARDING, created=NOON - 500 * DAY))

    change = next_record(left, run(8, "next"), payload(), NOON, ids())

    assert change.record.reviewed.until == NOON + 365 * DAY


def test_a_day_shows_which_run_was_the_night_s() -> None:
    night = Run(
        subject="renewal-2026-11-23",
        kind="renewal",
        number=1,
        orchestration_id="renewal-2026-11-23-1",
        nonce="n",
        opened=NOON,
        requested_by="the nightly timer",
    )
    by_hand = msgspec.structs.replace(
        night, subject="renewal-by-hand-2026-11-23", ended=datetime(2026, 11, 23, tzinfo=UTC)
    )

    found = views.day("https://app.example", date(2026, 11, 23), [night, by_hand], [])

    assert [one.by_night for one in found.runs] == [True, False]
    assert [one.ended is None for one in found.runs] == [True, False]


def _line(principal: ObjectId, outcome: Outcome) -> Line:
    return Line(principal_id=principal, outcome=outcome)


def test_what_a_tenant_was_refused_earlier_in_the_night_stays_known() -> None:
    first = RenewOver(changed=1, again=True, refused={"a": "NoWay"})

    assert RenewOver(changed=2, refused={"b": "NotNow"}).after(first) == RenewOver(
        changed=3, refused={"a": "NoWay", "b": "NotNow"}
    )
