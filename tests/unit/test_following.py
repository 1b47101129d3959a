"""What a look at PIM makes of a request, for whatever PIM shows."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from shared.activation.following import CLAIM_LASTS, Seen, after, claimed, is_to_remind, pause, reminded, reviewed
from shared.activation.record import Claim, Decision, Deed, Request, RequestId, State, found_at_pim
from shared.arm.activation_shapes import ActiveAssignment, AskedActivation, Standing
from shared.arm.approval_shapes import Stage
from shared.azure_permissions import VM_CONTRIBUTOR
from shared.identifiers import ObjectId, SubscriptionId

NOW = datetime(2026, 3, 2, 9, tzinfo=UTC)
EMIL, FIONA = ObjectId("emil"), ObjectId("fiona")

STATUSES = (
    "PendingApproval",
    "PendingProvisioning",
    "Provisioned",
    "Granted",
    "Denied",
    "Canceled",
    "TimedOut",
    "Failed",
    "Revoked",
    "SomethingNew",
)


def asked(status: str = "PendingApproval", minutes: int | None = 120) -> AskedActivation:
    return AskedActivation(
        request_id="r",
        subscription_id=SubscriptionId("s"),
        below="",
        role_definition_id=VM_CONTRIBUTOR,
        principal_id=EMIL,
        requestor_id=EMIL,
        status=status,
        approval_id="a",
        justification="why",
        ticket="",
        ticket_system="",
        created=NOW,
        minutes=minutes,
    )


def active(end: datetime | None) -> ActiveAssignment:
    return ActiveAssignment(
        below="", role_definition_id=VM_CONTRIBUTOR, principal_id=EMIL, start=NOW, end=end, is_activated=True
    )


def pending() -> Request:
    return found_at_pim(asked())


records = st.builds(
    lambda state, decided, in_force, claim_age, hours: replace(
        pending(),
        state=state,
        decision=Decision(approved=state is not State.DENIED, at=NOW, by=FIONA) if decided else None,
        in_force=in_force and state is State.APPROVED,
        end=NOW + timedelta(hours=hours) if state is State.APPROVED else None,
        claim=None
        if claim_age is None
        else Claim(deed=Deed.APPROVE, by=FIONA, at=NOW - timedelta(minutes=claim_age), nonce="n"),
    ),
    st.sampled_from(State),
    st.booleans(),
    st.booleans(),
    st.none() | st.integers(0, 20),
    st.integers(0, 8),
)
sights = st.builds(
    lambda status, minutes, shows, later, end: Seen(
        now=NOW + timedelta(minutes=later),
        asked=None if status is None else asked(status, minutes),
        active=active(NOW + timedelta(minutes=end)) if shows else None,
    ),
    st.none() | st.sampled_from(STATUSES),
    st.none() | st.integers(5, 1440),
    st.booleans(),
    st.integers(0, 4000),
    st.integers(0, 4000),
)


@given(records, sights)
def test_what_is_over_stays_as_it_is(record: Request, seen: Seen) -> None:
    if not record.is_open:
        assert after(record, seen) == record


@given(records, sights)
def test_who_decided_is_never_lost(record: Request, seen: Seen) -> None:
    found = after(record, seen)

    if record.decision is not None:
        assert found.decision == record.decision


@given(records, sights)
def test_looking_twice_at_the_same_is_looking_once(record: Request, seen: Seen) -> None:
    once = after(record, seen)

    assert after(once, seen) == once


@given(records, sights)
def test_nothing_is_approved_that_pim_does_not_show_as_granted(record: Request, seen: Seen) -> None:
    found = after(record, seen)

    if found.state is State.APPROVED and record.state is not State.APPROVED:
        standing = None if seen.asked is None else seen.asked.standing
        assert standing is Standing.GRANTED or (standing is None and seen.active is not None)
        assert found.decision is not None


@given(records, st.lists(sights, max_size=6))
def test_a_state_never_goes_back(record: Request, shown: list[Seen]) -> None:
    order = {State.SUBMITTING: 0, State.PENDING: 1, State.APPROVED: 2}
    for seen in sorted(shown, key=lambda one: one.now):
        found = after(record, seen)
        assert order.get(found.state, 3) >= order.get(record.state, 3)
        record = found


def test_a_grant_ends_when_azure_says_so_and_not_when_it_was_asked_to() -> None:
    decided = replace(pending(), decision=Decision(approved=True, at=NOW, by=FIONA))
    granted = after(decided, Seen(now=NOW, asked=asked("Provisioned")))
    shown = after(granted, Seen(now=NOW, asked=asked("Provisioned"), active=active(NOW + timedelta(hours=1))))

    assert (granted.end, granted.in_force) == (NOW + timedelta(minutes=120), False)
    assert (shown.end, shown.in_force) == (NOW + timedelta(hours=1), True)


def test_a_grant_that_never_shows_is_told() -> None:
    granted = after(pending(), Seen(now=NOW, asked=asked("Provisioned")))

    found = after(granted, Seen(now=NOW + timedelta(minutes=31), asked=asked("Provisioned")))

    assert (found.state, [one.code for one in found.violations]) == (State.ENDED, ["decisionWithoutAccess"])


def test_a_grant_that_outlives_its_end_is_told_once() -> None:
    end = NOW + timedelta(hours=1)
    record = replace(pending(), state=State.APPROVED, in_force=True, end=end, decision=Decision(approved=True, at=NOW))
    late = Seen(now=end + timedelta(minutes=11), asked=asked("Provisioned"), active=active(end))

    found = after(after(record, late), late)

    assert [one.code for one in found.violations] == ["outlived"]


def test_a_claim_of_a_process_that_died_is_let_go() -> None:
    mine = Claim(deed=Deed.APPROVE, by=FIONA, at=NOW, nonce="n")
    record = replace(pending(), claim=mine)

    assert claimed(record, NOW + CLAIM_LASTS - timedelta(seconds=1)) == mine
    assert after(record, Seen(now=NOW + CLAIM_LASTS, asked=asked())).claim is None


def test_reminders_come_after_one_three_and_seven_hours_and_never_after_a_decision() -> None:
    record = replace(pending(), remind_at=NOW + timedelta(hours=1))
    came: list[float] = []
    for minutes in range(0, 1440, 10):
        now = NOW + timedelta(minutes=minutes)
        if is_to_remind(record, now):
            came.append(minutes / 60)
            record = reminded(record, now)

    assert came == [1, 3, 7, 15]
    assert not is_to_remind(after(record, Seen(now=NOW, asked=asked("Denied"))), NOW + timedelta(hours=20))


@given(records, st.integers(0, 4000))
def test_it_always_looks_again_within_a_quarter_of_an_hour_while_it_waits(record: Request, minutes: int) -> None:
    waits = replace(record, state=State.PENDING, asked=asked(), request_id=RequestId("r"))

    assert 10 <= pause(waits, NOW + timedelta(minutes=minutes)) <= 900


def stage(*, approved: bool | None, by: ObjectId = FIONA) -> Stage:
    """As its approver sees it, reviewed a minute ago."""
    return Stage(
        stage_id="s",
        status="Completed",
        mine=True,
        approved=approved,
        reviewed_by=by,
        reviewed_at=NOW,
        justification="CHG1",
    )


_SOON = NOW + timedelta(minutes=1)


def test_what_an_approver_sees_decided_is_decided_and_its_end_is_known() -> None:
    approved, denied = (
        reviewed(pending(), stage(approved=True), _SOON),
        reviewed(pending(), stage(approved=False), _SOON),
    )

    assert (approved.state, approved.end, approved.in_force) == (State.APPROVED, NOW + timedelta(hours=2), False)
    assert approved.decision == Decision(approved=True, at=NOW, by=FIONA, reason="CHG1")
    assert (denied.state, denied.decision and denied.decision.by) == (State.DENIED, FIONA)


def test_a_stage_that_says_neither_yes_nor_no_decides_nothing() -> None:
    assert reviewed(pending(), stage(approved=None), _SOON) == pending()


def test_who_is_known_to_have_decided_stays_and_who_was_not_is_filled_in() -> None:
    known = replace(pending(), decision=Decision(approved=True, at=NOW, by=EMIL))
    unknown = replace(pending(), decision=Decision(approved=True, at=_SOON))

    assert reviewed(known, stage(approved=True), _SOON).decision == known.decision
    filled = reviewed(unknown, stage(approved=True), _SOON).decision
    assert filled is not None
    assert (filled.by, filled.at) == (FIONA, NOW)


def test_what_is_over_is_not_opened_again_by_its_approval() -> None:
    over = replace(pending(), state=State.CANCELLED)

    assert reviewed(over, stage(approved=True), _SOON).state is State.CANCELLED


def test_pim_may_be_at_it_for_an_hour_after_its_approver_saw_it_approved() -> None:
    approved = reviewed(pending(), stage(approved=True), _SOON)
    waits = Seen(now=NOW + timedelta(minutes=40), asked=asked("PendingProvisioning"))
    late = Seen(now=NOW + timedelta(minutes=70), asked=asked("PendingProvisioning"))

    assert after(approved, waits).state is State.APPROVED
    ended = after(approved, late)
    assert (ended.state, [one.code for one in ended.violations]) == (State.ENDED, ["decisionWithoutAccess"])


def test_what_pim_could_not_provision_after_its_approval_has_failed() -> None:
    approved = reviewed(pending(), stage(approved=True), _SOON)
    in_force = replace(approved, in_force=True)
    seen = Seen(now=_SOON, asked=asked("FailedAsResourceIsLocked"))

    failed = after(approved, seen)
    assert (failed.state, "FailedAsResourceIsLocked" in failed.problem) == (State.FAILED, True)
    assert after(in_force, seen).state is State.ENDED
    assert after(replace(approved, released=NOW), seen).state is State.APPROVED


def test_an_approval_in_the_portal_is_no_later_than_its_grant_came_into_force() -> None:
    seen = Seen(now=NOW + timedelta(minutes=10), asked=asked("Provisioned"), active=active(NOW + timedelta(hours=2)))
    earlier = replace(seen, active=replace(active(None), start=NOW - timedelta(hours=1)))

    found, strange = after(pending(), seen).decision, after(pending(), earlier).decision
    assert found is not None
    assert strange is not None
    assert (found.at, strange.at) == (NOW, seen.now)
